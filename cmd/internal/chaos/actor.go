package chaos

import (
	"context"
	"fmt"
	"regexp"
	"time"
)

// actor is a process that is killed and started again.
type actor struct {
	name       string
	args       []string
	flood      []string // for a life in which it publishes as fast as it can; nil if it does not
	partitions []int32  // that it counts

	*process
	flooding bool
	offsets  map[int32]int64 // that its files had after a kill
}

func (a *actor) begin(p *program, flood bool) (err error) {
	args := a.args
	if a.flooding = flood && a.flood != nil; a.flooding {
		args = a.flood
	}
	a.process, err = p.start(a.name, args...)
	return err
}

// end ends it at once, if it runs.
func (a *actor) end() {
	if a.process != nil {
		a.kill()
		a.close()
		a.process = nil
	}
}

// checkFiles looks at what it left behind when it was killed: whole files, that
// are not behind what they were.
func (a *actor) checkFiles(dir string) error {
	for _, p := range a.partitions {
		f, err := readFile(dir, p)
		if err != nil {
			return &programError{"after a kill: " + err.Error()}
		}
		if f.offset < a.offsets[p] {
			return &programError{fmt.Sprintf("after a kill: %s went back from offset %d to %d", pathOf(dir, p), a.offsets[p], f.offset)}
		}
		if a.offsets == nil {
			a.offsets = map[int32]int64{}
		}
		a.offsets[p] = f.offset
	}
	return nil
}

// fire starts all, and kills and cuts by schedule until there were kills enough.
func (r *run) fire(ctx context.Context) error {
	for _, a := range r.actors {
		if a != nil {
			if err := a.begin(r.program, false); err != nil {
				return err
			}
		}
	}
	for s := newSchedule(r.Seed); r.report.Kills() < r.Kills; {
		if err := r.take(ctx, s.next()); err != nil {
			return err
		}
	}
	return nil
}

// take takes a step of the schedule.
func (r *run) take(ctx context.Context, s step) error {
	if s.working {
		before := r.counted()
		if _, err := r.until(ctx, workLimit, func() bool { return r.calendarOver || r.counted() > before }); err != nil {
			return err
		}
	}
	if err := r.wait(ctx, s.pause); err != nil {
		return err
	}
	if r.proxy != nil {
		r.proxy.lose(s.loseAcks, s.cutAnswers)
	}
	struck, err := r.strike(s.victims)
	if err != nil {
		return err
	}
	if !r.embedded() {
		s.outage = noOutage
	}
	if err := r.endBroker(s.outage); err != nil {
		return err
	}
	for _, a := range struck {
		if err := a.begin(r.program, s.flood); err != nil {
			return err
		}
		r.report.Restarts++
	}
	if s.outage == noOutage {
		return nil
	}
	if err := r.wait(ctx, s.down); err != nil {
		return err
	}
	return r.beginBroker(ctx)
}

// strike kills those that are to be killed and still run, all at once, and
// returns those that it hit.
func (r *run) strike(chosen [victims]bool) (struck []*actor, err error) {
	for i, a := range r.actors {
		if chosen[i] && a != nil && a.process != nil {
			a.strike()
			struck = append(struck, a)
		}
	}
	for _, a := range struck {
		switch killed := a.kill(); {
		case !killed: // it was faster, and ended by itself
			if _, err := r.judgeEnd(a); err != nil {
				return nil, err
			}
		case len(a.partitions) == 0:
			r.report.ProducerKills++
		default:
			r.report.ConsumerKills++
		}
		if err := a.checkFiles(r.files()); err != nil {
			return nil, err
		}
		a.end()
	}
	return struck, nil
}

// What a process says that lost its broker at its start, and what one says that
// has come further.
var (
	lostAtStart = regexp.MustCompile(`(?m)^weatheractors: .*(connect to broker|ask broker|no broker can be reached)`)
	cameFurther = regexp.MustCompile(`msg=(published|counting)\b`)
)

// judgeEnd judges a process that ended by itself. A producer may, once it has
// published all that it was told to; and so may whoever loses its broker at its
// start: then it has done nothing, and said so.
func (r *run) judgeEnd(a *actor) (gaveUp bool, err error) {
	code := a.cmd.ProcessState.ExitCode()
	switch {
	case code == 0 && len(a.partitions) == 0:
		return false, nil
	case code == 1 && lostAtStart.MatchString(a.wrote()) && !cameFurther.MatchString(a.wrote()):
		r.report.GaveUp++
		return true, nil
	}
	return false, a.failed(fmt.Sprintf("ended by itself, with exit status %d", code))
}

// tend looks after processes that ended by themselves.
func (r *run) tend() error {
	r.progress()
	if r.broker != nil && !r.broker.running() && !r.brokerDown {
		return r.broker.failed("ended by itself")
	}
	for _, a := range r.actors {
		if a == nil || a.process == nil || a.running() {
			continue
		}
		gaveUp, err := r.judgeEnd(a)
		if err != nil {
			return err
		}
		again := gaveUp || a.flooding
		a.end()
		if !again {
			r.calendarOver = true
			continue
		}
		if err := a.begin(r.program, false); err != nil {
			return err
		}
	}
	return nil
}

// endBroker stops the broker, or kills it.
func (r *run) endBroker(how outage) error {
	switch how {
	case noOutage:
		return nil
	case brokerStopped:
		if err := r.broker.stop(); err != nil {
			return err
		}
		r.report.BrokerStops++
	case brokerKilled:
		if !r.broker.kill() {
			return r.broker.failed("ended by itself")
		}
		r.report.BrokerKills++
	}
	r.brokerDown = true
	r.broker.close()
	return nil
}

// beginBroker starts the broker again, at its old address. Another program may
// have that for a moment.
func (r *run) beginBroker(ctx context.Context) (err error) {
	for deadline := time.Now().Add(patience); ; {
		var broker *process
		if broker, _, err = r.program.startBroker(r.address, r.brokerData()); err == nil {
			r.broker, r.brokerDown = broker, false
			return nil
		}
		if time.Now().After(deadline) {
			return err
		}
		if err := r.wait(ctx, 10*glance); err != nil {
			return err
		}
	}
}
