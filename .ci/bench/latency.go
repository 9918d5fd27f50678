package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// pace is a load under which latency is measured.
type pace struct {
	delay   time.Duration
	records int
}

// latency measures how long it takes from the acknowledgement of a record until
// it can be read in its file, and from there into the picture.
func latency(ctx context.Context, b *bench) ([]table, error) {
	file := table{title: "From a record's acknowledgement to its readable file", head: latencyHead}
	picture := table{title: "From a file to the picture that shows it (`--plot`)", head: latencyHead,
		notes: []string{"Drawing takes a tenth of the time at most, as saving does: a file that is replaced while a picture is drawn waits for the next."}}
	for _, p := range []pace{{100 * time.Millisecond, 30 * b.rounds}, {time.Millisecond, 3000 * b.rounds}} {
		samples, err := b.latencyAt(ctx, p)
		if err != nil {
			return nil, err
		}
		name := fmt.Sprintf("%d records/s", time.Second/p.delay)
		file.row(append([]string{name}, percentiles(samples["file"])...)...)
		picture.row(append([]string{name}, percentiles(samples["picture"])...)...)
	}
	return []table{file, picture}, nil
}

var latencyHead = []string{"", "samples", "p50 ms", "p99 ms", "max ms"}

// latencyAt runs a consumer, and a client that publishes and watches its folder.
func (b *bench) latencyAt(ctx context.Context, p pace) (map[string][]time.Duration, error) {
	topic, err := b.topic(ctx, job{})
	if err != nil {
		return nil, err
	}
	dir := b.folder()
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	live := b.weatheractors(ctx, "consume", "--all", "--topic", topic, "--dir", dir, "--plot", filepath.Join(dir, "month.svg"))
	if err := live.Start(); err != nil {
		return nil, err
	}
	cmd, err := b.bare(ctx, "watch", job{topic: topic, dir: dir, delay: p.delay, records: p.records})
	if err != nil {
		return nil, err
	}
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	stopped := live.Process.Signal(os.Interrupt)
	if err := errors.Join(err, stopped, live.Wait()); err != nil {
		return nil, fmt.Errorf("latency: %w\n%s", err, &stderr)
	}
	samples := map[string][]time.Duration{}
	for line := range strings.Lines(stdout.String()) {
		what, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		took, err := time.ParseDuration(value)
		if err != nil {
			return nil, err
		}
		samples[what] = append(samples[what], took)
	}
	return samples, b.drop(ctx, topic)
}

func percentiles(samples []time.Duration) []string {
	cells := []string{count(len(samples))}
	slices.Sort(samples)
	for _, share := range []float64{0.5, 0.99, 1} {
		at := max(0, int(share*float64(len(samples))+0.5)-1)
		if len(samples) == 0 {
			cells = append(cells, "–")
			continue
		}
		cells = append(cells, fmt.Sprintf("%.1f", float64(samples[at].Microseconds())/1000))
	}
	return cells
}
