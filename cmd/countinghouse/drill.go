package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/postgres"
	"github.com/countinghouse/countinghouse/secrets"
	"github.com/countinghouse/countinghouse/tenant"
)

// drillCommand brings a backup to life where nobody sees it, proves it, and throws it away.
type drillCommand struct {
	From           string        `required:"" xor:"backup" type:"path" placeholder:"PATH" help:"The backup: the folder that pg_basebackup wrote, or what pg_dump wrote of the whole database."`
	Fetch          string        `required:"" xor:"backup" placeholder:"COMMAND" help:"A command that puts a backup into the folder %d, and tablespaces into %t, such as: pgbackrest --stanza=books --pg1-path=%d restore"`
	RestoreCommand string        `placeholder:"COMMAND" help:"A command that fetches a file of the write-ahead log from the archive, as PostgreSQL’s restore_command: cp /archive/%f %p. What the backup itself says of the archive needs no saying."`
	Until          time.Time     `placeholder:"TIME" help:"The moment to recover to, such as 2026-11-21T12:00:00Z. Left out, as far as there is anything."`
	Scratch        string        `required:"" type:"path" placeholder:"DIR" help:"A folder with room for the whole database. What is made there is removed again, after a kill by the next drill."`
	Database       string        `default:"countinghouse" help:"The name of the database in the backup."`
	AtMostLost     time.Duration `default:"26h" help:"The drill fails where the newest that came back is older: a backup of each night is at most that old."`
	JSON           bool          `name:"json" help:"Tell what came of it as JSON."`
	Figures        string        `type:"path" placeholder:"FILE" help:"Also write figures for Prometheus into this file, for the textfile collector of its node exporter."`
	KeyFile        string        `env:"COUNTINGHOUSE_KEY_FILE" type:"path" placeholder:"FILE" help:"The service’s key that belongs to the backup. With it, second factors and the platform’s secret settings are tried."`
	Keyring        string        `env:"COUNTINGHOUSE_KEYRING" default:"none" enum:"none,local,vault" help:"Who keeps the organizations’ keys: vault, local, or none to try no secret."`
	KeyringDir     string        `env:"COUNTINGHOUSE_KEYRING_DIR" type:"path" placeholder:"DIR" help:"The folder of the local keyring."`
	vaultFlags
}

// Help is what --help adds.
func (drillCommand) Help() string {
	return "A PostgreSQL of its own recovers a copy of the backup, in a folder that only its user may enter and on a socket there: " +
		"neither the backup nor the server that it came from is touched. It is brought to this version, each organization’s books are " +
		"proved, and a secret of each is opened. It ends with an error where something does not agree."
}

// errDrill ends a drill that found something; what, it has told.
var errDrill = errors.New("the drill failed: what for is told above")

// Run drills, and says what came of it.
func (c drillCommand) Run(ctx context.Context) error { return c.run(ctx, os.Stdout) }

func (c drillCommand) run(ctx context.Context, out io.Writer) error {
	d, err := c.open()
	if err != nil {
		return err
	}
	if d.scratch, err = postgres.OpenScratch(ctx, c.Scratch, nil); err != nil {
		return err
	}
	failed := d.practise(ctx)
	if err := errors.Join(ctx.Err(), d.scratch.Close()); err != nil {
		return errors.Join(err, failed)
	}
	d.report.end(failed)
	if err := c.tell(out, d.report); err != nil {
		return err
	}
	if !d.report.Proved {
		return errDrill
	}
	return nil
}

func (c drillCommand) tell(out io.Writer, r drillReport) error {
	if c.Figures != "" {
		if err := writeWhole(c.Figures, r.figures); err != nil {
			return err
		}
		// Prometheus's exporter runs as somebody else, and there is nothing secret in it.
		if err := os.Chmod(c.Figures, 0o644); err != nil {
			return err
		}
	}
	if c.JSON {
		lines := json.NewEncoder(out)
		lines.SetIndent("", "  ")
		return lines.Encode(r)
	}
	return r.say(out)
}

// drill is one that is under way.
type drill struct {
	drillCommand
	key     []byte          // the service's; nil: its secrets are not tried
	keyring secrets.Keyring // nil: none
	scratch *postgres.Scratch
	config  tenant.Config
	form    string // of a dump; "" for what a server recovers by itself
	report  drillReport
}

func (c drillCommand) open() (*drill, error) {
	if c.AtMostLost <= 0 {
		return nil, wrong("at-most-lost", errors.New("give a time such as 26h"))
	}
	d := &drill{drillCommand: c, report: drillReport{Began: time.Now().UTC().Truncate(time.Second), Until: c.Until}}
	logins := make([]byte, 32) // nobody asks for a password in the scratch folder
	if _, err := rand.Read(logins); err != nil {
		return nil, err
	}
	d.config.Key = logins
	var err error
	if c.KeyFile != "" {
		if d.key, err = loadKey(c.KeyFile); err != nil {
			return nil, wrong("key-file", err)
		}
	}
	if c.Keyring != "none" {
		flags := keyringFlags{Keyring: c.Keyring, KeyringDir: c.KeyringDir, vaultFlags: c.vaultFlags}
		if d.keyring, err = flags.open(); err != nil {
			return nil, err
		}
	}
	if c.From != "" {
		if d.form, err = postgres.IsDump(c.From); err != nil {
			return nil, err
		}
	}
	if d.form != "" && (c.RestoreCommand != "" || !c.Until.IsZero()) {
		return nil, errors.New("--restore-command and --until are for a backup of the server: a dump is of one moment")
	}
	return d, nil
}

// practise does all of it.
func (d *drill) practise(ctx context.Context) error {
	began := time.Now()
	if err := d.bringBack(ctx); err != nil {
		return err
	}
	d.report.RecoverySeconds = seconds(time.Since(began))
	d.report.pass("recovered", fmt.Sprintf("PostgreSQL %d, in %s", d.scratch.Major(), short(time.Since(began))))
	began = time.Now()
	defer func() { d.report.ProvingSeconds = seconds(time.Since(began)) }()
	return d.prove(ctx)
}

// bringBack has the scratch server hold what the backup holds.
func (d *drill) bringBack(ctx context.Context) error {
	s := d.scratch
	switch {
	case d.form != "":
		return d.load(ctx)
	case d.From != "":
		verified, err := s.Verify(ctx, d.From)
		switch {
		case err != nil:
			d.report.fail("files", say(err))
			return errKnown
		case verified:
			d.report.pass("files", "they are those of its manifest")
		default:
			d.report.skip("files", "the backup has no manifest, or there is no pg_verifybackup here")
		}
		if d.report.Bytes, err = s.Copy(ctx, d.From); err != nil {
			return err
		}
	default:
		d.report.skip("files", "the command that fetched them has to")
		if err := s.Fetch(ctx, d.Fetch); err != nil {
			return err
		}
	}
	if err := s.Recover(ctx, postgres.Recovery{RestoreCommand: d.RestoreCommand, Until: d.Until}); err != nil {
		return err
	}
	d.config.URL = s.URL("countinghouse_owner", d.Database)
	d.report.reach(s.LastTransaction())
	return nil
}

// load brings a dump back.
func (d *drill) load(ctx context.Context) error {
	s := d.scratch
	d.report.skip("files", "a dump has no manifest")
	if err := s.Make(ctx); err != nil {
		return err
	}
	roles, err := s.Roles(ctx, d.From, d.form)
	if err != nil {
		return err
	}
	if d.config, err = d.config.OnCluster(s.URL(postgres.Superuser, "postgres")); err != nil {
		return err
	}
	if err := tenant.PrepareForDump(ctx, s.URL(postgres.Superuser, "postgres"), d.config, roles); err != nil {
		return err
	}
	const database = "countinghouse" // whatever it was called
	if err := s.Load(ctx, d.From, d.form, database); err != nil {
		return err
	}
	return tenant.BindDump(ctx, s.URL(postgres.Superuser, database))
}

// errKnown ends a drill whose report says already why.
var errKnown = errors.New("told already")

// prove proves all that came back.
func (d *drill) prove(ctx context.Context) error {
	if err := d.bringForward(ctx); err != nil {
		return err
	}
	db, err := tenant.Open(ctx, d.config)
	if err != nil {
		return err
	}
	err = d.proveBooks(ctx, db)
	if err == nil {
		err = d.openServiceSecrets(ctx, db)
	}
	if err == nil {
		var census tenant.Census
		if census, err = tenant.Count(ctx, db); err == nil {
			d.report.Organizations, d.report.People = census.Organizations, census.People
		}
	}
	d.report.age(d.AtMostLost)
	return errors.Join(err, db.Close())
}

// bringForward migrates what came back to this version, as an upgrade would.
func (d *drill) bringForward(ctx context.Context) error {
	found, err := tenant.LookAtRestored(ctx, d.config)
	if err != nil {
		return err
	}
	d.config.Compartments = found.Compartments
	said := fmt.Sprintf("%s behind this program's", several(found.Behind, "schemas"))
	if found.Behind == 1 {
		said = "1 schema behind this program's"
	}
	// A backup is not served: one that cannot be migrated keeps no other from being tried.
	done, err := tenant.MigrateFleet(ctx, d.config, tenant.Fleet{Canaries: max(1, len(found.Organizations)), StopAt: 100})
	if err != nil && !errors.Is(err, tenant.ErrFleetStopped) {
		return fmt.Errorf("bringing the backup to this version: %w", err)
	}
	switch {
	case len(found.Newer) > 0:
		d.report.fail("versions", fmt.Sprintf("It was made by a newer version of this program: it has migrations up to %d. Drill with that one.", found.Newer[len(found.Newer)-1]))
	case len(done.Failed) > 0:
		for _, f := range done.Failed {
			d.report.fail("versions", "Schema "+f.Schema+" cannot be brought to this version: "+f.Reason)
		}
	default:
		d.report.pass("versions", said)
	}
	if found, err = tenant.LookAtRestored(ctx, d.config); err != nil {
		return err
	}
	missing := found.Missing()
	for _, lost := range missing {
		d.report.fail("schemas", lost)
	}
	if len(missing) == 0 {
		d.report.pass("schemas", several(len(found.Organizations), "schemas"))
	}
	for _, o := range found.Organizations {
		if o.There && (o.State == "active" || o.State == "suspended") {
			d.report.slugs = append(d.report.slugs, o.Slug)
		}
	}
	return nil
}

func seconds(d time.Duration) float64 { return float64(d.Milliseconds()) / 1000 }

// short is such as "4 h 12 min" or "3.2 s".
func short(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// sayFault is a fault's sentence and, where there is none, the error itself, on one line.
func sayFault(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Say
	}
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}
