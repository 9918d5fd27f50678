package main

import (
	"context"

	"github.com/spf13/cobra"
)

func (a *app) serveCommand() *cobra.Command {
	var w webFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Show the partition files in a browser",
		Long: `serve shows what is in the partition files of --dir, whoever keeps them up to date,
as a page that updates itself, and by an API. It needs no Kafka, changes nothing,
and runs until it is stopped. Where there are no files yet, it waits for them.

consume --http shows the same, and how the counting is doing.`,
		Example: `  weatheractors serve
  weatheractors serve --dir /srv/weather --http 127.0.0.1:9000`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.serve(cmd.Context(), w)
		},
	}
	w.register(cmd, "127.0.0.1:8080")
	return cmd
}

func (a *app) serve(ctx context.Context, w webFlags) error {
	if w.address == "" {
		return usagef("--http %q: want host:port, with a port from 0 to 65535", w.address)
	}
	page, err := a.startWeb(w, nil)
	if err != nil {
		return err
	}
	defer page.close()
	a.printf("%s\n", page.server.URL())
	<-ctx.Done()
	return nil
}
