package integration

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var acknowledged = regexp.MustCompile(`msg=published acknowledged=(\d+)`)

// published is how many records a producer said were acknowledged.
func published(t testing.TB, r result) int {
	t.Helper()
	all := acknowledged.FindAllStringSubmatch(r.stderr, -1)
	if all == nil {
		t.Fatalf("it does not say how many were acknowledged: %v", r)
	}
	n, err := strconv.Atoi(all[len(all)-1][1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestKafkaPythonReadsWhatIsPublished(t *testing.T) {
	needPython(t)
	for _, compression := range []string{"none", "gzip"} { // it has no others by itself
		t.Run(compression, func(t *testing.T) {
			onEachBroker(t, func(t *testing.T, p place) {
				n := published(t, p.produce("--days", "1000", "--compression", compression))
				read := strings.Count(p.python("read.py", "4"), "\n")
				if n <= 1000 || read != n {
					t.Errorf("%d records were acknowledged, kafka-python reads %d", n, read)
				}
			})
		})
	}
}

func TestCountsWhatKafkaPythonPublishes(t *testing.T) {
	needPython(t)
	for _, compression := range []string{"none", "gzip"} {
		t.Run(compression, func(t *testing.T) {
			onEachBroker(t, func(t *testing.T, p place) {
				var sent struct {
					Records int64
					Days    int
					Rejects map[int]map[int64]string
				}
				unmarshal(t, p.python("publish.py", compression), &sent)
				p.count()
				if got := p.recount(); got.Records != sent.Records || got.Days != sent.Days {
					t.Errorf("recount came to %d records and %d days, published were %d and %d", got.Records, got.Days, sent.Records, sent.Days)
				}
				p.ok("verify", "--all")
				for partition := range 4 {
					p.keptAside(partition, sent.Rejects[partition])
				}
				p.elsewhere().run("consume", "--all", "--until-end", "--on-invalid", "fail").
					must(t, 1, "hint: `--on-invalid skip` keeps such records aside")
			})
		})
	}
}

// keptAside checks that exactly these rejects are kept, hexadecimal by offset.
func (p place) keptAside(partition int, want map[int64]string) {
	p.t.Helper()
	name := fmt.Sprintf("partition-%d.rejected.jsonl", partition)
	if len(want) == 0 {
		if _, err := os.Stat(p.dir + "/" + name); !errors.Is(err, os.ErrNotExist) {
			p.t.Errorf("%s is there without a reject: %v", name, err)
		}
		return
	}
	content := p.read(name)
	for line := range strings.Lines(content) {
		var reject struct {
			Offset        int64
			Reason, Value string
		}
		unmarshal(p.t, line, &reject)
		value, err := base64.StdEncoding.DecodeString(reject.Value)
		published, ok := want[reject.Offset]
		if err != nil || !ok || hex.EncodeToString(value) != published || reject.Reason == "" {
			p.t.Errorf("%s: %s: want value %q", name, line, published)
		}
	}
	if n := strings.Count(content, "\n"); n != len(want) {
		p.t.Errorf("%s has %d lines, want %d:\n%s", name, n, len(want), content)
	}
}

func TestEveryCompressionIsRead(t *testing.T) {
	onEachBroker(t, func(t *testing.T, p place) {
		for i, compression := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
			p.produce("--resume", "--days", "200", "--compression", compression)
			p.count()
			if n := p.tally().count(); n != 200*(i+1) {
				t.Errorf("%s: counted %d days, want %d", compression, n, 200*(i+1))
			}
		}
		p.ok("verify", "--all")
	})
}

func TestKcatReadsWhatIsPublished(t *testing.T) {
	kcat, err := exec.LookPath("kcat")
	if err != nil {
		if kcat, err = exec.LookPath("kafkacat"); err != nil {
			missing(t, "there is neither kcat nor kafkacat")
		}
	}
	onEachBroker(t, func(t *testing.T, p place) {
		n := published(t, p.produce("--days", "500"))
		out, err := exec.Command(kcat, "-C", "-q", "-e", "-o", "beginning", "-b", p.broker.addr, "-t", p.topic,
			"-f", `{"partition": %p, "key": "%k", "length": %S}\n`).Output()
		if err != nil {
			t.Fatal(err)
		}
		records := json.NewDecoder(strings.NewReader(string(out)))
		read := 0
		for ; records.More(); read++ {
			var r struct {
				Partition, Length int
				Key               string
			}
			if err := records.Decode(&r); err != nil {
				t.Fatal(err)
			}
			if want, ok := partitionOf[r.Key]; !ok || r.Partition != want || r.Length != 21 {
				t.Errorf("kcat reads %+v", r)
			}
		}
		if read != n {
			t.Errorf("%d records were acknowledged, kcat reads %d", n, read)
		}
	})
}
