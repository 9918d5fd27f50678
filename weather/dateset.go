package weather

// DateSet is a set of dates. The zero value is empty; a nil one may be asked
// and is empty, too. It is not safe for concurrent use.
//
// It takes 64 bytes a year, from the year 0 to that of its last date: 640 kB at
// most, however many dates are added.
type DateSet struct {
	words       []uint64 // date d is in the set if bit d of them is set
	first, last Date
	count       int
}

// Add adds d, which must be valid, unless it is there already.
func (s *DateSet) Add(d Date) {
	word, bit := d.bit()
	if word >= len(s.words) {
		// Dates mostly ascend: append leaves room for those to come.
		s.words = append(s.words, make([]uint64, word+1-len(s.words))...)
	}
	if s.words[word]&bit != 0 {
		return
	}
	s.words[word] |= bit
	if s.count == 0 || d < s.first {
		s.first = d
	}
	s.last = max(s.last, d)
	s.count++
}

// Has tells whether d is in the set.
func (s *DateSet) Has(d Date) bool {
	if s == nil || d < 0 {
		return false
	}
	word, bit := d.bit()
	return word < len(s.words) && s.words[word]&bit != 0
}

// bit says where the set keeps d.
func (d Date) bit() (word int, bit uint64) { return int(d >> 6), 1 << (d & 63) }

// Len returns the number of dates in the set.
func (s *DateSet) Len() int {
	if s == nil {
		return 0
	}
	return s.count
}

// Min returns the earliest date of the set, 0 if it is empty.
func (s *DateSet) Min() Date {
	if s == nil {
		return 0
	}
	return s.first
}

// Max returns the latest date of the set, 0 if it is empty.
func (s *DateSet) Max() Date {
	if s == nil {
		return 0
	}
	return s.last
}
