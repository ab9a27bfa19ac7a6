package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/valyala/fasthttp"

	"github.com/countinghouse/countinghouse/billing/file"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/web/page"
)

// uploadLimit is how large a request that carries a file may be: the file, and a form around it.
const uploadLimit = file.MaxBytes + 64<<10

// uploadFields bounds the other fields of such a form together.
const uploadFields = 64 << 10

var errUpload = fault.New(fault.Invalid, "upload.malformed", "This form cannot be read. Choose the file again and send it once more.").At("file")

// limitOf gives a request that may carry a file more room than any other, before its body is read. Whoever brings no
// credential at all has nothing to upload.
func limitOf(header *fasthttp.RequestHeader) fasthttp.RequestConfig {
	path := string(header.RequestURI())
	path, _, _ = strings.Cut(path, "?")
	known := len(header.Cookie(sessionCookie)) > 0 || len(header.Peek("Authorization")) > 0
	if !known || !header.IsPost() || !strings.HasSuffix(path, "/files") && !strings.HasSuffix(path, "/logo") {
		return fasthttp.RequestConfig{MaxRequestBodySize: bodyLimit}
	}
	return fasthttp.RequestConfig{MaxRequestBodySize: uploadLimit}
}

// uploaded is the file of a form.
type uploaded struct {
	name  string
	bytes []byte
}

// upload is send for a form with one file, which is named file; without a choice it is empty.
func (v *visit) upload(act func(tx *tenant.Tx, sent url.Values, f uploaded) (uuid.UUID, error), done func(made uuid.UUID) string, refused func(form page.Form) error) error {
	sent, f, err := readUpload(v.c)
	if err != nil {
		return err
	}
	return v.perform(sent, func(tx *tenant.Tx, sent url.Values) (uuid.UUID, error) { return act(tx, sent, f) }, done, refused)
}

func readUpload(c *fiberCtx) (sent url.Values, f uploaded, err error) {
	mediaType, parameters, err := mime.ParseMediaType(c.Get("Content-Type"))
	if err != nil || mediaType != "multipart/form-data" {
		return nil, f, refused(http.StatusUnsupportedMediaType, errFormType)
	}
	sent = url.Values{}
	parts, room := multipart.NewReader(bytes.NewReader(c.Body()), parameters["boundary"]), uploadFields
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return sent, f, nil
		} else if err != nil {
			return nil, f, errUpload
		}
		if err := readPart(part, sent, &f, &room); err != nil {
			return nil, f, err
		}
	}
}

func readPart(part *multipart.Part, sent url.Values, f *uploaded, room *int) error {
	name := part.FormName()
	if sent.Has(name) || name == "file" && f.bytes != nil || part.Header.Get("Content-Transfer-Encoding") != "" {
		return errFormRepeated
	}
	if name == "file" {
		// FileName would cut it at the last slash of this machine; file.Look knows those of others too.
		_, parameters, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
		if err != nil {
			return errUpload
		}
		f.name = parameters["filename"]
		f.bytes, err = io.ReadAll(part)
		if err != nil {
			return errUpload
		}
		return nil
	}
	value, err := io.ReadAll(io.LimitReader(part, int64(*room)+1))
	if err != nil || len(value) > *room {
		return errUpload
	}
	*room -= len(value)
	if !utf8.Valid(value) || !utf8.ValidString(name) || bytes.IndexByte(value, 0) >= 0 || len(sent) > 50 {
		return errFormText
	}
	sent.Set(name, string(value))
	return nil
}

// attachmentAs saves a file under its name (RFC 6266).
func attachmentAs(name string) string {
	return mime.FormatMediaType("attachment", map[string]string{"filename": name})
}

// sizeText is how large a file is, for people.
func sizeText(bytes int64) string {
	if bytes < 1<<20 {
		return fmt.Sprintf("%d kB", max(1, bytes>>10))
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/(1<<20))
}
