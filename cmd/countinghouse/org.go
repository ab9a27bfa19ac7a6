package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/countinghouse/countinghouse/billing/export"
	"github.com/countinghouse/countinghouse/billing/intake"
	"github.com/countinghouse/countinghouse/billing/money"
	"github.com/countinghouse/countinghouse/internal/postgres"
	"github.com/countinghouse/countinghouse/internal/webhook"
	"github.com/countinghouse/countinghouse/tenant"
)

// orgCommands look after organizations.
type orgCommands struct {
	List        orgList        `cmd:"" help:"List the organizations."`
	Import      orgImport      `cmd:"" help:"Take CSV files of customers, products, invoices and payments into an organization's books."`
	Rates       orgRates       `cmd:"" help:"Take a file of exchange rates of the European Central Bank into an organization's books."`
	Export      orgExport      `cmd:"" help:"Write an organization's books for other programs, or all that it is into an archive."`
	Prove       orgProve       `cmd:"" help:"Prove an organization's books: that they balance, agree with documents, gateways and bank, and are as they were sealed."`
	Delete      orgDelete      `cmd:"" help:"Close an organization and, when a time of grace is over, destroy its key and its books."`
	Restore     orgRestore     `cmd:"" help:"Restore an organization from an archive, or open one again that was to be deleted."`
	Move        orgMove        `cmd:"" help:"Have an organization entered by another compartment, while it is in use."`
	Suspend     orgSuspend     `cmd:"" help:"Shut an organization for a while."`
	Resume      orgResume      `cmd:"" help:"Open an organization that is suspended."`
	Certificate orgCertificate `cmd:"" help:"Show or verify a certificate of deletion."`
	Canary      orgCanary      `cmd:"" help:"Mark an organization that nobody has business with: whoever touches it is told of."`
}

// orgDatabase says which database: one that is named, else that of a data folder, whether dev runs on it or not.
type orgDatabase struct {
	Data        string `default:"data" type:"path" help:"The data folder of dev, whose database is meant if no other is named."`
	DatabaseURL string `env:"COUNTINGHOUSE_DATABASE_URL" placeholder:"URL" help:"The database, entered as its owner."`
	KeyFile     string `env:"COUNTINGHOUSE_KEY_FILE" type:"path" placeholder:"FILE" help:"The service's key, with --database-url."`
}

// use opens the database, runs fn, and leaves things as they were.
func (d orgDatabase) use(ctx context.Context, fn func(db *tenant.DB) error) (err error) {
	if d.DatabaseURL == "" {
		return d.useFolder(ctx, fn)
	}
	if d.KeyFile == "" {
		return errors.New("with --database-url, give the service's key too: --key-file, or COUNTINGHOUSE_KEY_FILE")
	}
	_, config, err := databaseFlags{DatabaseURL: d.DatabaseURL, KeyFile: d.KeyFile}.config()
	if err != nil {
		return err
	}
	return useDatabase(ctx, config, fn)
}

func useDatabase(ctx context.Context, config tenant.Config, fn func(db *tenant.DB) error) (err error) {
	config.Recorded = webhook.Note // what an operator does in an organization is told of too
	db, err := tenant.Open(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return fn(db)
}

// useFolder uses the database of a data folder: the running one, or else its own for as long as fn takes.
func (d orgDatabase) useFolder(ctx context.Context, fn func(db *tenant.DB) error) (err error) {
	if _, err := os.Stat(filepath.Join(d.Data, "postgres")); err != nil {
		return fmt.Errorf("there is no database in %s: run countinghouse dev once, or say which with --data or --database-url (%w)", d.Data, err)
	}
	cluster, err := startCluster(ctx, d.Data)
	if errors.Is(err, postgres.ErrInUse) {
		config, noted := notedConfig(d.Data)
		if noted != nil {
			return errors.Join(err, noted)
		}
		return useDatabase(ctx, config, fn)
	} else if err != nil {
		return err
	}
	defer func() {
		stop, done := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer done()
		err = errors.Join(err, cluster.Stop(stop))
	}()
	_, config, err := clusterConfig(d.Data, cluster.URL())
	if err != nil {
		return err
	}
	if err := tenant.Bootstrap(ctx, cluster.URL(), config); err != nil {
		return err
	}
	if _, err := tenant.Migrate(ctx, config); err != nil {
		return err
	}
	return useDatabase(ctx, config, fn)
}

func notePath(data string) string { return filepath.Join(data, "database.url") }

// noteURL tells other commands on this machine how to enter the database that now runs on a data folder, in a file that
// only this user may read. forget takes the note back.
func noteURL(data string, config tenant.Config) (forget func() error, err error) {
	err = writeWhole(notePath(data), func(w io.Writer) error {
		_, err := fmt.Fprintln(w, config.URL)
		return err
	})
	return func() error {
		if err := os.Remove(notePath(data)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("taking the note of the database back: %w", err)
		}
		return nil
	}, err
}

// notedConfig reads what noteURL wrote.
func notedConfig(data string) (config tenant.Config, err error) {
	text, err := os.ReadFile(notePath(data))
	if err != nil {
		return config, fmt.Errorf("the database of %s is running, but not noted: %w", data, err)
	}
	key, err := loadKey(filepath.Join(data, "keys", "service.key"))
	if err != nil {
		return config, err
	}
	config.URL = strings.TrimSpace(string(text))
	config.Key, err = derive(key, "database logins")
	return config, err
}

// writeWhole writes a file that only this user may read: all of it, or what was there before stays. A device or pipe is
// written to as it is.
func writeWhole(path string, write func(w io.Writer) error) (err error) {
	if about, err := os.Stat(path); err == nil && !about.Mode().IsRegular() {
		return writeInto(path, write)
	}
	draft, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	err = write(draft)
	if err == nil {
		err = draft.Sync()
	}
	err = errors.Join(err, draft.Close())
	if err == nil {
		err = os.Rename(draft.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("writing %s: %w", path, err), os.Remove(draft.Name()))
	}
	return nil
}

func writeInto(path string, write func(w io.Writer) error) (err error) {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err // it names the path
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return write(file)
}

type orgList struct {
	orgDatabase
}

// Run lists the organizations.
func (l orgList) Run(ctx context.Context) error {
	return l.use(ctx, func(db *tenant.DB) error { return listOrganizations(ctx, db, os.Stdout) })
}

func listOrganizations(ctx context.Context, db *tenant.DB, out io.Writer) error {
	var all []struct{ Slug, Name, State string }
	err := tenant.DoPlatform(ctx, db, func(tx *tenant.PlatformTx) error {
		return tx.Select(ctx, &all, `SELECT slug, name, state FROM platform.organization WHERE state::text NOT IN ('ready', 'gone') ORDER BY slug`)
	})
	if err != nil {
		return fmt.Errorf("listing organizations: %w", err)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, o := range all {
		if _, err := fmt.Fprintf(table, "%s\t%s\t%s\n", o.Slug, o.State, o.Name); err != nil {
			return err
		}
	}
	return table.Flush()
}

type orgImport struct {
	orgDatabase
	Progress bool     `help:"Show progress even where no terminal is."`
	Slug     string   `arg:"" help:"The organization's address: the acme of /o/acme."`
	Files    []string `arg:"" type:"existingfile" help:"The CSV files, in any order. Their headers say what they hold."`
}

// Help is what --help adds.
func (orgImport) Help() string {
	return "CSV in UTF-8, with commas, semicolons or tabs. Each file is taken as a whole or not at all; what is in the books " +
		"already is passed over, so that a file may be taken again.\n\n" + intake.Describe() +
		"\n\nA document has a row for each line. Several taxes of one line are written with + between their codes."
}

// Run imports the files, each as a whole or not at all.
func (i orgImport) Run(ctx context.Context) error {
	var progress io.Writer
	if about, err := os.Stderr.Stat(); i.Progress || err == nil && about.Mode()&os.ModeCharDevice != 0 {
		progress = os.Stderr
	}
	return i.run(ctx, os.Stdout, progress)
}

func (i orgImport) run(ctx context.Context, out, progress io.Writer) error {
	var tables []*intake.Table
	for _, name := range i.Files {
		table, err := readTable(name)
		if err != nil {
			return err
		}
		tables = append(tables, table)
	}
	intake.Sort(tables)
	return i.use(ctx, func(db *tenant.DB) error {
		for _, table := range tables {
			if err := importTable(ctx, db, i.Slug, table, out, progress); err != nil {
				return err
			}
		}
		return nil
	})
}

func readTable(name string) (_ *intake.Table, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err // it names the file
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return intake.Read(name, file)
}

// importTable takes one table in one transaction, and says what it came to.
func importTable(ctx context.Context, db *tenant.DB, slug string, table *intake.Table, out, progress io.Writer) error {
	scope, err := tenant.EnterOperator(ctx, db, slug)
	if err != nil {
		return err
	}
	var summary intake.Summary
	show := counter{out: progress, what: table.File, total: table.Rows()}
	err = tenant.Do(ctx, db, scope, func(tx *tenant.Tx) error {
		summary, err = intake.Take(ctx, tx, table, show.done)
		return err
	})
	show.end()
	var refused *intake.Refused
	if errors.As(err, &refused) {
		return fmt.Errorf("nothing of %s was taken:\n%w", table.File, refused)
	} else if err != nil {
		return fmt.Errorf("nothing of %s was taken: %w", table.File, err)
	}
	_, err = fmt.Fprintf(out, "%s: %s\n", table.File, sayImported(summary))
	return err
}

// sayImported is such as "412 invoices with 2,240 lines, USD 2,328.60: 412 added".
func sayImported(s intake.Summary) string {
	what := []string{several(s.Things, string(s.Shape))}
	if s.Lines > 0 && s.Shape != intake.Journal {
		what[0] += " with " + several(s.Lines, "lines")
	}
	for _, total := range s.Totals {
		what = append(what, total.Currency.Code()+" "+money.Format(total, money.FormatOptions{Group: ",", Minus: "-"}))
	}
	var did []string
	for _, part := range []struct {
		n    int
		word string
	}{{s.Added, "added"}, {s.Changed, "changed"}, {s.Unchanged, "there already"}, {s.Paid, "marked as paid"}} {
		if part.n > 0 {
			did = append(did, count(part.n)+" "+part.word)
		}
	}
	return strings.Join(what, ", ") + ": " + strings.Join(did, ", ")
}

// several is such as "412 invoices", or "1 invoice".
func several(n int, things string) string {
	if n == 1 {
		things = strings.TrimSuffix(things, "s")
	}
	return count(n) + " " + things
}

// count writes a number with commas.
func count(n int) string {
	digits := fmt.Sprint(n)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

// counter shows how far a file is, ten times a second.
type counter struct {
	out   io.Writer // nil: nowhere
	what  string
	total int
	shown time.Time
}

func (c *counter) done(rows int) {
	if c.out == nil || rows < c.total && time.Since(c.shown) < 100*time.Millisecond {
		return
	}
	c.shown = time.Now()
	// Progress that cannot be shown is no reason to stop.
	_, _ = fmt.Fprintf(c.out, "\r%s: %s of %s rows", c.what, count(rows), count(c.total))
}

func (c *counter) end() {
	if c.out != nil && !c.shown.IsZero() {
		_, _ = fmt.Fprintln(c.out)
	}
}

type orgExport struct {
	orgKeys
	Format       string `required:"" xor:"what" enum:"hledger,beancount,journal,transactions,payees,customers,products,invoices,payments" help:"What to write: the journal for hledger or beancount; in CSV the journal, or documents and payments by date; or customers, payees, products, invoices or payments in the CSV that can be imported."`
	Output       string `short:"o" type:"path" placeholder:"FILE" help:"The file to write. Without one it goes to standard output."`
	To           string `required:"" xor:"what" type:"path" placeholder:"FILE" help:"Write an archive of all that the organization is, for org restore, into this file."`
	RecipientKey string `type:"existingfile" placeholder:"FILE" help:"Public keys of age, a line each: an archive's secrets travel sealed for them. Without it they stay, and are entered anew where it is restored."`
	Slug         string `arg:"" help:"The organization's address: the acme of /o/acme."`
}

// Help is what --help adds.
func (orgExport) Help() string {
	return "An archive is a gzipped tar file with a JSON object for each row, a manifest with checksums, and a signature; " +
		"docs/archive.md describes it. It is of one moment, and everybody may go on working meanwhile. API tokens, sessions, " +
		"invitations and passwords never travel."
}

// Run exports, to standard output or into a file, which is there whole or not at all.
func (e orgExport) Run(ctx context.Context) error { return e.run(ctx, os.Stdout) }

func (e orgExport) run(ctx context.Context, out io.Writer) error {
	if e.To != "" {
		return e.archive(ctx, out)
	}
	return e.use(ctx, func(db *tenant.DB) error {
		scope, err := tenant.EnterOperator(ctx, db, e.Slug)
		if err != nil {
			return err
		}
		write := func(w io.Writer) error {
			return tenant.Do(ctx, db, scope, func(tx *tenant.Tx) error { return export.Write(ctx, tx, export.Format(e.Format), w) })
		}
		if e.Output == "" {
			return write(out)
		}
		return writeWhole(e.Output, write)
	})
}
