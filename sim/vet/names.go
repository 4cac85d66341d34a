package vet

import (
	"go/ast"
	"go/types"
	"strings"
)

// escape is what is wrong with a name, and what would be right.
type escape struct{ category, wrong, right string }

const rest = "*" // all names of a package that have no row of their own

var harmless = escape{}

var (
	readsClock   = escape{wallClock, "reads the wall clock", "use Now of the environment's clock.Clock"}
	waitsOnClock = escape{wallClock, "waits on the wall clock", "use Sleep of the environment's clock.Clock"}
	makesTimer   = escape{wallClock, "makes a timer of the wall clock", "use NewTimer of the environment's clock.Clock"}
	makesTicker  = escape{wallClock, "makes a ticker of the wall clock", "use NewTicker of the environment's clock.Clock"}

	nativeLock   = escape{lock, "blocks where the simulator does not see it", "make the lock with sched.NewMutex"}
	nativeOnce   = escape{lock, "blocks where the simulator does not see it", "use sched.NewOnce"}
	nativeAtomic = escape{lock, "is an operation before which no other task may run", "use sched.NewAtomicInt64, NewAtomicBool or NewAtomicPointer"}

	drawn     = escape{random, "draws what no seed repeats", "use Read of the sched.Scheduler"}
	drawsKeys = escape{random, "draws a key that no seed repeats", "make keys outside, or from Read of the sched.Scheduler"}
	hashSeed  = escape{random, "hashes with a seed that is drawn for each process", "use a hash without a seed, such as hash/fnv"}

	nativeCancel   = escape{cancel, "makes a context that wakes whom the simulator does not see", "use sched.WithCancel"}
	nativeDeadline = escape{cancel, "makes a context that ends by the wall clock", "use clock.WithTimeout or clock.WithDeadline"}

	connects = escape{outside, "talks to a real network", "use the environment's net.Dialer or net.Handler"}
	system   = escape{outside, "asks or changes the operating system, outside the simulation", "do it outside the program under test and hand in what comes of it"}
	process  = escape{outside, "deals with real processes and signals", "do it outside the program under test"}
	database = escape{outside, "opens what works with goroutines and files of its own", "hand in what the environment opens"}

	scheduling = escape{machine, "deals with the runtime's scheduler", "leave it to the sched.Scheduler; sched.Yield lets other tasks run"}
	collecting = escape{machine, "depends on when the collector runs", "release what is to be released by a call"}
	hardware   = escape{machine, "differs from machine to machine", "hand it in as a setting"}
	ending     = escape{machine, "ends the simulator with the program", "return an error"}

	coroutine    = escape{goroutine, "runs the iterator in a coroutine that no simulation schedules", "range over the iterator"}
	libraryTasks = escape{goroutine, "starts and joins goroutines that no simulation schedules", "use Go of the sched.Scheduler with a sched.WaitGroup"}

	addresses = escape{address, "gives an address, which is another one in each process", "give values a number or a name of their own"}
	reflected = escape{channel, "works on a native channel", "use a sched.Chan"}
	shuffled  = escape{order, "goes over a map in an order that is another one in each run", "sort the keys first"}
)

// escapes are the names that escape, by the path of their package. A method stands as Type.Method.
func escapes() map[string]map[string]escape {
	return map[string]map[string]escape{
		"time": {
			"Now": readsClock, "Since": readsClock, "Until": readsClock,
			"Sleep": waitsOnClock, "After": makesTimer, "Tick": makesTicker, "NewTimer": makesTimer, "NewTicker": makesTicker,
			"Local": hardware, "Time.Local": hardware, "LoadLocation": system,
			"AfterFunc": {wallClock, "runs a function by the wall clock", "use AfterFunc of the environment's clock.Clock"},
		},
		"sync": {
			rest:        nativeLock,
			"RWMutex":   {lock, nativeLock.wrong, "make the lock with sched.NewRWMutex"},
			"WaitGroup": {lock, nativeLock.wrong, "use sched.NewWaitGroup"},
			"Once":      nativeOnce, "OnceFunc": nativeOnce, "OnceValue": nativeOnce, "OnceValues": nativeOnce,
			"Cond": {lock, nativeLock.wrong, "use a sched.Chan"}, "NewCond": {lock, nativeLock.wrong, "use a sched.Chan"},
			"Map":  {lock, "has an order that is another one in each run", "use a map under a sched.Mutex"},
			"Pool": {lock, "gives what the collector has left", "keep what is to be used again in a slice"},
		},
		"sync/atomic":  {rest: nativeAtomic},
		"math/rand":    {rest: drawn, "New": harmless, "NewSource": harmless, "NewZipf": harmless, "Rand": harmless, "Source": harmless, "Source64": harmless, "Zipf": harmless},
		"math/rand/v2": {rest: drawn, "New": harmless, "NewPCG": harmless, "NewChaCha8": harmless, "NewZipf": harmless, "Rand": harmless, "Source": harmless, "PCG": harmless, "ChaCha8": harmless, "Zipf": harmless},
		"crypto/rand":  {rest: drawn},
		// These draw from the operating system whatever reader they are given (Go 1.26).
		"crypto/ecdsa": {"GenerateKey": drawsKeys}, "crypto/ed25519": {"GenerateKey": drawsKeys}, "crypto/rsa": {"GenerateKey": drawsKeys, "GenerateMultiPrimeKey": drawsKeys},
		"crypto/dsa":   {"GenerateKey": drawsKeys},
		"crypto/mlkem": {"GenerateKey768": drawsKeys, "GenerateKey1024": drawsKeys},
		"hash/maphash": {rest: hashSeed},
		"context": {
			"WithCancel": nativeCancel, "WithCancelCause": {cancel, nativeCancel.wrong, "use sched.WithCancelCause"},
			"WithTimeout": nativeDeadline, "WithTimeoutCause": nativeDeadline, "WithDeadline": nativeDeadline, "WithDeadlineCause": nativeDeadline,
			"AfterFunc": {cancel, "runs a function in a goroutine that no simulation schedules", "use sched.AfterFunc"},
			"Cause":     {cancel, "does not know the contexts of a simulation", "use sched.Cause"},
		},
		"net": {
			"Dial": connects, "DialTimeout": connects, "DialIP": connects, "DialTCP": connects, "DialUDP": connects, "DialUnix": connects, "Dialer": connects,
			"Listen": connects, "ListenIP": connects, "ListenMulticastUDP": connects, "ListenPacket": connects, "ListenTCP": connects, "ListenUDP": connects,
			"ListenUnix": connects, "ListenUnixgram": connects, "ListenConfig": connects, "Pipe": connects,
			"LookupAddr": connects, "LookupCNAME": connects, "LookupHost": connects, "LookupIP": connects, "LookupMX": connects, "LookupNS": connects,
			"LookupPort": connects, "LookupSRV": connects, "LookupTXT": connects, "Resolver": connects, "DefaultResolver": connects,
			"ResolveIPAddr": connects, "ResolveTCPAddr": connects, "ResolveUDPAddr": connects, "ResolveUnixAddr": connects,
			"Interfaces": connects, "InterfaceAddrs": connects, "InterfaceByIndex": connects, "InterfaceByName": connects,
			"FileConn": connects, "FileListener": connects, "FilePacketConn": connects,
		},
		"net/http": {
			"Client": connects, "DefaultClient": connects, "Get": connects, "Head": connects, "Post": connects, "PostForm": connects,
			"Transport": connects, "DefaultTransport": connects, "Server": connects, "ListenAndServe": connects, "ListenAndServeTLS": connects,
			"Serve": connects, "ServeTLS": connects,
		},
		"net/rpc": {rest: connects}, "net/smtp": {rest: connects},
		"crypto/tls": {"Dial": connects, "DialWithDialer": connects, "Dialer": connects, "Listen": connects, "NewListener": connects, "Client": connects, "Server": connects},
		"os": {
			rest:   system,
			"Exit": ending, "FindProcess": process, "StartProcess": process, "Process": process, "Getpid": process, "Getppid": process,
			// Constants, errors and their tests are values. What is only written does not come back.
			"Stdout": harmless, "Stderr": harmless, "DevNull": harmless, "PathSeparator": harmless, "PathListSeparator": harmless,
			"ErrExist": harmless, "ErrNotExist": harmless, "ErrPermission": harmless, "ErrInvalid": harmless, "ErrClosed": harmless,
			"ErrDeadlineExceeded": harmless, "ErrNoDeadline": harmless, "ErrProcessDone": harmless,
			"IsExist": harmless, "IsNotExist": harmless, "IsPermission": harmless, "IsTimeout": harmless, "IsPathSeparator": harmless,
			"PathError": harmless, "LinkError": harmless, "SyscallError": harmless, "NewSyscallError": harmless, "Expand": harmless,
			"FileMode": harmless, "FileInfo": harmless, "DirEntry": harmless, "Signal": harmless,
			"ModePerm": harmless, "ModeDir": harmless, "ModeType": harmless, "ModeSymlink": harmless, "ModeAppend": harmless,
			"O_RDONLY": harmless, "O_WRONLY": harmless, "O_RDWR": harmless, "O_APPEND": harmless, "O_CREATE": harmless, "O_EXCL": harmless,
			"O_SYNC": harmless, "O_TRUNC": harmless,
		},
		"os/exec": {rest: process}, "os/signal": {rest: process}, "os/user": {rest: system}, "syscall": {rest: system, "Errno": harmless, "Signal": harmless},
		"io/ioutil":     {rest: system, "Discard": harmless, "NopCloser": harmless, "ReadAll": harmless},
		"path/filepath": {"Abs": system, "EvalSymlinks": system, "Glob": system, "Walk": system, "WalkDir": system},
		"fmt":           {"Scan": system, "Scanf": system, "Scanln": system},
		"iter":          {"Pull": coroutine, "Pull2": coroutine},
		"plugin":        {rest: process},
		"database/sql":  {"Open": database, "OpenDB": database},
		"runtime": {
			"Gosched": scheduling, "LockOSThread": scheduling, "UnlockOSThread": scheduling, "GOMAXPROCS": scheduling, "SetDefaultGOMAXPROCS": scheduling,
			"NumGoroutine": scheduling, "Goexit": {machine, "ends a task past the simulator", "return from the task"},
			"GC": collecting, "SetFinalizer": collecting, "AddCleanup": collecting, "ReadMemStats": collecting, "MemStats": collecting,
			"NumCPU": hardware, "NumCgoCall": scheduling, "GOARCH": hardware, "GOOS": hardware, "Stack": addresses,
		},
		"runtime/debug":   {"FreeOSMemory": collecting, "SetGCPercent": collecting, "SetMemoryLimit": collecting, "ReadGCStats": collecting, "Stack": addresses},
		"runtime/metrics": {rest: collecting},
		"weak":            {rest: collecting},
		"log":             {"Fatal": ending, "Fatalf": ending, "Fatalln": ending, "Logger.Fatal": ending, "Logger.Fatalf": ending, "Logger.Fatalln": ending},
		"reflect": {
			"Value.Pointer": addresses, "Value.UnsafeAddr": addresses, "Value.UnsafePointer": addresses,
			"Value.MapKeys": shuffled, "Value.MapRange": shuffled,
			"Select": {channel, "lets the runtime draw the case", useSelect}, "MakeChan": reflected, "ChanOf": reflected,
			"Value.Send": reflected, "Value.Recv": reflected, "Value.TrySend": reflected, "Value.TryRecv": reflected, "Value.Close": reflected,
		},
		"github.com/google/uuid": {
			"New": drawn, "NewString": drawn, "NewRandom": drawn, "NewUUID": drawn, "NewV6": drawn, "NewV7": drawn,
		},
		"golang.org/x/sync/errgroup":     {rest: libraryTasks},
		"golang.org/x/sync/singleflight": {rest: libraryTasks},
		"golang.org/x/sync/semaphore":    {rest: {lock, nativeLock.wrong, "use a sched.Chan of that capacity"}},
		"golang.org/x/sync/syncmap":      {rest: nativeLock},
		"golang.org/x/sys/unix":          {rest: system},
		"golang.org/x/time/rate":         {rest: waitsOnClock},
	}
}

// name reports an identifier that escapes, called or handed on as a value.
func (i *inspector) name(n ast.Node) {
	identifier, ok := n.(*ast.Ident)
	if !ok {
		return
	}
	object := i.TypesInfo.Uses[identifier]
	if object == nil || object.Pkg() == nil || object.Pkg() == i.Pkg {
		return
	}
	rows, ok := i.escapes[object.Pkg().Path()]
	if !ok {
		return
	}
	name, receiver := object.Name(), ""
	switch o := object.(type) {
	case *types.Func:
		if r := o.Signature().Recv(); r != nil {
			receiver = typeName(r.Type())
			name = receiver + "." + name
		}
	case *types.Var:
		if o.IsField() {
			return
		}
	case *types.PkgName:
		return
	}
	e, ok := rows[name]
	if !ok && receiver != "" {
		return // whoever has the value has been told where its type was named
	}
	if !ok {
		e = rows[rest]
	}
	if e == harmless {
		return
	}
	i.found(identifier, e.category, object.Pkg().Name()+"."+name+" "+e.wrong, e.right)
}

// method reports what is called on a native lock or atomic that belongs to another package, where nothing is said about its type.
func (i *inspector) method(n ast.Node) {
	selector, ok := n.(*ast.SelectorExpr)
	if !ok {
		return
	}
	selection := i.TypesInfo.Selections[selector]
	if selection == nil || selection.Kind() == types.FieldVal || selection.Obj().Pkg() == nil {
		return
	}
	path := selection.Obj().Pkg().Path()
	receiver := selection.Obj().(*types.Func).Signature().Recv()
	if path != "sync" && path != "sync/atomic" || receiver == nil {
		return
	}
	var owner *types.Package
	switch x := ast.Unparen(selector.X).(type) {
	case *ast.Ident:
		owner = i.TypesInfo.ObjectOf(x).Pkg()
	case *ast.SelectorExpr:
		owner = i.TypesInfo.ObjectOf(x.Sel).Pkg()
	}
	if len(selection.Index()) > 1 { // embedded
		t := selection.Recv()
		if p, ok := t.Underlying().(*types.Pointer); ok {
			t = p.Elem()
		}
		if named, ok := types.Unalias(t).(*types.Named); ok {
			owner = named.Obj().Pkg()
		}
	}
	if owner == nil || owner == i.Pkg {
		return
	}
	name := typeName(receiver.Type())
	e, ok := i.escapes[path][name]
	if !ok {
		e = i.escapes[path][rest]
	}
	i.found(selector.Sel, e.category, selection.Obj().Pkg().Name()+"."+name+"."+selection.Obj().Name()+" "+e.wrong, e.right)
}

// typeName is the name of the type of a receiver.
func typeName(t types.Type) string {
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	if named, ok := types.Unalias(t).(*types.Named); ok {
		return named.Obj().Name()
	}
	return strings.TrimPrefix(t.String(), "*")
}
