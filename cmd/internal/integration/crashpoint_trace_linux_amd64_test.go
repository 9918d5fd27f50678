package integration

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// This does what strace can't: it counts the calls of all threads together
// (strace's when=N counts those of each thread), and ends the program exactly
// before the N-th, or answers exactly that one with an error.

const (
	ptraceExitKill = 0x100000 // PTRACE_O_EXITKILL, which package syscall has not: none outlives the test
	callStop       = syscall.SIGTRAP | 0x80
)

// fileCalls are the system calls on files, and where they name the file: by a
// path in argument 0 or 1, or as the open file that is argument 0.
var fileCalls = map[uint64]struct {
	name string
	file rune
}{
	syscall.SYS_OPEN: {"open", '0'}, syscall.SYS_OPENAT: {"open", '1'}, syscall.SYS_CREAT: {"create", '0'},
	syscall.SYS_MKDIR: {"mkdir", '0'}, syscall.SYS_MKDIRAT: {"mkdir", '1'},
	syscall.SYS_LINK: {"link", '0'}, syscall.SYS_LINKAT: {"link", '1'},
	syscall.SYS_RENAME: {"rename", '0'}, syscall.SYS_RENAMEAT: {"rename", '1'}, 316: {"rename", '1'},
	syscall.SYS_UNLINK: {"unlink", '0'}, syscall.SYS_UNLINKAT: {"unlink", '1'}, syscall.SYS_RMDIR: {"unlink", '0'},
	syscall.SYS_TRUNCATE: {"truncate", '0'}, syscall.SYS_FTRUNCATE: {"truncate", 'f'}, syscall.SYS_FALLOCATE: {"truncate", 'f'},
	syscall.SYS_WRITE: {"write", 'f'}, syscall.SYS_PWRITE64: {"write", 'f'}, syscall.SYS_WRITEV: {"write", 'f'},
	syscall.SYS_FSYNC: {"sync", 'f'}, syscall.SYS_FDATASYNC: {"sync", 'f'},
	syscall.SYS_FLOCK: {"lock", 'f'}, syscall.SYS_CLOSE: {"close", 'f'},
	syscall.SYS_READ: {"read", 'f'}, syscall.SYS_PREAD64: {"read", 'f'}, syscall.SYS_GETDENTS64: {"read", 'f'},
	syscall.SYS_STAT: {"stat", '0'}, syscall.SYS_LSTAT: {"stat", '0'}, syscall.SYS_NEWFSTATAT: {"stat", '1'}, syscall.SYS_FSTAT: {"stat", 'f'},
}

// trace runs a command to its end, whatever end that is, and returns its exit
// code, -1 for a signal. Before each of its calls on a folder or what is in it, one
// after another, decide says what is to become of it. An error is that of
// tracing itself.
func trace(cmd *exec.Cmd, folder string, decide func(call) fate) (code int, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		// Linux takes orders only from the thread that began. It is not given
		// back: it ends.
		runtime.LockOSThread()
		code, err = (&tracer{folder: folder, decide: decide, known: map[int]bool{}, meets: map[int]fate{}}).run(cmd)
	}()
	<-done
	return code, err
}

// tracer is a program that is traced.
type tracer struct {
	folder string
	decide func(call) fate
	pid    int
	known  map[int]bool // threads
	meets  map[int]fate // what becomes of the call that a thread is in
}

func (tr *tracer) run(cmd *exec.Cmd) (int, error) {
	output, ok := cmd.Stderr.(*os.File)
	if !ok {
		return 0, errors.New("trace: want a file for the output")
	}
	var err error
	tr.pid, err = syscall.ForkExec(cmd.Path, cmd.Args, &syscall.ProcAttr{
		Env: cmd.Env, Files: []uintptr{0, output.Fd(), output.Fd()},
		// In a group of its own, its threads can be waited for, and nothing else.
		Sys: &syscall.SysProcAttr{Ptrace: true, Setpgid: true},
	})
	if err != nil {
		return 0, fmt.Errorf("trace: start: %w", err)
	}
	defer time.AfterFunc(limit, func() { _ = syscall.Kill(tr.pid, syscall.SIGKILL) }).Stop()
	for begun := false; ; begun = true {
		var status syscall.WaitStatus
		thread, err := syscall.Wait4(-tr.pid, &status, syscall.WALL, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("trace: wait: %w", err)
		}
		if status.Exited() || status.Signaled() {
			if thread == tr.pid {
				return status.ExitStatus(), nil
			}
			continue
		}
		if !begun {
			if err := syscall.PtraceSetOptions(tr.pid, ptraceExitKill|syscall.PTRACE_O_TRACESYSGOOD|syscall.PTRACE_O_TRACECLONE); err != nil {
				return 0, fmt.Errorf("trace: options: %w", err)
			}
		}
		signal, err := tr.stopped(thread, status)
		if err == nil {
			err = syscall.PtraceSyscall(thread, signal)
		}
		// A thread that was killed has gone, and will be reported so.
		if err != nil && !errors.Is(err, syscall.ESRCH) {
			return 0, fmt.Errorf("trace: thread %d at %#x: %w", thread, status, err)
		}
	}
}

// stopped does what there is to do where a thread stops, and returns the signal
// that it is to get.
func (tr *tracer) stopped(thread int, status syscall.WaitStatus) (signal int, err error) {
	first := !tr.known[thread]
	tr.known[thread] = true
	switch signal := status.StopSignal(); {
	case signal == callStop:
		return 0, tr.atCall(thread)
	case signal == syscall.SIGTRAP, first && signal == syscall.SIGSTOP:
		return 0, nil // of tracing itself: a new program, a new thread
	default:
		return int(signal), nil
	}
}

// atCall is where a call begins or has ended.
func (tr *tracer) atCall(thread int) error {
	var regs syscall.PtraceRegs
	if err := syscall.PtraceGetRegs(thread, &regs); err != nil {
		return err
	}
	if f, ok := tr.meets[thread]; ok {
		delete(tr.meets, thread)
		if f.half {
			return syscall.Kill(tr.pid, syscall.SIGKILL)
		}
		regs.Rax = -uint64(f.err)
		return syscall.PtraceSetRegs(thread, &regs)
	}
	const begins = ^uint64(syscall.ENOSYS) + 1
	known, ok := fileCalls[regs.Orig_rax]
	if !ok || regs.Rax != begins {
		return nil
	}
	path := tr.fileOf(thread, known.file, &regs)
	if path != tr.folder && !strings.HasPrefix(path, tr.folder+"/") {
		return nil
	}
	c := call{name: known.name, path: path, size: int(regs.Rdx)}
	if c.name == "open" && tr.opensToWrite(known.file, &regs) {
		c.name = "create"
	}
	f := tr.decide(c)
	switch {
	case f.kill:
		regs.Orig_rax = ^uint64(0) // no call at all
		if err := syscall.PtraceSetRegs(thread, &regs); err != nil {
			return err
		}
		return syscall.Kill(tr.pid, syscall.SIGKILL)
	case f.half:
		tr.meets[thread] = f
		regs.Rdx /= 2
		return syscall.PtraceSetRegs(thread, &regs)
	case f.err != 0:
		tr.meets[thread] = f
		if c.name != "close" { // which closes, whatever it says
			regs.Orig_rax = ^uint64(0)
		}
		return syscall.PtraceSetRegs(thread, &regs)
	}
	return nil
}

func (tr *tracer) opensToWrite(file rune, regs *syscall.PtraceRegs) bool {
	flags := regs.Rsi
	if file == '1' {
		flags = regs.Rdx
	}
	return flags&(syscall.O_CREAT|syscall.O_TRUNC) != 0
}

// fileOf returns the path of the file that a call is about; of a rename, the
// old one.
func (tr *tracer) fileOf(thread int, file rune, regs *syscall.PtraceRegs) string {
	switch file {
	case '0':
		return textAt(thread, regs.Rdi)
	case '1':
		return textAt(thread, regs.Rsi)
	}
	path, err := os.Readlink(filepath.Join("/proc", fmt.Sprint(tr.pid), "fd", fmt.Sprint(int32(regs.Rdi))))
	if err != nil {
		return ""
	}
	return path
}

// textAt returns the text at an address of a thread, up to its NUL.
func textAt(thread int, address uint64) string {
	var text []byte
	for b := make([]byte, 8); bytes.IndexByte(text, 0) < 0; address += uint64(len(b)) {
		if _, err := syscall.PtracePeekData(thread, uintptr(address), b); err != nil {
			return ""
		}
		text = append(text, b...)
	}
	return string(text[:bytes.IndexByte(text, 0)])
}
