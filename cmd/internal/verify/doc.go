// Package verify is the witness of what was counted: it recounts a partition
// from the topic, up to the offset in the partition's file, and compares the
// result with the file, byte for byte.
//
// A witness is worth something only if it shares nothing with what it testifies
// about. So the rules are written here once more, from their description alone:
// the wire form of a report (its generated code is all that is shared), which
// records are valid, what a duplicate is, the layout of the file and of those
// beside it; and the client that reads the topic is another library's. A test
// holds the package to that.
//
// What a comparison can prove. The topic must still hold every record below the
// file's offset, and be the topic that was counted. Where records were deleted,
// the topic was created anew, or records were skipped on purpose, the verdict is
// [Unprovable], and the report says how far the proof went; a file that even
// what is left contradicts [Differs] all the same.
//
// The package only reads, takes no lock and changes nothing in the cluster: it
// may run beside a process that is counting, which replaces its files whole.
package verify
