package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// report measures what was chosen, and prints it.
func (b *bench) report(ctx context.Context, chosen []section, out string) error {
	var document strings.Builder
	head := b.machine()
	fmt.Println(head)
	fmt.Fprintln(&document, head)
	for _, s := range chosen {
		say("measuring: %s", s.name)
		tables, err := s.measure(ctx, b)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		for _, t := range tables {
			if err := t.text(os.Stdout); err != nil {
				return err
			}
			t.markdown(&document)
		}
	}
	if out == "" {
		return nil
	}
	return insert(out, b.kind(), document.String())
}

// kind is the kind of broker: each has its place in the document.
func (b *bench) kind() string {
	if b.own {
		return "embedded broker"
	}
	return "Apache Kafka"
}

// machine says where and with what it is measured.
func (b *bench) machine() string {
	versions := map[string]string{}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			versions[m.Path] = m.Version
		}
	}
	return fmt.Sprintf("%s, %d × %s, %s; %s; sarama %s, franz-go %s; weatheractors %s; broker: %s, on the same machine; "+
		"medians of %d rounds (least–greatest).", time.Now().Format(time.DateOnly), runtime.NumCPU(), processor(), runtime.GOOS, runtime.Version(),
		versions["github.com/IBM/sarama"], versions["github.com/twmb/franz-go"], commit(), b.kind(), b.rounds)
}

func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(text)) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "(unknown)"
	}
	return strings.TrimSpace(string(out))
}
