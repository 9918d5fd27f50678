package integration

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
)

const (
	// limit is how long anything may take here before it counts as hung.
	limit = 60 * time.Second
	// glance is how often a condition is looked at.
	glance = 5 * time.Millisecond
)

// scratch is a folder for what all tests share.
var scratch string

func TestMain(m *testing.M) {
	flag.Parse()
	if runtime.GOOS == "windows" {
		fmt.Println("skipping all tests: they stop processes with signals, which Windows does not have")
		return
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	// Most of the time tests wait for something here, rather than compute.
	if f := flag.Lookup("test.parallel"); f.Value.String() == fmt.Sprint(runtime.GOMAXPROCS(0)) {
		if err := f.Value.Set(fmt.Sprint(4 * runtime.GOMAXPROCS(0))); err != nil {
			panic(err)
		}
	}
	var err error
	if scratch, err = os.MkdirTemp("", "weatheractors-integration-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(scratch)
	code := m.Run()
	if err := stopEmbedded(); err != nil {
		fmt.Fprintln(os.Stderr, "stop the embedded broker:", err)
		return 1
	}
	return code
}

// eventually waits until ok.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline, look := time.NewTimer(limit), time.NewTicker(glance)
	defer deadline.Stop()
	defer look.Stop()
	for !ok() {
		select {
		case <-look.C:
		case <-deadline.C:
			t.Fatalf("waited %v in vain: %s", limit, what)
		}
	}
}
