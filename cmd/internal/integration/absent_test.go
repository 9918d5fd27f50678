package integration

import (
	"net"
	"slices"
	"testing"
	"time"
)

// busy is how much longer than it should a process may take, on a machine that
// does other things as well.
const busy = 2 * time.Second

// TestNoBrokerIsSaidWithin5Seconds is in the first file so that it begins first:
// it waits most of the time.
func TestNoBrokerIsSaidWithin5Seconds(t *testing.T) {
	mute, err := net.Listen("tcp", "127.0.0.1:0") // accepts, as the system does, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mute.Close() })
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	cases := []struct {
		name, address string
		args          []string
	}{
		{"consume, nobody listens", closed.Addr().String(), []string{"consume", "0"}},
		{"produce, nobody listens", closed.Addr().String(), []string{"produce"}},
		{"debug, nobody listens", closed.Addr().String(), []string{"debug"}},
		{"consume, nobody answers", mute.Addr().String(), []string{"consume", "--all"}},
	}
	t.Parallel()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			args := slices.Concat(c.args, []string{"--brokers", c.address, "--dir", t.TempDir()})
			r := launch(t, args...).wait().must(t, 1, c.address, "within 5s", "`weatheractors broker`", "--brokers host:port")
			if r.took > 5*time.Second+busy {
				t.Errorf("it took %v", r.took)
			}
		})
	}
}
