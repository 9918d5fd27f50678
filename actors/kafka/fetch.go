package kafka

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"runtime/debug"
	"slices"
	"time"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/messages"
)

const (
	// fetchVersion is the newest that sarama speaks; it lowers it for an older
	// broker by itself.
	fetchVersion = 12
	// fetchWait is how long a broker may hold back an empty answer.
	fetchWait = 500 * time.Millisecond
	// answerTimeout is how long a broker may be mute before its connection is
	// closed and made anew.
	answerTimeout = 10 * time.Second
)

// link is a connection to the broker that leads one partition, over a sarama
// configuration of its own. It asks, and leaves it to its user to ask again. One
// goroutine uses it at a time; it ends with the ctx that it was made with, and
// that ends whatever is under way.
type link struct {
	cluster   *cluster
	witness   *witness
	topic     string
	partition int32
	addresses []string // where to begin; the one that failed last comes last

	// As of the last connect.
	broker *sarama.Broker // nil while not connected
	epoch  int32          // of the leader; -1 if the broker does not tell
	id     sarama.Uuid    // of the topic; zero if the broker does not tell
}

// newLink connects to nobody yet. The caller must close the link.
func newLink(ctx context.Context, c Config, partition int32) (*link, error) {
	cluster, err := c.cluster(ctx)
	if err != nil {
		return nil, messages.Permanent(err)
	}
	conf := cluster.conf
	conf.Net.ReadTimeout, conf.Net.WriteTimeout = answerTimeout, answerTimeout
	return &link{
		cluster:   cluster,
		witness:   witnessConnections(conf),
		topic:     c.Topic,
		partition: partition,
		addresses: slices.Clone(c.Brokers),
	}, nil
}

func (l *link) close() { l.cluster.close() }

// disconnect closes all connections; connect makes new ones.
func (l *link) disconnect() {
	l.cluster.conns.closeOpen() // or Close would wait for an answer
	for address := range l.cluster.brokers {
		l.cluster.drop(address)
	}
	l.broker = nil
}

// connect finds the partition's leader anew, connects to it and asks it for the
// topic's id. Errors: messages.ErrTopicMissing; messages.ErrPartitionMissing,
// and then id is what the broker that said so has; sarama.KError; those of the
// network.
func (l *link) connect() error {
	l.disconnect()
	answer, err := l.bootstrap()
	if err != nil {
		return err
	}
	found, err := topicIn(answer, l.topic)
	if err != nil {
		return err
	}
	l.id = found.id
	address, epoch, err := l.leader(answer, found)
	if err != nil {
		return err
	}
	for other := range l.cluster.brokers {
		if other != address {
			l.cluster.drop(other)
		}
	}
	err = l.timed(address, func() (err error) {
		l.broker, err = l.cluster.broker(address)
		return err
	})
	if err != nil {
		return err
	}
	l.epoch = epoch
	return l.askID()
}

// bootstrap asks the first broker that answers for the topic's metadata.
func (l *link) bootstrap() (answer *sarama.MetadataResponse, err error) {
	var failures error
	for _, address := range slices.Clone(l.addresses) {
		err := l.timed(address, func() (err error) {
			answer, err = l.cluster.metadata(address, l.topic)
			return err
		})
		if err == nil {
			l.learn(answer.Brokers)
			return answer, nil
		}
		if refused(err) {
			return nil, err
		}
		if failures != nil {
			err = fmt.Errorf("%w; %w", failures, err)
		}
		failures = err
	}
	return nil, failures
}

// timed runs work, which may connect to the broker at address, and closes that
// connection if it takes too long: sarama alone would wait for three time-outs.
// A broker that fails is asked last the next time.
func (l *link) timed(address string, work func() error) error {
	watchdog := time.AfterFunc(answerTimeout, l.cluster.conns.closeOpen)
	err := work()
	if late := !watchdog.Stop(); late {
		l.cluster.drop(address)
		err = fmt.Errorf("connect to broker %s: no answer within %v", address, answerTimeout)
	}
	if i := slices.Index(l.addresses, address); err != nil && i >= 0 {
		l.addresses = append(slices.Delete(l.addresses, i, i+1), address)
	}
	return err
}

// learn adds brokers to the addresses, in case those of the start go away.
func (l *link) learn(brokers []*sarama.Broker) {
	for _, b := range brokers {
		if !slices.Contains(l.addresses, b.Addr()) {
			l.addresses = append(l.addresses, b.Addr())
		}
	}
}

// leader returns the address of the partition's leader, and its epoch.
func (l *link) leader(answer *sarama.MetadataResponse, found topic) (address string, epoch int32, err error) {
	count := len(found.leaders)
	switch {
	case count == 0:
		return "", 0, sarama.ErrLeaderNotAvailable
	case l.partition < 0 || int(l.partition) >= count:
		return "", 0, fmt.Errorf("%w: %s", messages.ErrPartitionMissing, partitionsText(l.topic, count))
	case found.leaders[l.partition] == "":
		return "", 0, sarama.ErrLeaderNotAvailable
	}
	return found.leaders[l.partition], leaderEpoch(answer, l.topic, l.partition), nil
}

// partitionsText says which partitions exist.
func partitionsText(topic string, count int) string {
	if count == 1 {
		return fmt.Sprintf("topic %s has only partition 0", topic)
	}
	return fmt.Sprintf("topic %s has partitions 0 to %d", topic, count-1)
}

// leaderEpoch returns the epoch of a partition's leader, or -1 if the broker
// does not tell, which then does not check it either.
func leaderEpoch(answer *sarama.MetadataResponse, topic string, partition int32) int32 {
	const firstVersion = 7 // of metadata with epochs
	for _, t := range answer.Topics {
		for _, p := range t.Partitions {
			if t.Name == topic && p.ID == partition && p.Version >= firstVersion {
				return p.LeaderEpoch
			}
		}
	}
	return -1
}

// askID asks the leader itself for the topic's id.
func (l *link) askID() error {
	answer, err := l.broker.GetMetadata(sarama.NewMetadataRequest(l.cluster.conf.Version, []string{l.topic}))
	if err != nil {
		return err
	}
	found, err := topicIn(answer, l.topic)
	if err != nil {
		return err
	}
	l.id = found.id
	return nil
}

// undecodable says that an answer came whole, but can't be decoded.
type undecodable struct{ cause error }

func (e *undecodable) Error() string { return e.cause.Error() }
func (e *undecodable) Unwrap() error { return e.cause }

// fetch asks for records from offset on: the batch that holds it, and as many
// as fit into maxBytes. The block's own error is not looked at. A broker that
// holds back for reasons of quota answers with no block: it is nil then, without
// an error. The records alias the answer's buffer.
func (l *link) fetch(offset int64, maxBytes int32, wait time.Duration, isolation sarama.IsolationLevel) (block *sarama.FetchResponseBlock, err error) {
	request := &sarama.FetchRequest{
		Version:      fetchVersion,
		MaxWaitTime:  int32(wait.Milliseconds()),
		MinBytes:     1,
		MaxBytes:     math.MaxInt32, // the block's own limit is enough; at this one kfake forgets the aborted transactions
		Isolation:    isolation,
		SessionEpoch: -1, // no fetch session
	}
	request.AddBlock(l.topic, l.partition, offset, maxBytes, l.epoch)

	// The decoder reads what strangers wrote.
	defer func() {
		if p := recover(); p != nil {
			block, err = nil, &undecodable{fmt.Errorf("panic: %v\n%s", p, debug.Stack())}
		}
	}()
	l.witness.failed.Store(false)
	answer, err := l.broker.Fetch(request)
	if err != nil {
		if l.witness.failed.Load() || notSent(err) {
			return nil, err
		}
		return nil, &undecodable{err}
	}
	if code := sarama.KError(answer.ErrorCode); code != sarama.ErrNoError {
		return nil, code
	}
	return answer.GetBlock(l.topic, l.partition), nil
}

// notSent tells that a request has not reached a broker, though its connection
// did not fail.
func notSent(err error) bool {
	var code sarama.KError
	return errors.Is(err, sarama.ErrNotConnected) || errors.Is(err, net.ErrClosed) || errors.As(err, &code)
}

// listOffset asks the leader for an end of the log: sarama.OffsetOldest or
// OffsetNewest, the latter as far as isolation lets one read.
func (l *link) listOffset(end int64, isolation sarama.IsolationLevel) (int64, error) {
	request := sarama.NewOffsetRequest(l.cluster.conf.Version)
	request.IsolationLevel = isolation
	return l.askOffset(request, end)
}

// logEnd asks the leader for the end of its log, which may lie beyond what
// anybody can read so far: records that not all replicas have yet, or whose
// transaction is open.
func (l *link) logEnd() (int64, error) {
	const debugger = -2 // the replica id of somebody who may know
	request := sarama.NewOffsetRequest(l.cluster.conf.Version)
	request.SetReplicaID(debugger)
	return l.askOffset(request, sarama.OffsetNewest)
}

func (l *link) askOffset(request *sarama.OffsetRequest, end int64) (int64, error) {
	request.AddBlock(l.topic, l.partition, end, 1)
	answer, err := l.broker.GetAvailableOffsets(request)
	if err != nil {
		return 0, err
	}
	block := answer.GetBlock(l.topic, l.partition)
	if block == nil {
		return 0, sarama.ErrIncompleteResponse
	}
	if block.Err != sarama.ErrNoError {
		return 0, block.Err
	}
	return block.Offset, nil
}
