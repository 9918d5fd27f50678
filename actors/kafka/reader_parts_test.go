package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/messages"
)

func TestEpochs(t *testing.T) {
	at := func(first int64, epoch int32) *sarama.RecordBatch {
		b := batchAt(first, january(1, 1), january(2, 2))
		b.PartitionLeaderEpoch = epoch
		return b
	}
	known := epochs{{Epoch: 0, FirstOffset: 10}, {Epoch: 3, FirstOffset: 20}}
	tests := []struct {
		name    string
		known   epochs
		base    int64
		batches []*sarama.RecordBatch
		want    string
		err     error
	}{
		{"the first epoch seen begins at the first record read", nil, 11, []*sarama.RecordBatch{at(10, 4)}, "4@11", nil},
		{"an epoch that is known does not begin again", known, 22, []*sarama.RecordBatch{at(22, 3)}, "", nil},
		{"a higher epoch begins at its batch", known, 22, []*sarama.RecordBatch{at(22, 3), at(24, 4), at(26, 4), at(28, 9)}, "4@24 9@28", nil},
		{"an epoch never steps back", known, 22, []*sarama.RecordBatch{at(22, 2)}, "", messages.ErrLogTruncated},
		{"an epoch never steps back within a fetch", known, 22, []*sarama.RecordBatch{at(22, 5), at(24, 4)}, "", messages.ErrLogTruncated},
		{"a batch without an epoch tells nothing", known, 22, []*sarama.RecordBatch{at(22, -1)}, "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			begun, err := tt.known.begin(tt.batches, tt.base)
			got := ""
			for _, e := range begun {
				got += fmt.Sprintf(" %d@%d", e.Epoch, e.FirstOffset)
			}
			if len(got) > 0 {
				got = got[1:]
			}
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("got %q, %v, want %q, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

func TestEpochOfAnOffset(t *testing.T) {
	known := epochs{{Epoch: 0, FirstOffset: 10}, {Epoch: 3, FirstOffset: 20}}
	for offset, want := range map[int64]int32{9: -1, 10: 0, 19: 0, 20: 3, 1000: 3} {
		got, ok := known.at(offset)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("epoch of offset %d: got %d, want %d (-1 is unknown)", offset, got, want)
		}
	}
}

func TestEpochsCheck(t *testing.T) {
	known := epochs{{Epoch: 3, FirstOffset: 10}}
	block := func(first int64, epoch int32) *sarama.FetchResponseBlock {
		b := batchAt(first, january(1, 1), january(2, 2), january(3, 3))
		b.PartitionLeaderEpoch = epoch
		return &sarama.FetchResponseBlock{RecordsSet: []*sarama.Records{{RecordBatch: b}}}
	}
	tests := []struct {
		name   string
		offset int64
		block  *sarama.FetchResponseBlock
		want   error
	}{
		{"the batch is the one that was read", 20, block(19, 3), nil},
		{"the batch has another epoch", 20, block(19, 5), messages.ErrLogTruncated},
		{"the offset is the first of the batch", 20, block(20, 5), messages.ErrLogTruncated},
		{"the offset is the last of the batch", 20, block(18, 5), messages.ErrLogTruncated},
		{"the batch is gone and the next one tells nothing", 20, block(21, 5), nil},
		{"nothing is known of the offset", 9, block(9, 5), nil},
		{"the batch does not tell its epoch", 20, block(19, -1), nil},
		{"nothing is there", 20, &sarama.FetchResponseBlock{}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := known.check(tt.block, tt.offset); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestWhichErrorsEndReading(t *testing.T) {
	recreated := fmt.Errorf("%w: its id was A", messages.ErrTopicRecreated)
	tests := []struct {
		name       string
		err, doubt error
		want       bool
	}{
		{"a broken connection does not", io.ErrUnexpectedEOF, nil, false},
		{"a leader that moved does not", sarama.ErrNotLeaderForPartition, nil, false},
		{"a topic that is absent does not", messages.ErrTopicMissing, nil, false},
		{"an error that nobody knows does not", sarama.ErrUnknown, nil, false},
		{"a wrong password does at once", fmt.Errorf("connect: %w", sarama.ErrSASLAuthenticationFailed), nil, true},
		{"a missing permission does at once", sarama.ErrTopicAuthorizationFailed, nil, true},
		{"another topic id does not before it is confirmed", recreated, nil, false},
		{"another topic id does once it is confirmed", recreated, messages.ErrTopicRecreated, true},
		{"a doubt confirms no other", recreated, messages.ErrLogTruncated, false},
		{"a doubt that is permanent has to be confirmed, too", fmt.Errorf("%w: offset 3", messages.ErrCorruptBatch), nil, false},
		{"a corrupt batch does once it is confirmed", fmt.Errorf("%w: offset 3", messages.ErrCorruptBatch), messages.ErrCorruptBatch, true},
		{"any other permanent error does at once", messages.Permanent(io.EOF), nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := ends(tt.err, tt.doubt); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestTroubleIsToldOncePerReason(t *testing.T) {
	out := make(chan news, 10)
	r := &reader{out: out}
	missing := fmt.Errorf("topic t: %w", messages.ErrTopicMissing)
	for i, step := range []struct {
		err   error // nil: reading works again
		doubt error
		want  string
	}{
		{nil, nil, "nothing"},
		{io.EOF, nil, "trouble EOF"},
		{io.ErrUnexpectedEOF, nil, "nothing"},
		{missing, nil, "trouble topic t: topic does not exist"},
		{missing, nil, "nothing"},
		{io.EOF, nil, "trouble EOF"},
		{nil, nil, "recovery"},
		{nil, nil, "nothing"},
		{messages.ErrTopicRecreated, messages.ErrTopicRecreated, "nothing"},
		{missing, nil, "trouble topic t: topic does not exist"},
	} {
		var err error
		if r.doubt = step.doubt; step.err == nil {
			err = r.settle(t.Context())
		} else {
			err = r.tell(t.Context(), step.err)
		}
		if err != nil {
			t.Fatal(err)
		}
		got := "nothing"
		select {
		case n := <-out:
			if got = "recovery"; !n.recovered {
				got = "trouble " + n.trouble.Error()
			}
		default:
		}
		if got != step.want {
			t.Errorf("step %d: told %q, want %q", i, got, step.want)
		}
	}
}

func TestBackoffDoublesUpToTwoSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b backoff
		for _, want := range []time.Duration{100, 200, 400, 800, 1600, 2000, 2000} {
			began := time.Now()
			if err := b.wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := time.Since(began); got != want*time.Millisecond {
				t.Errorf("got %v, want %v", got, want*time.Millisecond)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		began := time.Now()
		if err := b.wait(ctx); !errors.Is(err, context.Canceled) || time.Since(began) != 0 {
			t.Errorf("got %v after %v, want an end at once", err, time.Since(began))
		}
	})
}

func TestAppetite(t *testing.T) {
	tests := []struct {
		name string
		a    appetite
		held int
		want appetite
	}{
		{"grows fourfold after an answer that held little", 64 << 10, 1000, 256 << 10},
		{"grows after an answer without records", 64 << 10, 0, 256 << 10},
		{"grows quickly after one batch alone", oneBatch, 1000, 16 << 10},
		{"never exceeds the full appetite", fullAppetite, 1000, fullAppetite},
		{"is full again after a wide answer", wideAppetite, 1000, fullAppetite},
		{"shrinks to what should hold the aim", fullAppetite, 4 * heldAim, fullAppetite / 4},
		{"asks for one batch where one holds far too much", 1000, 1 << 40, oneBatch},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.a.after(tt.held); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestHeldCountsWhatABatchWasUnpackedTo(t *testing.T) {
	unpacked := make([]byte, 1<<20)
	r := &sarama.Record{Key: unpacked[5:6], Value: unpacked[6:7]}
	plain := batchAt(0, r)
	if got := held([]*sarama.RecordBatch{plain}); got != recordBytes {
		t.Errorf("not compressed: got %d bytes, want %d", got, recordBytes)
	}
	packed := batchAt(0, r)
	packed.Codec = sarama.CompressionZSTD
	if got := held([]*sarama.RecordBatch{packed}); got < 1<<20 || got > 1<<20+recordBytes {
		t.Errorf("compressed: got %d bytes, want about 1 MiB", got)
	}
}
