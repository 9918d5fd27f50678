package main

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weatheractors/weatheractors/actors/checkpoint"
	"github.com/weatheractors/weatheractors/cmd/internal/live"
	"github.com/weatheractors/weatheractors/render"
	"github.com/weatheractors/weatheractors/weather"
)

// picture says what to draw, from what, and where to.
type picture struct {
	dir    string // of the partition files
	out    string
	months []time.Month
}

// toStdout is the --out that is no file.
const toStdout = "-"

// errNoFolder says that there is no place for a picture, errNotRegular that what is
// there must not be replaced by one.
var (
	errNoFolder   = errors.New("its folder does not exist")
	errNotRegular = errors.New("not a regular file")
)

func (a *app) plotCommand() *cobra.Command {
	var names []string
	var out string
	var watch bool
	cmd := &cobra.Command{
		Use:   "plot",
		Short: "Draw the months' averages from the partition files",
		Long: `plot draws a bar for each of January, February and March, or of other months: the
average maximum temperature of the most recent year on record. It searches the
partition files of --dir for the months; some may be missing.

The picture is replaced as a whole, so that a viewer never sees half of one. With
--watch it is replaced whenever the files have something new to show; where there
are none yet, plot waits for them.`,
		Example: `  weatheractors plot
  weatheractors plot --months jun,jul,aug --out summer.svg
  weatheractors plot --months all --out - | rsvg-convert -o year.png
  weatheractors plot --watch                      # until it is stopped`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			months, err := parseMonths(names)
			if err != nil {
				return err
			}
			if err := checkOut("--out", out, watch); err != nil {
				return err
			}
			p := picture{dir: a.dir, out: cmp.Or(out, a.monthSVG()), months: months}
			if watch {
				a.watch(cmd.Context(), p)
				return nil
			}
			return a.plot(p)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "`file` to write, - for standard output (default month.svg in --dir)")
	cmd.Flags().StringSliceVar(&names, "months", []string{"January", "February", "March"}, "`months` to draw, in this order: names, their first three letters, or all")
	cmd.Flags().BoolVar(&watch, "watch", false, "redraw when the files change, until stopped")
	must(cmd.RegisterFlagCompletionFunc("months", cobra.FixedCompletions(append(allMonths(), "all"), cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

func allMonths() (names []string) {
	for m := time.January; m <= time.December; m++ {
		names = append(names, m.String())
	}
	return names
}

// parseMonths understands English names in any case, and what dates shorten them
// to: their first three letters.
func parseMonths(names []string) ([]time.Month, error) {
	if len(names) == 1 && strings.EqualFold(names[0], "all") {
		names = allMonths()
	}
	if len(names) == 0 || len(names) > render.MaxBars {
		return nil, usagef("--months: %d of them: want 1 to %d", len(names), render.MaxBars)
	}
	var months []time.Month
	for _, name := range names {
		month, ok := live.ParseMonth(name)
		switch {
		case !ok:
			return nil, usagef("--months: %q is not a month: want English names such as January, or Jan; or all", name)
		case slices.Contains(months, month):
			return nil, usagef("--months: %v is named twice", month)
		}
		months = append(months, month)
	}
	return months, nil
}

// checkOut finds mistakes in the name of a picture that would cost somebody a file, or that
// waiting does not mend.
func checkOut(flag, out string, watch bool) error {
	switch file, err := os.Stat(out); {
	case out == "", out == toStdout && !watch:
		return nil
	case out == toStdout && watch:
		return usagef("%s -: want a file, which can be replaced again and again", flag)
	case err == nil && file.IsDir():
		return usagef("%s %s is a folder: want a file in it, such as %s", flag, out, filepath.Join(out, "month.svg"))
	case filepath.Ext(out) == ".json":
		return usagef("%s %s: want the name of a picture, such as month.svg: those of partition files end in .json", flag, out)
	}
	path, err := target(out)
	if err != nil {
		return fmt.Errorf("draw %s: %w", out, err)
	}
	if folder, err := os.Stat(filepath.Dir(path)); errors.Is(err, fs.ErrNotExist) || err == nil && !folder.IsDir() {
		return fmt.Errorf("draw %s: %w", out, errNoFolder)
	}
	return nil
}

// plot draws a picture once.
func (a *app) plot(p picture) error {
	svg, err := p.svg()
	if err != nil {
		return err
	}
	if p.out == toStdout {
		a.printf("%s", svg)
		return nil
	}
	if err := p.replace(svg); err != nil {
		return err
	}
	a.printf("%s\n", p.out)
	return nil
}

// draw makes the picture show the files as they are now.
func (p picture) draw() error {
	_, err := p.refresh()
	return err
}

// refresh draws the picture, and replaces the one that is there if it differs.
func (p picture) refresh() (replaced bool, err error) {
	svg, err := p.svg()
	if err != nil {
		return false, err
	}
	if path, err := target(p.out); err == nil {
		if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, svg) {
			return false, nil
		}
	}
	return true, p.replace(svg)
}

// maxLinks is how many symbolic links may lead from one to the next.
const maxLinks = 40

// target is the file that a picture replaces, which need not be there yet: the one
// that out names, or that a symbolic link of that name leads to. It is an error if
// something else than a picture would be lost.
func target(out string) (string, error) {
	path := out
	for range maxLinks {
		link, err := os.Readlink(path)
		if err != nil {
			break // it is none
		}
		if !filepath.IsAbs(link) {
			folder, err := filepath.EvalSymlinks(filepath.Dir(path))
			if err != nil {
				return "", cause(err)
			}
			link = filepath.Join(folder, link)
		}
		path = link
	}
	switch file, err := os.Lstat(path); {
	case err == nil && !file.Mode().IsRegular():
		return "", errNotRegular
	case filepath.Ext(path) == ".json":
		return "", fmt.Errorf("it leads to %s: those of partition files end in .json", path)
	}
	return path, nil
}

// instance is a name for what is this process's own.
var instance = rand.Text()

// replace makes svg the content of the picture's file. Several processes may do
// that at once: each renames a file of its own.
func (p picture) replace(svg []byte) error {
	path, err := target(p.out)
	if err != nil {
		return fmt.Errorf("draw %s: %w", p.out, err)
	}
	own := path + "." + instance
	if err := checkpoint.ReplaceFile(own, svg); err != nil {
		return fmt.Errorf("draw %s: %w", p.out, err)
	}
	if err := os.Rename(own, path); err != nil {
		_ = os.Remove(own) // it only takes up space
		return fmt.Errorf("draw %s: %w", p.out, err)
	}
	return nil
}

// svg is the picture of the files as they are now.
func (p picture) svg() ([]byte, error) {
	bars, err := p.bars()
	if err != nil {
		return nil, err
	}
	var svg bytes.Buffer
	if err := render.Months(&svg, bars); err != nil {
		return nil, fmt.Errorf("draw %s: %w", p.out, err)
	}
	return svg.Bytes(), nil
}

// bars finds the most recent year of each month in whichever file has it.
func (p picture) bars() ([]render.Bar, error) {
	partitions, err := checkpoint.Files(p.dir)
	if err != nil {
		return nil, needFiles(err)
	}
	latest := map[time.Month]weather.MonthStats{}
	for _, partition := range partitions {
		c, err := checkpoint.ReadFile(checkpoint.Path(p.dir, partition))
		if errors.Is(err, os.ErrNotExist) {
			continue // moved away since it was listed
		}
		if err != nil {
			return nil, err
		}
		for i := range c.GetStats().Len() {
			m := c.GetStats().Row(i)
			if m.Start > latest[m.Start.Month()].Start {
				latest[m.Start.Month()] = m
			}
		}
	}
	var bars []render.Bar
	for _, month := range p.months {
		bar := render.Bar{Month: month}
		if m, ok := latest[month]; ok {
			bar.Year, bar.Avg = m.Start.Year(), m.Avg()
		}
		bars = append(bars, bar)
	}
	return bars, nil
}
