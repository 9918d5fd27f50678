package kafka

import (
	"testing"
	"time"
)

func TestPartitionOf(t *testing.T) {
	want := map[int32][]time.Month{
		0: {time.March, time.August, time.September},
		1: {time.February, time.July},
		2: {time.January, time.April, time.June, time.December},
		3: {time.May, time.October, time.November},
	}
	for partition, list := range want {
		for _, month := range list {
			if got := PartitionOf(month, 4); got != partition {
				t.Errorf("%s: partition %d, want %d", month, got, partition)
			}
			if got := PartitionOf(month, 1); got != 0 {
				t.Errorf("%s, of one partition: %d", month, got)
			}
		}
	}
}
