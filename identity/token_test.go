package identity

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/internal/cursor"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
)

func anyScope(string) error { return nil }

func addToken(t testing.TB, db *tenant.DB, o tenanttest.Organization, in TokenInput) (token Token, secret string) {
	t.Helper()
	tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) (err error) {
		token, secret, err = AddToken(ctx, tx, in, anyScope)
		return err
	})
	return token, secret
}

func enter(t testing.TB, db *tenant.DB, secret string) (tenant.Scope, error) {
	t.Helper()
	hash, ok := ParseAPIToken(secret)
	if !ok {
		t.Fatalf("%q is no token", secret)
	}
	return tenant.EnterToken(context.Background(), db, hash)
}

func TestAddToken(t *testing.T) {
	t.Parallel()
	db := tenanttest.DB()
	ctx := context.Background()
	t.Run("enters the organization for its maker, within its scopes", func(t *testing.T) {
		t.Parallel()
		o := tenanttest.Found(t, db, nil)
		asked := []string{"invoices:write", "*:read", "invoices:write"}
		token, secret := addToken(t, db, o, TokenInput{Name: " Shop import ", Scopes: asked})
		if token.Name != "Shop import" || !strings.HasPrefix(secret, token.Hint) || len(token.Hint) > 12 || token.Maker != o.Owner.ID {
			t.Errorf("got %+v", token)
		}
		scope, err := enter(t, db, secret)
		if err != nil || scope.Kind() != tenant.Token || scope.Organization().Slug != o.Slug || scope.Person() != o.Owner ||
			!slices.Equal(scope.Ceiling(), []string{"*:read", "invoices:write"}) {
			t.Fatalf("got %+v, %v", scope, err)
		}
		if asked[0] != "invoices:write" {
			t.Error("the caller's list was changed")
		}
		tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error {
			var n int
			err := tx.Get(ctx, &n, `SELECT count(*) FROM audit_log a WHERE action = 'token.add' AND object_id = $1 AND position($2 in a::text) = 0`,
				token.ID, secret)
			if err == nil && n != 1 {
				err = fmt.Errorf("%d rows on record", n)
			}
			return err
		})
	})
	t.Run("refuses what is wrong, all at once", func(t *testing.T) {
		t.Parallel()
		o := tenanttest.Found(t, db, nil)
		past, refusal := time.Now().Add(-time.Second), fault.New(fault.Forbidden, "not.yours", "Not yours.")
		try := func(in TokenInput, may func(string) error) error {
			return tenant.Do(ctx, db, o.Scope, func(tx *tenant.Tx) error {
				_, secret, err := AddToken(ctx, tx, in, may)
				if err == nil || secret != "" {
					t.Errorf("%+v was taken", in)
				}
				return err
			})
		}
		err := try(TokenInput{Name: "", Scopes: []string{"invoices:read", "journal:read"}, ExpiresAt: &past}, func(s string) error {
			if s == "journal:read" {
				return refusal
			}
			return nil
		})
		wants(t, "name", err, text.ErrMissing)
		wants(t, "expiry", err, ErrTokenExpiry)
		wants(t, "scope", err, refusal)
		var all fault.List
		if !errors.As(err, &all) || len(all) != 3 || all[2].Field != "scopes[1]" {
			t.Errorf("got %v", err)
		}
		for _, scopes := range [][]string{nil, {""}, {"invoices"}, {"invoices:read write"}, {"in voices:read"}, {"invoices:approve"}, {":read"},
			{"**:read"}, {"Invoices:read"}, {"invoices:read\x00"}, {strings.Repeat("a", 60) + ":read"}, {`{"invoices:read"}`}, slices.Repeat([]string{"*:read"}, 51)} {
			wants(t, fmt.Sprintf("%.60q", scopes), try(TokenInput{Name: "x", Scopes: scopes}, anyScope), ErrTokenScopes)
		}
		broken := errors.New("the policy cannot be read")
		wants(t, "an error that is no refusal", try(TokenInput{Name: "x", Scopes: []string{"*:read"}}, func(string) error { return broken }), broken)
	})
	t.Run("makes none for the operator, who is nobody's maker", func(t *testing.T) {
		t.Parallel()
		o := tenanttest.Found(t, db, nil)
		scope, err := tenant.EnterOperator(ctx, db, o.Slug)
		if err != nil {
			t.Fatal(err)
		}
		err = tenant.Do(ctx, db, scope, func(tx *tenant.Tx) error {
			_, _, err := AddToken(ctx, tx, TokenInput{Name: "x", Scopes: []string{"*:write"}}, anyScope)
			return err
		})
		wants(t, "the operator", err, ErrTokenMaker)
	})
	t.Run("ends when it was to end, and with its maker's membership", func(t *testing.T) {
		t.Parallel()
		clock := &tenanttest.Clock{}
		db := tenanttest.OpenWith(t, clock)
		o := tenanttest.Found(t, db, nil)
		at := time.Now().Add(time.Hour)
		_, brief := addToken(t, db, o, TokenInput{Name: "brief", Scopes: []string{"*:read"}, ExpiresAt: &at})
		_, long := addToken(t, db, o, TokenInput{Name: "long", Scopes: []string{"*:read"}})
		scope, err := enter(t, db, brief)
		if err != nil {
			t.Fatal(err)
		}
		denied, err := enter(t, db, long)
		if err != nil {
			t.Fatal(err)
		}
		other, _ := tenanttest.NewPerson(t, db)
		tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error {
			if err := tx.SetMember(ctx, other, "owner", tenant.Active); err != nil { // an organization keeps one
				return err
			}
			return tx.SetMember(ctx, o.Owner, "owner", tenant.Denied)
		})
		nothing := func(*tenant.Tx) error { return nil }
		wants(t, "of a denied member, remembered", tenant.Do(ctx, db, denied, nothing), tenant.ErrStale)
		_, err = enter(t, db, long)
		wants(t, "of a denied member", err, tenant.ErrBadToken)
		clock.Advance(time.Hour + time.Minute)
		wants(t, "expired, remembered", tenant.Do(ctx, db, scope, nothing), tenant.ErrStale)
		_, err = enter(t, db, brief)
		wants(t, "expired", err, tenant.ErrBadToken)
	})
}

func TestTokens(t *testing.T) {
	t.Parallel()
	db := tenanttest.DB()
	other := tenanttest.Found(t, db, nil)
	foreign, _ := addToken(t, db, other, TokenInput{Name: "foreign", Scopes: []string{"*:read"}})
	o := tenanttest.Found(t, db, nil)
	at := time.Now().Add(time.Hour)
	var made []Token
	for n := range 5 {
		token, _ := addToken(t, db, o, TokenInput{Name: fmt.Sprint("token ", n), Scopes: []string{"invoices:read", "payments:write"}, ExpiresAt: &at})
		made = append([]Token{token}, made...)
	}
	tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error {
		var forth []Token
		q := cursor.Query{Limit: 2}
		for more := true; more; {
			page, err := Tokens(ctx, tx, q)
			if err != nil {
				return err
			}
			forth, more = append(forth, page.Items...), page.HasMore
			q.After = forth[len(forth)-1].ID.UUID
		}
		if got, want := fmt.Sprintf("%+v", names(forth)), fmt.Sprintf("%+v", names(made)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		page, err := Tokens(ctx, tx, cursor.Query{Limit: 2, Before: made[4].ID.UUID})
		if err != nil || !page.HasMore || fmt.Sprint(names(page.Items)) != fmt.Sprint(names(made[2:4])) {
			t.Errorf("backwards: %v, %v", page, err)
		}
		one, err := TokenByID(ctx, tx, made[0].ID)
		if err != nil || one.MakerName != o.Owner.Name || !slices.Equal(one.Scopes, made[0].Scopes) || !one.ExpiresAt.Equal(*made[0].ExpiresAt) ||
			one.RevokedAt != nil || one.LastUsedAt != nil || !one.CreatedAt.Equal(made[0].CreatedAt) {
			t.Errorf("got %+v, %v", one, err)
		}
		_, err = TokenByID(ctx, tx, foreign.ID)
		wants(t, "another organization's", err, ErrNoToken)
		return nil
	})
}

func names(tokens []Token) (all []string) {
	for _, token := range tokens {
		all = append(all, token.ID.String()+" "+token.Name)
	}
	return all
}

func TestRevokeToken(t *testing.T) {
	t.Parallel()
	ctx, db := context.Background(), tenanttest.DB()
	o, other := tenanttest.Found(t, db, nil), tenanttest.Found(t, db, nil)
	token, secret := addToken(t, db, o, TokenInput{Name: "x", Scopes: []string{"*:write"}})
	scope, err := enter(t, db, secret)
	if err != nil {
		t.Fatal(err)
	}
	err = tenant.Do(ctx, db, other.Scope, func(tx *tenant.Tx) error { return RevokeToken(ctx, tx, token.ID) })
	wants(t, "from another organization", err, ErrNoToken)
	if err := tenant.Do(ctx, db, scope, func(*tenant.Tx) error { return nil }); err != nil {
		t.Fatalf("another organization's attempt ended it: %v", err)
	}
	tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error { return RevokeToken(ctx, tx, token.ID) })
	err = tenant.Do(ctx, db, scope, func(*tenant.Tx) error { return nil })
	wants(t, "with a scope from before", err, tenant.ErrStale)
	_, err = enter(t, db, secret)
	wants(t, "entering again", err, tenant.ErrBadToken)
	err = tenant.Do(ctx, db, o.Scope, func(tx *tenant.Tx) error { return RevokeToken(ctx, tx, token.ID) })
	wants(t, "a second time", err, ErrNoToken)
}

func TestRotateToken(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	nothing := func(*tenant.Tx) error { return nil }
	rotate := func(t testing.TB, db *tenant.DB, o tenanttest.Organization, token TokenID, overlap time.Duration) (made Token, secret string) {
		t.Helper()
		tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) (err error) {
			made, secret, err = RotateToken(ctx, tx, token, overlap)
			return err
		})
		return made, secret
	}
	t.Run("keeps the old secret good until the overlap ends, and no longer", func(t *testing.T) {
		t.Parallel()
		clock := &tenanttest.Clock{}
		db := tenanttest.OpenWith(t, clock)
		o := tenanttest.Found(t, db, nil)
		token, old := addToken(t, db, o, TokenInput{Name: "x", Scopes: []string{"invoices:read"}})
		remembered, err := enter(t, db, old)
		if err != nil {
			t.Fatal(err)
		}
		made, fresh := rotate(t, db, o, token.ID, 24*time.Hour)
		if made.ID != token.ID || made.Name != "x" || fresh == old || !strings.HasPrefix(fresh, made.Hint) || made.FormerUntil == nil || made.RotatedAt == nil ||
			!made.FormerUntil.Equal(made.RotatedAt.Add(24*time.Hour)) {
			t.Fatalf("got %+v", made)
		}
		wants(t, "the scope from before", tenant.Do(ctx, db, remembered, nothing), tenant.ErrStale)
		for name, secret := range map[string]string{"old": old, "new": fresh} {
			scope, err := enter(t, db, secret)
			if err != nil || !slices.Equal(scope.Ceiling(), []string{"invoices:read"}) {
				t.Fatalf("the %s secret: %v", name, err)
			}
			if err := tenant.Do(ctx, db, scope, nothing); err != nil {
				t.Errorf("the %s secret: %v", name, err)
			}
		}
		clock.Advance(24*time.Hour - time.Minute)
		scope, err := enter(t, db, old)
		if err != nil {
			t.Fatal(err)
		}
		if err := tenant.Do(ctx, db, scope, nothing); err != nil {
			t.Errorf("a minute before the end: %v", err)
		}
		clock.Advance(2 * time.Minute)
		wants(t, "the old secret after the end, remembered", tenant.Do(ctx, db, scope, nothing), tenant.ErrStale)
		_, err = enter(t, db, old)
		wants(t, "the old secret after the end", err, tenant.ErrBadToken)
		if _, err := enter(t, db, fresh); err != nil {
			t.Errorf("the new secret: %v", err)
		}
	})
	t.Run("tells which of the two is in use", func(t *testing.T) {
		t.Parallel()
		clock := &tenanttest.Clock{}
		db := tenanttest.OpenWith(t, clock)
		o := tenanttest.Found(t, db, nil)
		token, old := addToken(t, db, o, TokenInput{Name: "x", Scopes: []string{"*:read"}})
		_, fresh := rotate(t, db, o, token.ID, time.Hour)
		use := func(secret string) {
			t.Helper()
			scope, err := enter(t, db, secret)
			if err != nil {
				t.Fatal(err)
			}
			if err := tenant.Seen(ctx, db, scope); err != nil {
				t.Fatal(err)
			}
		}
		look := func() (seen Token) {
			t.Helper()
			tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) (err error) {
				seen, err = TokenByID(ctx, tx, token.ID)
				return err
			})
			return seen
		}
		use(old)
		if seen := look(); seen.FormerUsedAt == nil || seen.LastUsedAt != nil {
			t.Errorf("after the old one was used: %+v", seen)
		}
		use(fresh)
		if seen := look(); seen.LastUsedAt == nil {
			t.Errorf("after the new one was used: %+v", seen)
		}
	})
	t.Run("ends both by revoking, the old one at once without overlap, and the one before that", func(t *testing.T) {
		t.Parallel()
		db := tenanttest.DB()
		o := tenanttest.Found(t, db, nil)
		token, first := addToken(t, db, o, TokenInput{Name: "x", Scopes: []string{"*:read"}})
		_, second := rotate(t, db, o, token.ID, MaxTokenOverlap)
		_, third := rotate(t, db, o, token.ID, MaxTokenOverlap)
		_, err := enter(t, db, first)
		wants(t, "the secret before the last", err, tenant.ErrBadToken)
		for _, secret := range []string{second, third} {
			if _, err := enter(t, db, secret); err != nil {
				t.Fatal(err)
			}
		}
		tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error { return RevokeToken(ctx, tx, token.ID) })
		for _, secret := range []string{second, third} {
			scope, err := enter(t, db, secret)
			if err == nil { // remembered: the database is asked
				err = tenant.Do(ctx, db, scope, nothing)
				wants(t, "remembered", err, tenant.ErrStale)
				_, err = enter(t, db, secret)
			}
			wants(t, "after revoking", err, tenant.ErrBadToken)
		}
		sudden, old := addToken(t, db, o, TokenInput{Name: "y", Scopes: []string{"*:read"}})
		made, fresh := rotate(t, db, o, sudden.ID, 0)
		_, err = enter(t, db, old)
		wants(t, "without overlap", err, tenant.ErrBadToken)
		if _, err := enter(t, db, fresh); err != nil || made.FormerUntil != nil {
			t.Errorf("got %+v, %v", made, err)
		}
	})
	t.Run("is for its maker, who is a member, and for a token that lives", func(t *testing.T) {
		t.Parallel()
		clock := &tenanttest.Clock{}
		db := tenanttest.OpenWith(t, clock)
		o := tenanttest.Found(t, db, nil)
		at := db.Now().Add(time.Hour)
		token, _ := addToken(t, db, o, TokenInput{Name: "x", Scopes: []string{"*:read"}, ExpiresAt: &at})
		second, session := tenanttest.NewPerson(t, db)
		tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error {
			return tx.SetMember(ctx, second, "owner", tenant.Active)
		})
		other := tenanttest.Found(t, db, nil)
		attempt := func(scope tenant.Scope, overlap time.Duration) error {
			return tenant.Do(ctx, db, scope, func(tx *tenant.Tx) error {
				_, _, err := RotateToken(ctx, tx, token.ID, overlap)
				return err
			})
		}
		theirs, err := tenant.EnterMember(ctx, db, session, o.Slug)
		if err != nil {
			t.Fatal(err)
		}
		wants(t, "another owner", attempt(theirs, time.Hour), ErrTokenOther)
		wants(t, "another organization", attempt(other.Scope, time.Hour), ErrNoToken)
		operator, err := tenant.EnterOperator(ctx, db, o.Slug)
		if err != nil {
			t.Fatal(err)
		}
		wants(t, "the operator", attempt(operator, time.Hour), ErrTokenMaker)
		tenanttest.Do(t, db, o, func(context.Context, *tenant.Tx) error { return nil }) // the scope from before is forgotten
		mine, err := tenant.EnterMember(ctx, db, o.Session, o.Slug)
		if err != nil {
			t.Fatal(err)
		}
		for _, overlap := range []time.Duration{-1, MaxTokenOverlap + 1} {
			wants(t, overlap.String(), attempt(mine, overlap), ErrTokenOverlap)
		}
		clock.Advance(59 * time.Minute)
		if err := attempt(mine, time.Hour); err != nil {
			t.Fatal(err)
		}
		tenanttest.Do(t, db, o, func(ctx context.Context, tx *tenant.Tx) error { return RevokeToken(ctx, tx, token.ID) })
		wants(t, "a revoked one", attempt(mine, time.Hour), ErrTokenEnded)
	})
}
