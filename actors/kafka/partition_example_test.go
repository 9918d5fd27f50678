package kafka_test

import (
	"fmt"
	"time"

	"github.com/weatheractors/weatheractors/actors/kafka"
)

func ExamplePartitionOf() {
	for _, month := range []time.Month{time.January, time.February, time.March} {
		fmt.Println(month, "is in partition", kafka.PartitionOf(month, 4))
	}
	// Output:
	// January is in partition 2
	// February is in partition 1
	// March is in partition 0
}
