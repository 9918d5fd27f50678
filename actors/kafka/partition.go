package kafka

import (
	"time"

	"github.com/IBM/sarama"
)

// newPartitioner is what decides a record's partition: murmur2 of the key, as
// Kafka's own clients have it. (sarama's default is another one.)
var newPartitioner = sarama.NewMurmur2Partitioner

// PartitionOf returns the partition that the reports of a month are published
// to, in a topic with that many partitions: murmur2 of the month's English name,
// as Kafka's own clients have it. month must be January to December, and
// partitions at least 1.
func PartitionOf(month time.Month, partitions int32) int32 {
	message := sarama.ProducerMessage{Key: monthKeys[month]}
	partition, err := newPartitioner("").Partition(&message, partitions)
	if err != nil {
		panic(err) // a key that is there in full can't fail
	}
	return partition
}

// monthKeys are the records' keys, by month.
var monthKeys = func() (keys [time.December + 1]sarama.Encoder) {
	for month := time.January; month <= time.December; month++ {
		keys[month] = sarama.ByteEncoder(month.String())
	}
	return keys
}()
