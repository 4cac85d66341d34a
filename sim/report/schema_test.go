package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/report"
	"github.com/heddle-go/heddle/sim/search"
)

func sourceLine(t *testing.T, n int) string {
	source, err := os.ReadFile("report_test.go")
	require.NoError(t, err)
	return strings.Split(string(source), "\n")[n-1]
}

// sarifSchema is the one of OASIS; see testdata/README.md.
func sarifSchema(t *testing.T) *jsonschema.Schema {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schema, err := c.Compile("testdata/sarif-2.1.0.json")
	require.NoError(t, err)
	return schema
}

func TestSARIFIsValidByItsSchema(t *testing.T) {
	schema := sarifSchema(t)
	for name, s := range searches(t) {
		var out bytes.Buffer
		require.NoError(t, report.WriteSARIF(&out, s))
		document, err := jsonschema.UnmarshalJSON(&out)
		require.NoError(t, err, name)
		require.NoError(t, schema.Validate(document), name)
	}
	broken, err := jsonschema.UnmarshalJSON(strings.NewReader(`{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "Heddle"}}, "results": [{"ruleId": "S1"}]}]}`))
	require.NoError(t, err)
	require.ErrorContains(t, schema.Validate(broken), "message", "the schema demands something")
}

func TestSARIFSaysWhatFailedAndWhere(t *testing.T) {
	s := searches(t)["failing"]
	var out bytes.Buffer
	require.NoError(t, report.WriteSARIF(&out, s))
	var log struct {
		Runs []struct {
			Tool struct {
				Driver struct {
					Rules []struct {
						ID               string
						ShortDescription struct{ Text string }
					}
				}
			}
			Results []struct {
				RuleID    string `json:"ruleId"`
				RuleIndex int
				Level     string
				Message   struct{ Text string }
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI, URIBaseID string }
						Region           struct{ StartLine int }
					}
				}
				PartialFingerprints map[string]string
				Properties          map[string]any
			}
		}
	}
	require.NoError(t, json.Unmarshal(out.Bytes(), &log))
	require.Len(t, log.Runs[0].Results, 4)
	seen := map[string]bool{}
	for i, r := range log.Runs[0].Results {
		f := s.Reports[i+1].Failures[0]
		rule := log.Runs[0].Tool.Driver.Rules[r.RuleIndex]
		require.Equal(t, f.Property, r.RuleID)
		require.Equal(t, f.Property, rule.ID)
		require.NotEmpty(t, rule.ShortDescription.Text)
		require.Equal(t, "error", r.Level)
		require.Contains(t, r.Message.Text, f.Shrunk.Replay)
		file, err := url.PathUnescape(r.Locations[0].PhysicalLocation.ArtifactLocation.URI)
		require.NoError(t, err)
		require.Equal(t, placeOf(f).File, file)
		require.Equal(t, placeOf(f).Line, r.Locations[0].PhysicalLocation.Region.StartLine)
		require.Equal(t, f.Shrunk.Replay, r.Properties["replay"])
		require.Equal(t, f.Shrunk.Token, r.Properties["token"])
		require.Equal(t, f.Seed, r.Properties["seed"])
		seen[r.PartialFingerprints["heddleFailure/v1"]] = true
	}
	require.Len(t, seen, 4, "each failure has a fingerprint of its own")
	require.Equal(t, "All is counted.", log.Runs[0].Tool.Driver.Rules[log.Runs[0].Results[0].RuleIndex].ShortDescription.Text)
}

func TestTheFingerprintOfAFailureIsThatOfItsCause(t *testing.T) {
	fingerprints := func(message string) string {
		s := searched(t, 20, searches(t)["clean"].Options, "stuck")
		f := s.Reports[0].Failures[0]
		f.Message, f.Seed = message, "other"
		var out bytes.Buffer
		require.NoError(t, report.WriteSARIF(&out, s))
		_, text, _ := strings.Cut(out.String(), "heddleFailure/v1")
		return text[:40]
	}
	require.Equal(t, fingerprints("queue q1 is lost"), fingerprints("queue q2 is lost"))
	require.NotEqual(t, fingerprints("queue q1 is lost"), fingerprints("queue q1 is found"))
}

// junitSchemas are those that CI systems go by; see testdata/README.md.
var junitSchemas = []string{"testdata/junit-windyroad.xsd", "testdata/junit-jenkins.xsd"}

func TestJUnitIsValidByItsSchemas(t *testing.T) {
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("there is no xmllint (Debian: libxml2-utils), which .ci/run installs")
	}
	validate := func(schema string, document []byte) error {
		file := filepath.Join(t.TempDir(), "junit.xml")
		require.NoError(t, os.WriteFile(file, document, 0o600))
		said, err := exec.Command(xmllint, "--noout", "--nonet", "--schema", schema, file).CombinedOutput()
		t.Logf("%s", said)
		return err
	}
	for _, schema := range junitSchemas {
		for name, s := range searches(t) {
			var out bytes.Buffer
			require.NoError(t, report.WriteJUnit(&out, s))
			require.NoError(t, validate(schema, out.Bytes()), "%s by %s", name, schema)
		}
		require.Error(t, validate(schema, []byte("<testsuites><testsuite/></testsuites>")), "the schema demands something")
	}
}

// What a consumer reads of a JUnit document.
type (
	junitDocument struct {
		Suites []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		Error   *junitProblem `xml:"error"`
		Failure *junitProblem `xml:"failure"`
	}
	junitProblem struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// ids are the properties that a suite has cases of.
func (s junitSuite) ids() (ids []string) {
	for _, c := range s.Cases {
		ids = append(ids, c.Name)
	}
	return ids
}

// failure is that of a property.
func (d junitDocument) failure(t *testing.T, property string) *junitProblem {
	for _, s := range d.Suites {
		for _, c := range s.Cases {
			if c.Name == property && c.Failure != nil {
				return c.Failure
			}
		}
	}
	require.FailNow(t, "no failure of "+property)
	return nil
}

func junit(t *testing.T, s report.Search) (document junitDocument) {
	var out bytes.Buffer
	require.NoError(t, report.WriteJUnit(&out, s))
	require.NoError(t, xml.Unmarshal(out.Bytes(), &document))
	return document
}

func TestJUnitHasACaseForEachScenarioAndProperty(t *testing.T) {
	all := searches(t)
	d := junit(t, all["failing"])
	require.Len(t, d.Suites, 5)
	for i, suite := range d.Suites {
		r := all["failing"].Reports[i]
		require.Equal(t, r.Name, suite.Name)
		require.Len(t, suite.Cases, suite.Tests)
		require.Subset(t, suite.ids(), []string{"deadlock", "panic", "leak"})
		require.NotContains(t, suite.ids(), "sometimes", "there is nothing that it must have seen")
		require.Equal(t, len(r.Failures), suite.Failures)
		for _, f := range r.Failures {
			require.Contains(t, d.failure(t, f.Property).Text, f.Shrunk.Replay)
		}
	}
	const first = "100 %0A of <b>\"two\" & 'three'</b>, ]]> a:b, | \\ `code` ``` \uFFFD[31mred\uFFFD\x7f\uFFFD \uFFFD é 織"
	counted := d.failure(t, "counted")
	require.Equal(t, first, strings.TrimSpace(counted.Message))
	require.Contains(t, counted.Text, first+"\nsecond line\n::error::third line\nmust hold: All is counted.\n")
	require.Contains(t, counted.Text, "\nthe bug needs:\n  main/adder")
	require.Contains(t, d.failure(t, "deadlock").Text, "\ntask main waits to receive setup:chan\n")
}

func TestJUnitHasNoCaseOfWhatWasNotJudged(t *testing.T) {
	all := searches(t)
	require.Equal(t, []string{"counted"}, junit(t, all["one"]).Suites[1].ids())
	require.Empty(t, junit(t, all["one"]).Suites[0].ids(), "the scenario does not have that property")
	require.Contains(t, junit(t, all["unseen"]).failure(t, "sometimes").Text, "a miracle")
	require.NotContains(t, junit(t, searched(t, search.SometimesRuns-1, sim.Options{}, "unseen")).Suites[0].ids(), "sometimes", "too soon to judge")

	early := junit(t, all["ended early"])
	require.Empty(t, early.Suites[0].Cases, "no run has judged anything")
	require.Equal(t, 1, early.Suites[2].Errors)
	require.Contains(t, early.Suites[2].Cases[0].Error.Text, "second line")
}
