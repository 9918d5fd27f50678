package integration

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestFilesEqualAnIndependentRecount(t *testing.T) {
	needPython(t)
	onEachBroker(t, func(t *testing.T, p place) {
		p.produce("--days", "3000", "--seed", "42")
		p.count()
		got := p.recount()
		if got.Days != 3000 || got.Records <= 3000 || len(got.Rejects) > 0 {
			t.Errorf("recount came to %+v, want 3000 days and some repeats", got)
		}
		p.ok("verify", "--all")
	})
}

func TestCountingInStepsChangesNothing(t *testing.T) {
	onEachBroker(t, func(t *testing.T, p place) {
		p.produce("--days", "40", "--start", "2023-12-20")
		p.count()
		p.produce("--resume", "--days", "400", "--start", "2023-12-20")
		p.ok("consume", "0", "2", "--until-end")
		p.ok("consume", "3", "1", "--until-end")
		if n := p.tally().count(); n != 440 {
			t.Errorf("counted %d days, want 440", n)
		}
		whole := p.elsewhere()
		whole.count()
		same(t, p.files(), whole.files())
		p.ok("verify", "0", "1", "2", "3")
	})
}

func TestVerifyTellsAWrongValue(t *testing.T) {
	onEachBroker(t, func(t *testing.T, p place) {
		p.produce("--days", "100")
		p.count()
		right := p.read("partition-2.json")
		wrong := strings.Replace(right, `"count": 31`, `"count": 30`, 1)
		if wrong == right {
			t.Fatalf("no full month in\n%s", right)
		}
		if err := os.WriteFile(p.path(2), []byte(wrong), 0o644); err != nil {
			t.Fatal(err)
		}
		r := p.run("verify", "--all").must(t, 1)
		contains(t, "what verify prints", r.stdout, "partition 2: differs", "January 1990: count is 30, topic says 31", "partition 1: equal")
	})
}

func TestRealWeather(t *testing.T) {
	onEachBroker(t, func(t *testing.T, p place) {
		p.ok("produce", "--input", seattle, "--delay", "0")
		p.count("--plot", filepath.Join(p.dir, "month.svg"))
		p.tally().equals(t, counted(seattleDays(t)))
		if sum := p.offset(); sum != 1461 {
			t.Errorf("read %d records, want the 1461 of the file, none of them twice", sum)
		}
		p.ok("verify", "--all")
		kept := p.read("month.svg")
		p.ok("plot")
		if p.read("month.svg") != kept {
			t.Error("plot draws another picture than consume --plot")
		}
		contains(t, "month.svg", kept, ">January-2015<", ">February-2015<", ">March-2015<", ">Avg. Max Temperature<")
	})
}

var month = regexp.MustCompile(`>((January|February|March)-\d{4})<`)

// labels are the months that month.svg shows, from left to right.
func (p place) labels() (labels []string) {
	for _, match := range month.FindAllStringSubmatch(p.read("month.svg"), -1) {
		labels = append(labels, match[1])
	}
	return labels
}

func TestPictureShowsTheMostRecentYears(t *testing.T) {
	onEachBroker(t, func(t *testing.T, p place) {
		draw := func(days string, want ...string) {
			t.Helper()
			p.produce("--resume", "--days", days)
			p.count()
			if out := p.ok("plot").stdout; out != filepath.Join(p.dir, "month.svg")+"\n" {
				t.Errorf("plot printed %q", out)
			}
			if got := p.labels(); !slices.Equal(got, want) {
				t.Errorf("the picture shows %v, want %v", got, want)
			}
		}
		draw("40", "January-1990", "February-1990")
		draw("365", "January-1991", "February-1991", "March-1990")
		draw("365", "January-1992", "February-1992", "March-1991")
	})
}

func TestGeneratedMonthsHaveNoHoles(t *testing.T) {
	onEachBroker(t, func(t *testing.T, p place) {
		p.produce("--days", "800")
		p.count()
		tally := p.tally()
		if n := tally.count(); n != 800 {
			t.Errorf("counted %d days, want 800", n)
		}
		tally.withoutHoles(t)
	})
}
