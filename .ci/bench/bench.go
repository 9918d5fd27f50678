package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// bench is one run of the benchmark: its settings, and what it has made.
type bench struct {
	brokers string // host:port
	records int
	rounds  int
	python  string

	own     bool   // the broker is ours
	scratch string // folder of all that is made, on the disk that is measured
	program string // weatheractors
	broker  *exec.Cmd
	made    int // folders and topics so far
	topics  []string
}

// open builds weatheractors, and starts its broker unless there is another.
func (b *bench) open(ctx context.Context) (err error) {
	if b.scratch, err = os.MkdirTemp("", "weatheractors-bench-"); err != nil {
		return err
	}
	b.program = filepath.Join(b.scratch, "weatheractors")
	build := exec.CommandContext(ctx, "go", "build", "-o", b.program, "./cmd/weatheractors")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build weatheractors (is this the folder .ci/bench?): %w\n%s", err, out)
	}
	if b.brokers != "" {
		return nil
	}
	b.own = true
	return b.startBroker()
}

func (b *bench) startBroker() error {
	b.broker = exec.Command(b.program, "broker", "--listen", "127.0.0.1:0", "--log-level", "error")
	b.broker.Stderr = os.Stderr
	// Not stopped by Ctrl-C, which is for the one who asks it to clean up.
	b.broker.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdout, err := b.broker.StdoutPipe()
	if err != nil {
		return err
	}
	if err := b.broker.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	b.brokers = strings.TrimSpace(line)
	return err
}

// close removes everything again.
func (b *bench) close() {
	if b.broker != nil {
		_ = b.broker.Process.Kill()
		_ = b.broker.Wait()
	} else {
		for _, topic := range b.topics {
			if err := b.client(context.Background(), "delete", job{topic: topic}); err != nil {
				say("%v", err)
			}
		}
	}
	_ = os.RemoveAll(b.scratch)
}

// job fills in what all jobs have in common.
func (b *bench) job(j job) job {
	j.brokers = b.brokers
	j.partitions = max(j.partitions, partitions)
	if j.years == 0 {
		j.years = 9999
	}
	if j.compression == "" {
		j.compression = "none"
	}
	return j
}

// bare returns the command that does a job with another client.
func (b *bench) bare(ctx context.Context, name string, j job) (*exec.Cmd, error) {
	self, err := os.Executable()
	return exec.CommandContext(ctx, self, b.job(j).args(name)...), err
}

// client does a job that is not measured.
func (b *bench) client(ctx context.Context, name string, j job) error {
	cmd, err := b.bare(ctx, name, j)
	if err != nil {
		return err
	}
	return quietly(cmd)
}

// weatheractors returns a command of the program, in a way that its user would
// give it.
func (b *bench) weatheractors(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, b.program, append(args, "--brokers", b.brokers)...)
}

// quietly runs a command, and shows what it says if it fails.
func quietly(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", cmd.Args, err, out)
	}
	return nil
}

// name returns a name that nothing has yet.
func (b *bench) name(of string) string {
	b.made++
	return fmt.Sprintf("weatheractors-bench-%d-%d-%s", os.Getpid(), b.made, of)
}

// folder returns the path of a folder that does not exist yet.
func (b *bench) folder() string { return filepath.Join(b.scratch, b.name("files")) }

// topic makes a topic and fills it.
func (b *bench) topic(ctx context.Context, j job) (string, error) {
	j.topic = b.name("topic")
	b.topics = append(b.topics, j.topic)
	say("filling topic %s with %d records", j.topic, j.records)
	return j.topic, errors.Join(b.client(ctx, "create", j), b.client(ctx, "fill", j))
}

// drop deletes a topic that is needed no more.
func (b *bench) drop(ctx context.Context, topic string) error {
	b.topics = without(b.topics, topic)
	return b.client(ctx, "delete", job{topic: topic})
}

func without(all []string, one string) (rest []string) {
	for _, s := range all {
		if s != one {
			rest = append(rest, s)
		}
	}
	return rest
}

// say tells how far it is. Tables alone go to standard output.
func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s "+format+"\n", append([]any{time.Now().Format(time.TimeOnly)}, args...)...)
}
