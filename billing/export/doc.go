// Package export writes an organization's books out, for other programs to read: the journal for plain-text accounting,
// and tables of everything.
//
// It is how somebody proves the books without trusting us (hledger and beancount add the same entries up by themselves), and
// how they leave: customers, products, invoices and payments have the shapes that package intake reads. Everything is
// written as it is read, in one transaction and without keeping it in memory, so that a large organization's books cost
// no more than a small one's.
package export
