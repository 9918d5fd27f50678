package live

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestHosts(t *testing.T) {
	type rule struct {
		name, host string
		allowed    bool
	}
	check := func(t *testing.T, config Config, rules []rule, change ...func(*http.Request)) {
		t.Helper()
		s := newServer(config)
		for _, c := range rules {
			t.Run(c.name, func(t *testing.T) {
				w := get(s, "/api/partitions", append(change, func(r *http.Request) { r.Host = c.host })...)
				if !c.allowed {
					expectProblem(t, w, http.StatusMisdirectedRequest, "--http-host")
				} else if w.Code != http.StatusOK {
					t.Errorf("%s for %q", w.Body, c.host)
				}
			})
		}
	}
	t.Run("loopback", func(t *testing.T) {
		config := local(t.TempDir())
		config.Hosts = []string{"weather.example"}
		check(t, config, []rule{
			{"the address", "127.0.0.1:8080", true},
			{"through a tunnel, with another port", "127.0.0.1:9999", true},
			{"without a port", "127.0.0.1", true},
			{"any address of the loopback", "127.1.2.3", true},
			{"localhost", "localhost:8080", true},
			{"in any case", "LOCALHOST", true},
			{"IPv6", "[::1]:8080", true},
			{"IPv6 without a port", "[::1]", true},
			{"IPv4 in IPv6", "[::ffff:127.0.0.1]:8080", true},
			{"a name that was allowed", "Weather.Example:8080", true},
			{"below a name that was allowed", "evil.weather.example", false},
			{"another name", "evil.example:8080", false},
			{"a name that begins as an address", "127.0.0.1.evil.example", false},
			{"a name that begins as localhost", "localhost.evil.example", false},
			{"a name that ends in localhost", "evil.localhost", false},
			{"another address", "192.168.1.7:8080", false},
			{"an address as a number", "2130706433", false},
			{"all addresses", "0.0.0.0:8080", false},
			{"none", "", false},
			{"rubbish", "[::1", false},
		})
	})
	t.Run("all addresses", func(t *testing.T) {
		config := local(t.TempDir())
		config.Addr, config.Insecure = ":8080", true
		at := func(r *http.Request) {
			*r = *r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.IPv4(192, 168, 1, 7), Port: 8080}))
		}
		check(t, config, []rule{
			{"localhost", "localhost:8080", true},
			{"the address that was connected to", "192.168.1.7:8080", true},
			{"another address", "192.168.1.8:8080", false},
			{"a name", "evil.example", false},
			{"none", "", false},
		}, at)
	})
}

// TestAnswersSayWhatBrowsersMustNot asks for everything that there is, and some
// that there is not.
func TestAnswersSayWhatBrowsersMustNot(t *testing.T) {
	s := following(t, local(filledFolder(t)))
	for _, path := range []string{"/", "/assets/app.js", "/assets/style.css", "/api", "/api/partitions", "/api/months", "/month.svg", "/livez", "/readyz", "/nothing", "/metrics"} {
		h := get(s, path).Header()
		policy := h.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; ") || strings.Contains(policy, "unsafe") != strings.HasSuffix(path, ".svg") {
			t.Errorf("%s: Content-Security-Policy is %q", path, policy)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin",
			"Cross-Origin-Opener-Policy": "same-origin", "X-Frame-Options": "DENY", "Access-Control-Allow-Origin": "",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
}

func TestPageHasNothingInline(t *testing.T) {
	page := get(newServer(local(t.TempDir())), "/").Body.String()
	for _, forbidden := range []string{"style=", "<style", "onclick=", "onload=", "javascript:", "http://", "https://"} {
		if strings.Contains(page, forbidden) {
			t.Errorf("the page has %q, which its own policy forbids", forbidden)
		}
	}
	for _, script := range strings.Split(page, "<script")[1:] {
		if !strings.Contains(strings.SplitN(script, ">", 2)[0], "src=") {
			t.Errorf("the page has a script of its own: %.40s", script)
		}
	}
}

func TestOtherOrigins(t *testing.T) {
	const friend, stranger = "https://friend.example", "https://stranger.example"
	closed, open := newServer(local(t.TempDir())), local(t.TempDir())
	open.Origin = friend
	shared := newServer(open)
	cases := []struct {
		name   string
		server *Server
		path   string
		origin string
		allow  string
	}{
		{"nobody is allowed unless named", closed, "/api/partitions", friend, ""},
		{"who is named may read the API", shared, "/api/partitions", friend, friend},
		{"and what describes it", shared, "/api", friend, friend},
		{"others may not", shared, "/api/partitions", stranger, ""},
		{"nor may a page without an origin", shared, "/api/partitions", "null", ""},
		{"one that begins alike may not", shared, "/api/partitions", friend + ".evil.example", ""},
		{"the page is nobody's business", shared, "/", friend, ""},
		{"nor is health", shared, "/livez", friend, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := get(c.server, c.path, header("Origin", c.origin))
			if got := w.Header().Get("Access-Control-Allow-Origin"); w.Code != http.StatusOK || got != c.allow {
				t.Errorf("%d, allowed %q, want %q", w.Code, got, c.allow)
			}
			if api := strings.HasPrefix(c.path, "/api"); api && c.server == shared && w.Header().Get("Vary") != "Origin" {
				t.Error("a cache may give the answer to another origin")
			}
			preflight := get(c.server, c.path, header("Origin", c.origin), header("Access-Control-Request-Method", "GET"), method(http.MethodOptions))
			if c.server == closed || !strings.HasPrefix(c.path, "/api") {
				expectProblem(t, preflight, http.StatusMethodNotAllowed, "")
			} else if got := preflight.Header().Get("Access-Control-Allow-Methods"); preflight.Code != http.StatusNoContent || (got != "") != (c.allow != "") {
				t.Errorf("preflight: %d, allows %q", preflight.Code, got)
			}
		})
	}
}

func TestNothingCanBeWritten(t *testing.T) {
	s := newServer(local(t.TempDir()))
	for _, name := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"} {
		for _, path := range []string{"/", "/api/partitions", "/api/months", "/api/events", "/livez"} {
			w := get(s, path, method(name))
			expectProblem(t, w, http.StatusMethodNotAllowed, "only be read")
			if allow := w.Header().Get("Allow"); allow != "GET, HEAD" {
				t.Errorf("%s %s: Allow is %q", name, path, allow)
			}
		}
	}
}

func TestPathsAreTakenLiterally(t *testing.T) {
	config := local(filledFolder(t))
	config.Pprof = true
	s, profiled := newServer(local(config.Files.Dir)), newServer(config)
	for _, path := range []string{
		"/assets/", "/assets", "/assets/../server.go", "/assets/..%2fserver.go", "/assets/%2e%2e/server.go", "/../../etc/passwd",
		"//evil.example/", "/api/", "/api/partitions/", "/API/partitions", "/partition-2.json", "/debug/pprof/", "/debug/pprof/heap", "/metrics", "/%00",
	} {
		expectProblem(t, get(s, path), http.StatusNotFound, "/api says")
	}
	expectProblem(t, get(profiled, "/debug/pprof/cmdline"), http.StatusNotFound, "")
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/symbol"} {
		if w := get(profiled, path); w.Code != http.StatusOK {
			t.Errorf("%s with the profiler: %d", path, w.Code)
		}
	}
}

func TestConfigs(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cases := []struct {
		name   string
		change func(*Config)
		want   error
		says   string
	}{
		{"all addresses, without TLS", func(c *Config) { c.Addr = ":0" }, ErrExposed, ":0"},
		{"another machine's name, without TLS", func(c *Config) { c.Addr = "weather.example:0" }, ErrExposed, "weather.example:0"},
		{"an address in use", func(c *Config) { c.Addr = taken.Addr().String() }, ErrAddressInUse, taken.Addr().String()},
		{"no port", func(c *Config) { c.Addr = "127.0.0.1" }, ErrConfig, "want host:port"},
		{"a certificate without its key", func(c *Config) { c.CertFile = "x" }, ErrConfig, "both"},
		{"a certificate that is not there", func(c *Config) { c.CertFile, c.KeyFile = "x", "y" }, nil, "certificate"},
		{"a lag below zero", func(c *Config) { c.ReadyLag = -1 }, ErrConfig, "-1"},
		{"a host that is an address of a page", func(c *Config) { c.Hosts = []string{"http://x/"} }, ErrConfig, "http://x/"},
		{"an origin with a path", func(c *Config) { c.Origin = "https://x.example/" }, ErrConfig, "https://x.example/"},
		{"any origin", func(c *Config) { c.Origin = "*" }, ErrConfig, `"*"`},
		{"nobody to read files", func(c *Config) { c.Files.Read = nil }, ErrConfig, "files"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			config := local(t.TempDir())
			config.Addr = "127.0.0.1:0"
			c.change(&config)
			_, err := New(config)
			if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %v that says %q", err, c.want, c.says)
			}
		})
	}
}

func TestURLIsOneThatWorks(t *testing.T) {
	for address, want := range map[string]string{"127.0.0.1:0": "http://127.0.0.1:", ":0": "http://localhost:", "0.0.0.0:0": "http://localhost:"} {
		config := local(t.TempDir())
		config.Addr, config.Insecure = address, true
		s, err := New(config)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(s.URL(), want) {
			t.Errorf("%s is at %s", address, s.URL())
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Run(ended); err != nil {
			t.Error(err)
		}
	}
}
