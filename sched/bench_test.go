package sched_test

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/heddle-go/heddle/sched"
)

// compare times ours against the bare primitive, in turns, and reports the median of the ratios (bar: 1.1, no allocation).
// Both do n operations, in each round from another place on the stack: where a stack lies beside the heap can cost a fifth of
// a mutex's time.
func compare(b *testing.B, bare, ours func(n int)) {
	const rounds = 31
	n := b.N/rounds + 1
	bare(n)
	ours(n)
	ratios := make([]float64, rounds)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range ratios {
		begin := time.Now()
		elsewhere(i, ours, n)
		middle := time.Now()
		b.StopTimer()
		again := time.Now()
		elsewhere(i, bare, n)
		ratios[i] = float64(middle.Sub(begin)) / float64(time.Since(again))
		b.StartTimer()
	}
	b.StopTimer()
	slices.Sort(ratios)
	b.ReportMetric(ratios[rounds/2], "x-bare")
}

// elsewhere runs f from so many frames further on the stack.
func elsewhere(frames int, f func(n int), n int) {
	if frames == 0 {
		f(n)
		return
	}
	elsewhere(frames-1, f, n)
}

func BenchmarkProduction(b *testing.B) {
	s := sched.Goroutines()
	b.Run("Mutex", func(b *testing.B) {
		var bare sync.Mutex
		ours := sched.NewMutex(s)
		compare(b, func(n int) {
			for range n {
				bare.Lock()
				bare.Unlock()
			}
		}, func(n int) {
			for range n {
				ours.Lock()
				ours.Unlock()
			}
		})
	})
	b.Run("RWMutex/read", func(b *testing.B) {
		var bare sync.RWMutex
		ours := sched.NewRWMutex(s)
		compare(b, func(n int) {
			for range n {
				bare.RLock()
				bare.RUnlock()
			}
		}, func(n int) {
			for range n {
				ours.RLock()
				ours.RUnlock()
			}
		})
	})
	b.Run("RWMutex/write", func(b *testing.B) {
		var bare sync.RWMutex
		ours := sched.NewRWMutex(s)
		compare(b, func(n int) {
			for range n {
				bare.Lock()
				bare.Unlock()
			}
		}, func(n int) {
			for range n {
				ours.Lock()
				ours.Unlock()
			}
		})
	})
	b.Run("WaitGroup", func(b *testing.B) {
		var bare sync.WaitGroup
		ours := sched.NewWaitGroup(s)
		compare(b, func(n int) {
			for range n {
				bare.Add(1)
				bare.Done()
				bare.Wait()
			}
		}, func(n int) {
			for range n {
				ours.Add(1)
				ours.Done()
				ours.Wait()
			}
		})
	})
	b.Run("Once", func(b *testing.B) {
		var bare sync.Once
		ours := sched.NewOnce(s)
		f := func() {}
		compare(b, func(n int) {
			for range n {
				bare.Do(f)
			}
		}, func(n int) {
			for range n {
				ours.Do(f)
			}
		})
	})
}

func BenchmarkProductionAtomics(b *testing.B) {
	s := sched.Goroutines()
	var bareNumber atomic.Int64
	var barePointer atomic.Pointer[int]
	number, pointer := sched.NewAtomicInt64(s, 0), sched.NewAtomicPointer[int](s, nil)
	value, sum := new(int), int64(0)
	barePointer.Store(value)
	pointer.Store(value)
	b.Run("Load", func(b *testing.B) {
		compare(b, func(n int) {
			for range n {
				sum += bareNumber.Load()
			}
		}, func(n int) {
			for range n {
				sum += number.Load()
			}
		})
	})
	b.Run("Store", func(b *testing.B) {
		compare(b, func(n int) {
			for i := range n {
				bareNumber.Store(int64(i))
			}
		}, func(n int) {
			for i := range n {
				number.Store(int64(i))
			}
		})
	})
	b.Run("Add", func(b *testing.B) {
		compare(b, func(n int) {
			for range n {
				bareNumber.Add(1)
			}
		}, func(n int) {
			for range n {
				number.Add(1)
			}
		})
	})
	b.Run("CompareAndSwap", func(b *testing.B) {
		compare(b, func(n int) {
			for i := range n {
				bareNumber.CompareAndSwap(int64(i), int64(i+1))
			}
		}, func(n int) {
			for i := range n {
				number.CompareAndSwap(int64(i), int64(i+1))
			}
		})
	})
	b.Run("PointerLoad", func(b *testing.B) {
		compare(b, func(n int) {
			for range n {
				sum += int64(*barePointer.Load())
			}
		}, func(n int) {
			for range n {
				sum += int64(*pointer.Load())
			}
		})
	})
	var bareFlag atomic.Bool
	flag := sched.NewAtomicBool(s, false)
	b.Run("BoolLoad", func(b *testing.B) {
		compare(b, func(n int) {
			for range n {
				if bareFlag.Load() {
					sum++
				}
			}
		}, func(n int) {
			for range n {
				if flag.Load() {
					sum++
				}
			}
		})
	})
	b.Run("BoolStore", func(b *testing.B) {
		compare(b, func(n int) {
			for range n {
				bareFlag.Store(true)
			}
		}, func(n int) {
			for range n {
				flag.Store(true)
			}
		})
	})
	if sum < 0 {
		b.Log(sum)
	}
}

// received is where the bare operations put what they receive, as those of sched do.
type received struct {
	number  int
	word    string
	expired time.Time
	flag    bool
	ok      bool
}

func BenchmarkProductionChan(b *testing.B) {
	s := sched.Goroutines()
	bare, ours := make(chan int, 1), sched.NewChan[int](s, 1)
	var got received
	b.Run("send and receive", func(b *testing.B) {
		compare(b, func(n int) {
			for i := range n {
				bare <- i
				got.number, got.ok = <-bare
			}
		}, func(n int) {
			for i := range n {
				ours.Send(i)
				ours.Recv()
			}
		})
	})
	b.Run("try", func(b *testing.B) {
		compare(b, func(n int) {
			for i := range n {
				select {
				case bare <- i:
				default:
				}
				select {
				case got.number, got.ok = <-bare:
				default:
				}
			}
		}, func(n int) {
			for i := range n {
				ours.TrySend(i)
				ours.TryRecv()
			}
		})
	})
	b.Run("rendezvous", func(b *testing.B) {
		compare(b, func(n int) {
			c := make(chan int)
			go func() {
				for i := range n {
					c <- i
				}
			}()
			for range n {
				got.number, got.ok = <-c
			}
		}, func(n int) {
			c := sched.NewChan[int](s, 0)
			go func() {
				for i := range n {
					c.Send(i)
				}
			}()
			for range n {
				c.Recv()
			}
		})
	})
}

func BenchmarkProductionSelect(b *testing.B) {
	s := sched.Goroutines()
	bare, ours := make(chan int, 1), sched.NewChan[int](s, 1)
	var got received
	bareOther, oursOther := make(chan string, 1), sched.NewChan[string](s, 1)
	b.Run("2 receive", func(b *testing.B) {
		compare(b, func(n int) {
			for i := range n {
				bare <- i
				select {
				case got.number, got.ok = <-bare:
				case got.word, got.ok = <-bareOther:
				}
			}
		}, func(n int) {
			for i := range n {
				ours.Send(i)
				here, there := sched.Recv(ours), sched.Recv(oursOther)
				sched.Select2(&here, &there)
			}
		})
	})
	b.Run("2 receive and send", func(b *testing.B) {
		compare(b, func(n int) {
			for i := range n {
				select {
				case bare <- i:
				case got.word, got.ok = <-bareOther:
				}
				got.number, got.ok = <-bare
			}
		}, func(n int) {
			for i := range n {
				here, there := sched.Send(ours, i), sched.Recv(oursOther)
				sched.Select2(&here, &there)
				ours.Recv()
			}
		})
	})
	b.Run("2 default", func(b *testing.B) {
		compare(b, func(n int) {
			for range n {
				select {
				case got.number, got.ok = <-bare:
				case got.word, got.ok = <-bareOther:
				default:
				}
			}
		}, func(n int) {
			for range n {
				here, there := sched.Recv(ours), sched.Recv(oursOther)
				sched.TrySelect2(&here, &there)
			}
		})
	})
	b.Run("2 default and send", func(b *testing.B) {
		compare(b, func(n int) {
			for i := range n {
				select {
				case bare <- i:
				case got.word, got.ok = <-bareOther:
				default:
				}
				got.number, got.ok = <-bare
			}
		}, func(n int) {
			for i := range n {
				here, there := sched.Send(ours, i), sched.Recv(oursOther)
				sched.TrySelect2(&here, &there)
				ours.Recv()
			}
		})
	})
	bareThird, oursThird := make(chan bool), sched.NewChan[bool](s, 0)
	bareTimer, oursTimer := make(chan time.Time), sched.NewChan[time.Time](s, 0)
	b.Run("3 receive", func(b *testing.B) {
		compare(b, func(n int) {
			for i := range n {
				bare <- i
				select {
				case got.number, got.ok = <-bare:
				case got.word, got.ok = <-bareOther:
				case got.flag, got.ok = <-bareThird:
				}
			}
		}, func(n int) {
			for i := range n {
				ours.Send(i)
				here, there, third := sched.Recv(ours), sched.Recv(oursOther), sched.Recv(oursThird)
				sched.Select3(&here, &there, &third)
			}
		})
	})
	b.Run("3 receive and send", func(b *testing.B) {
		compare(b, func(n int) {
			for i := range n {
				select {
				case bare <- i:
				case got.word, got.ok = <-bareOther:
				case got.flag, got.ok = <-bareThird:
				}
				got.number, got.ok = <-bare
			}
		}, func(n int) {
			for i := range n {
				here, there, third := sched.Send(ours, i), sched.Recv(oursOther), sched.Recv(oursThird)
				sched.Select3(&here, &there, &third)
				ours.Recv()
			}
		})
	})
	b.Run("4 receive", func(b *testing.B) {
		compare(b, func(n int) {
			for i := range n {
				bare <- i
				select {
				case got.number, got.ok = <-bare:
				case got.expired, got.ok = <-bareTimer:
				case got.word, got.ok = <-bareOther:
				case got.flag, got.ok = <-bareThird:
				}
			}
		}, func(n int) {
			for i := range n {
				ours.Send(i)
				here, timer := sched.Recv(ours), sched.Recv(oursTimer)
				there, third := sched.Recv(oursOther), sched.Recv(oursThird)
				sched.Select4(&here, &timer, &there, &third)
			}
		})
	})
	b.Run("4 receive and send", func(b *testing.B) {
		compare(b, func(n int) {
			for i := range n {
				select {
				case bare <- i:
				case got.expired, got.ok = <-bareTimer:
				case got.word, got.ok = <-bareOther:
				case got.flag, got.ok = <-bareThird:
				}
				got.number, got.ok = <-bare
			}
		}, func(n int) {
			for i := range n {
				here, timer := sched.Send(ours, i), sched.Recv(oursTimer)
				there, third := sched.Recv(oursOther), sched.Recv(oursThird)
				sched.Select4(&here, &timer, &there, &third)
				ours.Recv()
			}
		})
	})
}
