package kafka

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/IBM/sarama"
)

// failingClient fails lookups so often, each after a while.
type failingClient struct {
	sarama.Client
	fails int
	err   error
	takes time.Duration
	asked int
}

func (c *failingClient) Leader(string, int32) (*sarama.Broker, error) {
	return nil, c.RefreshMetadata()
}

func (c *failingClient) RefreshMetadata(...string) error {
	time.Sleep(c.takes)
	if c.asked++; c.asked <= c.fails {
		return c.err
	}
	return nil
}

func TestLookupsThatFailAtOnceAreTriedAgain(t *testing.T) {
	const ever = 1 << 30
	outage := lookupPatience + time.Second // of which a client has tried all the time
	tests := []struct {
		name    string
		client  failingClient
		aborted bool
		asked   int // 0: as often as there is patience for
		works   bool
	}{
		{"a leader that is there", failingClient{}, false, 1, true},
		{"a broker that was dropped a moment ago", failingClient{fails: 3, err: sarama.ErrLeaderNotAvailable}, false, 4, true},
		{"a refresh that another one has overtaken", failingClient{fails: 1, err: io.EOF}, false, 2, true},
		{"for ever", failingClient{fails: ever, err: io.EOF}, false, 0, false},
		{"an outage that was waited for", failingClient{fails: ever, err: sarama.ErrOutOfBrokers, takes: outage}, false, 1, false},
		{"a permission that is missing", failingClient{fails: ever, err: sarama.ErrTopicAuthorizationFailed}, false, 1, false},
		{"a client that is closed", failingClient{fails: ever, err: sarama.ErrClosedClient}, false, 1, false},
		{"a sink that is aborted", failingClient{fails: ever, err: io.EOF}, true, 1, false},
	}
	for _, test := range tests {
		lookups := map[string]func(*patientClient) error{
			"leader": func(c *patientClient) error {
				_, err := c.Leader("t", 0)
				return err
			},
			"metadata": func(c *patientClient) error { return c.RefreshMetadata("t") },
		}
		for what, lookUp := range lookups {
			t.Run(test.name+"/"+what, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					inner := test.client
					dead := make(chan struct{})
					if test.aborted {
						close(dead)
					}
					c := &patientClient{&inner, dead, sarama.NewExponentialBackoff(firstPause, time.Second)}
					began := time.Now()
					err := lookUp(c)
					if test.works != (err == nil) || !test.works && !errors.Is(err, inner.err) {
						t.Errorf("got %v", err)
					}
					if test.asked > 0 && inner.asked != test.asked {
						t.Errorf("asked %d times, want %d", inner.asked, test.asked)
					}
					if took := time.Since(began); test.asked == 0 && (took < lookupPatience || took > lookupPatience+2*time.Second) {
						t.Errorf("took %v, want about %v", took, lookupPatience)
					}
				})
			})
		}
	}
}
