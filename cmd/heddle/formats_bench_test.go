package main

import (
	"context"
	"io"
	"math"
	"testing"
	"time"

	"github.com/heddle-go/heddle/models/scenario"
)

// BenchmarkFormats: a search of the small agent without failures that writes every format, against one that prints text alone, by turns
// and each at its best. The ratio may be 1.05.
func BenchmarkFormats(b *testing.B) {
	b.Setenv(summaryVariable, b.TempDir()+"/summary.md")
	search := func(formats []string) float64 {
		args := append([]string{"run", "small-agent", "--runs", "1000", "--seed", "7"}, formats...)
		begun := time.Now()
		if status := execute(context.Background(), scenario.All(), args, io.Discard, io.Discard); status != statusClean {
			b.Fatalf("exit status %d", status)
		}
		return time.Since(begun).Seconds()
	}
	plain, every := math.Inf(1), math.Inf(1)
	for b.Loop() {
		plain = min(plain, search(nil))
		every = min(every, search(everyFormat(b.TempDir())))
	}
	b.ReportMetric(every/plain, "ratio")
}
