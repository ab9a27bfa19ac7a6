// Package payables is what is bought: bills, what was paid at once, credits of payees, payments of bills, and bills that
// repeat.
//
// It stands in front of billing's door: a bill is a document like an invoice, worked out by the same calculator and posted by
// the same rules with the sides exchanged, so that billing keeps it; what is here is what only the paying side knows. What
// payees are owed is one account, and each line of it names its payee: it is always what is open on bills, less what is left
// of credits and of payments in advance.
package payables
