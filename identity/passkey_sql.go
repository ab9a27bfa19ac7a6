package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
)

// keyHolderOf reads a person's passkeys and holds them until the transaction ends: two sign-ins with one take turns,
// or a copy of it would go unseen.
func keyHolderOf(ctx context.Context, tx *tenant.PlatformTx, p tenant.Person) (keyHolder, error) {
	var rows []struct {
		Record []byte `db:"record"`
	}
	err := tx.Select(ctx, &rows, `SELECT record FROM platform.passkey WHERE person_id = $1 ORDER BY id FOR UPDATE`, p.ID)
	if err != nil {
		return keyHolder{}, fmt.Errorf("looking for passkeys: %w", err)
	}
	holder := keyHolder{person: p}
	for _, row := range rows {
		var record webauthn.Credential
		if err := json.Unmarshal(row.Record, &record); err != nil {
			return keyHolder{}, fmt.Errorf("reading a passkey: %w", err)
		}
		holder.records = append(holder.records, record)
	}
	return holder, nil
}

func passkeysOf(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID) ([]Passkey, error) {
	var rows []struct {
		ID        PasskeyID  `db:"id"`
		Name      string     `db:"name"`
		CreatedAt time.Time  `db:"created_at"`
		LastUsed  *time.Time `db:"last_used_at"`
	}
	err := tx.Select(ctx, &rows, `SELECT id, name, created_at, last_used_at FROM platform.passkey WHERE person_id = $1 ORDER BY id`, person)
	if err != nil {
		return nil, fmt.Errorf("listing passkeys: %w", err)
	}
	var all []Passkey
	for _, r := range rows {
		all = append(all, Passkey{r.ID, r.Name, r.CreatedAt.UTC(), utc(r.LastUsed)})
	}
	return all, nil
}

// personByPasskey is ErrPasskey for one that nobody added.
func personByPasskey(ctx context.Context, tx *tenant.PlatformTx, credential []byte) (tenant.Person, error) {
	var row personRow
	err := tx.Get(ctx, &row, `
		SELECT p.id, p.name, p.email FROM platform.passkey k JOIN platform.person p ON p.id = k.person_id
		 WHERE k.credential_id = $1`, credential)
	if errors.Is(err, tenant.ErrNoRows) {
		return tenant.Person{}, ErrPasskey
	} else if err != nil {
		return tenant.Person{}, fmt.Errorf("looking for the holder of a passkey: %w", err)
	}
	return row.person(), nil
}

// insertPasskey is ErrPasskey for one that somebody has added already.
func insertPasskey(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID, name string, made *webauthn.Credential) error {
	record, err := json.Marshal(made)
	if err != nil {
		return fmt.Errorf("writing a passkey: %w", err)
	}
	n, err := tx.Exec(ctx, `
		INSERT INTO platform.passkey (id, person_id, credential_id, name, record, created_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (credential_id) DO NOTHING`, id.New[Passkey](), person, made.ID, name, string(record), tx.Now())
	if err != nil {
		return fmt.Errorf("keeping a passkey: %w", err)
	}
	if n == 0 {
		return ErrPasskey
	}
	return nil
}

// notePasskey keeps what changed of a passkey by its use. It is ErrPasskey for one whose count went back: there is
// a copy of it (W3C Web Authentication section 6.1.1).
func notePasskey(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID, used *webauthn.Credential) error {
	if used.Authenticator.CloneWarning {
		return ErrPasskey.Because(errors.New("the sign count went back: the passkey may have been copied"))
	}
	record, err := json.Marshal(used)
	if err != nil {
		return fmt.Errorf("writing a passkey: %w", err)
	}
	_, err = tx.Exec(ctx, `
		UPDATE platform.passkey SET record = $3, last_used_at = $4 WHERE person_id = $1 AND credential_id = $2`,
		person, used.ID, string(record), tx.Now())
	if err != nil {
		return fmt.Errorf("noting the use of a passkey: %w", err)
	}
	return nil
}

func deletePasskey(ctx context.Context, tx *tenant.PlatformTx, person tenant.PersonID, passkey PasskeyID) error {
	n, err := tx.Exec(ctx, `DELETE FROM platform.passkey WHERE id = $2 AND person_id = $1`, person, passkey)
	if err != nil {
		return fmt.Errorf("removing a passkey: %w", err)
	}
	if n == 0 {
		return ErrNoPasskey
	}
	return nil
}

// beginCeremony keeps a challenge until it is answered, and clears away those that nobody answered in time.
func beginCeremony(ctx context.Context, tx *tenant.PlatformTx, purpose string, person tenant.PersonID, options any, data *webauthn.SessionData) (Challenge, error) {
	token, hash, err := newSecret()
	if err != nil {
		return Challenge{}, err
	}
	asked, err := json.Marshal(options)
	if err != nil {
		return Challenge{}, fmt.Errorf("writing a challenge: %w", err)
	}
	kept, err := json.Marshal(data)
	if err != nil {
		return Challenge{}, fmt.Errorf("writing a challenge: %w", err)
	}
	if _, err := tx.Exec(ctx, `
		DELETE FROM platform.passkey_ceremony WHERE token_hash IN (
			SELECT token_hash FROM platform.passkey_ceremony WHERE expires_at <= $1 LIMIT 100 FOR UPDATE SKIP LOCKED)`, tx.Now()); err != nil {
		return Challenge{}, fmt.Errorf("clearing old challenges: %w", err)
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO platform.passkey_ceremony (token_hash, purpose, person_id, data, expires_at)
		VALUES ($1, $2, $3, $4, $5)`, hash[:], purpose, orNobody(person), kept, tx.Now().Add(ceremonyLifetime))
	if err != nil {
		return Challenge{}, fmt.Errorf("keeping a challenge: %w", err)
	}
	return Challenge{Ceremony: token, Options: asked}, nil
}

// takeCeremony gives a challenge to the first who answers it, and ErrPasskey to everyone else.
func takeCeremony(ctx context.Context, tx *tenant.PlatformTx, token, purpose string, person tenant.PersonID) (data webauthn.SessionData, err error) {
	hash, ok := HashToken(token)
	if !ok {
		return data, ErrPasskey
	}
	var kept []byte
	err = tx.Get(ctx, &kept, `
		DELETE FROM platform.passkey_ceremony
		 WHERE token_hash = $1 AND purpose::text = $2 AND person_id IS NOT DISTINCT FROM $3::uuid AND expires_at > $4
		RETURNING data`, hash[:], purpose, orNobody(person), tx.Now())
	if errors.Is(err, tenant.ErrNoRows) {
		return data, ErrPasskey
	} else if err != nil {
		return data, fmt.Errorf("taking a challenge: %w", err)
	}
	if err := json.Unmarshal(kept, &data); err != nil {
		return data, fmt.Errorf("reading a challenge: %w", err)
	}
	return data, nil
}

// orNobody is NULL for the zero person.
func orNobody(person tenant.PersonID) any {
	if person.IsZero() {
		return nil
	}
	return person
}
