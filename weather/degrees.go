package weather

import "math"

// tenThousand is the precision of the temperatures that this package makes or
// converts: 4 decimals, so that they are short when written.
const tenThousand = 10000

// fromTenThousandths returns the float64 nearest to n ten-thousandths, which
// prints with 4 decimals at most.
func fromTenThousandths(n int64) float64 { return float64(n) / tenThousand }

// rounded returns degrees, of a size that thermometers show, rounded to 4
// decimals.
func rounded(degrees float64) float64 {
	return fromTenThousandths(int64(math.Round(degrees * tenThousand)))
}

// fahrenheit returns celsius, of a size that thermometers show, in °F rounded
// to 4 decimals.
func fahrenheit(celsius float64) float64 {
	// No product is added to anything, so no architecture can fuse these.
	degrees := celsius*9/5 + 32
	return rounded(degrees)
}
