package checkpoint

import (
	"bytes"
	"encoding/base64"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weatheractors/weatheractors/messages"
)

// everyOperation calls try with faults of all kinds at every operation, until
// there is no such operation any more.
func everyOperation(t *testing.T, try func(t *testing.T, n int, f fault) (reached bool)) {
	n := 0
	for reached := true; reached; n++ {
		for _, f := range []fault{{errNoSpace, nothing}, {errNoSpace, half}, {syscall.EIO, all}} {
			reached = try(t, n, f)
			if t.Failed() {
				t.Fatalf("at operation %d, %v", n, f)
			}
		}
	}
	if n < 20 {
		t.Fatalf("only %d operations were tried", n)
	}
}

func TestCrashAtEveryOperation(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	s := story{'A'}
	everyOperation(t, func(t *testing.T, n int, f fault) bool {
		power := newRAM()
		d := &faulty{disk: power, fault: func(i int) fault {
			switch {
			case i < n:
				return fault{}
			case i == n:
				return f
			}
			return fault{err: f.err}
		}}
		durable := int64(0)
		err := s.whole(d, func(offset int64) { durable = offset })
		begun := durable
		if i := slices.Index(storyOffsets, durable); err != nil && i+1 < len(storyOffsets) {
			begun = storyOffsets[i+1]
		}
		for round := range 4 {
			source := random
			if round == 0 {
				source = nil
			}
			after := power.powerCut(source)
			s.checkLoad(t, after, durable, begun)
			if err := s.whole(after, func(int64) {}); err != nil {
				t.Fatal(err)
			}
			s.checkEnd(t, after)
		}
		// A kill alone loses nothing that was written.
		if err := s.whole(power, func(int64) {}); err != nil {
			t.Fatal(err)
		}
		s.checkEnd(t, power)
		return err != nil
	})
}

func TestFailureOfAnyOperationIsMendedByTryingAgain(t *testing.T) {
	s := story{'A'}
	everyOperation(t, func(t *testing.T, n int, f fault) bool {
		memory := newRAM()
		d := &faulty{disk: memory, fault: func(i int) fault {
			if i == n {
				return f
			}
			return fault{}
		}}
		p := newPartition(d, ramDir, storyPartition)
		c, err := p.Load()
		if err != nil {
			c, err = p.Load()
		}
		if err != nil {
			t.Fatal(err)
		}
		saved := c.GetOffset()
		offsets := append([]int64{0}, storyOffsets...)
		for i := 0; i < len(offsets); i++ {
			_, err := p.Save(s.at(saved, offsets[i]))
			if err == nil {
				saved = offsets[i]
				continue
			}
			if messages.IsPermanent(err) || !errors.Is(err, f.err) || !strings.HasPrefix(err.Error(), "save ") {
				t.Errorf("error is %v, want one that wraps %v", err, f.err)
			}
			s.checkOldOrNew(t, memory, saved, offsets[i])
			// The same checkpoint again, or a newer one, must do.
			if i%2 == 0 || i == len(offsets)-1 {
				i--
			}
		}
		s.checkEnd(t, memory)
		if names := memory.list(); len(names) != 3 {
			t.Errorf("left behind: %v", names)
		}
		return len(d.log) > 0
	})
}

// checkOldOrNew checks that a failed Save left the old file whole, if not the
// new one.
func (s story) checkOldOrNew(t *testing.T, d *ram, before, after int64) {
	t.Helper()
	data := string(d.read(ramPath(".json")))
	if data != s.file(before) && data != s.file(after) && (before != 0 || data != "") {
		t.Errorf("file is\n%s, want that of offset %d or %d", data, before, after)
	}
	if rejects := string(d.read(ramPath(".rejected.jsonl"))); !strings.HasPrefix(rejects, s.rejected(before)) {
		t.Errorf("rejects are\n%s, want at least\n%s", rejects, s.rejected(before))
	}
}

func TestCrashWhileResetting(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	before, after := story{'A'}, story{'B'}
	// tell resets the partition if it belongs to the topic before.
	tell := func(d disk) error {
		p := newPartition(d, ramDir, storyPartition)
		c, err := p.Load()
		if err != nil {
			return err
		}
		from := c.GetOffset()
		if bytes.Equal(c.GetTopic().GetId(), before.topicID()) {
			if err := p.Reset(before.topicID()); err != nil {
				return err
			}
			from = 0
		}
		return after.save(p, from, func(int64) {})
	}
	everyOperation(t, func(t *testing.T, n int, f fault) bool {
		power := newRAM()
		if err := before.whole(power, func(int64) {}); err != nil {
			t.Fatal(err)
		}
		err := tell(&faulty{disk: power, fault: func(i int) fault {
			if i < n {
				return fault{}
			}
			return fault{err: f.err}
		}})
		for range 4 {
			d := power.powerCut(random)
			if err := tell(d); err != nil {
				t.Fatal(err)
			}
			after.checkEnd(t, d)
			backup := "." + base64.RawURLEncoding.EncodeToString(before.topicID()) + ".bak"
			if got := string(d.read(ramPath(".json" + backup))); got != before.file(before.last()) {
				t.Errorf("backup is\n%s", got)
			}
			if got := string(d.read(ramPath(".rejected.jsonl" + backup))); got != before.rejected(before.last()) {
				t.Errorf("backup of rejects is\n%s", got)
			}
		}
		return err != nil
	})
}
