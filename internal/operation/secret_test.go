package operation_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// secretShapes are what the secrets of others look like, and our own.
var secretShapes = map[string]*regexp.Regexp{
	"a private key":           regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=\s]{100,}`),
	"a key of AWS":            regexp.MustCompile(`\b(AKIA|ASIA)[0-9A-Z]{16}\b`),
	"a token of GitHub":       regexp.MustCompile(`\bgh[pousr]_[A-Za-z0-9]{36,}\b`),
	"a live key of Stripe":    regexp.MustCompile(`\b[rs]k_live_[A-Za-z0-9]{20,}\b`),
	"a token of Slack":        regexp.MustCompile(`\bxox[abprs]-[A-Za-z0-9-]{20,}\b`),
	"a key of Google":         regexp.MustCompile(`\bAIza[A-Za-z0-9_-]{35}\b`),
	"a token of Vault":        regexp.MustCompile(`\bhv[sbr]\.[A-Za-z0-9_-]{24,}\b`),
	"an API token of ours":    regexp.MustCompile(`\bch_[A-Za-z0-9_-]{40,}\b`),
	"a password in a URL":     regexp.MustCompile(`\b(?:postgres|postgresql|smtp|https?)://[A-Za-z0-9_]+:[^@\s"'/:.]{12,}@[a-z0-9.-]+\.(?:com|net|io|org)\b`),
	"a JSON Web Token":        regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{20,}\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}`),
	"a path of one's machine": regexp.MustCompile(`(?:/Users|/home)/[a-z][a-z0-9_-]+/`),
}

// madeUp are texts in that shape that are nobody's.
var madeUp = []string{"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef"}

func TestNoSecretIsCommitted(t *testing.T) {
	t.Parallel()
	looked := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator)))
		if d.IsDir() {
			switch name {
			case ".git", "data", "bin", ".cache", "bench/results":
				return filepath.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() || strings.HasPrefix(name, "data") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		looked++
		if bytes.IndexByte(text[:min(len(text), 8000)], 0) >= 0 { // a picture
			return nil
		}
		for _, found := range secretsIn(string(text)) {
			t.Errorf("%s holds what looks like %s", name, found)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if looked < 500 {
		t.Errorf("it looked at %d files", looked)
	}
}

func secretsIn(text string) (found []string) {
	for what, shape := range secretShapes {
		for _, match := range shape.FindAllString(text, -1) {
			known := false
			for _, harmless := range madeUp {
				known = known || strings.Contains(match, harmless)
			}
			if !known {
				found = append(found, what)
			}
		}
	}
	return found
}

// What is to be found is found: the parts are put together here, so that this file holds none.
func TestSecretsAreFound(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("aB3dE6gH9j", 6)
	for what, text := range map[string]string{
		"a private key":        "-----BEGIN EC PRIVATE" + " KEY-----\n" + long + long + "\n",
		"a key of AWS":         "AKIA" + "IOSFODNN7EXAMPLQ",
		"a token of GitHub":    "gh" + "p_" + long,
		"a live key of Stripe": "sk_" + "live_" + long,
		"a token of Vault":     "hv" + "s." + long,
		"an API token of ours": "ch" + "_" + long,
		"a password in a URL":  "postgres://books:" + long + "@db.books.com/books",
	} {
		if got := secretsIn("x = \"" + text + "\""); len(got) != 1 || got[0] != what {
			t.Errorf("%s: found %v", what, got)
		}
	}
}
