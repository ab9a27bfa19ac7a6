package main

import "github.com/countinghouse/countinghouse/tenant"

func main() {
	_ = tenant.Scope{s: nil}
}
