// Package checkpoint keeps the statistics of partitions in files, one for each
// partition, that anyone may read at any moment.
//
// # Promise
//
// The file of a partition is always whole: the one that was saved last or,
// during a crash, the one before. Once [Partition.Save] has returned nil, the
// checkpoint survives a kill and, except on Windows, a power cut. As the
// statistics and the offset that they belong to are one file, replaced in one
// step, no record is ever counted twice or missed because of a crash.
//
// # Files
//
// partition-N.json holds the offset of the next record to read, and a line for
// each month and year:
//
//	{"partition": 2, "offset": 4117,
//	"January": {
//	"1990": {"count": 31, "sum": 599, "avg": 19.322580645161292, "end": "1990-01-31", "start": "1990-01-01"},
//	"1991": {"count": 31, "sum": 178, "avg": 5.741935483870968, "end": "1991-01-31", "start": "1991-01-01"}},
//	"April": {
//	"1990": {"count": 30, "sum": 1113, "avg": 37.1, "end": "1990-04-30", "start": "1990-04-01"}}}
//
// The bytes depend on the statistics alone. A file that another program wrote
// in another layout (white space, order of keys) loads too. Beside it are:
//
//   - partition-N.json.tmp, while a file is written or after a crash
//   - partition-N.lock, which names the process that has the partition
//   - partition-N.topic, the topic that was counted: see messages.CountedTopic
//   - partition-N.rejected.jsonl, the records that can't be counted, a JSON
//     object a line: "offset", "reason", "key", "value" (base64) and, if the key
//     is not UTF-8 and "key" holds only what can be shown of it, "key_base64"
//   - .bak files of all this after a [Partition.Reset]
//
// # Crash
//
// Save writes in this order, each part durable before the next: rejects,
// topic, file. So after a crash the parts beside the file may be ahead of it,
// never behind; Load drops what they say of records at or above the file's
// offset, which will be read again.
//
// # Who may touch what
//
// Only the [Partition] that holds the lock writes; any number of processes may
// read partition-N.json ([ReadFile]) while it does. To recount a partition,
// stop its process and move partition-N.json away.
package checkpoint
