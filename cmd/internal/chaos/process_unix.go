//go:build unix && !linux

package chaos

import "syscall"

// apart keeps a process from hearing the Ctrl-C that is meant for the run.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
