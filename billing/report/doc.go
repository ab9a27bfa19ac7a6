// Package report reads the books back: the general ledger, the trial balance, what customers owe, and the figures of the
// overview, as values for pages and programs and as CSV.
//
// Every figure is summed from the journal's lines when it is asked for, in as few statements as can be, and in one
// where figures must agree with each other, so that none can be out of step with the books. A debit is positive and a
// credit negative, except in columns named Debit and Credit, which hold no signs.
package report
