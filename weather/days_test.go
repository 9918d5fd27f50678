package weather

import "iter"

// day is a date that a test knows to exist.
func day(s string) Date {
	d, err := ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// daysFrom yields n days from first on; fewer where the calendar ends.
func daysFrom(first Date, n int) iter.Seq[Date] {
	return func(yield func(Date) bool) {
		for d := first; n > 0 && d != 0 && yield(d); d = d.Next() {
			n--
		}
	}
}
