package live

import (
	"bytes"
	"fmt"
	"net/http"
	"time"
)

const (
	// heartbeat is how often a stream says something at least: so that a client
	// notices that a server has gone, and we that a client has.
	heartbeat = 10 * time.Second
	// retry is when a client is to connect again.
	retry = time.Second
)

// getEvents tells how things change, for as long as the client listens. It gets
// the latest only: what changes while it is slow to read it never hears of, and
// one that does not read at all is dropped.
func (s *Server) getEvents(w http.ResponseWriter, r *http.Request) {
	if s.streams.Add(1) > maxStreams {
		s.streams.Add(-1)
		w.Header().Set("Retry-After", "10")
		problem(w, r, http.StatusServiceUnavailable, fmt.Sprintf("%d event streams are open, want no more", maxStreams))
		return
	}
	defer s.streams.Add(-1)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // a proxy is to pass them on at once
	if r.Method == http.MethodHead {
		return
	}
	control := http.NewResponseController(w)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	tell := func(text []byte) bool {
		_ = control.SetWriteDeadline(time.Now().Add(streamTimeout))
		_, err := w.Write(text)
		if err == nil {
			err = control.Flush()
		}
		return err == nil
	}
	var told *snapshot
	for text := fmt.Appendf(nil, "retry: %d\n\n", retry.Milliseconds()); ; text = text[:0] {
		now := s.latest.Load()
		if text = now.news(text, told); len(text) > 0 {
			if !tell(text) {
				return
			}
			told = now
			beat.Reset(heartbeat)
		}
		select {
		case <-now.superseded:
		case <-beat.C:
			told = nil
		case <-r.Context().Done(): // the client has gone, or the server ends
			return
		}
	}
}

// news appends to text the events that tell what a client does not know, to whom
// told was told last.
func (n *snapshot) news(text []byte, told *snapshot) []byte {
	if told == nil || n.revision != told.revision {
		text = fmt.Appendf(text, "event: files\nid: %s\ndata: {\"revision\":%q}\n\n", n.revision, n.revision)
	}
	if told == nil || !bytes.Equal(n.body(), told.body()) {
		text = fmt.Appendf(text, "event: partitions\ndata: %s\n\n", n.message())
	}
	return text
}
