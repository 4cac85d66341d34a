package mutant

import (
	"context"
	"debug/buildinfo"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// library has a function that the program inlines, and one that it calls.
const library = `package library

import "strings"

// Inlined is short.
func Inlined() string { return "short" }

// Called is a loop.
func Called() string {
	var b strings.Builder
	for _, r := range "called" {
		b.WriteRune(r)
	}
	b.WriteString("!")
	return b.String()
}

// Late stands behind it.
func Late() string { return "late" }
`

const userOfLibrary = `package main

import "example.org/program/library"

func main() { print(library.Inlined(), library.Called(), library.Late()) }
`

func TestOnlyWhatIsChangedIsCompiled(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere the go tool does the whole")
	}
	cached(t)
	t.Setenv("GOFLAGS", "-buildvcs=false")
	root := t.TempDir()
	for name, content := range map[string]string{"go.mod": "module example.org/program\n\ngo 1.26\n", "main.go": userOfLibrary, "library/library.go": library} {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	}
	head := "diff --git a/library/library.go b/library/library.go\n--- a/library/library.go\n+++ b/library/library.go\n"
	for _, c := range []struct {
		name, patch string
		known       bool // how to build it in parts
		want        string
	}{
		{"a line", head + "@@ -1 +1 @@\n-	for _, r := range \"called\" {\n+	for _, r := range \"CALLED\" {\n", true, "shortCALLED!late"},
		{"more lines", head + "@@ -1,2 +1,5 @@\n 	for _, r := range \"called\" {\n-		b.WriteRune(r)\n+		b.WriteRune(r) // twice\n+		if r == 'l' {\n+			b.WriteRune(r)\n+		}\n", true, "shortcalllled!late"},
		{"fewer lines", head + "@@ -1,2 +1,1 @@\n-	b.WriteString(\"!\")\n 	return b.String()\n", true, "shortcalledlate"},
		{"what is inlined", head + "@@ -1 +1 @@\n-func Inlined() string { return \"short\" }\n+func Inlined() string { return \"brief\" }\n", true, "briefcalled!late"},
		{"a new file", "diff --git a/library/new.go b/library/new.go\nnew file mode 100644\n--- /dev/null\n+++ b/library/new.go\n@@ -0,0 +1,3 @@\n+package library\n+\n+func init() { print(\"new\") }\n", false, "newshortcalled!late"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := NewBuilder(context.Background(), root, ".")
			require.NoError(t, err)
			m := read(t, c.patch)
			changes, err := m.apply(root)
			require.NoError(t, err)
			relinked := filepath.Join(t.TempDir(), "program")
			err = b.relink(context.Background(), changes, b.sources, relinked)
			if c.known {
				require.NoError(t, err)
				info, err := buildinfo.ReadFile(relinked)
				require.NoError(t, err)
				require.Equal(t, []string{"example.org/program", "example.org/program"}, []string{info.Path, info.Main.Path})
			} else {
				require.Error(t, err)
			}
			binary, err := b.Build(context.Background(), m)
			require.NoError(t, err)
			output, err := exec.Command(binary).CombinedOutput()
			require.NoError(t, err)
			require.Equal(t, c.want, string(output))
		})
	}
}

func TestLinesThatAMutantLeavesAloneStayWhereTheyAre(t *testing.T) {
	for _, c := range []struct{ name, source, hunk, want string }{
		{"more for one", "package p\n\nvar a = 1\nvar b = 2\n", "@@ -3 +3,2 @@\n-var a = 1\n+var a = 1 // one\n+var c = 3\n", "package p\n\nvar a = 1 ; var c = 3 ;\nvar b = 2\n"},
		{"more for none", "package p\n\nvar a = 1\nvar b = 2\n", "@@ -3,1 +3,2 @@\n var a = 1\n+var c = 3\n", "package p\n\nvar a = 1 ; var c = 3 ;\nvar b = 2\n"},
		{"fewer", "package p\n\nvar a = 1\nvar b = 2\nvar c = 3\n", "@@ -3,2 +3,1 @@\n-var a = 1\n-var b = 2\n+var a = 2\n", "package p\n\nvar a = 2\n\nvar c = 3\n"},
		{"within a text", "package p\n\nvar a = `1\n2\n3`\n", "@@ -4,2 +4,1 @@\n-2\n 3`\n", "package p\n\nvar a = `1\n3`\n"},
		{"a directive", "package p\n\nvar a = 1\n", "@@ -3,1 +3,3 @@\n var a = 1\n+//go:noinline\n+func f() {}\n", "package p\n\nvar a = 1\n//go:noinline\nfunc f() {}\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			changed, err := patched([]byte(c.source), read(t, "diff --git a/p.go b/p.go\n--- a/p.go\n+++ b/p.go\n"+c.hunk).files[0])
			require.NoError(t, err)
			require.Equal(t, c.want, string(changed))
		})
	}
}
