package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/weatheractors/weatheractors/actors/kafka"
	"github.com/weatheractors/weatheractors/cmd/internal/status"
)

// defaultTopic is the only topic that is deleted without being asked to.
const defaultTopic = "temperatures"

// app is what every command shares: the global flags and the streams.
type app struct {
	stdout, stderr io.Writer
	log            *slog.Logger
	screen         *status.Screen // standard error, if it is a terminal

	brokers   []string
	topic     string
	dir       string
	wait      time.Duration
	logLevel  string
	logFormat string
	tls       kafka.TLS
	sasl      kafka.SASL
	saslFile  string // holds the password

	variables []string // global flags that the environment set
	began     bool     // past the command line: what fails now is not its fault
	unwritten error    // why something could not be printed
}

func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "weatheractors",
		Short: "Count daily weather reports from Kafka exactly once",
		Long: `weatheractors counts the daily weather reports of a Kafka topic exactly once, and
keeps the result in files that anyone may read at any moment.

Every global flag can also be set by an environment variable: --log-level by
WEATHERACTORS_LOG_LEVEL, and so on; the flag wins. The SASL password comes from
WEATHERACTORS_SASL_PASSWORD or --sasl-password-file.

Exit status: 0 done, or stopped by a signal after finishing what was in flight;
1 failed; 2 wrong usage; 130 ended by a second signal.`,
		Example: `  weatheractors demo               # see it work: no Kafka, no setup
  weatheractors broker             # a development broker on localhost:9092
  weatheractors produce            # publish made-up weather
  weatheractors consume 0 2        # count partitions 0 and 2
  weatheractors plot               # draw month.svg`,
		Version:           version(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: a.begin,
		Args:              cobra.ArbitraryArgs, // they are no command's name, or it would run
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
		SuggestionsMinimumDistance: 2,
		CompletionOptions:          cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.SetOut(output{a})
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(flagError)
	root.SetUsageFunc(usage)
	root.SetHelpCommand(helpCommand())
	root.AddCommand(completionCommand())
	a.globalFlags(root.PersistentFlags())
	must(root.RegisterFlagCompletionFunc("log-level", cobra.FixedCompletions([]string{"debug", "info", "warn", "error"}, cobra.ShellCompDirectiveNoFileComp)))
	must(root.RegisterFlagCompletionFunc("log-format", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp)))
	must(root.RegisterFlagCompletionFunc("sasl-mechanism", cobra.FixedCompletions([]string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}, cobra.ShellCompDirectiveNoFileComp)))
	for _, cmd := range []*cobra.Command{
		a.demoCommand(), a.brokerCommand(), a.produceCommand(), a.consumeCommand(),
		a.debugCommand(), a.plotCommand(), a.verifyCommand(), a.serveCommand(), a.chaosCommand(),
	} {
		if cmd.Args == nil && !strings.Contains(cmd.Use, " ") {
			cmd.Args = noArguments
		}
		root.AddCommand(cmd)
	}
	return root
}

func (a *app) globalFlags(f *pflag.FlagSet) {
	f.StringSliceVar(&a.brokers, "brokers", []string{"localhost:9092"}, "Kafka brokers to begin with, `host:port`, with commas between")
	f.StringVar(&a.topic, "topic", defaultTopic, "`name` of the Kafka topic")
	f.StringVar(&a.dir, "dir", "files", "`folder` of the partition files")
	f.DurationVar(&a.wait, "wait", 0, "how long to wait for a broker at the start (0 means 5s)")
	f.StringVar(&a.logLevel, "log-level", "info", "least `level` that is logged: debug, info, warn or error")
	f.StringVar(&a.logFormat, "log-format", "text", "`format` of the log: text or json")
	f.BoolVar(&a.tls.Enable, "tls", false, "connect with TLS")
	f.StringVar(&a.tls.CAFile, "tls-ca", "", "PEM `file` of the authorities to trust (default: the system's)")
	f.StringVar(&a.tls.CertFile, "tls-cert", "", "PEM `file` of the client's certificate")
	f.StringVar(&a.tls.KeyFile, "tls-key", "", "PEM `file` of the client's private key")
	f.StringVar(&a.tls.ServerName, "tls-server-name", "", "`name` in the brokers' certificates, if not their host names")
	f.StringVar(&a.sasl.Mechanism, "sasl-mechanism", "", "`name` of the mechanism: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
	f.StringVar(&a.sasl.User, "sasl-user", "", "SASL user `name`")
	f.StringVar(&a.saslFile, "sasl-password-file", "", "`file` that holds the SASL password")
}

// begin finishes the command line with the environment, before any command runs.
func (a *app) begin(cmd *cobra.Command, _ []string) (err error) {
	if !a.works(cmd) {
		return nil // it needs nothing of all this to print what it prints
	}
	a.began = true
	if err := exclusive(cmd); err != nil {
		return err
	}
	if a.variables, err = fromEnvironment(cmd.Root().PersistentFlags()); err != nil {
		return err
	}
	if a.wait < 0 {
		return usagef("--wait %v: want 0 or more", a.wait)
	}
	if a.dir == "" {
		return usagef("--dir %q: want a folder, such as . for this one", a.dir)
	}
	a.screen = screenOf(a.stderr)
	if a.log, err = newLogger(a.errors(), a.logLevel, a.logFormat); err != nil {
		return usageError{err}
	}
	return a.readPassword()
}

// works tells a command that does something from those that print help.
func (*app) works(cmd *cobra.Command) bool {
	return cmd.HasParent() && cmd.Name() != "help" && cmd.Name() != "completion"
}

func (a *app) readPassword() error {
	a.sasl.Password = os.Getenv("WEATHERACTORS_SASL_PASSWORD")
	if a.saslFile == "" {
		return nil
	}
	password, err := os.ReadFile(a.saslFile)
	if err != nil {
		return fmt.Errorf("read --sasl-password-file %s: %w", a.saslFile, cause(err))
	}
	a.sasl.Password = strings.TrimRight(string(password), "\r\n")
	return nil
}

// cluster is what the packages below need to know of the broker.
func (a *app) cluster() kafka.Config {
	c := kafka.Config{Brokers: a.brokers, Topic: a.topic, TLS: a.tls, SASL: a.sasl}
	if c.SASL.Mechanism == "" {
		c.SASL.Password = "" // one in the environment alone is none of our business
	}
	return c
}

// printf prints a result. If that fails, the program ends with an error, in the
// end. (A reader that has gone, | head, ends it at once: by SIGPIPE.)
func (a *app) printf(format string, args ...any) {
	_, err := fmt.Fprintf(a.stdout, format, args...)
	if err != nil && a.unwritten == nil {
		a.unwritten = fmt.Errorf("write to standard output: %w", cause(err))
	}
}

// stamped is the version where the build sets it, by -ldflags "-X main.stamped=v1":
// one without the repository's history at hand knows no other.
var stamped string

func version() string {
	if stamped != "" {
		return stamped
	}
	build, ok := debug.ReadBuildInfo()
	if !ok || build.Main.Version == "" {
		return "(devel)"
	}
	return build.Main.Version
}

// must is for what only a mistake in this program can make fail.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
