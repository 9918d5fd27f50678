package chaos

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"time"
)

// Config says what to put to the proof, and how hard.
type Config struct {
	// Program is the path of the program: of weatheractors itself.
	Program string
	// Kills is how many processes are to be ended by SIGKILL, at least 1. Those of
	// the broker do not count.
	Kills int
	// Seed decides the schedule and the weather.
	Seed uint64
	// Partitions and ReplicationFactor are those of the topic, at least 1 each.
	Partitions        int32
	ReplicationFactor int16
	// Delay is the time between two days of weather while it does not come in
	// floods, more than 0.
	Delay time.Duration
	// Dir is an empty folder, for the files and all that explains them.
	Dir string
	// Log is told how far the run has come, and what goes wrong in it.
	Log *slog.Logger

	// Brokers are the addresses of a cluster, host:port each. None means one
	// broker of the run's own, which it can restart, and the rest is of no use.
	Brokers []string
	// Flags make the program connect to the cluster as TLS, Mechanism, User and
	// Password do here. The password is not among them: it goes by the
	// environment.
	Flags []string
	// TLS encrypts the connections; nil means that they are plain. No answer can
	// be told from another then, so none can be lost.
	TLS *tls.Config
	// Mechanism is PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, or empty for none.
	Mechanism      string
	User, Password string
	// Keep keeps the topic although nothing is wrong.
	Keep bool
}

// Validate returns an error that names the first flag that can't be used.
func (c *Config) Validate() error {
	switch {
	case c.Kills < 1:
		return fmt.Errorf("--kills %d: want at least 1", c.Kills)
	case c.Partitions < 1:
		return fmt.Errorf("--partitions %d: want at least 1", c.Partitions)
	case c.ReplicationFactor < 1:
		return fmt.Errorf("--replication-factor %d: want at least 1", c.ReplicationFactor)
	case c.ReplicationFactor > 1 && len(c.Brokers) == 0:
		return fmt.Errorf("--replication-factor %d: a development broker of its own is one broker; name yours with --brokers", c.ReplicationFactor)
	case c.Delay <= 0:
		return fmt.Errorf("--delay %v: want more than 0", c.Delay)
	}
	return nil
}

// embedded tells whether the run brings a broker of its own.
func (c *Config) embedded() bool { return len(c.Brokers) == 0 }
