package live

import (
	"io"
	"net/http"
	"time"

	"github.com/weatheractors/weatheractors/render"
	"github.com/weatheractors/weatheractors/weather"
)

// getTrendSVG draws how one month went over the years: January, unless it is told
// another.
func (s *Server) getTrendSVG(w http.ResponseWriter, r *http.Request) {
	q, err := parseQuery(r.URL.RawQuery, "month", "from", "to", "revision")
	if err != nil {
		problem(w, r, http.StatusBadRequest, err.Error())
		return
	}
	if len(q.months) > 1 {
		problem(w, r, http.StatusBadRequest, "month: it is there more than once, want one")
		return
	}
	if len(q.months) == 0 {
		q.months = []time.Month{time.January}
	}
	t := s.table(w, r)
	if t == nil {
		return
	}
	averages := map[int]float64{}
	t.each(q, func(_ int32, m weather.MonthStats) { averages[m.Start.Year()] = m.Avg() })
	draw(w, r, func(to io.Writer) error { return render.Trend(to, q.months[0], averages) })
}
