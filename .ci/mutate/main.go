// Mutate switches off one protection of the program at a time, and shows that a
// test notices. The tables beside it, *.mutants, say which, and how.
//
//	go run ./.ci/mutate [-only PATTERN] [-quick] [-list] [-p N]
//
// from anywhere in the repository. The checkout is never touched: the changed
// files reach the compiler by an overlay. It ends with 1 if a mutant survives,
// does not compile, or changes a text that is not in its file exactly once.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	only := flag.String("only", "", "only the mutants whose name or file matches this regular expression")
	quick := flag.Bool("quick", false, "only those that are marked as quick: a selection of about a minute")
	list := flag.Bool("list", false, "check the tables and list them; run nothing")
	parallel := flag.Int("p", runtime.GOMAXPROCS(0), "how many to try at a time")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	ok, err := run(ctx, *only, *quick, *list, *parallel)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
	}
	stop()
	if err != nil || !ok {
		os.Exit(1)
	}
}

func run(ctx context.Context, only string, quick, list bool, parallel int) (ok bool, err error) {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return false, err
	}
	root, err := moduleRoot(ctx)
	if err != nil {
		return false, err
	}
	all, err := readTables(root)
	if err != nil {
		return false, err
	}
	chosen := slices.DeleteFunc(all, func(m *mutant) bool {
		return quick && !m.quick || !pattern.MatchString(m.name) && !pattern.MatchString(m.file)
	})
	if len(chosen) == 0 {
		return false, fmt.Errorf("no mutant matches")
	}
	if list {
		return listed(chosen), nil
	}
	began := time.Now()
	l := &laboratory{root: root}
	if l.scratch, err = os.MkdirTemp("", "mutate-"); err != nil {
		return false, err
	}
	defer func() { _ = os.RemoveAll(l.scratch) }()
	if err := l.baseline(ctx, chosen); err != nil {
		return false, err
	}
	fmt.Fprintf(os.Stderr, "unmutated, everything passes (%.0f s); %d mutants\n", time.Since(began).Seconds(), len(chosen))
	l.tryAll(ctx, chosen, parallel)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	return report(chosen, time.Since(began)), nil
}

// listed lists mutants, and tells whether each can be tried.
func listed(mutants []*mutant) (ok bool) {
	ok = true
	for _, m := range mutants {
		fmt.Printf("%-46s %-34s %s\n", m.file, m.by+m.equivalent, m.name)
		if m.outcome == broken {
			ok = false
			fmt.Fprintf(os.Stderr, "mutate: %s: %s\n", m.name, m.output)
		}
	}
	return ok
}

func moduleRoot(ctx context.Context) (string, error) {
	mod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(mod))), nil
}

// tryAll tries the mutants side by side, and says how far it has come.
func (l *laboratory) tryAll(ctx context.Context, mutants []*mutant, parallel int) {
	var tried atomic.Int32
	queue := make(chan *mutant)
	var workers sync.WaitGroup
	for range max(1, parallel) {
		workers.Go(func() {
			for m := range queue {
				l.try(ctx, m)
				fmt.Fprintf(os.Stderr, "%3d/%d %s\n", tried.Add(1), len(mutants), m)
			}
		})
	}
	for _, m := range mutants {
		if ctx.Err() == nil {
			queue <- m
		}
	}
	close(queue)
	workers.Wait()
}

// report prints what became of the mutants, and tells whether that is well.
func report(mutants []*mutant, took time.Duration) bool {
	count := map[outcome]int{}
	file := ""
	for _, m := range mutants {
		if m.file != file {
			file = m.file
			fmt.Printf("\n%s\n", file)
		}
		fmt.Printf("  %v\n", m)
		count[m.outcome]++
	}
	fmt.Printf("\n%d mutants in %.0f s: %d noticed, %d of them by a time-out; %d equivalent\n", len(mutants), took.Seconds(),
		count[noticed]+count[timedOut], count[timedOut], count[equivalent])
	bad := false
	for _, m := range mutants {
		if m.outcome == survived || m.outcome == broken {
			bad = true
			fmt.Printf("  %v (%s)\n", m, m.file)
			if m.outcome == broken {
				fmt.Println(m.output)
			}
		}
	}
	return !bad
}
