package actors

import "time"

const (
	// restFactor times the work is the rest: work takes about a tenth of the time.
	restFactor = 9
	// longestRest bounds how stale a file gets behind a slow disk.
	longestRest = time.Second
)

// pace spaces repeated work, so that it takes about a tenth of the time however
// long it takes. It goes by the shorter of the last two, so that one slow fsync
// does not delay the next for long.
type pace struct {
	last, before time.Duration
}

// rest notes how long the work took and returns how long to wait until the next.
func (p *pace) rest(took time.Duration) time.Duration {
	if p.last == 0 {
		p.last = took
	}
	p.before, p.last = p.last, took
	return min(restFactor*min(p.last, p.before), longestRest)
}

// backoff is the wait before the next try: first, twice that, and so on up to
// limit.
type backoff struct {
	first, limit time.Duration
	next         time.Duration
}

func (b *backoff) wait() time.Duration {
	if b.next == 0 {
		b.next = b.first
	}
	wait := b.next
	b.next = min(2*b.next, b.limit)
	return wait
}

func (b *backoff) reset() { b.next = 0 }
