package chaos

import (
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestReport(t *testing.T) {
	r := Report{
		Seed: 7, Topic: "weatheractors-chaos-1", Brokers: "brokers a:1,b:2", Took: 1234 * time.Millisecond,
		ProducerKills: 3, ConsumerKills: 2, Restarts: 4, GaveUp: 1, BrokerStops: 1, BrokerKills: 2, LostAcks: 5, CutAnswers: 6,
		Records: 110, Days: 100, Mended: 3, First: time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC), Last: time.Date(1990, 4, 10, 0, 0, 0, 0, time.UTC),
		Acknowledged: time.Date(1990, 4, 9, 0, 0, 0, 0, time.UTC), NotTried: []string{"this"},
	}
	want := `on               brokers a:1,b:2, topic weatheractors-chaos-1, seed 7
kills            5: producer 3, consumers 2; started again 4 times
gave up          1 at their start, for want of a broker; started again
broker restarts  3: stopped 1, killed 2
connections cut  5 before an acknowledgement arrived, 6 in the middle of a fetch
records          110 in the topic
days             100, from 1990-01-01 to 1990-04-10
duplicates       10 ignored
acknowledged     up to 1990-04-09, at least
mended           3 days, by a last ` + "`produce --resume`" + `
time             1.2s
not tried        this
verdict          each day was counted once; the files are those of an undisturbed run, byte for byte`
	if got := r.String(); got != want || !r.OK() {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	r.Wrong = []string{"that"}
	if got := r.String(); !strings.HasSuffix(got, "WRONG            that\nverdict          NOT as it should be") || r.OK() {
		t.Errorf("with something wrong: got\n%s", got)
	}
}

// TestEndsOfProcesses takes a shell for the program.
func TestEndsOfProcesses(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no /bin/sh")
	}
	for _, test := range []struct {
		rule, says string
		consumer   bool
		gaveUp     bool
		want       string
	}{
		{"a producer that is done", "exit 0", false, false, ""},
		{"a consumer is never done", "exit 0", true, false, "ended by itself, with exit status 0"},
		{"no broker at the start", "echo 'weatheractors: no broker can be reached: x'; exit 1", true, true, ""},
		{"the broker is lost at the start", "echo 'weatheractors: read the dates: connect to broker x: EOF'; exit 1", false, true, ""},
		{"the broker is lost at work", "echo 'msg=published'; echo 'weatheractors: connect to broker x: EOF'; exit 1", false, false, "last words:\n    msg=published"},
		{"another failure", "echo 'weatheractors: corrupt'; exit 1", true, false, "corrupt"},
		{"a panic", "echo 'panic: connect to broker'; exit 2", true, false, "exit status 2"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			p, closeIt := newProgram("/bin/sh", nil, "", t.TempDir())
			defer closeIt()
			a := &actor{name: "a", args: []string{"-c", test.says}}
			if test.consumer {
				a.partitions = []int32{0}
			}
			must(t, a.begin(p, false))
			<-a.ended
			r := &run{}
			gaveUp, err := r.judgeEnd(a)
			got := ""
			if err != nil {
				got = err.Error()
			}
			if gaveUp != test.gaveUp || (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
				t.Errorf("gave up %v, error %q, want %v, %q", gaveUp, got, test.gaveUp, test.want)
			}
			a.end()
		})
	}
}

func TestAcknowledged(t *testing.T) {
	got, err := acknowledged(`time=x level=INFO msg=published acknowledged=21 repeats=1 records_per_s=10 date=1992-02-03
time=x level=INFO msg=published acknowledged=31 repeats=1 date=1992-02-13
--- again
time=x level=INFO msg=published acknowledged=0 repeats=0
time=x level=INFO msg=resuming topic=y from=1992-02-14
time=x level=INFO msg=published acknowledged=3 repeats=0 date=1992-02-11
`)
	if err != nil || day(got) != "1992-02-13" {
		t.Errorf("got %v, %v, want the greatest date, 1992-02-13", got, err)
	}
}
