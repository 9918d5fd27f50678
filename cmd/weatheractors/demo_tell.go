package main

import (
	"log/slog"
	"runtime"
	"slices"
	"strings"

	"github.com/weatheractors/weatheractors/actors/checkpoint"
	"github.com/weatheractors/weatheractors/cmd/internal/status"
	"github.com/weatheractors/weatheractors/weather"
)

// introduce says what is about to happen, and where to look.
func (d *demo) introduce(broker string) {
	pace := "every " + d.delay.String()
	if d.delay == 0 {
		pace = "as soon as it can"
	}
	d.printf(`All in this process: a broker on %s, a producer, two consumers.
The producer publishes a day of weather %s. Now and then it repeats
one, as %.0f °F: whoever counts that has counted a duplicate.
Consumer A counts partitions 0 and 2, B counts 1 and 3.

`, broker, pace, weather.RepeatDegrees)
	if d.page != nil {
		d.printf("Open %s\n", d.page.server.URL())
	}
	d.invite()
	d.printf("Stop: Ctrl-C\n\n")
}

// invite says how to look at what there is.
func (d *demo) invite() {
	d.printf("Look: %s\n      cat %s\n", opening(d.monthSVG()), quoted(checkpoint.Path(d.dir, 2)))
}

// opening is the command that opens a file with the program that shows it.
func opening(file string) string {
	switch runtime.GOOS {
	case "darwin":
		return "open " + quoted(file)
	case "windows":
		return "start " + quoted(file)
	}
	return "xdg-open " + quoted(file)
}

// quoted is a file's name as a shell takes it.
func quoted(file string) string {
	if !strings.ContainsAny(file, " \t'\"$&();*?!#|<>`") {
		return file
	}
	return "'" + strings.ReplaceAll(file, "'", `'\''`) + "'"
}

// listener shows on a terminal how the demo is doing. Where the output goes
// elsewhere it is a table that grows by a line each second.
func (d *demo) listener() status.Listener {
	l := status.Listener{Log: slog.New(warningsOnly{d.log.Handler()}), Screen: d.screen, View: status.Demo(consumerOf)}
	if d.screen == nil || screenOf(d.stdout) == nil {
		l.Tell = d.tellLine()
	}
	return l
}

func consumerOf(partition int32) string {
	i := slices.IndexFunc(demoConsumers, func(c struct {
		name       string
		partitions []int32
	}) bool {
		return slices.Contains(c.partitions, partition)
	})
	return demoConsumers[i].name
}

// tellLine prints how the demo is doing, a line each time.
func (d *demo) tellLine() func(*status.State) {
	const format = "%-10s  %9s  %7s  %7s  %7s  %14s\n"
	d.printf(format, "date", "published", "repeats", "counted", "ignored", "files replaced")
	return func(s *status.State) {
		if s.Producer == nil {
			return
		}
		_, counted, duplicates := s.Read()
		saves := int64(0)
		for _, p := range s.Partitions {
			saves += p.Saves
		}
		d.printf(format, s.Producer.Date, status.Grouped(s.Producer.Acknowledged), status.Grouped(s.Producer.Repeats),
			status.Grouped(counted), status.Grouped(duplicates), status.Grouped(saves)+" times")
	}
}

// sumUp says what the demo came to, from what is in the files.
func (d *demo) sumUp(published *ledger) error {
	files, err := recount(d.dir)
	if err != nil {
		return err
	}
	if err := published.prove(files); err != nil {
		return err
	}
	if published.days == 0 {
		d.printf("Nothing was published yet.\n")
		return nil
	}
	days, repeats := status.Grouped(published.days), status.Grouped(published.repeats)
	d.printf(`
Published: %s days from %v to %v,
           %s of them a second time, as %.0f °F.
Read:      %s reports; the %s repeats were ignored.
Proven:    the files hold %s days: each was counted exactly once,
           with its own temperature.

`, days, published.first, published.last, repeats, weather.RepeatDegrees, status.Grouped(files.read), repeats, days)
	d.invite()
	return nil
}
