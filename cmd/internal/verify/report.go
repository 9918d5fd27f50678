package verify

import (
	"fmt"
	"strings"
)

// Verdict is the outcome of a comparison.
type Verdict int

const (
	// Equal: the file has exactly the bytes that the topic makes.
	Equal Verdict = iota
	// EqualValues: another program wrote the file, in another layout, with
	// exactly the values that the topic makes.
	EqualValues
	// Unprovable: what the topic still holds does not contradict the file, but
	// it is not all that the file counts.
	Unprovable
	// Differs: the file is wrong, or can't be read.
	Differs
)

// String says it in words.
func (v Verdict) String() string {
	switch v {
	case Equal:
		return "equal"
	case EqualValues:
		return "equal values, in another layout"
	case Unprovable:
		return "can't be proven"
	case Differs:
		return "differs"
	}
	return fmt.Sprintf("Verdict(%d)", int(v))
}

// MaxLines is how many differences a report names; the rest is counted.
const MaxLines = 20

// Report is what a comparison found out about one partition.
type Report struct {
	Partition int32
	Path      string // of the partition file
	Verdict   Verdict
	// Offset is the file's: the records below it were recounted.
	Offset int64
	// Records and Months count what was recounted: records that were committed,
	// and months and years on record.
	Records int64
	Months  int
	// Differences says what is wrong with the file, a line each, at most MaxLines
	// and then one that counts the rest. Empty unless the verdict is Differs.
	Differences []string
	// Reasons says why nothing can be proven. They may stand beside differences.
	Reasons []string
	// Notes says what else its owner should know; they change no verdict.
	Notes []string
}

// OK tells whether the file is proven to be right.
func (r Report) OK() bool { return r.Verdict == Equal || r.Verdict == EqualValues }

// String returns the report in lines, without a newline at the end.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "partition %d: %v: %s, offset %d: %s recounted, %s",
		r.Partition, r.Verdict, r.Path, r.Offset, plural(r.Records, "record"), plural(int64(r.Months), "month"))
	for _, lines := range [][]string{r.Differences, r.Reasons, r.Notes} {
		for _, line := range lines {
			b.WriteString("\n  " + line)
		}
	}
	return b.String()
}

// differ adds differences.
func (r *Report) differ(differences ...string) {
	r.Differences = append(r.Differences, differences...)
}

// unprovable adds a reason.
func (r *Report) unprovable(format string, args ...any) {
	r.Reasons = append(r.Reasons, fmt.Sprintf(format, args...))
}

// note adds a note.
func (r *Report) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// conclude draws the verdict from what was found; same says that the file has
// the very bytes of the recount.
func (r *Report) conclude(same bool) {
	switch {
	case len(r.Differences) > 0:
		r.Verdict = Differs
	case len(r.Reasons) > 0:
		r.Verdict = Unprovable
	case same:
		r.Verdict = Equal
	default:
		r.Verdict = EqualValues
	}
	if more := len(r.Differences) - MaxLines; more > 0 {
		r.Differences = append(r.Differences[:MaxLines:MaxLines], fmt.Sprintf("and %d more", more))
	}
}
