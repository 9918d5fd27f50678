package kafka

import (
	"errors"
	"maps"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

func TestFirstFailureEndsTheSink(t *testing.T) {
	broker, c := startTopic(t, embedded.Config{})
	sink := openSink(t, c, SinkOptions{})
	if err := sink.Publish(generate(10)); err != nil {
		t.Fatal(err)
	}
	for acked := 0; acked < 10; {
		acked += len((<-sink.Acknowledged()).GetNumbers())
	}
	broker.Fail(embedded.Produce, int16(sarama.ErrTopicAuthorizationFailed), 1)
	april, err := weather.ParseDate("1990-04-17")
	if err != nil {
		t.Fatal(err)
	}
	if err := sink.Publish(&messages.ReportBatch{First: 11, Dates: []int32{int32(april)}, Degrees: []float64{60}}); err != nil {
		t.Fatal(err)
	}
	if acks, open := <-sink.Acknowledged(); open {
		t.Errorf("%v acknowledged, want the channel closed", acks)
	}
	checkError(t, sink.Err(), []string{"report 11", "1990-04-17", "partition 2 of temperatures", "not authorized", "may be in the log all the same"})
	if !errors.Is(sink.Err(), sarama.ErrTopicAuthorizationFailed) || !messages.IsPermanent(sink.Err()) {
		t.Errorf("%v is not a permanent ErrTopicAuthorizationFailed", sink.Err())
	}
	if err := sink.Publish(part(generate(100), 11, 100)); !errors.Is(err, ErrSinkClosed) {
		t.Errorf("publish after a failure: got %v, want ErrSinkClosed", err)
	}
	sink.Close()
	<-sink.ended
	checkLog(t, c, generate(10))
}

func TestAbortWaitsForNobody(t *testing.T) {
	broker, c := startTopic(t, embedded.Config{})
	sink := openSink(t, c, SinkOptions{})
	resume := broker.Pause()
	defer resume()
	for i, reports := 0, generate(window); i < window; i++ {
		if err := sink.Publish(part(reports, i, i+1)); err != nil { // and none of them blocks
			t.Fatal(err)
		}
	}
	sink.Abort()
	if acks, open := <-sink.Acknowledged(); open {
		t.Errorf("%d acknowledged, want the channel closed", len(acks.GetNumbers()))
	}
	if err := sink.Err(); err != nil {
		t.Errorf("got %v, want nil: nothing has failed before", err)
	}
	if err := sink.Publish(generate(1)); !errors.Is(err, ErrSinkClosed) {
		t.Errorf("publish after Abort: got %v, want ErrSinkClosed", err)
	}
	<-sink.ended
}

func TestSinkLeavesNothingRunning(t *testing.T) {
	before := saramaGoroutines()
	broker, c := startTopic(t, embedded.Config{})
	for range 2 {
		publish(t, openSink(t, c, SinkOptions{}), generate(100), 10, nil)
	}
	sink := openSink(t, c, SinkOptions{})
	resume := broker.Pause()
	defer resume()
	if err := sink.Publish(generate(1000)); err != nil {
		t.Fatal(err)
	}
	sink.Abort()
	<-sink.ended
	// Connections are closed by goroutines that nobody waits for.
	for deadline := time.Now().Add(long); ; runtime.Gosched() {
		left := saramaGoroutines()
		maps.DeleteFunc(left, func(id, _ string) bool { return before[id] != "" })
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still running: %v", left)
		}
	}
}

// saramaGoroutines returns the stacks of the goroutines that run code of sarama,
// by the goroutine's number.
func saramaGoroutines() map[string]string {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	found := make(map[string]string)
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(stack, "IBM/sarama") {
			id, _, _ := strings.Cut(stack, " [")
			found[id] = stack
		}
	}
	return found
}
