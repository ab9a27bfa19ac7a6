// Package takeout makes the files that people ask for and fetch later: lists, journals, or everything the organization
// has.
//
// Such a file is a row from the moment somebody asks. A job writes it, on behalf of who asked and only while they may:
// it reads in one transaction, each list by one statement and so in one state, and journals up to one entry, since numbers
// have no gaps; and it writes piece by piece, each piece in a transaction of its own with how far it has got. So nothing holds a whole file in memory, the page
// shows progress, a cancelled one stops at the next piece, and a worker that dies leaves a file that the next begins
// anew. It is fetched piece by piece too, by who may, until it expires.
package takeout
