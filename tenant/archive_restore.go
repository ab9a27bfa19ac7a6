package tenant

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"github.com/countinghouse/countinghouse/migrations"
)

// Restoring says how an archive becomes an organization.
type Restoring struct {
	Manifest Manifest // from ReadManifest, which proved it
	Slug     string   // its address here
	// Archive is read from its beginning: the same bytes that ReadManifest read.
	Archive io.Reader
	// Secrets are those of the archive, sealed by this installation's keyring. Those that are missing are to be entered anew.
	Secrets []TravellingSecret
	// Columns are those that hold what the keyring sealed.
	Columns []SealedColumn
}

// RestoreArchive makes an organization of an archive, under the id that it had, in a schema and a role of its own: all of
// it, or nothing. It is suspended until ResumeOrganization, so that it can be proved first; its key was made before. Nobody is
// a member: those it had are listed as removed, and are to be invited. It fails with ErrArchiveHere, ErrArchiveVersion,
// ErrArchive, ErrSlugTaken and what CheckSlug refuses.
func RestoreArchive(ctx context.Context, db *DB, r Restoring) error {
	if err := CheckSlug(r.Slug); err != nil {
		return err
	}
	all, err := steps(migrations.Tenant())
	if err != nil {
		return err
	}
	for _, v := range r.Manifest.Versions {
		if !slices.ContainsFunc(all, func(s step) bool { return s.version == v }) {
			return ErrArchiveVersion.Because(fmt.Errorf("it needs migration %d", v))
		}
	}
	schema, err := newSchemaName()
	if err != nil {
		return err
	}
	err = db.owned(ctx, func(tx *sqlx.Tx) error {
		f := filling{tx: tx, Restoring: r, schema: schema}
		return f.run(ctx, all, db)
	})
	if Violates(err) == "organization_slug_key" {
		return ErrSlugTaken.At("slug")
	}
	return err
}

// filling is a restoration under way.
type filling struct {
	Restoring
	tx     *sqlx.Tx
	schema string
}

func (f filling) run(ctx context.Context, all []step, db *DB) error {
	if err := f.claim(ctx, db); err != nil {
		return err
	}
	had := func(s step) bool { return slices.Contains(f.Manifest.Versions, s.version) }
	for _, s := range all {
		if had(s) {
			if err := applyStep(ctx, f.tx, f.schema, s, 0); err != nil {
				return err
			}
		}
	}
	if err := f.fill(ctx); err != nil {
		return err
	}
	if err := f.seal(ctx); err != nil {
		return err
	}
	for _, s := range all { // what came after the archive was made
		if !had(s) {
			if err := applyStep(ctx, f.tx, f.schema, s, 0); err != nil {
				return err
			}
		}
	}
	return f.index(ctx)
}

// claim makes the schema and its role, and notes whose they are.
func (f filling) claim(ctx context.Context, db *DB) error {
	var there bool
	if err := f.tx.GetContext(ctx, &there, `SELECT EXISTS (SELECT FROM platform.organization WHERE id = $1)`, f.Manifest.Organization.ID); err != nil {
		return fmt.Errorf("looking for the organization: %w", err)
	} else if there {
		return ErrArchiveHere
	}
	var home struct {
		ID    int
		Login string
	}
	err := f.tx.GetContext(ctx, &home, `
		SELECT c.id, c.login FROM platform.compartment c
		  LEFT JOIN platform.organization o ON o.compartment_id = c.id AND o.state::text <> 'gone'
		 GROUP BY c.id ORDER BY count(o.id), c.id LIMIT 1`)
	if err != nil {
		return fmt.Errorf("choosing a compartment: %w", err)
	}
	if _, err := f.tx.ExecContext(ctx, schemaMessage(f.schema, home.Login, db.config.Citus)); err != nil {
		return fmt.Errorf("building schema %s: %w", f.schema, err)
	}
	_, err = f.tx.ExecContext(ctx, `
		INSERT INTO platform.organization (id, compartment_id, schema_name, slug, name, state, created_at, claimed_at) VALUES ($1, $2, $3, $4, $5, 'suspended', $6, $6)`,
		f.Manifest.Organization.ID, home.ID, f.schema, f.Slug, f.Manifest.Organization.Name, db.Now())
	if err != nil {
		return fmt.Errorf("noting schema %s: %w", f.schema, err)
	}
	_, err = f.tx.ExecContext(ctx, `INSERT INTO platform.schema_version (schema_name, version, applied_at) VALUES ($1, 0, $2)`, f.schema, db.Now())
	if err != nil {
		return fmt.Errorf("noting the versions of schema %s: %w", f.schema, err)
	}
	return nil
}

// fill reads the archive once more, and holds it against the manifest once more: it may have been changed meanwhile. The
// tables' triggers rest: they look at who writes when, and all this was written before. What they would refuse, the proof
// of the books finds.
func (f filling) fill(ctx context.Context) error {
	if err := f.triggers(ctx, "DISABLE"); err != nil {
		return err
	}
	if _, err := f.tx.ExecContext(ctx, `CREATE TEMP TABLE staging (line text) ON COMMIT DROP; SET LOCAL timezone = 'UTC'`); err != nil {
		return fmt.Errorf("beginning to restore: %w", err)
	}
	next := 0
	var filled string // the table whose lines lie in staging
	var columns []string
	err := eachFile(f.Archive, func(name string, body []byte) error {
		if name == manifestName || name == signatureName {
			return nil
		}
		sum := sha256.Sum256(body)
		if next == len(f.Manifest.Files) || f.Manifest.Files[next].Name != name || f.Manifest.Files[next].SHA256 != hex.EncodeToString(sum[:]) {
			return ErrArchive.Because(errors.New("it was changed while it was read"))
		}
		file := f.Manifest.Files[next]
		next++
		if file.Table == "" {
			return nil
		}
		if file.Table != filled {
			if err := f.pour(ctx, filled, columns); err != nil {
				return err
			}
		}
		filled, columns = file.Table, file.Columns
		return f.stage(ctx, body)
	})
	if err != nil {
		return err
	}
	if next != len(f.Manifest.Files) {
		return ErrArchive.Because(errors.New("it was changed while it was read"))
	}
	if err := f.pour(ctx, filled, columns); err != nil {
		return err
	}
	if err := f.count(ctx); err != nil {
		return err
	}
	return f.triggers(ctx, "ENABLE")
}

func (f filling) triggers(ctx context.Context, how string) error {
	var tables []string
	err := f.tx.SelectContext(ctx, &tables, `SELECT DISTINCT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = $1 AND NOT t.tgisinternal`, f.schema)
	if err != nil {
		return fmt.Errorf("listing triggers: %w", err)
	}
	for _, t := range tables {
		if _, err := f.tx.ExecContext(ctx, "ALTER TABLE "+f.schema+"."+pq.QuoteIdentifier(t)+" "+how+" TRIGGER USER"); err != nil {
			return fmt.Errorf("resting the triggers of %s: %w", t, err)
		}
	}
	return nil
}

// stage keeps the lines of a part until the table is whole: its rows may refer to each other.
func (f filling) stage(ctx context.Context, body []byte) error {
	lines := strings.Split(strings.TrimSuffix(string(body), "\n"), "\n")
	if bytes.IndexByte(body, 0) >= 0 {
		return ErrArchive.Because(errors.New("a row has a NUL"))
	}
	if _, err := f.tx.ExecContext(ctx, `INSERT INTO staging SELECT unnest($1::text[])`, pq.Array(lines)); err != nil {
		return fmt.Errorf("reading rows: %w", err)
	}
	return nil
}

// pour puts the staged lines into their table. Which columns it has says its schema; which of them travel the manifest.
func (f filling) pour(ctx context.Context, table string, columns []string) error {
	if table == "" {
		return nil
	}
	known, err := tableColumns(ctx, f.tx, f.schema, table)
	if err != nil {
		return err
	}
	quoted := make([]string, len(columns))
	for i, c := range columns {
		if !slices.Contains(known, c) {
			return ErrArchiveVersion.Because(fmt.Errorf("%s has no column %.60q here", table, c))
		}
		quoted[i] = "r." + pq.QuoteIdentifier(c)
	}
	into := f.schema + "." + pq.QuoteIdentifier(table)
	list := strings.Join(quoted, ", ")
	_, err = f.tx.ExecContext(ctx, "INSERT INTO "+into+" ("+strings.ReplaceAll(list, `r."`, `"`)+") SELECT "+list+
		" FROM staging s CROSS JOIN LATERAL jsonb_populate_record(NULL::"+into+", s.line::jsonb) AS r; TRUNCATE staging; ANALYZE "+into)
	if err != nil {
		return ErrArchive.Because(fmt.Errorf("filling %s: %w", table, err))
	}
	return nil
}

// count holds the rows that are there against those that the manifest names.
func (f filling) count(ctx context.Context) error {
	for table, want := range f.Manifest.Rows() {
		var n int64
		if err := f.tx.GetContext(ctx, &n, "SELECT count(*) FROM "+f.schema+"."+pq.QuoteIdentifier(table)); err != nil {
			return fmt.Errorf("counting %s: %w", table, err)
		}
		if n != want {
			return ErrArchive.Because(fmt.Errorf("%s has %d rows of %d", table, n, want))
		}
	}
	return nil
}

// seal puts the secrets in their places, sealed for here.
func (f filling) seal(ctx context.Context) error {
	for _, s := range f.Secrets {
		at := slices.IndexFunc(f.Columns, func(c SealedColumn) bool { return string(c.Table) == s.Table && string(c.Column) == s.Column })
		if at < 0 {
			return ErrArchive.Because(fmt.Errorf("it has a secret of %.60q, where none is kept", s.Table+"."+s.Column))
		}
		c := f.Columns[at]
		_, err := f.tx.ExecContext(ctx, "UPDATE "+f.schema+"."+string(c.Table)+" SET "+string(c.Column)+" = $2 WHERE "+string(c.Key)+" = $1::uuid AND "+string(c.Column)+" <> ''", s.Row, s.Text)
		if err != nil {
			return fmt.Errorf("keeping a secret of %s: %w", c, err)
		}
	}
	return nil
}

// index writes what the platform keeps of an organization's own tables, and lets nobody in.
func (f filling) index(ctx context.Context) error {
	id := f.Manifest.Organization.ID
	for _, q := range []string{
		`UPDATE ` + f.schema + `.member SET state = 'removed' WHERE state <> 'removed'`,
		`INSERT INTO platform.own_role (organization_id, role, rights) SELECT $1, 'own:' || r.id, r.rights FROM ` + f.schema + `.role r`,
		`INSERT INTO platform.entry_rule (organization_id, second_factor, password_length, password_score, password_days, idle_minutes, session_hours, portal_captcha)
			SELECT $1, s.entry_second_factor, s.entry_password_length, s.entry_password_score, s.entry_password_days, s.entry_idle_minutes, s.entry_session_hours, s.portal_captcha
			  FROM ` + f.schema + `.settings s`,
		`INSERT INTO platform.plan_account (organization_id, plan_code, state, since, trial_until)
			SELECT $1, p.code, CASE WHEN p.trial_days > 0 THEN 'trialing' ELSE 'active' END, now(), CASE WHEN p.trial_days > 0 THEN now() + make_interval(days => p.trial_days) END
			  FROM platform.plan p WHERE p.initial`,
	} {
		arguments := []any{id}
		if !strings.Contains(q, "$1") {
			arguments = nil
		}
		if _, err := f.tx.ExecContext(ctx, q, arguments...); err != nil {
			return fmt.Errorf("noting what was restored: %w", err)
		}
	}
	return nil
}

// ReadSecrets reads what an archive's secrets.age holds, once it was opened.
func ReadSecrets(opened io.Reader) (all []TravellingSecret, err error) {
	d := json.NewDecoder(io.LimitReader(opened, partMost))
	d.DisallowUnknownFields()
	for {
		var s TravellingSecret
		if err := d.Decode(&s); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, ErrArchive.Because(errors.New("its secrets cannot be read"))
		}
		all = append(all, s)
	}
}
