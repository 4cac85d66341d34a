package mutant

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	// mostBytes is how much the cache may hold: the binaries of some hundred mutants.
	mostBytes = 1 << 30
	// inUse is for how long a file is not removed after it was last asked for.
	inUse = 10 * time.Minute
)

// cache is a folder of files, each under a hash of what it is made from. Several processes may share it: a file appears whole
// or not at all, and never changes.
type cache struct{ folder string }

// open makes the folder if need be, and removes what was not asked for the longest, until what is left fits.
func (c cache) open() error {
	if err := os.MkdirAll(c.folder, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(c.folder)
	if err != nil {
		return err
	}
	var files []fs.FileInfo
	for _, e := range entries {
		if info, err := e.Info(); err == nil { // else another process has removed it
			files = append(files, info)
		}
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return b.ModTime().Compare(a.ModTime()) })
	left := int64(mostBytes)
	for _, f := range files {
		left -= f.Size()
		if left < 0 && time.Since(f.ModTime()) > inUse {
			err = errors.Join(err, os.RemoveAll(filepath.Join(c.folder, f.Name()))) // a folder is what a process left that was killed
		}
	}
	return err
}

// file is the path of the file of that kind and hash. If there is none, write makes it at the path that it is given.
func (c cache) file(kind string, hash string, write func(path string) error) (path string, err error) {
	path = filepath.Join(c.folder, kind+"-"+hash)
	if kind == "source" {
		path += ".go"
	}
	now := time.Now()
	if os.Chtimes(path, now, now) == nil {
		return path, nil
	}
	folder, err := os.MkdirTemp(c.folder, "new-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(folder)
	made := filepath.Join(folder, filepath.Base(path))
	if err := write(made); err != nil {
		return "", err
	}
	return path, os.Rename(made, path)
}
