package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/weatheractors/weatheractors/weather"
)

// input is a file of real weather.
type input struct {
	file    string // empty if the weather is made up
	station string
	units   string
}

func (in *input) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&in.file, "input", "", "`file` of real weather: .dly or CSV, as NOAA publishes them, or CSV with date and temp_max; also gzipped")
	f.StringVar(&in.station, "station", "", "`id` of the station, or its location, if the --input has several")
	f.StringVar(&in.units, "units", "", "`units` of the --input if it does not tell (NCEI's CSV): c, f or tenths-c")
	must(cmd.MarkFlagFilename("input", "csv", "dly", "gz"))
	must(cmd.RegisterFlagCompletionFunc("units", cobra.FixedCompletions(
		[]string{string(weather.Celsius), string(weather.Fahrenheit), string(weather.TenthsCelsius)}, cobra.ShellCompDirectiveNoFileComp)))
}

// check finds mistakes in the flags.
func (in *input) check() error {
	switch err := weather.Units(in.units).Check(); {
	case err != nil:
		return usagef("--units %q: want %s, %s or %s", in.units, weather.Celsius, weather.Fahrenheit, weather.TenthsCelsius)
	case in.file == "" && in.station != "":
		return usagef("--station %q: want an --input file, too", in.station)
	case in.file == "" && in.units != "":
		return usagef("--units %s: want an --input file, too", in.units)
	}
	return nil
}

// days returns the file's days, and logs what is in it. It ends early with ctx.
func (in *input) days(ctx context.Context, log *slog.Logger) (iter.Seq[weather.Observation], error) {
	file, err := os.Open(in.file)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", in.file, cause(err))
	}
	defer func() { _ = file.Close() }() // it was only read
	series, err := weather.ReadDaily(endingReader{ctx, file}, weather.ReadOptions{Station: in.station, Units: weather.Units(in.units)})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", in.file, cause(err))
	}
	first, last := series.Days[0], series.Days[len(series.Days)-1]
	log.Info("read", "file", in.file, "station", series.Station, "days", len(series.Days), "from", first.Date, "to", last.Date,
		"missing", series.Missing, "flagged", series.Flagged)
	return slices.Values(series.Days), nil
}

// endingReader reads until ctx ends: a file of all stations takes a while.
type endingReader struct {
	ctx context.Context
	r   io.Reader
}

func (e endingReader) Read(p []byte) (int, error) {
	if err := e.ctx.Err(); err != nil {
		return 0, err
	}
	return e.r.Read(p)
}
