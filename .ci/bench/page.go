package main

import (
	"context"
	"fmt"
)

// page measures what it costs to show a page, metrics and health of what is
// counted: consume against itself, longer and more often than others, since it is
// to be next to nothing.
func page(ctx context.Context, b *bench) ([]table, error) {
	records, rounds := 2*b.records, 3*b.rounds
	topic, err := b.topic(ctx, job{years: 100, records: records})
	if err != nil {
		return nil, err
	}
	with := b.consume(topic, records, "--http", "127.0.0.1:0")
	with.name = "weatheractors consume --http"
	all, err := contest(ctx, rounds, b.consume(topic, records), with)
	if err != nil {
		return nil, err
	}
	t := contestTable(fmt.Sprintf("Reading %s records, and showing it on a page", count(records)), all)
	t.notes = append(t.notes, fmt.Sprintf("Medians of %d rounds.", rounds))
	return []table{t}, b.drop(ctx, topic)
}
