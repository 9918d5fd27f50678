package kafka

import (
	"runtime"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/messages"
)

// mostAcks is the most reports that one message acknowledges, so that its
// receiver makes room for more while the rest is gathered.
const mostAcks = window / 4

// collector takes the producer's answers and passes the good ones on, as many at
// a time as are there.
//
// Invariant: acks.Numbers are acknowledged and not passed on yet.
type collector struct {
	*Sink
	given    int64 // reports that the producer was given; -1 while more may come
	answered int64
	told     bool // Acknowledged is closed
	acks     *messages.ReportsAcknowledged
}

func (s *Sink) collect() {
	defer close(s.ended)
	c := &collector{Sink: s, given: -1, acks: new(messages.ReportsAcknowledged)}
	for c.given < 0 || !c.told && c.answered < c.given {
		c.step()
	}
	c.tellRest()
	s.endProducer()
	_ = s.client.Close() // fails only if it was closed before
	s.conns.close()
}

// endProducer ends the producer, which must have answered everything that it was
// given, unless the sink is dead: closed during a retry, sarama reports failures
// of records that are in the log.
func (s *Sink) endProducer() {
	s.producer.AsyncClose()
	for successes, errors := s.producer.Successes(), s.producer.Errors(); successes != nil || errors != nil; {
		select {
		case _, ok := <-successes:
			if !ok {
				successes = nil
			}
		case _, ok := <-errors:
			if !ok {
				errors = nil
			}
		}
	}
}

func (c *collector) step() {
	var out chan<- *messages.ReportsAcknowledged
	if len(c.acks.Numbers) > 0 && !c.told {
		out = c.Sink.acks
	}
	dead := c.dead
	if c.told {
		dead = nil
	}
	c.acks.Retries = c.retries.Load()
	select {
	case message := <-c.producer.Successes():
		c.gather(message)
	case failed := <-c.producer.Errors():
		c.answered++
		c.die(failure(failed))
	case c.given = <-c.fed:
	case out <- c.acks:
		c.acks = new(messages.ReportsAcknowledged)
	case <-dead:
		c.tellRest()
	}
}

// gather takes an acknowledgement, and those that follow at once.
func (c *collector) gather(message *sarama.ProducerMessage) {
	for more := true; more; message, more = c.next() {
		c.answered++
		c.acks.Numbers = append(c.acks.Numbers, message.Metadata.(*outgoing).number)
		if len(c.acks.Numbers) >= mostAcks {
			return
		}
	}
}

// next returns the next acknowledgement if there is one. The producer hands them
// over one by one, so it is given a chance to come with the next.
func (c *collector) next() (*sarama.ProducerMessage, bool) {
	for range 2 {
		select {
		case message := <-c.producer.Successes():
			return message, true
		default:
			runtime.Gosched()
		}
	}
	return nil, false
}

// tellRest passes on what is left and closes Acknowledged. If the sink is dead,
// it does not wait for anybody.
func (c *collector) tellRest() {
	if c.told {
		return
	}
	c.told = true
	defer close(c.Sink.acks)
	if len(c.acks.Numbers) == 0 {
		return
	}
	select {
	case c.Sink.acks <- c.acks: // there is room for one
		return
	default:
	}
	select {
	case c.Sink.acks <- c.acks:
	case <-c.dead:
	}
}
