package report

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/heddle-go/heddle/sim"
	"github.com/heddle-go/heddle/sim/search"
)

const (
	sarifSchema  = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	sourceFolder = "%SRCROOT%" // the name by which consumers know the folder of the sources
	homepage     = "https://github.com/heddle-go/heddle"
)

// The objects of a SARIF log, as its specification names them.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sarifResult     `json:"results"`
		ColumnKind  string            `json:"columnKind"`
		Properties  sarifSearch       `json:"properties"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string             `json:"id"`
		ShortDescription sarifText          `json:"shortDescription"`
		FullDescription  sarifText          `json:"fullDescription"`
		Default          sarifConfiguration `json:"defaultConfiguration"`
	}
	sarifConfiguration struct {
		Level string `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level   string    `json:"level"`
		Message sarifText `json:"message"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints"`
		Properties   sarifFailure      `json:"properties"`
	}
	sarifLocation struct {
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI    string `json:"uri"`
		BaseID string `json:"uriBaseId,omitempty"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
		Kind string `json:"kind"`
	}
	sarifSearch struct {
		Seed     string `json:"seed"`
		Strategy string `json:"strategy"`
		Runs     int64  `json:"runs"`
		Steps    int64  `json:"steps"`
	}
	sarifFailure struct {
		Scenario  string `json:"scenario"`
		Seed      string `json:"seed"`
		Strategy  string `json:"strategy"`
		Steps     int64  `json:"steps"`
		TraceHash string `json:"trace_hash"`
		Token     string `json:"token"`
		Replay    string `json:"replay"`
		Step      int64  `json:"decisive_step,omitempty"`
		Task      string `json:"decisive_task,omitempty"`
	}
)

// WriteSARIF writes a search as a SARIF 2.1.0 log: a rule for each property that was judged, and a result for each failure, at the line of the
// step that decides. Seed, steps, token and replay line of a result are those of the smallest version of its failure. Paths are relative to
// the folder of the main module.
func WriteSARIF(w io.Writer, s Search) error {
	run := sarifRun{
		Tool:        sarifTool{sarifDriver{"Heddle", homepage, s.sarifRules()}},
		Invocations: []sarifInvocation{{Successful: s.Error == ""}},
		Results:     []sarifResult{},
		ColumnKind:  "utf16CodeUnits",
		Properties:  sarifSearch{Seed: s.Seed, Strategy: s.Strategy},
	}
	invocation := &run.Invocations[0]
	if s.Error != "" {
		invocation.Notifications = append(invocation.Notifications, sarifNotification{"error", sarifText{s.Error}})
	}
	if s.Interrupted {
		invocation.Notifications = append(invocation.Notifications, sarifNotification{"warning", sarifText{"interrupted: this is what was done until then"}})
	}
	for i, r := range s.Reports {
		run.Properties.Runs += r.Runs
		run.Properties.Steps += r.Steps
		for _, f := range r.Failures {
			result := sarifResultOf(s.Scenarios[i], f)
			result.RuleIndex = slices.IndexFunc(run.Tool.Driver.Rules, func(rule sarifRule) bool { return rule.ID == f.Property })
			run.Results = append(run.Results, result)
		}
	}
	return writeJSON(w, sarifLog{sarifSchema, "2.1.0", []sarifRun{run}})
}

// sarifRules are a rule for each property, in the order in which scenarios name them. One that says something else in each scenario says all.
func (s Search) sarifRules() []sarifRule {
	rules := []sarifRule{}
	for i := range s.Reports {
		for _, p := range s.judged(i) {
			statement := p.Statement
			if statement == "" {
				statement = p.ID + " holds."
			}
			at := slices.IndexFunc(rules, func(r sarifRule) bool { return r.ID == p.ID })
			if at < 0 {
				rules = append(rules, sarifRule{p.ID, sarifText{statement}, sarifText{statement}, sarifConfiguration{"error"}})
			} else if full := &rules[at].FullDescription; !slices.Contains(strings.Split(full.Text, "\n"), statement) {
				full.Text += "\n" + statement
			}
		}
	}
	return rules
}

func sarifResultOf(sc *sim.Scenario, f *search.Failure) sarifResult {
	small := replayOf(f)
	result := sarifResult{
		RuleID: f.Property, Level: "error", Message: sarifText{f.Scenario + ": " + f.Message + "\n" + told(sc, f)}, Locations: []sarifLocation{},
		Fingerprints: map[string]string{"heddleFailure/v1": fingerprint(f)},
		Properties: sarifFailure{
			Scenario: f.Scenario, Seed: small.Seed, Strategy: small.Strategy, Steps: small.Steps, TraceHash: small.Hash, Token: small.Token, Replay: small.Replay,
		},
	}
	if p := smallest(f).Place; p != nil {
		result.Locations = append(result.Locations, sarifLocation{&sarifPhysical{artifact(p.File), sarifRegion{p.Line}}, []sarifLogical{{p.Function, "function"}}})
		result.Properties.Step, result.Properties.Task = p.Step, p.Task
	}
	return result
}

// artifact is a file as a URI: relative to the folder of the sources or, if it is none of them, with its whole path.
func artifact(file string) sarifArtifact {
	if strings.HasPrefix(file, "/") {
		return sarifArtifact{URI: (&url.URL{Scheme: "file", Path: file}).String()}
	}
	return sarifArtifact{(&url.URL{Path: file}).String(), sourceFolder}
}

// fingerprint is the same for failures with one cause, whatever their seed, and as long as the message says the same but for numbers.
func fingerprint(f *search.Failure) string {
	sum := sha256.Sum256([]byte(f.Scenario + "\n" + search.Signature(f.Property, f.Message)))
	return hex.EncodeToString(sum[:16])
}

func writeJSON(w io.Writer, document any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(document)
}
