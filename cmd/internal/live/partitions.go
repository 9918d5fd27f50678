package live

import (
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/weatheractors/weatheractors/cmd/internal/files"
	"github.com/weatheractors/weatheractors/cmd/internal/status"
	"github.com/weatheractors/weatheractors/weather"
)

// overview is what /api/partitions says, but for the time.
type overview struct {
	Version    string          `json:"version"`
	Partitions []partitionJSON `json:"partitions"`
	Producer   *producerJSON   `json:"producer"`
	Pictures   int64           `json:"pictures"`
}

type partitionJSON struct {
	Partition         int32       `json:"partition"`
	State             string      `json:"state"`
	Offset            int64       `json:"offset"`
	SavedOffset       int64       `json:"saved_offset"`
	LastStableOffset  int64       `json:"last_stable_offset"`
	Lag               int64       `json:"lag"`
	LagSeconds        *float64    `json:"lag_seconds"`
	RecordsPerSecond  float64     `json:"records_per_second"`
	LastDate          *string     `json:"last_date"`
	Counted           int64       `json:"counted"`
	Duplicates        int64       `json:"duplicates"`
	Rejects           int64       `json:"rejects"`
	Checkpoints       int64       `json:"checkpoints"`
	LastCheckpoint    *time.Time  `json:"last_checkpoint"`
	CheckpointSeconds float64     `json:"checkpoint_seconds"`
	CheckpointBytes   int64       `json:"checkpoint_bytes"`
	Topic             *string     `json:"topic"`
	Incarnation       int64       `json:"incarnation"`
	Trouble           *string     `json:"trouble"`
	Actors            []actorJSON `json:"actors"`
}

type actorJSON struct {
	Name      string  `json:"name"`
	State     string  `json:"state"`
	Restarts  int64   `json:"restarts"`
	LastError *string `json:"last_error"`
}

type producerJSON struct {
	Date             *string `json:"date"`
	Acknowledged     int64   `json:"acknowledged"`
	Repeats          int64   `json:"repeats"`
	InFlight         int64   `json:"in_flight"`
	Retries          int64   `json:"retries"`
	ReportsPerSecond float64 `json:"reports_per_second"`
	Trouble          *string `json:"trouble"`
}

func (s *Server) getPartitions(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store") // it is another one at any moment
	sendBytes(w, r, "application/json", append(s.latest.Load().message(), '\n'))
}

// message is what is told of a snapshot, with the time.
func (n *snapshot) message() []byte {
	told, err := n.at.UTC().Truncate(time.Millisecond).MarshalJSON()
	if err != nil {
		panic(err) // the year has four digits
	}
	return slices.Concat([]byte(`{"time":`), told, []byte(","), n.body()[1:])
}

// partitions is what is told of a snapshot, without the time.
func (s *Server) partitions(n *snapshot) []byte {
	o := overview{Version: s.config.Version, Partitions: []partitionJSON{}, Producer: producer(n.state), Pictures: n.state.Pictures}
	for _, p := range n.state.Partitions {
		o.Partitions = append(o.Partitions, partition(n.state, p, n.at))
	}
	if s.config.Events == nil && n.table != nil {
		for _, f := range n.table.files {
			o.Partitions = append(o.Partitions, partitionOfFile(f))
		}
	}
	body, err := json.Marshal(o)
	if err != nil {
		panic(err) // all numbers are finite
	}
	return body
}

func partition(s *status.State, p *status.Partition, now time.Time) partitionJSON {
	j := partitionJSON{
		Partition: p.Number, State: s.Phase(p).String(),
		Offset: p.Offset, SavedOffset: p.Saved, LastStableOffset: p.End, Lag: p.Lag(), RecordsPerSecond: tenths(p.Rate()),
		LastDate: date(p.Date), Counted: p.Once.Counted, Duplicates: p.Once.Duplicates, Rejects: p.Once.Rejects,
		Checkpoints: p.Saves, CheckpointSeconds: p.Took.Seconds(), CheckpointBytes: p.FileBytes,
		Topic: filled(p.Topic), Incarnation: p.Incarnation(),
	}
	if lag, known := p.LagTime(now); known {
		seconds := tenths(lag.Seconds())
		j.LagSeconds = &seconds
	}
	if !p.SavedAt.IsZero() {
		at := p.SavedAt.UTC().Truncate(time.Millisecond)
		j.LastCheckpoint = &at
	}
	j.Trouble = filled(p.Failed)
	if worst, troubled := s.Worst(p.Number); troubled && j.Trouble == nil {
		j.Trouble = &worst.Cause
	}
	for _, role := range []string{"reader", "aggregator", "checkpoint-writer"} {
		j.Actors = append(j.Actors, actor(s.Phase(p), role, p.Failures))
	}
	return j
}

// actor says how one of a partition's actors is doing. They end together: beside
// the one that has failed, the others wait.
func actor(phase status.Phase, role string, failures []status.Failure) actorJSON {
	a := actorJSON{Name: role, State: "running"}
	if phase != status.PhaseLive && phase != status.PhaseCatchingUp {
		a.State = "waiting"
	}
	for _, f := range failures {
		if f.Role == role {
			a.Restarts, a.LastError = f.Times, &f.Error
		}
	}
	latest := len(failures) - 1
	if latest >= 0 && failures[latest].Role == role && (phase == status.PhaseRespawning || phase == status.PhaseFailed) {
		a.State = "failed"
	}
	return a
}

func producer(s *status.State) *producerJSON {
	p := s.Producer
	if p == nil {
		return nil
	}
	j := &producerJSON{
		Date: date(p.Date), Acknowledged: p.Acknowledged, Repeats: p.Repeats, InFlight: p.InFlight, Retries: p.Retries,
		ReportsPerSecond: tenths(p.Rate()),
	}
	if worst, troubled := s.Worst(status.Nowhere); troubled && worst.What == status.Acknowledging {
		j.Trouble = filled("nothing is acknowledged")
	}
	return j
}

// partitionOfFile says of a partition what its file does.
func partitionOfFile(f files.File) partitionJSON {
	at := f.Info.ModTime().UTC().Truncate(time.Millisecond)
	j := partitionJSON{Partition: f.Partition, State: "file", LastCheckpoint: &at, CheckpointBytes: f.Info.Size(), Actors: []actorJSON{}}
	if f.Err != nil {
		j.Trouble = filled(f.Err.Error())
		return j
	}
	j.Offset = f.Content.GetOffset()
	j.SavedOffset, j.LastStableOffset = j.Offset, j.Offset
	var last weather.Date
	for i := range f.Content.GetStats().Len() {
		month := f.Content.GetStats().Row(i)
		j.Counted += int64(month.Count)
		last = max(last, month.End)
	}
	j.LastDate = date(last)
	return j
}

func date(d weather.Date) *string {
	if d == 0 {
		return nil
	}
	return filled(d.String())
}

func filled(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// tenths rounds what nobody needs to know more exactly.
func tenths(n float64) float64 { return math.Round(n*10) / 10 }
