package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/countinghouse/countinghouse/internal/postgres"
)

// One machine is set up as the guide for operators says, in folders and on ports of this test's own and without systemd,
// whose unit has a test by itself: the role and the database, the program and its key, the settings; what the unit starts
// becomes ready, leads whoever comes without encryption to the origin, and ends when it is told to.
func TestOneMachineAsTheGuideSays(t *testing.T) {
	t.Parallel()
	root := openFolder(t)
	cluster, err := postgres.Start(t.Context(), postgres.Options{Dir: filepath.Join(root, "postgres"), Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	at, err := url.Parse(cluster.URL())
	if err != nil {
		t.Fatal(err)
	}
	super, _ := at.User.Password()
	redirect, operators := fmt.Sprintf("127.0.0.1:%d", freePort(t)), fmt.Sprintf("127.0.0.1:%d", freePort(t))
	here := strings.NewReplacer("/usr/local/bin/", root+"/bin/", "/etc/countinghouse", root+"/etc", "/var/lib/countinghouse", root+"/lib",
		"PASSWORD '...'", "PASSWORD 'for this test'", "countinghouse_owner:...@localhost/", "countinghouse_owner:for%20this%20test@"+at.Host+"/", "sslmode=require", "sslmode=disable",
		"LISTEN=:443", fmt.Sprintf("LISTEN=127.0.0.1:%d", freePort(t)), "LISTEN=:80", "LISTEN="+redirect, "127.0.0.1:9090", operators, "%d/service.key", root+"/etc/service.key")
	text, err := os.ReadFile(filepath.Join(docs, "operators.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, chapter, _ := strings.Cut(string(text), "## One machine")
	chapter, _, _ = strings.Cut(chapter, "\n## ")
	for _, folder := range []string{"bin", "lib"} {
		if err := os.Mkdir(filepath.Join(root, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	built := build(t)
	environment := []string{"PATH=" + cluster.BinDir() + ":" + filepath.Join(root, "bin") + ":" + os.Getenv("PATH"), "HOME=" + root,
		"PGHOST=" + at.Hostname(), "PGPORT=" + at.Port(), "PGUSER=" + at.User.Username(), "PGPASSWORD=" + super, "PGDATABASE=postgres"}
	shell := func(line string, more ...string) *exec.Cmd {
		c := exec.CommandContext(t.Context(), "bash", "-c", here.Replace(line))
		c.Dir, c.Env = filepath.Dir(built), append(environment, more...)
		return c
	}
	var settings []string
	ran := 0
	for _, found := range regexp.MustCompile(`(?m)^ {7}(\S.*)$`).FindAllStringSubmatch(chapter, -1) {
		line := found[1]
		switch {
		case strings.HasPrefix(line, "COUNTINGHOUSE_"):
			settings = append(settings, here.Replace(line))
		case strings.HasPrefix(line, "apt-get "), strings.HasPrefix(line, "systemctl "), strings.Contains(line, "/etc/systemd/"), strings.HasPrefix(line, "countinghouse probe"):
		default:
			ran++
			if out, err := shell(strings.TrimPrefix(line, "sudo -u postgres ")).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v: %s", line, err, out)
			}
		}
	}
	if ran != 5 || len(settings) < 10 {
		t.Fatalf("%d commands and %d settings: this test reads the guide wrongly", ran, len(settings))
	}
	unit, err := os.ReadFile(filepath.Join(docs, "countinghouse.service"))
	if err != nil {
		t.Fatal(err)
	}
	of := func(key string) string {
		found := regexp.MustCompile(`(?m)^` + key + `=(.*)$`).FindSubmatch(unit)
		if found == nil {
			t.Fatalf("the unit has no %s", key)
		}
		return string(found[1])
	}
	settings = append(settings, here.Replace(of("Environment")))
	if out, err := shell(of("ExecStartPre"), settings...).CombinedOutput(); err != nil {
		t.Fatalf("migrating: %v: %s", err, out)
	}
	serve := shell("exec "+of("ExecStart"), settings...)
	var said bytes.Buffer
	serve.Stdout, serve.Stderr = &said, &said
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	ready := false
	for began := time.Now(); !ready && time.Since(began) < time.Minute; {
		ready = shell("countinghouse probe http://127.0.0.1:9090/readyz").Run() == nil
	}
	stay := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := stay.Get("http://" + redirect + "/sign-in")
	if err != nil {
		t.Error(err)
	} else if answer.Body.Close(); answer.Header.Get("Location") != "https://books.example/sign-in" {
		t.Errorf("without encryption it answers %d, to %q", answer.StatusCode, answer.Header.Get("Location"))
	}
	if err := serve.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if err := serve.Wait(); err != nil || !ready {
		t.Errorf("it became ready: %v; it ended with %v: %s", ready, err, said.String())
	}
}
