package live

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/weatheractors/weatheractors/actors/checkpoint"
	"github.com/weatheractors/weatheractors/cmd/internal/files"
	"github.com/weatheractors/weatheractors/messages"
)

const (
	winter = `{"partition": 2, "offset": 41,
"January": {
"1990": {"count": 31, "sum": 620, "avg": 20, "end": "1990-01-31", "start": "1990-01-01"},
"1991": {"count": 2, "sum": 50.5, "avg": 25.25, "end": "1991-01-02", "start": "1991-01-01"}}}
`
	spring = `{"partition": 0, "offset": 7,
"March": {
"1990": {"count": 7, "sum": 280, "avg": 40, "end": "1990-03-07", "start": "1990-03-01"}}}
`
	corrupt = `{"partition": 0, "offset": 7,
"March": {
"1990": {"count": -7, "sum": 280, "avg": 40, "end": "1990-03-07", "start": "1990-03-01"}}}
`
)

func folderOf(dir string) files.Folder {
	return files.Folder{Dir: dir, List: checkpoint.Files, Path: checkpoint.Path, Read: checkpoint.ReadFile}
}

// put replaces a partition's file, as consume does.
func put(t testing.TB, dir string, partition int32, text string) {
	t.Helper()
	path := checkpoint.Path(dir, partition)
	if err := os.WriteFile(path+".tmp", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		t.Fatal(err)
	}
}

// filled is a folder with what was counted of two partitions.
func filledFolder(t testing.TB) string {
	dir := t.TempDir()
	put(t, dir, 2, winter)
	put(t, dir, 0, spring)
	return dir
}

// local is what most tests want of a server.
func local(dir string) Config {
	return Config{Addr: "127.0.0.1:8080", Files: folderOf(dir), ReadyLag: 10_000, Version: "v1"}
}

// following is a server whose handler answers without a network: it follows its
// files until the test ends.
func following(t testing.TB, config Config) *Server {
	t.Helper()
	s := newServer(config)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); s.files.follow(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	return s
}

// get asks a handler for what is at a path of 127.0.0.1:8080.
func get(s *Server, target string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.Host = "127.0.0.1:8080"
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func method(name string) func(*http.Request) {
	return func(r *http.Request) { r.Method = name }
}

// expectProblem fails unless an answer is a problem as RFC 9457 has it, whose
// detail has a text.
func expectProblem(t *testing.T, w *httptest.ResponseRecorder, status int, detail string) {
	t.Helper()
	var p struct {
		Type, Title, Detail, Instance string
		Status                        int
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Fatalf("%s %q is no problem: %v", w.Header().Get("Content-Type"), w.Body, err)
	}
	if w.Code != status || p.Status != status || p.Type != "about:blank" || p.Title != http.StatusText(status) || !strings.HasPrefix(p.Instance, "/") {
		t.Errorf("status %d with %+v, want %d", w.Code, p, status)
	}
	if !strings.Contains(p.Detail, detail) {
		t.Errorf("detail is %q, want it to say %q", p.Detail, detail)
	}
}

// pipes is a listener in memory, for bubbles of virtual time.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	select {
	case <-p.closed:
	default:
		close(p.closed)
	}
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080} }

// dial connects; nil says that nobody accepts within a second.
func (p *pipes) dial() net.Conn {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours
	case <-time.After(time.Second):
		return nil
	}
}

// running is a server that runs, in memory, until stop.
func running(t *testing.T, config Config) (s *Server, network *pipes, stop func()) {
	t.Helper()
	network = newPipes()
	s = newServer(config)
	s.over(network)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	return s, network, func() {
		t.Helper()
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(time.Second):
			t.Error("the server has not ended within a second")
		}
	}
}

// stream is an event stream as a client sees it.
type stream struct {
	conn   net.Conn
	reader *bufio.Reader
	status string
}

// openStream asks for the event stream.
func openStream(t *testing.T, network *pipes) *stream {
	t.Helper()
	conn := network.dial()
	if conn == nil {
		t.Fatal("nobody accepts")
	}
	if _, err := io.WriteString(conn, "GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	s := &stream{conn: conn, reader: bufio.NewReader(conn)}
	response, err := http.ReadResponse(s.reader, nil) //nolint:bodyclose // it is the stream, which ends with its connection
	if err != nil {
		t.Fatal(err)
	}
	s.status = response.Status
	s.reader = bufio.NewReader(response.Body)
	return s
}

// next returns the next event and its data.
func (s *stream) next() (event, data string, err error) {
	for {
		line, err := s.reader.ReadString('\n')
		line = strings.TrimSuffix(line, "\n")
		switch name, value, _ := strings.Cut(line, ": "); {
		case err != nil:
			return "", "", err
		case name == "event":
			event = value
		case name == "data":
			data = value
		case line == "" && event != "":
			return event, data, nil
		}
	}
}

// What actors tell.

func started(partition int32, offset, end int64) *messages.Event {
	return &messages.Event{Run: "test", Event: &messages.Event_PartitionStarted{PartitionStarted: &messages.PartitionStarted{
		Partition: partition, Incarnation: 1, Offset: offset, LastStableOffset: end, Topic: &messages.CountedTopic{Name: "temperatures"},
	}}}
}

func counting(partition int32, offset, end int64) *messages.Event {
	return &messages.Event{Run: "test", Event: &messages.Event_BatchCounted{BatchCounted: &messages.BatchCounted{
		Partition: partition, Incarnation: 1, Offset: offset, LastStableOffset: end, Counted: offset - 1, Duplicates: 1,
	}}}
}

func saved(partition int32, offset int64) *messages.Event {
	return &messages.Event{Run: "test", Event: &messages.Event_CheckpointSaved{CheckpointSaved: &messages.CheckpointSaved{
		Partition: partition, Offset: offset, Took: durationpb.New(2 * time.Millisecond), FileBytes: 700,
	}}}
}

func drained(partition int32, offset int64) *messages.Event {
	return &messages.Event{Event: &messages.Event_Drained{Drained: &messages.Drained{Partition: partition, Offset: offset}}}
}

func saveFailed(partition int32, cause string) *messages.Event {
	return &messages.Event{Run: "test", Event: &messages.Event_SaveFailed{SaveFailed: &messages.SaveFailed{Partition: partition, Error: cause}}}
}

func sourceTrouble(partition int32, cause string) *messages.Event {
	return &messages.Event{Run: "test", Event: &messages.Event_SourceTrouble{SourceTrouble: &messages.SourceTrouble{Partition: partition, Error: cause}}}
}

func failed(partition int32, role, cause string, retryIn time.Duration) *messages.Event {
	f := &messages.PartitionFailed{Partition: partition, Incarnation: 1, Role: role, Error: cause, Permanent: retryIn == 0}
	if retryIn > 0 {
		f.RetryIn = durationpb.New(retryIn)
	}
	return &messages.Event{Run: "test", Event: &messages.Event_PartitionFailed{PartitionFailed: f}}
}

func published(handedOver, acknowledged int64) *messages.Event {
	return &messages.Event{Run: "test", Event: &messages.Event_Published{Published: &messages.Published{
		HandedOver: handedOver, Acknowledged: acknowledged, Repeats: 1, Retries: 3,
	}}}
}
