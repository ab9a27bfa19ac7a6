package main

import (
	"os"
	"testing"

	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

// TestMain runs the tests; in a process that a test starts as the command, it is the command.
func TestMain(m *testing.M) {
	if os.Getenv(commandMark) != "" {
		main()
		return
	}
	key, err := derive(testKey, "database logins")
	if err != nil {
		panic(err)
	}
	os.Exit(tenanttest.MainWith(m, key))
}
