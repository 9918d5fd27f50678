package verify

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/weatheractors/weatheractors/messages"
)

// log is a topic with a bit of everything.
var log = []record{
	good("1990-01-01", 20.5),
	good("1990-01-02", 21.25),
	good("1990-01-02", 1e6), // a repeat
	{"January", []byte("not protobuf")},
	good("1990-02-01", 0.1),
	good("1990-02-02", 0.2),
	good("1990-02-03", 0.3),
	good("1991-01-05", -3),
	{"January", nil},
	good("1990-12-31", 31.5),
	good("1990-01-01", 1e6), // another one
}

const right = `{"partition": 0, "offset": 11,
"January": {
"1990": {"count": 2, "sum": 41.75, "avg": 20.875, "end": "1990-01-02", "start": "1990-01-01"},
"1991": {"count": 1, "sum": -3, "avg": -3, "end": "1991-01-05", "start": "1991-01-05"}},
"February": {
"1990": {"count": 3, "sum": 0.6000000000000001, "avg": 0.20000000000000004, "end": "1990-02-03", "start": "1990-02-01"}},
"December": {
"1990": {"count": 1, "sum": 31.5, "avg": 31.5, "end": "1990-12-31", "start": "1990-12-31"}}}
`

const rejects = `{"offset": 3}` + "\n" + `{"offset": 8}` + "\n"

func TestVerdicts(t *testing.T) {
	c := newCluster(t)
	c.produce(log...)
	topic := c.sidecar()
	swap := func(from, to string) string {
		if !strings.Contains(right, from) {
			t.Fatalf("no %s to replace", from)
		}
		return strings.Replace(right, from, to, 1)
	}
	files := func(file string) map[string]string {
		return map[string]string{".json": file, ".topic": topic, ".rejected.jsonl": rejects}
	}
	cases := []struct {
		name  string
		files map[string]string
		want  Verdict
		lines []string // differences, reasons and notes
	}{
		{"the very bytes", files(right), Equal, nil},
		{"no spaces", files(strings.ReplaceAll(right, ": ", ":")), EqualValues, nil},
		{"no newline at the end", files(strings.TrimSuffix(right, "\n")), EqualValues, nil},
		{"other notation of a number", files(swap("41.75", "4175e-2")), EqualValues, nil},
		{"wrong count", files(swap(`"count": 2`, `"count": 3`)), Differs, []string{"January 1990: count is 3, topic says 2"}},
		{"wrong sum, in its last bit", files(swap("0.6000000000000001", "0.6")), Differs,
			[]string{"February 1990: sum is 0.6, topic says 0.6000000000000001"}},
		{"wrong avg, in its last bit", files(swap("0.20000000000000004", "0.20000000000000001")), Differs,
			[]string{"February 1990: avg is 0.2, sum/count is 0.20000000000000004"}},
		{"missing month", files(swap(`,
"December": {
"1990": {"count": 1, "sum": 31.5, "avg": 31.5, "end": "1990-12-31", "start": "1990-12-31"}}`, "")), Differs,
			[]string{"December 1990: missing, topic has 1 day"}},
		{"extra month", files(swap(`"1991":`, `"1992": {"count": 1, "sum": 1, "avg": 1, "end": "1992-01-01", "start": "1992-01-01"}, "1991":`)),
			Differs, []string{"January 1992: not in the topic, file has 1 day"}},
		{"offset too low", map[string]string{".json": swap("11", "9"), ".topic": topic}, Differs,
			[]string{"December 1990: not in the topic, file has 1 day", "2 records can't be counted; there is no partition-0.rejected.jsonl to compare with"}},
		{"offset too high", files(swap("11", "12")), Differs,
			[]string{"offset is 12, topic ends at 11: another topic was counted, or the log has lost its end"}},
		{"nothing counted yet", map[string]string{".json": "{\"partition\": 0, \"offset\": 0}\n", ".topic": topic}, Equal, nil},
		{"something counted at offset 0", map[string]string{".json": swap("11", "0"), ".topic": topic}, Differs, []string{
			"January 1990: not in the topic, file has 2 days", "January 1991: not in the topic, file has 1 day",
			"February 1990: not in the topic, file has 3 days", "December 1990: not in the topic, file has 1 day"}},
		{"wrong partition", files(swap(`"partition": 0`, `"partition": 1`)), Differs, []string{"partition is 1, want 0"}},
		{"not a partition file", files("[]"), Differs, []string{`the file can't be read: line 1: unexpected "["`}},
		{"written by another program", map[string]string{".json": right}, Equal, []string{
			"there is no partition-0.topic: whether this is the topic that was counted, its records alone can tell",
			"2 records can't be counted; there is no partition-0.rejected.jsonl to compare with"}},
		{"a reject was lost", map[string]string{".json": right, ".topic": topic, ".rejected.jsonl": `{"offset": 3}` + "\n"}, Differs,
			[]string{"record 8 can't be counted, and is not among the rejects"}},
		{"a good record among the rejects", map[string]string{".json": right, ".topic": topic, ".rejected.jsonl": `{"offset": 1}` + "\n" + rejects}, Differs,
			[]string{"record 1 is among the rejects, but the topic has no such record that can't be counted"}},
		{"rejects that make no sense", map[string]string{".json": right, ".topic": topic, ".rejected.jsonl": "{}\n"}, Unprovable,
			[]string{"partition-0.rejected.jsonl makes no sense: line 1: no offset above that of the line before"}},
		{"a topic that makes no sense", map[string]string{".json": right, ".topic": "{}"}, Unprovable,
			[]string{"partition-0.topic makes no sense: no name of a topic"}},
		{"a topic of unknown id", map[string]string{".json": right, ".topic": `{"name": "temperatures"}`, ".rejected.jsonl": rejects}, Equal,
			[]string{"the topic's id is not known: whether it was created anew, its records alone can tell"}},
		{"another topic", map[string]string{".json": right, ".topic": `{"name": "other"}`}, Unprovable,
			[]string{`the file counts the topic "other", not "temperatures"`}},
		{"the topic of that name before", map[string]string{".json": right, ".topic": `{"name": "temperatures", "id": "AAAAAAAAAAAAAAAAAAAAAQ"}`}, Unprovable,
			[]string{"the topic was deleted and created anew: the file counts the one with id AAAAAAAAAAAAAAAAAAAAAQ, now there is " + c.id()}},
		{"a gap of records that are still there", map[string]string{".json": right, ".rejected.jsonl": rejects,
			".topic": c.sidecar(span{1, 3})}, Differs,
			[]string{"records 1 to 2: skipped, as partition-0.topic says, but 2 still in the topic",
				"January 1990: count is 2, topic says 1; sum is 41.75, topic says 20.5; end is 1990-01-02, topic says 1990-01-01"}},
		{"a gap behind the file's offset", map[string]string{".json": right, ".rejected.jsonl": rejects,
			".topic": c.sidecar(span{11, 20})}, Equal, nil},
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			report, err := Partition(t.Context(), c.config, write(t, test.files), 0, nil)
			if err != nil {
				t.Fatal(err)
			}
			checkReport(t, report, test.want, test.lines...)
		})
	}
}

func TestProgressGoesUpToTheOffset(t *testing.T) {
	c := newCluster(t)
	c.produce(log...)
	var calls [][2]int64
	_, err := Partition(t.Context(), c.config, write(t, map[string]string{".json": right}), 0, func(done, total int64) {
		calls = append(calls, [2]int64{done, total})
	})
	if want := [][2]int64{{0, 11}, {11, 11}}; err != nil || !slices.Equal(calls, want) {
		t.Errorf("got %v, %v, want %v", calls, err, want)
	}
}

func TestNoVerdict(t *testing.T) {
	c := newCluster(t)
	dir := write(t, map[string]string{".json": right})
	cases := []struct {
		name      string
		change    func(*Config)
		partition int32
		want      error  // or
		text      string // in the error
	}{
		{"no file", func(*Config) {}, 5, fs.ErrNotExist, "verify partition 5: open "},
		{"no topic", func(c *Config) { c.Topic = "absent" }, 0, messages.ErrTopicMissing, "verify partition 0 of absent at 127.0.0.1:"},
		{"no partition", func(*Config) {}, 1, messages.ErrPartitionMissing, "verify partition 1 of "},
		{"no broker", func(c *Config) { c.Brokers = []string{closedPort(t)} }, 0, nil, "no answer within 300ms"},
		{"not a broker's address", func(c *Config) { c.Brokers = nil }, 0, nil, "want the address of a broker"},
		{"unknown mechanism", func(c *Config) { c.Mechanism = "KERBEROS" }, 0, nil, `got "KERBEROS"`},
	}
	if err := os.WriteFile(filepath.Join(dir, "partition-1.json"), []byte(right), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			config := c.config
			test.change(&config)
			report, err := Partition(t.Context(), config, dir, test.partition, nil)
			if err == nil || !strings.Contains(err.Error(), test.text) || test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("got %v, %v, want an error with %q", report, err, test.text)
			}
		})
	}
}

func TestCallerCanGiveUp(t *testing.T) {
	c := newCluster(t)
	c.produce(log...)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Partition(ctx, c.config, write(t, map[string]string{".json": right}), 0, func(int64, int64) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

// write makes a folder with the files of partition 0, by what their names end in.
func write(t *testing.T, files map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for suffix, data := range files {
		if err := os.WriteFile(filepath.Join(dir, "partition-0"+suffix), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func checkReport(t *testing.T, r Report, want Verdict, lines ...string) {
	t.Helper()
	got := slices.Concat(r.Differences, r.Reasons, r.Notes)
	if r.Verdict != want || !slices.Equal(got, lines) {
		t.Errorf("got %v\nwant %v, %q", r, want, lines)
	}
}
