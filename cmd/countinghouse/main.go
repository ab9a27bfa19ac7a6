// Command countinghouse is the whole service in one binary: it runs it, migrates it and speaks for its operator.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // organizations have time zones, and a bare image has none

	"github.com/alecthomas/kong"

	"github.com/countinghouse/countinghouse/internal/fault"
)

// version is stamped by the build.
var version = "dev"

// commands is the command line.
type commands struct {
	Dev      devCommand       `cmd:"" help:"Run everything on this machine, with a database of its own: for trying it and for working on it."`
	Serve    serveCommand     `cmd:"" help:"Run the web server on a database that is there."`
	Migrate  migrateCommand   `cmd:"" help:"Bring the platform and every organization to this version."`
	Org      orgCommands      `cmd:"" help:"Look after organizations."`
	Staff    staffCommands    `cmd:"" help:"Look after the staff of the platform."`
	Audit    auditCommands    `cmd:"" help:"Prove the record of who did what."`
	Secrets  secretsCommands  `cmd:"" help:"Look after the keys of organizations."`
	Settings settingsCommands `cmd:"" help:"Look after what holds for the whole platform."`
	Person   personCommands   `cmd:"" help:"Look after people's logins."`
	Drill    drillCommand     `cmd:"" help:"Restore a backup where nobody sees it, prove it, and throw it away."`
	Pooler   poolerCommand    `cmd:"" help:"Write the list of logins that a PgBouncer in front of the database needs."`
	Probe    probeCommand     `cmd:"" help:"Ask a process whether it is ready, where there is no other program to ask with."`
	Scan     scanCommand      `cmd:"" help:"Look at a running service as a stranger does, from outside or inside its network, and name the holes."`
	Version  versionCommand   `cmd:"" help:"Say which version this is."`

	backgroundCommands
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var line commands
	parser := kong.Must(&line, kong.Name("countinghouse"), kong.UsageOnError(),
		kong.Description("A billing and bookkeeping service for many organizations."),
		kong.BindTo(ctx, (*context.Context)(nil)))
	parsed, err := parser.Parse(os.Args[1:])
	parser.FatalIfErrorf(err)
	if err := parsed.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "countinghouse:", say(err))
		stop()
		os.Exit(1)
	}
}

// say gives a person the sentence of a fault, and of any other error what there is.
func say(err error) string {
	var setting *wrongSetting
	if errors.As(err, &setting) {
		return setting.Error()
	}
	var f *fault.Error
	if errors.As(err, &f) {
		if cause := f.Unwrap(); cause != nil {
			return fmt.Sprintf("%s (%v)", f.Say, cause)
		}
		return f.Say
	}
	return err.Error()
}

type versionCommand struct{}

// Run prints the version and the commit that it was built from.
func (versionCommand) Run() error {
	revision := "unknown revision"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	_, err := fmt.Printf("countinghouse %s (%s)\n", version, revision)
	return err
}
