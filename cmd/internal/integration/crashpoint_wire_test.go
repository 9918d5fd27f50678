package integration

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"net"
	"time"
)

// The program publishes nothing that can't be counted, and deletes no records.
// What does both here is just enough of Kafka's protocol, for a topic that one
// broker has.

// record is a key and a value.
type record struct{ key, value string }

// publish appends records to partition 0 of the topic.
func (p place) publish(records ...record) {
	p.t.Helper()
	batch := batchOf(records)
	body := binary.BigEndian.AppendUint16([]byte{0xff, 0xff}, 0xffff)        // no transaction; all replicas
	body = binary.BigEndian.AppendUint32(body, uint32(limit.Milliseconds())) // timeout
	body = p.partition0(body)
	body = append(binary.BigEndian.AppendUint32(body, uint32(len(batch))), batch...)
	// After the name and the number comes the error's code.
	answer := p.ask(0, 7, body)
	p.noError(answer, 4+2+len(p.topic)+4+4)
}

// deleteBefore deletes the records of partition 0 below an offset.
func (p place) deleteBefore(offset int64) {
	p.t.Helper()
	body := binary.BigEndian.AppendUint64(p.partition0(nil), uint64(offset))
	body = binary.BigEndian.AppendUint32(body, uint32(limit.Milliseconds()))
	answer := p.ask(21, 1, body)
	p.noError(answer, 4+4+2+len(p.topic)+4+4+8)
}

// partition0 appends an array of the topic, with an array of partition 0.
func (p place) partition0(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, 1)
	b = append(binary.BigEndian.AppendUint16(b, uint16(len(p.topic))), p.topic...)
	b = binary.BigEndian.AppendUint32(b, 1)
	return binary.BigEndian.AppendUint32(b, 0)
}

func (p place) noError(answer []byte, at int) {
	p.t.Helper()
	if len(answer) < at+2 || binary.BigEndian.Uint16(answer[at:]) != 0 {
		p.t.Fatalf("the broker answers %x: want no error at byte %d", answer, at)
	}
}

// ask sends a request to the broker and returns its answer.
func (p place) ask(key, version uint16, body []byte) []byte {
	p.t.Helper()
	answer, err := func() ([]byte, error) {
		conn, err := net.Dial("tcp", p.broker.addr)
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		header := binary.BigEndian.AppendUint32(nil, uint32(4+4+2+len(body)))
		header = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(header, key), version)
		header = append(header, 0, 0, 0, 7, 0xff, 0xff) // correlation; no client id
		_, err = conn.Write(append(header, body...))
		err = errors.Join(err, conn.SetDeadline(time.Now().Add(limit)))
		size := make([]byte, 4)
		if _, e := io.ReadFull(conn, size); e != nil {
			return nil, errors.Join(err, e)
		}
		answer := make([]byte, binary.BigEndian.Uint32(size))
		if _, e := io.ReadFull(conn, answer); e != nil || len(answer) < 4 {
			return nil, errors.Join(err, e, fmt.Errorf("%d bytes", len(answer)))
		}
		return answer[4:], err
	}()
	if err != nil {
		p.t.Fatalf("ask the broker: %v", err)
	}
	return answer
}

// batchOf is a record batch as it is sent and stored.
func batchOf(records []record) []byte {
	// From the attributes on: what the checksum is of.
	now := uint64(time.Now().UnixMilli())
	b := binary.BigEndian.AppendUint32([]byte{0, 0}, uint32(len(records)-1)) // last offset, from the first
	b = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, now), now)
	b = binary.BigEndian.AppendUint64(b, math.MaxUint64) // no producer id
	b = append(b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)    // no epoch, no sequence
	b = binary.BigEndian.AppendUint32(b, uint32(len(records)))
	for i, r := range records {
		one := binary.AppendVarint([]byte{0, 0}, int64(i)) // attributes, time, offset
		one = append(binary.AppendVarint(one, int64(len(r.key))), r.key...)
		one = append(binary.AppendVarint(one, int64(len(r.value))), r.value...)
		one = append(one, 0) // headers
		b = append(binary.AppendVarint(b, int64(len(one))), one...)
	}
	head := make([]byte, 8, 21) // first offset
	head = binary.BigEndian.AppendUint32(head, uint32(4+1+4+len(b)))
	head = append(head, 0xff, 0xff, 0xff, 0xff, 2) // leader epoch, format
	head = binary.BigEndian.AppendUint32(head, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
	return append(head, b...)
}
