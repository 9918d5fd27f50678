package chaos

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

const (
	// startDate is the first day of the topic.
	startDate = "1990-01-01"
	// patience is how long the processes wait for a broker at their start, and how
	// long the run waits for progress.
	patience = time.Minute
	// workLimit is how long a step waits for the processes to get to work.
	workLimit = 5 * time.Second
	// glance is how often a run looks after its processes.
	glance = 10 * time.Millisecond
	// progressInterval is how often a run says how far it has come.
	progressInterval = 2 * time.Second
)

// ErrUnsupported says that a proof needs what this system does not have.
var ErrUnsupported = errors.New("it takes signals, which Windows does not have")

// errInterrupted ends a run that its user has stopped.
var errInterrupted = errors.New("interrupted")

// run is a proof under way. One goroutine does it all.
type run struct {
	Config
	program *program
	proxy   *proxy // nil with TLS
	brokers []string
	admin   *kadm.Client
	actors  [victims]*actor // nil: none, for want of partitions

	broker     *process // nil if it is not the run's own
	address    string   // the broker's
	brokerDown bool     // on purpose

	calendarOver bool      // the producer has published all days that there are
	said         time.Time // when the run last said how far it has come
	report       Report
}

// Run puts the program to the proof, and reports what it found. The error says
// why it could not be finished, which proves nothing; the report then says how
// far it came. When Run returns, no process of it is left.
func Run(ctx context.Context, c Config) (report Report, err error) {
	if runtime.GOOS == "windows" {
		return Report{}, ErrUnsupported
	}
	began := time.Now()
	r := &run{Config: c, said: began, report: Report{Seed: c.Seed, Dir: c.Dir}}
	defer func() {
		r.report.Took = time.Since(began)
		r.report.LostAcks, r.report.CutAnswers = r.cuts()
		if r.report.Records == 0 { // it was not even judged
			r.report.Records = r.counted()
		}
		report = r.report
	}()
	var suffix [6]byte
	_, _ = rand.Read(suffix[:]) // never fails
	r.report.Topic = "weatheractors-chaos-" + hex.EncodeToString(suffix[:])
	logs := filepath.Join(c.Dir, "logs")
	if err := os.Mkdir(logs, 0o755); err != nil {
		return report, err
	}
	program, closeProgram := newProgram(c.Program, append([]string{"--topic", r.report.Topic, "--wait", patience.String()}, c.Flags...), c.Password, logs)
	defer closeProgram()
	r.program = program
	defer func() { err = errors.Join(err, r.cleanUp()) }()
	err = r.prove(ctx)
	if wrong, found := errors.AsType[*programError](err); found {
		r.report.Wrong = append(r.report.Wrong, wrong.what)
		err = nil
	}
	return report, err
}

func (r *run) prove(ctx context.Context) error {
	if err := r.prepare(); err != nil {
		return err
	}
	if err := r.fire(ctx); err != nil {
		return err
	}
	if err := r.ceaseFire(ctx); err != nil {
		return err
	}
	return r.judge(ctx)
}

// prepare finds the brokers, and puts the proxy in front of them.
func (r *run) prepare() (err error) {
	r.brokers = r.Brokers
	r.report.Brokers = "brokers " + strings.Join(r.Brokers, ",")
	if r.embedded() {
		r.report.Brokers = "a development broker of its own"
		if r.broker, r.address, err = r.program.startBroker("127.0.0.1:0", r.brokerData()); err != nil {
			return err
		}
		r.brokers = []string{r.address}
	} else {
		r.report.NotTried = append(r.report.NotTried, "restarts of the broker: it is not the run's own")
	}
	if r.admin, err = r.Config.admin(r.brokers); err != nil {
		return err
	}
	through := r.brokers
	if r.TLS != nil {
		r.report.NotTried = append(r.report.NotTried, "lost acknowledgements, answers that break off: with TLS nobody can tell them from others")
	} else {
		r.proxy = newProxy()
		if through, err = r.proxied(); err != nil {
			return err
		}
	}
	r.actors = r.cast(strings.Join(through, ","))
	return nil
}

func (r *run) proxied() ([]string, error) {
	var through []string
	for _, broker := range r.brokers {
		address, err := r.proxy.route(broker)
		if err != nil {
			return nil, err
		}
		through = append(through, address)
	}
	return through, nil
}

func (r *run) brokerData() string  { return filepath.Join(r.Dir, "broker") }
func (r *run) files() string       { return filepath.Join(r.Dir, "files") }
func (r *run) undisturbed() string { return filepath.Join(r.Dir, "undisturbed") }

// cleanUp ends whatever still runs, and deletes the topic, unless it is needed
// in order to find out what went wrong.
func (r *run) cleanUp() (err error) {
	for _, a := range r.actors {
		if a != nil {
			a.end()
		}
	}
	if r.proxy != nil {
		r.proxy.close()
	}
	if r.admin != nil {
		if !r.embedded() && !r.Keep && r.report.OK() {
			err = remove(r.admin, r.report.Topic)
		}
		r.admin.Close()
	}
	if r.broker != nil {
		r.broker.kill()
		r.broker.close()
	}
	return err
}

// floodDays is how many days come at once in a flood: fewer if there are to be
// many, since the calendar ends with the year 9999.
func (r *run) floodDays() int { return max(500, min(20_000, 1_200_000/r.Kills)) }

// cast returns the processes that are killed and started again.
func (r *run) cast(brokers string) [victims]*actor {
	var all [victims]*actor
	all[producer] = &actor{name: "producer", args: r.produce(brokers, r.Delay, 0), flood: r.produce(brokers, 0, r.floodDays())}
	for i := range int32(2) {
		a := &actor{name: fmt.Sprintf("consumer-%d", i), args: []string{"consume", "--dir", r.files(), "--brokers", brokers}}
		for p := i; p < r.Partitions; p += 2 {
			a.partitions = append(a.partitions, p)
			a.args = append(a.args, fmt.Sprint(p))
		}
		if len(a.partitions) > 0 {
			all[consumerA+i] = a
		}
	}
	return all
}

// produce is a command that goes on with publishing, for so many days or for
// ever (0). The weather is the same each time.
func (r *run) produce(brokers string, delay time.Duration, days int) []string {
	return []string{"produce", "--resume", "--start", startDate, "--seed", strconv.FormatUint(r.Seed, 10),
		"--partitions", fmt.Sprint(r.Partitions), "--replication-factor", fmt.Sprint(r.ReplicationFactor),
		"--delay", delay.String(), "--days", fmt.Sprint(days), "--brokers", brokers}
}

// progress says how far the run has come, every now and then.
func (r *run) progress() {
	if time.Since(r.said) < progressInterval {
		return
	}
	r.said = time.Now()
	lost, cut := r.cuts()
	r.Log.Info("under fire", "kills", r.report.Kills(), "of", r.Kills, "broker_restarts", r.report.BrokerStops+r.report.BrokerKills,
		"connections_cut", lost+cut, "records_counted", r.counted())
}

func (r *run) cuts() (lost, cut int) {
	if r.proxy == nil {
		return 0, 0
	}
	lost, cut, _ = r.proxy.done()
	return lost, cut
}

// counted is how many records the files have by now.
func (r *run) counted() (records int64) {
	for p := range r.Partitions {
		offset, _ := readOffset(r.files(), p) // whether it is right is seen in the end
		records += offset
	}
	return records
}

// wait waits, looking after the processes.
func (r *run) wait(ctx context.Context, pause time.Duration) error {
	end := time.NewTimer(pause)
	look := time.NewTicker(glance)
	defer end.Stop()
	defer look.Stop()
	for {
		select {
		case <-end.C:
			return r.tend()
		case <-look.C:
			if err := r.tend(); err != nil {
				return err
			}
		case <-ctx.Done():
			return errInterrupted
		}
	}
}

// until waits until something is so, but no longer than the limit.
func (r *run) until(ctx context.Context, limit time.Duration, ok func() bool) (is bool, err error) {
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); {
		if ok() {
			return true, nil
		}
		if err := r.wait(ctx, glance); err != nil {
			return false, err
		}
	}
	return false, nil
}
