package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/spf13/cobra"

	"github.com/weatheractors/weatheractors/actors"
	"github.com/weatheractors/weatheractors/actors/kafka"
	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
)

const demoPartitions = 4

// demoConsumers are the two consumers of a demo, with their partitions.
var demoConsumers = []struct {
	name       string
	partitions []int32
}{{"A", []int32{0, 2}}, {"B", []int32{1, 3}}}

// demo is a producer, two consumers and a broker in one process.
type demo struct {
	*app
	dir      string
	duration time.Duration
	delay    time.Duration
	input    input
	web      webFlags
	faults   *faults // nil: none on purpose

	system *actor.ActorSystem
	page   *web
}

// faultsEvery is how long --faults leaves the actors alone.
const faultsEvery = 4 * time.Second

func (a *app) demoCommand() *cobra.Command {
	d, wantFaults := demo{app: a}, false
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See it work: everything in one process, no Kafka, no setup",
		Long: `demo starts a broker inside this process, publishes weather quickly, a twentieth of
it twice, counts it with one consumer for partitions 0 and 2 and another for 1 and
3, and keeps month.svg fresh. A page at the address that it prints shows all of it
live; --http '' does without. With --faults it makes a reader, an aggregator or a
checkpoint writer panic every few seconds, to be seen recovering.

It runs until it is stopped (Ctrl-C), or for --duration, or until all of --input is
published. Then it finishes what is in flight, adds up what is in the files, and
says whether that is what was published, each day once. If it is not, it ends with
exit status 1.

It works in a folder of its own, ./weatheractors-demo or --dir, and replaces what a
demo before it wrote there; other files in it stay. A folder that is not empty and
was not made by a demo is left alone.`,
		Example: `  weatheractors demo
  weatheractors demo --faults
  weatheractors demo --duration 10s --dir /tmp/demo
  weatheractors demo --input seattle-weather.csv`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d.dir = "weatheractors-demo"
			if flag := cmd.Flag("dir"); flag.Changed {
				d.dir = flag.Value.String() // the variable does not count: a demo removes files from its folder
			}
			if d.duration < 0 {
				return usagef("--duration %v: want 0 or more", d.duration)
			}
			if wantFaults {
				d.faults = newFaults(faultsEvery)
			}
			return d.run(cmd.Context())
		},
	}
	cmd.Flags().DurationVar(&d.duration, "duration", 0, "stop after that long (0 means when stopped)")
	cmd.Flags().DurationVar(&d.delay, "delay", time.Millisecond, "time between two days of weather")
	cmd.Flags().BoolVar(&wantFaults, "faults", false, "make an actor fail every few seconds")
	d.input.flags(cmd)
	d.web.register(cmd, "127.0.0.1:0")
	return cmd
}

func (d *demo) run(ctx context.Context) (err error) {
	p := produce{delay: d.delay, start: "1990-01-01", seed: 1, duplicates: 0.05, input: d.input,
		topic: kafka.TopicSpec{Partitions: demoPartitions, ReplicationFactor: 1}}
	days, err := p.source(ctx, d.log)
	if err != nil {
		return unlessEnded(ctx, err)
	}
	d.system = d.newSystem()
	d.app.dir = d.dir
	if d.page, err = d.startWeb(d.web, d.system); err != nil {
		return err
	}
	defer d.page.close()
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
	d.introduce(broker.Addr())
	config, err := p.config(ctx, cluster, days)
	if err != nil {
		return unlessEnded(ctx, err)
	}
	published := newLedger(config.Sink)
	config.Sink = published
	if d.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.duration)
		defer cancel()
	}
	if err := d.watched(ctx, cluster, config); err != nil {
		return err
	}
	return d.sumUp(published)
}

// watched runs the pipeline and shows how it is doing.
func (d *demo) watched(ctx context.Context, cluster kafka.Config, producer actors.Produce) error {
	stop := listen(d.system, d.listener())
	err := d.pipeline(ctx, cluster, producer)
	stop()
	if d.screen != nil {
		d.screen.Leave()
	}
	return err
}

// pipeline runs until ctx ends, or all is published: first the producer is
// drained, then the consumers are, and then what is left in the topic is counted.
func (d *demo) pipeline(ctx context.Context, cluster kafka.Config, producer actors.Produce) error {
	producing, stopProducing := context.WithCancel(ctx)
	defer stopProducing()
	consuming, stopConsuming := context.WithCancel(context.WithoutCancel(ctx))
	defer stopConsuming()

	picture := picture{dir: d.dir, out: d.monthSVG(), months: firstQuarter()}
	var consumers sync.WaitGroup
	errs := make([]error, len(demoConsumers)+1) // the last is the producer's
	for i, c := range demoConsumers {
		config := d.consumeConfig("consumer-"+c.name, cluster, c.partitions)
		if i == 0 { // one at a time may replace the picture
			config.Draw = picture.draw
		}
		d.faults.into(&config)
		consumers.Go(func() {
			defer stopProducing()
			defer d.page.runs(config)()
			errs[i] = actors.Run(consuming, d.system, config)
		})
	}
	errs[len(demoConsumers)] = actors.Run(producing, d.system, producer)
	d.faults.finish(consuming)
	stopConsuming()
	consumers.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	rest := d.consumeConfig("consume-rest", cluster, []int32{0, 1, 2, 3})
	rest.UntilEnd, rest.Draw = true, picture.draw
	defer d.page.runs(rest)()
	return actors.Run(context.WithoutCancel(ctx), d.system, rest)
}
