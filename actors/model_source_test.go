package actors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/weatheractors/weatheractors/messages"
)

var errBroker = errors.New("broker: connection lost")

// modelSource is the model's topic as actors see it.
type modelSource struct{ *world }

// reading is one call of Read, and so one incarnation.
type reading struct {
	p        *modelPartition
	request  *messages.ReadRequest
	from     *modelLog // whose records below request.Offset were counted
	log      *modelLog // as it was at the last fetch
	next     int64     // of the last batch that was fetched
	held     int64     // the log is known to be what was counted up to here
	batches  []delivered
	epochs   []*messages.LeaderEpoch
	sent     int   // batches that were handed over
	surely   int64 // next of the last one of them
	counted  int   // batches that were counted
	strays   int   // messages from outside that may have released a credit
	position int64 // up to which it was counted
	durable  int64 // up to which it was made durable
	kept     int64 // bytes of rejects up to next
	fatal    int64 // offset of the record that ends the run; -1: none yet
	active   bool
	cache    map[int64]counts
}

type delivered struct {
	base, next int64
	log        *modelLog
}

// logAt returns the log that was counted up to an offset; nil if that is not
// where a batch ended.
func (r *reading) logAt(offset int64) *modelLog {
	if offset == r.request.GetOffset() {
		return r.from
	}
	for _, b := range slices.Backward(r.batches) {
		if offset == b.next || offset == r.fatal && b.base < offset && offset < b.next {
			return b.log
		}
	}
	return nil
}

// at returns what must be counted up to an offset.
func (r *reading) at(offset int64) counts {
	c, found := r.cache[offset]
	if !found {
		log := r.logAt(offset)
		if log == nil {
			return counts{}
		}
		c = log.count(offset, r.request.GetTopic().GetGaps())
		r.cache[offset] = c
	}
	return c
}

// topicAt returns what must be known of the topic up to an offset.
func (r *reading) topicAt(offset int64) *messages.CountedTopic {
	t := r.request.GetTopic()
	topic := &messages.CountedTopic{Name: t.GetName(), Id: t.GetId(), Gaps: t.GetGaps(), Epochs: slices.Clone(t.GetEpochs())}
	for _, e := range r.epochs {
		if e.GetFirstOffset() < offset {
			topic.Epochs = append(topic.Epochs, e)
		}
	}
	return topic
}

func (s modelSource) Describe(ctx context.Context, partition int32) (*messages.PartitionRange, error) {
	p := s.parts[partition]
	s.mu.Lock()
	f, faulty := s.take(&p.describes)
	s.mu.Unlock()
	s.suffer(ctx.Done(), p, f)
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil && !f.deaf {
		p.blame = "the opening was canceled"
		return nil, ctx.Err()
	}
	if faulty && f.err != nil {
		s.note("p%d: describe: %v", partition, f)
		p.blame = f.what
		return nil, f.err
	}
	p.described = &messages.PartitionRange{Topic: "temperatures", TopicId: p.log.id, LogStartOffset: p.log.start, LastStableOffset: p.log.end()}
	s.predict(p)
	return proto.CloneOf(p.described), nil
}

// predict finds out whether the opening must end the run. Whether the root heard
// that the log lost its tail is not known: another failure may have come first.
func (w *world) predict(p *modelPartition) {
	d := &p.disk
	recreated := d.offset > 0 && string(d.topic.GetId()) != string(p.log.id)
	switch c := w.run.config; {
	case recreated && !c.ResetOnRecreate:
		w.expect(messages.ErrTopicRecreated, fmt.Sprintf("p%d: opening", p.number), true)
	case !recreated && d.offset > 0 && d.offset < p.log.start && !c.SkipGaps:
		w.expect(messages.ErrOffsetGone, fmt.Sprintf("p%d: opening", p.number), !p.truncated)
	}
}

func (s modelSource) Read(ctx context.Context, req *messages.ReadRequest, deliver func(*messages.RecordBatch) error, trouble func(error)) error {
	r := s.begin(req)
	defer func() {
		s.mu.Lock()
		r.active = false
		s.mu.Unlock()
	}()
	for req.GetUntil() < 0 || r.next < req.GetUntil() {
		if err := ctx.Err(); err != nil {
			return err
		}
		b, wait, err := s.fetch(ctx, r, trouble)
		if err != nil {
			return err
		}
		if b == nil {
			select {
			case <-wait:
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err := deliver(b); err != nil {
			return err
		}
		s.delivered(r, b)
	}
	return nil
}

// begin checks what is asked for.
func (s modelSource) begin(req *messages.ReadRequest) *reading {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.parts[req.GetPartition()]
	if p.reading != nil && p.reading.active {
		s.fail("p%d: read by two at once", p.number)
	}
	d := &p.disk
	r := &reading{
		p: p, request: req, from: d.log, log: d.log, next: req.GetOffset(), held: d.offset, position: req.GetOffset(), durable: d.offset,
		kept: sizeOf(d.rejects), fatal: -1, active: true, cache: map[int64]counts{},
	}
	want, offset := d.loaded(), max(d.offset, p.described.GetLogStartOffset())
	if d.offset == 0 {
		want = &messages.CountedTopic{Name: "temperatures", Id: p.described.GetTopicId()}
		r.from, r.log = p.log, p.log
	}
	if offset > d.offset {
		want.Gaps = append(want.Gaps, &messages.Gap{Base: d.offset, Next: offset})
	}
	if req.GetOffset() != offset || !proto.Equal(req.GetTopic(), want) {
		s.fail("p%d: asked to read from %d of %v, want from %d of %v", p.number, req.GetOffset(), req.GetTopic(), offset, want)
	}
	if !slices.Equal(d.topic.GetId(), want.GetId()) || !slices.EqualFunc(d.topic.GetGaps(), want.GetGaps(), func(a, b *messages.Gap) bool { return proto.Equal(a, b) }) {
		s.fail("p%d: read before its topic is durable: %v, want %v", p.number, d.topic, want)
	}
	end := int64(-1)
	if s.run.config.UntilEnd {
		end = p.until
		if p.until < 0 || d.offset == 0 {
			end = p.described.GetLastStableOffset()
		}
	}
	if req.GetUntil() != end {
		s.fail("p%d: asked to read until %d, want %d", p.number, req.GetUntil(), end)
	}
	p.until, p.truncated = end, false
	if p.store != nil {
		p.store.opens = false
	}
	p.reading = r
	p.readings = append(p.readings, r)
	s.note("p%d: reads from %d until %d", p.number, req.GetOffset(), req.GetUntil())
	return r
}

// fetch returns the next batch, or what to wait for.
func (s modelSource) fetch(ctx context.Context, r *reading, trouble func(error)) (*messages.RecordBatch, <-chan struct{}, error) {
	p := r.p
	s.mu.Lock()
	f, faulty := s.take(&p.fetches)
	s.mu.Unlock()
	if f.what == "trouble" {
		trouble(errBroker)
	}
	s.suffer(ctx.Done(), p, f)
	if f.what == "trouble" {
		trouble(nil)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	if err := s.stillThere(r); err != nil {
		return nil, nil, err
	}
	if faulty {
		s.note("p%d: fetch at %d: %v", p.number, r.next, f)
		switch {
		case f.panic:
			p.blame = f.what
			panic("a bug in the source")
		case f.err != nil:
			if messages.IsPermanent(f.err) {
				s.expect(f.err, fmt.Sprintf("p%d: fetch", p.number), p.blame == "")
			}
			p.blame = f.what
			return nil, nil, f.err
		case f.takes == 0 && !f.hangs:
			if b := s.poisoned(r, f); b != nil {
				p.blame = f.what
				return b, nil, nil
			}
		}
	}
	if r.next >= p.log.end() {
		return nil, s.changed, nil
	}
	b := s.batch(r)
	s.seal(b)
	s.keep(lateMessage{p.number, s.run.name, int64(len(p.readings)), p.log, b})
	r.batches = append(r.batches, delivered{b.Base, b.Next, p.log})
	r.log, r.next, r.held = p.log, b.Next, b.Next
	r.epochs = append(r.epochs, b.Epochs...)
	return b, nil, nil
}

// stillThere tells whether the log still is the one that is read.
func (s modelSource) stillThere(r *reading) error {
	p := r.p
	var err error
	allowed := s.run.config.ResetOnRecreate
	switch {
	case string(r.request.GetTopic().GetId()) != string(p.log.id):
		err = messages.ErrTopicRecreated
	case common(r.log, p.log) < r.held || r.next > p.log.end():
		err = messages.ErrLogTruncated
		p.truncated = true
	case r.next < p.log.start:
		err = messages.ErrOffsetGone
		allowed = s.run.config.SkipGaps
	default:
		return nil
	}
	s.note("p%d: fetch at %d: %v", p.number, r.next, err)
	if !allowed {
		s.expect(err, fmt.Sprintf("p%d: fetch", p.number), p.blame == "")
	}
	p.blame, s.shaken = err.Error(), time.Now()
	return fmt.Errorf("partition %d: %w", p.number, err)
}

// batch makes what a fetch returns: some entries, whatever they are.
func (s modelSource) batch(r *reading) *messages.RecordBatch {
	p := r.p
	size := 1 + int64(p.rng.IntN(10))
	if p.rng.IntN(8) == 0 {
		size *= 20
	}
	b := &messages.RecordBatch{Partition: p.number, Base: r.next, LastStableOffset: p.log.end()}
	b.Next = min(r.next+size, p.log.end())
	epoch := int32(-1)
	if known := r.topicAt(r.next).GetEpochs(); len(known) > 0 {
		epoch = known[len(known)-1].GetEpoch()
	}
	for offset := b.Base; offset < b.Next; offset++ {
		e := p.log.entries[offset]
		if e.epoch != epoch {
			epoch = e.epoch
			b.Epochs = append(b.Epochs, &messages.LeaderEpoch{Epoch: epoch, FirstOffset: offset})
		}
		switch {
		case e.reject:
			reject := rejectAt(offset)
			reject.Preceding = int32(len(b.Dates))
			if c := s.run.config; r.fatal < 0 && (c.FailOnInvalid || r.kept >= c.rejectLimit()) {
				r.fatal = offset
				s.expect(ErrInvalidRecord, fmt.Sprintf("p%d: offset %d", p.number, offset), false)
			}
			r.kept += rejectSize(reject)
			b.Rejects = append(b.Rejects, reject)
		case e.date != 0:
			b.Dates = append(b.Dates, int32(e.date))
			b.Degrees = append(b.Degrees, e.degrees)
		}
	}
	return b
}

// poisoned makes a batch that no source would deliver.
func (s modelSource) poisoned(r *reading, f fault) *messages.RecordBatch {
	p := r.p
	if f.what == "a batch again" {
		if len(r.batches) == 0 {
			return nil
		}
		for _, m := range slices.Backward(s.late) {
			if b, ok := m.message.(*messages.RecordBatch); ok && m.partition == p.number && m.log == r.log && b.GetNext() == r.next {
				return b
			}
		}
		return nil
	}
	if r.next+2 > p.log.end() {
		return nil
	}
	saved := r.next
	if f.what == "a batch that skips" {
		r.next++
	}
	fatal, kept := r.fatal, r.kept
	b := s.batch(r)
	r.next, r.fatal, r.kept = saved, fatal, kept
	switch f.what {
	case "a batch that ends where it begins":
		b.Next = b.Base
	case "a batch with a date too many":
		b.Dates = append(b.Dates, 1)
	case "a batch with an impossible date":
		b.Dates, b.Degrees, b.Rejects = append(b.Dates, 0), append(b.Degrees, 5), nil
	}
	return b
}

// delivered checks what was promised when a batch may be forgotten.
func (s modelSource) delivered(r *reading, b *messages.RecordBatch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.sent++
	r.surely = b.GetNext()
	if left := r.sent - r.counted - r.strays; left > batchesInFlight {
		s.fail("p%d: %d batches are in flight", r.p.number, left)
	}
	if len(b.GetRejects()) > 0 && r.strays == 0 && r.durable < b.GetNext() {
		s.fail("p%d: a batch with rejects up to %d was answered, and %d is durable", r.p.number, b.GetNext(), r.durable)
	}
}
