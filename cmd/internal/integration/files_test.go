package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestAFileInAnotherLayoutIsGoneOnFrom(t *testing.T) {
	layouts := []struct {
		name    string
		rewrite func(*testing.T, string)
	}{
		{"as Go indents it, keys by alphabet", indent},
		{"as Python indents it", func(t *testing.T, path string) {
			needPython(t)
			if _, err := python("testdata/rewrite.py", path); err != nil {
				t.Fatal(err)
			}
		}},
	}
	for _, layout := range layouts {
		t.Run(layout.name, func(t *testing.T) {
			onEachBroker(t, func(t *testing.T, p place) {
				p.produce("--days", "400")
				p.count()
				for partition := range 4 {
					layout.rewrite(t, p.path(partition))
				}
				out := p.ok("verify", "--all").stdout
				if n := strings.Count(out, ": equal values, in another layout:"); n != 4 {
					t.Errorf("verify says of %d files that they are in another layout, want 4:\n%s", n, out)
				}
				p.produce("--resume", "--days", "400")
				p.count()
				whole := p.elsewhere()
				whole.count()
				same(t, p.files(), whole.files())
			})
		})
	}
}

func indent(t *testing.T, path string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var data any
	unmarshal(t, string(content), &data)
	indented, err := json.MarshalIndent(data, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, indented, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestACorruptFileIsNamedAndKept(t *testing.T) {
	cases := []struct {
		name    string
		corrupt func(string) string
		says    string
	}{
		{"cut short", func(s string) string { return s[:len(s)/2] }, "line "},
		{"another partition's", func(s string) string { return strings.Replace(s, `"partition": 2`, `"partition": 1`, 1) }, "line 1: "},
		{"a key too much", func(s string) string { return strings.Replace(s, `"offset"`, `"more": 1, "offset"`, 1) }, "line 1: "},
		{"more days than there are", func(s string) string { return strings.Replace(s, `"count": 31`, `"count": 32`, 1) }, "line 3: "},
		{"empty", func(string) string { return "" }, "line 1: "},
	}
	onEachBroker(t, func(t *testing.T, p place) {
		p.produce("--days", "100")
		p.count()
		right := p.read("partition-2.json")
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				wrong := c.corrupt(right)
				if wrong == right {
					t.Fatal("it is not corrupt")
				}
				if err := os.WriteFile(p.path(2), []byte(wrong), 0o644); err != nil {
					t.Fatal(err)
				}
				p.run("consume", "0", "2", "--until-end").must(t, 1, p.path(2)+": corrupt checkpoint: "+c.says, "hint: nothing was overwritten")
				if got := p.read("partition-2.json"); got != wrong {
					t.Errorf("it was overwritten with\n%s", got)
				}
				p.run("plot").must(t, 1, p.path(2), c.says)
				p.run("verify", "2").must(t, 1)
			})
		}
		if err := os.WriteFile(p.path(2), []byte(right), 0o644); err != nil {
			t.Fatal(err)
		}
		p.count()
	})
}

func TestASecondProcessOnAPartitionIsRefused(t *testing.T) {
	onEachBroker(t, func(t *testing.T, p place) {
		p.produce("--days", "50", "--duplicates", "0")
		first := p.launch("consume", "--all")
		first.awaits("50 records are counted", func() bool { return p.offset() == 50 })
		host, err := os.Hostname()
		if err != nil {
			t.Fatal(err)
		}
		p.run("consume", "1").must(t, 1, fmt.Sprintf("process %d on host %s", first.cmd.Process.Pid, host), "hint: one process at a time")
		if !first.running() {
			t.Errorf("the first one has ended: %v", first.wait())
		}
		first.kill()
		p.ok("consume", "1", "--until-end")
	})
}
