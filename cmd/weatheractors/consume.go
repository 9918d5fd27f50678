package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weatheractors/weatheractors/actors"
	"github.com/weatheractors/weatheractors/actors/checkpoint"
	"github.com/weatheractors/weatheractors/actors/kafka"
	"github.com/weatheractors/weatheractors/messages"
)

const (
	// topicPoll is how often a topic that does not exist yet is looked for.
	topicPoll = 500 * time.Millisecond
	// newPartitionsPoll is how often consume --all looks for more partitions.
	newPartitionsPoll = time.Minute
)

type consume struct {
	all, untilEnd                   bool
	onInvalid, onRecreate, onGap    string
	plot                            string
	web                             webFlags
	invalidFails, resets, gapsSkips bool
}

func (a *app) consumeCommand() *cobra.Command {
	var c consume
	cmd := &cobra.Command{
		Use:   "consume {PARTITION... | --all}",
		Short: "Count the reports of partitions, exactly once, into files",
		Long: `consume keeps partition-N.json in --dir up to date for each partition that is named:
count, sum, average, first and last day of every month and year. It goes on from
the offset in the file, and runs until it is stopped.

However it ends, by kill -9 or a power cut too, the next start goes on from the
file, and the bytes of the file are those of an undisturbed run. A report dated at
or before the last one of its month is a duplicate and ignored. A record that can't
be counted is kept in partition-N.rejected.jsonl.

A terminal shows a line per partition, without colors if NO_COLOR is set; otherwise
the log says every 5 seconds what was counted.`,
		Example: `  weatheractors consume 0 2
  weatheractors consume --all --until-end         # catch up, then stop
  weatheractors consume 1 3 --plot month.svg      # and keep a picture fresh
  weatheractors consume --all --http 127.0.0.1:8080   # and watch it in a browser`,
		RunE: func(cmd *cobra.Command, args []string) error {
			partitions, err := c.parse(args)
			if err != nil {
				return err
			}
			return a.consume(cmd.Context(), c, partitions)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&c.all, "all", false, "all partitions that the topic has at the start")
	f.BoolVar(&c.untilEnd, "until-end", false, "stop when every partition has reached the end that it had at the start")
	f.StringVar(&c.onInvalid, "on-invalid", "skip", "at a record that can't be counted: skip it and keep it aside, or fail")
	f.StringVar(&c.onRecreate, "on-recreate", "fail", "if the topic was deleted and created anew: fail, or reset and count anew")
	f.StringVar(&c.onGap, "on-gap", "fail", "if records were deleted before they were counted: fail, or skip them")
	f.StringVar(&c.plot, "plot", "", "keep this SVG `file` up to date")
	c.web.register(cmd, "")
	must(cmd.RegisterFlagCompletionFunc("on-invalid", cobra.FixedCompletions([]string{"skip", "fail"}, cobra.ShellCompDirectiveNoFileComp)))
	must(cmd.RegisterFlagCompletionFunc("on-recreate", cobra.FixedCompletions([]string{"fail", "reset"}, cobra.ShellCompDirectiveNoFileComp)))
	must(cmd.RegisterFlagCompletionFunc("on-gap", cobra.FixedCompletions([]string{"fail", "skip"}, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

// parse checks the command line; partitions are nil for --all.
func (c *consume) parse(args []string) (partitions []int32, err error) {
	if c.invalidFails, err = choice("--on-invalid", c.onInvalid, "skip", "fail"); err != nil {
		return nil, err
	}
	if c.resets, err = choice("--on-recreate", c.onRecreate, "fail", "reset"); err != nil {
		return nil, err
	}
	if c.gapsSkips, err = choice("--on-gap", c.onGap, "fail", "skip"); err != nil {
		return nil, err
	}
	return parsePartitions(args, c.all)
}

// choice tells whether value is the second of two words.
func choice(flag, value, first, second string) (bool, error) {
	if value != first && value != second {
		return false, usagef("%s %q: want %s or %s", flag, value, first, second)
	}
	return value == second, nil
}

// parsePartitions reads partition numbers, or nil for all.
func parsePartitions(args []string, all bool) ([]int32, error) {
	switch {
	case !all && len(args) == 0:
		return nil, usagef("want the numbers of partitions, or --all for all of them")
	case all && len(args) > 0:
		return nil, usagef("--all and partition %s: want only one of them", args[0])
	}
	var partitions []int32
	for _, arg := range args {
		n, err := strconv.ParseUint(arg, 10, 31)
		if err != nil {
			return nil, notAPartition(arg)
		}
		if slices.Contains(partitions, int32(n)) {
			return nil, usagef("partition %d is named twice", n)
		}
		partitions = append(partitions, int32(n))
	}
	return partitions, nil
}

func notAPartition(arg string) error {
	return usagef("partition %q: want a number from 0 to %d", arg, math.MaxInt32)
}

func (a *app) consume(ctx context.Context, c consume, partitions []int32) error {
	if err := checkOut("--plot", c.plot, true); err != nil {
		if made := filepath.Dir(c.plot) == filepath.Clean(a.dir); !made || !errors.Is(err, errNoFolder) {
			return err
		}
	}
	cluster, system := a.cluster(), a.newSystem()
	page, err := a.startWeb(c.web, system)
	if err != nil {
		return err
	}
	defer page.close()
	page.announce(a.log)
	if err := a.connect(ctx, cluster); err != nil {
		return err
	}
	named, err := a.existing(ctx, cluster, partitions)
	if err != nil {
		return unlessEnded(ctx, err)
	}
	if c.all {
		if err := a.warnOfStrangers(cluster.Topic, named); err != nil {
			return err
		}
		go a.announceMore(ctx, cluster, len(named))
	}
	collectLess(consumeHeap(len(named)))
	config := a.consumeConfig("consume", cluster, named)
	config.UntilEnd, config.FailOnInvalid, config.ResetOnRecreate, config.SkipGaps = c.untilEnd, c.invalidFails, c.resets, c.gapsSkips
	if c.plot != "" {
		config.Draw = picture{dir: a.dir, out: c.plot, months: firstQuarter()}.draw
	}
	defer page.runs(config)()
	_, err = a.run(ctx, system, config)
	return err
}

// consumeConfig joins the actors with Kafka and the files.
func (a *app) consumeConfig(name string, cluster kafka.Config, partitions []int32) actors.Consume {
	dir := a.dir
	return actors.Consume{
		Name:       name,
		Partitions: partitions,
		Source:     kafka.NewSource(cluster),
		Open:       func(p int32) (actors.Store, error) { return checkpoint.Open(dir, p) },
	}
}

// connect checks the configuration and that a broker answers.
func (a *app) connect(ctx context.Context, cluster kafka.Config) error {
	if err := errors.Join(a.checkTLS(), a.checkSASL()); err != nil {
		return err
	}
	if err := cluster.Validate(); err != nil {
		return usagef("--%w", err)
	}
	return unlessEnded(ctx, cluster.WaitForBroker(ctx, a.wait))
}

// unlessEnded is nil where an error only says that a signal came.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return errStopped
	}
	return err
}

// existing waits for the topic and returns the partitions to work on: those
// that are named, which must exist, or all.
func (a *app) existing(ctx context.Context, cluster kafka.Config, named []int32) ([]int32, error) {
	poll := time.NewTicker(topicPoll)
	defer poll.Stop()
	for said := false; ; said = true {
		all, err := kafka.Partitions(ctx, cluster)
		switch {
		case err == nil:
			return namedOf(cluster.Topic, named, all)
		case !errors.Is(err, messages.ErrTopicMissing):
			return nil, err
		case !said:
			a.log.Info("the topic does not exist yet; waiting for it", "topic", cluster.Topic)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-poll.C:
		}
	}
}

func namedOf(topic string, named, all []int32) ([]int32, error) {
	if named == nil {
		return all, nil
	}
	for _, p := range named {
		if !slices.Contains(all, p) {
			return nil, fmt.Errorf("%w: %d: topic %s has %s", messages.ErrPartitionMissing, p, topic, list(all))
		}
	}
	return named, nil
}

func list(partitions []int32) string {
	words := make([]string, len(partitions))
	for i, p := range partitions {
		words[i] = strconv.Itoa(int(p))
	}
	return strings.Join(words, ", ")
}

// warnOfStrangers says which files belong to no partition of the topic: nobody
// brings them up to date, but plot reads them.
func (a *app) warnOfStrangers(topic string, partitions []int32) error {
	files, err := checkpoint.Files(a.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, p := range files {
		if !slices.Contains(partitions, p) {
			a.log.Warn("the topic has no such partition; its file stays as it is, and plot reads it: move it away if it is of no use",
				"file", checkpoint.Path(a.dir, p), "topic", topic)
		}
	}
	return err
}

// announceMore says when the topic has got more partitions than are counted.
func (a *app) announceMore(ctx context.Context, cluster kafka.Config, counted int) {
	poll := time.NewTicker(newPartitionsPoll)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-poll.C:
		}
		if all, err := kafka.Partitions(ctx, cluster); err == nil && len(all) > counted {
			a.log.Warn("the topic has more partitions now; restart to count them, too", "counted", counted, "there", len(all))
			counted = len(all)
		}
	}
}

func firstQuarter() []time.Month { return []time.Month{time.January, time.February, time.March} }

func (a *app) monthSVG() string { return filepath.Join(a.dir, "month.svg") }
