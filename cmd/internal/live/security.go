package live

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

const (
	pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	// picturePolicy lets a picture have the style that it brings, and nothing else.
	picturePolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
)

// guard refuses requests that are meant for somebody else, and tells browsers
// what not to do with the answers.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("X-Frame-Options", "DENY")
		if !s.expects(r) {
			problem(w, r, http.StatusMisdirectedRequest, "this server has another name; --http-host allows one more")
			return
		}
		if s.shared(r.URL.Path) {
			h.Set("Cross-Origin-Resource-Policy", "cross-origin")
			h.Add("Vary", "Origin")
			if r.Header.Get("Origin") == s.config.Origin {
				h.Set("Access-Control-Allow-Origin", s.config.Origin)
				h.Set("Access-Control-Expose-Headers", "ETag")
			}
		}
		next.ServeHTTP(w, r)
	})
}

// expects says whether the host that a request is for is one of ours. Its port
// does not matter: a tunnel has another.
func (s *Server) expects(r *http.Request) bool {
	host := hostOf(r.Host)
	listening, _, _ := net.SplitHostPort(s.config.Addr)
	if loopback(host) || host != "" && strings.EqualFold(host, listening) ||
		slices.ContainsFunc(s.config.Hosts, func(name string) bool { return strings.EqualFold(name, host) }) {
		return true
	}
	// Where we listen on all addresses, that which was connected to is ours.
	ip, err := netip.ParseAddr(host)
	if err != nil || !everywhere(listening) {
		return false
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return ok && local.AddrPort().Addr().Unmap() == ip.Unmap()
}

func everywhere(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.IsUnspecified()
}

// hostOf is a Host header without its port, and without the brackets of an
// address.
func hostOf(header string) string {
	if host, _, err := net.SplitHostPort(header); err == nil {
		return host
	}
	if inner, opened := strings.CutPrefix(header, "["); opened && strings.HasSuffix(inner, "]") {
		return strings.TrimSuffix(inner, "]")
	}
	return header
}

// shared says whether pages of the other origin may read what is at a path.
func (s *Server) shared(path string) bool {
	return s.config.Origin != "" && (path == "/api" || strings.HasPrefix(path, "/api/") || strings.HasSuffix(path, ".svg"))
}

func (s *Server) methods(path string) string {
	if s.shared(path) {
		return "GET, HEAD, OPTIONS"
	}
	return "GET, HEAD"
}

// preflight answers a browser that asks what pages of the other origin may do.
func (s *Server) preflight(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Allow", "GET, HEAD, OPTIONS")
	if h.Get("Access-Control-Allow-Origin") != "" {
		h.Set("Access-Control-Allow-Methods", "GET, HEAD")
		h.Set("Access-Control-Allow-Headers", "If-None-Match, Last-Event-ID")
		h.Set("Access-Control-Max-Age", "600")
	}
	w.WriteHeader(http.StatusNoContent)
}
