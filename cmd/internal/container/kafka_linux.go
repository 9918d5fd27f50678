package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	// kafkaAddress is where Apache Kafka listens for what runs in the container.
	// server.properties has it, too.
	kafkaAddress = "127.0.0.1:9092"
	// clusterID names the only cluster that there is.
	clusterID = "d2VhdGhlcmFjdG9yczAwMQ"
)

// startKafka becomes Apache Kafka, after having made a home for its data.
func startKafka(stderr io.Writer) error {
	if privileged() {
		// Before anybody looks for the files on the host.
		if _, err := keeper(filesDir()); err != nil {
			return err
		}
		if err := give(kafkaVolume, nobodySpecial); err != nil {
			return err
		}
		if err := nobodySpecial.become(); err != nil {
			return err
		}
	} else if err := writable(filesDir()); err != nil {
		complain(stderr, "warning", err) // Apache Kafka does not need it
	}
	listeners, err := overrides(os.Getenv("KAFKA_ADVERTISE"))
	if err != nil {
		return err
	}
	java, err := exec.LookPath("java")
	if err != nil {
		return err
	}
	if err := format(java, stderr); err != nil {
		return err
	}
	return become(java, append(javaArgs("kafka.Kafka", properties()), listeners...))
}

// give makes a volume and all in it the user's, unless it is already.
func give(dir string, u user) error {
	owner, _, err := ownerOf(dir)
	if err != nil || owner == u {
		return err
	}
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, u.uid, u.gid)
	})
}

func properties() string { return filepath.Join(configDir, "server.properties") }

// javaArgs is a command line, from the name of the command on.
func javaArgs(class string, args ...string) []string {
	heap := os.Getenv("KAFKA_HEAP_OPTS") // as Kafka's own scripts have it
	if heap == "" {
		heap = "-Xmx1g"
	}
	all := append([]string{"java"}, strings.Fields(heap)...)
	all = append(all,
		"-XX:+ExitOnOutOfMemoryError", "-XX:-UsePerfData", "-Djava.awt.headless=true",
		"-Dlog4j2.configurationFile="+filepath.Join(configDir, "log4j2.properties"),
		"-cp", kafkaJars, class)
	return append(all, args...)
}

// overrides returns the arguments that make Apache Kafka reachable from outside,
// by the given address; none if that is empty.
func overrides(advertise string) ([]string, error) {
	if advertise == "" {
		return nil, nil
	}
	host, port, err := net.SplitHostPort(advertise)
	if err != nil || host == "" || port == "" {
		return nil, fmt.Errorf("environment variable KAFKA_ADVERTISE is %q: want the host:port by which clients outside reach the published port 9094", advertise)
	}
	return []string{
		"--override", "listeners=LOCAL://" + kafkaAddress + ",OUTSIDE://0.0.0.0:9094,CONTROLLER://127.0.0.1:9093",
		"--override", "advertised.listeners=LOCAL://" + kafkaAddress + ",OUTSIDE://" + advertise,
	}, nil
}

// format makes the folder of Apache Kafka's data what Kafka wants it to be, the
// first time. It is one in the volume, whose root may have a lost+found.
func format(java string, stderr io.Writer) error {
	data := filepath.Join(kafkaVolume, "data")
	if err := writable(data); err != nil {
		return err
	}
	if err := os.MkdirAll(data, 0o755); err != nil {
		return err
	}
	// It is the last file that formatting writes.
	if _, err := os.Stat(filepath.Join(data, "meta.properties")); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	cmd := exec.Command(java)
	cmd.Args = javaArgs("kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", clusterID, "-c", properties())
	cmd.Stdout, cmd.Stderr = stderr, stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("format %s: %w", data, err)
	}
	return nil
}

// checkHealth asks a broker for the versions of the requests that it knows: what
// every client begins with.
func checkHealth(address string) error {
	const patience = 3 * time.Second
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // its answer is what counts
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	// Length, ApiVersions in version 0, a number that is to come back, no client id.
	request := []byte{0, 0, 0, 10, 0, 18, 0, 0, 'w', 'e', 'l', 'l', 0xff, 0xff}
	if _, err := conn.Write(request); err != nil {
		return err
	}
	var answer [10]byte // length, that number, error code
	if _, err := io.ReadFull(conn, answer[:]); err != nil {
		return fmt.Errorf("%s answers nothing: %w", address, err)
	}
	if !bytes.Equal(answer[4:8], request[8:12]) {
		return fmt.Errorf("%s is not Apache Kafka", address)
	}
	if code := binary.BigEndian.Uint16(answer[8:]); code != 0 {
		return fmt.Errorf("%s answers with error %d", address, code)
	}
	return nil
}
