package disk

import "github.com/heddle-go/heddle/sim"

// IgnoreSyncs makes a disk whose syncs make no content durable.
func (d *Disk) IgnoreSyncs() { d.flaw = ignoresSyncs }

// ForgetNames makes a disk whose syncs make no name durable.
func (d *Disk) ForgetNames() { d.flaw = forgetsNames }

// Unfreed counts the engines that still have their memory, of all that were opened.
func (d *Disk) Unfreed() (unfreed, all int) {
	for _, e := range d.engines {
		if memory := e.instance.Elem().FieldByName("Memory"); !memory.IsNil() {
			unfreed++
		}
	}
	return unfreed, len(d.engines)
}

// Changes counts what has ever been done to the disk.
func (d *Disk) Changes() int { return d.changes }

// Host is the host of the disk's world.
func (d *Disk) Host() *sim.Node { return d.world.Host() }
