package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/countinghouse/countinghouse/tenant"
)

// poolerCommand tells a pooler whom it will meet.
type poolerCommand struct {
	databaseFlags
	Output string `short:"o" required:"" type:"path" placeholder:"FILE" help:"The file to write, which only its owner may read: PgBouncer's auth_file."`
}

// Help is what --help adds.
func (poolerCommand) Help() string {
	return "The list has the logins of the platform and of each compartment, with their passwords. Run it again when there are more " +
		"compartments, and have PgBouncer read it anew. docs/operators.md says how PgBouncer is set up."
}

// Run writes the list.
func (c poolerCommand) Run(ctx context.Context) error {
	_, config, err := c.config()
	if err != nil {
		return err
	}
	logins, err := tenant.PooledLogins(ctx, config)
	if err != nil {
		return err
	}
	return writeWhole(c.Output, func(w io.Writer) error {
		for _, l := range logins {
			if _, err := fmt.Fprintf(w, "%q %q\n", l.Name, l.Password); err != nil {
				return err
			}
		}
		_, err := fmt.Fprintf(os.Stdout, "%s has %s.\n", c.Output, several(len(logins), "logins"))
		return err
	})
}
