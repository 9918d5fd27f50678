package integration

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// broker is something that speaks Kafka's protocol.
type broker struct {
	name, addr string
}

// brokers are those that every test runs on: the development broker, and Apache
// Kafka where there is one; that alone with WEATHERACTORS_TEST_EMBEDDED=no.
func brokers(t testing.TB) []broker {
	t.Helper()
	kafka := os.Getenv("WEATHERACTORS_TEST_BROKERS")
	if kafka != "" && os.Getenv("WEATHERACTORS_TEST_EMBEDDED") == "no" {
		return []broker{{"kafka", kafka}}
	}
	addr, err := embedded()
	if err != nil {
		t.Fatalf("start the embedded broker: %v\n%s", err, embeddedBroker.log.String())
	}
	all := []broker{{"embedded", addr}}
	if kafka != "" {
		all = append(all, broker{"kafka", kafka})
	}
	return all
}

// embeddedBroker is the process of the development broker that all tests share.
var embeddedBroker struct {
	cmd *exec.Cmd // nil before it is started
	log bytes.Buffer
}

// embedded starts the development broker and returns its address, which is the
// first line that it prints.
var embedded = sync.OnceValues(func() (string, error) {
	cmd, err := command("broker", "--listen", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	cmd.Stderr = &embeddedBroker.log
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	embeddedBroker.cmd = cmd
	line, err := bufio.NewReader(stdout).ReadString('\n')
	return strings.TrimSpace(line), err
})

// stopEmbedded stops it, if it was started, and checks that it went quietly.
func stopEmbedded() error {
	cmd, log := embeddedBroker.cmd, &embeddedBroker.log
	if cmd == nil {
		return nil
	}
	err := errors.Join(cmd.Process.Signal(syscall.SIGTERM), cmd.Wait())
	if err == nil && log.Len() > 0 {
		err = errors.New("it had something to say")
	}
	if err != nil {
		return fmt.Errorf("%w\n%s", err, log)
	}
	return nil
}
