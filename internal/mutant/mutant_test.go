package mutant

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const source = `package main

func main() {
	print("one")
	print("two")
}

func other() {
	print("two")
	print("three")
}
`

// patch is a patch of main.go; the numbers of its hunks are wrong on purpose, as those of any patch are in time.
func patch(hunks ...string) string {
	return "Says something else.\n\nOrigin: a slip\nProperties: S1, L2 L3\nScenario: litmus/aba\n\n" +
		"diff --git a/main.go b/main.go\n--- a/main.go\n+++ b/main.go\n" + strings.Join(hunks, "")
}

const (
	changeOne   = "@@ -70,3 +70,3 @@\n func main() {\n-\tprint(\"one\")\n+\tprint(\"eins\")\n \tprint(\"two\")\n"
	changeThree = "@@ -1,2 +1,2 @@\n-\tprint(\"three\")\n+\tprint(\"drei\")\n }\n"
	changeTwo   = "@@ -5,1 +5,1 @@\n-\tprint(\"two\")\n+\tprint(\"zwei\")\n"
	changeFour  = "@@ -5,1 +5,1 @@\n-\tprint(\"four\")\n+\tprint(\"vier\")\n"
	addOnly     = "@@ -5,0 +6,1 @@\n+\tprint(\"nothing\")\n"
	undefined   = "@@ -4,1 +4,1 @@\n-\tprint(\"one\")\n+\tprint(one)\n"
	overlapping = "@@ -4,1 +4,1 @@\n-\tprint(\"one\")\n+\tprint(\"uno\")\n"
)

// module makes a module with a program and answers its folder.
func module(t *testing.T) string {
	root := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(root, "go.mod"), []byte("module example.org/program\n\ngo 1.26\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(root, "main.go"), []byte(source), 0o600))
	return root
}

func read(t *testing.T, patch string) *Mutant {
	path := filepath.Join(t.TempDir(), "slip.patch")
	require.NoError(t, os.WriteFile(path, []byte(patch), 0o600))
	m, err := Read(path)
	require.NoError(t, err)
	return m
}

func TestAMutantIsWrittenToAnotherFolder(t *testing.T) {
	root, folder := module(t), t.TempDir()
	require.NoError(t, read(t, patch(changeOne)).Write(root, folder))
	text, err := os.ReadFile(filepath.Join(folder, "main.go"))
	require.NoError(t, err)
	require.Equal(t, strings.Replace(source, "one", "eins", 1), string(text))
	require.ErrorContains(t, read(t, patch(changeFour)).Write(root, folder), "its lines are not in the file any more")
}

// cached sends what is built to a folder of the test, but leaves Go its own cache.
func cached(t *testing.T) {
	output, err := exec.Command("go", "env", "GOCACHE").Output()
	require.NoError(t, err)
	t.Setenv("GOCACHE", strings.TrimSpace(string(output)))
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
}

func TestHeaderIsRead(t *testing.T) {
	m := read(t, patch(changeOne))
	require.Equal(t, "slip", m.Name)
	require.Equal(t, "a slip", m.Origin)
	require.Equal(t, []string{"S1", "L2", "L3"}, m.Properties)
	require.Equal(t, "litmus/aba", m.Scenario)
	require.Empty(t, m.Missed)
	require.True(t, m.Names("L2"))
	require.False(t, m.Names("S2"))
	require.Equal(t, "too deep", read(t, "Missed: too deep\n"+patch(changeOne)).Missed)
}

func TestHunksGoWhereTheirLinesStand(t *testing.T) {
	changes, err := read(t, patch(changeOne, changeThree)).apply(module(t))
	require.NoError(t, err)
	require.Len(t, changes, 1)
	require.Equal(t, "main.go", changes[0].path)
	want := strings.NewReplacer(`"one"`, `"eins"`, `"three"`, `"drei"`).Replace(source)
	require.Equal(t, want, string(changes[0].content))
}

func TestPatchThatDoesNotApplySaysWhy(t *testing.T) {
	for _, c := range []struct{ name, patch, want string }{
		{"lines that are gone", patch(changeOne, changeFour),
			`mutant slip does not apply to main.go: hunk 2 of 2, once at line 5 ("print(\"four\")"): its lines are not in the file any more`},
		{"lines that are there twice", patch(changeTwo),
			`mutant slip does not apply to main.go: hunk 1 of 1, once at line 5 ("print(\"two\")"): its lines are in the file 2 times; more context would tell which is meant`},
		{"no lines", patch(addOnly), `mutant slip does not apply to main.go: hunk 1 of 1, which has no line to tell its place by`},
		{"two changes of one line", patch(changeOne, overlapping), `mutant slip does not apply to main.go: conflict: fragment overlaps with an applied fragment`},
		{"a file that is gone", strings.ReplaceAll(patch(changeOne), "main.go", "gone.go"), `mutant slip does not apply: cannot read gone.go: no such file or directory`},
		{"a file elsewhere", strings.ReplaceAll(patch(changeOne), "main.go", "../main.go"), `mutant slip does not apply: ../main.go is outside the module`},
		{"a removal", "diff --git a/main.go b/main.go\ndeleted file mode 100644\n", `mutant slip does not apply: it moves, removes or holds bytes of main.go, and a mutant can only change lines and add files`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := read(t, c.patch).apply(module(t))
			require.EqualError(t, err, c.want)
		})
	}
}

func TestFileThatIsNoPatchIsNamed(t *testing.T) {
	for text, want := range map[string]string{
		"nothing but words\n": "mutant slip changes nothing: its patch names no file",
		"diff --git a/main.go b/main.go\n--- a/main.go\n+++ b/main.go\n@@ -1,1 +1,2 @@\n cut off\n": "mutant slip is no patch: ",
	} {
		path := filepath.Join(t.TempDir(), "slip.patch")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := Read(path)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "\n")
	}
}

func TestListNamesTheFolderThatHasNone(t *testing.T) {
	folder := t.TempDir()
	_, err := List(folder)
	require.EqualError(t, err, folder+" holds no mutants: they are files NAME.patch")
	_, err = List(folder + "/gone")
	require.EqualError(t, err, "cannot read the patches of "+folder+"/gone: no such file or directory")
	require.NoError(t, os.WriteFile(filepath.Join(folder, "b.patch"), nil, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "a.patch"), nil, 0o600))
	paths, err := List(folder)
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(folder, "a.patch"), filepath.Join(folder, "b.patch")}, paths)
}

func TestBuildLaysThePatchOverTheSources(t *testing.T) {
	cached(t)
	root := module(t)
	b, err := NewBuilder(context.Background(), root, ".")
	require.NoError(t, err)
	said := func(binary string) string {
		output, err := exec.Command(binary).CombinedOutput()
		require.NoError(t, err)
		return string(output)
	}
	slip := read(t, patch(changeOne))
	program, err := b.Build(context.Background(), &Mutant{})
	require.NoError(t, err)
	broken, err := b.Build(context.Background(), slip)
	require.NoError(t, err)
	require.Equal(t, "onetwo", said(program))
	require.Equal(t, "einstwo", said(broken))
	kept, err := os.ReadFile(filepath.Join(root, "main.go"))
	require.NoError(t, err)
	require.Equal(t, source, string(kept), "the tree is as it was")

	again, err := b.Build(context.Background(), slip)
	require.NoError(t, err)
	require.Equal(t, broken, again, "a second call finds it")

	edited := strings.Replace(source, "func other", "func another", 1)
	require.NoError(t, os.WriteFile(filepath.Join(root, "main.go"), []byte(edited), 0o600))
	b, err = NewBuilder(context.Background(), root, ".")
	require.NoError(t, err)
	again, err = b.Build(context.Background(), slip)
	require.NoError(t, err)
	require.NotEqual(t, broken, again, "other sources, another binary")

	require.NoError(t, os.WriteFile(filepath.Join(root, "main.go"), []byte(strings.Replace(source, "two", "zwei", 1)), 0o600))
	again, err = b.Build(context.Background(), read(t, patch(changeThree)))
	require.NoError(t, err)
	require.Equal(t, "onezwei", said(again), "what is edited while a builder is at work is built as it is")
}

func TestMutantThatDoesNotBuildIsNamed(t *testing.T) {
	cached(t)
	b, err := NewBuilder(context.Background(), module(t), ".")
	require.NoError(t, err)
	_, err = b.Build(context.Background(), read(t, patch(undefined)))
	require.EqualError(t, err, "mutant slip does not build: main.go:4:8: undefined: one")
}

func TestTheTestsOfAMutant(t *testing.T) {
	cached(t)
	root := module(t)
	test := "package main\n\nimport \"testing\"\n\nfunc TestMain2(t *testing.T) { if other() { t.Fatal() } }\n"
	program := "package main\n\nfunc main() {}\n\nfunc other() bool { return false }\n"
	require.NoError(t, os.WriteFile(filepath.Join(root, "main.go"), []byte(program), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(root, "main_test.go"), []byte(test), 0o600))
	b, err := NewBuilder(context.Background(), root, ".")
	require.NoError(t, err)
	failed, err := b.Test(context.Background(), &Mutant{}, "./...")
	require.NoError(t, err)
	require.NoError(t, failed)
	failed, err = b.Test(context.Background(), read(t, patch("@@ -1,1 +1,1 @@\n-func other() bool { return false }\n+func other() bool { return true }\n")), "./...")
	require.NoError(t, err)
	require.ErrorContains(t, failed, "--- FAIL: TestMain2")
}

func TestCacheForgetsWhatWasNotAskedForTheLongest(t *testing.T) {
	c := cache{t.TempDir()}
	require.NoError(t, c.open())
	name := func(hash string) string {
		path, err := c.file("heddle", hash, func(path string) error {
			f, err := os.Create(path)
			if err == nil {
				err = f.Truncate(mostBytes / 2) // takes no space
			}
			return err
		})
		require.NoError(t, err)
		return path
	}
	old, newer, newest := name("a"), name("b"), name("c")
	for i, path := range []string{newest, newer, old} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		asked := info.ModTime().Add(-2 * inUse * time.Duration(i))
		require.NoError(t, os.Chtimes(path, asked, asked))
	}
	require.NoError(t, c.open())
	require.NoFileExists(t, old)
	require.FileExists(t, newer)
	require.FileExists(t, newest)
}
