package main

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/weatheractors/weatheractors/actors"
	"github.com/weatheractors/weatheractors/messages"
)

// served is a command that a script has started, and that serves a page.
type served struct {
	cmd    *exec.Cmd
	output *spoken
	page   string // address of the page
}

// spoken collects what a process says, for whoever looks at it meanwhile.
type spoken struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *spoken) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *spoken) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// servedBy is what each script has started.
var servedBy sync.Map

// start starts a command that serves a page, and waits until it says where.
func start(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: start command...")
	}
	s := &served{cmd: exec.Command(args[0], args[1:]...), output: &spoken{}}
	s.cmd.Dir = ts.MkAbs(".")
	s.cmd.Env = append(os.Environ(), "WEATHERACTORS_BROKERS="+ts.Getenv("WEATHERACTORS_BROKERS"))
	s.cmd.Stdout, s.cmd.Stderr = s.output, s.output
	ts.Check(s.cmd.Start())
	ts.Defer(func() {
		_ = s.cmd.Process.Kill() // it may have ended
		_ = s.cmd.Wait()
	})
	servedBy.Store(ts, s)
	pattern := regexp.MustCompile(`https?://\S+/`)
	for deadline := time.Now().Add(tooLong); s.page == ""; <-time.After(10 * time.Millisecond) {
		s.page = pattern.FindString(s.output.String())
		if time.Now().After(deadline) {
			ts.Fatalf("it does not say where its page is:\n%v", s.output)
		}
	}
	_, address, _ := strings.Cut(strings.TrimSuffix(s.page, "/"), "//")
	ts.Setenv("ADDRESS", address)
}

// get asks until it is answered as a script wants.
func get(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: get PATH STATUS PATTERN [HEADER: VALUE]...")
	}
	value, found := servedBy.Load(ts)
	if !found {
		ts.Fatalf("get: nothing was started")
	}
	status, err := strconv.Atoi(args[1])
	ts.Check(err)
	pattern, err := regexp.Compile("(?m)" + args[2])
	ts.Check(err)
	var answer string
	for deadline := time.Now().Add(tooLong); time.Now().Before(deadline); <-time.After(20 * time.Millisecond) {
		var got int
		if got, answer, err = fetch(value.(*served).page+strings.TrimPrefix(args[0], "/"), args[3:]); err == nil && got == status && pattern.MatchString(answer) {
			return
		}
	}
	ts.Fatalf("%s: want status %d and %q; the last answer was %v\n%s\nand it says\n%v", args[0], status, args[2], err, answer, value.(*served).output)
}

// fetch returns an answer with its headers.
func fetch(url string, headers []string) (status int, answer string, err error) {
	r, err := http.NewRequest(http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			r.Host = value
		}
		r.Header.Set(name, value)
	}
	client := http.Client{Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	response, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	var text strings.Builder
	if err := response.Header.Write(&text); err != nil {
		return 0, "", err
	}
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, strings.ReplaceAll(text.String(), "\r", "") + "\n" + string(body), err
}

// TestActorsThatDoNotAnswerAreNamed has one root answer, one not, and one be gone.
func TestActorsThatDoNotAnswerAreNamed(t *testing.T) {
	a := &app{log: slog.New(slog.DiscardHandler)}
	p := &probes{system: a.newSystem(), patience: 50 * time.Millisecond}
	defer p.system.Shutdown()
	spawn := func(name string, receive actor.ReceiveFunc) {
		if _, err := p.system.Root.SpawnNamed(actor.PropsFromFunc(receive), name); err != nil {
			t.Fatal(err)
		}
		p.add(actors.Consume{Name: name, Partitions: []int32{2}})
	}
	spawn("good", func(ctx actor.Context) {
		if question, ok := ctx.Message().(*messages.GetStats); ok {
			ctx.Respond(&messages.Stats{Partition: question.GetPartition()})
		}
	})
	p.add(actors.Consume{Name: "gone", Partitions: []int32{0}})
	if err := p.ask(t.Context()); err != nil {
		t.Errorf("all that are there answer: %v", err)
	}
	spawn("mute", func(actor.Context) {})
	if err := p.ask(t.Context()); err == nil || err.Error() != "mute: no answer for partition 2: future: timeout" {
		t.Errorf("one does not answer: %v", err)
	}
	p.add(actors.Consume{Name: "other", Partitions: []int32{7}})()
	if n := len(p.roots); n != 3 {
		t.Errorf("%d roots are asked, want 3: one has ended", n)
	}
}

// stop interrupts what was started, which must end well, having said something.
func stop(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 1 {
		ts.Fatalf("usage: stop [PATTERN]")
	}
	value, found := servedBy.LoadAndDelete(ts)
	if !found {
		ts.Fatalf("stop: nothing was started")
	}
	s := value.(*served)
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		ts.Fatalf("%v", err)
	}
	if err := s.cmd.Wait(); err != nil {
		ts.Fatalf("it ended with %v:\n%v", err, s.output)
	}
	if len(args) == 1 && !regexp.MustCompile("(?m)"+args[0]).MatchString(s.output.String()) {
		ts.Fatalf("it did not say %q:\n%v", args[0], s.output)
	}
}
