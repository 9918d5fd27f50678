package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// job is what a client process is asked to do.
type job struct {
	brokers, topic string
	partitions     int
	records        int
	years          int // of distinct days, in order; then they begin again, as duplicates
	first          int // number of the first day
	delay          time.Duration
	compression    string
	dir            string
}

// args are the command line of a client process.
func (j job) args(name string) []string {
	return []string{"client", name, "--brokers", j.brokers, "--topic", j.topic, "--dir", j.dir, "--compression", j.compression,
		"--partitions", strconv.Itoa(j.partitions), "--records", strconv.Itoa(j.records), "--years", strconv.Itoa(j.years),
		"--first", strconv.Itoa(j.first), "--delay", j.delay.String()}
}

func (j *job) parse(args []string) error {
	flags := flag.NewFlagSet("client", flag.ContinueOnError)
	flags.StringVar(&j.brokers, "brokers", "", "")
	flags.StringVar(&j.topic, "topic", "", "")
	flags.StringVar(&j.dir, "dir", "", "")
	flags.StringVar(&j.compression, "compression", "none", "")
	flags.IntVar(&j.partitions, "partitions", 0, "")
	flags.IntVar(&j.records, "records", 0, "")
	flags.IntVar(&j.years, "years", 0, "")
	flags.IntVar(&j.first, "first", 0, "")
	flags.DurationVar(&j.delay, "delay", 0, "")
	return flags.Parse(args)
}

func (j job) codec() kgo.CompressionCodec {
	if j.compression == "lz4" {
		return kgo.Lz4Compression()
	}
	return kgo.NoCompression()
}

// clients are the processes that weatheractors is compared with, and those that
// prepare the comparison: this one has to stay small (see measure).
var clients = map[string]func(context.Context, job) error{
	"create":          create,
	"delete":          remove,
	"fill":            fill,
	"franz-go":        franz,
	"sarama-consumer": saramaConsumer,
	"sarama-fetch":    saramaFetch,
	"sarama-producer": saramaProducer,
	"watch":           watch,
}

// client is the main function of such a process.
func client(args []string) error {
	if len(args) == 0 || clients[args[0]] == nil {
		return errors.New("client: want the name of one")
	}
	var j job
	if err := j.parse(args[1:]); err != nil {
		return err
	}
	if err := clients[args[0]](context.Background(), j); err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	return nil
}
