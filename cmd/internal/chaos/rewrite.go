package chaos

import (
	"encoding/binary"
	"fmt"
	"net"
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// rewritten is an answer in which every broker's address leads to the proxy. Most
// answers name none, and stay as they are.
func (p *proxy) rewritten(q question, frame []byte) ([]byte, error) {
	switch kmsg.Key(q.key) {
	case kmsg.Metadata, kmsg.FindCoordinator, kmsg.DescribeCluster:
	default:
		return frame, nil
	}
	answer := kmsg.ResponseForKey(q.key)
	answer.SetVersion(q.version)
	header := 8 // size, correlation id
	if answer.IsFlexible() {
		if len(frame) < 9 || frame[8] != 0 {
			return nil, fmt.Errorf("%w: tags in the header of an answer", errFrame)
		}
		header++
	}
	if err := answer.ReadFrom(frame[header:]); err != nil {
		return nil, fmt.Errorf("%w: answer of kind %d, version %d: %v", errFrame, q.key, q.version, err)
	}
	if err := p.redirect(answer); err != nil {
		return nil, err
	}
	frame = answer.AppendTo(frame[:header:header])
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
	return frame, nil
}

// redirect replaces the addresses in an answer.
func (p *proxy) redirect(answer kmsg.Response) error {
	switch answer := answer.(type) {
	case *kmsg.MetadataResponse:
		for i := range answer.Brokers {
			if err := p.replace(&answer.Brokers[i].Host, &answer.Brokers[i].Port); err != nil {
				return err
			}
		}
	case *kmsg.DescribeClusterResponse:
		for i := range answer.Brokers {
			if err := p.replace(&answer.Brokers[i].Host, &answer.Brokers[i].Port); err != nil {
				return err
			}
		}
	case *kmsg.FindCoordinatorResponse: // before version 4 there is one
		for i := range answer.Coordinators {
			if err := p.replace(&answer.Coordinators[i].Host, &answer.Coordinators[i].Port); err != nil {
				return err
			}
		}
		return p.replace(&answer.Host, &answer.Port)
	}
	return nil
}

// replace replaces an address, unless there is none.
func (p *proxy) replace(host *string, port *int32) error {
	if *host == "" || *port <= 0 {
		return nil
	}
	address, err := p.route(net.JoinHostPort(*host, strconv.Itoa(int(*port))))
	if err != nil {
		return err
	}
	h, number, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(number, 10, 32)
	*host, *port = h, int32(n)
	return err
}
