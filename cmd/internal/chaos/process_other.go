//go:build !unix

package chaos

import "syscall"

func apart() *syscall.SysProcAttr { return nil }
