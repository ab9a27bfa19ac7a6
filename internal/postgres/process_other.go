//go:build unix && !linux

package postgres

import "syscall"

// dieWithParent does nothing: this system cannot tie a child to its parent, so a killed process leaves its
// server running, and the next Start says how to stop it.
func dieWithParent(*syscall.SysProcAttr, syscall.Signal) {}
