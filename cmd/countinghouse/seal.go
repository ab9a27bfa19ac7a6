package main

import (
	"github.com/countinghouse/countinghouse/secrets/custody"
	"github.com/countinghouse/countinghouse/tenant"
)

// newSealer seals what belongs to people and to the operator, by keys that come from the service's own.
func newSealer(db *tenant.DB, key []byte) (*custody.ServiceKeys, error) {
	first, err := derive(key, "second factors")
	if err != nil {
		return nil, err
	}
	wrap, err := derive(key, "service keys")
	if err != nil {
		return nil, err
	}
	return custody.NewServiceKeys(db, first, wrap)
}
