package main

import "github.com/countinghouse/countinghouse/tenant"

func cross(tx *tenant.PlatformTx) *tenant.Tx { return (*tenant.Tx)(tx) }

func main() { _ = cross }
