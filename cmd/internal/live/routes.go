package live

import (
	"encoding/json"
	"net/http"
	"net/http/pprof"
	"strconv"
	"strings"
)

// Handler answers the server's requests, so that they can be had without a
// network. What Run keeps up to date it does not.
func (s *Server) Handler() http.Handler {
	routes := map[string]http.HandlerFunc{
		"/api":            s.describe,
		"/api/partitions": s.getPartitions,
		"/api/months":     s.getMonths,
		"/api/events":     s.getEvents,
		"/month.svg":      s.getMonthSVG,
		"/trend.svg":      s.getTrendSVG,
		"/livez":          s.livez,
		"/readyz":         s.readyz,
	}
	for path, a := range loadAssets() {
		routes[path] = a.serve
	}
	if s.config.Metrics != nil {
		routes["/metrics"] = s.config.Metrics.ServeHTTP
	}
	return s.guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		route, found := routes[r.URL.Path]
		if !found && s.config.Pprof {
			route, found = profile(r.URL.Path)
		}
		switch {
		case !found:
			problem(w, r, http.StatusNotFound, "there is nothing at this address; /api says what there is")
		case r.Method == http.MethodOptions && s.shared(r.URL.Path):
			s.preflight(w)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", s.methods(r.URL.Path))
			problem(w, r, http.StatusMethodNotAllowed, "all there is can only be read")
		default:
			route(w, r)
		}
	}))
}

// profile finds a page of Go's profiler.
func profile(path string) (http.HandlerFunc, bool) {
	name, found := strings.CutPrefix(path, "/debug/pprof/")
	switch {
	case !found:
		return nil, false
	case name == "cmdline":
		return nil, false // what is on the command line is not for everybody
	case name == "profile":
		return pprof.Profile, true
	case name == "trace":
		return pprof.Trace, true
	case name == "symbol":
		return pprof.Symbol, true
	}
	return pprof.Index, true
}

// describe says what the API has.
func (s *Server) describe(w http.ResponseWriter, r *http.Request) {
	type resource struct {
		Path        string `json:"path"`
		Type        string `json:"type"`
		Description string `json:"description"`
	}
	const asJSON, asText, asSVG = "application/json", "text/plain", "image/svg+xml"
	resources := []resource{
		{"/api/partitions", asJSON, "how each partition and the producer are doing"},
		{"/api/months", asJSON, "what was counted; parameters month (repeatable), year, from, to"},
		{"/api/events", "text/event-stream", "partitions: as /api/partitions, whenever it changes; files: the revision of what was counted"},
		{"/month.svg", asSVG, "bars of months; parameters month (repeatable), year"},
		{"/trend.svg", asSVG, "a month over the years, with its trend; parameters month, from, to"},
		{"/livez", asText, "whether the program works; 503 if not; format=json"},
		{"/readyz", asText, "whether it keeps up; 503 if not, saying which partition does not, and why; format=json"},
	}
	if s.config.Metrics != nil {
		resources = append(resources, resource{"/metrics", asText, "numbers for Prometheus"})
	}
	send(w, r, map[string]any{
		"program":       "weatheractors",
		"version":       s.config.Version,
		"resources":     resources,
		"documentation": "https://github.com/weatheractors/weatheractors/blob/main/docs/api.md",
	})
}

// send answers in JSON.
func send(w http.ResponseWriter, r *http.Request, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		panic(err) // it is made of what JSON has
	}
	sendBytes(w, r, "application/json", append(body, '\n'))
}

func sendBytes(w http.ResponseWriter, _ *http.Request, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // whoever asked has gone
}

// problem answers with what is wrong, as RFC 9457 has it.
func problem(w http.ResponseWriter, r *http.Request, status int, detail string, reasons ...string) {
	body, err := json.Marshal(struct {
		Type     string   `json:"type"`
		Title    string   `json:"title"`
		Status   int      `json:"status"`
		Detail   string   `json:"detail"`
		Instance string   `json:"instance"`
		Reasons  []string `json:"reasons,omitempty"`
	}{"about:blank", http.StatusText(status), status, detail, r.URL.EscapedPath(), reasons})
	if err != nil {
		panic(err) // it is made of what JSON has
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)+1))
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // whoever asked has gone
}
