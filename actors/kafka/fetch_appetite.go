package kafka

import "github.com/IBM/sarama"

// appetite is how many bytes the next fetch asks for. An answer is decoded as a
// whole, and a batch may unpack to a thousand times its size: so the appetite
// follows from what the answer before held in memory.
type appetite int32

const (
	// oneBatch makes a broker answer with the first batch alone: it always sends
	// one, however large.
	oneBatch appetite = 1
	// firstAppetite is small, because nothing is known yet.
	firstAppetite appetite = 128 << 10
	// fullAppetite is where more does not make reading faster.
	fullAppetite appetite = 1 << 20
	// wideAppetite is for a batch of which sarama believes that it is cut off,
	// because more records are in it than bytes behind its head.
	wideAppetite appetite = 16 << 20

	// heldAim is how many bytes of memory an answer should take.
	heldAim = 2 << 20
	// recordBytes is what a sarama.Record and the pointer to it take.
	recordBytes = 120
)

// after returns the appetite after an answer to it that held so many bytes. It
// grows slowly and shrinks at once.
func (a appetite) after(held int) appetite {
	asked := max(int64(a), 4<<10) // of less, nobody knows how much came
	next := 4 * asked
	if held > 0 {
		next = min(next, asked*heldAim/int64(held))
	}
	return min(max(appetite(next), oneBatch), fullAppetite)
}

// held estimates the memory that batches take, in bytes.
func held(batches []*sarama.RecordBatch) int {
	bytes := 0
	for _, b := range batches {
		bytes += recordBytes * len(b.Records)
		if b.Codec != sarama.CompressionNone && len(b.Records) > 0 {
			// A key and a value alias the buffer that their batch was unpacked to,
			// and reach to its end.
			first := b.Records[0]
			bytes += max(cap(first.Key), cap(first.Value))
		}
	}
	return bytes
}
