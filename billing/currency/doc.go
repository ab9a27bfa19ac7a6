// Package currency says what one currency is worth in another on a day, and posts what that gains or loses.
//
// The ledger keeps every entry in its own currency and never converts: a debt of 100 dollars stays one of 100 dollars. What
// it is worth in the organization's base currency is told beside it: each foreign document and payment keeps the rate of
// its day, and the difference between the two is an entry in the base currency between an asset account, "Currency
// adjustment", and a gain or loss. So what a customer owes stays exact to the cent, and the books still tell the gain.
package currency
