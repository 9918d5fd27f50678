// Package embedded runs a Kafka-compatible broker inside this process. It is
// for development, demonstrations and tests, and never for production: it has
// one copy of everything, trusts whoever can reach it unless told otherwise,
// and does not sync each write.
//
// What it promises. Ordinary Kafka clients use it as they are: topics with ids,
// consumer groups, idempotent and transactional producers, TLS and SASL. It
// never makes a topic that nobody created, and never deletes a record or a
// group's offset that nobody asked it to delete: a topic that wants retention or
// compaction says so in its own configuration. It listens where [Config].Listen
// says and nowhere else, which by default is the loopback interface.
//
// What it keeps. Without [Config].DataDir everything is in memory and gone after
// [Broker.Close]. With it, records and offsets survive Close and a kill of the
// process, but not always a power cut; after a kill it no longer recognizes the
// repetition of a record that was written before. The folder belongs to one
// broker at a time, kept by a lock on the file "lock" in it; no other program
// should write there.
//
// For tests a [Broker] can be made to fail on purpose: see [Broker.LoseAnswers],
// [Broker.Fail], [Broker.Pause], [Broker.Disconnect] and [Broker.MoveLeader].
package embedded
