// Package notice gathers what members should hear of without looking for it: an export that is ready or was not made, a
// payment that failed, an order that is held, mail that did not go out, a webhook that was switched off.
//
// A notice is no row of its own. It is read from the thing that it is about, so that it is gone when that is put right,
// and nothing has to be written when it happens. What each member has read is the moment until which they have.
package notice
