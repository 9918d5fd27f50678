package messages

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestPermanent(t *testing.T) {
	err := fmt.Errorf("load: %w", Permanent(fmt.Errorf("corrupt: %w", io.ErrUnexpectedEOF)))
	if !IsPermanent(err) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v: permanent %v, wraps its cause %v", err, IsPermanent(err), errors.Is(err, io.ErrUnexpectedEOF))
	}
	if got, want := err.Error(), "load: corrupt: unexpected EOF"; got != want {
		t.Errorf("text is %q, want %q", got, want)
	}
	for _, err := range []error{nil, io.EOF, ErrTopicMissing, ErrTopicRecreated} {
		if IsPermanent(err) {
			t.Errorf("%v is permanent", err)
		}
	}
	for _, err := range []error{ErrPartitionMissing, ErrCorruptBatch} {
		if wrapped := fmt.Errorf("x: %w", err); !IsPermanent(wrapped) || !errors.Is(wrapped, err) {
			t.Errorf("%v is not permanent, or is not itself", err)
		}
	}
}
