package verify

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// encode writes the partition file that belongs to a tally: the bytes that
// every run over the same records must come to.
func encode(partition int32, offset int64, t *tally) ([]byte, error) {
	lines := make(map[time.Month][]string)
	for _, m := range t.sorted() {
		d := t.months[m]
		sum, err := json.Marshal(d.sum)
		if err != nil {
			return nil, fmt.Errorf("recount of %v: sum: %w", m, err)
		}
		avg, err := json.Marshal(d.avg())
		if err != nil {
			return nil, fmt.Errorf("recount of %v: avg: %w", m, err)
		}
		lines[m.month] = append(lines[m.month], fmt.Sprintf(
			`"%04d": {"count": %d, "sum": %s, "avg": %s, "end": "%s", "start": "%s"}`,
			m.year, d.count, sum, avg, d.end, d.start))
	}
	text := []string{fmt.Sprintf(`{"partition": %d, "offset": %d`, partition, offset)}
	for month := time.January; month <= time.December; month++ {
		if years := lines[month]; years != nil {
			text = append(text, fmt.Sprintf("\"%v\": {\n%s}", month, strings.Join(years, ",\n")))
		}
	}
	return []byte(strings.Join(text, ",\n") + "}\n"), nil
}
