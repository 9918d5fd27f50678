package checkpoint

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/weatheractors/weatheractors/messages"
)

const sampleTopic = `{"name": "temperatures", "id": "QUFBQUFBQUFBQUFBQUFBQQ",
"epochs": [{"epoch": 0, "first_offset": 0}, {"epoch": 4, "first_offset": 1000}],
"gaps": [{"base": 100, "next": 250}]}
`

func counted() *messages.CountedTopic {
	return &messages.CountedTopic{
		Name:   "temperatures",
		Id:     []byte("AAAAAAAAAAAAAAAA"),
		Epochs: []*messages.LeaderEpoch{{Epoch: 0, FirstOffset: 0}, {Epoch: 4, FirstOffset: 1000}},
		Gaps:   []*messages.Gap{{Base: 100, Next: 250}},
	}
}

func TestTopicFile(t *testing.T) {
	tests := []struct {
		name  string
		topic *messages.CountedTopic
		want  string
	}{
		{"all there is", counted(), sampleTopic},
		{"id is not known", &messages.CountedTopic{Name: "t"}, "{\"name\": \"t\", \"id\": \"\",\n\"epochs\": [],\n\"gaps\": []}\n"},
		{"any name", &messages.CountedTopic{Name: "\"\n\\é"}, "{\"name\": \"\\\"\\n\\\\é\", \"id\": \"\",\n\"epochs\": [],\n\"gaps\": []}\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			data, err := appendTopic(nil, test.topic)
			if err != nil || string(data) != test.want {
				t.Errorf("got %v and\n%swant\n%s", err, data, test.want)
			}
			if topic, err := parseTopic(data); err != nil || !proto.Equal(topic, test.topic) {
				t.Errorf("loads as %v, %v", topic, err)
			}
		})
	}
}

func TestTopicThatCannotBe(t *testing.T) {
	tests := []struct {
		name  string
		topic *messages.CountedTopic
		want  string
	}{
		{"no name", &messages.CountedTopic{}, "topic has no name"},
		{"id of another size", &messages.CountedTopic{Name: "t", Id: []byte("short")}, "topic id has 5 bytes"},
		{"negative epoch", &messages.CountedTopic{Name: "t", Epochs: []*messages.LeaderEpoch{{Epoch: -1}}}, "epoch -1"},
		{"negative offset", &messages.CountedTopic{Name: "t", Epochs: []*messages.LeaderEpoch{{FirstOffset: -1}}}, "from offset -1"},
		{"epochs that do not ascend", &messages.CountedTopic{Name: "t", Epochs: []*messages.LeaderEpoch{{Epoch: 4}, {Epoch: 4, FirstOffset: 9}}}, "epoch 4 from offset 9 follows epoch 4"},
		{"epochs at the same offset", &messages.CountedTopic{Name: "t", Epochs: []*messages.LeaderEpoch{{Epoch: 4}, {Epoch: 5}}}, "epoch 5 from offset 0 follows"},
		{"empty gap", &messages.CountedTopic{Name: "t", Gaps: []*messages.Gap{{Base: 5, Next: 5}}}, "gap [5, 5)"},
		{"negative gap", &messages.CountedTopic{Name: "t", Gaps: []*messages.Gap{{Base: -5, Next: 5}}}, "gap [-5, 5)"},
		{"gaps that overlap", &messages.CountedTopic{Name: "t", Gaps: []*messages.Gap{{Base: 1, Next: 5}, {Base: 4, Next: 9}}}, "gap [4, 9): want it to begin at 5"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := appendTopic(nil, test.topic); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

var corruptTopics = []struct{ name, data, want string }{
	{"empty", "", "line 1: want an object"},
	{"cut off", sampleTopic[:108], "line 2: string is not closed"},
	{"something behind", sampleTopic + "x", `line 4: want the end of the file, got "x"`},
	{"unknown key", strings.Replace(sampleTopic, "gaps", "holes", 1), `line 3: "holes": want "name", "id", "epochs" or "gaps"`},
	{"key twice", strings.Replace(sampleTopic, "gaps", "epochs", 1), `line 3: "epochs" comes twice`},
	{"key is missing", `{"name": "t", "id": "", "epochs": []}`, `line 1: "gaps" is missing`},
	{"id that is not base64url", strings.Replace(sampleTopic, "QUF", "+/=", 1), "line 1: id is"},
	{"id of another size", strings.Replace(sampleTopic, "QUFBQUFBQUFBQUFBQUFBQQ", "QUFB", 1), "line 1: topic id has 3 bytes"},
	{"epoch is a fraction", strings.Replace(sampleTopic, `"epoch": 4`, `"epoch": 4.5`, 1), "line 2: epoch is 4.5: want an integer"},
	{"epoch is too large", strings.Replace(sampleTopic, `"epoch": 4`, `"epoch": 4294967296`, 1), "line 2: epoch is 4294967296"},
	{"epochs that descend", strings.Replace(sampleTopic, `"epoch": 0`, `"epoch": 5`, 1), "line 1: epoch 4 from offset 1000 follows epoch 5"},
	{"half an epoch", strings.Replace(sampleTopic, `"epoch": 4, `, ``, 1), `line 2: "epoch" is missing`},
	{"key of an epoch twice", strings.Replace(sampleTopic, `"epoch": 4, `, `"epoch": 4, "epoch": 4, `, 1), `line 2: "epoch" comes twice`},
	{"unknown key of a gap", strings.Replace(sampleTopic, `"base"`, `"from"`, 1), `line 3: "from": want "base" or "next"`},
	{"array is not closed", strings.Replace(sampleTopic, `]}`, `}`, 1), "line 3: want a comma or \"]\", got \"}"},
	{"deep nesting", `{"gaps": ` + strings.Repeat("[", 1<<20), `line 1: want an object`},
}

func TestParseTopicRefuses(t *testing.T) {
	for _, test := range corruptTopics {
		t.Run(test.name, func(t *testing.T) {
			_, err := parseTopic([]byte(test.data))
			if syntax := (*syntaxError)(nil); !errors.As(err, &syntax) || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func FuzzParseTopic(f *testing.F) {
	f.Add([]byte(sampleTopic))
	for _, test := range corruptTopics {
		f.Add([]byte(test.data[:min(len(test.data), 1000)]))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		topic, err := parseTopic(data)
		if err != nil {
			return
		}
		first, err := appendTopic(nil, topic)
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseTopic(first)
		if err != nil || !proto.Equal(topic, again) {
			t.Fatalf("%v: loads as %v, was %v", err, again, topic)
		}
		if second, err := appendTopic(nil, again); err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%v: encodes as\n%s, was\n%s", err, second, first)
		}
	})
}
