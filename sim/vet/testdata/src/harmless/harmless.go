// Package harmless holds what looks like an escape and is none.
package harmless

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand"
	randv2 "math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sort"
	"strings"
	"time"
)

const patience = 3 * time.Second

var epoch = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

type clock interface {
	Now() time.Time
	Sleep(context.Context, time.Duration) error
}

type channel struct{}

func (channel) Send(int) {}
func (channel) Close()   {}

func times(c clock, d time.Duration) (time.Time, error) {
	now := c.Now().Add(patience)
	if now.Before(epoch) || now.Sub(epoch) > d {
		return time.Parse(time.RFC3339, "")
	}
	return now.Truncate(time.Hour), c.Sleep(context.Background(), time.Duration(3)*time.Minute)
}

func contexts(ctx context.Context) error {
	ctx = context.WithValue(context.WithoutCancel(ctx), epoch, 1)
	if _, ok := ctx.Deadline(); ok || errors.Is(ctx.Err(), context.Canceled) {
		return context.DeadlineExceeded
	}
	return context.TODO().Err()
}

func seeded(seed int64) int {
	return rand.New(rand.NewSource(seed)).Intn(3) + randv2.New(randv2.NewPCG(1, 2)).IntN(4)
}

func values(err error) string {
	if errors.Is(err, os.ErrNotExist) || os.IsTimeout(err) || errors.Is(err, fs.ErrExist) {
		fmt.Fprintln(os.Stderr, "100 %printed", runtime.Version())
	}
	ip := net.ParseIP("::1")
	return filepath.Join(net.JoinHostPort(ip.String(), "80"), fmt.Sprintf("%d%%p", 1))
}

// now, close and delete are names like others.
func names(c channel) {
	now := func() int { return 1 }
	close := func(int) {}
	close(now())
	c.Send(1)
	c.Close()
}

type entry struct {
	open  bool
	count int
	tags  []string
}

type book struct {
	entries map[string]*entry
	index   map[string]bool
	prefix  string
	total   int
}

func (b *book) orders(m map[string]int) (keys []string) {
	for range m {
		fmt.Println("once for each")
	}
	for k := range m {
		delete(m, k)
	}
	for k := range m {
		if m[k] > 3 {
			delete(m, k)
		}
	}
	all := true
	for _, e := range b.entries {
		for _, tag := range e.tags {
			if tag == "" {
				all = false
			}
		}
	}
	sum, most, found := 0, 0, all
	for _, v := range m {
		sum += v
		b.total++
		most = max(most, v)
	}
	for k, v := range m {
		if v > 3 && strings.HasPrefix(k, "x") {
			found = true
			break
		}
	}
	for _, e := range b.entries {
		if e.open {
			return nil
		}
	}
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)

	var names, others []string
	for k, e := range b.entries {
		if e == nil {
			continue
		}
		if !e.open {
			names = append(names, k)
		} else {
			others = append(others, k)
		}
	}
	sort.Strings(names)
	sort.Slice(others, func(i, j int) bool { return others[i] < others[j] })

	for k, e := range b.entries {
		b.index[b.prefix+k] = true
		for _, tag := range e.tags {
			b.index[tag] = true
			sum += len(tag)
		}
		e.open = false
	}
	copied := map[string]int{}
	for k, v := range m {
		twice := 2 * v
		copied[k] = twice
		m[k] = 0
	}
	counts := map[int]int{}
	for _, v := range m {
		counts[v]++
	}
	for k := range maps.Keys(m) {
		delete(copied, k)
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		fmt.Println(k, found, most)
	}
	_ = slices.SortedFunc(maps.Values(m), func(a, b int) int { return a - b })
	_ = maps.Collect(maps.All(m))
	maps.Insert(copied, maps.All(m))
	maps.Copy(copied, m)
	clear(copied)
	keys = slices.Collect(maps.Keys(m))
	slices.Sort(keys)
	keys = slices.AppendSeq(keys, maps.Keys(copied))
	slices.Sort(keys)
	for i, k := range keys {
		fmt.Println(i, k)
	}
	return keys
}

var table = map[string]int{}

func init() {
	table["a"] = 1 // before any run
}

func locals() {
	table := map[string]int{}
	table["a"] = 1
	fmt.Println(table)
}
