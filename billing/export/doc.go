// Package export writes an organization's books out, for other programs to read: the journal for plain-text accounting,
// and everything in CSV.
//
// It is how somebody proves the books without trusting us (hledger adds the same entries up by itself), and how they leave:
// the CSV files have the shapes that package intake reads. Everything is written as it is read, in one transaction and
// without keeping it in memory, so that a large organization's books cost no more than a small one's.
package export
