package status

// Trouble is something that can go wrong for a while.
type Trouble struct {
	// Partition is the one that it is about, or Nowhere.
	Partition int32
	// What goes wrong.
	What What
	// Cause is for people; empty once it is over.
	Cause string
}

// Nowhere is the partition of a trouble that is not about one.
const Nowhere = -1

// What says what goes wrong.
type What int

// What can go wrong, the worst first.
const (
	Respawning    What = iota // the actors of a partition have failed
	Opening                   // a partition can't begin
	Saving                    // a checkpoint can't be saved
	Reading                   // a partition can't be read
	Drawing                   // the picture can't be drawn
	Acknowledging             // the broker acknowledges nothing
)

// String returns a word for programs to read.
func (w What) String() string {
	return [...]string{"respawning", "opening", "saving", "reading", "drawing", "acknowledging"}[w]
}

// where is what of a trouble does not change while it lasts.
type where struct {
	partition int32
	what      What
}

// set notes the cause of a trouble, or that it is over (""). It tells whether that
// is news.
func (s *State) set(partition int32, what What, cause string) (t Trouble, changed bool) {
	w := where{partition, what}
	if s.troubles[w] == cause {
		return Trouble{}, false
	}
	if s.troubles == nil {
		s.troubles = map[where]string{}
	}
	if s.troubles[w] = cause; cause == "" {
		delete(s.troubles, w)
	}
	return Trouble{partition, what, cause}, true
}

// Worst returns the worst trouble of a partition, or of Nowhere; ok is false if
// there is none.
func (s *State) Worst(partition int32) (t Trouble, ok bool) {
	for what := Respawning; what <= Acknowledging; what++ {
		if cause, found := s.troubles[where{partition, what}]; found {
			return Trouble{partition, what, cause}, true
		}
	}
	return Trouble{}, false
}

// Troubled says whether that goes wrong with a partition, or Nowhere.
func (s *State) Troubled(partition int32, what What) bool {
	_, found := s.troubles[where{partition, what}]
	return found
}
