package chaos

import "syscall"

// apart keeps a process from hearing the Ctrl-C that is meant for the run, and
// has it killed when the run ends, however it does.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
