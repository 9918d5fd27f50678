package messages

import "errors"

// Sources of records and the root of a consume tree tell these cases apart. A
// source wraps them with what it saw: which offsets, which topic ids.
var (
	// ErrTopicMissing: the topic does not exist (yet). Waiting may mend it.
	ErrTopicMissing = errors.New("topic does not exist")
	// ErrPartitionMissing: the topic has no such partition.
	ErrPartitionMissing = Permanent(errors.New("partition does not exist"))
	// ErrTopicRecreated: the topic has another id than the one that was counted.
	ErrTopicRecreated = errors.New("topic was deleted and created anew")
	// ErrLogTruncated: the log lost records that were counted.
	ErrLogTruncated = errors.New("log lost records that were counted")
	// ErrOffsetGone: records were deleted before they were counted.
	ErrOffsetGone = errors.New("records were deleted before they were counted")
	// ErrCorruptBatch: a batch of records can't be decoded.
	ErrCorruptBatch = Permanent(errors.New("batch of records can't be decoded"))
)

// permanent marks an error that trying again can't mend.
type permanent struct{ error }

func (permanent) Permanent() bool { return true }
func (p permanent) Unwrap() error { return p.error }

// Permanent marks err as one that starting over can't mend. It keeps err's
// text and chain.
func Permanent(err error) error { return permanent{err} }

// IsPermanent tells whether err, or an error that it wraps, says of itself with
// a method Permanent() bool that starting over can't mend it.
func IsPermanent(err error) bool {
	var p interface{ Permanent() bool }
	return errors.As(err, &p) && p.Permanent()
}
