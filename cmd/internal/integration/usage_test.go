package integration

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestPartitionsThatMakeNoSense(t *testing.T) {
	cases := []struct {
		name string
		args []string
		says string
	}{
		{"that does not exist", []string{"1", "4"}, "partition does not exist: 4: topic TOPIC has 0, 1, 2, 3"},
		{"named twice", []string{"2", "0", "2"}, "partition 2 is named twice"},
		{"not a number", []string{"two"}, `partition "two": want a number`},
		{"negative", []string{"--", "-1"}, `partition "-1": want a number`},
		{"too large", []string{"4294967296"}, `partition "4294967296": want a number`},
		{"none", nil, "want the numbers of partitions, or --all"},
		{"all of them and one", []string{"--all", "1"}, "--all and partition 1: want only one of them"},
	}
	onEachBroker(t, func(t *testing.T, p place) {
		p.produce("--days", "1")
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				args := p.here([]string{"consume", "--until-end"})
				launch(t, append(args, c.args...)...).wait().must(t, 2, strings.ReplaceAll(c.says, "TOPIC", p.topic))
			})
		}
		if files := p.files(); len(files) > 0 {
			t.Errorf("there are files: %v", files)
		}
	})
}

func TestABadDataFilePublishesNothing(t *testing.T) {
	cases := []struct {
		name, content, says string
	}{
		{"a bad temperature", "date,temp_max\n1990-01-01,1.5\n1990-01-02,warm\n", `line 3: temp_max: want a number in °C, got "warm"`},
		{"a bad date", "date,temp_max\n1990-02-30,1.5\n", "line 2: date: "},
		{"no header", "1990-01-01,1.5\n", "line 1: want GHCN-Daily (.dly or CSV), NCEI's CSV (STATION, DATE, TMAX) or CSV with the columns date and temp_max, got \"1990-01-01,1.5\""},
		{"a column too few", "date,temp_max\n1990-01-01\n", "line 2: want 2 columns"},
		{"a day twice", "date,temp_max\n1990-01-01,1\n1990-01-01,2\n", "line 3: date: 1990-01-01 is there twice"},
		{"nothing", "", "line 1: want GHCN-Daily (.dly or CSV), NCEI's CSV (STATION, DATE, TMAX) or CSV with the columns date and temp_max, got an empty file"},
	}
	onEachBroker(t, func(t *testing.T, p place) {
		p.produce("--days", "30")
		p.count()
		before := p.files()
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				bad := write(t, "bad.csv", c.content)
				p.run("produce", "--input", bad, "--delay", "0", "--recreate").must(t, 1, bad+": "+c.says)
			})
		}
		p.run("produce", "--input", filepath.Join(p.dir, "absent.csv"), "--recreate").must(t, 1, "absent.csv")
		p.count() // it would notice a new topic
		same(t, p.files(), before)
	})
}

func TestASignalEndsConsumeInOrder(t *testing.T) {
	onEachBroker(t, func(t *testing.T, p place) {
		p.produce("--days", "2000", "--duplicates", "0")
		consumer := p.launch("consume", "--all")
		consumer.awaits("a file is there", func() bool { return len(p.files()) > 0 })
		if r := consumer.stop().must(t, 0); r.stdout != "" {
			t.Errorf("it printed %q", r.stdout)
		}
		if left := p.leftovers(); len(left) > 0 {
			t.Errorf("it left %v", left)
		}
		p.count()
		whole := p.elsewhere()
		whole.count()
		same(t, p.files(), whole.files())
	})
}

// leftovers are files that only a crash leaves.
func (p place) leftovers() []string {
	p.t.Helper()
	paths, err := filepath.Glob(filepath.Join(p.dir, "*.tmp"))
	if err != nil {
		p.t.Fatal(err)
	}
	return paths
}
