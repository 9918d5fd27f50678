package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

// contender is one way of doing a job, as a process.
type contender struct {
	name    string
	records int                                      // how many it handles
	command func(context.Context) (*exec.Cmd, error) // made anew for each round
}

// sample is what one round of a contender took.
type sample struct {
	wall, cpu time.Duration
	peak      float64 // MB of resident memory
}

// series are the samples of a contender.
type series struct {
	contender
	samples []sample
}

// contest lets the contenders take turns, after one that does not count: a
// broker that runs on Java gets faster as it goes.
func contest(ctx context.Context, rounds int, contenders ...contender) ([]series, error) {
	all := make([]series, len(contenders))
	for i, c := range contenders {
		all[i].contender = c
	}
	for _, c := range contenders {
		if _, err := measure(ctx, c); err != nil {
			return nil, err
		}
	}
	for round := range rounds {
		for i := range all {
			// Every other round the other way round: nobody always comes first.
			at := i
			if round%2 == 1 {
				at = len(all) - 1 - i
			}
			s, err := measure(ctx, all[at].contender)
			if err != nil {
				return nil, err
			}
			say("  round %d of %d  %-50s %s", round+1, rounds, all[at].name, s.wall.Round(time.Millisecond))
			all[at].samples = append(all[at].samples, s)
		}
	}
	return all, nil
}

// measure runs a contender once. The kernel's account of a process is exact for
// CPU time; for the peak it begins with that of the process that started it, so
// this one stays small and does no heavy work itself.
func measure(ctx context.Context, c contender) (sample, error) {
	cmd, err := c.command(ctx)
	if err != nil {
		return sample{}, fmt.Errorf("%s: %w", c.name, err)
	}
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	began := time.Now()
	err = cmd.Run()
	wall := time.Since(began)
	if err != nil {
		return sample{}, fmt.Errorf("%s: %v: %w\n%s", c.name, cmd.Args, err, &output)
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return sample{
		wall: wall,
		cpu:  cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(),
		peak: megabytes(int64(usage.Maxrss) * rssUnit),
	}, nil
}

func megabytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// median, least and greatest of what each sample has to say.
func (s series) of(value func(sample) float64) (median, least, greatest float64) {
	var all []float64
	for _, sample := range s.samples {
		all = append(all, value(sample))
	}
	slices.Sort(all)
	half := len(all) / 2
	median = all[half]
	if len(all)%2 == 0 {
		median = (all[half-1] + all[half]) / 2
	}
	return median, all[0], all[len(all)-1]
}

func (s series) rate() (median, least, greatest float64) { // millions of records per second
	return s.of(func(x sample) float64 { return float64(s.records) / x.wall.Seconds() / 1e6 })
}

func (s series) cpu() (median, least, greatest float64) { // microseconds per record
	return s.of(func(x sample) float64 { return float64(x.cpu.Microseconds()) / float64(s.records) })
}

func (s series) peak() (median, least, greatest float64) {
	return s.of(func(x sample) float64 { return x.peak })
}
