package tenant

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/countinghouse/countinghouse/migrations"
)

// DumpBaseline migrates an empty schema in the cluster and gives its script as migrations/baseline.sql holds
// it. The cluster is scratch: a database is left in it.
func DumpBaseline(ctx context.Context, superuserURL, binDir string) (_ string, err error) {
	config, err := scratchDatabase(ctx, superuserURL)
	if err != nil {
		return "", err
	}
	const name = migrations.BaselineName
	owner, err := openPool(config, ownerLogin, 1, nil)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, owner.Close()) }()
	if _, err := owner.ExecContext(ctx, "CREATE ROLE "+name+" NOLOGIN NOINHERIT; CREATE SCHEMA "+name+"; GRANT USAGE ON SCHEMA "+name+" TO "+name); err != nil {
		return "", fmt.Errorf("making the schema: %w", err)
	}
	if err := migrateTenant(ctx, config, name); err != nil {
		return "", err
	}
	return dumpSchema(ctx, config, binDir, name)
}

// scratchDatabase prepares a database of this version in a cluster that holds nothing of value.
func scratchDatabase(ctx context.Context, superuserURL string) (Config, error) {
	config, err := ScratchConfig(superuserURL)
	if err != nil {
		return config, err
	}
	if err := Bootstrap(ctx, superuserURL, config); err != nil {
		return config, err
	}
	_, err = Migrate(ctx, config)
	return config, err
}

// ScratchConfig is the configuration of a service in a private cluster that is thrown away afterwards.
func ScratchConfig(superuserURL string) (Config, error) {
	return Config{Key: bytes.Repeat([]byte("scratch!"), 4)}.OnCluster(superuserURL)
}

// dumpSchema gives pg_dump's script of one schema, less what pg_dump says of itself and of the session.
func dumpSchema(ctx context.Context, config Config, binDir, schema string) (string, error) {
	address, err := config.loginURL(ownerLogin, nil)
	if err != nil {
		return "", err
	}
	// binary_parameters is a word between lib/pq and us.
	address = strings.NewReplacer("binary_parameters=yes", "connect_timeout=10").Replace(address)
	command := exec.CommandContext(ctx, filepath.Join(binDir, "pg_dump"), "--schema-only", "--no-owner", "--schema="+schema, address)
	var complaint bytes.Buffer
	command.Stderr = &complaint
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("dumping schema %s: %w: %s", schema, err, complaint.String())
	}
	var script strings.Builder
	for line := range strings.Lines(string(out)) {
		switch {
		case strings.TrimSpace(line) == "", strings.HasPrefix(line, "--"), strings.HasPrefix(line, `\`),
			strings.HasPrefix(line, "SET "), strings.HasPrefix(line, "SELECT pg_catalog.set_config"),
			strings.HasPrefix(line, "CREATE SCHEMA "):
		default:
			script.WriteString(line)
		}
	}
	return script.String(), nil
}
