package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// consume is the contender that all of this is about: everything counted
// exactly once, from empty files to durable ones.
func (b *bench) consume(topic string, records int, more ...string) contender {
	return contender{"**weatheractors consume**", records, func(ctx context.Context) (*exec.Cmd, error) {
		return b.weatheractors(ctx, append([]string{"consume", "--all", "--until-end", "--topic", topic, "--dir", b.folder()}, more...)...), nil
	}}
}

// reading compares consume with clients that only read, and with one that does
// the same job in Python.
func reading(ctx context.Context, b *bench) ([]table, error) {
	var tables []table
	for _, compression := range []string{"none", "lz4"} {
		t, err := b.readingOf(ctx, compression)
		if err != nil {
			return nil, err
		}
		tables = append(tables, t)
	}
	return tables, nil
}

func (b *bench) readingOf(ctx context.Context, compression string) (table, error) {
	topic, err := b.topic(ctx, job{records: b.records, compression: compression})
	if err != nil {
		return table{}, err
	}
	bare := func(client, does string) contender {
		return contender{does, b.records, func(ctx context.Context) (*exec.Cmd, error) { return b.bare(ctx, client, job{topic: topic}) }}
	}
	contenders := []contender{
		b.consume(topic, b.records),
		bare("sarama-consumer", "sarama PartitionConsumer, bare"),
		bare("sarama-fetch", "sarama Broker.Fetch, bare"),
		bare("franz-go", "franz-go, bare"),
	}
	if b.python != "" && compression == "none" {
		python, err := b.pythonContender(ctx)
		if err != nil {
			return table{}, err
		}
		contenders = append(contenders, python)
	}
	if err := b.prove(ctx, topic); err != nil {
		return table{}, err
	}
	all, err := contest(ctx, b.rounds, contenders...)
	if err != nil {
		return table{}, err
	}
	t := contestTable(fmt.Sprintf("Reading %s records of 21 bytes, 4 partitions, compression %s", count(b.records), compression), all)
	t.notes = append(t.notes, fmt.Sprintf("Bare clients read the records and throw them away. Every date is another one: %s months and years in the files at the end.",
		count(b.records*12/365)))
	if b.python != "" && compression == "none" {
		t.notes = append(t.notes, fmt.Sprintf("kafka-python had %s records to count.", count(b.records/pythonShare)))
	}
	return t, b.drop(ctx, topic)
}

// prove counts a topic once and has the files checked: what is fast and wrong is
// of no interest.
func (b *bench) prove(ctx context.Context, topic string) error {
	dir := b.folder()
	if err := quietly(b.weatheractors(ctx, "consume", "--all", "--until-end", "--topic", topic, "--dir", dir)); err != nil {
		return err
	}
	return quietly(b.weatheractors(ctx, "verify", "--all", "--topic", topic, "--dir", dir))
}

// pythonShare is how many times fewer records the Python client gets.
const pythonShare = 20

// pythonContender counts a smaller topic with kafka-python.
func (b *bench) pythonContender(ctx context.Context) (contender, error) {
	records := b.records / pythonShare
	topic, err := b.topic(ctx, job{records: records})
	if err != nil {
		return contender{}, err
	}
	messages := filepath.Join("..", "..", "messages")
	protoc := exec.CommandContext(ctx, b.python, "-m", "grpc_tools.protoc", "-I"+messages, "--python_out="+b.scratch, "report.proto")
	if err := quietly(protoc); err != nil {
		return contender{}, err
	}
	return contender{"kafka-python, the same job", records, func(ctx context.Context) (*exec.Cmd, error) {
		cmd := exec.CommandContext(ctx, b.python, "consumer.py", b.brokers, topic, b.folder(), strconv.Itoa(partitions))
		cmd.Env = append(os.Environ(), "PYTHONPATH="+b.scratch)
		return cmd, nil
	}}, nil
}
