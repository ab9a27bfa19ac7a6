package postgres

import "syscall"

// dieWithParent has the kernel signal the child when the thread that started it ends, kill -9 included.
func dieWithParent(attr *syscall.SysProcAttr, s syscall.Signal) { attr.Pdeathsig = s }
