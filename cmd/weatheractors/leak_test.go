package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/weatheractors/weatheractors/actors"
	"github.com/weatheractors/weatheractors/actors/kafka"
	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
	"github.com/weatheractors/weatheractors/messages"
)

// restarts is how often a run is begun and ended; WEATHERACTORS_TEST_RESTARTS
// says another number.
func restarts(t *testing.T) int {
	text, set := os.LookupEnv("WEATHERACTORS_TEST_RESTARTS")
	if !set {
		return 40
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("WEATHERACTORS_TEST_RESTARTS=%q: want a number, 1 or more", text)
	}
	return n
}

// TestRestartsLeaveNothingBehind begins and ends the actors of two partitions
// again and again, with a broker and files: what one of them forgets to give
// back adds up.
func TestRestartsLeaveNothingBehind(t *testing.T) {
	broker, err := embedded.Start(embedded.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close()
	a := &app{stdout: io.Discard, stderr: io.Discard, log: slog.New(slog.DiscardHandler), dir: t.TempDir()}
	cluster := kafka.Config{Brokers: []string{broker.Addr()}, Topic: defaultTopic}
	if _, err := kafka.Create(t.Context(), cluster, kafka.TopicSpec{Partitions: 2, ReplicationFactor: 1}); err != nil {
		t.Fatal(err)
	}
	system := a.newSystem()
	once := func(i int) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		config := a.consumeConfig("consume-"+strconv.Itoa(i), cluster, []int32{0, 1})
		events, unsubscribe := actors.Subscribe(system, config.Name, eventsAhead)
		defer unsubscribe()
		ended := make(chan error, 1)
		go func() { ended <- actors.Run(ctx, system, config) }()
		awaitStarts(t, events, 2)
		if i%2 == 1 {
			broker.Disconnect() // some end in the middle of trouble
		}
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
	const warmUp = 5 // connections of the broker, files that stay
	for i := range warmUp {
		once(i)
	}
	goroutines, files, actorsBefore := settled(t, 0), openFiles(t), actorsOf(system)
	n := restarts(t)
	for i := range n {
		once(warmUp + i)
	}
	if after := settled(t, goroutines); after > goroutines {
		var stacks strings.Builder
		_ = pprof.Lookup("goroutine").WriteTo(&stacks, 1)
		t.Errorf("%d goroutines before %d restarts, %d after them:\n%s", goroutines, n, after, &stacks)
	}
	if after := openFiles(t); after > files {
		t.Errorf("%d files and connections before %d restarts, %d after them", files, n, after)
	}
	if after := actorsOf(system); after > actorsBefore {
		t.Errorf("%d actors before %d restarts, %d after them", actorsBefore, n, after)
	}
}

func awaitStarts(t *testing.T, events <-chan *messages.Event, partitions int) {
	t.Helper()
	for timeout := time.After(time.Minute); partitions > 0; {
		select {
		case e := <-events:
			if e.GetPartitionStarted() != nil {
				partitions--
			}
		case <-timeout:
			t.Fatal("the partitions have not started within a minute")
		}
	}
}

// settled waits until there are no more goroutines than at most, or for as long
// as ends take that are on their way, and returns how many there are.
func settled(t *testing.T, most int) int {
	t.Helper()
	least := runtime.NumGoroutine()
	for range 100 {
		if least = min(least, runtime.NumGoroutine()); least <= most {
			break
		}
		<-time.After(20 * time.Millisecond)
	}
	return least
}

// actorsOf counts the actors of a system, its own included.
func actorsOf(system *actor.ActorSystem) (n int) {
	for _, bucket := range system.ProcessRegistry.LocalPIDs.LocalPIDs {
		n += bucket.Count()
	}
	return n
}

// openFiles counts the descriptors of this process, 0 where the system does not
// tell.
func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Log("open files are not counted: ", err)
		return 0
	}
	return len(entries)
}
