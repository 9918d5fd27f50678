// Package actors counts the records of a topic exactly once, and publishes
// them, with actors: small state machines that share nothing and pass each
// other protobuf messages.
//
//	consume                                        produce
//	root                                           root ─┬─ generator ─┐ demand ↑ days ↓
//	├─ partition-0.G   G = incarnation                   └─ producer ──┘
//	│  ├─ reader  ├─ aggregator  └─ checkpoint-writer
//	├─ partition-2.G …
//	└─ renderer
//
// Run spawns the tree that a Config describes (Consume or Produce) in the
// host's actor system and returns when it has ended. Hosts that want a tree
// under a parent of their own spawn Props. Either way the host asks questions
// with messages.GetStats, and hears of progress and failures by Subscribe.
//
// What is counted exactly once: the statistics of a partition and the offset
// that they reach are one checkpoint, replaced as a whole. No actor below a
// root is restarted in place, since a restarted actor has lost the message
// that it failed on: the root stops all actors of the partition and spawns new
// ones (the next incarnation) from the last checkpoint. A batch that does not
// start at the aggregator's offset is refused.
//
// The package knows neither Kafka nor files: Source, Sink and Store are what
// it needs of them.
package actors
