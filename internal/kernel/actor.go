package kernel

import "strconv"

// ActorKind says what moves when an actor is chosen.
type ActorKind uint8

// The kinds of actors.
const (
	TaskActor     ActorKind = iota // a task of the program
	TimerActor                     // a due timer
	DeliveryActor                  // a message that may arrive
	FaultActor                     // an armed fault rule
	ClockActor                     // virtual time, when nothing else can move
)

// Actor is something that can make a step: a task, a due timer, a delivery or a fault. Actors belong to the run that made
// them; nothing may keep one beyond it. The exported fields are for strategies to read.
type Actor struct {
	ID   int32 // by creation in this run, from 1; 0 is the set-up
	Kind ActorKind
	Op   Op // what it is about to do; for a task that runs, what it did last

	// What every step touches comes first, to share cache lines.
	ready     bool  // its operation is possible
	listed    bool  // its waits are linked into the objects
	parked    bool  // it has arrived at an unbuffered channel and waits for a partner
	completed bool  // a partner has done its operation
	dying     bool  // it was killed
	finished  bool  // it has returned
	chosen    int32 // the arm that the partner took
	stalls    int32 // that hold it up
	enabled   int32 // position in Kernel.enabled; -1: not there
	armed     int32 // position in Kernel.armed; -1: not there
	live      int32 // position in Kernel.live; -1: not there
	partOp    Op    // what its step does to the first of parts
	object    *Object
	parts     []*Object // see AtomicAt
	coroutine *coroutine
	waits     []wait // what it waits for while it does not run
	one       [1]wait

	kernel   *Kernel
	node     *Node
	name     string
	ordinal  int32
	deadOps  int32 // operations tried since it was killed
	parent   *Actor
	children []nameCount
	made     [numObjectKinds]int32 // objects that it created, for their paths
	hash     uint64                // of the path
	names    uint64                // hash of the path without its ordinals
	named    uint64                // hash of the name
	random   uint64                // blocks taken from its stream of random bytes

	fire func() // actors that are no tasks
	body func() // tasks

	withStack bool // resumed only to take its stack
	pausing   bool // resumed to pause before it goes on
	stack     string
}

type nameCount struct {
	name  string
	count int32
}

// Name is the actor's name, which others may have as well; see Path.
//
//go:norace
func (a *Actor) Name() string { return a.name }

// NameHash identifies the name.
//
//go:norace
func (a *Actor) NameHash() uint64 { return a.named }

// Ready says whether the actor's operation is possible, though a stall may hold it up.
//
//go:norace
func (a *Actor) Ready() bool { return a.ready }

// Object is what the next step touches; nil if nothing. Of a select it is the first arm's.
//
//go:norace
func (a *Actor) Object() *Object { return a.object }

// Node is the node that the actor belongs to; nil for faults and deliveries between nodes.
//
//go:norace
func (a *Actor) Node() *Node { return a.node }

// PathHash identifies the path of the actor: equal on every machine and, as far as spawns keep their order, on changed code.
//
//go:norace
func (a *Actor) PathHash() uint64 { return a.hash }

// Parent is who made the actor; nil for the set-up.
//
//go:norace
func (a *Actor) Parent() *Actor { return a.parent }

// alike is from which of the siblings of a name on they count as alike.
const alike = 3

// Class identifies actors that can be expected to do the same in other runs: those with the same names on their paths, however
// many there are, and among siblings of one name the first few apart.
//
//go:norace
func (a *Actor) Class() uint64 { return mix(a.names, uint64(min(a.ordinal, alike))) }

// Path is the spawn path: names from the root, each with its ordinal among siblings of that name when it is not the first.
//
//go:norace
func (a *Actor) Path() string {
	if a == nil {
		return "none"
	}
	var b []byte
	return string(a.appendPath(b))
}

//go:norace
func (a *Actor) appendPath(b []byte) []byte {
	if a.parent != nil && a.parent.ID != 0 {
		b = append(a.parent.appendPath(b), '/')
	}
	b = append(b, a.name...)
	if a.ordinal > 0 {
		b = append(b, '#')
		b = strconv.AppendInt(b, int64(a.ordinal)+1, 10)
	}
	return b
}

// adopt counts a new child of that name and returns its ordinal, from 0.
//
//go:norace
func (a *Actor) adopt(name string) int32 {
	for i := range a.children {
		if a.children[i].name == name {
			a.children[i].count++
			return a.children[i].count
		}
	}
	a.children = append(a.children, nameCount{name: name})
	return 0
}

// newActor takes an actor from the arena of the kernel and makes it the child of whoever acts.
//
//go:norace
func (k *Kernel) newActor(kind ActorKind, node *Node, name string) *Actor {
	if k.made == len(k.arena) {
		chunk := make([]Actor, 64)
		for i := range chunk {
			k.arena = append(k.arena, &chunk[i])
		}
	}
	a := k.arena[k.made]
	*a = Actor{
		ID: int32(k.made), Kind: kind, kernel: k, node: node, name: name, enabled: -1, armed: -1, live: -1,
		children: a.children[:0],
	}
	a.waits = a.one[:0]
	k.made++
	if kind != TaskActor && kind != ClockActor {
		k.others++
	}
	if parent := k.actor; parent != nil {
		a.parent = parent
		a.ordinal = parent.adopt(name)
		own := hashString(name)
		a.hash, a.names = mix(mix(parent.hash, own), uint64(a.ordinal)), mix(parent.names, own)
		a.named = own
	} else {
		a.hash = hashString(name)
	}
	return a
}

// addressable says whether a name can be part of an address (strings.ContainsAny takes a tenth of a short run).
//
//go:norace
func addressable(name string) bool {
	for i := range len(name) {
		if c := name[i]; c == '/' || c == '#' || c == ':' {
			return false
		}
	}
	return true
}

// hashString is FNV-1a, the same on every machine.
//
//go:norace
func hashString(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := 0; i < len(s); i++ {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// mix folds v into h. It is the round of every hash here: one multiplication, one shift.
//
//go:norace
func mix(h, v uint64) uint64 {
	h = (h ^ v) * 0x9E3779B97F4A7C15
	return h ^ h>>29
}

// splitmix is the output function of SplitMix64 (Steele et al. 2014).
//
//go:norace
func splitmix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

// Random fills p from the stream of the acting task: a function of the run's data seed, the task's path and how much it has
// taken before. It is no decision and no point.
//
//go:norace
func (k *Kernel) Random(p []byte) {
	a := k.actor
	base := mix(k.dataSeed, a.hash)
	for len(p) > 0 {
		a.random++
		word := splitmix(base + a.random*0x9E3779B97F4A7C15)
		for i := 0; i < 8 && len(p) > 0; i++ {
			p[0] = byte(word)
			word >>= 8
			p = p[1:]
		}
	}
}
