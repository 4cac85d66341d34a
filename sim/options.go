package sim

// Options narrow a run, beside its decisions. They belong to the token of its failure. The zero Options judge every property,
// and leave it to the swarm which faults may strike.
type Options struct {
	// Only, if set, is the one property that is judged. What violates another is noted in the trace, and the run goes on; but
	// after a panic, a Goexit or too many steps there is nothing to go on with, and the run ends without a failure.
	Only string
	// NoFaults leaves the swarm without any fault.
	NoFaults bool
}

// judges says whether a violation of the property is a failure.
func (o Options) judges(property string) bool { return o.Only == "" || o.Only == property }
