package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/spf13/cobra"

	"github.com/weatheractors/weatheractors/actors"
	"github.com/weatheractors/weatheractors/cmd/internal/live"
	"github.com/weatheractors/weatheractors/cmd/internal/metrics"
	"github.com/weatheractors/weatheractors/cmd/internal/status"
	"github.com/weatheractors/weatheractors/messages"
)

// webFlags say where the page is, and for whom.
type webFlags struct {
	address, cert, key string
	insecure, pprof    bool
	origin             string
	hosts              []string
	readyLag           int64
}

// defaultReadyLag is how many records a partition may lag and be ready: what is
// read in far less than a second.
const defaultReadyLag = 10_000

func (w *webFlags) register(cmd *cobra.Command, address string) {
	f := cmd.Flags()
	f.StringVar(&w.address, "http", address, "`address` of the live page, its API, metrics and health, host:port; port 0 is any free one")
	f.StringVar(&w.cert, "http-cert", "", "PEM `file` of the page's certificate: it is then served with TLS")
	f.StringVar(&w.key, "http-key", "", "PEM `file` of the page's private key")
	f.BoolVar(&w.insecure, "http-insecure", false, "let other machines read the page without TLS")
	f.StringSliceVar(&w.hosts, "http-host", nil, "other `name` that browsers may know the page's server by")
	f.StringVar(&w.origin, "http-origin", "", "let pages of this `origin` read the API, such as https://example.org")
	f.Int64Var(&w.readyLag, "ready-lag", defaultReadyLag, "`records` that a partition may lag and be ready")
	f.BoolVar(&w.pprof, "pprof", false, "serve Go's profiler beside the page")
}

// web is the live page while a command runs. A nil one is a page that nobody
// wants.
type web struct {
	server *live.Server
	probes *probes
	end    func()
}

// startWeb listens, and serves the page until close is called. It hears of all
// that the actors of the system have to say; if there is none, it shows the files
// alone.
func (a *app) startWeb(w webFlags, system *actor.ActorSystem) (*web, error) {
	if w.address == "" {
		return nil, w.unused() // a nil page is one that nobody wants
	}
	if err := w.check(); err != nil {
		return nil, err
	}
	page := &web{probes: &probes{system: system, patience: patience}}
	ctx, stop := context.WithCancel(context.Background())
	config, mute := w.config(a), func() {}
	if system == nil {
		config.Changed = a.changes(ctx, a.dir)
	} else {
		config.Events, mute = actors.Subscribe(system, "", eventsAhead)
		config.Probe = page.probes.ask
	}
	config.Metrics = metrics.Handler(version(), func() (*status.State, []int32) { return page.server.Look() })
	var err error
	if page.server, err = live.New(config); err != nil {
		stop()
		mute()
		if errors.Is(err, live.ErrConfig) || errors.Is(err, live.ErrExposed) {
			err = usageError{err}
		}
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := page.server.Run(ctx); err != nil {
			a.log.Error("the page is gone; all else goes on", "cause", err)
		}
	}()
	page.end = func() {
		stop()
		<-ended
		mute()
	}
	return page, nil
}

// check finds mistakes in the flags, and names them by the flag.
func (w webFlags) check() error {
	_, port, err := net.SplitHostPort(w.address)
	switch {
	case err != nil || !isPort(port):
		return usagef("--http %q: want host:port, with a port from 0 to 65535", w.address)
	case w.cert != "" && w.key == "":
		return usagef("--http-cert %q: want its --http-key, too", w.cert)
	case w.cert == "" && w.key != "":
		return usagef("--http-key %q: want its --http-cert, too", w.key)
	case w.readyLag < 0:
		return usagef("--ready-lag %d: want 0 or more", w.readyLag)
	}
	return nil
}

// unused finds flags that would do nothing, for want of a page.
func (w webFlags) unused() error {
	for flag, given := range map[string]bool{
		"--http-cert": w.cert != "", "--http-key": w.key != "", "--http-insecure": w.insecure, "--http-host": len(w.hosts) > 0,
		"--http-origin": w.origin != "", "--ready-lag": w.readyLag != defaultReadyLag, "--pprof": w.pprof,
	} {
		if given {
			return usagef("%s is about the page, and there is none: --http says where", flag)
		}
	}
	return nil
}

func (w webFlags) config(a *app) live.Config {
	return live.Config{
		Addr: w.address, CertFile: w.cert, KeyFile: w.key, Insecure: w.insecure, Hosts: w.hosts, Origin: w.origin,
		Files: folder(a.dir), ReadyLag: w.readyLag, Pprof: w.pprof, Version: version(), Log: a.log,
	}
}

// announce logs where the page is.
func (w *web) announce(log *slog.Logger) {
	if w != nil {
		log.Info("to be watched live", "page", w.server.URL())
	}
}

// close ends the page, and cuts off whoever is looking at it.
func (w *web) close() {
	if w != nil {
		w.end()
	}
}

// runs notes that a tree of actors is about to run: its partitions are shown
// before they begin, and its root is asked whether it works, until done.
func (w *web) runs(config actors.Consume) (done func()) {
	if w == nil {
		return func() {}
	}
	w.server.Expect(config.Partitions)
	return w.probes.add(config)
}

// patience is how long actors that work may take to answer.
const patience = 1500 * time.Millisecond

// probes asks the roots that run whether they answer.
type probes struct {
	system   *actor.ActorSystem
	patience time.Duration // how long actors that work may take to answer

	mu    sync.Mutex
	roots []*actors.Consume
}

func (p *probes) add(config actors.Consume) (remove func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.roots = append(p.roots, &config)
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.roots = slices.DeleteFunc(slices.Clone(p.roots), func(root *actors.Consume) bool { return root == &config })
	}
}

// ask returns nil if every root answers, and the aggregator of each partition.
func (p *probes) ask(context.Context) error {
	p.mu.Lock()
	roots := p.roots
	p.mu.Unlock()
	type question struct {
		root      string
		partition int32
		answer    *actor.Future
	}
	var questions []question
	for _, root := range roots {
		for _, partition := range root.Partitions {
			questions = append(questions, question{root.Name, partition, p.system.Root.RequestFuture(
				actor.NewPID(p.system.Address(), root.Name), &messages.GetStats{Partition: partition}, p.patience)})
		}
	}
	var errs []error
	for _, q := range questions {
		// A dead letter says that the root has just ended.
		if _, err := q.answer.Result(); err != nil && !errors.Is(err, actor.ErrDeadLetter) {
			errs = append(errs, fmt.Errorf("%s: no answer for partition %d: %w", q.root, q.partition, err))
		}
	}
	return errors.Join(errs...)
}
