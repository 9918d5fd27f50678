package main

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
)

// ask puts a question to a broker, in Kafka's protocol: what the program itself
// never would.
func ask(address string, request kmsg.Request) (kmsg.Response, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(tooLong)); err != nil {
		return nil, err
	}
	if _, err := conn.Write(kmsg.NewRequestFormatter().AppendRequest(nil, request, 1)); err != nil {
		return nil, err
	}
	var size [4]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, err
	}
	answer := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(conn, answer); err != nil {
		return nil, err
	}
	response := request.ResponseKind()
	response.SetVersion(request.GetVersion())
	return response, response.ReadFrom(answer[4:]) // behind the number of the request
}

// publishRecord is the script command that puts a record into a partition whatever it
// is: publish TOPIC PARTITION KEY VALUE, which may have escapes as in Go.
func publishRecord(ts *testscript.TestScript, _ bool, args []string) {
	value, err := strconv.Unquote(`"` + args[3] + `"`)
	ts.Check(err)
	record := kmsg.Record{Key: []byte(args[2]), Value: []byte(value)}
	record.Length = int32(len(record.AppendTo(nil)) - 1) // but for the length itself, 0
	batch := kmsg.RecordBatch{PartitionLeaderEpoch: -1, Magic: 2, ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, NumRecords: 1, Records: record.AppendTo(nil)}
	raw := batch.AppendTo(nil)
	const lengthEnds, crcEnds = 12, 21
	binary.BigEndian.PutUint32(raw[lengthEnds-4:], uint32(len(raw)-lengthEnds))
	binary.BigEndian.PutUint32(raw[crcEnds-4:], crc32.Checksum(raw[crcEnds:], crc32.MakeTable(crc32.Castagnoli)))

	partition := kmsg.NewProduceRequestTopicPartition()
	partition.Partition, partition.Records = number(ts, args[1]), raw
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic, topic.Partitions = args[0], []kmsg.ProduceRequestTopicPartition{partition}
	request := kmsg.NewPtrProduceRequest()
	request.Version, request.Acks, request.TimeoutMillis = 7, -1, 1000
	request.Topics = []kmsg.ProduceRequestTopic{topic}
	response, err := ask(ts.Getenv("BROKER"), request)
	ts.Check(err)
	if code := response.(*kmsg.ProduceResponse).Topics[0].Partitions[0].ErrorCode; code != 0 {
		ts.Fatalf("the broker answers with error %d", code)
	}
}

// warmUp is the script command that publishes a record of January again and again
// until a file has something in it: warm-up FILE.
func warmUp(ts *testscript.TestScript, _ bool, args []string) {
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for deadline := time.After(tooLong); ; {
		publishRecord(ts, false, []string{defaultTopic, "2", "January", `\n\n1990-01-01`})
		if content, err := os.ReadFile(ts.MkAbs(args[0])); err == nil && len(content) > 0 {
			return
		}
		select {
		case <-poll.C:
		case <-deadline:
			ts.Fatalf("%s stays empty", args[0])
		}
	}
}

// deleteRecords is the script command that deletes the records of a partition
// below an offset: delete-records TOPIC PARTITION OFFSET.
func deleteRecords(ts *testscript.TestScript, _ bool, args []string) {
	partition := kmsg.NewDeleteRecordsRequestTopicPartition()
	partition.Partition, partition.Offset = number(ts, args[1]), int64(number(ts, args[2]))
	topic := kmsg.NewDeleteRecordsRequestTopic()
	topic.Topic, topic.Partitions = args[0], []kmsg.DeleteRecordsRequestTopicPartition{partition}
	request := kmsg.NewPtrDeleteRecordsRequest()
	request.Version, request.TimeoutMillis = 1, 1000
	request.Topics = []kmsg.DeleteRecordsRequestTopic{topic}
	response, err := ask(ts.Getenv("BROKER"), request)
	ts.Check(err)
	if code := response.(*kmsg.DeleteRecordsResponse).Topics[0].Partitions[0].ErrorCode; code != 0 {
		ts.Fatalf("the broker answers with error %d", code)
	}
}

// refuse is the script command that makes the broker refuse requests of a kind
// with an error code of Kafka's: refuse KIND CODE TIMES.
func refuse(ts *testscript.TestScript, _ bool, args []string) {
	broker := ts.Value("broker").(*embedded.Broker)
	broker.Fail(embedded.API(number(ts, args[0])), int16(number(ts, args[1])), int(number(ts, args[2])))
}

func number(ts *testscript.TestScript, text string) int32 {
	n, err := strconv.ParseInt(text, 10, 32)
	ts.Check(err)
	return int32(n)
}
