package main

import (
	"testing"
	"time"

	"github.com/weatheractors/weatheractors/cmd/internal/status"
	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

func TestADemoTellsOfDaysAndRepeats(t *testing.T) {
	var said spoken
	d, state := demo{app: &app{stdout: &said}}, &status.State{}
	tell := d.tellLine()
	tell(state)
	if got := said.String(); got != "" {
		t.Errorf("before anything was published it says %q", got)
	}
	state.Add(&messages.Event{Event: &messages.Event_Published{Published: &messages.Published{
		LastDate: int32(day(t, "1995-07-29")), HandedOver: 2132, Acknowledged: 2132, Repeats: 96}}}, time.Now())
	tell(state)
	tell(state)
	const line = "1995-07-29      2,036       96        0        0         0 times\n"
	if got, want := said.String(), "date        published  repeats  counted  ignored  files replaced\n"+line+line; got != want {
		t.Errorf("it says\n%swant\n%s", got, want)
	}
}

func day(t *testing.T, date string) weather.Date {
	t.Helper()
	d, err := weather.ParseDate(date)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestASummaryReadsWell(t *testing.T) {
	first, last := day(t, "1990-01-01"), day(t, "1992-09-26")
	for _, test := range []struct {
		rule string
		ledger
		want string
	}{
		{"many", ledger{days: 1000, repeats: 1024, first: first, last: last}, `Published: 1,000 days from 1990-01-01 to 1992-09-26,
           1,024 of them a second time, as 1000000 °F.
Read:      2,024 reports; the 1,024 repeats were ignored.
Proven:    the files hold 1,000 days: each was counted exactly once,
           with its own temperature.
`},
		{"one repeat", ledger{days: 1000, repeats: 1, first: first, last: last}, `Published: 1,000 days from 1990-01-01 to 1992-09-26,
           1 of them a second time, as 1000000 °F.
Read:      1,001 reports; the repeat was ignored.
Proven:    the files hold 1,000 days: each was counted exactly once,
           with its own temperature.
`},
		{"no repeat", ledger{days: 1000, first: first, last: last}, `Published: 1,000 days from 1990-01-01 to 1992-09-26, none of them twice.
Read:      1,000 reports.
Proven:    the files hold 1,000 days: each was counted exactly once,
           with its own temperature.
`},
		{"one day", ledger{days: 1, first: first, last: first}, `Published: 1 day, 1990-01-01.
Read:      1 report.
Proven:    the files hold 1 day: it was counted exactly once,
           with its own temperature.
`},
		{"one day twice", ledger{days: 1, repeats: 1, first: first, last: first}, `Published: 1 day, 1990-01-01,
           and that a second time, as 1000000 °F.
Read:      2 reports; the repeat was ignored.
Proven:    the files hold 1 day: it was counted exactly once,
           with its own temperature.
`},
	} {
		t.Run(test.rule, func(t *testing.T) {
			if got := test.summary(); got != test.want {
				t.Errorf("it says\n%swant\n%s", got, test.want)
			}
		})
	}
}
