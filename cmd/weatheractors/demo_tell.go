package main

import (
	"fmt"
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

// tellLine prints how the demo is doing, a line each time, the first below a
// heading. As on a terminal, what is published are days, without those repeated.
func (d *demo) tellLine() func(*status.State) {
	const format = "%-10s  %9s  %7s  %7s  %7s  %14s\n"
	headed := false
	return func(s *status.State) {
		p := s.Producer
		if p == nil {
			return
		}
		if !headed {
			d.printf(format, "date", "published", "repeats", "counted", "ignored", "files replaced")
			headed = true
		}
		_, counted, duplicates := s.Read()
		saves := int64(0)
		for _, counts := range s.Partitions {
			saves += counts.Saves
		}
		d.printf(format, p.Date, status.Grouped(p.Acknowledged-p.Repeats), status.Grouped(p.Repeats),
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
	d.printf("\n%s\n", published.summary())
	d.invite()
	return nil
}

// summary says what was published, and what became of it once that is proven.
func (l *ledger) summary() string {
	days, span, each := status.Grouped(l.days)+" days", fmt.Sprintf(" from %v to %v", l.first, l.last), "each"
	twice := status.Grouped(l.repeats) + " of them"
	if l.days == 1 {
		days, span, each, twice = "1 day", fmt.Sprintf(", %v", l.first), "it", "and that"
	}
	again := fmt.Sprintf(",\n           %s a second time, as %.0f °F", twice, weather.RepeatDegrees)
	ignored := fmt.Sprintf("reports; the %s repeats were ignored", status.Grouped(l.repeats))
	switch {
	case l.repeats == 0 && l.days == 1:
		again, ignored = "", "report"
	case l.repeats == 0:
		again, ignored = ", none of them twice", "reports"
	case l.repeats == 1:
		ignored = "reports; the repeat was ignored"
	}
	return fmt.Sprintf(`Published: %s%s%s.
Read:      %s %s.
Proven:    the files hold %s: %s was counted exactly once,
           with its own temperature.
`, days, span, again, status.Grouped(l.days+l.repeats), ignored, days, each)
}
