// Package gateway speaks with those who move money for an organization: it charges cards, gives money back, and asks
// what became of either.
//
// A gateway's answer can get lost after the money has moved. So every order carries a key that its caller stored
// beforehand, every gateway can be asked by that key what became of the order, and an answer that does not say for
// certain is ErrUnknown and never a guess. This package knows neither the books nor the database.
package gateway
