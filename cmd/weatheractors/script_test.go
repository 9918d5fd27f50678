package main

import (
	"crypto/tls"
	"encoding/pem"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"weatheractors": main, "saboteur": saboteur})
}

// TestScripts runs the program as its users do: testdata/script has commands
// with what they print. Each script has a broker of its own, which the program
// finds by WEATHERACTORS_BROKERS; $SECURE is one that wants TLS, trusted by
// ca.pem, and the password of a user; at $NOBODY nothing listens.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		Cmds:                commands,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			plain, err := startBroker(t, env, embedded.Config{})
			if err != nil {
				return err
			}
			certificate, err := trusted(env)
			if err != nil {
				return err
			}
			secure, err := startBroker(t, env, embedded.Config{
				TLS:   &tls.Config{Certificates: []tls.Certificate{certificate}},
				Users: []embedded.User{{Mechanism: "SCRAM-SHA-512", Name: "me", Password: "secret"}},
			})
			if err != nil {
				return err
			}
			nobody, err := unusedAddress()
			if err != nil {
				return err
			}
			env.Values["broker"] = plain
			env.Setenv("WEATHERACTORS_BROKERS", plain.Addr())
			env.Setenv("BROKER", plain.Addr())
			env.Setenv("SECURE", secure.Addr())
			env.Setenv("NOBODY", nobody)
			return nil
		},
	})
}

func startBroker(t *testing.T, env *testscript.Env, config embedded.Config) (*embedded.Broker, error) {
	broker, err := embedded.Start(config)
	if err != nil {
		return nil, err
	}
	env.Defer(func() {
		if err := broker.Close(); err != nil {
			t.Error(err)
		}
	})
	return broker, nil
}

// trusted returns a certificate for 127.0.0.1, and writes the one that it is
// trusted by to ca.pem.
func trusted(env *testscript.Env) (tls.Certificate, error) {
	server := httptest.NewTLSServer(nil) // has one, made for tests
	defer server.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	return server.TLS.Certificates[0], os.WriteFile(filepath.Join(env.WorkDir, "ca.pem"), ca, 0o600)
}

// unusedAddress returns an address where nothing listens.
func unusedAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
