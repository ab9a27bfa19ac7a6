package custody

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"filippo.io/age"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/secrets"
	"github.com/countinghouse/countinghouse/tenant"
)

// ErrNotRecipient says that an archive's secrets are not for who asks.
var ErrNotRecipient = fault.New(fault.Forbidden, "archive.not_recipient",
	"The secrets of this archive are sealed for another key. Give the identity that belongs to the public key it was exported for, or leave it out: the secrets are then to be entered anew.")

// SealForRecipients gives what tenant.ArchiveOptions wants: secrets are opened by the keyring and sealed, all in one file, for
// whoever holds the private key of one of the recipients, in the format of age. What the keyring cannot open stays behind.
func SealForRecipients(keyring secrets.Keyring, recipients ...age.Recipient) func(ctx context.Context, o tenant.OrganizationID, all []tenant.TravellingSecret) ([]byte, int, error) {
	return func(ctx context.Context, o tenant.OrganizationID, all []tenant.TravellingSecret) ([]byte, int, error) {
		var file bytes.Buffer
		w, err := age.Encrypt(&file, recipients...)
		if err != nil {
			return nil, 0, err
		}
		count, lines := 0, json.NewEncoder(w)
		for some := range slices.Chunk(all, pieceRows) {
			items := make([]secrets.Sealed, len(some))
			for i, s := range some {
				items[i] = secrets.Sealed{Text: s.Text, Place: placeOf(o, s)}
			}
			for i, opened := range keyring.OpenAll(ctx, items) {
				if opened.Err != nil && fault.KindOf(opened.Err) == fault.Unavailable {
					return nil, 0, opened.Err
				} else if opened.Err != nil {
					continue
				}
				some[i].Plain = opened.Value
				if err := lines.Encode(some[i]); err != nil {
					return nil, 0, err
				}
				count++
			}
		}
		if err := w.Close(); err != nil {
			return nil, 0, err
		}
		return file.Bytes(), count, nil
	}
}

// SealHere opens an archive's secrets by one of the identities and seals them by this installation's keyring, whose key for the
// organization it makes. It fails with ErrNotRecipient, tenant.ErrArchive and the keyring's faults.
func SealHere(ctx context.Context, keyring secrets.Keyring, o tenant.OrganizationID, file []byte, identities ...age.Identity) ([]tenant.TravellingSecret, error) {
	opened, err := age.Decrypt(bytes.NewReader(file), identities...)
	if err != nil {
		return nil, ErrNotRecipient.Because(err)
	}
	all, err := tenant.ReadSecrets(opened)
	if err != nil {
		return nil, err
	}
	for some := range slices.Chunk(all, pieceRows) {
		items := make([]secrets.Plain, len(some))
		for i, s := range some {
			items[i] = secrets.Plain{Place: placeOf(o, s), Plaintext: s.Plain}
		}
		for i, sealed := range keyring.SealAll(ctx, items) {
			if sealed.Err != nil {
				return nil, fmt.Errorf("sealing a secret of %s.%s: %w", some[i].Table, some[i].Column, sealed.Err)
			}
			some[i].Text, some[i].Plain = sealed.Value, nil
		}
	}
	return all, nil
}

func placeOf(o tenant.OrganizationID, s tenant.TravellingSecret) secrets.Place {
	return secrets.Place{Organization: o.String(), Table: s.Table, Column: s.Column, Row: s.Row}
}
