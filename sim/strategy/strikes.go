package strategy

import (
	"math/bits"

	"github.com/heddle-go/heddle/sim/choice"
)

// strikes decides when armed faults strike. Picked like other actors, an armed fault would strike within a few steps of being
// armed, always. So a strike waits for a countdown of choices, drawn log-uniformly: at once, soon, and late in the run are
// then all tried about as often. The countdown runs only while something is armed, and is drawn anew after each strike.
type strikes struct {
	left  int64
	width int // the countdown is below 2^width
}

// guessedWidth is for runs of unknown length: as likely to have hundreds of choices as thousands.
const guessedWidth = 12

func (s *strikes) begin(g *generator, length int64) {
	s.width = guessedWidth
	if length > 0 {
		s.width = bits.Len64(uint64(length))
	}
	s.left = g.logUniform(s.width)
}

// next is called once for each choice with something armed. It answers which of them strikes now, -1 for none.
func (s *strikes) next(g *generator, armed []*choice.Actor) int {
	s.left--
	if s.left > 0 {
		return -1
	}
	s.left = g.logUniform(s.width)
	return g.below(len(armed))
}
