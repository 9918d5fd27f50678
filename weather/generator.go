package weather

import "math/bits"

// RepeatDegrees is the absurd temperature of a repeat, in °F: a consumer that
// counts a duplicate shows it at once.
const RepeatDegrees = 1000000.0

// The generator reckons in whole ten-thousandths of a °F, the precision of what
// it makes: integers are the same on every architecture, where floating-point
// arithmetic may or may not fuse a multiplication with an addition.
const (
	noise = 5 * tenThousand // at most that much above or below the season's

	// Warming sets in at 0.05 °F a year (warmingMost/warmingHalf) and levels
	// off, so that it stays below warmingMost however long the weather goes on.
	warmingFrom = 1990 // year; there is none before
	warmingMost = 10 * tenThousand
	warmingHalf = 200 * 12 // months until half of it is reached
)

// season holds the maximum temperature of the middle of each month, in °F,
// loosely that of Dane County, Wisconsin. A month's average lies a little
// inside of it where the course turns: 25 °F in January, 82 °F in July.
var season = [...]int{24, 29, 41, 55, 68, 78, 83, 80, 72, 59, 44, 30}

// Generator makes up the weather of any day: a yearly course, noise around it
// and a slow warming trend. What it says of a day depends on the seed and the
// day alone, and is the same on every architecture.
type Generator struct {
	seed uint64 // mixed, so that seeds that differ by little have nothing in common
}

// NewGenerator returns the generator of that seed; any will do.
func NewGenerator(seed uint64) *Generator { return &Generator{seed: mix(seed)} }

// Degrees returns the maximum temperature of d in °F, rounded to 4 decimals.
// d must be valid.
func (g *Generator) Degrees(d Date) float64 {
	// The high half of a product spreads 2^64 numbers over 2*noise+1.
	spread, _ := bits.Mul64(g.random(d, degreesStream), 2*noise+1)
	return fromTenThousandths(seasonal(d) + warming(d) + int64(spread) - noise)
}

// Repeats tells whether d is repeated, as a lost acknowledgement would repeat
// its record. Of many days the share given by probability is, 0 (none) to 1
// (every one). d must be valid.
func (g *Generator) Repeats(d Date, probability float64) bool {
	const bits53 = 1 << 53 // as many as a float64 holds exactly
	return float64(g.random(d, repeatsStream)>>11)/bits53 < probability
}

// seasonal returns the yearly course in ten-thousandths of a °F: straight lines
// from the middle of each month to the middle of the next.
func seasonal(d Date) int64 {
	month, days := int(d.Month()), DaysIn(d.Year(), d.Month())
	own, neighbor := season[month-1], season[month%12]
	halfDays := 2*d.Day() - 1 - days // from the month's middle to the day's
	if halfDays < 0 {
		halfDays, neighbor = -halfDays, season[(month+10)%12]
	}
	return int64(own*tenThousand + (neighbor-own)*tenThousand*halfDays/(2*days))
}

// warming returns how much warmer d is than without the trend, in
// ten-thousandths of a °F.
func warming(d Date) int64 {
	months := int64(12*(d.Year()-warmingFrom)) + int64(d.Month()-1)
	if months <= 0 {
		return 0
	}
	return warmingMost * months / (warmingHalf + months)
}

// The two random numbers that belong to a day.
const (
	degreesStream = iota
	repeatsStream
)

// random returns the random number of a day and stream: one of the sequence
// that SplitMix64 makes of the seed, without those before it.
func (g *Generator) random(d Date, stream uint64) uint64 {
	const golden = 0x9e3779b97f4a7c15 // 2^64 / golden ratio
	return mix(g.seed + golden*(uint64(d)<<1|stream))
}

// mix is the finalizer of SplitMix64 (Steele, Lea and Flood, 2014): a change of
// any bit of z changes about half of the result's.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
