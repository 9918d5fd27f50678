package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/spf13/cobra"

	"github.com/weatheractors/weatheractors/actors"
	"github.com/weatheractors/weatheractors/actors/checkpoint"
	"github.com/weatheractors/weatheractors/actors/kafka"
	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
	"github.com/weatheractors/weatheractors/cmd/internal/status"
	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

const (
	demoPartitions = 4
	// demoMarker is in every folder that a demo made: only such a one is emptied.
	demoMarker = ".weatheractors-demo"
	// demoInterval is how often a demo says what is happening.
	demoInterval = time.Second
)

// demo is a producer, two consumers and a broker in one process.
type demo struct {
	*app
	dir      string
	duration time.Duration
	delay    time.Duration
	input    input

	system *actor.ActorSystem
	totals status.Totals
}

func (a *app) demoCommand() *cobra.Command {
	d := demo{app: a}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See it work: everything in one process, no Kafka, no setup",
		Long: `demo starts a broker inside this process, publishes weather quickly, a twentieth of
it twice, counts it with one consumer for partitions 0 and 2 and another for 1 and
3, and keeps month.svg fresh. It runs until it is stopped (Ctrl-C), finishes what is
in flight, and sums up.

It works in a folder of its own, ./weatheractors-demo or --dir. A folder that is not
empty and was not made by a demo is left alone.`,
		Example: `  weatheractors demo
  weatheractors demo --duration 10s --dir /tmp/demo
  weatheractors demo --input seattle-weather.csv`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d.dir = "weatheractors-demo"
			if flag := cmd.Flag("dir"); flag.Changed {
				d.dir = flag.Value.String() // the variable does not count: a demo empties its folder
			}
			if d.duration < 0 || d.delay < 0 {
				return usagef("--duration %v, --delay %v: want 0 or more", d.duration, d.delay)
			}
			return d.run(cmd.Context())
		},
	}
	cmd.Flags().DurationVar(&d.duration, "duration", 0, "stop after that long (0 means when stopped)")
	cmd.Flags().DurationVar(&d.delay, "delay", time.Millisecond, "time between two days of weather")
	d.input.flags(cmd)
	return cmd
}

func (d *demo) run(ctx context.Context) (err error) {
	p := produce{delay: d.delay, start: "1990-01-01", seed: 1, duplicates: 0.05, input: d.input,
		topic: kafka.TopicSpec{Partitions: demoPartitions, ReplicationFactor: 1}}
	days, err := p.source(ctx, d.log)
	if err != nil {
		return unlessEnded(ctx, err)
	}
	if err := prepareDemoDir(d.dir); err != nil {
		return err
	}
	broker, err := embedded.Start(embedded.Config{Logger: d.log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, broker.Close()) }()
	cluster := kafka.Config{Brokers: []string{broker.Addr()}, Topic: defaultTopic}
	if _, err := kafka.Recreate(ctx, cluster, p.topic); err != nil {
		return unlessEnded(ctx, err)
	}
	d.system = d.newSystem()
	d.app.dir = d.dir
	d.printf("A broker on %s; a producer; consumers for partitions 0 2 and 1 3. Stop with Ctrl-C.\n", broker.Addr())
	d.printf("Look at %s: it is kept up to date.\n", d.monthSVG())
	config, err := p.config(ctx, cluster, days)
	if err != nil {
		return unlessEnded(ctx, err)
	}
	if d.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.duration)
		defer cancel()
	}
	return d.pipeline(ctx, cluster, config)
}

// pipeline runs until ctx ends: first the producer is drained, then the
// consumers are, and then what is left in the topic is counted.
func (d *demo) pipeline(ctx context.Context, cluster kafka.Config, producer actors.Produce) error {
	stopListening := d.listen()
	producing, stopProducing := context.WithCancel(ctx)
	defer stopProducing()
	consuming, stopConsuming := context.WithCancel(context.WithoutCancel(ctx))
	defer stopConsuming()

	picture := picture{dir: d.dir, out: d.monthSVG(), months: firstQuarter()}
	var consumers sync.WaitGroup
	pairs := [][]int32{{0, 2}, {1, 3}}
	errs := make([]error, len(pairs)+1) // the last is the producer's
	for i, pair := range pairs {
		config := d.consumeConfig(fmt.Sprintf("consume-%d-%d", pair[0], pair[1]), cluster, pair)
		if i == 0 { // one at a time may replace the picture
			config.Draw = picture.draw
		}
		consumers.Go(func() {
			defer stopProducing()
			errs[i] = actors.Run(consuming, d.system, config)
		})
	}
	if errs[len(pairs)] = actors.Run(producing, d.system, producer); errs[len(pairs)] == nil {
		<-producing.Done() // all of --input is published: the consumers go on
	}
	stopConsuming()
	consumers.Wait()
	err := errors.Join(errs...)
	if err == nil {
		rest := d.consumeConfig("consume-rest", cluster, []int32{0, 1, 2, 3})
		rest.UntilEnd, rest.Draw = true, picture.draw
		err = actors.Run(context.WithoutCancel(ctx), d.system, rest)
	}
	stopListening()
	d.sumUp()
	return err
}

// listen tells what is happening, and warns of what goes wrong, until stop is
// called and all is told.
func (d *demo) listen() (stop func()) {
	events, cancelEvents := actors.Subscribe(d.system, "", eventsAhead)
	warnings, cancelWarnings := actors.Subscribe(d.system, "", eventsAhead)
	var listeners sync.WaitGroup
	listeners.Go(func() { d.tell(events) })
	listeners.Go(func() { status.Log(warnings, slog.New(warningsOnly{d.log.Handler()}), nil) })
	return func() {
		cancelEvents()
		cancelWarnings()
		listeners.Wait()
	}
}

// tell prints what is happening, every now and then.
func (d *demo) tell(events <-chan *messages.Event) {
	ticker := time.NewTicker(demoInterval)
	defer ticker.Stop()
	for {
		select {
		case e, open := <-events:
			if !open {
				return
			}
			d.totals.Add(e)
		case <-ticker.C:
			counted, duplicates, _ := d.totals.Records()
			d.printf("%v  published %d (%d of them twice)  counted %d days, ignored %d duplicates\n",
				weather.Date(d.totals.Published.GetLastDate()), d.totals.Published.GetAcknowledged(), d.totals.Published.GetRepeats(), counted, duplicates)
		}
	}
}

func (d *demo) sumUp() {
	counted, duplicates, rejects := d.totals.Records()
	p := d.totals.Published
	d.printf("\nPublished %d reports, up to %v: %d days, and %d of them twice.\n",
		p.GetAcknowledged(), weather.Date(p.GetLastDate()), p.GetAcknowledged()-p.GetRepeats(), p.GetRepeats())
	d.printf("Counted   %d days, each once; ignored %d duplicates; kept %d aside that can't be counted.\n", counted, duplicates, rejects)
	d.printf("Written   %s and %s\n", filepath.Join(d.dir, "partition-{0,1,2,3}.json"), d.monthSVG())
}

// prepareDemoDir makes the folder of a demo, or empties the one of a former one.
func prepareDemoDir(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return fmt.Errorf("prepare the demo's folder: %w", err)
	case len(entries) > 0:
		if _, err := os.Lstat(filepath.Join(dir, demoMarker)); err != nil {
			return fmt.Errorf("prepare the demo's folder %s: %w", dir, errNotADemo)
		}
	}
	if err := emptyDemoDir(dir, entries); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("prepare the demo's folder: %w", err)
	}
	marker := filepath.Join(dir, demoMarker)
	if err := os.WriteFile(marker, []byte("A demo of weatheractors made this folder, and empties it at its next start.\n"), 0o644); err != nil {
		return fmt.Errorf("prepare the demo's folder: %w", err)
	}
	return nil
}

// emptyDemoDir removes what a former demo left; its marker last, so that the
// folder is still known if this is interrupted.
func emptyDemoDir(dir string, entries []os.DirEntry) (err error) {
	if len(entries) == 0 {
		return nil
	}
	for partition := range int32(demoPartitions) {
		lock, err := checkpoint.Open(dir, partition) // another demo may be at work
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, lock.Close()) }()
	}
	for _, entry := range entries {
		if entry.Name() == demoMarker {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
			return fmt.Errorf("empty the demo's folder: %w", err)
		}
	}
	return nil
}

// errNotADemo keeps a demo from emptying somebody's folder.
var errNotADemo = errors.New("it is not empty, and no demo made it")
