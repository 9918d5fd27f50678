package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	"github.com/weatheractors/weatheractors/actors/kafka"
	"github.com/weatheractors/weatheractors/messages"
)

// debugGroup is the consumer group of every debug: they share the partitions.
const debugGroup = "debug"

// errEnough ends debug -n, and debug whose reader has gone.
var errEnough = errors.New("enough")

func (a *app) debugCommand() *cobra.Command {
	var limit int64
	var format string
	cmd := &cobra.Command{
		Use:   "debug",
		Short: "Print each report as it arrives",
		Long: `debug prints the reports of the topic as they arrive, a line each, as a Python
dictionary. It joins the consumer group "debug", so that the broker shares the
partitions out among all that run, begins with what arrives from now on, and goes
on when the topic is deleted and created anew.

A record that can't be counted is printed with what there is, and noted on standard
error.`,
		Example: `  weatheractors debug
  weatheractors debug -n 10 -o json | jq .date`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			asJSON, err := choice("--output", format, "python", "json")
			if err != nil {
				return err
			}
			if limit < 0 {
				return usagef("--number %d: want 0 or more", limit)
			}
			cluster := a.cluster()
			if err := a.connect(cmd.Context(), cluster); err != nil {
				return err
			}
			kafka.Setup(a.log)
			// A closed pipe (| head) is to be an error of the next write, not the
			// end of the process: it still has to leave the group.
			signal.Ignore(syscall.SIGPIPE)
			p := &printer{app: a, out: bufio.NewWriter(a.stdout), left: limit, limited: limit > 0, json: asJSON}
			err = kafka.Follow(cmd.Context(), cluster, debugGroup, p.print, a.trouble)
			if errors.Is(err, errEnough) {
				return nil
			}
			return unlessEnded(cmd.Context(), err)
		},
	}
	cmd.Flags().Int64VarP(&limit, "number", "n", 0, "stop after that many `records` (0 means never)")
	cmd.Flags().StringVarP(&format, "output", "o", "python", "`format` of a line: python or json")
	must(cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"python", "json"}, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

// printer prints records in either form.
type printer struct {
	app     *app
	out     *bufio.Writer
	left    int64
	limited bool
	json    bool
}

// print prints a batch of records and flushes it.
func (p *printer) print(records []kafka.Record) error {
	err := p.printAll(records)
	if err == nil {
		err = p.out.Flush()
	}
	switch {
	case errors.Is(err, syscall.EPIPE), errors.Is(err, io.ErrClosedPipe):
		return errEnough // whoever read it has seen enough
	case err != nil:
		return fmt.Errorf("print: %w", err)
	case p.limited && p.left == 0:
		return errEnough
	}
	return nil
}

// printAll prints as many of the records as are still wanted.
func (p *printer) printAll(records []kafka.Record) error {
	for _, r := range records {
		if p.limited && p.left == 0 {
			break
		}
		p.left--
		report, err := decode(r)
		switch {
		case report == nil:
			p.app.log.Warn("record can't be decoded", "partition", r.Partition, "offset", r.Offset, "cause", err)
		case err != nil:
			p.app.log.Warn("record can't be counted", "partition", r.Partition, "offset", r.Offset, "cause", err)
		}
		if p.json {
			err = p.printJSON(r, report)
		} else {
			err = p.printPython(r, report)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// decode returns the report in a record, nil if there is none, and why it can't
// be counted.
func decode(r kafka.Record) (*messages.Report, error) {
	_, err := messages.DecodeReport(r.Key, r.Value)
	report := new(messages.Report)
	if len(r.Value) == 0 || proto.Unmarshal(r.Value, report) != nil {
		return nil, err
	}
	return report, err
}

func (p *printer) printPython(r kafka.Record, report *messages.Report) error {
	key, date, degrees := "None", "None", "None"
	if r.Key != nil {
		key = pyString(r.Key)
	}
	if report != nil {
		date, degrees = pyString([]byte(report.GetDate())), pyFloat(report.GetDegrees())
	}
	_, err := fmt.Fprintf(p.out, "{'partition': %d, 'key': %s, 'date': %s, 'degrees': %s}\n", r.Partition, key, date, degrees)
	return err
}

func (p *printer) printJSON(r kafka.Record, report *messages.Report) error {
	line := struct {
		Partition int32    `json:"partition"`
		Offset    int64    `json:"offset"`
		Key       *string  `json:"key"`
		Date      *string  `json:"date"`
		Degrees   *float64 `json:"degrees"` // null also where JSON has no number for it
	}{Partition: r.Partition, Offset: r.Offset}
	if r.Key != nil {
		key := string(r.Key)
		line.Key = &key
	}
	if report != nil {
		line.Date = &report.Date
		if !math.IsNaN(report.GetDegrees()) && !math.IsInf(report.GetDegrees(), 0) {
			line.Degrees = &report.Degrees
		}
	}
	return json.NewEncoder(p.out).Encode(line)
}
