package actors

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

// The same for Produce: a fake sink that acknowledges when and in what order it
// likes, fails, hangs or panics; days that panic; signals and stops.

func TestModelOfProduce(t *testing.T) {
	eachSeed(t, "TestModelOfProduce", func(t *testing.T, seed uint64, steps int) *story {
		m := newProduction(t, seed)
		m.live(seed, steps)
		return &m.story
	})
}

// production is one run of Produce, and its sink.
type production struct {
	story
	system *actor.ActorSystem
	rng    *rand.Rand
	config Produce
	cancel context.CancelFunc

	all     []weather.Observation // the days to publish; endless runs don't come to the last
	repeats map[weather.Date]bool // which of them are asked to be repeated
	window  int

	published []weather.Observation // report n is the nth
	originals int                   // of them
	repeated  map[weather.Date]bool // dates published again
	acked     map[weather.Date]bool // dates whose originals are
	waiting   []int64               // numbers that are not acknowledged, in order
	told      *messages.Published   // the last that was
	lastAcked weather.Date          // the greatest
	acks      chan *messages.ReportsAcknowledged
	ended     bool  // acks is closed
	closed    bool  // in order
	aborted   bool  // before that
	final     error // of the sink

	mute, pulling bool          // no acknowledgement comes, no day
	changed       chan struct{} // closed and made anew with either
	refuse        error         // of the next Publish
	crash         string        // who panics next

	acknowledgements int
	signaled         time.Time
	left             int // reports published then, when all stood still; -1: not yet
	disturbed        bool
	stopped          bool      // one of its actors, by its host
	rootStopped      time.Time // if it was the root
	broken           error     // what must end the run
	brokenAt         time.Time

	done   bool
	result error
	endsAt time.Time
	stuck  bool // the days kept the generator from its end
}

var (
	errSink     = errors.New("report 7 could not be published")
	errUnwanted = errors.New("the sink takes nothing")
	errBug      = errors.New("a bug") // of whoever panics
)

func newProduction(t *testing.T, seed uint64) *production {
	rng := rand.New(rand.NewPCG(seed, 0))
	m := &production{
		story: story{began: time.Now()}, system: newSystem(t), rng: rand.New(rand.NewPCG(seed, 1)),
		repeats: map[weather.Date]bool{}, repeated: map[weather.Date]bool{}, acked: map[weather.Date]bool{},
		window: 1 + rng.IntN(1+rng.IntN(100)), changed: make(chan struct{}), told: &messages.Published{}, left: -1,
	}
	m.acks = make(chan *messages.ReportsAcknowledged, m.window)
	n := 30000
	if rng.IntN(3) == 0 {
		n = rng.IntN(600)
	}
	d, _ := weather.NewDate(1990, 1, 1)
	share := []float64{0, 0.05, 0.5, 1}[rng.IntN(4)]
	for range n {
		m.all = append(m.all, weather.Observation{Date: d, Degrees: 50 * rng.NormFloat64()})
		m.repeats[d] = rng.Float64() < share
		d = d.Next()
	}
	m.config = Produce{
		Name: "produce", Days: m.days(), Repeat: m.repeat, Sink: m,
		DrainTimeout: []time.Duration{0, 2 * time.Second, time.Minute}[rng.IntN(3)],
	}
	if rng.IntN(3) == 0 {
		m.config.Delay = millis(1 + rng.IntN(50))
	}
	m.note("START: %d days, window %d, %v of them repeated, delay %v, drain time-out %v", n, m.window, share, m.config.Delay, m.config.DrainTimeout)
	return m
}

// days yields the days, slowly or not at all if told so.
func (m *production) days() iter.Seq[weather.Observation] {
	return func(yield func(weather.Observation) bool) {
		for _, o := range m.all {
			m.mu.Lock()
			for m.pulling {
				changed := m.changed
				m.mu.Unlock()
				<-changed
				m.mu.Lock()
			}
			crash := m.strikes("days")
			m.mu.Unlock()
			if crash {
				panic(errBug)
			}
			if !yield(o) {
				return
			}
		}
	}
}

func (m *production) repeat(d weather.Date) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.strikes("repeat") {
		panic(errBug)
	}
	return m.repeats[d]
}

// strikes tells whether somebody panics now, which must end the run.
func (m *production) strikes(who string) bool {
	if m.crash != who {
		return false
	}
	m.crash = ""
	m.note("%s panics", who)
	m.breaks(errBug)
	return true
}

// breaks notes why the run must end, by an error that wraps err.
func (m *production) breaks(err error) {
	if m.brokenAt.IsZero() {
		m.broken, m.brokenAt = err, time.Now()
	}
}

func (m *production) Window() int                                        { return m.window }
func (m *production) Acknowledged() <-chan *messages.ReportsAcknowledged { return m.acks }

func (m *production) Err() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.final
}

func (m *production) Publish(b *messages.ReportBatch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed || m.aborted || len(b.GetDates()) == 0 {
		m.fail("published %d reports after the end (closed: %v, aborted: %v)", len(b.GetDates()), m.closed, m.aborted)
		return errUnwanted
	}
	if m.strikes("publish") {
		panic(errBug)
	}
	if err := m.refuse; err != nil || m.ended {
		m.refuse = nil
		m.note("publish: refused")
		m.breaks(err)
		if err == nil {
			err = m.final
		}
		return err
	}
	if b.GetFirst() != int64(len(m.published))+1 {
		m.fail("report %d follows report %d", b.GetFirst(), len(m.published))
	}
	for i, date := range b.GetDates() {
		m.take(weather.Observation{Date: weather.Date(date), Degrees: b.GetDegrees()[i]})
	}
	if len(m.waiting) > m.window {
		m.fail("%d reports are in flight, and the window is %d", len(m.waiting), m.window)
	}
	return nil
}

// take checks one report: the next day, or one again that was asked for and is
// acknowledged.
func (m *production) take(o weather.Observation) {
	m.published = append(m.published, o)
	m.waiting = append(m.waiting, int64(len(m.published)))
	if o.Degrees != weather.RepeatDegrees {
		if m.originals >= len(m.all) || o != m.all[m.originals] {
			m.fail("report %d is of %v, and it is not its turn", len(m.published), o.Date)
		}
		m.originals++
		return
	}
	if !m.repeats[o.Date] || m.repeated[o.Date] || !m.acked[o.Date] {
		m.fail("%v is published again: asked for: %v, repeated before: %v, acknowledged: %v", o.Date, m.repeats[o.Date], m.repeated[o.Date], m.acked[o.Date])
	}
	m.repeated[o.Date] = true
}

// acknowledge is the sink's other side: it names some of the reports that are in
// flight, again and again, until it ends.
func (m *production) acknowledge() {
	for {
		m.mu.Lock()
		wait := time.Duration(m.rng.IntN(20_000)) * time.Microsecond
		m.mu.Unlock()
		time.Sleep(wait)
		m.mu.Lock()
		if m.ended {
			m.mu.Unlock()
			return
		}
		if !m.mute && len(m.waiting) > 0 {
			m.acknowledgeSome()
		}
		m.mu.Unlock()
	}
}

func (m *production) acknowledgeSome() {
	n := 1 + m.rng.IntN(len(m.waiting))
	ack := &messages.ReportsAcknowledged{}
	for range n {
		i := 0
		if m.rng.IntN(4) == 0 { // of another partition
			i = m.rng.IntN(len(m.waiting))
		}
		number := m.waiting[i]
		m.waiting = append(m.waiting[:i:i], m.waiting[i+1:]...)
		ack.Numbers = append(ack.Numbers, number)
		o := m.published[number-1]
		m.lastAcked = max(m.lastAcked, o.Date)
		if o.Degrees != weather.RepeatDegrees {
			m.acked[o.Date] = true
		}
	}
	m.acknowledgements += n
	m.acks <- ack // there is room: it holds a window
}

func (m *production) end() {
	if !m.ended {
		m.ended = true
		close(m.acks)
	}
}

func (m *production) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.waiting) > 0 || m.closed || m.aborted {
		m.fail("closed with %d reports in flight; before: %v, aborted: %v", len(m.waiting), m.closed, m.aborted)
	}
	m.closed = true
	m.end()
}

func (m *production) Abort() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.aborted = m.aborted || !m.closed
	m.end()
}

// heard checks what is told of the progress.
func (m *production) heard(event any) {
	e, ok := event.(*messages.Event)
	if !ok || e.GetPublished() == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now, before := e.GetPublished(), m.told
	if now.GetHandedOver() > int64(len(m.published)) || now.GetAcknowledged() > int64(m.acknowledgements) || now.GetRepeats() > int64(len(m.repeated)) ||
		weather.Date(now.GetLastDate()) > m.lastAcked || now.GetAcknowledged() > now.GetHandedOver() {
		m.fail("told %v; %d were handed over, %d acknowledged, %d repeated", now, len(m.published), m.acknowledgements, len(m.repeated))
	}
	if now.GetHandedOver() < before.GetHandedOver() || now.GetAcknowledged() < before.GetAcknowledged() || now.GetRepeats() < before.GetRepeats() || now.GetLastDate() < before.GetLastDate() {
		m.fail("told %v after %v", now, before)
	}
	m.told = now
}

func (m *production) live(seed uint64, steps int) {
	subscription := m.system.EventStream.Subscribe(m.heard)
	defer m.system.EventStream.Unsubscribe(subscription)
	ctx, cancel := context.WithCancel(context.Background())
	m.cancel = cancel
	go m.acknowledge()
	go func() {
		err := Run(ctx, m.system, m.config)
		m.mu.Lock()
		defer m.mu.Unlock()
		m.done, m.result, m.endsAt, m.stuck = true, err, time.Now(), m.pulling
		m.note("END: %v", err)
	}()
	synctest.Wait()
	for i := range steps {
		rng := rand.New(rand.NewPCG(seed, 10000+uint64(i)))
		m.step(rng)
		wait := rng.IntN(1 + rng.IntN(400))
		if m.mute && rng.IntN(4) == 0 {
			wait *= 50
		}
		time.Sleep(millis(wait))
		synctest.Wait()
		if m.look(); len(m.wrong) > 0 || m.done {
			break
		}
	}
	m.heal()
}

func (m *production) step(rng *rand.Rand) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch n := rng.IntN(100); {
	case n < 55:
	case n < 65:
		m.mute = !m.mute
		m.note("acknowledgements come: %v", !m.mute)
	case n < 75:
		m.pulling = !m.pulling
		m.note("days come: %v", !m.pulling)
		close(m.changed)
		m.changed = make(chan struct{})
	case n < 82:
		m.system.Root.Send(m.root(), m.told) // once more
		m.system.Root.Send(m.root("/generator"), &messages.BatchApplied{})
	case n < 84:
		m.refuse = errUnwanted
		m.note("the next batch is refused")
	case n < 86:
		m.crash = []string{"days", "repeat", "publish"}[rng.IntN(3)]
		m.note("%s is to panic", m.crash)
	case n < 88:
		m.sinkFails()
	case n < 97:
		m.signal()
	case !m.stopped && !m.done:
		m.note("the host stops %s", []string{"the root", "the producer", "the generator"}[n-97])
		m.stopped = true
		if n == 97 {
			m.rootStopped = time.Now()
		}
		m.system.Root.Stop(m.root([]string{"", "/producer", "/generator"}[n-97]))
	}
}

func (m *production) root(child ...string) *actor.PID {
	return actor.NewPID(m.system.Address(), "produce"+strings.Join(child, ""))
}

// sinkFails is the sink's first final error: it acknowledges nothing more, and
// what was handed over may or may not be in the log.
func (m *production) sinkFails() {
	if m.ended || m.final != nil {
		return
	}
	m.note("the sink fails")
	m.final = errSink
	m.breaks(errSink)
	m.end()
}

func (m *production) signal() {
	if m.done || !m.signaled.IsZero() {
		return
	}
	m.note("SIGNAL: %d published, %d acknowledged", len(m.published), m.acknowledgements)
	m.signaled = time.Now()
	m.cancel()
	m.mu.Unlock()
	synctest.Wait()
	m.mu.Lock()
	m.left = len(m.published)
}

// heal lets what hangs go on, and the run come to its end.
func (m *production) heal() {
	m.mu.Lock()
	m.note("nothing goes wrong any more")
	m.mute, m.pulling, m.crash, m.refuse = false, false, "", nil
	close(m.changed)
	m.changed = make(chan struct{})
	m.mu.Unlock()
	time.Sleep(time.Second)
	m.mu.Lock()
	before := len(m.published)
	m.mu.Unlock()
	time.Sleep(2 * time.Second)
	synctest.Wait()
	m.mu.Lock()
	if !m.done && m.signaled.IsZero() && before == len(m.published) && m.originals < len(m.all) {
		m.fail("it publishes nothing any more: %d are in flight", len(m.waiting))
	}
	m.signal()
	m.mu.Unlock()
	time.Sleep(2 * time.Minute)
	synctest.Wait()
	m.look()
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.done || !m.ended {
		m.fail("it has ended: %v, the sink, too: %v", m.done, m.ended)
	}
	for _, name := range processes(m.system) {
		if strings.HasPrefix(name, "produce") {
			m.fail("%s is left", name)
		}
	}
	m.lookAtEnd()
}

// look checks the run while it stands still.
func (m *production) look() {
	m.mu.Lock()
	defer m.mu.Unlock()
	now, end := time.Now(), m.config.drainTimeout()+millis(10)
	if m.done {
		now = m.endsAt
	}
	for what, since := range map[string]time.Time{"its signal": m.signaled, "its root was stopped": m.rootStopped, "what broke it": m.brokenAt} {
		if !since.IsZero() && now.Sub(since) > end {
			m.fail("ended: %v, %v after %s", m.done, now.Sub(since), what)
		}
	}
	m.disturbed = m.disturbed || !m.signaled.IsZero() && m.mute
	if m.left >= 0 && len(m.published) > m.left {
		m.fail("%d reports were published after the signal", len(m.published)-m.left)
	}
}

// lookAtEnd checks how the run has ended.
func (m *production) lookAtEnd() {
	err, all := m.result, len(m.published)
	asked, broken := !m.signaled.IsZero(), !m.brokenAt.IsZero()
	switch {
	case err == nil:
		m.lookAtGoodEnd(all)
	case broken && errors.Is(err, m.broken):
	case m.stopped && errors.Is(err, ErrStopped):
	case asked && m.stuck && errors.Is(err, ErrDrain): // it can't say what is left
	case asked && m.disturbed && errors.Is(err, ErrDrain):
		m.lookAtDrain(err)
	default:
		m.fail("ended with %v; broken by %v (%v), stopped: %v, signaled: %v", err, m.broken, broken, m.stopped, asked)
	}
}

func (m *production) lookAtGoodEnd(all int) {
	finished := m.originals == len(m.all)
	if m.signaled.IsZero() && !finished || !m.closed || m.aborted || m.acknowledgements != all || m.final != nil {
		m.fail("ended well: all days: %v, closed: %v, aborted: %v, %d of %d acknowledged", finished, m.closed, m.aborted, m.acknowledgements, all)
	}
	if m.told.GetAcknowledged() != int64(all) || m.told.GetHandedOver() != int64(all) || m.told.GetRepeats() != int64(len(m.repeated)) {
		m.fail("told at last %v, want all %d, %d of them repeated", m.told, all, len(m.repeated))
	}
	if !m.signaled.IsZero() {
		return
	}
	for _, o := range m.all {
		if m.repeats[o.Date] != m.repeated[o.Date] {
			m.fail("%v was repeated: %v, asked for: %v", o.Date, m.repeated[o.Date], m.repeats[o.Date])
		}
	}
}

// lookAtDrain checks the numbers of an error that says what is left.
func (m *production) lookAtDrain(err error) {
	_, text, _ := strings.Cut(err.Error(), ": ")
	_, text, _ = strings.Cut(text, ": ")
	var open, of int
	if _, e := fmt.Sscanf(text, "%d of %d reports", &open, &of); e != nil || of != len(m.published) || open < of-m.acknowledgements || open < 1 {
		m.fail("%v: %d of %d are not acknowledged", err, len(m.published)-m.acknowledgements, len(m.published))
	}
}
