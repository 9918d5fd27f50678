package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestWhoKeepsTheFiles(t *testing.T) {
	tests := []struct {
		name  string
		owner user
		empty bool
		want  user
	}{
		{"folder of a user, with files", user{4711, 42}, false, user{4711, 42}},
		{"folder of a user, empty", user{4711, 42}, true, user{4711, 42}},
		{"folder that Docker made", user{0, 0}, true, nobodySpecial},
		{"folder of root, with files", user{0, 0}, false, user{0, 0}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := choose(test.owner, test.empty); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestRootOfAUserNamespaceIsNotRootOfTheHost(t *testing.T) {
	tests := []struct {
		name, uidMap string
		want         bool
	}{
		{"host", "         0          0 4294967295\n", true},
		{"Docker without root", "         0       1000          1\n         1     100000      65536\n", false},
		{"Docker with userns-remap", "         0     100000      65536\n", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := isInitial(test.uidMap); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestOwnerOfAFolderThatIsToBeMade(t *testing.T) {
	dir := t.TempDir()
	want := user{os.Getuid(), os.Getgid()}
	owner, at, err := ownerOf(filepath.Join(dir, "not", "yet"))
	if err != nil || owner != want || at != dir {
		t.Errorf("got %v of %s, %v, want %v of %s", owner, at, err, want, dir)
	}
	inTheWay := filepath.Join(dir, "file")
	if err := os.WriteFile(inTheWay, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ownerOf(filepath.Join(inTheWay, "sub")); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("got %v, want that there is a file in the way", err)
	}
}

func TestADeniedFolderIsSaidWithWhatToDo(t *testing.T) {
	tests := []struct {
		name  string
		owner int
		want  []string
	}{
		{"folder of another user", os.Getuid() + 1, []string{fmt.Sprintf("docker run --user %d`", os.Getuid()+1), "--user $(id -u):$(id -g)", "without --user", "sudo chown"}},
		{"own folder", os.Getuid(), []string{"chmod u+rwx", "read-only"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			complain(&out, "warning", deniedError{"/files", test.owner, syscall.EACCES})
			for _, want := range append(test.want, "warning: /files belongs to user ", "can't write there: permission denied\nhint: ") {
				if !strings.Contains(out.String(), want) {
					t.Errorf("got %q, want it to say %q", out.String(), want)
				}
			}
		})
	}
}
