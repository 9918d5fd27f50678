package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// sameSignal is how soon a second signal still counts as the first.
const sameSignal = 200 * time.Millisecond

// untilSignal returns a context that ends with the first signal to end; a second
// one ends the process at once. stop gives the signals back.
func untilSignal(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-signals:
			cancel()
		case <-ctx.Done():
			return
		}
		awaitSecond(signals)
		os.Exit(exitInterrupted)
	}()
	return ctx, func() { signal.Stop(signals); cancel() }
}

// awaitSecond returns at the second signal. The first may come twice: to the
// process, and to its group.
func awaitSecond(signals <-chan os.Signal) {
	for first := time.Now(); time.Since(first) < sameSignal; {
		<-signals
	}
}
