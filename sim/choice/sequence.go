package choice

// Choice is one entry of a [Sequence]: after Gap decisions by default, one that is answered otherwise.
type Choice struct {
	Gap    int // decisions before this one that go by default, at least 0
	Answer int // how far from the default: 0 is the default itself; more than there is goes round
}

// Sequence is a source that follows the default [Policy] but for a short list of choices, by their position in the run. Unlike a
// list of [Deviation]s every list fits every run, and a short one makes a run close to the default: so it is what a fuzzer or a
// property test can draw, mutate and shrink without knowing the program (MacIver and Donaldson, "Test-case reduction via
// test-case generation", 2020). It decides one run, and serves one goroutine.
type Sequence struct {
	choices []Choice
	passed  int // decisions since the last choice
	policy  Policy
}

// NewSequence makes a source for one run. A negative number in the list counts as 0.
func NewSequence(choices []Choice) *Sequence { return &Sequence{choices: choices} }

// Schedule implements [Source].
func (s *Sequence) Schedule(current *Actor, enabled, armed []*Actor) int {
	i := (s.policy.Decide(current, enabled) + s.answer(len(enabled)+len(armed))) % (len(enabled) + len(armed))
	s.policy.Moved(at(i, enabled, armed))
	return i
}

// Value implements [Source].
func (s *Sequence) Value(_ Site, n int) int { return s.answer(n) }

// answer is how far the next decision is from its default, below n.
func (s *Sequence) answer(n int) int {
	if len(s.choices) == 0 {
		return 0
	}
	next := s.choices[0]
	if s.passed < next.Gap {
		s.passed++
		return 0
	}
	s.choices, s.passed = s.choices[1:], 0
	return max(0, next.Answer) % n
}
