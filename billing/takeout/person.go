package takeout

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"path"

	"github.com/google/uuid"

	"github.com/countinghouse/countinghouse/billing/file"
	"github.com/countinghouse/countinghouse/tenant"
)

// WritePerson writes all that is kept of a customer's person as an archive, for them (GDPR, article 15 and 20): person.json, and
// what is attached to their documents. run runs its function in a transaction of its own; whoever loses the right loses
// the rest. The caller has looked whether there is such a customer.
func WritePerson(ctx context.Context, run func(fn func(tx *tenant.Tx) error) error, customer uuid.UUID, w io.Writer) error {
	var person string
	var files []file.File
	err := run(func(tx *tenant.Tx) (err error) {
		if person, err = selectPerson(ctx, tx, customer); err != nil {
			return err
		}
		files, err = selectPersonFiles(ctx, tx, customer)
		return err
	})
	if err != nil {
		return err
	}
	z := zip.NewWriter(w)
	part, err := z.Create("person.json")
	if err == nil {
		_, err = io.WriteString(part, person+"\n")
	}
	if err != nil {
		return fmt.Errorf("writing a person's data: %w", err)
	}
	for _, f := range files {
		part, err := z.Create(path.Join("files", f.ID.String(), f.Name))
		if err != nil {
			return fmt.Errorf("writing a person's data: %w", err)
		}
		if err := file.Write(ctx, run, f, part); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("writing a person's data: %w", err)
	}
	return nil
}
