// Package proof proves an organization's books: that they balance, that documents, payments, gateways and bank say what
// the ledger says, and that nothing in record and journal was changed since it was sealed.
//
// It works everything out of the rows as they lie, by SQL of its own, and trusts no figure that the rest of the program
// keeps: a proof that asked the code it is to check would share its mistakes. What does not agree is named one by one, so
// that whoever looks has a place to begin. The end of the chain is kept on the platform's side, where the next proof looks
// for it: a chain that was made anew in between, as a whole, is found out too.
package proof
