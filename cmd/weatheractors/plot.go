package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/spf13/cobra"

	"github.com/weatheractors/weatheractors/actors/checkpoint"
	"github.com/weatheractors/weatheractors/render"
	"github.com/weatheractors/weatheractors/weather"
)

// pollInterval is how often plot --watch looks for changes that no notification
// tells of: those get lost in mounted volumes.
const pollInterval = 2 * time.Second

// picture says what to draw, from what, and where to.
type picture struct {
	dir    string // of the partition files
	out    string
	months []time.Month
}

func (a *app) plotCommand() *cobra.Command {
	var names []string
	var out string
	var watch bool
	cmd := &cobra.Command{
		Use:   "plot",
		Short: "Draw the months' averages from the partition files",
		Long: `plot draws a bar for each of January, February and March: the average maximum
temperature of the most recent year on record. It searches the partition files of
--dir for the months; some may be missing. The picture is replaced as a whole, so
that a viewer never sees half of one.`,
		Example: `  weatheractors plot
  weatheractors plot --months June,July,August --out summer.svg
  weatheractors plot --watch                      # redraw when a file changes`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			months, err := parseMonths(names)
			if err != nil {
				return err
			}
			p := picture{dir: a.dir, out: out, months: months}
			if out == "" {
				p.out = a.monthSVG()
			}
			if watch {
				return needFiles(a.watch(cmd.Context(), p))
			}
			if err := p.draw(); err != nil {
				return err
			}
			a.printf("%s\n", p.out)
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "`file` to write (default month.svg in --dir)")
	cmd.Flags().StringSliceVar(&names, "months", []string{"January", "February", "March"}, "`months` to draw, in this order")
	cmd.Flags().BoolVar(&watch, "watch", false, "redraw when a partition file changes, until stopped")
	must(cmd.RegisterFlagCompletionFunc("months", cobra.FixedCompletions(allMonths(), cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

func allMonths() (names []string) {
	for m := time.January; m <= time.December; m++ {
		names = append(names, m.String())
	}
	return names
}

func parseMonths(names []string) ([]time.Month, error) {
	var months []time.Month
	for _, name := range names {
		m, ok := weather.ParseMonth(name)
		if !ok {
			return nil, usagef("--months: %q is not a month: want English names such as January", name)
		}
		months = append(months, m)
	}
	if len(months) == 0 || len(months) > render.MaxBars {
		return nil, usagef("--months: %d of them: want 1 to %d", len(months), render.MaxBars)
	}
	return months, nil
}

// draw replaces the picture with one of the files as they are now.
func (p picture) draw() error {
	bars, err := p.bars()
	if err != nil {
		return needFiles(err)
	}
	var svg bytes.Buffer
	if err := render.Months(&svg, bars); err != nil {
		return fmt.Errorf("draw %s: %w", p.out, err)
	}
	return checkpoint.ReplaceFile(p.out, svg.Bytes())
}

// bars finds the most recent year of each month in whichever file has it.
func (p picture) bars() ([]render.Bar, error) {
	partitions, err := checkpoint.Files(p.dir)
	if err != nil {
		return nil, err
	}
	latest := map[time.Month]weather.MonthStats{}
	for _, partition := range partitions {
		c, err := checkpoint.ReadFile(checkpoint.Path(p.dir, partition))
		if errors.Is(err, os.ErrNotExist) {
			continue // moved away since it was listed
		}
		if err != nil {
			return nil, err
		}
		for i := range c.GetStats().Len() {
			m := c.GetStats().Row(i)
			if m.Start > latest[m.Start.Month()].Start {
				latest[m.Start.Month()] = m
			}
		}
	}
	var bars []render.Bar
	for _, month := range p.months {
		if m, ok := latest[month]; ok {
			bars = append(bars, render.Bar{Month: month, Year: m.Start.Year(), Avg: m.Avg()})
		}
	}
	return bars, nil
}

// watch draws now and whenever a partition file changes, until ctx ends. What
// can't be drawn at the moment is logged.
func (a *app) watch(ctx context.Context, p picture) error {
	changes, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch %s: %w", p.dir, err)
	}
	defer func() { _ = changes.Close() }() // nothing is left to watch
	if err := changes.Add(p.dir); err != nil {
		return fmt.Errorf("watch %s: %w", p.dir, err)
	}
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	var last string // what was drawn, to leave a picture alone that is up to date
	for {
		if now := p.fingerprint(); now != last {
			if err := p.draw(); err != nil {
				a.log.Warn("can't draw the picture; trying again when a file changes", "error", err)
			} else {
				a.printf("%s\n", p.out)
			}
			last = now
		}
		select {
		case <-ctx.Done():
			return nil
		case <-poll.C:
		case <-changes.Events:
		case err := <-changes.Errors:
			a.log.Warn("watching for changes failed; looking every "+pollInterval.String(), "error", err)
		}
	}
}

// fingerprint changes whenever a partition file does.
func (p picture) fingerprint() string {
	var all strings.Builder
	partitions, _ := checkpoint.Files(p.dir)
	for _, partition := range partitions {
		if file, err := os.Stat(checkpoint.Path(p.dir, partition)); err == nil {
			fmt.Fprintln(&all, partition, file.Size(), file.ModTime().UnixNano())
		}
	}
	return all.String()
}
