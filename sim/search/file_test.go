package search_test

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/heddle-go/heddle/sim/search"
)

func TestDifferenceNamesTheFirstStepThatIsAnother(t *testing.T) {
	step := func(n int64, operation string) search.Event {
		return search.Event{Step: n, Actor: "main", Operation: operation, Object: "setup:mutex"}
	}
	coin := func(n int64, v int) search.Event { return search.Event{Step: n, Site: "coin", Of: 3, Value: v} }
	note := func(text string) search.Event { return search.Event{Note: text} }
	whole := []search.Event{note("ready"), coin(0, 1), step(1, "lock"), coin(1, 2), step(2, "unlock"), note("done"), step(3, "lock")}
	changed := func(i int, e search.Event) []search.Event {
		trace := slices.Clone(whole)
		trace[i] = e
		return trace
	}
	for name, c := range map[string]struct {
		trace []search.Event
		want  string
	}{
		"none":          {whole, ""},
		"a note":        {changed(5, note("finished")), ""},
		"no note":       {slices.Delete(slices.Clone(whole), 5, 6), ""},
		"a step":        {changed(4, step(2, "yield")), "step 2 was main: unlock setup:mutex, and here it is main: yield setup:mutex"},
		"a name":        {changed(2, search.Event{Step: 1, Actor: "main", Operation: "lock", Object: "setup:mutex", Name: "journal"}), ""},
		"another time":  {changed(4, search.Event{Step: 2, Time: 5, Actor: "main", Operation: "unlock", Object: "setup:mutex"}), "step 2 was main: unlock setup:mutex at 0s, and here it is at 5ns"},
		"a value":       {changed(3, coin(1, 0)), "step 1 was coin = 2 (below 3), and here it is coin = 0 (below 3)"},
		"a shorter run": {whole[:5], "step 3 was main: lock setup:mutex, and here the run had ended"},
		"a longer run":  {append(slices.Clone(whole), step(4, "unlock")), "the run had ended, and here step 4 is main: unlock setup:mutex"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, search.File{Trace: whole}.Difference(c.trace))
			if name != "a value" {
				require.Equal(t, c.want, search.File{Trace: whole[3:], Omitted: 3}.Difference(c.trace), "with its beginning left out")
			}
		})
	}
}

func TestAWrittenFileIsWholeAndWhatItReplacesStaysWhatItIs(t *testing.T) {
	folder := t.TempDir()
	file, link, pipe := filepath.Join(folder, "file"), filepath.Join(folder, "link"), filepath.Join(folder, "pipe")
	require.NoError(t, os.Symlink(file, link))
	require.NoError(t, search.WriteFile(file, []byte("first")))
	require.NoError(t, search.WriteFile(link, []byte("second")))
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "second", string(content), "through the link")
	info, err := os.Lstat(link)
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&os.ModeSymlink, "the link stays")

	require.NoError(t, os.Chmod(file, 0o640))
	require.NoError(t, search.WriteFile(file, []byte("again")))
	info, err = os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o640), info.Mode().Perm(), "its rights stay")
	require.NoError(t, os.Remove(file))
	require.NoError(t, search.WriteFile(link, []byte("anew")))
	content, err = os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "anew", string(content), "a link that leads nowhere yet is followed")

	if shared, err := os.MkdirTemp("/dev/shm", "heddle-test-"); err == nil { // files, though below /dev
		defer os.RemoveAll(shared)
		require.NoError(t, search.WriteFile(filepath.Join(shared, "file"), []byte("first")))
		require.NoError(t, search.WriteFile(filepath.Join(shared, "file"), []byte("then")))
		content, err = os.ReadFile(filepath.Join(shared, "file"))
		require.NoError(t, err)
		require.Equal(t, "then", string(content), "nothing is appended")
	}

	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	reader, err := os.OpenFile(pipe, os.O_RDWR, 0) // so that nobody has to wait for the other end
	require.NoError(t, err)
	defer reader.Close()
	require.NoError(t, search.WriteFile(pipe, []byte("third")))
	info, err = os.Lstat(pipe)
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&os.ModeNamedPipe, "the pipe stays")
	read := make([]byte, 5)
	_, err = io.ReadFull(reader, read)
	require.NoError(t, err)
	require.Equal(t, "third", string(read))

	require.Error(t, search.WriteFile(folder, []byte("no file")))
	require.Error(t, search.WriteFile(filepath.Join(folder, "missing", "file"), []byte("no folder")))
	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, left, 3, "nothing half written")
}
