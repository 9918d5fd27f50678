package actors_test

import (
	"context"
	"fmt"
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/weatheractors/weatheractors/actors"
	"github.com/weatheractors/weatheractors/messages"
)

// A host that has actors of its own spawns a tree as the child of one of them,
// under its own supervision. The tree's end comes to it as a message.
func ExampleProps() {
	system, done := newSystem(), make(chan struct{})
	system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch msg := ctx.Message().(type) {
		case *actor.Started:
			root, self := ctx.ActorSystem().Root, ctx.Self()
			props, err := actors.Props(actors.Consume{
				Partitions: []int32{0},
				Source:     finishedSource{memorySource{slices.Collect(winter())}},
				Open:       func(int32) (actors.Store, error) { return new(memoryStore), nil },
				UntilEnd:   true,
			}, func(err error) { root.Send(self, counted{err}) })
			check(err)
			ctx.Spawn(props)
		case counted:
			fmt.Println("counted, error:", msg.err)
			close(done)
		}
	}))
	<-done
	// Output: counted, error: <nil>
}

// finishedSource is a topic that nobody writes to any more.
type finishedSource struct{ memorySource }

func (s finishedSource) Read(ctx context.Context, req *messages.ReadRequest, deliver func(*messages.RecordBatch) error, trouble func(error)) error {
	ended, end := context.WithCancel(ctx)
	end()
	_ = s.memorySource.Read(ended, req, deliver, trouble)
	return nil
}

// counted says that a tree has ended, and how.
type counted struct{ err error }
