package status

// Tally says what became of records.
type Tally struct {
	Counted, Duplicates, Rejects int64
}

// ledger knows what of a partition's records is in its file: what a life has read
// beyond the last checkpoint the next life reads again, and it must not count
// twice.
type ledger struct {
	base  Tally  // below the offset at which this life began
	marks []mark // what was counted up to offsets that a next life may begin at, ascending
}

// mark is what was counted below an offset.
type mark struct {
	offset int64
	tally  Tally
}

// mostMarks bounds memory where nothing can be saved for long. Batches hold
// thousands of records then.
const mostMarks = 4096

// begin starts a life at an offset; now is the tally up to the last that was
// heard of the life before.
func (l *ledger) begin(offset int64, now Tally) Tally {
	l.base = now
	for _, m := range l.marks {
		if m.offset == offset {
			l.base = m.tally
		}
	}
	l.marks = append(l.marks[:0:0], mark{offset, l.base})
	return l.base
}

// read adds what this life has read, up to an offset.
func (l *ledger) read(offset int64, life Tally) Tally {
	t := Tally{l.base.Counted + life.Counted, l.base.Duplicates + life.Duplicates, l.base.Rejects + life.Rejects}
	if len(l.marks) < mostMarks {
		l.marks = append(l.marks, mark{offset, t})
	}
	return t
}

// saved forgets what no life can begin at any more.
func (l *ledger) saved(offset int64) {
	first := 0
	for first < len(l.marks) && l.marks[first].offset < offset {
		first++
	}
	l.marks = l.marks[first:]
}
