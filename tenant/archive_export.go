package tenant

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// TravellingSecret is a secret on its way from one installation to another.
type TravellingSecret struct {
	Table  string `json:"table"`
	Column string `json:"column"`
	Row    string `json:"row"`
	Text   string `json:"-"`     // as it is sealed where it is kept
	Plain  []byte `json:"plain"` // as it travels, inside of what is sealed for the recipient
}

// ArchiveOptions say how an archive is made.
type ArchiveOptions struct {
	Version string // of the program
	Sign    ed25519.PrivateKey
	// Columns are those that hold what the keyring sealed. None of their texts is in the tables of an archive.
	Columns []SealedColumn
	// Secrets seals secrets for the recipient: given those of the organization, it gives the file secrets.age and how many
	// are in it. Nil leaves them behind. No transaction is open meanwhile.
	Secrets func(ctx context.Context, organization OrganizationID, all []TravellingSecret) (file []byte, count int, err error)
}

// What is left out of an archive: a password's hash, which people set anew, and the number of the transaction that wrote
// an entry, which means nothing elsewhere.
var (
	blanked   = map[string]string{"contact.password_hash": "NULL"}
	untaken   = map[string]bool{"journal_entry.posted_in": true}
	unfetched = map[string]bool{"idempotency_key": true} // answers to requests of the last day, keyed by this installation
)

// leftBehind stands where a secret was: it opens nowhere, and whoever needs it is told to enter it again.
const leftBehind = "left behind"

// ArchiveOrganization writes all that an organization is to w, as it is at one moment; it and the others are in use
// meanwhile. API tokens, sessions, invitations and whatever else lets somebody in stay. It fails with ErrNoOrganization.
func ArchiveOrganization(ctx context.Context, db *DB, slug string, w io.Writer, o ArchiveOptions) (m Manifest, err error) {
	a, err := newArchiveWriter(w, db.Now())
	if err != nil {
		return m, err
	}
	m = Manifest{Format: ArchiveFormat, MadeAt: db.Now(), MadeBy: o.Version}
	var kept []TravellingSecret
	err = db.owned(ctx, func(tx *sqlx.Tx) error {
		e := &archiving{archiveWriter: a, tx: tx, options: o, m: &m}
		if err := e.begin(ctx, slug); err != nil {
			return err
		}
		for _, t := range m.Tables {
			if err := e.table(ctx, t); err != nil {
				return err
			}
		}
		kept, err = e.secrets(ctx)
		return err
	})
	if err != nil {
		return m, err
	}
	if o.Secrets != nil && len(kept) > 0 {
		var file []byte
		if file, m.Secrets, err = o.Secrets(ctx, m.Organization.ID, kept); err != nil {
			return m, fmt.Errorf("sealing secrets for the recipient: %w", err)
		}
		if err := a.add(ArchiveFile{Name: secretsName}, file); err != nil {
			return m, err
		}
	}
	err = a.end(m, o.Sign)
	m.Files = a.files
	return m, err
}

// archiving is an archive under way, in a transaction that sees one moment.
type archiving struct {
	*archiveWriter
	tx      *sqlx.Tx
	options ArchiveOptions
	m       *Manifest
	schema  string
}

func (e *archiving) begin(ctx context.Context, slug string) error {
	if _, err := e.tx.ExecContext(ctx, `SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO'`); err != nil {
		return fmt.Errorf("beginning an archive: %w", err)
	}
	var o struct {
		ID           OrganizationID
		Schema       string `db:"schema_name"`
		Slug, Name   string
		VersionsText string `db:"versions"`
	}
	err := e.tx.GetContext(ctx, &o, `
		SELECT o.id, o.schema_name, o.slug, o.name, (SELECT json_agg(v.version ORDER BY v.version) FROM platform.schema_version v
		        WHERE v.schema_name = o.schema_name AND v.version > 0)::text AS versions
		  FROM platform.organization o WHERE o.slug = $1 AND o.state::text IN ('active', 'suspended', 'closing')`, slug)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNoOrganization
	} else if err != nil {
		return fmt.Errorf("looking for an organization: %w", err)
	}
	e.schema, e.m.Organization = o.Schema, Archived{o.ID, o.Slug, o.Name}
	if err := json.Unmarshal([]byte(o.VersionsText), &e.m.Versions); err != nil {
		return fmt.Errorf("reading the versions of a schema: %w", err)
	}
	err = e.tx.GetContext(ctx, &e.m.Chain, "SELECT seq AS rows, hash AS head FROM "+e.schema+".seal ORDER BY seq DESC LIMIT 1")
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("reading the end of the chain: %w", err)
	}
	e.m.Tables, err = tablesInOrder(ctx, e.tx, e.schema)
	e.m.Tables = slices.DeleteFunc(e.m.Tables, func(t string) bool { return unfetched[t] })
	return err
}

// tablesInOrder lists a schema's tables so that each comes after those that it refers to.
func tablesInOrder(ctx context.Context, tx *sqlx.Tx, schema string) ([]string, error) {
	var tables []string
	err := tx.SelectContext(ctx, &tables, `SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') ORDER BY c.relname`, schema)
	if err != nil {
		return nil, fmt.Errorf("listing tables: %w", err)
	}
	var needs []struct{ Table, Needs string }
	err = tx.SelectContext(ctx, &needs, `
		SELECT DISTINCT c.relname AS table, f.relname AS needs FROM pg_constraint k
		  JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class f ON f.oid = k.confrelid JOIN pg_namespace n ON n.oid = c.relnamespace
		 WHERE k.contype = 'f' AND n.nspname = $1 AND k.conrelid <> k.confrelid`, schema)
	if err != nil {
		return nil, fmt.Errorf("listing references between tables: %w", err)
	}
	ordered := make([]string, 0, len(tables))
	for len(ordered) < len(tables) {
		before := len(ordered)
		for _, t := range tables {
			waits := slices.Contains(ordered, t)
			for _, n := range needs {
				waits = waits || n.Table == t && !slices.Contains(ordered, n.Needs)
			}
			if !waits {
				ordered = append(ordered, t)
			}
		}
		if len(ordered) == before {
			return nil, fmt.Errorf("the tables of %s refer to each other in a circle", schema)
		}
	}
	return ordered, nil
}

// columnsOf gives the columns of a table that travel, and the SQL that reads each.
func (e *archiving) columnsOf(ctx context.Context, table string) (columns, exprs []string, err error) {
	all, err := tableColumns(ctx, e.tx, e.schema, table)
	if err != nil {
		return nil, nil, err
	}
	for _, c := range all {
		full, quoted := table+"."+c, pq.QuoteIdentifier(c)
		expr := quoted
		if blank, ok := blanked[full]; ok {
			expr = blank + " AS " + quoted
		}
		for _, sealed := range e.options.Columns {
			if sealed.String() == full {
				expr = "CASE WHEN " + quoted + " = '' THEN '' ELSE " + pq.QuoteLiteral(leftBehind) + " END AS " + quoted
			}
		}
		columns, exprs = append(columns, c), append(exprs, expr)
	}
	return columns, exprs, nil
}

func tableColumns(ctx context.Context, tx *sqlx.Tx, schema, table string) ([]string, error) {
	var all []string
	err := tx.SelectContext(ctx, &all, `
		SELECT a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
		 WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum`, schema, table)
	if err != nil {
		return nil, fmt.Errorf("listing the columns of %s: %w", table, err)
	}
	return slices.DeleteFunc(all, func(c string) bool { return untaken[table+"."+c] }), nil
}

// table writes the rows of a table, a JSON object a line, in the order of its key.
func (e *archiving) table(ctx context.Context, table string) (err error) {
	columns, exprs, err := e.columnsOf(ctx, table)
	if err != nil {
		return err
	}
	var key []string
	err = e.tx.SelectContext(ctx, &key, `
		SELECT a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
		  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
		 WHERE n.nspname = $1 AND c.relname = $2 AND i.indisprimary ORDER BY array_position(i.indkey::int2[], a.attnum)`, e.schema, table)
	if err != nil {
		return fmt.Errorf("reading the key of %s: %w", table, err)
	}
	q := "SELECT row_to_json(x)::text FROM (SELECT " + strings.Join(exprs, ", ") + " FROM " + e.schema + "." + pq.QuoteIdentifier(table)
	for i, c := range key {
		q += map[bool]string{true: " ORDER BY ", false: ", "}[i == 0] + pq.QuoteIdentifier(c)
	}
	rows, err := e.tx.QueryContext(ctx, q+") AS x")
	if err != nil {
		return fmt.Errorf("reading %s: %w", table, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	part := part{archiving: e, table: table, columns: columns}
	for rows.Next() {
		var line sql.RawBytes
		if err := rows.Scan(&line); err != nil {
			return fmt.Errorf("reading %s: %w", table, err)
		}
		if err := part.line(line); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("reading %s: %w", table, err)
	}
	return part.flush()
}

// part gathers lines until there are enough for a file.
type part struct {
	*archiving
	table   string
	columns []string
	number  int
	rows    int64
	body    bytes.Buffer
}

func (p *part) line(line []byte) error {
	p.body.Write(line)
	p.body.WriteByte('\n')
	if p.rows++; p.body.Len() < partBytes {
		return nil
	}
	return p.flush()
}

func (p *part) flush() error {
	if p.rows == 0 {
		return nil
	}
	p.number++
	name := fmt.Sprintf("tables/%s.%05d.jsonl", p.table, p.number)
	err := p.add(ArchiveFile{Name: name, Table: p.table, Columns: p.columns, Rows: p.rows}, p.body.Bytes())
	p.rows = 0
	p.body.Reset()
	return err
}

// secrets reads what the keyring sealed.
func (e *archiving) secrets(ctx context.Context) (all []TravellingSecret, err error) {
	if e.options.Secrets == nil {
		return nil, nil
	}
	for _, c := range e.options.Columns {
		var values []SealedValue
		q := "SELECT " + string(c.Key) + "::text AS row, " + string(c.Column) + " AS text FROM " + e.schema + "." + string(c.Table) +
			" WHERE " + string(c.Column) + " <> '' ORDER BY " + string(c.Key)
		if err := e.tx.SelectContext(ctx, &values, q); err != nil {
			return nil, fmt.Errorf("reading sealed values of %s: %w", c, err)
		}
		for _, v := range values {
			all = append(all, TravellingSecret{Table: string(c.Table), Column: string(c.Column), Row: v.Row, Text: v.Text})
		}
	}
	return all, nil
}
