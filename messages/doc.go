// Package messages holds the wire form of a weather report, what the actors
// say to each other, and the errors that they tell apart.
//
// report.proto is a public contract: it is what stands in the topic.
// pipeline.proto stays within a process (or between processes of the same
// version): it may change with any release.
//
// All messages are immutable once sent.
package messages
