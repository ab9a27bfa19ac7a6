package pgtest_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/internal/postgres/pgtest"
)

func TestMain(m *testing.M) {
	os.Exit(pgtest.Main(m, func(url string) error { return query(url, "create table ready (n int)").err }))
}

type answer struct {
	text string
	err  error
}

func query(url, sql string) answer {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, filepath.Join(pgtest.BinDir(), "psql"), "-XAtqc", sql, url).CombinedOutput()
	return answer{strings.TrimSpace(string(out)), err}
}

// TestMain_gives_a_prepared_server finds what prepare made, on a server that has durability off.
func TestMain_gives_a_prepared_server(t *testing.T) {
	t.Parallel()
	if got := query(pgtest.URL(), "select count(*) from ready"); got.err != nil || got.text != "0" {
		t.Errorf("the prepared table is not there: %q, %v", got.text, got.err)
	}
	if got := query(pgtest.URL(), "show fsync"); got.text != "off" {
		t.Errorf("fsync is %q, want off", got.text)
	}
}
