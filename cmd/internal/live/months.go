package live

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/weatheractors/weatheractors/cmd/internal/files"
	"github.com/weatheractors/weatheractors/render"
	"github.com/weatheractors/weatheractors/weather"
)

type monthJSON struct {
	Month     string  `json:"month"`
	Year      int     `json:"year"`
	Partition int32   `json:"partition"`
	Count     int     `json:"count"`
	Sum       float64 `json:"sum"`
	Avg       float64 `json:"avg"`
	Start     string  `json:"start"`
	End       string  `json:"end"`
}

// fileTrouble says why a file is not in what is told.
type fileTrouble struct {
	File    string `json:"file"`
	Problem string `json:"problem"`
}

func (s *Server) getMonths(w http.ResponseWriter, r *http.Request) {
	q, err := parseQuery(r.URL.RawQuery, "month", "year", "from", "to")
	if err != nil {
		problem(w, r, http.StatusBadRequest, err.Error())
		return
	}
	t := s.table(w, r)
	if t == nil {
		return
	}
	months := []monthJSON{}
	t.each(q, func(partition int32, m weather.MonthStats) {
		months = append(months, monthJSON{
			m.Start.Month().String(), m.Start.Year(), partition, m.Count, m.Sum, m.Avg(), m.Start.String(), m.End.String(),
		})
	})
	slices.SortStableFunc(months, func(a, b monthJSON) int {
		am, _ := ParseMonth(a.Month)
		bm, _ := ParseMonth(b.Month)
		return cmp.Or(cmp.Compare(am, bm), cmp.Compare(a.Year, b.Year))
	})
	send(w, r, struct {
		Months   []monthJSON   `json:"months"`
		Troubles []fileTrouble `json:"troubles"`
	}{months, append(t.troubles(), s.missing(t)...)})
}

// getMonthSVG draws a bar for each month: without parameters the same as plot.
func (s *Server) getMonthSVG(w http.ResponseWriter, r *http.Request) {
	// A revision tells nothing: it gives a picture that has changed an address that
	// a browser does not know, so that it asks.
	q, err := parseQuery(r.URL.RawQuery, "month", "year", "revision")
	if err != nil {
		problem(w, r, http.StatusBadRequest, err.Error())
		return
	}
	if len(q.months) == 0 {
		q.months = []time.Month{time.January, time.February, time.March}
	}
	t := s.table(w, r)
	if t == nil {
		return
	}
	latest := map[time.Month]weather.MonthStats{}
	t.each(q, func(_ int32, m weather.MonthStats) {
		if m.Start > latest[m.Start.Month()].Start {
			latest[m.Start.Month()] = m
		}
	})
	var bars []render.Bar
	for _, month := range q.months {
		bar := render.Bar{Month: month}
		if m, found := latest[month]; found {
			bar.Year, bar.Avg = m.Start.Year(), m.Avg()
		}
		bars = append(bars, bar)
	}
	draw(w, r, func(to io.Writer) error { return render.Months(to, bars) })
}

// draw answers with a picture.
func draw(w http.ResponseWriter, r *http.Request, picture func(io.Writer) error) {
	var svg bytes.Buffer
	if err := picture(&svg); err != nil {
		problem(w, r, http.StatusInternalServerError, err.Error())
		return
	}
	w.Header().Set("Content-Security-Policy", picturePolicy)
	sendBytes(w, r, "image/svg+xml", svg.Bytes())
}

// missing says which files are not there although something was saved in them.
func (s *Server) missing(t *table) (troubles []fileTrouble) {
	for _, p := range s.latest.Load().state.Partitions {
		there := slices.ContainsFunc(t.files, func(f files.File) bool { return f.Partition == p.Number })
		if !there && !p.SavedAt.IsZero() && p.SavedAt.Before(t.at) {
			troubles = append(troubles, fileTrouble{s.config.Files.Path(s.config.Files.Dir, p.Number), "it was there, and somebody has taken it away"})
		}
	}
	return troubles
}

// table returns what is in the files, or nil where the request is answered: the
// client has it already, or it can't be had.
func (s *Server) table(w http.ResponseWriter, r *http.Request) *table {
	t, err := s.files.now(r.Context())
	if err == nil && t.err != nil {
		err = t.err
	}
	if err != nil {
		w.Header().Set("Retry-After", "5")
		problem(w, r, http.StatusServiceUnavailable, fmt.Sprintf("the partition files can't be read: %v", err))
		return nil
	}
	tag := `"` + t.revision + `"`
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "no-cache")
	if matches(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return t
}

// matches says whether an If-None-Match header has a tag.
func matches(header, tag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		if candidate = strings.TrimSpace(candidate); candidate == "*" || strings.TrimPrefix(candidate, "W/") == tag {
			return true
		}
	}
	return false
}

// each yields the months that a query asks for, file by file.
func (t *table) each(q query, yield func(partition int32, m weather.MonthStats)) {
	for _, f := range t.files {
		for i := range f.Content.GetStats().Len() {
			if m := f.Content.GetStats().Row(i); q.has(m.Start.Month(), m.Start.Year()) {
				yield(f.Partition, m)
			}
		}
	}
}

// troubles says which files could not be read, and why.
func (t *table) troubles() []fileTrouble {
	troubles := []fileTrouble{}
	for _, f := range t.files {
		if f.Err != nil {
			troubles = append(troubles, fileTrouble{f.Path, f.Err.Error()})
		}
	}
	return troubles
}
