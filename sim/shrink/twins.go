package shrink

import (
	"slices"
	"strings"

	"github.com/heddle-go/heddle/sim/choice"
)

// mostTwins bounds how many pairs of twins are tried.
const mostTwins = 10

// swapTwins lets twins, tasks that one parent has started under one name, change roles, and drops an entry: where the second of
// two has the part that the first could have had, one decision says no more than that it goes first.
func (m *minimiser) swapTwins() {
	for i := len(m.list()) - 1; i >= 0 && len(m.list()) <= mostForPairs && !m.over(); i-- {
		for _, pair := range twins(m.list()) {
			if i < len(m.list()) {
				m.propose(swapped(without(m.list(), i, i+1), pair))
			}
		}
	}
}

// twins are pairs of paths with one parent and one name, the tasks of the list and those above them.
func twins(list []choice.Deviation) (pairs [][2]string) {
	var paths []string
	add := func(path string) {
		for path != "" && !slices.Contains(paths, path) {
			for _, other := range paths {
				if name(other) == name(path) && len(pairs) < mostTwins {
					pairs = append(pairs, [2]string{other, path})
				}
			}
			paths = append(paths, path)
			path = path[:max(0, strings.LastIndexByte(path, '/'))]
		}
	}
	for _, d := range list {
		add(d.Actor)
		add(d.Target)
	}
	return pairs
}

// name is a path without the ordinal of its last part.
func name(path string) string {
	last := strings.LastIndexByte(path, '/') + 1
	part, _, _ := strings.Cut(path[last:], "#")
	return path[:last] + part
}

// swapped is the list with two tasks, what they have started and what they have made in each other's place.
func swapped(list []choice.Deviation, pair [2]string) []choice.Deviation {
	list = slices.Clone(list)
	for i := range list {
		d := &list[i]
		for _, path := range [...]*string{&d.Actor, &d.Object, &d.Target} {
			for side := range pair {
				if rest, ok := strings.CutPrefix(*path, pair[side]); ok && (rest == "" || rest[0] == '/' || rest[0] == ':') {
					*path = pair[1-side] + rest
					break
				}
			}
		}
	}
	return list
}

// folded is the list of a run in which some tasks are no more: what they had to do is that of the first of their twins.
func folded(list []choice.Deviation, there []string) []choice.Deviation {
	list = slices.Clone(list)
	for i := range list {
		d := &list[i]
		for _, path := range [...]*string{&d.Actor, &d.Object, &d.Target} {
			*path = fold(*path, there)
		}
	}
	return list
}

// fold replaces each part of a path that is nobody's any more.
func fold(path string, there []string) string {
	for end := 0; end < len(path); {
		next := strings.IndexAny(path[end:], "/:")
		if next < 0 {
			next = len(path)
		} else {
			next += end
		}
		if ancestor := path[:next]; strings.Contains(ancestor[end:], "#") && !slices.ContainsFunc(there, func(p string) bool {
			rest, ok := strings.CutPrefix(p, ancestor)
			return ok && (rest == "" || rest[0] == '/')
		}) {
			first := name(ancestor)
			path, next = first+path[next:], len(first)
		}
		if next < len(path) && path[next] == ':' {
			break // an object of that task
		}
		end = next + 1
	}
	return path
}
