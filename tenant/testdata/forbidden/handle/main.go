package main

import "github.com/countinghouse/countinghouse/tenant"

func end(tx *tenant.Tx) error { return tx.Commit() }

func main() { _ = end }
