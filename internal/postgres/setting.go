package postgres

import (
	"maps"
	"slices"
	"strconv"
)

// defaultSettings suit one machine that also runs the service.
var defaultSettings = map[string]string{
	"max_connections":     "200",
	"shared_buffers":      "256MB",
	"timezone":            "UTC",
	"log_timezone":        "UTC",
	"password_encryption": "scram-sha-256",
	"log_checkpoints":     "off",
	// A silent connection that arrives during a shutdown holds it up for this long (the default is a minute).
	"authentication_timeout": "10s",
}

// fastSettings give up durability.
var fastSettings = map[string]string{
	"fsync":              "off",
	"synchronous_commit": "off",
	"full_page_writes":   "off",
	"wal_level":          "minimal",
	"max_wal_senders":    "0",
	"shared_buffers":     "128MB",
}

// serverSettings are the -c arguments of the server: defaults, then the caller's, then those that keep it
// private, which nobody overrides.
func serverSettings(o Options, port int) []string {
	all := maps.Clone(defaultSettings)
	if o.Fast {
		maps.Copy(all, fastSettings)
	}
	maps.Copy(all, o.Settings)
	maps.Copy(all, map[string]string{
		"listen_addresses":        "127.0.0.1",
		"port":                    strconv.Itoa(port),
		"unix_socket_directories": "", // a shared /tmp is not private, and a deep folder exceeds 107 bytes
	})
	var args []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		args = append(args, "-c", name+"="+all[name])
	}
	return args
}
