package checkpoint

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/weatheractors/weatheractors/messages"
)

// topicIDSize is the size of a topic's id in bytes.
const topicIDSize = 16

// appendTopic appends the sidecar file of a topic to b:
//
//	{"name": "temperatures", "id": "PbFlZuHHQVm0bJ7b3LCu1g",
//	"epochs": [{"epoch": 0, "first_offset": 0}],
//	"gaps": [{"base": 100, "next": 250}]}
//
// The id is as Kafka's tools print it, empty if it is not known.
func appendTopic(b []byte, t *messages.CountedTopic) ([]byte, error) {
	if err := checkTopic(t); err != nil {
		return b, err
	}
	name, err := json.Marshal(t.GetName())
	if err != nil {
		return b, err
	}
	b = append(b, `{"name": `...)
	b = append(b, name...)
	b = append(b, `, "id": "`...)
	b = base64.RawURLEncoding.AppendEncode(b, t.GetId())
	b = append(b, "\",\n\"epochs\": ["...)
	for i, e := range t.GetEpochs() {
		b = appendPair(b, i, "epoch", int64(e.GetEpoch()), "first_offset", e.GetFirstOffset())
	}
	b = append(b, "],\n\"gaps\": ["...)
	for i, g := range t.GetGaps() {
		b = appendPair(b, i, "base", g.GetBase(), "next", g.GetNext())
	}
	return append(b, "]}\n"...), nil
}

// appendPair appends element i of an array: an object of two numbers.
func appendPair(b []byte, i int, key1 string, n1 int64, key2 string, n2 int64) []byte {
	if i > 0 {
		b = append(b, ", "...)
	}
	b = append(b, `{"`...)
	b = append(b, key1...)
	b = append(b, `": `...)
	b = strconv.AppendInt(b, n1, 10)
	b = append(b, `, "`...)
	b = append(b, key2...)
	b = append(b, `": `...)
	b = strconv.AppendInt(b, n2, 10)
	return append(b, '}')
}

// checkTopic checks what the description of messages.CountedTopic demands.
func checkTopic(t *messages.CountedTopic) error {
	if t.GetName() == "" {
		return fmt.Errorf("topic has no name")
	}
	if n := len(t.GetId()); n != 0 && n != topicIDSize {
		return fmt.Errorf("topic id has %d bytes: want %d", n, topicIDSize)
	}
	epoch, offset := int32(-1), int64(-1)
	for _, e := range t.GetEpochs() {
		if e.GetEpoch() <= epoch || e.GetFirstOffset() <= offset {
			return fmt.Errorf("epoch %d from offset %d follows epoch %d from offset %d", e.GetEpoch(), e.GetFirstOffset(), epoch, offset)
		}
		epoch, offset = e.GetEpoch(), e.GetFirstOffset()
	}
	end := int64(0)
	for _, g := range t.GetGaps() {
		if g.GetBase() < end || g.GetNext() <= g.GetBase() {
			return fmt.Errorf("gap [%d, %d): want it to begin at %d or later, and to end after that", g.GetBase(), g.GetNext(), end)
		}
		end = g.GetNext()
	}
	return nil
}

// parseTopic reads a sidecar file.
func parseTopic(data []byte) (*messages.CountedTopic, error) {
	p := &topicParser{scanner: scanner{data: data}, seen: make(keys)}
	if err := p.object(p.member); err != nil {
		return nil, err
	}
	if err := p.end(); err != nil {
		return nil, err
	}
	if err := p.all(p.seen, len(data), "name", "id", "epochs", "gaps"); err != nil {
		return nil, err
	}
	if err := checkTopic(&p.topic); err != nil {
		return nil, p.wrong(0, "%v", err)
	}
	return &p.topic, nil
}

// topicParser is what was read so far of a sidecar file.
type topicParser struct {
	scanner
	seen  keys
	topic messages.CountedTopic
}

func (p *topicParser) member(key string, at int) (err error) {
	if err := p.once(p.seen, key, at); err != nil {
		return err
	}
	switch key {
	case "name":
		p.topic.Name, err = p.text("a name in quotes")
		return err
	case "id":
		return p.id()
	case "epochs":
		return p.array(func() error {
			epoch, first, err := p.pair("epoch", 32, "first_offset", 64)
			p.topic.Epochs = append(p.topic.Epochs, &messages.LeaderEpoch{Epoch: int32(epoch), FirstOffset: first})
			return err
		})
	case "gaps":
		return p.array(func() error {
			base, next, err := p.pair("base", 64, "next", 64)
			p.topic.Gaps = append(p.topic.Gaps, &messages.Gap{Base: base, Next: next})
			return err
		})
	}
	return p.wrong(at, "%.40q: want \"name\", \"id\", \"epochs\" or \"gaps\"", key)
}

func (p *topicParser) id() error {
	text, err := p.text("a topic id in quotes")
	if err != nil {
		return err
	}
	if p.topic.Id, err = base64.RawURLEncoding.Strict().DecodeString(text); err != nil {
		return p.wrong(p.pos, "id is %.40q: want a topic id as Kafka prints it", text)
	}
	return nil
}

// pair reads an object of two integers.
func (p *topicParser) pair(key1 string, bits1 int, key2 string, bits2 int) (n1, n2 int64, err error) {
	seen := make(keys)
	begin := p.pos
	err = p.object(func(key string, at int) (err error) {
		if err := p.once(seen, key, at); err != nil {
			return err
		}
		switch key {
		case key1:
			n1, err = p.integer(key, bits1)
		case key2:
			n2, err = p.integer(key, bits2)
		default:
			err = p.wrong(at, "%.40q: want %q or %q", key, key1, key2)
		}
		return err
	})
	if err == nil {
		err = p.all(seen, begin, key1, key2)
	}
	return n1, n2, err
}
