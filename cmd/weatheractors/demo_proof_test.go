package main

import (
	"errors"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/weatheractors/weatheractors/actors/checkpoint"
	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

// taking is a sink that takes everything.
type taking struct{}

func (taking) Window() int                                        { return 1 }
func (taking) Publish(*messages.ReportBatch) error                { return nil }
func (taking) Acknowledged() <-chan *messages.ReportsAcknowledged { return nil }
func (taking) Err() error                                         { return nil }
func (taking) Close()                                             {}
func (taking) Abort()                                             {}

// TestAProofFindsWhatIsWrong publishes five days, two of them twice, and has
// files that say so, or something else.
func TestAProofFindsWhatIsWrong(t *testing.T) {
	const (
		january  = `"January": {"1990": {"count": 3, "sum": 61, "avg": 20.333333333333332, "end": "1990-01-03", "start": "1990-01-01"}}`
		february = `"February": {"1990": {"count": 2, "sum": 0.30000000000000004, "avg": 0.15000000000000002, "end": "1990-02-02", "start": "1990-02-01"}}`
	)
	for _, test := range []struct {
		rule  string
		files [demoPartitions]string // what follows the offset
		wrong string
	}{
		{"each day once", [...]string{`0`, `3,` + february, `4,` + january, `0`}, ""},
		{"a month that is missing", [...]string{`0`, `3`, `4,` + january, `0`}, "of February 1990, 2 days were published"},
		{"a day that is missing", [...]string{`0`, `3,` + february, `4,` + strings.Replace(january, `"count": 3`, `"count": 2`, 1), `0`},
			"of January 1990, 3 days were published (their degrees add up to 61), and the files hold 2 (61)"},
		{"a day that was counted twice", [...]string{`0`, `3,` + strings.NewReplacer(`"count": 2`, `"count": 3`, "02-02", "02-03").Replace(february), `4,` + january, `0`},
			"of February 1990, 2 days were published"},
		{"another temperature, in the last bit", [...]string{`0`, `3,` + strings.Replace(february, "0.30000000000000004", "0.3", 1), `4,` + january, `0`},
			"(their degrees add up to 0.30000000000000004), and the files hold 2 (0.3)"},
		{"a month that nobody published", [...]string{`9,` + strings.ReplaceAll(january, "1990", "1991"), `3,` + february, `4,` + january, `0`},
			"5 days were published, and the files hold 8"},
		{"a month in two files", [...]string{`4,` + january, `3,` + february, `4,` + january, `0`}, "January 1990 is in "},
		{"a report that was not read", [...]string{`0`, `3,` + february, `3,` + january, `0`}, "7 reports were published, and 6 were read"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			l, dir := newLedger(taking{}), t.TempDir()
			publish(t, l, "1990-01-01", 10, "1990-01-02", 20, "1990-01-03", 31, "1990-01-03", weather.RepeatDegrees)
			publish(t, l, "1990-02-01", 0.1, "1990-02-02", 0.2, "1990-02-02", weather.RepeatDegrees)
			for p, content := range test.files {
				text := `{"partition": ` + string(rune('0'+p)) + `, "offset": ` + content + `}`
				if err := os.WriteFile(checkpoint.Path(dir, int32(p)), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			r, err := recount(dir)
			if err == nil {
				err = l.prove(r)
			}
			switch {
			case test.wrong == "" && err != nil:
				t.Errorf("it fails with %v", err)
			case test.wrong != "" && (!errors.Is(err, errNotOnce) || !strings.Contains(err.Error(), test.wrong)):
				t.Errorf("it says %v, want %v: …%s…", err, errNotOnce, test.wrong)
			}
		})
	}
	if _, err := recount(t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without files it says %v", err)
	}
}

func publish(t *testing.T, l *ledger, days ...any) {
	t.Helper()
	b := &messages.ReportBatch{}
	for i := 0; i < len(days); i += 2 {
		d, err := weather.ParseDate(days[i].(string))
		if err != nil {
			t.Fatal(err)
		}
		degrees := math.NaN()
		switch n := days[i+1].(type) {
		case int:
			degrees = float64(n)
		case float64:
			degrees = n
		}
		b.Dates, b.Degrees = append(b.Dates, int32(d)), append(b.Degrees, degrees)
	}
	if err := l.Publish(b); err != nil {
		t.Fatal(err)
	}
}
