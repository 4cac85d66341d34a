package vet_test

import (
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"

	"github.com/heddle-go/heddle/sim/vet"
)

// TestEscapesAreReportedAndNothingElse looks at the packages of testdata, whose comments say what is to be reported: every line of
// escapes, no line of harmless, and in allows what is wrong with an allow. All in one, since loading them is what takes the time.
func TestEscapesAreReportedAndNothingElse(t *testing.T) {
	analysistest.Run(t, analysistest.TestData(), vet.New(), "escapes", "harmless", "allows")
}
