package actors_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"

	"github.com/weatheractors/weatheractors/actors"
	"github.com/weatheractors/weatheractors/messages"
)

// A host shows how counting goes in its own way, as the live page does in its: a
// goroutine keeps what the events tell, and whoever asks gets the latest. The
// actors neither know nor wait.
func ExampleSubscribe_watch() {
	ctx, cancel := context.WithCancel(context.Background())
	system := newSystem()
	events, unsubscribe := actors.Subscribe(system, "", 1000)

	offsets, saved := make(chan map[int32]int64), make(chan struct{}, 1)
	go func() {
		latest := map[int32]int64{}
		for {
			select {
			case e, open := <-events:
				switch e := e.GetEvent().(type) {
				case *messages.Event_BatchCounted:
					latest = map[int32]int64{e.BatchCounted.GetPartition(): e.BatchCounted.GetOffset()}
				case *messages.Event_CheckpointSaved:
					saved <- struct{}{}
				}
				if !open {
					return
				}
			case offsets <- latest: // never written to again
			}
		}
	}()
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for partition, offset := range <-offsets {
			fmt.Fprintf(w, "partition %d is at offset %d\n", partition, offset)
		}
	})

	ended := make(chan error)
	go func() {
		ended <- actors.Run(ctx, system, actors.Consume{
			Partitions: []int32{0},
			Source:     memorySource{slices.Collect(winter())},
			Open:       func(int32) (actors.Store, error) { return new(memoryStore), nil },
		})
	}()
	<-saved
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/", http.NoBody))
	fmt.Print(answer.Body)
	cancel()
	fmt.Println(<-ended)
	unsubscribe()
	// Output:
	// partition 0 is at offset 90
	// <nil>
}
