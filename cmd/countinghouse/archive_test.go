package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/shopspring/decimal"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/gateway"
	"github.com/countinghouse/countinghouse/billing/gateway/fake"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/secrets"
	"github.com/countinghouse/countinghouse/secrets/custody"
	"github.com/countinghouse/countinghouse/tenant"
)

const practiceKey = "practice_0a1b2c3d4e5f"

// installation is one of its own: a data folder with a database, a key and a keyring.
type installation struct {
	*testing.T
	keys orgKeys
	stop func()
}

func openInstallation(t *testing.T) installation {
	t.Helper()
	data := dataFolder(t)
	h := installation{T: t, stop: runDev(t, data), keys: orgKeys{orgDatabase: orgDatabase{Data: data}, Keyring: "local"}}
	t.Cleanup(h.stop)
	return h
}

func (h installation) use(fn func(ctx context.Context, db *tenant.DB) error) {
	h.Helper()
	ctx := h.Context()
	if err := h.keys.use(ctx, func(db *tenant.DB) error { return fn(ctx, db) }); err != nil {
		h.Fatal(err)
	}
}

// in runs fn in an organization.
func (h installation) in(slug string, fn func(ctx context.Context, tx *tenant.Tx) error) {
	h.Helper()
	h.use(func(ctx context.Context, db *tenant.DB) error {
		scope, err := tenant.EnterOperator(ctx, db, slug)
		if err != nil {
			return err
		}
		return tenant.Do(ctx, db, scope, func(tx *tenant.Tx) error { return fn(ctx, tx) })
	})
}

// trade gives acme a customer, an invoice that is paid in part, text that is hard to write, and a gateway with a secret.
func (h installation) trade() {
	h.Helper()
	h.use(func(ctx context.Context, db *tenant.DB) error {
		keyring, err := h.keys.openKeyring()
		if err != nil {
			return err
		}
		scope, err := tenant.EnterOperator(ctx, db, "acme")
		if err != nil {
			return err
		}
		organization := scope.Organization().ID
		if err := keyring.CreateKey(ctx, organization.String()); err != nil {
			return err
		}
		sealed, err := billing.SealGatewayAccount(ctx, bookSealer{keyring}, organization,
			billing.GatewayAccountInput{Kind: gateway.Practice, Name: "Practice", Key: practiceKey, WebhookSecret: fake.SecretOf(practiceKey)})
		if err != nil {
			return err
		}
		return tenant.Do(ctx, db, scope, func(tx *tenant.Tx) error {
			if _, err := billing.AddGatewayAccount(ctx, tx, sealed); err != nil {
				return err
			}
			c, err := billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: "Ævar \"Ö\" \\ <b>'; DROP 名"})
			if err != nil {
				return err
			}
			i, err := billing.DraftInvoice(ctx, tx, billing.InvoiceInput{CustomerID: c.ID, Lines: []billing.InvoiceLineInput{
				{Description: "Rope", Quantity: decimal.RequireFromString("1.250001"), UnitPrice: decimal.RequireFromString("33.333")}}})
			if err == nil {
				i, err = billing.IssueInvoice(ctx, tx, i.ID, 0)
			}
			if err != nil {
				return err
			}
			part := i.Total
			part.Minor /= 2
			_, err = billing.RecordPayment(ctx, tx, billing.PaymentInput{InvoiceID: i.ID, Amount: part, Method: billing.Cash})
			return err
		})
	})
}

func (h installation) export(name string, e orgExport) []byte {
	h.Helper()
	e.orgKeys, e.To, e.Slug = h.keys, filepath.Join(h.TempDir(), name), "acme"
	var out bytes.Buffer
	if err := e.run(h.Context(), &out); err != nil {
		h.Fatal(err)
	}
	if !strings.Contains(out.String(), "holds acme: ") {
		h.Errorf("it says %q", out.String())
	}
	archive, err := os.ReadFile(e.To)
	if err != nil {
		h.Fatal(err)
	}
	return archive
}

// publicKey is what the operator of an installation tells another.
func (h installation) publicKey() string {
	h.Helper()
	var out bytes.Buffer
	e := orgExport{orgKeys: h.keys, To: os.DevNull, Slug: "acme"}
	if err := e.run(h.Context(), &out); err != nil {
		h.Fatal(err)
	}
	_, key, _ := strings.Cut(strings.TrimSpace(out.String()), "--public-key ")
	return key
}

func (h installation) restore(archive []byte, c orgRestore) (said string, err error) {
	h.Helper()
	c.orgKeys, c.From = h.keys, filepath.Join(h.TempDir(), "archive")
	if err := os.WriteFile(c.From, archive, 0o600); err != nil {
		h.Fatal(err)
	}
	var out bytes.Buffer
	err = c.fromArchive(h.Context(), &out)
	return out.String(), err
}

// files are those of an archive, by name, and in which order.
func files(t *testing.T, archive []byte) (all map[string]string, order []string) {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	all = map[string]string{}
	for in := tar.NewReader(zip); ; {
		head, err := in.Next()
		if errors.Is(err, io.EOF) {
			return all, order
		} else if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		all[head.Name], order = string(body), append(order, head.Name)
	}
}

// packed is an archive of these files, in this order.
func packed(t *testing.T, all map[string]string, order []string) []byte {
	t.Helper()
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	w := tar.NewWriter(zip)
	for _, name := range order {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(all[name])), Mode: 0o600, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, all[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), zip.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// sameTables fails where two archives of one organization have other rows, but for the named tables.
func sameTables(t *testing.T, before, after []byte, but ...string) {
	t.Helper()
	had, _ := files(t, before)
	has, _ := files(t, after)
	for _, name := range slices.Sorted(maps.Keys(had)) {
		table, ok := strings.CutPrefix(name, "tables/")
		if table, _, _ = strings.Cut(table, "."); ok && !slices.Contains(but, table) && had[name] != has[name] {
			t.Errorf("%s was\n%.400s\nand is\n%.400s", name, had[name], has[name])
		}
		delete(has, name)
	}
	for name := range has {
		t.Errorf("%s is more than there was", name)
	}
}

func ageKeys(t *testing.T) (public, private string) {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	public, private = filepath.Join(t.TempDir(), "key.pub"), filepath.Join(t.TempDir(), "key.txt")
	if err := errors.Join(os.WriteFile(public, []byte(key.Recipient().String()+"\n"), 0o600), os.WriteFile(private, []byte(key.String()+"\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	return public, private
}

// TestOrgExport takes an organization from one installation into another, secrets and all, and finds the same there.
func TestOrgExport_and_restore_elsewhere(t *testing.T) {
	t.Parallel()
	here, there := openInstallation(t), openInstallation(t)
	here.trade()
	here.use(func(ctx context.Context, db *tenant.DB) error { return proveBooks(ctx, db, "acme", io.Discard) })
	public, private := ageKeys(t)
	archive := here.export("acme.tar.gz", orgExport{RecipientKey: public})
	for _, word := range []string{practiceKey, fake.SecretOf(practiceKey)} {
		all, _ := files(t, archive)
		for name, body := range all {
			if strings.Contains(body, word) {
				t.Errorf("%s has a secret in the clear", name)
			}
		}
	}
	if said, err := there.restore(archive, orgRestore{}); !errors.Is(err, tenant.ErrArchiveSigner) {
		t.Fatalf("of a signer that nobody named: %q, %v", said, err)
	}
	in := orgRestore{archiveRestore: archiveRestore{PublicKey: here.publicKey(), Identity: private, Owner: "mara@tidewater.example"}, Slug: "acme-moved"}
	said, err := there.restore(archive, in)
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	for _, want := range []string{"Restored as acme-moved: ", "The books of acme-moved are proved", "mara@tidewater.example is its owner", "It is suspended"} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
	if regexp.MustCompile(`(?m)^NO`).MatchString(said) {
		t.Errorf("it says\n%s", said)
	}
	there.use(func(ctx context.Context, db *tenant.DB) error {
		return tenant.ResumeOrganization(ctx, db, "acme-moved")
	})
	there.sameAs(archive)
	if said, err := there.restore(archive, in); !errors.Is(err, tenant.ErrArchiveHere) {
		t.Errorf("a second time: %q, %v", said, err)
	}
}

// TestOrgExport_while_everybody_works takes archives of one organization while people write in it and in another: nobody is
// kept from it, and each archive is of one moment, which restored elsewhere proves.
func TestOrgExport_while_everybody_works(t *testing.T) {
	t.Parallel()
	here, there := openInstallation(t), openInstallation(t)
	here.trade()
	here.use(func(ctx context.Context, db *tenant.DB) error {
		var owner tenant.Person
		err := tenant.DoPlatform(ctx, db, func(tx *tenant.PlatformTx) error {
			return tx.Get(ctx, &owner, `SELECT id, name, email FROM platform.person WHERE email = 'mara@tidewater.example'`)
		})
		if err != nil {
			return err
		}
		return tenant.Found(ctx, db, owner, "beta", "Beta Ltd", func(tx *tenant.Tx) error {
			if err := tx.SetMember(ctx, owner, "owner", tenant.Active); err != nil {
				return err
			}
			return billing.OpenBooks(ctx, tx, billing.Opening{Name: "Beta Ltd", Currency: money.MustCurrency("USD"), Country: "US", TimeZone: "America/New_York"})
		})
	})
	var stop atomic.Bool
	var issued [2]atomic.Int64
	var callers sync.WaitGroup
	for at, slug := range []string{"acme", "beta"} {
		for range 2 {
			callers.Go(func() {
				here.use(func(ctx context.Context, db *tenant.DB) error {
					for !stop.Load() {
						if err := issueOne(ctx, db, slug); err != nil {
							t.Errorf("somebody at work in %s was refused: %v", slug, err)
							return nil
						}
						issued[at].Add(1)
					}
					return nil
				})
			})
		}
	}
	var archives [][]byte
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for range 3 {
		was := [2]int64{issued[0].Load(), issued[1].Load()}
		archives = append(archives, here.export("acme.tar.gz", orgExport{}))
		for at := range issued { // they went on meanwhile, or do now
			for deadline := time.Now().Add(time.Minute); issued[at].Load() == was[at] && time.Now().Before(deadline); <-again.C {
			}
			if issued[at].Load() == was[at] {
				t.Errorf("nobody could work any more")
			}
		}
	}
	stop.Store(true)
	callers.Wait()
	journal := func(archive []byte) (size int) {
		all, _ := files(t, archive)
		for name, body := range all {
			if strings.HasPrefix(name, "tables/journal_line.") {
				size += len(body)
			}
		}
		return size
	}
	if first, last := journal(archives[0]), journal(archives[2]); first == 0 || last <= first {
		t.Errorf("the first archive has %d bytes of the journal, the last %d", first, last)
	}
	said, err := there.restore(archives[2], orgRestore{archiveRestore: archiveRestore{PublicKey: here.publicKey()}, Slug: "acme-again"})
	if err != nil || !strings.Contains(said, "The books of acme-again are proved") {
		t.Errorf("what was taken while people worked: %v\n%s", err, said)
	}
}

// issueOne sends one invoice in an organization.
func issueOne(ctx context.Context, db *tenant.DB, slug string) error {
	scope, err := tenant.EnterOperator(ctx, db, slug)
	if err != nil {
		return err
	}
	return tenant.Do(ctx, db, scope, func(tx *tenant.Tx) error {
		c, err := billing.AddCustomer(ctx, tx, billing.CustomerInput{Name: "Oyster Bay"})
		if err != nil {
			return err
		}
		i, err := billing.DraftInvoice(ctx, tx, billing.InvoiceInput{CustomerID: c.ID, Lines: []billing.InvoiceLineInput{
			{Description: "Rope", Quantity: decimal.NewFromInt(1), UnitPrice: decimal.NewFromInt(10)}}})
		if err == nil {
			_, err = billing.IssueInvoice(ctx, tx, i.ID, 0)
		}
		return err
	})
}

// sameAs finds every table as it was, the gateway's secret readable, and the owner inside.
func (h installation) sameAs(archive []byte) {
	h.Helper()
	again := orgExport{orgKeys: h.keys, To: filepath.Join(h.TempDir(), "again.tar.gz"), Slug: "acme-moved"}
	if err := again.run(h.Context(), io.Discard); err != nil {
		h.Fatal(err)
	}
	after, err := os.ReadFile(again.To)
	if err != nil {
		h.Fatal(err)
	}
	// Who may enter is another's affair, and the restoration is on record.
	sameTables(h.T, dropped(h.T, archive, "secrets.age"), after, "member", "audit_log", "seal")
	h.use(func(ctx context.Context, db *tenant.DB) error {
		scope, err := tenant.EnterOperator(ctx, db, "acme-moved")
		if err != nil {
			return err
		}
		keyring, err := h.keys.openKeyring()
		if err != nil {
			return err
		}
		return tenant.Do(ctx, db, scope, func(tx *tenant.Tx) error {
			var row struct{ ID, Sealed string }
			if err := tx.Get(ctx, &row, `SELECT id::text AS id, sealed FROM gateway_account WHERE kind = 'practice'`); err != nil {
				return err
			}
			at := secrets.Place{Organization: scope.Organization().ID.String(), Table: "gateway_account", Column: "sealed", Row: row.ID}
			plain, err := keyring.Open(ctx, at, row.Sealed)
			if err != nil || !bytes.Contains(plain, []byte(practiceKey)) {
				h.Errorf("the gateway's secret did not travel: %v", err)
			}
			var owners int
			if err := tx.Get(ctx, &owners, `SELECT count(*) FROM member WHERE role = 'owner' AND state = 'active' AND email = 'mara@tidewater.example'`); err != nil || owners != 1 {
				h.Errorf("%d owners, %v", owners, err)
			}
			return nil
		})
	})
}

func dropped(t *testing.T, archive []byte, name string) []byte {
	t.Helper()
	all, order := files(t, archive)
	delete(all, name)
	return packed(t, all, slices.DeleteFunc(order, func(n string) bool { return n == name }))
}

// Without a key for the recipient no secret travels, and what needs one says to enter it again.
func TestOrgExport_leaves_secrets_behind(t *testing.T) {
	t.Parallel()
	here, there := openInstallation(t), openInstallation(t)
	here.trade()
	archive := here.export("acme.tar.gz", orgExport{})
	if all, _ := files(t, archive); all["secrets.age"] != "" {
		t.Error("secrets travel unasked")
	}
	if said, err := there.restore(archive, orgRestore{archiveRestore: archiveRestore{PublicKey: here.publicKey()}, Slug: "acme-two"}); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	there.in("acme-two", func(ctx context.Context, tx *tenant.Tx) error {
		keyring, err := there.keys.openKeyring()
		if err != nil {
			return err
		}
		var row struct{ ID, Sealed string }
		if err := tx.Get(ctx, &row, `SELECT id::text AS id, sealed FROM gateway_account WHERE kind = 'practice'`); err != nil {
			return err
		}
		_, err = keyring.Open(ctx, secrets.Place{Organization: tx.Scope().Organization().ID.String(), Table: "gateway_account", Column: "sealed", Row: row.ID}, row.Sealed)
		if !errors.Is(err, secrets.ErrUnreadable) {
			t.Errorf("opens with %v", err)
		}
		return nil
	})
	stranger, _ := ageKeys(t)
	sealed := here.export("sealed.tar.gz", orgExport{RecipientKey: stranger})
	_, mine := ageKeys(t)
	in := orgRestore{archiveRestore: archiveRestore{PublicKey: here.publicKey(), Identity: mine}, Slug: "acme-three"}
	if _, err := there.restore(sealed, in); !errors.Is(err, custody.ErrNotRecipient) {
		t.Errorf("with another's key: %v", err)
	}
}

// Whatever is done to an archive, nothing of it is restored.
func TestOrgRestore_refuses_hostile_archives(t *testing.T) {
	t.Parallel()
	here, there := openInstallation(t), openInstallation(t)
	here.trade()
	archive, key := here.export("acme.tar.gz", orgExport{}), here.publicKey()
	all, order := files(t, archive)
	with := func(name, body string) []byte {
		changed := maps.Clone(all)
		changed[name] = body
		return packed(t, changed, order)
	}
	also := func(name, body string, first bool) []byte {
		changed := maps.Clone(all)
		changed[name] = body
		if first {
			return packed(t, changed, slices.Concat([]string{name}, order))
		}
		return packed(t, changed, slices.Concat(order, []string{name}))
	}
	const lines = "tables/journal_line.00001.jsonl"
	if all[lines] == "" {
		t.Fatalf("it has %v", order)
	}
	for name, hostile := range map[string][]byte{
		"a row is changed":                 with(lines, strings.Replace(all[lines], `"amount":`, `"amount":1`, 1)),
		"a row is taken out":               with(lines, all[lines][strings.IndexByte(all[lines], '\n')+1:]),
		"a checksum is changed too":        with("manifest.json", strings.Replace(all["manifest.json"], `"sha256": "`, `"sha256": "0`, 1)),
		"it is said to be another's":       with("manifest.json", strings.Replace(all["manifest.json"], `"slug": "acme"`, `"slug": "evil"`, 1)),
		"it is signed by nobody":           with("manifest.sig", `{"public_key":"","signature":""}`),
		"it has no signature":              packed(t, all, order[:len(order)-1]),
		"a part is missing":                packed(t, all, slices.DeleteFunc(slices.Clone(order), func(n string) bool { return n == lines })),
		"a part comes twice":               packed(t, all, slices.Concat([]string{lines}, order)),
		"a path leads out":                 also("../../etc/passwd", "x", true),
		"a path leads out below tables":    also("tables/../x.00001.jsonl", "x", true),
		"an absolute path":                 also("/tables/account.00001.jsonl", "x", true),
		"a file after the signature":       also("tables/account.00002.jsonl", "{}\n", false),
		"a file that none of ours has":     also("run.sh", "x", true),
		"bytes after its end":              append(bytes.Clone(archive), "more"...),
		"a second archive after its end":   append(bytes.Clone(archive), archive...),
		"it ends in the middle":            archive[:len(archive)/2],
		"it is nothing":                    nil,
		"it is something else":             []byte("PK\x03\x04 and so on"),
		"a bomb":                           bomb(t),
		"a link":                           special(t, tar.TypeSymlink),
		"a device":                         special(t, tar.TypeChar),
		"one file that is far too long":    long(t),
		"a bit of the compressed is wrong": flipped(archive),
	} {
		t.Run(name, func(t *testing.T) {
			said, err := there.restore(hostile, orgRestore{archiveRestore: archiveRestore{PublicKey: key}, Slug: "hostile"})
			if !errors.Is(err, tenant.ErrArchive) {
				t.Errorf("it is taken as %q, %v", said, err)
			}
		})
	}
	var list bytes.Buffer
	there.use(func(ctx context.Context, db *tenant.DB) error { return listOrganizations(ctx, db, &list) })
	if !strings.HasPrefix(list.String(), "acme ") || strings.Count(list.String(), "\n") != 1 {
		t.Errorf("there is\n%s", list.String())
	}
}

// bomb is eight parts of 60 MB of nothing each, in half a megabyte.
func bomb(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	w := tar.NewWriter(zip)
	nothing := make([]byte, 60<<20)
	for i := range 8 {
		err := w.WriteHeader(&tar.Header{Name: fmt.Sprintf("tables/account.%05d.jsonl", i+1), Size: int64(len(nothing)), Typeflag: tar.TypeReg})
		if err == nil {
			_, err = w.Write(nothing)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), zip.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func special(t *testing.T, kind byte) []byte {
	t.Helper()
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	w := tar.NewWriter(zip)
	err := w.WriteHeader(&tar.Header{Name: "tables/account.00001.jsonl", Linkname: "/etc/passwd", Typeflag: kind})
	if err := errors.Join(err, w.Close(), zip.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// long says that it has a file of a terabyte.
func long(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	err := tar.NewWriter(zip).WriteHeader(&tar.Header{Name: "tables/account.00001.jsonl", Size: 1 << 40, Typeflag: tar.TypeReg})
	if err := errors.Join(err, zip.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func flipped(archive []byte) []byte {
	changed := bytes.Clone(archive)
	changed[len(changed)/2] ^= 4
	return changed
}

// TestOrgSuspend shuts an organization for its members and opens it again.
func TestOrgSuspend(t *testing.T) {
	t.Parallel()
	h := openInstallation(t)
	h.use(func(ctx context.Context, db *tenant.DB) error {
		mute := identity.MailerFunc(func(context.Context, identity.Mail) error { return nil })
		people, err := identity.New(db, mute, identity.Options{Origin: "http://localhost"})
		if err != nil {
			return err
		}
		_, session, err := people.SignIn(ctx, "mara@tidewater.example", demoPassword, identity.RequestInfo{})
		if err != nil {
			return err
		}
		hash, ok := identity.HashToken(session)
		scope, err := tenant.EnterMember(ctx, db, hash, "acme")
		if err != nil || !ok {
			return fmt.Errorf("before: %w", err)
		}
		look := func() error { return tenant.Do(ctx, db, scope, func(*tenant.Tx) error { return nil }) }
		if err := look(); err != nil {
			return err
		}
		if err := tenant.ResumeOrganization(ctx, db, "acme"); !errors.Is(err, tenant.ErrNotSuspended) {
			t.Errorf("resuming what is open: %v", err)
		}
		if err := tenant.SuspendOrganization(ctx, db, "acme"); err != nil {
			return err
		}
		if err := look(); !errors.Is(err, tenant.ErrStale) {
			t.Errorf("who was in when it was shut: %v", err)
		}
		if _, err := tenant.EnterMember(ctx, db, hash, "acme"); err == nil {
			t.Error("who comes when it is shut is let in")
		}
		if err := tenant.SuspendOrganization(ctx, db, "acme"); !errors.Is(err, tenant.ErrNotInUse) {
			t.Errorf("shutting it twice: %v", err)
		}
		if err := tenant.SuspendOrganization(ctx, db, "nobody"); !errors.Is(err, tenant.ErrNoOrganization) {
			t.Errorf("shutting nobody: %v", err)
		}
		if err := tenant.ResumeOrganization(ctx, db, "acme"); err != nil {
			return err
		}
		scope, err = tenant.EnterMember(ctx, db, hash, "acme")
		return errors.Join(err, look())
	})
}
