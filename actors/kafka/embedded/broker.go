package embedded

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
	"github.com/twmb/franz-go/pkg/kfake"
)

// ErrDataDirLocked says that another broker, of this process or of another,
// has the data folder open.
var ErrDataDirLocked = errors.New("in use by another broker")

// Config says where a broker listens and what it keeps. The zero value is a
// broker in memory on a free port of the loopback interface.
type Config struct {
	// Listen is the address to listen on, "host:port"; port 0 picks a free one.
	// An empty host means every interface of the machine; clients are then told
	// this machine's host name. Empty means 127.0.0.1:0.
	Listen string

	// DataDir is the folder that keeps topics, records and group offsets. It is
	// created if absent. Empty means memory only.
	DataDir string

	// TLS makes clients connect with TLS. Nil means plain connections.
	TLS *tls.Config

	// Users makes clients authenticate with SASL as one of these, who then may do
	// anything. Empty means no authentication.
	Users []User

	// Logger gets what goes wrong at WARN and ERROR, and the rest at DEBUG. Nil
	// means silence.
	Logger *slog.Logger
}

// User is someone that may connect to a broker with SASL.
type User struct {
	// Mechanism is "PLAIN", "SCRAM-SHA-256" or "SCRAM-SHA-512".
	Mechanism string
	Name      string
	Password  string
}

// Broker is a running development broker. Its methods may be called from any
// goroutine.
type Broker struct {
	cluster *kfake.Cluster
	addr    string
	dataDir string
	faults  *faults
	log     *logger
	lock    *flock.Flock // nil in memory
}

// Start starts a broker and returns once clients can connect. The caller must
// Close it.
//
// Errors: [ErrAddressInUse] if another program listens there, and
// [ErrDataDirLocked] if another broker has the data folder; both name it.
func Start(config Config) (*Broker, error) {
	if config.Listen == "" {
		config.Listen = "127.0.0.1:0"
	}
	b := &Broker{dataDir: config.DataDir, faults: newFaults(), log: newLogger(config.Logger)}
	if err := b.lockDataDir(); err != nil {
		return nil, err
	}
	ln, err := listen(config.Listen)
	if err != nil {
		return nil, errors.Join(err, b.unlockDataDir())
	}
	b.addr = ln.Addr().String()
	if config.TLS != nil {
		ln = advertised{tls.NewListener(ln, config.TLS), ln.Addr()}
	}
	b.cluster, err = kfake.NewCluster(b.options(config, ln)...)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start broker: %w", err), ln.Close(), b.unlockDataDir())
	}
	if err := b.forgetSequences(); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// forgetSequences removes the sequence numbers of idempotent producers as of the
// last clean end, which are known by now. After a kill they would be too old: the
// broker would refuse producers that had gone on since then. Without them, it
// takes the next number that comes.
func (b *Broker) forgetSequences() error {
	if b.dataDir == "" {
		return nil
	}
	err := os.Remove(filepath.Join(b.dataDir, "seq_windows.json"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("start broker: %w", err)
	}
	return nil
}

// options are the broker's settings. What kfake would delete of its own accord
// (records after a week, a group's offsets after a week) it is told to keep.
func (b *Broker) options(config Config, ln net.Listener) []kfake.Opt {
	opts := []kfake.Opt{
		kfake.NumBrokers(1),
		kfake.DefaultNumPartitions(1), // as Apache Kafka has it
		kfake.ClusterID("weatheractors-embedded"),
		kfake.WithLogger(b.log),
		kfake.ListenFn(func(string, string) (net.Listener, error) {
			return guardedListener{ln, b.faults}, nil
		}),
		kfake.BrokerConfigs(map[string]string{
			"default.replication.factor": "1",
			"log.retention.ms":           "-1",
			"log.retention.bytes":        "-1",
			"offsets.retention.minutes":  "2147483647",
		}),
	}
	if config.DataDir != "" {
		opts = append(opts, kfake.DataDir(config.DataDir))
	}
	if len(config.Users) > 0 {
		opts = append(opts, kfake.EnableSASL())
	}
	for _, u := range config.Users {
		opts = append(opts, kfake.Superuser(u.Mechanism, u.Name, u.Password))
	}
	return opts
}

// Addr returns the "host:port" that clients connect to.
func (b *Broker) Addr() string { return b.addr }

// Close closes every connection, writes what is still to be written to the data
// folder, and gives up the folder. It must be called once.
func (b *Broker) Close() error {
	b.faults.close()
	b.log.closing.Store(true)
	b.cluster.Close()
	return errors.Join(b.log.failure(), b.unlockDataDir())
}

func (b *Broker) lockDataDir() error {
	if b.dataDir == "" {
		return nil
	}
	if err := os.MkdirAll(b.dataDir, 0o755); err != nil {
		return fmt.Errorf("open data folder: %w", err)
	}
	lock := flock.New(filepath.Join(b.dataDir, "lock"))
	locked, err := lock.TryLock()
	if err != nil {
		return fmt.Errorf("lock data folder %s: %w", b.dataDir, err)
	}
	if !locked {
		return fmt.Errorf("open data folder %s: %w", b.dataDir, ErrDataDirLocked)
	}
	b.lock = lock
	return nil
}

// unlockDataDir leaves the lock's file behind: removing it would let two
// brokers lock two files of the same name.
func (b *Broker) unlockDataDir() error {
	if b.lock == nil {
		return nil
	}
	if err := b.lock.Unlock(); err != nil {
		return fmt.Errorf("unlock data folder %s: %w", b.dataDir, err)
	}
	return nil
}
