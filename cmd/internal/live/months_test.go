package live

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weatheractors/weatheractors/actors/checkpoint"
	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/render"
)

func TestMonths(t *testing.T) {
	const (
		january1990 = `{"month":"January","year":1990,"partition":2,"count":31,"sum":620,"avg":20,"start":"1990-01-01","end":"1990-01-31"}`
		january1991 = `{"month":"January","year":1991,"partition":2,"count":2,"sum":50.5,"avg":25.25,"start":"1991-01-01","end":"1991-01-02"}`
		march1990   = `{"month":"March","year":1990,"partition":0,"count":7,"sum":280,"avg":40,"start":"1990-03-01","end":"1990-03-07"}`
	)
	cases := []struct {
		name, query string
		want        []string
	}{
		{"all, by calendar and year", "", []string{january1990, january1991, march1990}},
		{"a month", "month=January", []string{january1990, january1991}},
		{"by its first letters, in any case", "month=jAN", []string{january1990, january1991}},
		{"several, whatever their order", "month=March&month=January&year=1990", []string{january1990, march1990}},
		{"a year", "year=1991", []string{january1991}},
		{"from a year on", "from=1991", []string{january1991}},
		{"up to a year", "to=1990", []string{january1990, march1990}},
		{"a range", "from=1991&to=1995&month=March", nil},
		{"none on record", "month=July", nil},
	}
	s := following(t, local(filledFolder(t)))
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := get(s, "/api/months?"+c.query)
			want := `{"months":[` + strings.Join(c.want, ",") + `],"troubles":[]}` + "\n"
			if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" || w.Body.String() != want {
				t.Errorf("%d %s\ngot  %swant %s", w.Code, w.Header().Get("Content-Type"), w.Body, want)
			}
		})
	}
}

func TestQueriesThatMakeNoSense(t *testing.T) {
	s := following(t, local(filledFolder(t)))
	cases := []struct{ name, query, says string }{
		{"no month", "month=Januar", `month: "Januar" is not a month`},
		{"an empty month", "month=", `month: "" is not a month`},
		{"a month twice", "month=May&month=may", "month: May is named twice"},
		{"no year", "year=next", `year: "next" is not a year`},
		{"year 0", "year=0", `year: "0"`},
		{"a year of five digits", "to=10000", `to: "10000"`},
		{"a year with a sign", "from=%2B1990", `from: "+1990"`},
		{"two years", "year=1990&year=1991", "year: it is there 2 times"},
		{"a range that ends before it begins", "from=1991&to=1990", "from: 1991 is after to, 1990"},
		{"another parameter", "months=May", `no parameter "months": want month, year, from, to`},
		{"an escape that is none", "month=%zz", "can't be read"},
		{"semicolons", "month=May;year=1990", "can't be read"},
		{"too long", "month=" + strings.Repeat("x", 2000), "at most 1024"},
		{"what looks like HTML", "month=%3Cscript%3E", "is not a month"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := get(s, "/api/months?"+c.query)
			expectProblem(t, w, http.StatusBadRequest, c.says)
			if strings.Contains(w.Body.String(), "<") {
				t.Errorf("%s has what was asked for as it was", w.Body)
			}
		})
	}
	expectProblem(t, get(s, "/month.svg?from=1990"), http.StatusBadRequest, `no parameter "from": want month, year`)
}

// FuzzMonthsQuery has strangers ask: they are answered in JSON, with what they
// asked for or why not, and never get back as it was what they sent.
func FuzzMonthsQuery(f *testing.F) {
	for _, query := range []string{"", "month=January&year=1990", "from=1&to=9999", "month=%3Cb%3E", "month=May;", "year=%00", "a=b&a=c", "%", "month=\u0130", "month=\xff"} {
		f.Add(query)
	}
	s := following(f, local(filledFolder(f)))
	f.Fuzz(func(t *testing.T, query string) {
		w := get(s, "/api/months", func(r *http.Request) { r.URL.RawQuery = query })
		if w.Code != http.StatusOK && w.Code != http.StatusBadRequest {
			t.Errorf("%q: status %d", query, w.Code)
		}
		if body := w.Body.Bytes(); !json.Valid(body) || bytes.ContainsAny(body, "<>") {
			t.Errorf("%q: answered %s", query, body)
		}
		q, err := parseQuery(query, "month", "year", "from", "to")
		if err == nil && (len(q.months) > 12 || q.year < 0 || q.year > 9999 || q.to != 0 && q.from > q.to) {
			t.Errorf("%q was understood as %+v", query, q)
		}
	})
}

func TestMonthSVG(t *testing.T) {
	s := following(t, local(filledFolder(t)))
	bar := func(month time.Month, year int, avg float64) render.Bar {
		return render.Bar{Month: month, Year: year, Avg: avg}
	}
	cases := []struct {
		name, query string
		bars        []render.Bar
	}{
		{"as plot draws it", "", []render.Bar{bar(1, 1991, 25.25), {Month: 2}, bar(3, 1990, 40)}},
		{"other months, in this order", "?month=mar&month=jan", []render.Bar{bar(3, 1990, 40), bar(1, 1991, 25.25)}},
		{"another year", "?year=1990&month=jan", []render.Bar{bar(1, 1990, 20)}},
		{"nothing on record", "?year=2020", []render.Bar{{Month: 1}, {Month: 2}, {Month: 3}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var want bytes.Buffer
			if err := render.Months(&want, c.bars); err != nil {
				t.Fatal(err)
			}
			w := get(s, "/month.svg"+c.query)
			if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "image/svg+xml" || !bytes.Equal(w.Body.Bytes(), want.Bytes()) {
				t.Errorf("%d %s is not the picture of %+v", w.Code, w.Header().Get("Content-Type"), c.bars)
			}
		})
	}
}

func TestMonthSVGFindsTheMostRecentYearInWhicheverFile(t *testing.T) {
	dir := filledFolder(t) // January 1990 and 1991 in partition 2
	put(t, dir, 0, strings.NewReplacer("March", "January", "1990", "1995", "-03-", "-01-").Replace(spring))
	put(t, dir, 3, strings.NewReplacer(`"partition": 0`, `"partition": 3`, "March", "January", "1990", "1980", "-03-", "-01-").Replace(spring))
	if w := get(following(t, local(dir)), "/month.svg"); !strings.Contains(w.Body.String(), ">January-1995<") {
		t.Errorf("%d, without January 1995: %s", w.Code, w.Body)
	}
}

// TestReadingTakesASmallPartOfTheTime has files that take long to read change all
// the time, while somebody asks all the time.
func TestReadingTakesASmallPartOfTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config, reading := local(filledFolder(t)), time.Duration(0)
		config.Files.Read = func(path string) (*messages.Checkpoint, error) {
			reading += 100 * time.Millisecond
			time.Sleep(100 * time.Millisecond)
			return checkpoint.ReadFile(path)
		}
		s := newServer(config)
		go s.files.follow(t.Context())
		first, began := get(s, "/api/months").Header().Get("ETag"), time.Now()
		for time.Since(began) < time.Minute {
			put(t, config.Files.Dir, 2, winter)
			time.Sleep(interval)
			get(s, "/api/months")
		}
		if last := get(s, "/api/months").Header().Get("ETag"); last == first {
			t.Error("what was replaced is not read")
		}
		if most := time.Minute / 10; reading > most {
			t.Errorf("reading took %v of a minute, want at most %v", reading, most)
		}
	})
}

func TestTrendSVG(t *testing.T) {
	s := following(t, local(filledFolder(t)))
	for query, averages := range map[string]map[int]float64{
		"month=jan": {1990: 20, 1991: 25.25}, "month=jan&from=1991": {1991: 25.25}, "month=jan&to=1990": {1990: 20}, "month=May": {},
	} {
		month, _ := ParseMonth(query[6:9])
		var want bytes.Buffer
		if err := render.Trend(&want, month, averages); err != nil {
			t.Fatal(err)
		}
		if w := get(s, "/trend.svg?"+query); w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), want.Bytes()) {
			t.Errorf("%s: %d, not the trend of %v", query, w.Code, averages)
		}
	}
	if w := get(s, "/trend.svg"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "January") {
		t.Errorf("of no month: %d, want January", w.Code)
	}
	expectProblem(t, get(s, "/trend.svg?month=May&month=June"), http.StatusBadRequest, "month: it is there more than once")
	expectProblem(t, get(s, "/trend.svg?month=May&year=1990"), http.StatusBadRequest, `no parameter "year": want month, from, to`)
}

func TestAnswersAreAskedForAgainOnlyIfTheyChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filledFolder(t)
		s := newServer(local(dir))
		go s.files.follow(t.Context())
		for _, path := range []string{"/api/months", "/month.svg", "/api/months?year=1990", "/trend.svg?month=May"} {
			tag := get(s, path).Header().Get("ETag")
			if again := get(s, path, header("If-None-Match", tag)); tag == "" || again.Code != http.StatusNotModified || again.Body.Len() > 0 {
				t.Errorf("%s: again %d %q", path, again.Code, again.Body)
			}
			if again := get(s, path, header("If-None-Match", `"x", W/`+tag)); again.Code != http.StatusNotModified {
				t.Errorf("%s: in a list %d", path, again.Code)
			}
			put(t, dir, 0, spring) // another file with the same bytes
			time.Sleep(time.Second)
			if again := get(s, path, header("If-None-Match", tag)); again.Code != http.StatusOK || again.Header().Get("ETag") == tag {
				t.Errorf("%s: after a change %d", path, again.Code)
			}
		}
		asset := get(s, "/assets/app.js").Header().Get("ETag")
		if again := get(s, "/assets/app.js", header("If-None-Match", asset)); again.Code != http.StatusNotModified {
			t.Errorf("the script again: %d", again.Code)
		}
	})
}

func TestOnlyWhatHasChangedIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filledFolder(t)
		config, reads := local(dir), 0
		config.Files.Read = func(path string) (*messages.Checkpoint, error) { reads++; return checkpoint.ReadFile(path) }
		config.Events = make(chan *messages.Event)
		s := newServer(config)
		go s.files.follow(t.Context())
		expect := func(why string, want int) {
			t.Helper()
			if reads != want {
				t.Errorf("%s: %d reads, want %d", why, reads, want)
			}
			reads = 0
		}
		time.Sleep(time.Minute)
		expect("nobody asked", 0)
		for range 10 {
			get(s, "/api/months")
		}
		expect("the first who ask", 2)
		put(t, dir, 2, winter)
		get(s, "/api/months")
		expect("too soon to look again", 0)
		time.Sleep(interval)
		get(s, "/api/months")
		get(s, "/month.svg")
		expect("one file was replaced", 1)
	})
}

func TestFilesThatComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "later")
		s := newServer(local(dir))
		go s.files.follow(t.Context())
		expect := func(why, want string) {
			t.Helper()
			time.Sleep(filesPoll)
			w := get(s, "/api/months")
			if body := strings.ReplaceAll(w.Body.String(), dir+string(filepath.Separator), ""); w.Code != http.StatusOK || !strings.Contains(body, want) {
				t.Errorf("%s: %d %s, want %s", why, w.Code, body, want)
			}
		}
		expect("no folder yet", `{"months":[],"troubles":[]}`)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		expect("an empty folder", `{"months":[],"troubles":[]}`)
		put(t, dir, 2, winter)
		expect("a file", `"year":1991`)
		put(t, dir, 0, corrupt)
		expect("one of two is corrupt", `"year":1991`)
		expect("one of two is corrupt", `"troubles":[{"file":"partition-0.json","problem":"load checkpoint partition-0.json: corrupt checkpoint: line 3`)
		put(t, dir, 0, spring)
		expect("it was mended", `"month":"March"`)
		expect("it was mended", `"troubles":[]}`)
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		expect("the folder was removed", `{"months":[],"troubles":[]}`)
	})
}

func TestDiskThatHangsHoldsUpNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config, hang := local(filledFolder(t)), make(chan struct{})
		var hanging atomic.Bool
		config.Files.Read = func(path string) (*messages.Checkpoint, error) {
			if hanging.Load() {
				<-hang
			}
			return checkpoint.ReadFile(path)
		}
		s, _, stop := running(t, config)
		time.Sleep(time.Second)
		hanging.Store(true)
		put(t, config.Files.Dir, 0, spring)
		time.Sleep(filesPoll)
		w := get(s, "/api/months")
		expectProblem(t, w, http.StatusServiceUnavailable, "the disk gives no answer")
		if w.Header().Get("Retry-After") == "" {
			t.Error("it does not say when to ask again")
		}
		if w := get(s, "/api/partitions"); w.Code != http.StatusOK {
			t.Errorf("partitions: %s", w.Body)
		}
		if w := get(s, "/livez"); w.Code != http.StatusOK {
			t.Errorf("livez: %s", w.Body)
		}
		if w := get(s, "/readyz"); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "files: the disk gives no answer for ") {
			t.Errorf("readyz: %s", w.Body)
		}
		hang <- struct{}{}
		hanging.Store(false)
		time.Sleep(time.Second)
		if w := get(s, "/api/months"); w.Code != http.StatusOK {
			t.Errorf("afterwards: %s", w.Body)
		}
		hanging.Store(true)
		put(t, config.Files.Dir, 0, spring)
		time.Sleep(time.Hour) // it has taken so long that it is not soon tried again
		if s.files.hangs(time.Now()) == 0 {
			t.Error("the disk does not hang")
		}
		stop() // it does not wait for it
		close(hang)
	})
}

func TestFileThatIsTakenAwayIsMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config, events := local(filledFolder(t)), make(chan *messages.Event)
		config.Events = events
		s, _, stop := running(t, config)
		defer stop()
		for _, e := range []*messages.Event{started(2, 1, 41), saved(2, 41), started(5, 0, 0)} {
			events <- e
		}
		expect := func(why, want string) {
			t.Helper()
			time.Sleep(filesPoll)
			if body := get(s, "/api/months").Body.String(); !strings.Contains(body, want) {
				t.Errorf("%s: %s, want %s", why, body, want)
			}
		}
		expect("all that was saved is there", `"troubles":[]`)
		path := checkpoint.Path(config.Files.Dir, 2)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		expect("one is not", `"troubles":[{"file":"`+path+`","problem":"it was there, and somebody has taken it away"}]`)
		put(t, config.Files.Dir, 2, winter)
		events <- saved(2, 41)
		expect("it was saved again", `"troubles":[]`)
	})
}

func TestFolderThatCanNotBeRead(t *testing.T) {
	config := local(t.TempDir())
	config.Files.List = func(string) ([]int32, error) { return nil, errors.New("find partition files: permission denied") }
	s := following(t, config)
	expectProblem(t, get(s, "/api/months"), http.StatusServiceUnavailable, "permission denied")
	expectProblem(t, get(s, "/month.svg"), http.StatusServiceUnavailable, "permission denied")
}
