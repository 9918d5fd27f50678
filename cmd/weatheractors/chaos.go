package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weatheractors/weatheractors/actors/kafka"
	"github.com/weatheractors/weatheractors/cmd/internal/chaos"
)

// chaosTest is what to put the program through.
type chaosTest struct {
	*app
	config  chaos.Config
	cluster kafka.Config // none for a broker of its own
	keep    bool
}

func (a *app) chaosCommand() *cobra.Command {
	c := chaosTest{app: a}
	cmd := &cobra.Command{
		Use:   "chaos",
		Short: "See for yourself that nothing is lost or counted twice",
		Long: `chaos runs a producer and two consumers, kills them again and again with SIGKILL at
random moments, starts them again, stops and kills the broker, and cuts connections:
before an acknowledgement arrives, and in the middle of a fetch. Then it has the rest
counted and checks the files: they must have the bytes of an undisturbed run, every
day exactly once, and pass verify.

It brings a broker of its own unless --brokers names one (only the flag counts, not
the variable), which it can't restart; with TLS it can't lose acknowledgements. The
verdict says what was not tried. The topic is its own, with a random name, and is
deleted in the end; so is its folder, a temporary one. With --dir it works in another
folder, new or empty, and leaves it. What goes wrong is kept: folder, topic and logs.

--seed decides who is hit when. What a process is doing at that moment is up to the
machine: the same seed tries the same again, but need not find the same.

Exit status: 0 nothing is wrong; 1 something is, or the run could not be finished.`,
		Example: `  weatheractors chaos
  weatheractors chaos --kills 1000 --seed 7
  weatheractors chaos --brokers localhost:9092    # on a Kafka of yours`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := c.parse(cmd); err != nil {
				return err
			}
			return c.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.IntVar(&c.config.Kills, "kills", 100, "`number` of processes to kill, the broker's not counted")
	f.Uint64Var(&c.config.Seed, "seed", 0, "`number` that decides the schedule (default: another one each time)")
	f.Int32Var(&c.config.Partitions, "partitions", 4, "`number` of partitions of the topic")
	f.Int16Var(&c.config.ReplicationFactor, "replication-factor", 1, "`number` of brokers that keep each partition")
	f.DurationVar(&c.config.Delay, "delay", 500*time.Microsecond, "time between two days of weather, when they don't come in floods")
	f.BoolVar(&c.keep, "keep", false, "keep folder and topic although nothing is wrong")
	return cmd
}

// parse checks the command line.
func (c *chaosTest) parse(cmd *cobra.Command) (err error) {
	given := func(flag string) bool { return cmd.Flag(flag).Changed }
	if given("topic") {
		return usagef("--topic %s: chaos makes a topic of its own", c.topic)
	}
	if !given("seed") {
		c.config.Seed = rand.Uint64() >> 1
	}
	if err := c.config.Validate(); err != nil {
		return usageError{err}
	}
	if !given("dir") {
		c.dir = "" // the variable does not count: that folder has files in it
	}
	if !given("brokers") {
		for _, flag := range []string{"tls", "sasl-mechanism"} {
			if given(flag) {
				return usagef("--%s: the broker of chaos does without; name yours with --brokers", flag)
			}
		}
		return nil
	}
	c.cluster = c.app.cluster()
	c.config.Brokers = c.cluster.Brokers
	c.config.Mechanism, c.config.User, c.config.Password = c.cluster.SASL.Mechanism, c.cluster.SASL.User, c.cluster.SASL.Password
	c.config.Flags = connecting(c.cluster)
	c.config.TLS, err = c.cluster.TLSConfig()
	return err
}

// connecting are the flags that make another process connect as this one does,
// but for the password.
func connecting(cluster kafka.Config) (flags []string) {
	if cluster.TLS.Enable {
		flags = append(flags, "--tls")
	}
	for flag, value := range map[string]string{
		"tls-ca": cluster.TLS.CAFile, "tls-cert": cluster.TLS.CertFile, "tls-key": cluster.TLS.KeyFile, "tls-server-name": cluster.TLS.ServerName,
		"sasl-mechanism": cluster.SASL.Mechanism, "sasl-user": cluster.SASL.User,
	} {
		if value != "" {
			flags = append(flags, "--"+flag, value)
		}
	}
	return flags
}

func (c *chaosTest) run(ctx context.Context) (err error) {
	if c.config.Brokers != nil {
		if err := c.connect(ctx, c.cluster); err != nil {
			return err
		}
	}
	if c.config.Program, err = os.Executable(); err != nil {
		return err
	}
	c.config.Log, c.config.Keep = c.log, c.keep
	forget, err := c.makeDir()
	if err != nil {
		return err
	}
	c.log.Info("chaos begins; stop it with Ctrl-C", "kills", c.config.Kills, "seed", c.config.Seed, "folder", c.config.Dir)
	report, err := chaos.Run(ctx, c.config)
	if !report.OK() {
		c.printf("%v\n", &report)
		c.printf("%-16s %s has the files and everybody's logs; %s was not deleted\n", "look at", report.Dir, report.Topic)
		c.printf("%-16s %s\n", "again", c.again())
		return fmt.Errorf("chaos: %w", errors.Join(errNotProven, err))
	}
	if err = errors.Join(err, forget()); err != nil {
		return fmt.Errorf("chaos: not finished, after %d of %d kills: nothing is proven: %w", report.Kills(), c.config.Kills, err)
	}
	c.printf("%v\n", &report)
	if c.keep {
		c.printf("%-16s %s, topic %s\n", "kept", report.Dir, report.Topic)
	}
	return nil
}

// again is the command that tries the same once more.
func (c *chaosTest) again() string {
	command := fmt.Sprintf("weatheractors chaos --kills %d --seed %d --partitions %d --delay %v", c.config.Kills, c.config.Seed, c.config.Partitions, c.config.Delay)
	if c.config.ReplicationFactor != 1 {
		command += fmt.Sprintf(" --replication-factor %d", c.config.ReplicationFactor)
	}
	if len(c.config.Brokers) > 0 {
		command += " --brokers " + strings.Join(c.config.Brokers, ",")
	}
	return command
}

// makeDir makes the folder to work in. forget removes it, unless it is to be
// kept.
func (c *chaosTest) makeDir() (forget func() error, err error) {
	if c.dir == "" {
		c.config.Dir, err = os.MkdirTemp("", "weatheractors-chaos-")
		return func() error {
			if c.keep {
				return nil
			}
			return os.RemoveAll(c.config.Dir)
		}, err
	}
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(c.dir)
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("chaos in %s: %w", c.dir, errNotEmpty)
	}
	if err == nil {
		c.config.Dir, err = filepath.Abs(c.dir)
	}
	return func() error { return nil }, err
}

// errNotEmpty keeps chaos from somebody's folder.
var errNotEmpty = errors.New("the folder is not empty")

// errNotProven ends a chaos that printed what is wrong.
var errNotProven = errors.New("not everything is as it should be")
