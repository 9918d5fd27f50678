package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// growth looks whether time and memory per record stay what they are as
// everything grows.
func growth(ctx context.Context, b *bench) ([]table, error) {
	type step struct {
		label string
		job
	}
	most := b.records * 5
	var years, parts, backlog []step
	for _, n := range []int{1, 100, 1000, 8000} {
		years = append(years, step{strconv.Itoa(n), job{years: n, records: max(b.records, b.records*3/2)}})
	}
	for _, n := range []int{4, 16, 64} {
		parts = append(parts, step{strconv.Itoa(n), job{years: 100, partitions: n, records: b.records}})
	}
	for n := most / 100; n <= most; n *= 10 {
		backlog = append(backlog, step{count(n), job{years: 100, records: n}})
	}
	var tables []table
	for _, family := range []struct {
		title, head string
		steps       []step
	}{
		{"Years in the files", "years", years},
		{"Partitions in one process", "partitions", parts},
		{"Backlog", "records", backlog},
	} {
		var contenders []contender
		var topics []string
		for _, s := range family.steps {
			topic, err := b.topic(ctx, s.job)
			if err != nil {
				return nil, err
			}
			topics = append(topics, topic)
			c := b.consume(topic, s.records)
			c.name = s.label
			contenders = append(contenders, c)
		}
		all, err := contest(ctx, b.rounds, contenders...)
		if err != nil {
			return nil, err
		}
		for _, topic := range topics {
			if err := b.drop(ctx, topic); err != nil {
				return nil, err
			}
		}
		t := table{title: family.title, head: []string{family.head, "of so many records", "M records/s", "CPU µs/record", "peak MB"}}
		for _, s := range all {
			t.row(s.name, count(s.records), spread("%.2f")(s.rate()), spread("%.2f")(s.cpu()), spread("%.0f")(s.peak()))
		}
		tables = append(tables, t)
	}
	return tables, nil
}

// count prints a number with a comma every three digits.
func count(n int) string {
	digits := fmt.Sprint(n)
	var parts []string
	for len(digits) > 3 {
		parts = append([]string{digits[len(digits)-3:]}, parts...)
		digits = digits[:len(digits)-3]
	}
	return strings.Join(append([]string{digits}, parts...), ",")
}
