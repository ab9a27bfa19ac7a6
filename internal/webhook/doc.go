// Package webhook tells programs of an organization's choosing what happens in its books, by the Standard Webhooks
// specification 1.0.0.
//
// Events are not called for in twenty places: they are derived, in one, from the acts that every change records anyway,
// and are written in the transaction of their cause. So an event is sent exactly when what it tells of was kept. A
// message is thin: it says what happened to which thing and nothing of what stands in the books; who wants to know more
// asks the API, with a token that may. It arrives at least once, with the same webhook-id each time, and not always in
// the order of events: its timestamp tells that.
package webhook
