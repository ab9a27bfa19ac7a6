// Package placetest writes databases of places for tests.
//
// We ship no database of places, and one that can be downloaded changes. What is written here is a real one in MaxMind's
// format (maxmind.github.io/MaxMind-DB), as small as one can be.
package placetest

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// Network is the network first/8 of IPv4, and the record of what is said of it.
type Network struct {
	First  byte
	Record []byte
}

// City is the record of a place: its names, and where it lies within a radius in kilometres.
func City(city, country string, latitude, longitude float64, radius uint64) []byte {
	return Table("city", Table("names", Table("en", city)), "country", Table("names", Table("en", country)),
		"location", Table("accuracy_radius", Number(5, radius), "latitude", Double(latitude), "longitude", Double(longitude)))
}

// Text is a string of the format.
func Text(s string) []byte { return append(head(2, len(s)), s...) }

// Double is a double of the format.
func Double(v float64) []byte {
	return binary.BigEndian.AppendUint64(head(3, 8), math.Float64bits(v))
}

// Number is an unsigned integer of the format; kind 5 has 16 bits, 6 has 32 and 9 has 64.
func Number(kind int, v uint64) []byte {
	b := bytes.TrimLeft(binary.BigEndian.AppendUint64(nil, v), "\x00")
	return append(head(kind, len(b)), b...)
}

func head(kind, size int) []byte {
	if kind > 7 {
		return []byte{byte(size), byte(kind - 7)}
	}
	if size < 29 {
		return []byte{byte(kind<<5 | size)}
	}
	return []byte{byte(kind<<5 | 29), byte(size - 29)}
}

// Table is a map of the format, of keys and their values in turn; a string stands for its Text.
func Table(pairs ...any) []byte {
	b := head(7, len(pairs)/2)
	for _, p := range pairs {
		switch v := p.(type) {
		case string:
			b = append(b, Text(v)...)
		case []byte:
			b = append(b, v...)
		}
	}
	return b
}

// Database is the file that knows the networks.
func Database(networks ...Network) []byte {
	// A node leads on by the next bit: to another node, or, less than zero, to a record.
	nodes := [][2]int{{}}
	var records []byte
	for _, n := range networks {
		at := 0
		for bit := 7; bit > 0; bit-- {
			side := n.First >> bit & 1
			if nodes[at][side] == 0 {
				nodes = append(nodes, [2]int{})
				nodes[at][side] = len(nodes) - 1
			}
			at = nodes[at][side]
		}
		nodes[at][n.First&1] = -len(records) - 1
		records = append(records, n.Record...)
	}
	var b []byte
	for _, node := range nodes {
		for _, to := range node {
			switch {
			case to == 0: // nothing is known
				to = len(nodes)
			case to < 0:
				to = len(nodes) + 16 - to - 1
			}
			b = append(b, byte(to>>16), byte(to>>8), byte(to))
		}
	}
	b = append(append(b, make([]byte, 16)...), records...)
	b = append(b, "\xab\xcd\xefMaxMind.com"...)
	return append(b, Table("binary_format_major_version", Number(5, 2), "binary_format_minor_version", Number(5, 0), "build_epoch", Number(9, 1_700_000_000),
		"database_type", "Test-City", "description", Table("en", "A test"), "ip_version", Number(5, 4), "languages", append(head(11, 1), Text("en")...),
		"node_count", Number(6, uint64(len(nodes))), "record_size", Number(5, 24))...)
}

// Write puts a file where it is gone when the test ends, and gives its path.
func Write(t testing.TB, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "places.mmdb")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
