// Package watch tells of what looks like an attack: to the owners of the organization that it is about, to the
// operator, and to the operator's own log system.
//
// Whoever notices something raises an Event; it is a row before Raise returns. What happens again and again is one
// event that counts, for an hour: a watch that can be flooded is soon not listened to. That it is one is decided by
// the database, so that replicas need not agree on anything. Mail and webhook go out by jobs, after the row is
// committed, since no attacker may make a request wait for them.
package watch
