package main

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
)

// producing compares produce --delay 0 with a bare AsyncProducer.
func producing(ctx context.Context, b *bench) ([]table, error) {
	records := b.records / 2
	var topics []string
	ours := func(name, duplicates string) contender {
		return contender{name, records, func(ctx context.Context) (*exec.Cmd, error) {
			topic := b.name("topic")
			b.topics = append(b.topics, topic)
			return b.weatheractors(ctx, "produce", "--topic", topic, "--delay", "0", "--days", strconv.Itoa(records), "--duplicates", duplicates), nil
		}}
	}
	bare := contender{"sarama AsyncProducer, bare", records, func(ctx context.Context) (*exec.Cmd, error) {
		topic, err := b.topic(ctx, job{})
		if err != nil {
			return nil, err
		}
		topics = append(topics, topic)
		return b.bare(ctx, "sarama-producer", job{topic: topic, records: records})
	}}
	all, err := contest(ctx, b.rounds, ours("**weatheractors produce**, no repeats", "0"), bare, ours("weatheractors produce, a twentieth repeated", "0.05"))
	if err != nil {
		return nil, err
	}
	for _, topic := range topics {
		if err := b.drop(ctx, topic); err != nil {
			return nil, err
		}
	}
	t := contestTable(fmt.Sprintf("Publishing %s reports, acknowledged by all, idempotent", count(records)), all)
	t.notes = append(t.notes, "weatheractors makes its topic and the weather as well; the bare producer has its topic already. A repeat waits for the acknowledgement of its original.")
	return []table{t}, nil
}
