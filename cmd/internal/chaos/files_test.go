package chaos

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// healthy is a folder in which every day from 1990-01-01 to 1990-04-02 is
// counted once.
var healthy = map[string]string{
	"partition-0.json": `{"partition": 0, "offset": 33,
"March": {
"1990": {"count": 31, "sum": 1240, "avg": 40, "end": "1990-03-31", "start": "1990-03-01"}}}
`,
	"partition-1.json": `{"partition": 1, "offset": 64,
"January": {
"1990": {"count": 31, "sum": 620, "avg": 20, "end": "1990-01-31", "start": "1990-01-01"}},
"February": {
"1990": {"count": 28, "sum": 560, "avg": 20, "end": "1990-02-28", "start": "1990-02-01"}},
"April": {
"1990": {"count": 2, "sum": 100, "avg": 50, "end": "1990-04-02", "start": "1990-04-01"}}}
`,
	"partition-1.topic": "something else",
}

// doctored writes a folder, with one text replaced by another in one file.
func doctored(t *testing.T, name, old, by string) string {
	t.Helper()
	files := maps.Clone(healthy)
	if name != "" {
		if !strings.Contains(files[name], old) {
			t.Fatalf("%s has no %q", name, old)
		}
		files[name] = strings.Replace(files[name], old, by, 1)
	}
	dir := t.TempDir()
	for name, text := range files {
		if text == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestTally(t *testing.T) {
	acknowledged := time.Date(1990, time.April, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		rule, name, old, by string
		want                string // in what is wrong; empty: nothing is
	}{
		{"each day once", "", "", "", ""},
		{"a day missing inside a month", "partition-0.json", `"count": 31`, `"count": 30`, "counted 30 days, but from 1990-03-01 to 1990-03-31 there are 31"},
		{"a day twice inside a month", "partition-0.json", `"count": 31`, `"count": 32`, "counted 32 days"},
		{"a day missing at the end of a month", "partition-0.json", `"count": 31, "sum": 1240, "avg": 40, "end": "1990-03-31"`,
			`"count": 30, "sum": 1200, "avg": 40, "end": "1990-03-30"`, "1 days are missing: after 1990-03-30 and before 1990-04-01"},
		{"a month missing", "partition-0.json", healthy["partition-0.json"], `{"partition": 0, "offset": 33}`, "31 days are missing: after 1990-02-28 and before 1990-04-01"},
		{"a file missing", "partition-0.json", healthy["partition-0.json"], "", "31 days are missing"},
		{"the first day missing", "partition-1.json", `"count": 31, "sum": 620, "avg": 20, "end": "1990-01-31", "start": "1990-01-01"`,
			`"count": 30, "sum": 600, "avg": 20, "end": "1990-01-31", "start": "1990-01-02"`, "first day counted is 1990-01-02"},
		{"an acknowledged day missing", "partition-1.json", `"1990": {"count": 2, "sum": 100, "avg": 50, "end": "1990-04-02", "start": "1990-04-01"}`, "",
			"last day counted is 1990-03-31, acknowledged was 1990-04-01"},
		{"a month in two files", "partition-0.json", `{
"1990"`, `{
"1989": {"count": 0}}, "February": {
"1990": {"count": 1, "sum": 20, "end": "1990-02-28", "start": "1990-02-28"}}, "March": {"1990"`, "was counted before"},
		{"a repeat counted", "partition-0.json", `"sum": 1240`, `"sum": 1001200`, "a repeat was counted"},
		{"a repeat that outweighs everything", "partition-0.json", `"sum": 1240`, `"sum": -1e300`, "a repeat was counted"},
		{"a month that is another", "partition-0.json", `"March"`, `"May"`, "is not in it"},
		{"a year that is another", "partition-0.json", `"1990"`, `"1991"`, "is not in it"},
		{"an end before the start", "partition-1.json", `"end": "1990-04-02"`, `"end": "1990-04-00"`, "out of range"},
		{"half a file", "partition-1.json", healthy["partition-1.json"][200:], "", "is not whole"},
		{"a file without an offset", "partition-1.json", `"offset"`, `"of"`, "offset"},
		{"a file of another partition", "partition-1.json", `"partition": 1`, `"partition": 0`, "says that it is of partition 0"},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			tally, err := readTally(doctored(t, test.name, test.old, test.by), 2)
			wrong := tally.wrong(acknowledged)
			if err != nil {
				wrong = []string{err.Error()}
			}
			got := strings.Join(wrong, "\n")
			if test.want == "" && (got != "" || tally.days != 92 || tally.records != 97 || day(tally.last) != "1990-04-02") {
				t.Errorf("%d days of %d records, up to %v; wrong: %q", tally.days, tally.records, tally.last, got)
			}
			if !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestAnEmptyFolderProvesNothing(t *testing.T) {
	tally, err := readTally(t.TempDir(), 2)
	if err != nil || len(tally.wrong(time.Time{})) == 0 {
		t.Errorf("wrong: %q, %v", tally.wrong(time.Time{}), err)
	}
}

func TestReadOffset(t *testing.T) {
	for _, test := range []struct {
		rule, old, by string
		want          int64
		wrong         bool
	}{
		{"where we write it", "", "", 64, false},
		{"behind the months", healthy["partition-1.json"], `{"partition": 1, "May": {"1990": {"offset": 3}}, "offset": 5}`, 5, false},
		{"nowhere", `"offset"`, `"of"`, 0, true},
		{"half a file", healthy["partition-1.json"], `{"parti`, 0, true},
	} {
		t.Run(test.rule, func(t *testing.T) {
			name := "partition-1.json"
			if test.old == "" {
				name = ""
			}
			got, err := readOffset(doctored(t, name, test.old, test.by), 1)
			if got != test.want || (err != nil) != test.wrong {
				t.Errorf("got %d, %v, want %d", got, err, test.want)
			}
		})
	}
}

func TestCompare(t *testing.T) {
	tests := []struct {
		rule, name, old, by string
		want                []string
	}{
		{"the same bytes", "", "", "", nil},
		{"what stands beside the files does not matter", "partition-1.topic", "else", "", nil},
		{"another byte", "partition-0.json", "1240", "1241", []string{"partition-0.json: line 3"}},
		{"another layout", "partition-0.json", `{"partition"`, `{ "partition"`, []string{"partition-0.json: line 1"}},
		{"a line more", "partition-0.json", "}}}\n", "}}}\n\n", []string{"partition-0.json: 4 lines, undisturbed 5"}},
		{"a file missing", "partition-1.json", healthy["partition-1.json"], "", []string{"partition-1.json: open "}},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			a, b := doctored(t, "", "", ""), doctored(t, test.name, test.old, test.by)
			for _, dirs := range [][2]string{{a, b}, {b, a}} {
				got, err := compare(dirs[0], dirs[1])
				if err != nil {
					t.Fatal(err)
				}
				if !slices.EqualFunc(got, test.want, func(got, want string) bool { return strings.HasPrefix(got, want[:len("partition-0.json: ")]) }) {
					t.Errorf("got %q, want %q", got, test.want)
				}
				if dirs[0] == a && len(got) > 0 && !strings.HasPrefix(got[0], test.want[0]) {
					t.Errorf("got %q, want %q", got[0], test.want[0])
				}
			}
		})
	}
}

func TestCompareTellsWhatWasKeptAside(t *testing.T) {
	a, b := doctored(t, "", "", ""), doctored(t, "", "", "")
	if err := os.WriteFile(filepath.Join(b, "partition-1.rejected.jsonl"), []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := compare(a, b); err != nil || len(got) != 1 || !strings.Contains(got[0], "kept aside") {
		t.Errorf("got %q, %v, want one difference", got, err)
	}
}

func TestFilesThatGoBackAreNoticed(t *testing.T) {
	a := &actor{partitions: []int32{1}}
	if err := a.checkFiles(doctored(t, "", "", "")); err != nil {
		t.Fatal(err)
	}
	if err := a.checkFiles(doctored(t, "partition-1.json", `"offset": 64`, `"offset": 65`)); err != nil {
		t.Error(err)
	}
	if err := a.checkFiles(doctored(t, "", "", "")); err == nil || !strings.Contains(err.Error(), "went back from offset 65 to 64") {
		t.Errorf("got %v", err)
	}
	if err := a.checkFiles(doctored(t, "partition-1.json", "}}}\n", "")); err == nil || !strings.Contains(err.Error(), "not whole") {
		t.Errorf("half a file: got %v", err)
	}
}
