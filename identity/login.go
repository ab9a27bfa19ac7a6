package identity

import (
	"context"
	"time"

	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// How someone signed in.
const (
	ByPassword = "password"
	BySignUp   = "sign_up"
	ByRecovery = "recovery"
)

// What came of it.
const (
	LoginSuccess = "success"
	LoginRefused = "refused"
	// LoginHeld is a right password of someone who first has to set another one.
	LoginHeld = "must_change"
	// LoginDisowned marks a session of which its person said that it was not theirs.
	LoginDisowned = "disowned"
	// LoginRecovered is a password that was set by a mailed link.
	LoginRecovered = "recovered"
	// LoginChanged is a password that was changed by who knew it.
	LoginChanged = "changed"
)

// loginsShown is how far back the account page looks: the last ten logins and failures.
const loginsShown = 10

// Login is an entry of a person's login history.
type Login struct {
	ID        id.Of[Login]
	At        time.Time
	Network   string // the address; empty when it was not known
	Place     string // where that is; empty when it is not known
	UserAgent string
	Method    string
	Outcome   string
	Session   SessionID // zero for none
	Open      bool      // the session still is
	Disowned  bool      // the person said that it was not them
}

// Agent names browser and system.
func (l Login) Agent() string { return DescribeAgent(l.UserAgent) }

// Logins gives a person's last ten logins and failures, newest first.
func (i *Identity) Logins(ctx context.Context, person tenant.PersonID) (all []Login, err error) {
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		all, err = logins(ctx, tx, person, loginsShown)
		return err
	})
	for n := range all {
		all[n].Place = i.placeOf(all[n].Network)
	}
	return all, err
}

// LastLogin is the successful login before the present one, and how often someone was refused since.
type LastLogin struct {
	Login
	Refused int
}

// LastLogin gives it for who has just signed in; nil when this is the first time.
func (i *Identity) LastLogin(ctx context.Context, person tenant.PersonID) (l *LastLogin, err error) {
	err = tenant.DoPlatform(ctx, i.db, func(tx *tenant.PlatformTx) error {
		l, err = lastLogin(ctx, tx, person)
		return err
	})
	if l != nil {
		l.Place = i.placeOf(l.Network)
	}
	return l, err
}

// NewDevice makes the token by which a browser is known again. The edge keeps it in a cookie of its own and hands
// it in with RequestInfo.Device; what is kept here is its digest, from the first login with it.
func NewDevice() (string, error) {
	token, _, err := newSecret()
	return token, err
}

// entry is a session that was just opened.
type entry struct {
	Token   string
	Session SessionID
	At      time.Time
	Fresh   bool // from a device that its person was never seen with, although others are known
}

// enter opens a session and records the login. It must stand behind all proofs that the login takes. When the
// transaction is committed, greet follows.
func (i *Identity) enter(ctx context.Context, tx *tenant.PlatformTx, p tenant.Person, method string, from RequestInfo) (entry, error) {
	token, session, err := i.newSession(ctx, tx, p.ID, from)
	if err != nil {
		return entry{}, err
	}
	e := entry{Token: token, Session: session, At: tx.Now()}
	if e.Fresh, err = noteDevice(ctx, tx, p.ID, from.Device); err != nil {
		return entry{}, err
	}
	return e, i.record(ctx, tx, p, p.Email, session, method, LoginSuccess, from)
}

// greet tells a person of a login from a new device, and the watch of one from too far away.
func (i *Identity) greet(ctx context.Context, p tenant.Person, e entry, from RequestInfo) {
	if e.Fresh {
		i.tell(ctx, i.newDeviceMail(p, from))
	}
	i.raiseFar(ctx, p, e, from)
}

// record adds to the login history. The zero Person is nobody: the address is unknown.
func (i *Identity) record(ctx context.Context, tx *tenant.PlatformTx, p tenant.Person, address string, session SessionID, method, outcome string, from RequestInfo) error {
	return insertLogin(ctx, tx, loginInput{
		person: p.ID, email: i.subject("address", address), session: session, method: method, outcome: outcome,
		network: cleanNetwork(from.Network), userAgent: cleanUserAgent(from.UserAgent),
	})
}

func (i *Identity) newDeviceMail(p tenant.Person, from RequestInfo) Mail {
	return Mail{
		Kind: "new_device", To: p.Email, Subject: "A new sign-in to your Countinghouse account",
		Text: "Someone signed in to your account" + i.fromWhere(from) + ", where we have not seen you before.\n\n" +
			"If it was you, there is nothing to do.\n\n" +
			"If it was not, say so here, and it is ended at once:\n\n" + i.options.Origin + "/account\n",
	}
}

func (i *Identity) guessedMail(p tenant.Person, from RequestInfo) Mail {
	return Mail{
		Kind: "guessed", To: p.Email, Subject: "Someone is trying passwords on your Countinghouse account",
		Text: "Several wrong passwords in a row were given for your account, the last of them" + i.fromWhere(from) + ".\n\n" +
			"Nobody got in. Further tries have to wait longer and longer; browsers in which you signed in before do not wait with them.\n\n" +
			"If it was you and you have forgotten your password, set a new one here:\n\n" + i.options.Origin + "/recover\n",
	}
}

// placeOf is where an address is; empty when it is not known.
func (i *Identity) placeOf(network string) string {
	if i.options.Place == nil || network == "" {
		return ""
	}
	return i.options.Place(network)
}

// Where is what is shown of an address: its place with it, when that is known.
func (l Login) Where() string { return where(l.Place, l.Network) }

// Where is what is shown of an address: its place with it, when that is known.
func (s Session) Where() string { return where(s.Place, s.Network) }

// Where is what is shown of an address: its place with it, when that is known.
func (e Entry) Where() string { return where(e.Place, e.Network) }

func where(place, network string) string {
	if place == "" {
		return network
	}
	return place + " (" + network + ")"
}

// WithPlaces fills in where entries came from.
func (i *Identity) WithPlaces(all []Entry) []Entry {
	for n := range all {
		all[n].Place = i.placeOf(all[n].Network)
	}
	return all
}

// fromWhere is the middle of a sentence: " from Firefox on Linux at 192.0.2.7".
func (i *Identity) fromWhere(from RequestInfo) string {
	say := ""
	if agent := cleanUserAgent(from.UserAgent); agent != "" {
		say = " from " + DescribeAgent(agent)
	}
	if network, ok := cleanNetwork(from.Network).(string); ok {
		if place := i.placeOf(network); place != "" {
			say += " in " + place
		}
		say += " at " + network
	}
	return say
}
