package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weatheractors/weatheractors/actors"
	"github.com/weatheractors/weatheractors/actors/kafka"
	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
)

// TestSecondSignalEndsAtOnce stops a producer whose broker does not answer any
// more: the first signal waits for acknowledgements, the second does not.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	cmd, _ := unansweredProducer(t)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	interrupt := func() {
		if err := cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Error(err)
		}
	}
	interrupt()
	select {
	case err := <-ended:
		t.Fatalf("after the first signal it ended with %v, want it to wait for acknowledgements", err)
	case <-time.After(2 * sameSignal):
	}
	again := time.NewTicker(2 * sameSignal) // a busy machine may see the first one late
	defer again.Stop()
	for {
		select {
		case <-again.C:
			interrupt()
		case err := <-ended:
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != exitInterrupted {
				t.Errorf("after the second signal it ended with %v, want exit status %d", err, exitInterrupted)
			}
			return
		}
	}
}

// TestAProducerWithoutAnswerSaysHowToGoOn stops one, and lets it give up.
func TestAProducerWithoutAnswerSaysHowToGoOn(t *testing.T) {
	cmd, printed := unansweredProducer(t)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != exitFailed {
		t.Errorf("it ended with %v, want exit status %d", err, exitFailed)
	}
	if text := printed.String(); !strings.Contains(text, actors.ErrDrain.Error()) || !strings.HasSuffix(text, "\nhint: "+resumeHint+"\n") {
		t.Errorf("it printed\n%s\nwant the hint %q", text, resumeHint)
	}
}

// brokerFor starts a broker that ends with the test.
func brokerFor(t *testing.T) *embedded.Broker {
	t.Helper()
	broker, err := embedded.Start(embedded.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := broker.Close(); err != nil {
			t.Error(err)
		}
	})
	return broker
}

// unansweredProducer starts a producer, with what it prints on standard error,
// whose broker answers until something is published, and then no more.
func unansweredProducer(t *testing.T) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	broker := brokerFor(t)
	var printed bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "weatheractors", "produce", "--delay", "0", "--brokers", broker.Addr())
	cmd.Stderr = &printed
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	awaitRecord(t, kafka.Config{Brokers: []string{broker.Addr()}, Topic: defaultTopic})
	t.Cleanup(broker.Pause())
	return cmd, &printed
}

func TestASignalThatComesTwiceCountsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signals, begun := make(chan os.Signal), time.Now()
		go func() {
			signals <- os.Interrupt
			time.Sleep(sameSignal - time.Millisecond)
			signals <- os.Interrupt
			time.Sleep(time.Minute)
			signals <- os.Interrupt
		}()
		awaitSecond(signals)
		if took := time.Since(begun); took < time.Minute {
			t.Errorf("the second signal was taken to come after %v, want more than a minute", took)
		}
	})
}

// awaitRecord waits until partition 2, that of January, has a record.
func awaitRecord(t *testing.T, cluster kafka.Config) {
	t.Helper()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for deadline := time.After(tooLong); ; {
		if log, err := kafka.NewSource(cluster).Describe(t.Context(), 2); err == nil && log.GetLastStableOffset() > 0 {
			return
		}
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatal("nothing was published")
		}
	}
}
