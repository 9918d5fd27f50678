package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// onATerminal runs a command on a terminal of its own, of 80 columns and 24 lines,
// and returns all that it wrote there.
func onATerminal(t *testing.T, env []string, args ...string) string {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	defer master.Close()
	control := func(request uintptr, argument unsafe.Pointer) {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, master.Fd(), request, uintptr(argument)); errno != 0 {
			t.Fatal(errno)
		}
	}
	var number, unlocked int32
	control(syscall.TIOCSPTLCK, unsafe.Pointer(&unlocked))
	control(syscall.TIOCGPTN, unsafe.Pointer(&number))
	size := [4]uint16{24, 80}
	control(syscall.TIOCSWINSZ, unsafe.Pointer(&size))
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "weatheractors", args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	cmd.Env = append(append(os.Environ(), "TERM=xterm", "NO_COLOR="), env...)
	err = cmd.Start()
	_ = terminal.Close() // the command has its own
	if err != nil {
		t.Fatal(err)
	}
	output, err := io.ReadAll(master)
	if err != nil && !errors.Is(err, syscall.EIO) { // which says that the other side has ended
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, output)
	}
	return string(output)
}

func TestADemoOnATerminal(t *testing.T) {
	const escape, dim = "\x1b", "\x1b[2m"
	for _, test := range []struct {
		rule           string
		env            []string
		changes, color bool
	}{
		{"lines that change, and a little color", nil, true, true},
		{"no color where none is wanted", []string{"NO_COLOR=1"}, true, false},
		{"plain lines where nothing can change", []string{"TERM=dumb"}, false, false},
	} {
		t.Run(test.rule, func(t *testing.T) {
			t.Parallel()
			output := onATerminal(t, test.env, "demo", "--input", "../../weather/testdata/seattle-weather.csv", "--dir", t.TempDir())
			if got := strings.Contains(output, escape); got != test.changes {
				t.Errorf("it moves the cursor: %v, want %v", got, test.changes)
			}
			if got := strings.Contains(output, dim); got != test.color {
				t.Errorf("it has color: %v, want %v", got, test.color)
			}
			_, summary, _ := strings.Cut(output, "Published: ")
			if !strings.Contains(summary, "each was counted exactly once") || strings.Contains(summary, escape) {
				t.Errorf("it ends with %q", summary)
			}
			if !test.changes && !strings.Contains(output, " times\r\n") {
				t.Errorf("it does not say how it is going: %q", output)
			}
			if test.changes && !strings.Contains(output, "partition 3 (B)") {
				t.Errorf("there is no line for a partition in %q", output)
			}
		})
	}
}
