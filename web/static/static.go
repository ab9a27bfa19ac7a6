// Package static holds what pages load: stylesheet, scripts, fonts and the mark.
//
// Everything is compiled into the binary and served under a name that carries the hash of its content, so
// that a browser may keep a file for ever and still never mixes two versions of us. The stylesheet's own
// addresses of fonts are rewritten to such names too.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"sync"
)

// Prefix is the path under which the edge serves these files.
const Prefix = "/static/"

// CacheControl is the header to send with every file that Open gives.
const CacheControl = "public, max-age=31536000, immutable"

//go:embed look.css app.js captcha.js captcha-worker.js editor.js idle.js keys.js htmx.min.js favicon.svg fonts/*.woff2
var files embed.FS

// types is stated here and not asked of the machine, whose own list may lack a type or differ.
var types = map[string]string{
	".css":   "text/css; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".svg":   "image/svg+xml",
	".woff2": "font/woff2",
}

type file struct {
	url, contentType, etag string
	content                []byte
	packed                 func() []byte // compressed once, when it is first asked for
}

var byName, byURL = load()

// URL is the address of a file by its name here: URL("look.css") is "/static/look.<hash>.css". The name is
// part of our own source; one that does not exist panics.
func URL(name string) string {
	f, ok := byName[name]
	if !ok {
		panic(fmt.Sprintf("static: there is no file %q", name))
	}
	return f.url
}

// Open gives the file at an address that URL made. ok is false for any other address, an outdated hash
// included: serving new content under an old name would be kept for ever.
func Open(url string) (content []byte, contentType, etag string, ok bool) {
	f, ok := byURL[url]
	if !ok {
		return nil, "", "", false
	}
	return f.content, f.contentType, f.etag, true
}

// Packed gives the file at an address that URL made as gzip holds it (RFC 1952), and its own entity tag: what differs in
// encoding differs in tag (RFC 9110, 8.8.3.3). ok is false for a file that does not get smaller. Such a file is the same
// for everyone and holds no secret, so its length tells nothing.
func Packed(url string) (content []byte, etag string, ok bool) {
	f, ok := byURL[url]
	if !ok || f.contentType == "font/woff2" { // which is compressed already
		return nil, "", false
	}
	return f.packed(), strings.TrimSuffix(f.etag, `"`) + `-gzip"`, true
}

// pack compresses as far as gzip does. Writing to memory does not fail.
func pack(content []byte) []byte {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err == nil {
		if _, err = w.Write(content); err == nil {
			err = w.Close()
		}
	}
	if err != nil {
		panic(fmt.Sprintf("static: compressing: %v", err))
	}
	return out.Bytes()
}

// load reads every file, stylesheets last because their text names the others.
func load() (byName, byURL map[string]file) {
	byName, byURL = map[string]file{}, map[string]file{}
	var sheets []string
	add := func(name string, content []byte) {
		f := hashed(name, content)
		byName[name], byURL[f.url] = f, f
	}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if path.Ext(name) == ".css" {
			sheets = append(sheets, name)
			return nil
		}
		content, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		add(name, content)
		return nil
	})
	if err != nil {
		panic(fmt.Sprintf("static: reading what is compiled in: %v", err))
	}
	for _, name := range sheets {
		content, err := files.ReadFile(name)
		if err != nil {
			panic(fmt.Sprintf("static: reading what is compiled in: %v", err))
		}
		add(name, rewriteAddresses(content, byName))
	}
	return byName, byURL
}

func hashed(name string, content []byte) file {
	sum := sha256.Sum256(content)
	ext := path.Ext(name)
	hash := hex.EncodeToString(sum[:8])
	return file{
		url:         Prefix + strings.TrimSuffix(name, ext) + "." + hash + ext,
		contentType: types[ext],
		etag:        `"` + hash + `"`,
		content:     content,
		packed:      sync.OnceValue(func() []byte { return pack(content) }),
	}
}

var address = regexp.MustCompile(`url\("([^"]+)"\)`)

func rewriteAddresses(sheet []byte, byName map[string]file) []byte {
	return address.ReplaceAllFunc(sheet, func(found []byte) []byte {
		name := string(address.FindSubmatch(found)[1])
		f, ok := byName[name]
		if !ok {
			panic(fmt.Sprintf("static: a stylesheet names %q, which is not here", name))
		}
		return []byte(`url("` + f.url + `")`)
	})
}
