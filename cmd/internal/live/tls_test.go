package live

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// certify writes a certificate for 127.0.0.1 and its key, made for tests.
func certify(t *testing.T) (certFile, keyFile string, trusted *x509.CertPool) {
	t.Helper()
	other := httptest.NewTLSServer(nil)
	defer other.Close()
	key, err := x509.MarshalPKCS8PrivateKey(other.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: other.Certificate().Raw}, keyFile: {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	trusted = x509.NewCertPool()
	trusted.AddCert(other.Certificate())
	return certFile, keyFile, trusted
}

func TestTLS(t *testing.T) {
	config := local(filledFolder(t))
	config.Addr = "127.0.0.1:0"
	var trusted *x509.CertPool
	config.CertFile, config.KeyFile, trusted = certify(t)
	s, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	if !strings.HasPrefix(s.URL(), "https://127.0.0.1:") {
		t.Errorf("it is at %s", s.URL())
	}
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}, ForceAttemptHTTP2: protocol == "HTTP/2.0"}
		response, err := (&http.Client{Transport: transport}).Get(s.URL() + "api/events")
		if err != nil {
			t.Fatal(err)
		}
		first := make([]byte, len("retry: 1000"))
		if _, err := io.ReadFull(response.Body, first); err != nil || response.Proto != protocol || string(first) != "retry: 1000" {
			t.Errorf("%s: %q, %v", response.Proto, first, err)
		}
		response.Body.Close()
		transport.CloseIdleConnections()
	}
	if response, err := http.Get("http" + strings.TrimPrefix(s.URL(), "https")); err == nil {
		response.Body.Close()
		if response.StatusCode != http.StatusBadRequest {
			t.Errorf("without TLS: %s", response.Status)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
