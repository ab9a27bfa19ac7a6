package main

import (
	"os"
	"strings"
	"time"
)

// clockVariable is stamped by chaos alone, when it builds the program that it breaks: the name of an environment variable
// that names a file, which says by how much this process's clock is wrong. In every other build it is empty, and the clock
// is the machine's.
var clockVariable string

// clock is what the process takes the time from; nil is the machine's.
func clock() func() time.Time {
	if clockVariable == "" || os.Getenv(clockVariable) == "" {
		return nil
	}
	file := os.Getenv(clockVariable)
	return func() time.Time {
		text, err := os.ReadFile(file)
		if err != nil {
			panic(err) // a test without its clock proves nothing
		}
		wrong, err := time.ParseDuration(strings.TrimSpace(string(text)))
		if err != nil {
			panic(err)
		}
		return time.Now().Add(wrong)
	}
}
