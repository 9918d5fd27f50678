package actors

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

// fakeSink is a topic that acknowledges what it is given after a while.
type fakeSink struct {
	window  int
	takes   time.Duration
	failAt  int64 // number of the report that fails; 0: none
	mute    bool  // acknowledges nothing
	retries int64 // told with each acknowledgement

	mu       sync.Mutex
	reports  []weather.Observation // in the order in which they were handed over
	inFlight int
	most     int // of inFlight
	acked    map[int64]bool
	err      error
	aborted  bool
	ended    bool
	pending  sync.WaitGroup
	acks     chan *messages.ReportsAcknowledged
}

func newFakeSink(window int) *fakeSink {
	return &fakeSink{window: window, takes: time.Millisecond, acked: map[int64]bool{}, acks: make(chan *messages.ReportsAcknowledged, 100000)}
}

func (s *fakeSink) Window() int                                        { return s.window }
func (s *fakeSink) Acknowledged() <-chan *messages.ReportsAcknowledged { return s.acks }

func (s *fakeSink) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *fakeSink) Publish(b *messages.ReportBatch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	for i, d := range b.GetDates() {
		number := b.GetFirst() + int64(i)
		if number != int64(len(s.reports)+1) {
			panic("reports are not numbered one by one")
		}
		if number == s.failAt {
			s.err = errors.New("report lost")
			s.end()
			return nil
		}
		s.reports = append(s.reports, weather.Observation{Date: weather.Date(d), Degrees: b.GetDegrees()[i]})
		s.inFlight++
		s.most = max(s.most, s.inFlight)
		if !s.mute {
			s.pending.Add(1)
			time.AfterFunc(s.takes, func() { s.acknowledge(number) })
		}
	}
	return nil
}

func (s *fakeSink) acknowledge(number int64) {
	defer s.pending.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.inFlight--
	s.acked[number] = true
	s.acks <- &messages.ReportsAcknowledged{Numbers: []int64{number}, Retries: s.retries}
}

func (s *fakeSink) end() {
	if !s.ended {
		s.ended = true
		close(s.acks)
	}
}

func (s *fakeSink) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inFlight > 0 {
		panic("closed with reports in flight")
	}
	s.end()
}

func (s *fakeSink) Abort() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.aborted = s.aborted || !s.ended
	s.end()
}

func forever(first weather.Date) iter.Seq[weather.Observation] {
	return func(yield func(weather.Observation) bool) {
		for d := first; d != 0 && yield(weather.Observation{Date: d, Degrees: 50}); d = d.Next() {
		}
	}
}

func TestEveryDayIsPublishedOnceInOrder(t *testing.T) {
	for name, window := range map[string]int{"one at a time": 1, "a small window": 10, "a large window": 5000} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				all, sink := days(t, "1990-01-01", 3000), newFakeSink(window)
				if err := Run(t.Context(), newSystem(t), Produce{Days: slices.Values(all), Sink: sink}); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(sink.reports, all) {
					t.Errorf("published %d reports, want these %d", len(sink.reports), len(all))
				}
				if sink.most > window {
					t.Errorf("%d reports in flight, want at most %d", sink.most, window)
				}
				if sink.aborted {
					t.Error("the sink was aborted")
				}
			})
		})
	}
}

func TestRepeatsFollowTheirAcknowledgedOriginals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, sink := days(t, "1990-01-01", 1000), newFakeSink(64)
		fifth := func(d weather.Date) bool { return d.Day()%5 == 0 }
		system := newSystem(t)
		events, cancel := Subscribe(system, "produce", 10000)
		if err := Run(t.Context(), system, Produce{Days: slices.Values(all), Repeat: fifth, Sink: sink}); err != nil {
			t.Fatal(err)
		}
		cancel()
		seen, repeats := map[weather.Date]bool{}, map[weather.Date]int{}
		for _, o := range sink.reports {
			if o.Degrees != weather.RepeatDegrees {
				seen[o.Date] = true
				continue
			}
			if repeats[o.Date]++; !seen[o.Date] || !fifth(o.Date) || repeats[o.Date] > 1 {
				t.Errorf("%v is repeated before its original, twice, or without reason", o.Date)
			}
		}
		want := 0
		for _, o := range all {
			if fifth(o.Date) {
				want++
			}
		}
		if len(repeats) != want || len(seen) != len(all) {
			t.Errorf("published %d days and %d repeats, want %d and %d", len(seen), len(repeats), len(all), want)
		}
		var last *messages.Published
		for e := range events {
			last = e.GetPublished()
		}
		if last.GetAcknowledged() != int64(len(all)+want) || last.GetRepeats() != int64(want) || last.GetLastDate() != int32(all[999].Date) {
			t.Errorf("last progress is %v, want all %d days and %d repeats", last, len(all), want)
		}
	})
}

func TestDelayPacesTheDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := newFakeSink(100)
		ctx, cancel := context.WithCancel(t.Context())
		result := run(t, ctx, newSystem(t), Produce{Days: forever(date(t, "1990-01-01")), Delay: 100 * time.Millisecond, Sink: sink})
		time.Sleep(10*time.Second + 50*time.Millisecond)
		cancel()
		if err := <-result; err != nil {
			t.Fatal(err)
		}
		if got := len(sink.reports); got != 101 {
			t.Errorf("published %d days in 10 s at one per 100 ms, want 101", got)
		}
	})
}

func TestTheLastDayEndsTheRunWithoutADelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		if err := Run(t.Context(), newSystem(t), Produce{Days: slices.Values(days(t, "1990-01-01", 2)), Delay: time.Hour, Sink: newFakeSink(10)}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took > time.Hour+time.Minute {
			t.Errorf("2 days an hour apart took %v", took)
		}
	})
}

func TestProduceDrainsWhatIsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := newFakeSink(100)
		sink.takes = time.Second
		ctx, cancel := context.WithCancel(t.Context())
		result := run(t, ctx, newSystem(t), Produce{Days: forever(date(t, "1990-01-01")), Repeat: func(weather.Date) bool { return true }, Sink: sink})
		time.Sleep(10500 * time.Millisecond)
		cancel()
		if err := <-result; err != nil {
			t.Fatal(err)
		}
		if len(sink.acked) != len(sink.reports) || sink.aborted {
			t.Errorf("%d of %d reports acknowledged, aborted: %v", len(sink.acked), len(sink.reports), sink.aborted)
		}
	})
}

func TestWhatIsInFlightIsToldWithoutAcknowledgements(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := newFakeSink(10)
		sink.mute = true
		system := newSystem(t)
		events, cancel := Subscribe(system, "produce", 10000)
		defer cancel()
		ctx, end := context.WithCancel(t.Context())
		result := run(t, ctx, system, Produce{Days: forever(date(t, "1990-01-01")), Delay: 100 * time.Millisecond, Sink: sink})
		for handed := range int64(10) {
			if p := (<-events).GetPublished(); p.GetHandedOver() != handed+1 || p.GetAcknowledged() != 0 {
				t.Errorf("told %v, want %d reports handed over and none acknowledged", p, handed+1)
			}
		}
		end()
		<-result
	})
}

func TestProduceEndsWithErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := newFakeSink(10)
		sink.failAt = 500
		err := Run(t.Context(), newSystem(t), Produce{Days: forever(date(t, "1990-01-01")), Sink: sink})
		if err == nil || err.Error() != "report lost" {
			t.Errorf("Run = %v, want the sink's error", err)
		}
		if len(sink.reports) != 499 {
			t.Errorf("%d reports were handed over, want none after the one that failed", len(sink.reports))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		sink := newFakeSink(10)
		sink.mute = true
		ctx, cancel := context.WithCancel(t.Context())
		result := run(t, ctx, newSystem(t), Produce{Days: forever(date(t, "1990-01-01")), Sink: sink})
		synctest.Wait()
		cancel()
		if err := <-result; !errors.Is(err, ErrDrain) || !strings.Contains(err.Error(), "10 of 10 reports handed over are not acknowledged") {
			t.Errorf("Run = %v, want %v and how many", err, ErrDrain)
		}
		synctest.Wait()
		if !sink.aborted {
			t.Error("the sink was not aborted")
		}
	})
	synctest.Test(t, func(t *testing.T) {
		broken := func(func(weather.Observation) bool) { panic("a bug in the data") }
		err := Run(t.Context(), newSystem(t), Produce{Days: broken, Sink: newFakeSink(10)})
		if err == nil || errors.Is(err, ErrStopped) {
			t.Errorf("Run = %v, want the panic", err)
		}
	})
}
