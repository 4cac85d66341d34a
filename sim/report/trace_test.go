package report_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sim/report"
	"github.com/heddle-go/heddle/sim/search"
)

// trace is one that has an event of each kind.
var trace = report.Trace{
	Scenario: "account", Property: "counted", Message: nasty, FailedAt: 3, Steps: 3, Hash: "0123456789abcdef", Replay: "heddle replay heddle1_x",
	Events: []search.Event{
		{Note: "the world is made"},
		{Step: 1, Actor: "main", Operation: "start"},
		{Step: 1, Actor: "main", Site: "coin", Of: 2, Value: 1},
		{Step: 2, Actor: "main/teller", Operation: "lock", Object: "account"},
		{Step: 2, Note: nasty},
		{Step: 3, Time: 1500 * time.Microsecond, Actor: "time", Operation: "advance"},
	},
}

func TestTraceLinesAreAnObjectEach(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, report.WriteTraceLines(&out, trace))
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	require.Len(t, lines, 1+len(trace.Events))
	var head map[string]any
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &head))
	require.Equal(t, "heddle trace 1", head["format"])
	require.Equal(t, trace.Replay, head["replay"])
	require.Equal(t, "counted", head["property"])
	for i, want := range trace.Events[:4] {
		var e search.Event
		require.NoError(t, json.Unmarshal([]byte(lines[1+i]), &e))
		require.Equal(t, want, e)
	}
}

func TestChromeTraceShowsStepsByTask(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, report.WriteChromeTrace(&out, trace))
	var document struct {
		OtherData   map[string]any
		TraceEvents []struct {
			Name  string         `json:"name"`
			Phase string         `json:"ph"`
			Time  *int64         `json:"ts"`
			Lasts int64          `json:"dur"`
			PID   int            `json:"pid"`
			TID   int            `json:"tid"`
			Scope string         `json:"s"`
			Args  map[string]any `json:"args"`
		}
	}
	require.NoError(t, json.Unmarshal(out.Bytes(), &document))
	require.Equal(t, trace.Replay, document.OtherData["replay"])
	threads := map[int]string{}
	var told []string
	for _, e := range document.TraceEvents {
		require.NotNil(t, e.Time)
		require.Equal(t, 1, e.PID)
		at := threads[e.TID] + " " + string(rune('0'+*e.Time)) + ": " + e.Name
		switch e.Phase {
		case "M":
			if e.Name == "thread_name" {
				threads[e.TID] = e.Args["name"].(string)
			}
		case "X":
			require.EqualValues(t, 1, e.Lasts)
			told = append(told, at)
		case "i":
			told = append(told, at+" ("+e.Scope+")")
		case "C":
			require.IsType(t, 0.0, e.Args["ms"])
		default:
			require.Fail(t, "a phase that nobody asked for", e.Phase)
		}
	}
	require.Equal(t, []string{
		"set-up 0: the world is made (t)",
		"main 1: start",
		"main 1: coin (t)",
		"main/teller 2: lock account",
		"main/teller 2: " + strings.ToValidUTF8(strings.Split(nasty, "\n")[0], "\uFFFD") + " (t)",
		"time 3: advance",
		"time 3: violates counted (g)",
	}, told)
	last := document.TraceEvents[len(document.TraceEvents)-1]
	require.Equal(t, trace.Replay, last.Args["replay"])
}
