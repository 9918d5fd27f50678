// Foreign does to a topic what weatheractors itself never does, with a client
// that it does not have. The integration tests build it.
//
//	foreign create BROKERS TOPIC PARTITIONS [KEY=VALUE…]   a topic with settings of its own
//	foreign delete BROKERS TOPIC PARTITION OFFSET          deletes the records before an offset
//	foreign publish BROKERS TOPIC FIRST DAYS               publishes days, counted from 1990-01-01
//	foreign transactions BROKERS TOPIC DAYS                publishes days in transactions
//	foreign begin BROKERS TOPIC                            leaves a transaction open, for 10 s
package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// openFor is how long a transaction may stay open before the broker aborts it.
const openFor = 10 * time.Second

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "foreign:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) < 3 {
		return errors.New("want a command, brokers and a topic")
	}
	command, brokers, topic, rest := args[0], args[1], args[2], args[3:]
	options := []kgo.Opt{
		kgo.SeedBrokers(strings.Split(brokers, ",")...),
		kgo.DefaultProduceTopic(topic),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)), // Kafka's own
	}
	if command == "transactions" || command == "begin" {
		options = append(options, kgo.TransactionalID("foreign-"+command+"-"+topic), kgo.TransactionTimeout(openFor))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return err
	}
	defer client.Close()
	switch command {
	case "create":
		return create(ctx, kadm.NewClient(client), topic, rest)
	case "delete":
		return deleteRecords(ctx, kadm.NewClient(client), topic, rest)
	case "publish":
		return publish(ctx, client, rest)
	case "transactions":
		return transactions(ctx, client, rest)
	case "begin":
		return begin(ctx, client)
	}
	return fmt.Errorf("unknown command %s", command)
}

func create(ctx context.Context, admin *kadm.Client, topic string, args []string) error {
	partitions, err := number(args, 0)
	if err != nil {
		return err
	}
	settings := make(map[string]*string)
	for _, setting := range args[1:] {
		key, value, _ := strings.Cut(setting, "=")
		settings[key] = &value
	}
	_, err = admin.CreateTopic(ctx, int32(partitions), -1, settings, topic)
	return err
}

func deleteRecords(ctx context.Context, admin *kadm.Client, topic string, args []string) error {
	partition, err := number(args, 0)
	if err != nil {
		return err
	}
	before, err := number(args, 1)
	if err != nil {
		return err
	}
	var offsets kadm.Offsets
	offsets.AddOffset(topic, int32(partition), int64(before), -1)
	answer, err := admin.DeleteRecords(ctx, offsets)
	if err != nil {
		return err
	}
	return answer.Error()
}

func publish(ctx context.Context, client *kgo.Client, args []string) error {
	first, err := number(args, 0)
	if err != nil {
		return err
	}
	days, err := number(args, 1)
	if err != nil {
		return err
	}
	var records []*kgo.Record
	for n := first; n < first+days; n++ {
		records = append(records, record(n, float64(n)))
	}
	return client.ProduceSync(ctx, records...).FirstErr()
}

// transactions publishes days from 1990-01-01 on, each n °F on day n, in
// transactions that grow from one day to a week. Before each of them it aborts
// one with the days to come, at temperatures that nobody may count.
func transactions(ctx context.Context, client *kgo.Client, args []string) error {
	days, err := number(args, 0)
	if err != nil {
		return err
	}
	for day, size := 0, 1; day < days; size = size%7 + 1 {
		var ahead, due []*kgo.Record
		for n := day; n < day+size+10; n++ {
			ahead = append(ahead, record(n, 999999))
		}
		for n := day; n < min(day+size, days); n++ {
			due = append(due, record(n, float64(n)))
		}
		if err := transaction(ctx, client, kgo.TryAbort, ahead); err != nil {
			return err
		}
		if err := transaction(ctx, client, kgo.TryCommit, due); err != nil {
			return err
		}
		day += len(due)
	}
	return nil
}

func transaction(ctx context.Context, client *kgo.Client, end kgo.TransactionEndTry, records []*kgo.Record) error {
	if err := client.BeginTransaction(); err != nil {
		return err
	}
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return err
	}
	return client.EndTransaction(ctx, end)
}

// begin publishes days of 2100, and goes away.
func begin(ctx context.Context, client *kgo.Client) error {
	if err := client.BeginTransaction(); err != nil {
		return err
	}
	const day, year = 40177, 365
	var records []*kgo.Record
	for n := day; n < day+year; n++ {
		records = append(records, record(n, 999999))
	}
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return err
	}
	os.Exit(0) // closed, the client would abort it
	return nil
}

// record is a Report with its wire form made by hand.
func record(day int, degrees float64) *kgo.Record {
	date := time.Date(1990, 1, 1+day, 0, 0, 0, 0, time.UTC)
	value := append([]byte("\x0a\x0a"), date.Format(time.DateOnly)...)
	value = binary.LittleEndian.AppendUint64(append(value, 0x11), math.Float64bits(degrees))
	return &kgo.Record{Key: []byte(date.Month().String()), Value: value}
}

func number(args []string, i int) (int, error) {
	if i >= len(args) {
		return 0, errors.New("a number is missing")
	}
	return strconv.Atoi(args[i])
}
