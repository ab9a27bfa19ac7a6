package identity

import (
	"encoding/hex"
	"fmt"
	"net/netip"

	"github.com/countinghouse/countinghouse/internal/watch"
	"github.com/countinghouse/countinghouse/tenant"
)

// sprayedAccounts is how many accounts one network may fail to enter in an hour before it is told of. Behind an
// address there may be an office, where a few people mistype their passwords on the same morning.
const sprayedAccounts = 10

// guessing tells of an account whose free tries are used up; also of one that nobody has. The account is told by
// its digest.
func guessing(p tenant.Person, t try, from RequestInfo) watch.Event {
	return watch.Event{Kind: watch.Guessing, Person: p.ID, Network: networkOf(from.Network), Subject: hex.EncodeToString(t.subject),
		Detail: fmt.Sprintf("%d wrong passwords in a row", t.failures)}
}

func guessingCodes(p tenant.Person, from RequestInfo) watch.Event {
	return watch.Event{Kind: watch.Guessing, Severity: watch.High, Person: p.ID, Network: networkOf(from.Network), Subject: "codes " + p.ID.String(),
		Detail: "wrong codes of the second step, after the right password"}
}

func spraying(accounts int, from RequestInfo) watch.Event {
	return watch.Event{Kind: watch.Spraying, Network: networkOf(from.Network), Subject: networkOf(from.Network),
		Detail: fmt.Sprintf("%d accounts within an hour", accounts)}
}

// networkBounds are the first and the last address of what networkOf names.
func networkBounds(s string) (first, last string, ok bool) {
	network := networkOf(s)
	if a, err := netip.ParseAddr(network); err == nil {
		return a.String(), a.String(), true
	}
	p, err := netip.ParsePrefix(network)
	if err != nil {
		return "", "", false
	}
	end := p.Addr().As16()
	for i := 8; i < 16; i++ { // a /64
		end[i] = 0xff
	}
	return p.Addr().String(), netip.AddrFrom16(end).String(), true
}
