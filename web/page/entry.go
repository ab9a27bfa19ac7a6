package page

import "github.com/countinghouse/countinghouse/identity"

// Entries is the data of "entries": who came into the organization, and what guards its members' accounts.
type Entries struct {
	Shell
	Items   []identity.Entry
	Factors []identity.MemberFactors
	Pager   Pager
}
