package kernel

// Op is the kind of operation that an actor is about to do. The numbers enter the hash of a run: add new ones at the end.
type Op uint8

// The operations. Each belongs to one kind of object; see the dependence table in conflict.go.
const (
	OpNone   Op = iota
	OpStart     // a task's body up to its first point
	OpResume    // go on after another task has completed the operation
	OpSpawn     // start a task
	OpYield     // nothing but a point
	OpEnd       // the task has returned

	OpLock // Mutex
	OpTryLock
	OpUnlock

	OpRLock // RWMutex
	OpTryRLock
	OpRUnlock
	OpAnnounce // a writer keeps new readers out ...
	OpDrain    // ... and waits for those inside
	OpTryWLock
	OpWUnlock

	OpSend // Chan
	OpRecv
	OpSelect
	OpTrySelect // select with a default; also TrySend and TryRecv
	OpClose
	OpLen

	OpAdd // WaitGroup
	OpWait

	OpOnce // Once
	OpOnceDone

	OpLoad // atomics and contexts
	OpStore
	OpAtomicAdd
	OpSwap
	OpCompareAndSwap

	OpNow // clock
	OpArm
	OpStop
	OpFire
	OpAdvance

	OpDial // network
	OpTransmit
	OpHangUp
	OpDeliver

	OpStrike // a fault rule

	OpTouch // state that tasks share with models and checks; never a step of its own

	OpOpenFile // a file of a disk, or its name
	OpReadFile
	OpWriteFile
	OpSyncFile
	OpTruncateFile
	OpDeleteFile
	OpLockFile // or unlock, or close

	numOps
)

var opNames = [numOps]string{
	OpNone: "none", OpStart: "start", OpResume: "resume", OpSpawn: "spawn", OpYield: "yield", OpEnd: "end",
	OpLock: "lock", OpTryLock: "try-lock", OpUnlock: "unlock",
	OpRLock: "read-lock", OpTryRLock: "try-read-lock", OpRUnlock: "read-unlock",
	OpAnnounce: "write-announce", OpDrain: "write-lock", OpTryWLock: "try-write-lock", OpWUnlock: "write-unlock",
	OpSend: "send", OpRecv: "receive", OpSelect: "select", OpTrySelect: "try-select", OpClose: "close", OpLen: "len",
	OpAdd: "add", OpWait: "wait", OpOnce: "once", OpOnceDone: "once-done",
	OpLoad: "load", OpStore: "store", OpAtomicAdd: "atomic-add", OpSwap: "swap", OpCompareAndSwap: "compare-and-swap",
	OpNow: "now", OpArm: "arm", OpStop: "stop", OpFire: "fire", OpAdvance: "advance",
	OpDial: "dial", OpTransmit: "transmit", OpHangUp: "hang-up", OpDeliver: "deliver", OpStrike: "strike", OpTouch: "touch",
	OpOpenFile: "open", OpReadFile: "read", OpWriteFile: "write", OpSyncFile: "sync", OpTruncateFile: "truncate",
	OpDeleteFile: "delete", OpLockFile: "lock-file",
}

// String is the operation's name as traces and tokens show it.
func (o Op) String() string {
	if o >= numOps {
		return "unknown"
	}
	return opNames[o]
}

// ParseOp is the inverse of Op.String; ok is false for a name that is no operation's.
func ParseOp(name string) (op Op, ok bool) {
	for i, n := range opNames {
		if n == name {
			return Op(i), true
		}
	}
	return OpNone, false
}

// ObjectKind is the kind of thing that operations touch.
type ObjectKind uint8

// The kinds of objects. The numbers enter the hash of a run.
const (
	NoObject ObjectKind = iota
	MutexObject
	RWMutexObject
	ChanObject
	WaitGroupObject
	OnceObject
	AtomicObject
	ContextObject
	TimerObject
	ClockObject
	ConnObject
	FaultObject
	SharedObject // see NewShared
	FileObject
	numObjectKinds
)

var objectKindNames = [numObjectKinds]string{"none", "mutex", "rwmutex", "chan", "waitgroup", "once", "atomic", "context", "timer", "clock", "conn", "fault", "shared", "file"}

// String is the kind's name as paths show it.
func (k ObjectKind) String() string { return objectKindNames[k] }
