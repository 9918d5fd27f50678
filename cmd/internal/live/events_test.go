package live

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weatheractors/weatheractors/messages"
)

// offsetIn is the offset of the first partition of what /api/partitions says.
func offsetIn(t *testing.T, data string) int64 {
	t.Helper()
	var o struct {
		Time       time.Time
		Partitions []struct{ Offset int64 }
	}
	if err := json.Unmarshal([]byte(data), &o); err != nil || o.Time.IsZero() {
		t.Fatalf("%s: %v", data, err)
	}
	if len(o.Partitions) == 0 {
		return -1
	}
	return o.Partitions[0].Offset
}

func TestStreamTellsWhatChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config, events := local(filledFolder(t)), make(chan *messages.Event, 100)
		config.Events = events
		_, network, stop := running(t, config)
		defer stop()
		time.Sleep(interval + interval/2) // until it has looked at the files
		s := openStream(t, network)
		defer s.conn.Close()
		expect := func(why, event string, within time.Duration) (data string) {
			t.Helper()
			began := time.Now()
			got, data, err := s.next()
			if err != nil || got != event || time.Since(began) > within {
				t.Fatalf("%s: event %q (%v) after %v, want %q within %v", why, got, err, time.Since(began), event, within)
			}
			return data
		}
		expect("at once", "files", interval)
		if n := offsetIn(t, expect("at once", "partitions", interval)); n != -1 {
			t.Errorf("there is a partition, at offset %d", n)
		}
		events <- started(2, 10, 100)
		if n := offsetIn(t, expect("a partition begins", "partitions", interval)); n != 10 {
			t.Errorf("it begins at %d, want 10", n)
		}
		put(t, config.Files.Dir, 2, winter)
		events <- saved(2, 10)
		began, event := time.Now(), ""
		for event != "files" {
			var err error
			if event, _, err = s.next(); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took > 3*interval {
			t.Errorf("that a file was replaced it said after %v", took)
		}
	})
}

func TestStreamBeatsWhileNothingChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, network, stop := running(t, local(filledFolder(t)))
		defer stop()
		s := openStream(t, network)
		defer s.conn.Close()
		began, beats := time.Now(), 0
		for time.Since(began) < 10*time.Minute {
			if event, _, err := s.next(); err != nil {
				t.Fatalf("after %v: %v", time.Since(began), err)
			} else if event == "partitions" {
				beats++
			}
		}
		if beats < 60 || beats > 65 {
			t.Errorf("%d events in 10 minutes, want one every 10 s", beats)
		}
	})
}

func TestStreamTellsAtMostFourTimesASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config, events := local(t.TempDir()), make(chan *messages.Event)
		config.Events = events
		_, network, stop := running(t, config)
		defer stop()
		each := time.NewTicker(time.Millisecond)
		defer each.Stop()
		go func() {
			for n := int64(1); ; n++ {
				select {
				case <-each.C:
				case <-t.Context().Done():
					return
				}
				select {
				case events <- counting(2, n, n):
				case <-t.Context().Done():
				}
			}
		}()
		s := openStream(t, network)
		defer s.conn.Close()
		told, last := 0, int64(-1)
		for began := time.Now(); time.Since(began) < 10*time.Second; {
			event, data, err := s.next()
			if err != nil {
				t.Fatal(err)
			}
			if event == "partitions" {
				told++
				last = offsetIn(t, data)
			}
		}
		if told < 38 || told > 42 || last < 9000 {
			t.Errorf("told %d times in 10 s, up to offset %d", told, last)
		}
	})
}

// TestSlowReadersAreDropped has one reader stop reading: it is cut off, and hears
// only the latest when it comes back; another one hears all the while, and the
// events are taken as fast as they come.
func TestSlowReadersAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config, events := local(t.TempDir()), make(chan *messages.Event)
		config.Events = events
		server, network, stop := running(t, config)
		defer stop()
		slow, quick := openStream(t, network), openStream(t, network)
		defer quick.conn.Close()
		latest := make(chan int64, 1000)
		go func() {
			for {
				event, data, err := quick.next()
				if err != nil {
					return
				}
				if event == "partitions" {
					latest <- offsetIn(t, data)
				}
			}
		}()
		began := time.Now()
		for n := range int64(20) {
			events <- counting(2, n+1, n+1)
			time.Sleep(interval)
		}
		if took := time.Since(began); took > 20*interval {
			t.Errorf("20 events took %v: the slow reader held them up", took)
		}
		time.Sleep(2 * streamTimeout)
		synctest.Wait()
		if n := server.streams.Load(); n != 1 {
			t.Errorf("%d streams are open, want the quick one alone", n)
		}
		if _, err := io.ReadAll(slow.conn); err != nil {
			t.Errorf("the slow one was not cut off: %v", err)
		}
		var last int64
		for len(latest) > 0 {
			last = <-latest
		}
		if last != 20 {
			t.Errorf("the quick one heard of offset %d, want 20", last)
		}
	})
}

func TestStreamsAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, network, stop := running(t, local(t.TempDir()))
		defer stop()
		var open []*stream
		for range maxStreams {
			s := openStream(t, network)
			if s.status != "200 OK" {
				t.Fatal(s.status)
			}
			open = append(open, s)
			defer s.conn.Close()
			go func() { _, _ = io.Copy(io.Discard, s.reader) }()
		}
		refused := openStream(t, network)
		defer refused.conn.Close()
		if refused.status != "503 Service Unavailable" {
			t.Errorf("one more: %s", refused.status)
		}
		open[0].conn.Close()
		time.Sleep(2 * heartbeat) // it notices when it says something
		again := openStream(t, network)
		defer again.conn.Close()
		if again.status != "200 OK" {
			t.Errorf("after one has gone: %s", again.status)
		}
	})
}

func TestStreamsEndWithTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, network, stop := running(t, local(t.TempDir()))
		s := openStream(t, network)
		go stop()
		began := time.Now()
		for {
			if _, _, err := s.next(); err != nil {
				break
			}
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("it ended after %v, want at once", took)
		}
	})
}

func TestHeadOfAStreamEnds(t *testing.T) {
	w := get(newServer(local(t.TempDir())), "/api/events", method(http.MethodHead))
	if w.Code != http.StatusOK || w.Body.Len() > 0 || w.Header().Get("Content-Type") != "text/event-stream" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

func TestSlowHeadersAreCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, network, stop := running(t, local(t.TempDir()))
		defer stop()
		conn := network.dial()
		began := time.Now()
		go func() {
			for _, c := range "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + strings.Repeat("x", 1000) {
				if _, err := fmt.Fprintf(conn, "%c", c); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}()
		if answer, err := io.ReadAll(conn); err != nil || strings.Contains(string(answer), "200 OK") {
			t.Errorf("%q, %v", answer, err)
		}
		if took := time.Since(began); took > headerTimeout+time.Second {
			t.Errorf("cut off after %v, want %v", took, headerTimeout)
		}
		conn.Close()
		time.Sleep(2 * time.Second) // until the client has noticed
	})
}

func TestConnectionsThatSayNothingAreCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, network, stop := running(t, local(t.TempDir()))
		defer stop()
		var conns int
		for range maxConnections + 3 { // more than it has room for
			if conn := network.dial(); conn != nil {
				conns++
				defer conn.Close()
			}
		}
		if conns > maxConnections+1 { // one may wait to be accepted
			t.Errorf("%d connections, want at most %d", conns, maxConnections)
		}
		time.Sleep(headerTimeout + time.Second)
		s := openStream(t, network)
		defer s.conn.Close()
		if s.status != "200 OK" {
			t.Error(s.status)
		}
	})
}

func TestHugeHeadersAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, network, stop := running(t, local(t.TempDir()))
		defer stop()
		conn := network.dial()
		go func() {
			_, _ = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: localhost\r\nX-Huge: %s\r\n\r\n", strings.Repeat("x", 2*maxHeaderBytes))
		}()
		answer, _ := io.ReadAll(conn)
		if !strings.HasPrefix(string(answer), "HTTP/1.1 431 ") {
			t.Errorf("%.60q", answer)
		}
	})
}
