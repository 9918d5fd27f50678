package main

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/weatheractors/weatheractors/actors"
	"github.com/weatheractors/weatheractors/actors/checkpoint"
	"github.com/weatheractors/weatheractors/actors/kafka"
	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
	"github.com/weatheractors/weatheractors/cmd/internal/live"
	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

// usageError is a mistake in the command line that shows only later.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

// advised is an error that comes with its own hint.
type advised struct {
	error
	hint string
}

func (a advised) Unwrap() error { return a.error }

// cause is what is wrong with a file, without the call and the name, which those
// that wrap it know to say better.
func cause(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	return err
}

// errStopped ends a command that a signal stopped before anything was in flight.
var errStopped = errors.New("stopped")

// errDiffers ends a verification that printed what differs.
var errDiffers = errors.New("verification failed")

// errUncounted ends a verification that printed which partitions have no file.
var errUncounted = errors.New("no file to verify")

// errNoFiles says that there is nothing to draw or to verify.
var errNoFiles = errors.New("nothing was counted there yet")

// needFiles adds to an error that a file does not exist why that may be.
func needFiles(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", err, errNoFiles)
	}
	return err
}

// exitCode prints an error with what to do about it, and returns the code that
// tells a script what kind it was.
func (a *app) exitCode(err error) int {
	code := exitFailed
	switch _, usage := errors.AsType[usageError](err); {
	case err == nil && a.unwritten == nil, errors.Is(err, errStopped):
		return exitDone
	case err == nil:
		err = a.unwritten
	case usage, !a.began, errors.Is(err, messages.ErrPartitionMissing):
		code = exitUsage
	}
	text := fmt.Sprintf("weatheractors: %v\n", err)
	if h := cmp.Or(hint(err), a.fromWhere(err)); h != "" {
		text += fmt.Sprintf("hint: %s\n", h)
	}
	_, _ = io.WriteString(a.stderr, text) // there is nobody left to tell
	return code
}

// certificateHint says what to do about a broker that can't prove who it is.
const certificateHint = "--tls-ca names the file of the authority that vouches for the broker; --tls-server-name the name in its certificate, if that is not its host"

// hints say what a user can do about an error; the first that fits is printed.
var hints = []struct {
	err  error
	hint string
}{
	{kafka.ErrNoBroker, "start a development broker with `weatheractors broker`, or name your Kafka with --brokers host:port (and --wait 1m if it is still starting)"},
	{kafka.ErrRefused, "check --sasl-user and the password, and what this user may do with the topic"},
	{kafka.ErrReplicationFactor, "name a --replication-factor that is at most the number of brokers"},
	{kafka.ErrTopicExists, "--resume goes on where the topic ends; --recreate deletes it with all its records"},
	{kafka.ErrGivenUp, "try `weatheractors produce --resume`, which checks whether that mends it; if it can't, produce anew"},
	{kafka.ErrPartitionCount, "name the topic's own number with --partitions, or start over with --recreate"},
	{messages.ErrTopicMissing, "`weatheractors produce` makes it; name another one with --topic"},
	{messages.ErrTopicRecreated, "`--on-recreate reset` puts the old file aside and counts the new topic from its beginning"},
	{messages.ErrLogTruncated, "`--on-recreate reset` puts the old file aside and counts the topic again from its beginning"},
	{messages.ErrOffsetGone, "`--on-gap skip` goes on with the first record that is still there, and notes what is missing"},
	{messages.ErrPartitionMissing, "name partitions that exist, or all of them with --all"},
	{messages.ErrCorruptBatch, "nothing behind that batch can be read; delete the records up to it from the topic, then use `--on-gap skip`"},
	{actors.ErrOtherTopic, "use another folder for another topic: --dir"},
	{actors.ErrRejectLimit, "see in partition-N.rejected.jsonl what is wrong with them, and mend the producer; to go on, move that file away"},
	{actors.ErrInvalidRecord, "`--on-invalid skip` keeps such records aside and goes on"},
	{checkpoint.ErrCorrupt, "nothing was overwritten; move the partition's file away, and what stands beside it, to count it from the beginning"},
	{checkpoint.ErrLocked, "one process at a time may keep a partition; stop the other one, or use another --dir"},
	{checkpoint.ErrLockLost, "leave the .lock files alone while a process runs; start it again, once"},
	{checkpoint.ErrNotWritable, "choose another folder with --dir, or make this one writable"},
	{embedded.ErrAddressInUse, "choose another address with --listen; --listen 127.0.0.1:0 takes a free port"},
	{embedded.ErrDataDirLocked, "stop the other broker, or choose another folder with --data-dir"},
	{live.ErrAddressInUse, "choose another address with --http; --http 127.0.0.1:0 takes a free port"},
	{live.ErrExposed, "--http-cert and --http-key serve it with TLS; --http-insecure does without; --http 127.0.0.1:8080 keeps it to this machine"},
	{errDiffers, "`weatheractors consume` counts a file that differs again if it is moved away; what can't be proven may be right"},
	{errUncounted, "`weatheractors consume --all` counts every partition; where only some are counted on purpose, name those instead of --all"},
	{errNoFiles, "`weatheractors consume` makes the partition files; name another folder with --dir"},
	{errNoFolder, "make the folder first, or name a file in another one"},
	{errNotRegular, "name a file to be replaced; `weatheractors plot --out -` writes to standard output"},
	{errNotADemo, "name a folder that is empty or does not exist with --dir"},
	{errNotEmpty, "leave out --dir, or name a folder that is empty or does not exist"},
	{weather.ErrUnitsNeeded, "say what was chosen when the file was ordered: --units c or f; NCEI's access service gives tenths-c"},
	{weather.ErrOtherUnits, "leave out --units: only NCEI's CSV needs it"},
	{weather.ErrImplausible, "no thermometer on Earth showed that: are the temperatures in these units? If not, say those of NCEI's CSV with --units; in any other format convert them"},
	{weather.ErrSeveralStations, "--station chooses one of them"},
	{weather.ErrNoStation, "name a station that the file has with --station, or leave it out if there is only one"},
	{weather.ErrGzip, "fetch the file again"},
	{weather.ErrTooLong, "take the file of one station"},
	{weather.ErrUnmendable, "produce anew: with --recreate instead of --resume, or to another --topic"},
}

func hint(err error) string {
	if own, ok := errors.AsType[advised](err); ok {
		return own.hint
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return certificateHint
	}
	for _, h := range hints {
		if errors.Is(err, h.err) {
			return h.hint
		}
	}
	return ""
}
