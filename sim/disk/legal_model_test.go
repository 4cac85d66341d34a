package disk_test

// The model of what a disk may be after a loss of power: for each sector the contents that it may have, for each file the lengths, for each
// name the files. It knows nothing of how the disk decides. A change may be made or not, in each sector apart; a sync leaves one possibility.

const modelSector = 512

// sector is the content of a sector, zero beyond the length of its file.
type sector [modelSector]byte

// legalFile is a file as programs see it, and all that may be durable of it.
type legalFile struct {
	content []byte
	sizes   map[int64]bool
	sectors []map[sector]bool
}

// legalName is a name, and all the files that it may stand for; nil is none.
type legalName struct {
	now *legalFile
	may map[*legalFile]bool
}

func newLegalName() *legalName { return &legalName{may: map[*legalFile]bool{nil: true}} }

func newLegalFile() *legalFile { return &legalFile{sizes: map[int64]bool{0: true}} }

// at is what may be in a sector.
func (f *legalFile) at(i int) map[sector]bool {
	for len(f.sectors) <= i {
		f.sectors = append(f.sectors, map[sector]bool{{}: true})
	}
	return f.sectors[i]
}

// write is a write that is made, of which every sector is durable or not.
func (f *legalFile) write(at int64, data []byte) {
	end := at + int64(len(data))
	if grow := end - int64(len(f.content)); grow > 0 {
		f.content = append(f.content, make([]byte, grow)...)
	}
	copy(f.content[at:], data)
	for i := at / modelSector; i*modelSector < end; i++ {
		from, to := max(at, i*modelSector), min(end, (i+1)*modelSector)
		may := f.at(int(i))
		for s := range copyOf(may) {
			copy(s[from-i*modelSector:], data[from-at:to-at])
			may[s] = true
		}
		for size := range copyOf(f.sizes) {
			f.sizes[max(size, to)] = true
		}
	}
}

// truncate is a new length, which is durable or not.
func (f *legalFile) truncate(size int64) {
	if grow := size - int64(len(f.content)); grow > 0 {
		f.content = append(f.content, make([]byte, grow)...)
	}
	f.content = f.content[:size:size]
	f.sizes[size] = true
	for i := range f.sectors {
		begin := int64(i) * modelSector
		for s := range copyOf(f.sectors[i]) {
			if keep := size - begin; keep < modelSector {
				clear(s[max(keep, 0):])
			}
			f.sectors[i][s] = true
		}
	}
}

// sync leaves what programs see.
func (f *legalFile) sync() {
	f.sizes = map[int64]bool{int64(len(f.content)): true}
	f.sectors = nil
	for i := range (len(f.content) + modelSector - 1) / modelSector {
		var s sector
		copy(s[:], f.content[i*modelSector:])
		f.sectors = append(f.sectors, map[sector]bool{s: true})
	}
}

// allows says whether the file may have that content after a loss of power.
func (f *legalFile) allows(content []byte) bool {
	if !f.sizes[int64(len(content))] {
		return false
	}
	for i := range max(len(f.sectors), (len(content)+modelSector-1)/modelSector) {
		var s sector
		if begin := i * modelSector; begin < len(content) {
			copy(s[:], content[begin:])
		}
		allowed := f.at(i)[s]
		for other := range f.at(i) { // beyond the length there is nothing
			if cut := len(content) - i*modelSector; cut < modelSector {
				clear(other[max(cut, 0):])
			}
			allowed = allowed || other == s
		}
		if !allowed {
			return false
		}
	}
	return true
}

func (n *legalName) set(f *legalFile) {
	n.now = f
	n.may[f] = true
}

func (n *legalName) sync() { n.may = map[*legalFile]bool{n.now: true} }

// lost takes over what there is after a loss of power, and says whether that may be. there is false if there is no file.
func (n *legalName) lost(there bool, content []byte) bool {
	for f := range n.may {
		switch {
		case f == nil && !there:
			n.now = nil
		case f != nil && there && f.allows(content):
			n.now = newLegalFile()
			n.now.content = content
			n.now.sync()
		default:
			continue
		}
		n.sync()
		return true
	}
	return false
}

func copyOf[K comparable](m map[K]bool) map[K]bool {
	c := make(map[K]bool, len(m))
	for k := range m {
		c[k] = true
	}
	return c
}
