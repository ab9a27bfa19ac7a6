// Package ledger keeps the books: accounts, and entries whose lines add up to nothing in every currency.
//
// Everything that moves money, by hand or by a document, goes through Post, and nothing posted ever changes: a mistake is
// put right by a second entry. The checks here exist for their clear sentences; the database makes the same checks again
// and cannot be talked out of them, so that the books hold even where this package is wrong.
package ledger
