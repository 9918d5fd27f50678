package checkpoint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/weatheractors/weatheractors/messages"
)

func TestRejectLines(t *testing.T) {
	tests := []struct {
		name   string
		reject *messages.Reject
		want   string
	}{
		{"key as text, value in base64", &messages.Reject{Offset: 7, Reason: "invalid date", Key: []byte("June"), Value: []byte("<&>")},
			`{"offset":7,"reason":"invalid date","key":"June","value":"PCY+"}`},
		{"nothing in it", &messages.Reject{}, `{"offset":0,"reason":"","key":"","value":""}`},
		{"key that is not UTF-8 is kept apart", &messages.Reject{Key: []byte("J\xffne")},
			`{"offset":0,"reason":"","key":"J\ufffdne","key_base64":"Sv9uZQ==","value":""}`},
		{"key with quotes, controls and markup", &messages.Reject{Key: []byte("\"\n\x00<é>")},
			`{"offset":0,"reason":"","key":"\"\n\u0000<é>","value":""}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := rejectLog{disk: newRAM(), path: ramPath(".rejected.jsonl"), last: -1}
			if err := l.append([]*messages.Reject{test.reject}); err != nil {
				t.Fatal(err)
			}
			got := l.disk.(*ram).read(l.path)
			if string(got) != test.want+"\n" {
				t.Errorf("got  %swant %s", got, test.want)
			}
			var line rejectLine
			if err := json.Unmarshal(got, &line); err != nil {
				t.Fatal(err)
			}
			key := []byte(line.Key)
			if line.KeyBase64 != nil {
				key = line.KeyBase64
			}
			if !bytes.Equal(key, test.reject.Key) || !bytes.Equal(line.Value, test.reject.Value) {
				t.Errorf("key %q and value %q read back as %q and %q", test.reject.Key, test.reject.Value, key, line.Value)
			}
		})
	}
}

func line(offset int) string { return fmt.Sprintf("{\"offset\":%d}\n", offset) }

func TestRejectsAreCutOnLoad(t *testing.T) {
	long := fmt.Sprintf("{\"offset\":2,\"value\":%q}\n", strings.Repeat("A", 3*backwardStep))
	huge := strings.Repeat("A", maxRejectLine+3*backwardStep) + "\n"
	zeros := strings.Repeat("\x00", 100)
	tests := []struct {
		name, content string // to be cut at offset 5
		want          string
		last          int64
	}{
		{"empty file", "", "", -1},
		{"all below the offset", line(1) + line(4), line(1) + line(4), 4},
		{"lines at the offset and above", line(1) + line(5) + line(9), line(1), 1},
		{"none below the offset", line(5), "", -1},
		{"line that is not whole", line(1) + `{"offset":2}`, line(1), 1},
		{"zeros at the end", line(1) + zeros, line(1), 1},
		{"line of zeros", line(1) + zeros + "\n" + line(7), line(1), 1},
		{"zeros within a line", line(1) + line(6)[:8] + zeros + line(8), line(1), 1},
		{"no line at all", zeros + huge, "", -1},
		{"line that is not JSON before a good one", "{\n" + line(1), "{\n" + line(1), 1},
		{"without an offset", line(1) + "{}\n", line(1), 1},
		{"other layout", `{"reason": "x", "offset": 3}` + "\n" + line(5), `{"reason": "x", "offset": 3}` + "\n", 3},
		{"long line to be kept", line(1) + long, line(1) + long, 2},
		{"long line behind", long + line(3), long + line(3), 3},
		{"line longer than any", line(1) + huge + line(5), line(1), 1},
		{"line longer than any at the end, not whole", line(1) + strings.TrimSpace(huge), line(1), 1},
		{"many lines to be cut", line(1) + strings.Repeat(line(123456), 20_000), line(1), 1},
		{"many lines to be kept", strings.Repeat(line(1), 20_000), strings.Repeat(line(1), 20_000), 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			memory := newRAM()
			path := ramPath(".rejected.jsonl")
			memory.change(change{there: path, inode: &inode{content: []byte(test.content), durable: []byte(test.content)}})
			_ = memory.SyncDir(ramDir)
			l := rejectLog{disk: memory, path: path}
			if err := l.load(5); err != nil {
				t.Fatal(err)
			}
			if got := string(memory.powerCut().read(path)); got != test.want {
				t.Errorf("kept %d bytes durably: %.80q, want %d bytes", len(got), got, len(test.want))
			}
			if l.size != int64(len(test.want)) || l.last != test.last {
				t.Errorf("size %d, last %d; want %d, %d", l.size, l.last, len(test.want), test.last)
			}
		})
	}
}

func TestLoadingRejectsTakesLittleMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rejected.jsonl")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	chunk := bytes.Repeat([]byte(line(1)), 1<<20/len(line(1)))
	for range 64 {
		if _, err := f.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	l := rejectLog{disk: systemDisk{}, path: path}
	if err := l.load(2); err != nil || l.size != int64(64*len(chunk)) {
		t.Fatalf("%v, size %d", err, l.size)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
		t.Errorf("allocated %d bytes for a file of %d", used, l.size)
	}
}

func TestLinesTooLongAreNotHeld(t *testing.T) {
	f := &ramFile{&inode{content: bytes.Repeat([]byte("A"), 8*maxRejectLine)}}
	b := backward{file: f, start: int64(len(f.content))}
	if line, err := b.line(b.start); line != nil || err != nil || b.begin != 0 {
		t.Errorf("got a line of %d bytes from %d, %v", len(line), b.begin, err)
	}
	if held := cap(b.bytes); held > backwardStep {
		t.Errorf("holds %d bytes", held)
	}
}
