// Package fake is a payment gateway that moves no money: a small provider with an API, hosted pages, signed messages
// and books of its own, and the client for it.
//
// It is what `dev` and the tests charge at. It is stateful, because what matters about a gateway is what it remembers
// when an answer got lost; its cards behave badly on purpose, and its books are there to be compared with ours. The
// client speaks HTTP with it like with any provider, over a socket or straight into the handler.
package fake
