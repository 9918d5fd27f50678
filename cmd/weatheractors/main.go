// Weatheractors counts the daily weather reports of a Kafka topic exactly once,
// and keeps the result in files that anyone may read at any moment.
//
// Run it without arguments, or with help, for its commands.
package main

import (
	"context"
	"io"
	"os"
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
