// Package kafka reads weather reports from a Kafka topic and publishes them to
// one.
//
// [Source] delivers the committed records of one partition, whole batches at a
// time, and never a record of another life of the topic. [Sink] publishes
// reports in order, idempotently, acknowledged by all in-sync replicas.
// [Create] and [Recreate] make the topic and return once it can be used;
// [Config.WaitForBroker] says quickly why no broker can be reached; [ReadDates]
// and [PartitionOf] tell a producer where to go on; [Follow] joins a consumer
// group.
//
// A record's key is the English name of a month and its value a
// messages.Report; murmur2 of the key, Kafka's own default, decides the
// partition, so that a month's reports stay in order.
//
// Nothing here is kept on disk: a crash leaves what the brokers have. No client
// of this package creates a topic by asking for it. All state belongs to the
// caller that made it: two Configs share nothing, except what [Setup] sets for
// the whole process.
package kafka
