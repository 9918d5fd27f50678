package weather

// tenThousand is the precision of the temperatures that this package makes or
// converts: 4 decimals, so that they are short when written.
const tenThousand = 10000

// fromTenThousandths returns the float64 nearest to n ten-thousandths, which
// prints with 4 decimals at most.
func fromTenThousandths(n int64) float64 { return float64(n) / tenThousand }
