package status

// Phase is what a partition is doing.
type Phase int

// What a partition can be doing.
const (
	PhaseOpening    Phase = iota // locking, loading, waiting for the topic
	PhaseCatchingUp              // reading what was there before
	PhaseLive                    // at the end, and keeping up with it
	PhaseDrained                 // all is counted and saved, and nothing follows
	PhaseRespawning              // its actors have failed, and start again
	PhaseFailed                  // ended for good
)

// String returns a word for programs to read.
func (p Phase) String() string {
	return [...]string{"opening", "catching_up", "live", "drained", "respawning", "failed"}[p]
}

// Phase returns what a partition of the state is doing.
func (s *State) Phase(p *Partition) Phase {
	worst, troubled := s.Worst(p.Number)
	switch {
	case p.Failed != "":
		return PhaseFailed
	case troubled && worst.What == Respawning:
		return PhaseRespawning
	case troubled && worst.What == Opening, p.life == life{}:
		return PhaseOpening
	case p.Drained:
		return PhaseDrained
	case p.Live:
		return PhaseLive
	}
	return PhaseCatchingUp
}
