// Weatheractors counts the daily weather reports of a Kafka topic exactly once,
// and keeps the result in files that anyone may read at any moment.
//
// Run it without arguments, or with help, for its commands.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// What the program ends with.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130 // by a second signal
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole program but for its process: it returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := untilSignal(context.Background())
	defer stop()
	a := &app{stdout: stdout, stderr: stderr}
	root := a.command()
	root.SetArgs(args)
	return a.exitCode(root.ExecuteContext(ctx))
}

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
		<-signals
		os.Exit(exitInterrupted)
	}()
	return ctx, func() { signal.Stop(signals); cancel() }
}
