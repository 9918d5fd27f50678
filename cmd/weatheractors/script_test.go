package main

import (
	"net"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"weatheractors": main})
}

// TestScripts runs the program as its users do: testdata/script has commands
// with what they print. Each script has a broker of its own, which the program
// finds by WEATHERACTORS_BROKERS; $NOBODY is an address where nothing listens.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		Cmds:                commands,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			broker, err := embedded.Start(embedded.Config{})
			if err != nil {
				return err
			}
			env.Defer(func() {
				if err := broker.Close(); err != nil {
					t.Error(err)
				}
			})
			nobody, err := unusedAddress()
			if err != nil {
				return err
			}
			env.Setenv("WEATHERACTORS_BROKERS", broker.Addr())
			env.Setenv("BROKER", broker.Addr())
			env.Setenv("NOBODY", nobody)
			return nil
		},
	})
}

// unusedAddress returns an address where nothing listens.
func unusedAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
