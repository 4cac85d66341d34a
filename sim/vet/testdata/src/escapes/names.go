package escapes

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	cryptorand "crypto/rand"
	"hash/maphash"
	"log"
	"math/rand"
	randv2 "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"reflect"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"weak"

	"golang.org/x/sync/errgroup"
	"other"
)

func clocks(t time.Time) {
	_ = time.Now()                   // want `time.Now reads the wall clock: use Now of the environment's clock.Clock`
	_ = time.Since(t)                // want `time.Since reads the wall clock`
	_ = time.Until(t)                // want `time.Until reads the wall clock`
	time.Sleep(time.Second)          // want `time.Sleep waits on the wall clock`
	_ = time.After(time.Second)      // want `time.After makes a timer`
	_ = time.Tick(time.Second)       // want `time.Tick makes a ticker`
	_ = time.NewTimer(1)             // want `time.NewTimer makes a timer`
	_ = time.NewTicker(1)            // want `time.NewTicker makes a ticker of the wall clock: use NewTicker`
	_ = time.AfterFunc(1, func() {}) // want `time.AfterFunc runs a function by the wall clock`
}

var zone = time.Local // want `time.Local differs from machine to machine`

func zoned(t time.Time) time.Time { return t.Local() } // want `time.Time.Local differs`

var now = time.Now // want `time.Now reads the wall clock`

type guarded struct {
	mutex          sync.Mutex   // want `sync.Mutex blocks where the simulator does not see it: make the lock with sched.NewMutex`
	rw             sync.RWMutex // want `sync.RWMutex .*: make the lock with sched.NewRWMutex`
	sync.WaitGroup              // want `sync.WaitGroup .*: use sched.NewWaitGroup`
	once           sync.Once    // want `sync.Once .*: use sched.NewOnce`
	pool           sync.Pool    // want `sync.Pool gives what the collector has left`
	all            sync.Map     // want `sync.Map has an order`
	cond           *sync.Cond   // want `sync.Cond`
	lock           sync.Locker  // want `sync.Locker`
	n              atomic.Int64 // want `atomic.Int64 .*: use sched.NewAtomicInt64`
}

var settings = sync.OnceValue(func() int { return 1 }) // want `sync.OnceValue`

func locks(n *int64, g *other.Guarded) {
	atomic.AddInt64(n, 1) // want `atomic.AddInt64`
	other.Lock.Lock()     // want `sync.Mutex.Lock blocks where the simulator does not see it`
	g.Lock()              // want `sync.Mutex.Lock`
	g.Inner.RLock()       // want `sync.RWMutex.RLock`
	unlock := g.Unlock    // want `sync.Mutex.Unlock`
	unlock()
}

func randomness(p []byte) {
	_ = rand.Intn(3)                               // want `rand.Intn draws what no seed repeats: use Read of the sched.Scheduler`
	rand.Shuffle(0, nil)                           // want `rand.Shuffle`
	_ = randv2.N(3)                                // want `rand.N draws`
	_, _ = cryptorand.Read(p)                      // want `rand.Read draws`
	_ = cryptorand.Reader                          // want `rand.Reader draws`
	_, _ = ecdsa.GenerateKey(elliptic.P256(), nil) // want `ecdsa.GenerateKey draws a key`
	_ = maphash.MakeSeed()                         // want `maphash.MakeSeed hashes with a seed`
}

func contextsOfItsOwn(ctx context.Context) {
	_, _ = context.WithCancel(ctx)                // want `context.WithCancel makes .*: use sched.WithCancel`
	_, _ = context.WithCancelCause(ctx)           // want `context.WithCancelCause makes .*: use sched.WithCancelCause`
	_, _ = context.WithTimeout(ctx, 1)            // want `context.WithTimeout makes .*: use clock.WithTimeout`
	_, _ = context.WithDeadline(ctx, time.Time{}) // want `context.WithDeadline makes`
	_ = context.AfterFunc(ctx, func() {})         // want `context.AfterFunc runs .*: use sched.AfterFunc`
	_ = context.Cause(ctx)                        // want `context.Cause .*: use sched.Cause`
}

func world() {
	_, _ = net.Dial("tcp", "")   // want `net.Dial talks to a real network`
	_, _ = net.Listen("tcp", "") // want `net.Listen talks`
	_, _ = net.LookupHost("")    // want `net.LookupHost talks`
	_ = net.Dialer{}             // want `net.Dialer talks`
	_ = os.Getenv("HOME")        // want `os.Getenv asks or changes the operating system`
	_, _ = os.ReadFile("f")      // want `os.ReadFile asks`
	_ = os.Args                  // want `os.Args asks`
	_ = exec.Command("ls")       // want `exec.Command deals with real processes`
	signal.Ignore()              // want `signal.Ignore deals with real processes`
	_ = syscall.Getpagesize()    // want `syscall.Getpagesize asks`
	_, _ = filepath.Glob("*")    // want `filepath.Glob asks`
	os.Exit(1)                   // want `os.Exit ends the simulator`
	log.Fatal("x")               // want `log.Fatal ends the simulator`
	log.Default().Fatalln()      // want `log.Logger.Fatalln ends the simulator`
}

func machines(p *int) {
	runtime.Gosched()                      // want `runtime.Gosched deals with the runtime's scheduler`
	runtime.LockOSThread()                 // want `runtime.LockOSThread`
	_ = runtime.NumGoroutine()             // want `runtime.NumGoroutine`
	_ = runtime.NumCPU()                   // want `runtime.NumCPU differs from machine to machine`
	runtime.GC()                           // want `runtime.GC depends on when the collector runs`
	runtime.SetFinalizer(p, func(*int) {}) // want `runtime.SetFinalizer depends`
	runtime.AddCleanup(p, func(int) {}, 1) // want `runtime.AddCleanup depends`
	runtime.Goexit()                       // want `runtime.Goexit ends a task`
	debug.FreeOSMemory()                   // want `debug.FreeOSMemory depends`
	_ = weak.Make(p)                       // want `weak.Make depends`
}

func reflection(v reflect.Value) {
	_ = v.Pointer()               // want `reflect.Value.Pointer gives an address`
	_ = v.MapKeys()               // want `reflect.Value.MapKeys goes over a map`
	_, _ = v.Recv()               // want `reflect.Value.Recv works on a native channel`
	_, _, _ = reflect.Select(nil) // want `reflect.Select lets the runtime draw`
}

var group errgroup.Group // want `errgroup.Group starts and joins goroutines`
