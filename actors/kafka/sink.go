package kafka

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

var (
	// ErrSinkClosed: the sink takes no more reports.
	ErrSinkClosed = errors.New("sink is closed")
	// ErrGivenUp: a report was not acknowledged, and is tried no more.
	ErrGivenUp = errors.New("given up")
)

// window is how many reports may be under way: enough that the next request to
// each leader fills up while the one before is being answered. More is no faster,
// and leaves more to wait for at the end.
const window = 8192

// Sink publishes reports to a topic, in order, each once in the log however
// often it must be sent, acknowledged by all in-sync replicas. It fits the Sink
// of package actors. [NewSink] makes one.
//
// The first report that is given up is the end of a sink: its connections are
// closed at once, and nothing more is handed over. "Given up" means unknown: it
// may be in the log all the same, and so may reports behind it that were handed
// over before.
//
// Publish and Close are for one goroutine, the other methods for any.
type Sink struct {
	topic    string
	conns    *connections
	client   sarama.Client
	producer sarama.AsyncProducer

	queue chan *messages.ReportBatch         // Publish to feed
	fed   chan int64                         // feed to collect: how many reports the producer was given
	acks  chan *messages.ReportsAcknowledged // collect to the caller
	ended chan struct{}                      // closed when nothing of the sink is left running

	retries atomic.Int64 // waits to try something again

	closed bool // of Publish and Close

	dying   sync.Once
	dead    chan struct{} // closed by the first failure, or by Abort
	aborted atomic.Bool   // says so, too, where it is asked for each report
	failure error         // written before dead and acks are closed
}

// Window returns how many reports may be handed over and not yet acknowledged.
// Up to there Publish does not block.
func (s *Sink) Window() int { return window }

// Publish hands reports over and returns without waiting for them. The sink
// keeps the batch, which nobody may change any more. The error says that a
// report is not one that could be counted, or is [ErrSinkClosed]; then none of
// the batch is published.
func (s *Sink) Publish(batch *messages.ReportBatch) error {
	if s.closed || s.aborted.Load() {
		return ErrSinkClosed
	}
	if err := checkReports(batch); err != nil || len(batch.GetDates()) == 0 {
		return err
	}
	select {
	case s.queue <- batch:
		return nil
	case <-s.dead:
		return ErrSinkClosed
	}
}

func checkReports(batch *messages.ReportBatch) error {
	degrees := batch.GetDegrees()
	if len(degrees) != len(batch.GetDates()) {
		return fmt.Errorf("publish: %d dates, but %d degrees", len(batch.GetDates()), len(degrees))
	}
	for i, date := range batch.GetDates() {
		o := weather.Observation{Date: weather.Date(date), Degrees: degrees[i]}
		if err := o.Check(); err != nil {
			return fmt.Errorf("publish report %d: %w", batch.GetFirst()+int64(i), err)
		}
	}
	return nil
}

// Acknowledged tells which reports are in the log, as many at a time as are
// there. It must be read until it is closed, which it is after the last report
// that was handed over before Close is acknowledged, and soon after the first
// failure or Abort. What it has told is a lower bound then: later reports may be
// in the log, too.
func (s *Sink) Acknowledged() <-chan *messages.ReportsAcknowledged { return s.acks }

// Err returns, once Acknowledged is closed, which report was given up first and
// why; nil if none was.
func (s *Sink) Err() error {
	select {
	case <-s.dead:
		return s.failure
	default:
		return nil
	}
}

// Close says that nothing more will be published. It returns at once;
// Acknowledged is closed when everything is acknowledged, or has failed.
func (s *Sink) Close() {
	if !s.closed {
		s.closed = true
		close(s.queue)
	}
}

// Abort ends the sink at once: it closes the connections and with them whatever
// is under way. It returns without waiting, and has no effect once the sink has
// ended.
func (s *Sink) Abort() { s.die(nil) }

func (s *Sink) die(failure error) {
	s.dying.Do(func() {
		s.failure = failure
		s.aborted.Store(true)
		close(s.dead)
		s.conns.close()
	})
}

// feed hands the reports to the producer, which makes it wait as it pleases.
func (s *Sink) feed() {
	given := int64(0)
	defer func() { s.fed <- given }()
	for {
		select {
		case <-s.dead:
			return
		case batch, ok := <-s.queue:
			if !ok {
				return
			}
			given += s.hand(batch)
		}
	}
}

func (s *Sink) hand(batch *messages.ReportBatch) (given int64) {
	reports := s.outgoing(batch)
	for i := range reports {
		if s.aborted.Load() {
			break
		}
		s.producer.Input() <- &reports[i].message
		given++
	}
	return given
}
