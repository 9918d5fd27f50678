package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// needPython skips a test where there is no Python to run it with.
func needPython(t *testing.T) {
	t.Helper()
	if os.Getenv("WEATHERACTORS_TEST_PYTHON") != "" {
		if _, err := generated(); err != nil {
			t.Fatal(err)
		}
		return
	}
	missing(t, "WEATHERACTORS_TEST_PYTHON is not set: it should name a Python with the packages of .ci/requirements.txt")
}

// missing skips a test that lacks something; where everything should be there,
// the test fails.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// generated is a folder with the code that protoc makes of report.proto alone.
var generated = sync.OnceValues(func() (string, error) {
	into := filepath.Join(scratch, "python")
	if err := os.MkdirAll(into, 0o755); err != nil {
		return "", err
	}
	_, err := python("-m", "grpc_tools.protoc", "-I"+root+"/messages", "--python_out="+into, "report.proto")
	return into, err
})

// python runs Python and returns what it prints.
func python(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Getenv("WEATHERACTORS_TEST_PYTHON"), args...)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "PYTHONPATH="+filepath.Join(scratch, "python"))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("python %s: %w\n%s%s", strings.Join(args, " "), errors.Join(err, ctx.Err()), &stdout, &stderr)
	}
	return stdout.String(), nil
}

// python runs a script of testdata about the topic.
func (p place) python(script string, args ...string) string {
	p.t.Helper()
	out, err := python(append([]string{"testdata/" + script, p.broker.addr, p.topic}, args...)...)
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

// recount is what an independent recount of the topic in Python came to.
type recount struct {
	Records int64
	Days    int
	Rejects map[string][]int64 // offsets, by partition
}

// recount recounts the topic, and compares the files of the folder with that:
// each float to the last bit, and all bytes.
func (p place) recount() (r recount) {
	p.t.Helper()
	unmarshal(p.t, p.python("recount.py", p.dir), &r)
	return r
}
