package watch

// Severity is how soon someone should look.
type Severity string

// The severities. Medium and high ones are also sent out.
const (
	Low    Severity = "low"    // worth knowing when looking back
	Medium Severity = "medium" // look today
	High   Severity = "high"   // look now
)

// The kinds of event.
const (
	Guessing     = "guessing"      // passwords or codes of one account are being tried
	Spraying     = "spraying"      // one network tries many accounts
	Probing      = "probing"       // many ids that are not the organization's own
	FarLogin     = "far_login"     // a login from a place that cannot be reached from the last one in time
	RevokedToken = "revoked_token" // an API token is used after its end
	Canary       = "canary"        // an organization was touched that nobody has business with
	Disowned     = "disowned"      // a person said of a login of theirs that it was not them
	Disagreeing  = "disagreeing"   // the books of an organization do not prove
)

// KindInfo is what there is to say about a kind.
type KindInfo struct {
	Kind     string
	Severity Severity
	Name     string // a heading: "Passwords are being guessed"
	Say      string // what happened, and what to do
}

// Kinds lists all kinds, in the order in which a page offers them.
func Kinds() []KindInfo {
	return []KindInfo{
		{Guessing, Medium, "Passwords are being guessed",
			"Several wrong passwords in a row were given for one account. Nobody got in. A second factor makes guessing useless: ask its person to set one up."},
		{Spraying, High, "One network tries many accounts",
			"One address on the network tried to sign in to many accounts. It now has to wait between tries. Block it at your firewall if it goes on."},
		{Probing, Medium, "Someone asks for things that are not there",
			"One caller asked for many things that this organization does not have. A program with an error does so, and so does someone who tries ids of others. They were given nothing."},
		{FarLogin, High, "A login from far away",
			"Someone signed in from a place that nobody can reach in the time since the login before. If it was not them, let them end that login on their account page."},
		{RevokedToken, Medium, "A revoked API token is still in use",
			"A program uses an API token that has ended. It is given nothing. Find the program and give it a new token, or find out who has the old one."},
		{Canary, High, "A canary organization was touched",
			"Someone reached for an organization that exists only to be left alone. Find out who, and how they learned its address."},
		{Disowned, High, "A login was not who it seemed",
			"A person said of a login to their account that it was not theirs. It is ended, and their API tokens are revoked. Look in the activity at what was done in it."},
		{Disagreeing, High, "The books do not agree",
			"The nightly proof of the books found figures that do not agree, or a record that was changed since it was sealed. The overview names them. Nothing of this program does such a thing: find out who reached the database, and compare with a backup."},
	}
}

// InfoOf finds a kind.
func InfoOf(kind string) (KindInfo, bool) {
	for _, k := range Kinds() {
		if k.Kind == kind {
			return k, true
		}
	}
	return KindInfo{}, false
}
