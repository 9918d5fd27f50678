package main

import (
	"io"
	"net"
	"os"
	"strings"
	"testing"
)

func TestListenersOutside(t *testing.T) {
	tests := []struct {
		name, advertise, want string // "" is an error
	}{
		{"name and port", "localhost:9094", "LOCAL://127.0.0.1:9092,OUTSIDE://localhost:9094"},
		{"IPv6 and port", "[::1]:9094", "LOCAL://127.0.0.1:9092,OUTSIDE://[::1]:9094"},
		{"no port", "localhost", ""},
		{"no host", ":9094", ""},
		{"empty port", "localhost:", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			args, err := overrides(test.advertise)
			if test.want == "" {
				if err == nil || !strings.Contains(err.Error(), "KAFKA_ADVERTISE is \""+test.advertise) {
					t.Errorf("got %q, %v, want an error that quotes it", args, err)
				}
				return
			}
			if err != nil || len(args) != 4 || args[3] != "advertised.listeners="+test.want {
				t.Errorf("got %q, %v, want %s", args, err, test.want)
			}
		})
	}
	if args, err := overrides(""); len(args) > 0 || err != nil {
		t.Errorf("nothing asked for: got %q, %v", args, err)
	}
}

// What the properties say is repeated in the code, and both are needed: by
// clients in the container, and where the listeners are overridden.
func TestPropertiesAndCodeAgree(t *testing.T) {
	text, err := os.ReadFile("server.properties")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\nlisteners=LOCAL://" + kafkaAddress + ",CONTROLLER://127.0.0.1:9093\n",
		"\nadvertised.listeners=LOCAL://" + kafkaAddress + "\n",
		"\nlog.dirs=" + kafkaVolume + "/data\n",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("server.properties does not say %q", want)
		}
	}
}

func TestHealth(t *testing.T) {
	tests := []struct {
		name, answer, want string // "" is well
	}{
		{"broker that answers", "\x00\x00\x00\x0awell\x00\x00\x00\x00\x00\x00", ""},
		{"error", "\x00\x00\x00\x06well\x00\x23", "answers with error 35"},
		{"something else", "HTTP/1.1 400 Bad Request\r\n", "is not Apache Kafka"},
		{"closed at once", "", "answers nothing"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			go func() {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				_, _ = io.ReadFull(conn, make([]byte, 14))
				_, _ = io.WriteString(conn, test.answer)
			}()
			err = checkHealth(listener.Addr().String())
			if test.want == "" && err != nil {
				t.Errorf("got %v", err)
			}
			if test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	if err := checkHealth(gone.Addr().String()); err == nil {
		t.Error("nobody listens: got nil")
	}
}
