package checkpoint

import (
	"bytes"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/weatheractors/weatheractors/messages"
)

// faults are how an operation may fail.
var faults = []fault{{errNoSpace, nothing}, {errNoSpace, half}, {syscall.EIO, all}, {syscall.EIO, lost}, {syscall.EIO, evicted}}

// everyOperation calls try with faults of all kinds at every operation, until
// there is no such operation any more.
func everyOperation(t *testing.T, faults []fault, try func(t *testing.T, n int, f fault) (reached bool)) {
	t.Helper()
	n := 0
	for reached := true; reached; n++ {
		for _, f := range faults {
			reached = try(t, n, f)
			if t.Failed() {
				t.Fatalf("at operation %d, %v", n, f)
			}
		}
	}
	if n < 5 {
		t.Fatalf("only %d operations were tried", n)
	}
}

// failsAt is a disk whose operation n fails.
func failsAt(d disk, n int, f fault) *faulty {
	return &faulty{disk: d, fault: func(i int) fault {
		if i == n {
			return f
		}
		return fault{}
	}}
}

// endsAt is a disk on which operation n, and all after it, fail: the process has
// ended.
func endsAt(d disk, n int, f fault) *faulty {
	return &faulty{disk: d, fault: func(i int) fault {
		switch {
		case i < n:
			return fault{}
		case i == n:
			return f
		}
		return fault{err: f.err}
	}}
}

func TestCrashAtEveryOperation(t *testing.T) {
	s := story{'A'}
	told := map[string]bool{}
	everyOperation(t, faults[:3], func(t *testing.T, n int, f fault) bool {
		power := newEmptyRAM()
		durable := int64(0)
		err := s.whole(endsAt(power, n, f), func(offset int64) { durable = offset })
		begun := durable
		if err != nil {
			begun = s.next(durable)
		}
		for d := range power.powerCuts() {
			key := d.String()
			s.checkLoad(t, d.clone(), durable, begun)
			if told[key] {
				continue
			}
			told[key] = true
			if err := s.whole(d, func(int64) {}); err != nil {
				t.Fatal(err)
			}
			s.checkEnd(t, d.powerCut())
			if t.Failed() {
				t.Fatalf("after a power cut that left\n%v", key)
			}
		}
		// A kill alone loses nothing that was written.
		if err := s.whole(power, func(int64) {}); err != nil {
			t.Fatal(err)
		}
		s.checkEnd(t, power.powerCut())
		return err != nil
	})
	t.Logf("%d states", len(told))
}

func TestLoadMakesDurableWhatItReturns(t *testing.T) {
	s := story{'A'}
	everyOperation(t, faults[:3], func(t *testing.T, n int, f fault) bool {
		first := newEmptyRAM()
		first.tears = 1
		killed := s.whole(endsAt(first, n, f), func(int64) {}) != nil
		// Whoever comes next is killed, too, before it has loaded.
		for m, again := 0, true; again; m++ {
			memory := first.clone()
			_, _, err := begin(endsAt(memory, m, f))
			again = err != nil
			offset := s.checkLoad(t, memory, 0, s.last())
			for d := range memory.powerCuts() {
				rejects := string(d.read(ramPath(".rejected.jsonl")))
				s.checkLoad(t, d, offset, offset)
				if offset > 0 && rejects != s.rejected(offset) {
					t.Errorf("rejects are\n%s, want\n%s", rejects, s.rejected(offset))
				}
				if t.Failed() {
					t.Fatalf("loaded before the power cut, after a kill at operation %d: offset %d", m, offset)
				}
			}
		}
		return killed
	})
}

func TestOnePowerCutAfterAnother(t *testing.T) {
	s := story{'A'}
	seen := map[string]bool{}
	first := newEmptyRAM()
	for left := []*ram{first}; len(left) > 0; {
		from := left[len(left)-1]
		left = left[:len(left)-1]
		_, c, err := begin(from.clone())
		if err != nil {
			t.Fatal(err)
		}
		everyOperation(t, faults[:1], func(t *testing.T, n int, f fault) bool {
			power := from.clone()
			power.tears = 1
			durable, begun := c.GetOffset(), s.next(c.GetOffset())
			p, _, err := begin(endsAt(power, n, f))
			if err == nil {
				// What comes then is what comes first after another cut.
				_, err = p.Save(s.at(durable, begun))
			}
			if err == nil {
				durable = begun
			}
			for d := range power.powerCuts() {
				key := d.String()
				if seen[key] {
					continue
				}
				seen[key] = true
				if s.checkLoad(t, d.clone(), durable, begun) < s.last() {
					left = append(left, d)
				}
				if t.Failed() {
					t.Fatalf("%v\nbecame\n%v", from, d)
				}
			}
			return err != nil
		})
	}
	t.Logf("%d states", len(seen))
}

func TestFailureOfAnyOperationIsMendedByTryingAgain(t *testing.T) {
	s := story{'A'}
	everyOperation(t, faults, func(t *testing.T, n int, f fault) bool {
		memory := newRAM()
		d := failsAt(memory, n, f)
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
				if len(d.log) > 0 {
					s.checkPowerCuts(t, memory, saved, saved)
				}
				continue
			}
			if messages.IsPermanent(err) || !errors.Is(err, f.err) || !strings.HasPrefix(err.Error(), "save ") {
				t.Errorf("error is %v, want one that wraps %v", err, f.err)
			}
			s.checkOldOrNew(t, memory, saved, offsets[i])
			s.checkPowerCuts(t, memory, saved, offsets[i])
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

// checkPowerCuts checks what a power cut leaves at this moment.
func (s story) checkPowerCuts(t *testing.T, d *ram, durable, begun int64) {
	t.Helper()
	for cut := range d.powerCuts() {
		left := cut.String()
		if s.checkLoad(t, cut, durable, begun); t.Failed() {
			t.Fatalf("after a power cut that left\n%v", left)
		}
	}
}

func TestFailureThenRespawnThenPowerCut(t *testing.T) {
	s := story{'A'}
	everyOperation(t, faults, func(t *testing.T, n int, f fault) bool {
		memory := newEmptyRAM()
		memory.tears = 3
		d := failsAt(memory, n, f)
		durable := int64(0)
		done := func(offset int64) { durable = offset }
		err := s.whole(d, done)
		for again := 0; again < 3 && err != nil; again++ {
			// As the root does: load, and go on from there.
			s.checkPowerCuts(t, memory, durable, s.next(durable))
			err = s.whole(d, func(offset int64) {
				done(offset)
				s.checkPowerCuts(t, memory, offset, offset)
			})
		}
		if err != nil {
			t.Fatal(err)
		}
		s.checkEnd(t, memory.powerCut())
		return len(d.log) > 0
	})
}

func TestPowerCutWhileAFailureIsMended(t *testing.T) {
	s := story{'A'}
	const mending = 16 // operations, about those of a whole Save
	everyOperation(t, faults[2:], func(t *testing.T, n int, f fault) (reached bool) {
		for m := n + 1; m <= n+mending; m++ {
			power := newRAM()
			power.tears = 1
			d := endsAt(power, m, fault{err: syscall.EIO})
			ends := d.fault
			d.fault = func(i int) fault {
				if i == n {
					return f
				}
				return ends(i)
			}
			p := newPartition(d, ramDir, storyPartition)
			_, err := p.Load()
			durable, begun := int64(0), int64(0)
			for d.operations <= m && durable < storyOffsets[2] {
				if err != nil && !p.loaded {
					_, err = p.Load()
					continue
				}
				begun = s.next(durable)
				if _, err = p.Save(s.at(durable, begun)); err == nil {
					durable = begun
				}
			}
			s.checkPowerCuts(t, power, durable, begun)
			reached = len(d.log) > 0
		}
		return reached
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

// recreated is a topic that was deleted and created anew.
type recreated struct{ before, after story }

// start returns a disk with all of the topic before.
func (r recreated) start(t *testing.T) *ram {
	t.Helper()
	d := newEmptyRAM()
	if err := r.before.whole(d, func(int64) {}); err != nil {
		t.Fatal(err)
	}
	return d.powerCut()
}

// tell resets the partition if it belongs to the topic before, and counts the
// one after.
func (r recreated) tell(d disk) error {
	p, c, err := begin(d)
	if err != nil {
		return err
	}
	from := c.GetOffset()
	if bytes.Equal(c.GetTopic().GetId(), r.before.topicID()) {
		if err := p.Reset(r.before.topicID()); err != nil {
			return err
		}
		from = 0
	}
	return r.after.save(p, from, func(int64) {})
}

// checkEnd checks what is there when all is told. Nothing that was counted of the
// topic before may be lost.
func (r recreated) checkEnd(t *testing.T, d *ram) {
	t.Helper()
	r.after.checkEnd(t, d)
	for suffix, want := range map[string]string{".json": r.before.file(r.before.last()), ".rejected.jsonl": r.before.rejected(r.before.last())} {
		found := false
		for _, name := range d.list() {
			if !strings.HasPrefix(name, ramPath(suffix+".")) || !strings.HasSuffix(name, ".bak") {
				continue
			}
			if found = true; string(d.read(name)) != want {
				t.Errorf("%s is\n%s, want\n%s", name, d.read(name), want)
			}
		}
		if !found {
			t.Errorf("there is no backup of the %s file: %v", suffix, d.list())
		}
	}
}

func TestCrashWhileResetting(t *testing.T) {
	r := recreated{story{'A'}, story{'B'}}
	start := r.start(t)
	told := map[string]bool{}
	// twice is how often the power may still go.
	var from func(t *testing.T, start *ram, twice int)
	from = func(t *testing.T, start *ram, twice int) {
		everyOperation(t, faults[:3], func(t *testing.T, n int, f fault) bool {
			power := start.clone()
			err := r.tell(endsAt(power, n, f))
			for d := range power.powerCuts() {
				key := d.String()
				if told[key] {
					continue
				}
				told[key] = true
				end := d.clone()
				if err := r.tell(end); err != nil {
					t.Fatalf("%v, after a power cut that left\n%v", err, key)
				}
				if r.checkEnd(t, end.powerCut()); t.Failed() {
					t.Fatalf("after a power cut that left\n%v", key)
				}
				// Later ones have nothing more to do with the reset.
				if twice > 0 && d.names[ramPath(".json")] != nil && string(d.read(ramPath(".json"))) == r.before.file(r.before.last()) {
					from(t, d, twice-1)
				}
			}
			return err != nil
		})
	}
	from(t, start, 1)
	t.Logf("%d states", len(told))
}

func TestFailureWhileResetting(t *testing.T) {
	r := recreated{story{'A'}, story{'B'}}
	start := r.start(t)
	everyOperation(t, faults, func(t *testing.T, n int, f fault) bool {
		memory := start.clone()
		d := failsAt(memory, n, f)
		if err := r.tell(d); err != nil {
			if err := r.tell(d); err != nil {
				t.Fatal(err)
			}
		}
		r.checkEnd(t, memory.powerCut())
		return len(d.log) > 0
	})
}

func TestCrashInASecondResetAfterAFailedOne(t *testing.T) {
	r := recreated{story{'A'}, story{'B'}}
	start := r.start(t)
	everyOperation(t, faults[:3], func(t *testing.T, n int, f fault) (reached bool) {
		for m, again := 0, true; again; m++ {
			power := start.clone()
			p, _, err := begin(power)
			if err != nil {
				t.Fatal(err)
			}
			p.disk = failsAt(power, n, f)
			if reached = p.Reset(r.before.topicID()) != nil; !reached {
				return false
			}
			p.disk = endsAt(power, m, f)
			again = p.Reset(r.before.topicID()) != nil
			for d := range power.powerCuts() {
				left := d.String()
				if err := r.tell(d); err != nil {
					t.Fatal(err)
				}
				if r.checkEnd(t, d); t.Failed() {
					t.Fatalf("at operation %d of the second, after a power cut that left\n%s", m, left)
				}
			}
		}
		return reached
	})
}

func TestReplaceFileOutlastsPowerCuts(t *testing.T) {
	path := filepath.Join(ramDir, "month.svg")
	const before, after = "<svg>the old picture</svg>", "<svg>the new one</svg>"
	everyOperation(t, faults[:3], func(t *testing.T, n int, f fault) bool {
		power := newRAM()
		if err := replaceFile(power, path, []byte(before)); err != nil {
			t.Fatal(err)
		}
		err := replaceFile(endsAt(power, n, f), path, []byte(after))
		for d := range power.powerCuts() {
			left := d.String()
			if got := string(d.read(path)); got != after && (got != before || err == nil) {
				t.Errorf("%v: it is %q, of\n%s", err, got, left)
			}
			if err := replaceFile(d, path, []byte("again")); err != nil || string(d.powerCut().read(path)) != "again" {
				t.Errorf("%v: then it is %q, of\n%s", err, d.powerCut().read(path), left)
			}
		}
		return err != nil
	})
}

func TestFailureThenReplaceFileAgain(t *testing.T) {
	path := filepath.Join(ramDir, "month.svg")
	everyOperation(t, faults, func(t *testing.T, n int, f fault) bool {
		memory := newRAM()
		d := failsAt(memory, n, f)
		for tries := 0; replaceFile(d, path, []byte("new")) != nil; tries++ {
			if tries > 0 {
				t.Fatal("it fails again")
			}
		}
		if got := string(memory.powerCut().read(path)); got != "new" {
			t.Errorf("it is %q", got)
		}
		return len(d.log) > 0
	})
}

func TestDirectoryIsMadeDurably(t *testing.T) {
	dir := filepath.Join("some", "where", ramDir)
	everyOperation(t, faults[:3], func(t *testing.T, n int, f fault) bool {
		memory := newEmptyRAM()
		err := makeDir(endsAt(memory, n, f), dir)
		for _, d := range slices.Collect(memory.powerCuts()) {
			if err := makeDir(d, dir); err != nil || d.powerCut().isIn(dir) != nil {
				t.Errorf("%v: it is not there after a power cut:\n%v", err, d)
			}
		}
		// Killed alone, or failed, it begins again as well.
		if err := makeDir(memory, dir); err != nil || memory.powerCut().isIn(dir) != nil {
			t.Errorf("%v: it is not durable:\n%v", err, memory)
		}
		return err != nil
	})
}

func TestDirectoryAboveThatCannotBeSynced(t *testing.T) {
	for _, cause := range []error{syscall.EACCES, syscall.EROFS} {
		if err := makeDir(failsAt(newRAM(), 1, fault{err: cause}), ramDir); err != nil {
			t.Errorf("one that is there: %v", err)
		}
		if err := makeDir(failsAt(newEmptyRAM(), 4, fault{err: cause}), ramDir); !errors.Is(err, cause) {
			t.Errorf("one that was made: %v, want %v", err, cause)
		}
	}
	if err := makeDir(failsAt(newRAM(), 1, fault{err: syscall.EIO}), ramDir); !errors.Is(err, syscall.EIO) {
		t.Errorf("a disk that fails: %v", err)
	}
}

// The disk of these tests must lose what it may lose.
func TestRAMLosesWhatIsNotSynced(t *testing.T) {
	states := func(r *ram) (all []string) {
		for d := range r.powerCuts() {
			all = append(all, d.String())
		}
		slices.Sort(all)
		return all
	}
	memory := newRAM()
	if err := writeFile(memory, ramPath(".tmp"), []byte("new")); err != nil {
		t.Fatal(err)
	}
	_ = memory.Rename(ramPath(".tmp"), ramPath(".json"))
	const dir = "files: \"\"\n"
	want := []string{
		dir,
		dir + "files/partition-2.json: \"new\"\n",
		dir + "files/partition-2.json: \"new\"\nfiles/partition-2.tmp is files/partition-2.json\n",
		dir + "files/partition-2.tmp: \"new\"\n",
	}
	if got := states(memory); !slices.Equal(got, want) {
		t.Errorf("after a rename there may be %q, want %q", got, want)
	}
	_ = memory.SyncDir(ramDir)
	f, _ := memory.Open(ramPath(".json"), 0)
	_, _ = f.WriteAt([]byte("er!"), 3)
	want = want[:0]
	for _, content := range []string{"new", `new\x00\x00!`, `new\x00\x00\x00`, `new\x00r!`, "newe", `newe\x00\x00`, "newer", `newer\x00`, "newer!"} {
		want = append(want, dir+"files/partition-2.json: \""+content+"\"\n")
	}
	slices.Sort(want)
	if got := states(memory); !slices.Equal(got, want) {
		t.Errorf("after a write there may be %q, want %q", got, want)
	}
	f.(*ramFile).lose(false)
	_ = f.Sync()
	if got := string(memory.read(ramPath(".json"))); got != "newer!" || len(states(memory)) != 1 {
		t.Errorf("after a sync that failed it reads %q, and may become %q", got, states(memory))
	}
}
