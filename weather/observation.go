package weather

import (
	"errors"
	"fmt"
	"math"
)

// ErrDegrees says that a number can't be a temperature that is counted.
var ErrDegrees = errors.New("invalid degrees")

// MaxDegrees is the greatest size of a temperature that is counted, in °F. It
// is no limit of weather but of arithmetic: a month's sum can't overflow.
const MaxDegrees = math.MaxFloat64 / 31

// Observation is the maximum temperature of one day.
type Observation struct {
	Date    Date
	Degrees float64 // °F, finite, -MaxDegrees to MaxDegrees
}

// Check returns ErrDate or ErrDegrees if o can't be counted. Only observations
// that pass may be added to Stats.
func (o Observation) Check() error {
	if !o.Date.Valid() {
		return fmt.Errorf("%w: packed as %d", ErrDate, int32(o.Date))
	}
	// The negation also catches NaN.
	if !(math.Abs(o.Degrees) <= MaxDegrees) {
		return fmt.Errorf("%w: %v °F: want at most ±MaxFloat64/31", ErrDegrees, o.Degrees)
	}
	return nil
}
