package choice_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/heddle-go/heddle/sim/choice"
)

func tokens() *rapid.Generator[choice.Token] {
	name := rapid.OneOf(rapid.String(), rapid.StringMatching(`n[12]/(recv|main)(#[0-9])?(:mutex)?`))
	deviation := rapid.Custom(func(t *rapid.T) choice.Deviation {
		d := choice.Deviation{
			Actor: name.Draw(t, "actor"), Point: name.Draw(t, "point"), Object: name.Draw(t, "object"),
			Occurrence: rapid.IntRange(1, 1<<31-1).Draw(t, "occurrence"), Check: rapid.Uint16().Draw(t, "check"),
		}
		if rapid.Bool().Draw(t, "value?") {
			d.Value = rapid.IntRange(1, 1<<31-1).Draw(t, "value")
		} else {
			d.Target = name.Draw(t, "target")
		}
		return d
	})
	option := rapid.Custom(func(t *rapid.T) choice.Option {
		return choice.Option{Name: name.Draw(t, "option"), Value: name.Draw(t, "value")}
	})
	return rapid.Custom(func(t *rapid.T) choice.Token {
		token := choice.Token{
			Scenario: name.Draw(t, "scenario"), Property: name.Draw(t, "property"),
			Strategy: name.Draw(t, "strategy"), Seed: rapid.Uint64().Draw(t, "seed"), Length: rapid.Int64Range(0, 1<<31-1).Draw(t, "length"),
			DataSeed: rapid.Uint64().Draw(t, "data seed"), Hash: rapid.Uint64().Draw(t, "hash"),
		}
		if n := rapid.SliceOfN(option, 0, 3).Draw(t, "options"); len(n) > 0 {
			token.Options = n
		}
		token.Learnt = rapid.StringN(0, 40, 80).Draw(t, "learnt")
		if rapid.Bool().Draw(t, "addressed") {
			token.Deviations = append([]choice.Deviation{}, rapid.SliceOfN(deviation, 0, 20).Draw(t, "deviations")...)
		}
		return token
	})
}

func TestTokenSurvivesItsText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		token := tokens().Draw(t, "token")
		text := token.String()
		require.True(t, choice.IsToken(text))
		read, err := choice.ParseToken(" " + text + "\n")
		require.NoError(t, err)
		require.Equal(t, token, read)
	})
}

func TestDamagedTokenIsRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := tokens().Draw(t, "token").String()
		at := rapid.IntRange(len("heddle1_"), len(text)-1).Draw(t, "position")

		_, err := choice.ParseToken(text[:at])
		require.ErrorContains(t, err, "the token is cut off: ")
		requireOneLine(t, err)

		other := rapid.SampledFrom([]rune("abcXYZ019-_$ \u00e9")).Filter(func(r rune) bool { return r != rune(text[at]) }).Draw(t, "character")
		_, err = choice.ParseToken(text[:at] + string(other) + text[at+1:])
		require.Error(t, err)
		requireOneLine(t, err)

		_, err = choice.ParseToken(text + "AAAA")
		require.ErrorContains(t, err, "the token is altered: ")
	})
}

func requireOneLine(t require.TestingT, err error) {
	require.NotContains(t, err.Error(), "\n")
}

func TestTokenErrors(t *testing.T) {
	good := choice.Token{Scenario: "small-agent", Property: "S5", Strategy: "pct:3", Seed: 7, Hash: 9}.String()
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", `"" is no token: a token starts with heddle1_`},
		{"something else", "deadbeef", `"deadbeef" is no token: a token starts with heddle1_`},
		{"other version", "heddle2_" + good[8:], "the token is of format 2 and this build reads format 1: replay it with the heddle that printed it"},
		{"only the prefix", "heddle1_", "the token is cut off: nothing of its content is left"},
		{"half", good[:len(good)/2], fmt.Sprintf("the token is cut off: it should have %d characters after heddle1_ and has %d", len(good)-8, len(good)/2-8)},
		{"foreign character", good[:20] + "+" + good[21:], `the token is altered: character 21 is '+', which no token holds`},
		{"other letter", good[:20] + otherLetter(good[20]) + good[21:], "the token is altered: its checksum does not fit its content"},
		{"more", good + "AAAAAAAA", fmt.Sprintf("the token is altered: its content ends after %d characters and 8 follow", len(good)-8)},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := choice.ParseToken(c.text)
			require.EqualError(t, err, c.want)
		})
	}
}

func otherLetter(b byte) string {
	if b == 'A' {
		return "B"
	}
	return "A"
}

func TestShortFormFitsALine(t *testing.T) {
	token := choice.Token{Scenario: "litmus/lost-update-mutex-fixed", Property: "lost-update", Strategy: "pct:3", Seed: ^uint64(0), DataSeed: ^uint64(0), Hash: ^uint64(0), Length: 1000}
	require.Less(t, len(token.String()), 160)
}

func TestTokenOfATypicalShrunkFailure(t *testing.T) {
	token := choice.Token{Scenario: "small-agent", Property: "S5", Strategy: "pct:3", Deviations: []choice.Deviation{}}
	for i := range 12 {
		token.Deviations = append(token.Deviations, choice.Deviation{
			Actor: fmt.Sprintf("agent/client#%d/recv", i), Point: "lock", Object: "agent/main:mutex#2", Occurrence: i + 1, Target: "agent/worker", Check: uint16(i),
		})
	}
	require.Less(t, len(token.String()), 500)
}

func FuzzParseToken(f *testing.F) {
	f.Add("heddle1_")
	f.Add(choice.Token{Scenario: "s", Deviations: []choice.Deviation{{Actor: "a", Point: "lock", Object: "o", Occurrence: 1, Target: "b"}}}.String())
	f.Add(choice.Token{Scenario: "s", Strategy: "random", Seed: 1}.String())
	f.Fuzz(func(t *testing.T, text string) {
		token, err := choice.ParseToken(text)
		if err == nil {
			again, err := choice.ParseToken(token.String())
			require.NoError(t, err)
			require.Equal(t, token, again)
			return
		}
		require.False(t, strings.ContainsAny(err.Error(), "\n\r"), "%q", err)
	})
}

// FuzzTokenContent goes past the checksum, to the decoder of the content.
func FuzzTokenContent(f *testing.F) {
	good := choice.Token{Scenario: "s", Options: []choice.Option{{Name: "o", Value: "v"}}, Deviations: []choice.Deviation{{Actor: "a", Point: "delay", Occurrence: 1, Value: 3}}}.String()
	framed, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(good, "heddle1_"))
	require.NoError(f, err)
	f.Add(framed[1 : len(framed)-4])
	f.Fuzz(func(t *testing.T, content []byte) {
		token, err := choice.ParseContent(content)
		if err == nil {
			again, err := choice.ParseToken(token.String())
			require.NoError(t, err)
			require.Equal(t, token, again)
		}
	})
}
