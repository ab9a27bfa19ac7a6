package tenant

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
)

// Config says where the database is and how to enter it.
type Config struct {
	// URL is the owner's: postgres://countinghouse_owner:...@host:port/countinghouse?sslmode=...; the other
	// logins enter the same database with passwords derived from Key. Of several hosts, host:port,host:port, the one is
	// used that takes writes.
	URL string
	// Key derives the passwords of the service's own logins: 32 random bytes or more, kept as long as the
	// database is.
	Key []byte
	// Compartments is how many there are to be at least; 0 means 2. There is no way back to fewer.
	Compartments int
	// Connections bounds each compartment's pool; 0 means 8.
	Connections int
	// PerOrganization bounds how many transactions of one organization run at once in this process, so that none takes
	// all connections of its compartment; 0 means half of Connections.
	PerOrganization int
	// NewKey makes the encryption key of the organization whose schema is about to be made; nil makes none. A
	// schema is ready only when its key is, so that no founding waits for the keyring or is left without a key.
	NewKey func(ctx context.Context, organization string) error
	// Recorded is told of the acts of each transaction inside an organization that recorded any, within that
	// transaction, when all else in it is done: what follows from acts is so written with its cause or not at all. An
	// error undoes the transaction. What Recorded records itself it is not told of. It may be nil.
	Recorded func(ctx context.Context, tx *Tx, acts []Act) error
	// Now is the clock; nil is the machine's.
	Now func() time.Time
	// Billed is called at the end of each transaction that wrote in the organization which bills the others, inside of
	// it: what was paid there opens who paid with the same commit. Nil does nothing.
	Billed func(ctx context.Context, tx *Tx) error
	// Unprepared keeps SQL PREPARE out of use, as a pooler in transaction mode needs.
	Unprepared bool
	// Pooler is the host and port of a pooler in transaction mode that the logins of platform and compartments go through;
	// empty is none. URL stays the database's own. Nothing is prepared then.
	Pooler string
	// FoundingsByPerson and FoundingsByNetwork bound how many organizations one person, and all from one subscriber's
	// network, may found within 24 hours, so that nobody takes all that is ready; 0 is no bound.
	FoundingsByPerson, FoundingsByNetwork int
	// Citus says that the database is the coordinator of a Citus cluster, over whose nodes schemas are spread. A database
	// that is none is refused with ErrNoCitus.
	Citus bool

	mostMet int // of a connection; 0 means the constant of that name
}

func (c Config) withDefaults() Config {
	if c.Compartments == 0 {
		c.Compartments = 2
	}
	if c.Connections == 0 {
		c.Connections = 8
	}
	if c.PerOrganization == 0 {
		c.PerOrganization = max(1, c.Connections/2)
	}
	if c.mostMet == 0 {
		c.mostMet = mostMet
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Unprepared = c.Unprepared || c.Pooler != ""
	return c
}

const (
	ownerLogin   = "countinghouse_owner"
	appLogin     = "countinghouse_app"
	workLogin    = "countinghouse_work"
	databaseName = "countinghouse"
)

func compartmentLogin(n int) string { return fmt.Sprintf("countinghouse_c%02d", n) }

// password of one of the service's logins: told by the key, so that none is stored anywhere else.
func (c Config) password(login string) string {
	mac := hmac.New(sha256.New, c.Key)
	mac.Write([]byte("database login " + login))
	return hex.EncodeToString(mac.Sum(nil))
}

// loginURL is the address under which one login enters the database, with run-time settings.
func (c Config) loginURL(login string, settings map[string]string) (string, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return "", fmt.Errorf("the database URL cannot be read: %w", err)
	}
	q := u.Query()
	if login != ownerLogin {
		u.User = url.UserPassword(login, c.password(login))
	}
	// One round trip for a query with arguments, instead of two.
	q.Set("binary_parameters", "yes")
	c.pooled(login, u, q)
	nameHosts(u, q)
	for k, v := range settings {
		q.Set(k, v)
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// nameHosts writes several hosts as the driver reads them, and has it pass over one that does not answer or that follows
// another: of a server and its replicas that is the one that takes writes, whichever it is at that moment.
func nameHosts(u *url.URL, q url.Values) {
	if strings.Contains(u.Host, ",") {
		var hosts, ports []string
		for _, one := range strings.Split(u.Host, ",") {
			host, port, err := net.SplitHostPort(one)
			if err != nil {
				host, port = one, ""
			}
			hosts, ports = append(hosts, host), append(ports, cmp.Or(port, "5432"))
		}
		u.Host = strings.Join(hosts, ",")
		if q.Get("port") == "" {
			q.Set("port", strings.Join(ports, ","))
		}
	}
	if !strings.Contains(u.Host+q.Get("host")+q.Get("hostaddr"), ",") {
		return
	}
	if q.Get("target_session_attrs") == "" {
		q.Set("target_session_attrs", "read-write")
	}
	if q.Get("connect_timeout") == "" {
		q.Set("connect_timeout", "3") // seconds; a machine that is gone answers nothing at all
	}
}

// OnCluster fills in the owner's URL for a cluster of our own, from its superuser's.
func (c Config) OnCluster(superuserURL string) (Config, error) {
	u, err := url.Parse(superuserURL)
	if err != nil {
		return c, fmt.Errorf("the cluster's URL cannot be read: %w", err)
	}
	u.User = url.UserPassword(ownerLogin, c.password(ownerLogin))
	u.Path = "/" + databaseName
	c.URL = u.String()
	return c, nil
}
