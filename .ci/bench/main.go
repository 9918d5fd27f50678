// Command bench measures weatheractors against the bare clients of its field, on
// the same topic, in the same run. From the repository's root:
//
//	go run -C .ci/bench .                              on the embedded broker
//	go run -C .ci/bench . --brokers localhost:9092     on that Kafka
//	go run -C .ci/bench . --only read,produce --rounds 9
//
// Every contender is a process, started anew in each round, so that its wall
// time, CPU time and peak memory are those that a user would see. The rounds are
// interleaved: what else the machine does at the time hits all alike. Numbers are
// medians, with the range in brackets.
//
// Topics are named weatheractors-bench-…, and deleted at the end.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

// section is one thing that is measured.
type section struct {
	name    string
	measure func(context.Context, *bench) ([]table, error)
}

var sections = []section{
	{"read", reading},
	{"produce", producing},
	{"latency", latency},
	{"growth", growth},
	{"recovery", recovery},
	{"page", page},
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "client" { // a contender
		exit(client(os.Args[2:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	exit(err)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func run(ctx context.Context) (err error) {
	b := &bench{}
	var only, out string
	flag.StringVar(&b.brokers, "brokers", "", "a Kafka to measure on (default: a broker of weatheractors' own)")
	flag.IntVar(&b.records, "records", 2_000_000, "records in the topic that is read")
	flag.IntVar(&b.rounds, "rounds", 5, "how often each contender is measured")
	flag.StringVar(&b.python, "python", "", "a Python with the packages of .ci/requirements.txt, to compare with kafka-python")
	flag.StringVar(&only, "only", "", "what to measure: "+strings.Join(names(), ",")+" (default: all)")
	flag.StringVar(&out, "markdown", "", "write the tables to this `file`, too, between its marks (docs/benchmarks.md)")
	flag.Parse()
	if flag.NArg() > 0 || b.records < 1000 || b.rounds < 1 {
		return fmt.Errorf("want flags only, at least 1000 records and 1 round; see -h")
	}
	chosen, err := choose(only)
	if err != nil {
		return err
	}
	if err := b.open(ctx); err != nil {
		return err
	}
	defer b.close()
	return b.report(ctx, chosen, out)
}

func names() []string {
	var all []string
	for _, s := range sections {
		all = append(all, s.name)
	}
	return all
}

func choose(only string) ([]section, error) {
	if only == "" {
		return sections, nil
	}
	var chosen []section
	for name := range strings.SplitSeq(only, ",") {
		i := slices.Index(names(), name)
		if i < 0 {
			return nil, fmt.Errorf("--only %q: want some of %s", name, strings.Join(names(), ","))
		}
		chosen = append(chosen, sections[i])
	}
	return chosen, nil
}
