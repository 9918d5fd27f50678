package live

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// query is which months somebody wants to see. Its zero value is all of them.
type query struct {
	months   []time.Month // none: all
	year     int          // 0: any
	from, to int          // 0: no limit
}

func (q query) has(month time.Month, year int) bool {
	return (len(q.months) == 0 || slices.Contains(q.months, month)) && (q.year == 0 || q.year == year) &&
		(q.from == 0 || year >= q.from) && (q.to == 0 || year <= q.to)
}

// maxQuery bounds a query, in bytes.
const maxQuery = 1024

// parseQuery reads a query that may have the parameters that are named. An error
// names the one that it is about.
func parseQuery(raw string, may ...string) (q query, err error) {
	if len(raw) > maxQuery {
		return q, fmt.Errorf("the query has %d bytes, want at most %d", len(raw), maxQuery)
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return q, fmt.Errorf("the query can't be read: %w", err)
	}
	for name := range values {
		if !slices.Contains(may, name) {
			return q, fmt.Errorf("there is no parameter %q: want %s", name, strings.Join(may, ", "))
		}
	}
	for _, name := range values["month"] {
		month, ok := ParseMonth(name)
		switch {
		case !ok:
			return q, fmt.Errorf("month: %q is not a month: want English names such as January, or Jan", name)
		case slices.Contains(q.months, month):
			return q, fmt.Errorf("month: %v is named twice", month)
		}
		q.months = append(q.months, month)
	}
	for name, year := range map[string]*int{"year": &q.year, "from": &q.from, "to": &q.to} {
		if *year, err = parseYear(name, values[name]); err != nil {
			return query{}, err
		}
	}
	if q.to != 0 && q.from > q.to {
		return q, fmt.Errorf("from: %d is after to, %d", q.from, q.to)
	}
	return q, nil
}

func parseYear(name string, values []string) (int, error) {
	switch len(values) {
	case 0:
		return 0, nil
	case 1:
	default:
		return 0, fmt.Errorf("%s: it is there %d times, want one", name, len(values))
	}
	year, err := strconv.ParseUint(values[0], 10, 16)
	if err != nil || year < 1 || year > 9999 {
		return 0, fmt.Errorf("%s: %q is not a year: want 1 to 9999", name, values[0])
	}
	return int(year), nil
}

// ParseMonth understands English names in any case, and what dates shorten them
// to: their first three letters.
func ParseMonth(name string) (time.Month, bool) {
	for month := time.January; month <= time.December; month++ {
		if strings.EqualFold(name, month.String()) || strings.EqualFold(name, month.String()[:3]) {
			return month, true
		}
	}
	return 0, false
}
