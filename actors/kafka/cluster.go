package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/messages"
)

// cluster asks the brokers of one cluster, one question at a time, over a
// connection of its own to each. It retries nothing and caches no metadata: an
// answer is what that broker knows now. (sarama.Client retries for 755 ms where
// a topic is absent, and answers for the cluster from what it has cached.)
//
// It is for one goroutine, and for one operation: it ends with the ctx that it
// was made with.
type cluster struct {
	conf    *sarama.Config
	conns   *connections
	seeds   []string
	brokers map[string]*sarama.Broker // by address, connected
	release func() bool
}

// askTimeout is how long a broker may take to answer a question.
const askTimeout = 5 * time.Second

// cluster connects to nobody yet. The caller must close it.
func (c Config) cluster(ctx context.Context) (*cluster, error) {
	conf, err := c.sarama()
	if err != nil {
		return nil, err
	}
	conf.Net.ReadTimeout = askTimeout
	conf.Net.WriteTimeout = askTimeout
	conns := keepConnections(conf)
	return &cluster{
		conf:    conf,
		conns:   conns,
		seeds:   c.Brokers,
		brokers: make(map[string]*sarama.Broker),
		release: context.AfterFunc(ctx, conns.close),
	}, nil
}

func (c *cluster) close() {
	c.release()
	c.conns.close()
	for address := range c.brokers {
		c.drop(address)
	}
}

// drop forgets a connection. Close of a broker that is not connected any more
// only says so.
func (c *cluster) drop(address string) {
	if broker := c.brokers[address]; broker != nil {
		_ = broker.Close()
		delete(c.brokers, address)
	}
}

// broker returns a broker that is connected and has let us in.
func (c *cluster) broker(address string) (*sarama.Broker, error) {
	if broker := c.brokers[address]; broker != nil {
		return broker, nil
	}
	broker := sarama.NewBroker(address)
	if err := broker.Open(c.conf); err != nil {
		return nil, fmt.Errorf("connect to broker %s: %w", address, inWords(err))
	}
	if connected, err := broker.Connected(); err != nil || !connected {
		_ = broker.Close()
		if err == nil {
			err = errClosedAtOnce
		}
		return nil, fmt.Errorf("connect to broker %s: %w", address, markRefused(err))
	}
	c.brokers[address] = broker
	return broker, nil
}

// errClosedAtOnce stands for the missing cause where a broker drops a
// connection that it does not understand.
var errClosedAtOnce = errors.New("the broker closed the connection at once")

// ask puts one question to the broker at address. A connection that failed is
// made anew by the next question.
func ask[Answer any](c *cluster, address string, question func(*sarama.Broker) (Answer, error)) (Answer, error) {
	var none Answer
	broker, err := c.broker(address)
	if err != nil {
		return none, err
	}
	answer, err := question(broker)
	if err != nil {
		c.drop(address)
		return none, fmt.Errorf("ask broker %s: %w", address, markRefused(err))
	}
	return answer, nil
}

// metadata asks one broker for the brokers of the cluster and for one topic.
func (c *cluster) metadata(address, topic string) (*sarama.MetadataResponse, error) {
	request := sarama.NewMetadataRequest(c.conf.Version, []string{topic})
	return ask(c, address, func(b *sarama.Broker) (*sarama.MetadataResponse, error) {
		answer, err := b.GetMetadata(request)
		// A broker that is just starting knows no broker, not even itself.
		if err == nil && len(answer.Brokers) == 0 {
			err = sarama.ErrBrokerNotAvailable
		}
		return answer, err
	})
}

// anyMetadata asks one broker after the other until one answers.
func (c *cluster) anyMetadata(ctx context.Context, topic string) (*sarama.MetadataResponse, error) {
	var errs []error
	for _, address := range c.seeds {
		answer, err := c.metadata(address, topic)
		if err == nil {
			return answer, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// topic is what a broker knows of a topic at one moment.
type topic struct {
	// id is zero where the broker does not know topic ids (before 2.8).
	id sarama.Uuid
	// leaders are the addresses of the partitions' leaders, by partition; empty
	// where a partition has none.
	leaders []string
}

// idBytes returns the id as messages carry it: empty if it is not known.
func (t topic) idBytes() []byte {
	if t.id == (sarama.Uuid{}) {
		return nil
	}
	return t.id[:]
}

// ready tells whether every partition has a leader.
func (t topic) ready() bool {
	return len(t.leaders) > 0 && !slices.Contains(t.leaders, "")
}

// topicIn reads what an answer says about the one topic that was asked for. It
// returns messages.ErrTopicMissing if the broker does not know it.
func topicIn(answer *sarama.MetadataResponse, name string) (topic, error) {
	for _, found := range answer.Topics {
		if found.Name != name {
			continue
		}
		switch found.Err {
		case sarama.ErrNoError, sarama.ErrLeaderNotAvailable:
			return readTopic(answer, found), nil
		case sarama.ErrUnknownTopicOrPartition:
			return topic{}, fmt.Errorf("%w: %s", messages.ErrTopicMissing, name)
		default:
			return topic{}, fmt.Errorf("topic %s: %w", name, markRefused(found.Err))
		}
	}
	return topic{}, fmt.Errorf("topic %s: %w", name, sarama.ErrIncompleteResponse)
}

func readTopic(answer *sarama.MetadataResponse, found *sarama.TopicMetadata) topic {
	addresses := make(map[int32]string, len(answer.Brokers))
	for _, b := range answer.Brokers {
		addresses[b.ID()] = b.Addr()
	}
	t := topic{id: found.Uuid, leaders: make([]string, len(found.Partitions))}
	for _, p := range found.Partitions {
		if 0 <= p.ID && int(p.ID) < len(t.leaders) {
			t.leaders[p.ID] = addresses[p.Leader]
		}
	}
	return t
}
