// Container is what starts in the image that the Dockerfile makes of
// Apache Kafka and this program. It goes by three names there:
//
//	kafka           runs Apache Kafka, as a user without rights, and becomes it
//	kafka-health    exits 0 if Apache Kafka answers
//	weatheractors   becomes the program, run by the one whom its folder belongs to
//
// A container starts as root unless told otherwise, and so does what `docker exec`
// starts in it. But what is written into a folder of the host must not belong to
// root there, unless the folder does.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// Where the Dockerfile puts things.
const (
	programPath = "/usr/local/libexec/weatheractors"
	configDir   = "/usr/local/etc/kafka"
	kafkaJars   = "/opt/kafka/libs/*"
	kafkaVolume = "/kafka"
)

func main() {
	name := filepath.Base(os.Args[0])
	if err := run(name, os.Args[1:], os.Stderr); err != nil {
		complain(os.Stderr, name, err)
		os.Exit(1)
	}
}

// run returns only if it failed, or had to answer a question.
func run(name string, args []string, stderr io.Writer) error {
	switch name {
	case "kafka":
		return startKafka(stderr)
	case "kafka-health":
		return checkHealth(kafkaAddress)
	case "weatheractors":
		return startProgram(args, stderr)
	}
	return fmt.Errorf("no program of that name; there are kafka, kafka-health and weatheractors")
}

// startProgram becomes the program. Where it can't write into its folder, that is
// said beforehand: not all of its commands need to.
func startProgram(args []string, stderr io.Writer) error {
	dir := filesDir()
	if privileged() {
		u, err := keeper(dir)
		if err != nil {
			return err
		}
		if err := u.become(); err != nil {
			return err
		}
	}
	if err := writable(dir); err != nil {
		complain(stderr, "warning", err)
	}
	return become(programPath, append([]string{"weatheractors"}, args...))
}

// filesDir is the folder of the partition files, as the program knows it.
func filesDir() string {
	if dir := os.Getenv("WEATHERACTORS_DIR"); dir != "" {
		return dir
	}
	return "files"
}

// become replaces this process: signals go to the new program.
func become(path string, args []string) error {
	return fmt.Errorf("exec %s: %w", path, syscall.Exec(path, args, os.Environ()))
}

// complain prints an error, and what to do about it.
func complain(w io.Writer, name string, err error) {
	text := fmt.Sprintf("%s: %v\n", name, err)
	if denied := (deniedError{}); errors.As(err, &denied) {
		text += fmt.Sprintf("hint: %s\n", denied.hint())
	}
	_, _ = io.WriteString(w, text) // there is nobody left to tell
}
