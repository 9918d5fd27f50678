// Package chaos proves, where its user can see it, that whatever happens each
// day is counted once.
//
// It runs the program as its users do, as processes: a producer that publishes
// to a topic of the run's own, and two consumers that share its partitions. It
// kills them with SIGKILL again and again, at random moments, and starts them
// again; it stops and kills the broker, where that is its own; and it stands
// between them and the broker as a proxy that cuts connections: before an
// acknowledgement arrives, and in the middle of what is fetched. In the end
// everything is left in peace, the rest is counted, and the files must pass
// these checks, each of which is worth little without the others:
//
//   - they are, byte for byte, those of consumers that were never disturbed;
//   - they have read all that is in the topic;
//   - every day from the first to the last one is counted in one month of one
//     file, and no absurd value, which a repeat has, is in a sum;
//   - what the producer said to be acknowledged is there;
//   - `weatheractors verify` agrees.
//
// A witness is worth something only if it shares nothing with what it testifies
// about: this package imports nothing of ours. It knows the program by its
// commands, and the files by their description.
//
// A seed decides the schedule: who is hit, when, and how. It does not decide what
// a process was doing at that moment: the machine does. So the same seed tries the
// same again, and need not find the same.
//
// It harms nobody: the topic has a random name and is deleted afterwards, the
// folder is empty at the start, and no process outlives the run (on Linux not
// even if the run itself is killed).
package chaos
