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
		{OpAnnounce, OpAnnounce}, {OpAnnounce, OpRLock}, {OpAnnounce, OpRUnlock}, {OpWUnlock, OpWUnlock}, {OpRUnlock, OpRUnlock},
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
	}
	tries := []Op{OpTryRLock, OpTryWLock}
	for _, try := range tries {
		for _, op := range []Op{OpRLock, OpRUnlock, OpAnnounce, OpDrain, OpWUnlock, OpTryRLock, OpTryWLock} {
			pairs = append(pairs, pair{try, op})
		}
	}
	// A select looks at all its arms, and what it finds depends on every operation there.
	for _, sel := range []Op{OpSelect, OpTrySelect} {
		for _, op := range []Op{OpSend, OpRecv, OpSelect, OpTrySelect, OpClose, OpLen, OpDeliver} {
			pairs = append(pairs, pair{sel, op})
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
func Conflict(a, b *Actor) bool {
	if a.Kind == FaultActor || b.Kind == FaultActor || a.Kind == ClockActor || b.Kind == ClockActor {
		return true
	}
	if len(a.waits) <= 1 && len(b.waits) <= 1 {
		return a.object != nil && a.object == b.object && conflicts[a.Op][b.Op]
	}
	for _, x := range accesses(a) {
		for _, y := range accesses(b) {
			if x.object == y.object && conflicts[x.op][y.op] {
				return true
			}
		}
	}
	return false
}

type access struct {
	object *Object
	op     Op
}

// accesses are the objects that the next step of an actor touches.
func accesses(a *Actor) []access {
	if a.Op != OpSelect && a.Op != OpTrySelect {
		return []access{{a.object, a.Op}}
	}
	list := make([]access, len(a.waits))
	for i := range a.waits {
		list[i] = access{a.waits[i].object, a.Op}
	}
	return list
}
