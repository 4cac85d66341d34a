package kernel

// The dependence table. Two next steps of different actors *conflict* if their order can matter, given that both are
// possible. What one operation makes possible (an unlock for a lock, a send for a receive) is no conflict but an *enabling*:
// it orders the two without a choice, so reversing it is never tried. Both relations stand here once, for every strategy and
// every search that reduces by partial order (Flanagan and Godefroid 2005; Abdulla et al. 2014).

type pair struct{ a, b Op }

var conflictPairs = func() []pair {
	pairs := []pair{
		// Acquisitions exclude each other; a release conflicts only with a try, which sees it.
		{OpLock, OpLock}, {OpLock, OpTryLock}, {OpTryLock, OpTryLock}, {OpUnlock, OpTryLock}, {OpUnlock, OpUnlock},
		// A writer's announcement keeps out readers and other writers; waiting for the readers inside (drain) races with nothing.
		{OpAnnounce, OpAnnounce}, {OpAnnounce, OpRLock}, {OpWUnlock, OpWUnlock}, {OpRUnlock, OpRUnlock},
		// The same role at a channel is an order; send and receive are not (each is possible only when the other cannot matter).
		{OpSend, OpSend}, {OpRecv, OpRecv}, {OpClose, OpClose}, {OpClose, OpSend}, {OpDeliver, OpDeliver}, {OpDeliver, OpSend},
		{OpClose, OpDeliver},
		{OpLen, OpSend}, {OpLen, OpRecv}, {OpLen, OpDeliver},
		// Adds commute, and a wait is possible only at zero, where it races with an add.
		{OpAdd, OpWait},
		{OpOnce, OpOnce},
		{OpLoad, OpStore}, {OpLoad, OpAtomicAdd}, {OpLoad, OpSwap}, {OpLoad, OpCompareAndSwap},
		{OpArm, OpArm}, {OpArm, OpStop}, {OpArm, OpFire}, {OpStop, OpStop}, {OpStop, OpFire}, {OpFire, OpFire},
		{OpDial, OpDial}, {OpTransmit, OpTransmit}, {OpTransmit, OpHangUp}, {OpHangUp, OpHangUp}, {OpTransmit, OpDeliver},
		{OpHangUp, OpDeliver}, {OpDial, OpHangUp},
		{OpTouch, OpTouch},
	}
	for _, op := range []Op{OpRLock, OpRUnlock, OpAnnounce, OpWUnlock, OpTryRLock, OpTryWLock} {
		pairs = append(pairs, pair{OpTryWLock, op})
	}
	for _, op := range []Op{OpAnnounce, OpWUnlock} {
		pairs = append(pairs, pair{OpTryRLock, op})
	}
	// A select looks at all its arms, and what it finds depends on every operation there.
	for _, sel := range []Op{OpSelect, OpTrySelect} {
		for _, op := range []Op{OpSend, OpRecv, OpSelect, OpTrySelect, OpClose, OpLen, OpDeliver} {
			pairs = append(pairs, pair{sel, op})
		}
	}
	// Only readers of a file commute: of two writers the order decides what a power cut can leave, of a writer and a sync whether.
	files := []Op{OpReadFile, OpOpenFile, OpWriteFile, OpSyncFile, OpTruncateFile, OpDeleteFile, OpLockFile}
	for i, a := range files[1:] {
		for _, b := range files[:i+2] {
			pairs = append(pairs, pair{a, b})
		}
	}
	writes := []Op{OpStore, OpAtomicAdd, OpSwap, OpCompareAndSwap}
	for _, a := range writes {
		for _, b := range writes {
			pairs = append(pairs, pair{a, b})
		}
	}
	return pairs
}()

var conflicts = func() (table [numOps][numOps]bool) {
	for _, p := range conflictPairs {
		table[p.a][p.b], table[p.b][p.a] = true, true
	}
	return table
}()

// Conflict says whether the order of the next steps of two actors can matter. It is exact up to the table: steps on
// different objects never conflict, a fault's strike and the passing of time conflict with everything.
//
//go:norace
func Conflict(a, b *Actor) bool {
	if a.Kind == FaultActor || b.Kind == FaultActor || a.Kind == ClockActor || b.Kind == ClockActor {
		return true
	}
	if a.disturbs(b) || b.disturbs(a) {
		return true
	}
	if len(a.waits) <= 1 && len(b.waits) <= 1 {
		return a.object != nil && a.object == b.object && a.object.conflict(a.Op, b.Op)
	}
	for i := range a.Accesses() {
		x, xOp := a.Access(i)
		for j := range b.Accesses() {
			if y, yOp := b.Access(j); x != nil && x == y && x.conflict(xOp, yOp) {
				return true
			}
		}
	}
	return false
}

// disturbs says whether a touches through others, see Elsewhere, what b announces. The length of a channel is what it was, whoever
// leaves it.
//
//go:norace
func (a *Actor) disturbs(b *Actor) (disturbed bool) {
	for i := range a.Accesses() {
		x, op := a.Access(i)
		if x == nil || x.kind != ChanObject || op == OpLen {
			continue
		}
		x.Elsewhere(func(o *Object) {
			for j := range b.Accesses() {
				if y, op := b.Access(j); y == o && op != OpLen && o.conflict(OpSelect, op) {
					disturbed = true
				}
			}
		})
	}
	return disturbed
}

// conflict is the table, but for an unbuffered channel: there a close comes between a sender and its receiver.
//
//go:norace
func (o *Object) conflict(a, b Op) bool {
	return Conflicts(o.kind == ChanObject && o.capacity == 0, a, b)
}

// Accesses is the number of objects that the next step of the actor announces to touch, some of which may be nil.
//
//go:norace
func (a *Actor) Accesses() int { return max(len(a.waits), 1) }

// Access answers the i-th object that the next step touches, nil for none, and what is done to it.
//
//go:norace
func (a *Actor) Access(i int) (*Object, Op) {
	switch {
	case len(a.waits) == 0:
		return a.object, a.Op
	case a.Op == OpSelect || a.Op == OpTrySelect:
		return a.waits[i].object, a.Op
	default:
		return a.waits[i].object, a.waits[i].op
	}
}
