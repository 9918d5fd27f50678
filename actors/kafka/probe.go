package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/IBM/sarama"
)

// ErrNoBroker: no broker could be reached in the time given.
var ErrNoBroker = errors.New("no broker can be reached")

const (
	// defaultWait leaves a command time to say so within promisedWait of its
	// start.
	defaultWait, promisedWait = 4500 * time.Millisecond, 5 * time.Second
	// probeTimeout is how long a broker may be mute before it is tried anew. A
	// mute one costs three of them, which should fit into defaultWait.
	probeTimeout = 1200 * time.Millisecond
	// probePause is the pause after a first attempt; it doubles with each.
	probePause, longestProbePause = 50 * time.Millisecond, time.Second
)

// WaitForBroker returns nil as soon as one of the brokers has answered, over a
// connection with c's TLS and SASL settings, and a broker can also be reached at
// the address that the cluster gives its clients. All brokers are tried side by
// side, again and again, for as long as wait; 0 means 4.5 s.
//
// Otherwise the error wraps [ErrNoBroker] and names each address with what went
// wrong there last; or it is ctx's. A refusal that trying again can't mend (a
// wrong password, a certificate that does not verify) is returned at once, as
// itself.
func (c Config) WaitForBroker(ctx context.Context, wait time.Duration) error {
	if _, err := c.sarama(); err != nil {
		return err // before any time is lost
	}
	if wait <= 0 {
		wait = defaultWait
	}
	limited, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	causes := make([]error, len(c.Brokers))
	var probes sync.WaitGroup
	for i, address := range c.Brokers {
		probes.Go(func() {
			causes[i] = c.probeUntil(limited, address)
			if causes[i] == nil || final(causes[i]) {
				cancel() // the others need not go on
			}
		})
	}
	probes.Wait()
	return c.verdict(ctx, wait, causes)
}

// verdict weighs what came of the brokers: one that can be reached is enough, a
// refusal tells more than silence.
func (c Config) verdict(ctx context.Context, wait time.Duration, causes []error) error {
	var refusal error
	for _, cause := range causes {
		if cause == nil {
			return nil
		}
		if final(cause) {
			refusal = cause
		}
	}
	if refusal != nil {
		return fmt.Errorf("%w%s", refusal, hint(refusal))
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return &unreachable{wait: wait, causes: causes}
}

// probeUntil tries one broker until it can be reached, refuses, or ctx ends. It
// returns the last cause that the end of ctx is not to blame for.
func (c Config) probeUntil(ctx context.Context, address string) error {
	cause := fmt.Errorf("ask broker %s: no answer", address)
	for wait := probePause; ; wait = min(2*wait, longestProbePause) {
		err := c.probe(ctx, address)
		if err == nil || final(err) {
			return err
		}
		if ctx.Err() != nil {
			return cause
		}
		cause = err
		if pause(ctx, wait) != nil {
			return cause
		}
	}
}

// probe asks one broker once for the brokers of its cluster, and connects to one
// of those.
func (c Config) probe(ctx context.Context, address string) error {
	cluster, err := c.cluster(ctx)
	if err != nil {
		return err
	}
	defer cluster.close()
	cluster.conf.Net.ReadTimeout = probeTimeout
	cluster.conf.Net.WriteTimeout = probeTimeout
	answer, err := cluster.metadata(address, c.Topic)
	if err != nil {
		return err
	}
	var errs []error
	for _, b := range answer.Brokers {
		_, err := cluster.broker(b.Addr())
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return fmt.Errorf("broker %s gives its clients an address that can't be reached: %w", address, errors.Join(errs...))
}

// final tells whether a broker's answer stays the same however often it is
// tried.
func final(err error) bool {
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	network, ok := errors.AsType[*net.OpError](err)
	alert := ok && network.Op == "remote error" // the broker's, of TLS
	return refused(err) || certificate || alert
}

// pause waits for d. Its error is that of ctx, if that ends before.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// unreachable says what was tried, and what came of it.
type unreachable struct {
	wait   time.Duration
	causes []error // of each address, which they name
}

func (u *unreachable) Error() string {
	var text strings.Builder
	wait := u.wait
	if wait == defaultWait {
		wait = promisedWait
	}
	fmt.Fprintf(&text, "%v within %v: ", ErrNoBroker, wait)
	for i, cause := range u.causes {
		if i > 0 {
			text.WriteString("; ")
		}
		text.WriteString(oneLine(cause) + hint(cause))
	}
	return text.String()
}

func (u *unreachable) Unwrap() []error { return append([]error{ErrNoBroker}, u.causes...) }

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// hint names the usual suspects where a broker does not say what is wrong: one
// that expects TLS or SASL, or does not, mostly just hangs up.
func hint(err error) string {
	_, notTLS := errors.AsType[tls.RecordHeaderError](err)
	for _, vague := range []error{
		io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, errClosedAtOnce, sarama.ErrIllegalSASLState,
	} {
		if notTLS || errors.Is(err, vague) {
			return " (check the TLS and SASL settings)"
		}
	}
	return ""
}
