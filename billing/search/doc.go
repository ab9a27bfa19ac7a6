// Package search finds what one remembers of the books: a number, a name, an order number or an amount.
//
// It has no index of its own, since every index costs each tenant room (see the relation budget). People, products and
// accounts are few and are looked through whole. Of documents, payments and entries the newest hundred thousand are
// looked through, the older ones by number and by whose they are, for which there are indexes. So a search takes a
// bounded time however old the books are.
//
// The caller says which kinds of things its reader may see. What is masked for the reader is not looked into: whether
// something is found would tell letter by letter what is hidden.
package search
