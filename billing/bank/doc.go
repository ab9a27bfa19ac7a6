// Package bank holds what a bank's files say beside what the books say: it reads statements, never takes a line twice,
// finds what each line belongs to, and reconciles an account with its bank.
//
// It stands in front of package billing: a payment that it finds in a statement goes in by the same door as one that a
// person records. A line of the bank never changes. What it is matched with is an entry of the journal, at most one, and
// an entry is matched with one line of an account at most; so the difference between book and bank is always the entries
// and lines that are not matched, and nothing else.
package bank
