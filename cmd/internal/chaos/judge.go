package chaos

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"
)

// cameUp is what a producer says once it has something to publish: by then it
// listens to signals.
var cameUp = regexp.MustCompile(`msg=(resuming|"nothing is missing")`)

// settled is how many records are counted after the last kill before the
// processes are asked to end.
const settled = 200

// ceaseFire lets the processes go on undisturbed for a moment, and then asks them
// to end, as their users would.
func (r *run) ceaseFire(ctx context.Context) error {
	r.Log.Info("cease fire", "kills", r.report.Kills())
	if _, err := r.until(ctx, patience, func() bool { return !r.actors[producer].flooding }); err != nil {
		return err
	}
	// What was counted of a flood says nothing of a producer that has just begun.
	if _, err := r.until(ctx, patience, func() bool {
		p := r.actors[producer].process
		return r.calendarOver || p != nil && cameUp.MatchString(p.wrote())
	}); err != nil {
		return err
	}
	enough := r.counted() + settled
	faultsOver := func() bool {
		if r.proxy == nil {
			return true
		}
		_, _, all := r.proxy.done()
		return all
	}
	is, err := r.until(ctx, patience, func() bool { return r.calendarOver || r.counted() >= enough && faultsOver() })
	if err != nil {
		return err
	}
	if !is {
		return &programError{fmt.Sprintf("%v after the last kill less than %d records more were counted", patience, settled)}
	}
	for _, a := range r.actors {
		if a == nil || a.process == nil {
			continue
		}
		if err := a.stop(); err != nil {
			return err
		}
		a.end()
	}
	said, err := os.ReadFile(r.program.logOf(r.actors[producer].name))
	if err != nil {
		return err
	}
	r.report.Acknowledged, err = acknowledged(string(said))
	return err
}

var publishedLine = regexp.MustCompile(`msg=published acknowledged=\d+ .*\bdate=(\d{4}-\d\d-\d\d)`)

// acknowledged is the last day of which a producer said that it is: one that was
// killed said less than it knew.
func acknowledged(said string) (last time.Time, err error) {
	for _, line := range publishedLine.FindAllStringSubmatch(said, -1) {
		date, err := time.Parse(time.DateOnly, line[1])
		if err != nil {
			return last, err
		}
		if date.After(last) {
			last = date
		}
	}
	return last, nil
}

// judge has the rest counted, and looks at what has come of it all.
func (r *run) judge(ctx context.Context) error {
	t, err := r.complete(ctx)
	if err != nil {
		return err
	}
	r.report.Records, r.report.Days, r.report.First, r.report.Last = t.records, t.days, t.first, t.last
	r.report.Wrong = append(r.report.Wrong, t.wrong(r.report.Acknowledged)...)
	if err := r.checkEnds(ctx, t); err != nil {
		return err
	}
	r.Log.Info("counting the topic again, undisturbed", "records", t.records)
	if err := r.count(ctx, r.undisturbed()); err != nil {
		return err
	}
	differences, err := compare(r.files(), r.undisturbed())
	if err != nil {
		return err
	}
	r.report.Wrong = append(r.report.Wrong, differences...)
	return r.verify(ctx)
}

// complete counts the rest. Where the last producer ended before it had come to
// where the most advanced partition was, it is run once more.
func (r *run) complete(ctx context.Context) (t tally, err error) {
	for range 2 {
		if err := r.count(ctx, r.files()); err != nil {
			return t, err
		}
		if t, err = readTally(r.files(), r.Partitions); err != nil {
			return t, &programError{err.Error()}
		}
		if t.missing == 0 || r.report.Mended > 0 {
			return t, nil
		}
		r.report.Mended = t.missing
		if _, err := r.program.run(ctx, "rest", r.produce(r.direct(), 0, t.missing)...); err != nil {
			return t, err
		}
	}
	return t, nil
}

// count counts all that is in the topic into a folder.
func (r *run) count(ctx context.Context, dir string) error {
	_, err := r.program.run(ctx, "rest", "consume", "--all", "--until-end", "--dir", dir, "--brokers", r.direct())
	return err
}

// wrong says which days should have been counted and were not.
func (t tally) wrong(acknowledged time.Time) (wrong []string) {
	if t.days == 0 {
		return []string{"nothing was counted"}
	}
	if first := day(t.first); first != startDate {
		wrong = append(wrong, fmt.Sprintf("the first day counted is %s, published was from %s on", first, startDate))
	}
	if t.missing > 0 {
		wrong = append(wrong, fmt.Sprintf("%d days are missing: %s", t.missing, strings.Join(t.holes[:min(5, len(t.holes))], "; ")))
	}
	if t.last.Before(acknowledged) {
		wrong = append(wrong, fmt.Sprintf("the last day counted is %s, acknowledged was %s", day(t.last), day(acknowledged)))
	}
	return wrong
}

// checkEnds compares what was read with what the brokers have.
func (r *run) checkEnds(ctx context.Context, t tally) error {
	offsets, err := ends(ctx, r.admin, r.report.Topic)
	if err != nil {
		return err
	}
	for p, offset := range t.offsets {
		if end, found := offsets[int32(p)]; !found || end != offset {
			r.report.Wrong = append(r.report.Wrong, fmt.Sprintf("partition %d was counted up to offset %d, and ends at %d", p, offset, end))
		}
	}
	return nil
}

// verify asks the other witness.
func (r *run) verify(ctx context.Context) error {
	said, err := r.program.run(ctx, "verify", "verify", "--all", "--dir", r.files(), "--brokers", r.direct())
	if err != nil {
		return err
	}
	if equal := strings.Count(said, ": equal: "); equal != int(r.Partitions) {
		r.report.Wrong = append(r.report.Wrong, fmt.Sprintf("verify found %d of %d files equal", equal, r.Partitions))
	}
	return nil
}

// direct is how the processes find the brokers that are not to be disturbed.
func (r *run) direct() string { return strings.Join(r.brokers, ",") }
