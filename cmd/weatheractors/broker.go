package main

import (
	"net"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
)

func (a *app) brokerCommand() *cobra.Command {
	config := embedded.Config{}
	cmd := &cobra.Command{
		Use:   "broker",
		Short: "Run a Kafka-compatible broker for development",
		Long: `broker runs a Kafka-compatible broker in this process, for development and
tests: no Java, no Docker, no setup. It is not for production: one copy of
everything, no password, and records that a power cut may take.

It prints its address to standard output and runs until it is stopped. Without
--data-dir everything is in memory and gone when it stops.`,
		Example: `  weatheractors broker
  weatheractors broker --listen 127.0.0.1:0       # any free port
  weatheractors broker --data-dir broker-data     # keep topics`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config.Logger = a.log
			if _, port, err := net.SplitHostPort(config.Listen); err != nil || !isPort(port) {
				return usagef("--listen %q: want host:port, with a port from 0 to 65535", config.Listen)
			}
			broker, err := embedded.Start(config)
			if err != nil {
				return err
			}
			if a.printf("%s\n", broker.Addr()); a.unwritten == nil {
				<-cmd.Context().Done()
			}
			return broker.Close()
		},
	}
	cmd.Flags().StringVar(&config.Listen, "listen", "localhost:9092", "`address` to listen on, host:port")
	cmd.Flags().StringVar(&config.DataDir, "data-dir", "", "`folder` that keeps the topics (default: memory only)")
	return cmd
}

func isPort(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}
