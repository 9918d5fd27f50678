package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/spf13/cobra"

	"github.com/weatheractors/weatheractors/actors"
	"github.com/weatheractors/weatheractors/actors/kafka"
	"github.com/weatheractors/weatheractors/cmd/internal/status"
	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

// produce is what to publish, and how.
type produce struct {
	delay       time.Duration
	days        int64
	start       string
	seed        uint64
	duplicates  float64
	topic       kafka.TopicSpec
	recreate    bool
	resume      bool
	compression string
	input       input
	web         webFlags
}

func (a *app) produceCommand() *cobra.Command {
	var p produce
	cmd := &cobra.Command{
		Use:   "produce",
		Short: "Publish daily weather reports",
		Long: `produce publishes a day of weather every --delay, made up or from a file, as
records whose key is the month. Each is acknowledged by all in-sync replicas and is
in the topic once, whatever happens to connections and brokers.

It deletes the default topic and creates it anew; another topic that exists is left
alone unless --recreate or --resume says what to do with it. --resume goes on where
the topic ends.

--input reads GHCN-Daily (.dly or CSV), NCEI's CSV (say its --units) and CSV with the
columns date and temp_max (°C), each also gzipped, and publishes the days in order.
Missing values and those that failed NOAA's quality checks are left out. A file of
several stations wants a --station.

A day that is repeated, as --duplicates says, has the absurd value of 1000000 the
second time: whoever counts it has counted a duplicate.`,
		Example: `  weatheractors produce
  weatheractors produce --delay 0 --days 36525    # a century, as fast as it goes
  weatheractors produce --input seattle-weather.csv
  weatheractors produce --input USW00014837.dly.gz                    # GHCN-Daily
  weatheractors produce --input USW00014837.csv --units tenths-c      # NCEI's CSV
  weatheractors produce --input weather.csv --station 'New York'
  weatheractors produce --resume`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if p.input.file != "" && !cmd.Flags().Changed("duplicates") {
				p.duplicates = 0
			}
			if !cmd.Flags().Changed("seed") {
				p.seed = rand.Uint64()
			}
			return a.produce(cmd.Context(), p)
		},
	}
	f := cmd.Flags()
	f.DurationVar(&p.delay, "delay", 100*time.Millisecond, "time between two days; 0 means as fast as they are acknowledged")
	f.Int64Var(&p.days, "days", 0, "stop after that many `days` (0 means never)")
	f.StringVar(&p.start, "start", "1990-01-01", "first `date`, YYYY-MM-DD")
	f.Uint64Var(&p.seed, "seed", 0, "`number` that decides the weather (default: another one each time)")
	f.Float64Var(&p.duplicates, "duplicates", 0.05, "`share` of days that are repeated, 0 to 1 (with --input: 0)")
	f.Int32Var(&p.topic.Partitions, "partitions", 4, "`number` of partitions of a topic that is created")
	f.Int16Var(&p.topic.ReplicationFactor, "replication-factor", 1, "`number` of brokers that keep each partition of a topic that is created")
	f.BoolVar(&p.recreate, "recreate", false, "delete the topic, with all its records, and create it anew")
	f.BoolVar(&p.resume, "resume", false, "go on where the topic ends, with what is missing")
	f.StringVar(&p.compression, "compression", "none", "none, gzip, snappy, lz4 or zstd")
	p.input.flags(cmd)
	p.web.register(cmd, "")
	cmd.MarkFlagsMutuallyExclusive("recreate", "resume")
	cmd.MarkFlagsMutuallyExclusive("input", "seed")
	cmd.MarkFlagsMutuallyExclusive("input", "start")
	must(cmd.RegisterFlagCompletionFunc("compression", cobra.FixedCompletions([]string{"none", "gzip", "snappy", "lz4", "zstd"}, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

func (a *app) produce(ctx context.Context, p produce) error {
	days, err := p.source(ctx, a.log)
	if err != nil {
		return unlessEnded(ctx, err)
	}
	collectLess(produceHeap)
	cluster, system := a.cluster(), a.newSystem()
	page, err := a.startWeb(p.web, system)
	if err != nil {
		return err
	}
	defer page.close()
	page.announce(a.log)
	if err := a.connect(ctx, cluster); err != nil {
		return err
	}
	if err := a.prepareTopic(ctx, cluster, p); err != nil {
		return unlessEnded(ctx, err)
	}
	if p.resume {
		if days, err = a.resumed(ctx, cluster, p, days); err != nil {
			return unlessEnded(ctx, err)
		}
	}
	config, err := p.config(ctx, cluster, days)
	if err != nil {
		return unlessEnded(ctx, err)
	}
	state, err := a.run(ctx, system, config)
	published := cmp.Or(state.Producer, &status.Producer{})
	a.log.Info("published", append([]any{"acknowledged", published.Acknowledged, "repeats", published.Repeats},
		status.Dated(published.Date)...)...)
	if err != nil {
		err = fmt.Errorf("%w (%d reports were acknowledged)", err, published.Acknowledged)
	}
	if errors.Is(err, actors.ErrDrain) {
		return advised{err, resumeHint}
	}
	return err
}

// resumeHint says what to do after an end that leaves open what was published.
const resumeHint = "`weatheractors produce --resume` finds out what is in the topic, and publishes what is missing"

// source checks the command line and returns the days to publish, so that
// nothing is deleted for the sake of data that can't be read.
func (p *produce) source(ctx context.Context, log *slog.Logger) (iter.Seq[weather.Observation], error) {
	switch {
	case p.delay < 0:
		return nil, usagef("--delay %v: want 0 or more", p.delay)
	case p.days < 0:
		return nil, usagef("--days %d: want 0 or more", p.days)
	case !(p.duplicates >= 0 && p.duplicates <= 1):
		return nil, usagef("--duplicates %v: want 0 to 1", p.duplicates)
	}
	if err := cmp.Or(p.topic.Validate(), kafka.SinkOptions{Compression: p.compression}.Validate()); err != nil {
		return nil, usagef("--%w", err)
	}
	if err := p.input.check(); err != nil {
		return nil, err
	}
	if p.input.file != "" {
		return p.input.days(ctx, log)
	}
	start, err := weather.ParseDate(p.start)
	if err != nil {
		return nil, usagef("--start: %w", err)
	}
	return made(weather.NewGenerator(p.seed), start), nil
}

// made is the made-up weather of all days from start on.
func made(g *weather.Generator, start weather.Date) iter.Seq[weather.Observation] {
	return func(yield func(weather.Observation) bool) {
		for d := start; d != 0; d = d.Next() {
			if !yield(weather.Observation{Date: d, Degrees: g.Degrees(d)}) {
				return
			}
		}
	}
}

// prepareTopic sees to it that the topic is there, and that nobody's data is
// deleted by mistake.
func (a *app) prepareTopic(ctx context.Context, cluster kafka.Config, p produce) error {
	if p.recreate || cluster.Topic == defaultTopic && !p.resume {
		_, err := kafka.Recreate(ctx, cluster, p.topic)
		return err
	}
	existing, err := kafka.Partitions(ctx, cluster)
	switch {
	case errors.Is(err, messages.ErrTopicMissing):
		_, err = kafka.Create(ctx, cluster, p.topic)
		return err
	case err != nil:
		return err
	case !p.resume:
		return fmt.Errorf("publish to %s: %w", cluster.Topic, kafka.ErrTopicExists)
	case len(existing) != int(p.topic.Partitions):
		return fmt.Errorf("resume %s: %w: %d, not %d", cluster.Topic, kafka.ErrPartitionCount, len(existing), p.topic.Partitions)
	}
	return nil
}

// resumed returns those of the days that the topic does not have.
func (a *app) resumed(ctx context.Context, cluster kafka.Config, p produce, days iter.Seq[weather.Observation]) (iter.Seq[weather.Observation], error) {
	scan, done := a.scanning()
	have, err := kafka.ReadDates(ctx, cluster, scan)
	done()
	if err != nil {
		return nil, err
	}
	partitionOf := func(m time.Month) int32 { return kafka.PartitionOf(m, p.topic.Partitions) }
	wanted := func(yield func(weather.Date) bool) {
		for o := range days {
			if !yield(o.Date) {
				return
			}
		}
	}
	plan, err := weather.PlanResume(have, partitionOf, wanted)
	if err != nil {
		return nil, fmt.Errorf("resume %s: %w", cluster.Topic, err)
	}
	if plan.Start == 0 {
		a.log.Info("nothing is missing", "topic", cluster.Topic)
	} else {
		a.log.Info("resuming", "topic", cluster.Topic, "from", plan.Start)
	}
	return func(yield func(weather.Observation) bool) {
		for o := range days {
			if plan.Start != 0 && o.Date >= plan.Start && !plan.Skip(o.Date) && !yield(o) {
				return
			}
		}
	}, nil
}

// scanning tells how far a scan of the topic has come, until done is called.
func (a *app) scanning() (scan func(kafka.ScanProgress), done func()) {
	work, troubled := status.NewWork(a.log, a.screen, "looking for what is missing"), false
	return func(p kafka.ScanProgress) {
		if now := p.Trouble != nil; now != troubled {
			troubled = now
			a.trouble(p.Trouble)
		}
		work.Progress(p.Read, p.Total)
	}, work.Done
}

func (p *produce) config(ctx context.Context, cluster kafka.Config, days iter.Seq[weather.Observation]) (actors.Produce, error) {
	sink, err := kafka.NewSink(ctx, cluster, kafka.SinkOptions{Compression: p.compression})
	if err != nil {
		return actors.Produce{}, err
	}
	config := actors.Produce{Days: first(p.days, days), Delay: p.delay, Sink: sink}
	if p.duplicates > 0 {
		chance := weather.NewGenerator(p.seed)
		config.Repeat = func(d weather.Date) bool { return chance.Repeats(d, p.duplicates) }
	}
	return config, nil
}

// first yields at most n days; 0 means all.
func first(n int64, days iter.Seq[weather.Observation]) iter.Seq[weather.Observation] {
	if n == 0 {
		return days
	}
	return func(yield func(weather.Observation) bool) {
		left := n
		for o := range days {
			if left--; !yield(o) || left == 0 {
				return
			}
		}
	}
}
