package main

import (
	"os"
	"runtime/debug"
)

// produceHeap is a limit that produce never comes near.
const produceHeap = 96 << 20

// consumeHeap is the heap, in bytes, beyond which reading so many partitions gains
// little. Each has some megabytes in flight at times, seldom all at once.
func consumeHeap(partitions int) int64 { return 88<<20 + 2<<20*int64(partitions) }

// collectLess lets the heap grow to several times what is in use before garbage is
// collected, which costs a tenth of the time otherwise; towards limit, in bytes,
// the collector works harder. GOGC and GOMEMLIMIT in the environment win.
func collectLess(limit int64) {
	if _, set := os.LookupEnv("GOMEMLIMIT"); !set {
		debug.SetMemoryLimit(limit)
	}
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(400)
	}
}
