// Package charttest proves the chart without a cluster: Helm's own engine renders it for a table of values, and what comes
// out is decoded strictly into the types of Kubernetes, so that a field which is misspelled or in the wrong place fails.
//
// It is a module of its own, so that the service does not carry Helm along.
package charttest
