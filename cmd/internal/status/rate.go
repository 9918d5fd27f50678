package status

import (
	"math"
	"time"
)

// smoothing is about how long a rate remembers: a number that people read must
// not jump with every batch.
const smoothing = 2 * time.Second

// rate measures how fast a number grows.
type rate struct {
	perSecond float64
	last      int64
	measured  time.Duration
}

// from says that the number begins anew.
func (r *rate) from(n int64) { *r = rate{last: n} }

// measure is told the number, and the time since it was told before. What has
// been measured for a shorter time than is remembered counts in full.
func (r *rate) measure(n int64, elapsed time.Duration) {
	if elapsed <= 0 {
		return
	}
	grown := float64(max(0, n-r.last)) / elapsed.Seconds()
	r.measured += elapsed
	weight := max(1-math.Exp(-elapsed.Seconds()/smoothing.Seconds()), elapsed.Seconds()/r.measured.Seconds())
	r.perSecond += weight * (grown - r.perSecond)
	r.last = n
}
