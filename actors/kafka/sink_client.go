package kafka

import (
	"errors"
	"time"

	"github.com/IBM/sarama"
)

// lookupPatience is how long a lookup is tried again that fails faster than an
// outage would make it fail.
const lookupPatience = 10 * time.Second

// patientClient looks for the leader of a partition again where that fails at
// once. The producer gives a batch up as soon as one lookup has failed, whatever
// retries are left to the batch; and a lookup may fail at a moment at which the
// client has dropped a broker, or has another refresh of the metadata under way.
type patientClient struct {
	sarama.Client
	dead  <-chan struct{} // closed when nobody waits for it any more
	pause func(tries, most int) time.Duration
}

func (c *patientClient) Leader(topic string, partition int32) (leader *sarama.Broker, err error) {
	err = c.patiently(func() (err error) {
		leader, err = c.Client.Leader(topic, partition)
		return err
	})
	return leader, err
}

func (c *patientClient) RefreshMetadata(topics ...string) error {
	return c.patiently(func() error { return c.Client.RefreshMetadata(topics...) })
}

// patiently looks something up until that works, can't work, or has taken long.
func (c *patientClient) patiently(lookUp func() error) error {
	began := time.Now()
	for tries := 0; ; tries++ {
		err := lookUp()
		if err == nil || refused(err) || errors.Is(err, sarama.ErrClosedClient) || time.Since(began) > lookupPatience {
			return err
		}
		select {
		case <-time.After(c.pause(tries, 0)):
		case <-c.dead:
			return err
		}
	}
}
