// Package phone has customers show that a phone number is theirs before they pay, where an organization asks for that.
//
// It is asked for by product, by type of product or for everything, and the narrowest setting that says something wins;
// and of whoever registers by themselves, where the organization wants that. The decision is made where money is about to
// move or an order to go on, in that very transaction, and by the rows of what it is for: whatever a page shows or a
// request says, nothing is charged around it. Members and their programs decide for themselves: they know their customer.
// What they order in the shop waits all the same, because there the customer is the one who asked.
//
// Codes go out by the organization's own gateways, the next where one fails, or by the operator's where it has none. No code
// is sent twice: where nobody knows whether a gateway sent it, it is not given to another.
//
// What is sent and guessed is counted by functions of the platform, because a number may be bothered by several
// organizations, and several servers answer at once.
package phone
