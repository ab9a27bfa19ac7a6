package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/internal/postgres"
	"github.com/countinghouse/countinghouse/tenant"
)

// backedUp is an installation that is backed up and drilled with.
type backedUp struct {
	installation
	cluster *postgres.Server
	scratch string
}

func (b backedUp) program(name string, args ...string) string {
	b.Helper()
	command := exec.CommandContext(b.Context(), filepath.Join(b.cluster.BinDir(), name), args...)
	command.Dir = "/"
	said, err := command.CombinedOutput()
	if err != nil {
		b.Fatalf("%s: %v: %s", name, err, said)
	}
	return strings.TrimSpace(string(said))
}

// database is the superuser's way in.
func (b backedUp) database() string {
	return strings.Replace(b.cluster.URL(), "/postgres?", "/countinghouse?", 1)
}

func (b backedUp) backUp(name string) string {
	b.Helper()
	to := filepath.Join(b.TempDir(), name)
	b.program("pg_basebackup", "-d", b.cluster.URL(), "-D", to, "--checkpoint=fast")
	return to
}

// drill drills, and gives what it tells and whether it says that the backup is proved.
func (b backedUp) drill(c drillCommand) (drillReport, error) {
	b.Helper()
	if c.Scratch = b.scratch; c.Database == "" {
		c.Database = "countinghouse"
	}
	if c.AtMostLost == 0 {
		c.AtMostLost = 26 * time.Hour
	}
	if c.Keyring == "" {
		c.Keyring, c.KeyringDir = "local", filepath.Join(b.keys.Data, "keys", "organizations")
	}
	if c.KeyFile == "" {
		c.KeyFile = filepath.Join(b.keys.Data, "keys", "service.key")
	}
	c.JSON = true
	var out bytes.Buffer
	failed := c.run(b.Context(), &out)
	var r drillReport
	if out.Len() > 0 {
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			b.Fatalf("%v: %s", err, out.String())
		}
		if r.Proved != (failed == nil) {
			b.Errorf("proved is %v, and the command ends with %v", r.Proved, failed)
		}
	}
	if left, err := filepath.Glob(filepath.Join(b.scratch, "*")); err != nil || len(left) != 1 { // the lock
		b.Errorf("left behind: %v %v", left, err)
	}
	return r, failed
}

// finds fails unless the drill found exactly that.
func (b backedUp) finds(c drillCommand, key, say string) {
	b.Helper()
	r, err := b.drill(c)
	if !errors.Is(err, errDrill) {
		b.Fatalf("it ends with %v\n%+v", err, r.Checks)
	}
	if at := r.check(key); at.Verdict != disagrees || !strings.Contains(strings.Join(at.Said, "\n"), say) {
		b.Errorf("%s is %q: %q", key, at.Verdict, at.Said)
	}
}

func openBackedUp(t *testing.T) backedUp {
	t.Helper()
	ctx, data := context.Background(), dataFolder(t)
	cluster, err := startCluster(ctx, data)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop, done := context.WithTimeout(ctx, time.Minute)
		defer done()
		if err := cluster.Stop(stop); err != nil {
			t.Error(err)
		}
	})
	_, config, err := clusterConfig(data, cluster.URL())
	if err == nil {
		err = tenant.Bootstrap(ctx, cluster.URL(), config)
	}
	if err == nil {
		_, err = tenant.Migrate(ctx, config)
	}
	if err == nil {
		err = useDatabase(ctx, config, func(db *tenant.DB) error { return errors.Join(foundAcme(ctx, db), tenant.Provision(ctx, db, 1)) })
	}
	if err == nil {
		_, err = noteURL(data, config)
	}
	if err != nil {
		t.Fatal(err)
	}
	b := backedUp{installation: installation{T: t, keys: orgKeys{orgDatabase: orgDatabase{Data: data}, Keyring: "local"}}, cluster: cluster, scratch: dataFolder(t)}
	b.trade()
	return b
}

// TestDrill restores backups of one installation and looks for what became of them.
func TestDrill(t *testing.T) {
	t.Parallel()
	b := openBackedUp(t)
	whole := b.backUp("whole")
	figures := filepath.Join(t.TempDir(), "drill.prom")
	r, err := b.drill(drillCommand{From: whole, Figures: figures})
	if err != nil {
		t.Fatalf("%v\n%+v", err, r)
	}
	for _, c := range r.Checks {
		if want := map[bool]string{true: untried, false: agrees}[c.Key == "service_key"]; c.Verdict != want {
			t.Errorf("%s: %s %q", c.Key, c.Verdict, c.Said)
		}
	}
	if r.Organizations["active"] != 1 || r.Organizations["ready"] != 1 || r.People != 1 || r.Entries != 2 || r.Rows <= r.Entries || r.Bytes < 1<<20 ||
		r.RecoverySeconds <= 0 || r.ProvingSeconds <= 0 || r.LostSeconds > 600 || time.Since(r.RecoveryPoint) > time.Hour {
		t.Errorf("%+v", r)
	}
	written, err := os.ReadFile(figures)
	if err != nil || !strings.Contains(string(written), "\ncountinghouse_drill_proved 1\n") || !strings.Contains(string(written), "\ncountinghouse_drill_findings 0\n") {
		t.Errorf("%s %v", written, err)
	}
	if n := b.program("psql", "-XAtqc", "select count(*) from platform.proof", b.database()); n != "0" {
		t.Error("the drill proved the books where they are in use")
	}
	var said bytes.Buffer
	if err := r.say(&said); err != nil || !strings.Contains(said.String(), "yes  The trial balance is zero in each currency\n") || !strings.Contains(said.String(), "The backup is proved: organizations and schemas 1 active, 1 ready; 1 person; 2 entries") {
		t.Errorf("a person reads %s (%v)", said.String(), err)
	}

	for form, option := range map[string]string{"custom": "-Fc", "plain": "-Fp"} {
		dump := filepath.Join(t.TempDir(), form)
		b.program("pg_dump", option, "-f", dump, b.database())
		if r, err := b.drill(drillCommand{From: dump}); err != nil || r.Entries != 2 || r.check("keys").Verdict != agrees || r.check("age").Verdict != agrees {
			t.Errorf("a dump (%s): %v\n%+v", form, err, r)
		}
	}

	b.finds(drillCommand{From: whole, AtMostLost: time.Millisecond}, "age", "is the most that may be lost")
	b.finds(drillCommand{From: whole, Database: "postgres"}, "versions", "no books of Countinghouse")
	b.finds(drillCommand{From: whole, KeyringDir: t.TempDir(), Keyring: "local"}, "keys", "acme: gateway_account.sealed does not open")
	if _, err := b.drill(drillCommand{From: filepath.Join(b.scratch, "nowhere")}); !errors.Is(err, postgres.ErrNoBackup) {
		t.Errorf("no backup: %v", err)
	}
	if err := os.WriteFile(filepath.Join(whole, "global", "pg_filenode.map"), []byte("spoilt"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.finds(drillCommand{From: whole}, "files", "pg_filenode.map")
	testTamperedBackups(b)
}

// testTamperedBackups backs up books that somebody changed who has the database.
func testTamperedBackups(b backedUp) {
	b.Helper()
	schema := b.program("psql", "-XAtqc", "select schema_name from platform.organization where slug = 'acme'", b.database())
	b.program("psql", "-XAtqc", "set session_replication_role = replica; update "+schema+".journal_line set amount = amount + 7 where line = 1 and entry_id = (select id from "+
		schema+".journal_entry where number = 1)", b.database())
	tampered := b.backUp("tampered")
	b.finds(drillCommand{From: tampered}, "entries", "acme: Entry 1 does not balance: its lines come to 0.07 USD")
	r, _ := b.drill(drillCommand{From: tampered}) // it fails, as just now
	if verdicts := []string{r.check("trial").Verdict, r.check("files").Verdict, r.check("keys").Verdict}; !slices.Equal(verdicts, []string{disagrees, agrees, agrees}) {
		b.Errorf("of one changed amount the drill says %v", verdicts)
	}
	// As a Vault seals it, which nobody reaches: that says nothing of the backup.
	b.program("psql", "-XAtqc", "set session_replication_role = replica; update "+schema+".gateway_account set sealed = 'vault:v1:'||repeat('A', 64); update "+schema+
		".journal_line set amount = amount - 7 where line = 1 and entry_id = (select id from "+schema+".journal_entry where number = 1)", b.database())
	r, err := b.drill(drillCommand{From: b.backUp("vault"), Keyring: "vault", vaultFlags: vaultFlags{VaultAddress: "https://127.0.0.1:1", VaultMount: "transit", VaultAuth: "approle",
		VaultRoleID: "role", VaultSecretIDFile: b.keys.Data + "/keys/service.key", VaultTimeout: time.Second}})
	if err != nil || r.check("keys").Verdict != untried || r.check("keys").Said[0] != "the keyring cannot be reached" {
		b.Errorf("without Vault: %v %+v", err, r.check("keys"))
	}
	b.program("psql", "-XAtqc", "drop table "+schema+".usage_event cascade", b.database())
	b.finds(drillCommand{From: b.backUp("less")}, "schemas", "acme has ")
	b.program("psql", "-Xqc", "set client_min_messages = error", "-c", "drop schema "+schema+" cascade", b.database())
	lost := b.backUp("lost")
	b.finds(drillCommand{From: lost}, "schemas", "acme has lost its schema, "+schema)
}

// TestDrillThatWasKilled leaves a copy of the books and a server behind; the next one ends both.
func TestDrillThatWasKilled(t *testing.T) {
	t.Parallel()
	b := openBackedUp(t)
	whole := b.backUp("whole")
	command := exec.Command(os.Args[0], "drill", "--scratch", b.scratch, "--fetch", "cp -r "+whole+"/. %d", "--restore-command", "sleep 600")
	command.Env = append(os.Environ(), commandMark+"=yes")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	// Its server runs, and waits for the archive.
	pid := filepath.Join(b.scratch, "countinghouse-drill", "cluster", "postmaster.pid")
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(time.Minute); ; <-again.C {
		if text, err := os.ReadFile(pid); err == nil && len(text) > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Error("no server came up")
			break
		}
	}
	if err := command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait() // it was killed
	if _, err := os.Stat(filepath.Join(b.scratch, "countinghouse-drill", "cluster", "PG_VERSION")); err != nil {
		t.Errorf("nothing was left, so this shows nothing: %v", err)
	}
	if r, err := b.drill(drillCommand{From: whole}); err != nil {
		t.Errorf("the next one: %v\n%+v", err, r)
	}
}
