package choice

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
)

// LongToken is the number of characters beyond which a token is better kept in a file than on a command line.
const LongToken = 2000

// Token is everything that repeats a run. Its text fits on a command line, is checked against damage, and says of which
// scenario it is. A token has one of two forms:
//
//   - addressed: Deviations is not nil (but may be empty) and decides the run; it replays on changed code as far as it fits;
//   - by seed: Deviations is nil, and Strategy, Seed and what had been learnt decide the run; short, and exact on the same build only.
type Token struct {
	Scenario string
	Options  []Option // of the scenario
	Property string   // that the run violated; empty if none

	Strategy string // that found the run, as package strategy parses it
	Seed     uint64 // of the run
	Length   int64  // what the strategy had learnt: choices in a run; 0 if nothing
	Learnt   string // the rest of it, as package strategy encodes it; empty for most strategies
	DataSeed uint64 // of the random bytes

	Deviations []Deviation
	Hash       uint64 // of the whole run
}

// Option is a setting of a scenario.
type Option struct{ Name, Value string }

// Addressed says which of the two forms the token has.
func (t Token) Addressed() bool { return t.Deviations != nil }

// BySeed is the short form of the token.
func (t Token) BySeed() Token {
	t.Deviations = nil
	return t
}

const (
	tokenFamily  = "heddle"
	tokenVersion = "1"
	tokenPrefix  = tokenFamily + tokenVersion + "_"
	checksumSize = 4
)

var (
	tokenText     = base64.RawURLEncoding.Strict()
	checksumTable = crc32.MakeTable(crc32.Castagnoli)
)

// String is the text of the token: a prefix with the version of the format, then the length of the content, the content
// (see tokencodec.go) and a CRC-32C of both in URL-safe base64.
func (t Token) String() string {
	content := t.content()
	framed := binary.AppendUvarint(nil, uint64(len(content)))
	framed = append(framed, content...)
	framed = binary.BigEndian.AppendUint32(framed, crc32.Checksum(framed, checksumTable))
	return tokenPrefix + tokenText.EncodeToString(framed)
}

// IsToken says whether the text means to be a token, of any version, and not a file.
func IsToken(text string) bool {
	rest, ok := strings.CutPrefix(strings.TrimSpace(text), tokenFamily)
	if !ok {
		return false
	}
	digits := strings.TrimLeft(rest, "0123456789")
	return len(digits) < len(rest) && strings.HasPrefix(digits, "_")
}

// ParseToken reads the text of a token. An error is one line that says what is wrong with the text: it is none, of
// another version, cut off, or altered.
func ParseToken(text string) (Token, error) {
	text = strings.TrimSpace(text)
	if !IsToken(text) {
		return Token{}, fmt.Errorf("%q is no token: a token starts with %s", shortened(text), tokenPrefix)
	}
	body, ok := strings.CutPrefix(text, tokenPrefix)
	if !ok {
		version, _, _ := strings.Cut(strings.TrimPrefix(text, tokenFamily), "_")
		return Token{}, fmt.Errorf("the token is of format %s and this build reads format %s: replay it with the heddle that printed it", shortened(version), tokenVersion)
	}
	if at := strings.IndexFunc(body, notInToken); at >= 0 {
		return Token{}, fmt.Errorf("the token is altered: character %d is %q, which no token holds", len(tokenPrefix)+at+1, []rune(body[at:])[0])
	}
	framed, err := tokenText.DecodeString(body)
	if err != nil { // the alphabet is right, so it is the length, or bits beyond the last byte
		framed, _ = base64.RawURLEncoding.DecodeString(body[:len(body)/4*4])
		if length, ok := framedLength(framed); !ok || len(framed) < length {
			return Token{}, cutOff(len(body), length)
		}
		return Token{}, errors.New("the token is altered: it does not end where its content does")
	}
	length, ok := framedLength(framed)
	switch {
	case !ok:
		return Token{}, errors.New("the token is cut off: nothing of its content is left")
	case len(framed) < length:
		return Token{}, cutOff(len(body), length)
	case len(framed) > length:
		return Token{}, fmt.Errorf("the token is altered: its content ends after %d characters and %d follow", tokenText.EncodedLen(length), len(body)-tokenText.EncodedLen(length))
	}
	payload, sum := framed[:length-checksumSize], framed[length-checksumSize:]
	if crc32.Checksum(payload, checksumTable) != binary.BigEndian.Uint32(sum) {
		return Token{}, errors.New("the token is altered: its checksum does not fit its content")
	}
	_, n := binary.Uvarint(payload)
	t, err := parseContent(payload[n:])
	if err != nil {
		return Token{}, fmt.Errorf("the token is altered: %w", err)
	}
	return t, nil
}

func notInToken(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
}

// framedLength is how many bytes the whole frame should have, from its first bytes.
func framedLength(framed []byte) (int, bool) {
	content, n := binary.Uvarint(framed)
	if n <= 0 || content > 1<<30 {
		return 0, false
	}
	return n + int(content) + checksumSize, true
}

func cutOff(have, length int) error {
	if length == 0 {
		return errors.New("the token is cut off: nothing of its content is left")
	}
	return fmt.Errorf("the token is cut off: it should have %d characters after %s and has %d", tokenText.EncodedLen(length), tokenPrefix, have)
}

func shortened(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
