package escapes

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
)

func visit(string) {}

type node struct {
	peer  string
	depth int
	done  bool
}

func orders(m map[string]int, nodes map[string]*node) (keys []string, first string) {
	for k := range m { // want `a range over a map goes in an order that is another one in each run: range over slices.Sorted`
		visit(k)
	}
	for k, v := range m { // want `a range over a map`
		fmt.Println(k, v)
	}
	for k := range m { // want `a range over a map`
		keys = append(keys, k)
	}
	visit("between")
	sort.Strings(keys)

	for k := range m { // want `a range over a map`
		first = k
	}
	for k := range m { // want `a range over a map`
		first = k
		break
	}
	for k := range m { // want `a range over a map`
		return nil, k
	}
	for first = range m { // want `a range over a map`
	}
	text := ""
	for k := range m { // want `a range over a map`
		text += k
	}
	share := 0.0
	for _, v := range m { // want `a range over a map`
		share += float64(v)
	}
	n := 0
	for _, v := range m { // want `a range over a map`
		n += v
		if n > 10 {
			break
		}
	}
	for _, v := range m { // want `a range over a map`
		n = n*2 + v
	}
	for k, v := range nodes { // want `a range over a map`
		if v.done {
			delete(nodes, v.peer)
		}
		_ = k
	}
	for k := range m { // want `a range over a map`
		delete(m, k)
		break
	}
	for k := range m { // want `a range over a map`
		m[k+"'"] = 1
	}
	inverse := map[int]string{}
	for k, v := range m { // want `a range over a map`
		inverse[v] = k
	}
	rank := map[string]int{}
	for k := range m { // want `a range over a map`
		rank[k] = len(rank)
	}
	for _, v := range nodes { // want `a range over a map`
		v.depth++
		if v.depth > 3 {
			return nil, "deep"
		}
	}
	for _, v := range nodes { // want `a range over a map`
		if v.depth == 1 {
			return nil, "one"
		}
		if v.depth == 2 {
			return nil, "two"
		}
	}
	wide, deep := false, false
	for _, v := range nodes { // want `a range over a map`
		if v.depth == 1 {
			wide = true
			break
		}
		if v.depth == 2 {
			deep = true
			break
		}
	}
	for _, v := range nodes { // want `a range over a map`
		if v.depth == 1 {
			wide = true
		}
		if v.depth == 2 {
			return nil, ""
		}
	}
	for _, v := range m { // want `a range over a map`
		n += v
		n *= 2
	}
	for k, v := range m { // want `a range over a map`
		rank[k] = v
		delete(rank, k+"'")
	}
	for k := range m { // want `a range over a map`
		m[k+"'"]++
	}
	_, _ = wide, deep
	best := 0
	for _, v := range m { // want `a range over a map`
		if v > best {
			best = v
		}
	}
	var unsorted []string
	for k := range m { // want `a range over a map`
		keys = append(keys, k)
		unsorted = append(unsorted, k)
	}
	slices.Sort(keys)

	for k := range maps.Keys(m) { // want `a range over a map`
		visit(k)
	}
	keys = slices.Collect(maps.Keys(m)) // want `maps.Keys goes over a map .*: sort it: slices.Sorted`
	visit("between")
	each := maps.All(m) // want `maps.All goes over a map`
	_ = each
	_ = slices.Collect(maps.Values(m)) // want `maps.Values goes over a map`
	_ = strings.Join(keys, "")
	return keys, text
}

func anyMap[M ~map[string]int](m M) {
	for k := range m { // want `a range over a map`
		visit(k)
	}
}
