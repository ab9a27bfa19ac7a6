// Package migrations holds the database's shape as SQL: platform for what all organizations share, tenant for
// what each has in its own schema, and baseline.sql, which gives a new tenant the result of all tenant
// migrations in one message.
//
// It is embedded, so that the binary and the shape it expects are one thing.
package migrations

import (
	"embed"
	"io/fs"
)

//go:embed platform/*.sql tenant/*.sql
var files embed.FS

// BaselineName is the schema and role that baseline.sql is written for; provisioning puts the new tenant's
// name in its place.
const BaselineName = "t_baseline"

// Baseline is the script of a new tenant. `make baseline` writes it from the tenant migrations.
//
//go:embed baseline.sql
var Baseline string

// Platform gives the migrations of schema platform.
func Platform() fs.FS { return sub("platform") }

// Tenant gives the migrations that each organization's schema goes through.
func Tenant() fs.FS { return sub("tenant") }

func sub(folder string) fs.FS {
	f, err := fs.Sub(files, folder)
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return f
}
