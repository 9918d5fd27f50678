package chaos

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// stopLimit is how long a process may take to end once it was asked to.
const stopLimit = 30 * time.Second

// program starts processes of the program, each of which logs to a file.
type program struct {
	path   string
	flags  []string // global ones, for all
	env    []string
	logs   string // a folder
	starts chan start
}

type start struct {
	cmd    *exec.Cmd
	result chan<- error
}

// newProgram returns a program to start processes of; close kills those that
// still run, on Linux at least. The thread that starts a process stays until
// then: Linux kills the process when that thread ends, not when the run does.
func newProgram(path string, flags []string, password, logs string) (p *program, closeIt func()) {
	p = &program{path: path, flags: flags, logs: logs, starts: make(chan start)}
	p.env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "WEATHERACTORS_") })
	if password != "" {
		p.env = append(p.env, "WEATHERACTORS_SASL_PASSWORD="+password)
	}
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this goroutine
		for s := range p.starts {
			s.result <- s.cmd.Start()
		}
	}()
	return p, func() { close(p.starts) }
}

// process is one that was started, running or ended.
type process struct {
	command string
	cmd     *exec.Cmd
	log     *os.File
	from    int64         // where in the log this process begins
	ended   chan struct{} // closed then
}

// start starts a process that logs to the end of the file of that name.
func (p *program) start(name string, args ...string) (*process, error) {
	c, err := p.prepare(name, args...)
	if err != nil {
		return nil, err
	}
	c.cmd.Stdout = c.log
	return c, p.launch(c)
}

func (p *program) logOf(name string) string { return filepath.Join(p.logs, name+".log") }

func (p *program) prepare(name string, args ...string) (*process, error) {
	args = append(args, p.flags...)
	c := &process{command: "weatheractors " + strings.Join(args, " "), cmd: exec.Command(p.path, args...), ended: make(chan struct{})}
	var err error
	if c.log, err = os.OpenFile(p.logOf(name), os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o644); err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(c.log, "--- %s %s\n", time.Now().UTC().Format(time.RFC3339Nano), c.command)
	if err == nil {
		c.from, err = c.log.Seek(0, io.SeekEnd)
	}
	if err != nil {
		return nil, errors.Join(err, c.log.Close())
	}
	c.cmd.Env, c.cmd.SysProcAttr, c.cmd.Stderr = p.env, apart(), c.log
	return c, nil
}

func (p *program) launch(c *process) error {
	result := make(chan error)
	p.starts <- start{c.cmd, result}
	if err := <-result; err != nil {
		return errors.Join(fmt.Errorf("start %s: %w", c.command, err), c.log.Close())
	}
	go func() {
		defer close(c.ended)
		_ = c.cmd.Wait() // ProcessState has it
	}()
	return nil
}

// startBroker starts a broker, and returns the address that it prints.
func (p *program) startBroker(listen, data string) (c *process, address string, err error) {
	if c, err = p.prepare("broker", "broker", "--listen", listen, "--data-dir", data); err != nil {
		return nil, "", err
	}
	stdout, stdin, err := os.Pipe()
	if err != nil {
		return nil, "", errors.Join(err, c.log.Close())
	}
	defer stdout.Close() //nolint:errcheck // it was only read
	c.cmd.Stdout = stdin
	if err := errors.Join(p.launch(c), stdin.Close()); err != nil {
		return nil, "", err
	}
	if address, err = bufio.NewReader(stdout).ReadString('\n'); err != nil {
		c.kill()
		defer c.close()
		return nil, "", c.failed("said no address")
	}
	return c, strings.TrimSpace(address), nil
}

// run runs a process to its end, which must be a good one, and returns what it
// wrote.
func (p *program) run(ctx context.Context, name string, args ...string) (string, error) {
	c, err := p.start(name, args...)
	if err != nil {
		return "", err
	}
	defer c.close()
	select {
	case <-c.ended:
	case <-ctx.Done():
		c.kill()
		return "", errInterrupted
	}
	if code := c.cmd.ProcessState.ExitCode(); code != 0 {
		return c.wrote(), c.failed(fmt.Sprintf("ended with exit status %d", code))
	}
	return c.wrote(), nil
}

func (c *process) running() bool {
	select {
	case <-c.ended:
		return false
	default:
		return true
	}
}

// strike has the process killed, without waiting for it.
func (c *process) strike() { _ = c.cmd.Process.Kill() } // it may have ended before

// kill ends it at once, and tells whether that did it.
func (c *process) kill() bool {
	c.strike()
	<-c.ended
	return c.cmd.ProcessState.ExitCode() == -1
}

// stop asks it to end; it must end well, and in time.
func (c *process) stop() error {
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", c.command, err)
	}
	limit := time.NewTimer(stopLimit)
	defer limit.Stop()
	select {
	case <-c.ended:
	case <-limit.C:
		c.kill()
		return c.failed(fmt.Sprintf("did not end within %v of SIGTERM", stopLimit))
	}
	if !c.cmd.ProcessState.Success() {
		return c.failed(fmt.Sprintf("did not end well after SIGTERM: %v", c.cmd.ProcessState))
	}
	return nil
}

// close forgets a process that has ended.
func (c *process) close() { _ = c.log.Close() } // all that matters was written by others

// wrote is what it has written so far.
func (c *process) wrote() string {
	text, err := io.ReadAll(io.NewSectionReader(c.log, c.from, 1<<20))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// programError is something that the program should not have done.
type programError struct{ what string }

func (e *programError) Error() string { return e.what }

// failed says what was wrong with a process, and its last words.
func (c *process) failed(what string) error {
	lines := strings.Split(strings.TrimSpace(c.wrote()), "\n")
	last := strings.Join(lines[max(0, len(lines)-5):], "\n    ")
	return &programError{fmt.Sprintf("`%s` %s; its last words:\n    %s", c.command, what, last)}
}
