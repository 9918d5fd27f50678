package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// tail is how many records wait for a consumer that comes back.
const tail = 100_000

// recovery measures how long a consumer that was killed needs to catch up with
// what came meanwhile.
func recovery(ctx context.Context, b *bench) ([]table, error) {
	before := b.records / 4
	topic, err := b.topic(ctx, job{records: before})
	if err != nil {
		return nil, err
	}
	dir := b.folder()
	if err := b.killed(ctx, topic, dir); err != nil {
		return nil, err
	}
	if err := b.client(ctx, "fill", job{topic: topic, first: before, records: tail}); err != nil {
		return nil, err
	}
	all, err := contest(ctx, b.rounds, contender{"from the start of the process to its end", tail, func(ctx context.Context) (*exec.Cmd, error) {
		again := b.folder()
		err := os.CopyFS(again, os.DirFS(dir))
		return b.weatheractors(ctx, "consume", "--all", "--until-end", "--topic", topic, "--dir", again), err
	}})
	if err != nil {
		return nil, err
	}
	t := table{title: fmt.Sprintf("Catching up with %s records after kill -9, with %s counted before", count(tail), count(before)),
		head: []string{"", "ms", "CPU µs/record", "peak MB"}}
	for _, s := range all {
		ms := spread("%.0f")(s.of(func(x sample) float64 { return float64(x.wall.Microseconds()) / 1000 }))
		t.row(s.name, ms, spread("%.2f")(s.cpu()), spread("%.0f")(s.peak()))
	}
	return []table{t}, b.drop(ctx, topic)
}

// killed leaves the files of a consumer that was killed once it had counted
// everything there was.
func (b *bench) killed(ctx context.Context, topic, dir string) error {
	if err := quietly(b.weatheractors(ctx, "consume", "--all", "--until-end", "--topic", topic, "--dir", dir)); err != nil {
		return err
	}
	live := b.weatheractors(ctx, "consume", "--all", "--topic", topic, "--dir", dir)
	if err := live.Start(); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case <-time.After(500 * time.Millisecond): // it is at work
	}
	err := live.Process.Kill()
	_ = live.Wait() // it says that it was killed
	return errors.Join(err, ctx.Err())
}
