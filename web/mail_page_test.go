package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/billing"
	"github.com/countinghouse/countinghouse/billing/dispatch"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/tenant"
	"github.com/countinghouse/countinghouse/tenant/tenanttest"
	"github.com/countinghouse/countinghouse/web"
)

// uploadOf is a form with one file, as a browser sends it.
func uploadOf(t testing.TB, path, name string, body []byte, pairs ...string) *http.Request {
	t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for i := 0; i < len(pairs); i += 2 {
		if err := w.WriteField(pairs[i], pairs[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if len(pairs) == 0 {
		if err := w.WriteField("idempotency_key", "file-"+tenanttest.Random(8)); err != nil {
			t.Fatal(err)
		}
	}
	part, err := w.CreateFormFile("file", name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("POST", path, &form)
	r.Header.Set("Content-Type", w.FormDataContentType())
	return r
}

func samplePicture(t testing.TB) []byte {
	t.Helper()
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 40, 20))); err != nil {
		t.Fatal(err)
	}
	return picture.Bytes()
}

// scope is the owner's own.
func (o owner) scope(t testing.TB) tenant.Scope {
	t.Helper()
	hash, _ := identity.HashToken(o.cookies["__Host-session"])
	scope, err := tenant.EnterMember(context.Background(), tenanttest.DB(), hash, o.slug)
	if err != nil {
		t.Fatal(err)
	}
	return scope
}

// delivered brings a mailing out, and gives what a mail server got.
func (o owner) delivered(t testing.TB, mailing string) []dispatch.Mail {
	t.Helper()
	var sent []dispatch.Mail
	d := dispatch.Dispatch{
		Link: func(secret string) string { return web.PayAddress(origin, secret) },
		Send: func(_ context.Context, m dispatch.Mail) error { sent = append(sent, m); return nil },
	}
	of, _ := id.Parse[billing.Mailing](mailing)
	for range 2 { // a job may run twice
		if err := d.Deliver(context.Background(), dispatch.In(tenanttest.DB(), o.scope(t)), of); err != nil {
			t.Fatal(err)
		}
	}
	return sent
}

type mailings struct {
	Items []struct{ ID, Kind, State, To string }
}

func paperText(t testing.TB, pdf []byte) string {
	t.Helper()
	cmd := exec.Command("pdftotext", "-layout", "-", "-")
	cmd.Stdin = bytes.NewReader(pdf)
	text, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestInvoiceByMail(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	invoice, _ := o.issued(t)
	for name, mailed := range map[string]string{"along.txt": "yes", "stays.txt": ""} {
		r := uploadOf(t, o.path("/invoices/"+invoice+"/files"), name, []byte("of "+name), "idempotency_key", name, "mailed", mailed)
		if a := o.do(t, r); a.status != http.StatusSeeOther {
			t.Fatalf("%s: %d %s", name, a.status, a.body)
		}
	}
	for _, to := range []string{"nobody", "a@b.example, c@d.example", "Mara <mara@x.example>", "a@b.example\r\nBcc: c@d.example"} {
		if a := o.post(t, o.path("/invoices/"+invoice+"/send"), "idempotency_key", "bad", "to", to); a.status != http.StatusUnprocessableEntity {
			t.Errorf("to %q: %d", to, a.status)
		}
	}
	if a := o.post(t, o.path("/invoices/"+invoice+"/send"), "idempotency_key", "k", "to", "", "message", "Dear you,\nsee below."); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.body)
	}
	var all mailings
	o.program.call(t, "GET", "/v1/invoices/"+invoice+"/mailings", nil).decode(t, &all)
	if len(all.Items) != 1 || all.Items[0].State != "queued" || all.Items[0].To != o.email {
		t.Fatalf("mailings are %+v", all)
	}
	sent := o.delivered(t, all.Items[0].ID)
	if len(sent) != 1 {
		t.Fatalf("%d mails went out", len(sent))
	}
	m := sent[0]
	if m.To != o.email || m.ID != all.Items[0].ID || !strings.HasPrefix(m.Text, "Dear you,\nsee below.") || len(m.Attached) != 2 || m.Attached[1].Name != "along.txt" {
		t.Errorf("the mail is %+v", m)
	}
	if text := paperText(t, m.Attached[0].Bytes); !strings.Contains(text, "100.00") {
		t.Errorf("the paper says %s", text)
	}
	link := regexp.MustCompile(regexp.QuoteMeta(origin) + `(/pay/\S+)`).FindStringSubmatch(m.Text)
	if link == nil {
		t.Fatalf("no link in %s", m.Text)
	}
	if a := h.browser().get(t, link[1]); a.status != http.StatusOK || !strings.Contains(string(a.body), "€100") {
		t.Errorf("the mailed link: %d", a.status)
	}
	o.program.call(t, "GET", "/v1/invoices/"+invoice+"/mailings", nil).decode(t, &all)
	if all.Items[0].State != "sent" {
		t.Errorf("it is %s afterwards", all.Items[0].State)
	}
	if a := o.get(t, o.path("/invoices/"+invoice)); !strings.Contains(string(a.body), "Mail sent</b> to "+o.email) {
		t.Error("the timeline does not tell of the mail")
	}
}

func TestMailOfDraftIsRefused(t *testing.T) {
	t.Parallel()
	o := open(t).signUp(t)
	customer := o.program.made(t, "/v1/customers", map[string]any{"name": "Ann", "email": "ann@example.com"})
	draft := o.program.made(t, "/v1/invoices", map[string]any{"customer_id": customer, "lines": []any{}})
	if a := o.program.call(t, "POST", "/v1/invoices/"+draft+"/send", map[string]any{}); a.status != http.StatusConflict || !strings.Contains(string(a.body), "mail.draft") {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestAttachments(t *testing.T) {
	t.Parallel()
	h := open(t)
	o, other := h.signUp(t), h.signUp(t)
	invoice, _ := o.issued(t)
	foreign, _ := other.issued(t)
	at := o.path("/invoices/" + invoice + "/files")
	body := append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte("x"), 900<<10)...)
	if a := o.do(t, uploadOf(t, at, "plan.pdf", body)); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.body)
	}
	for name, content := range map[string]string{"page.html": "<script>alert(1)</script>", "plan.png": "%PDF-1.7", "": "%PDF-1.7", "empty.pdf": ""} {
		if a := o.do(t, uploadOf(t, at, name, []byte(content))); a.status != http.StatusUnprocessableEntity {
			t.Errorf("%q: %d", name, a.status)
		}
	}
	var all struct{ Items []struct{ ID, Name string } }
	o.program.call(t, "GET", "/v1/invoices/"+invoice+"/files", nil).decode(t, &all)
	if len(all.Items) != 1 {
		t.Fatalf("files are %+v", all)
	}
	a := o.get(t, at+"/"+all.Items[0].ID)
	if a.status != http.StatusOK || !bytes.Equal(a.body, body) || !strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment") ||
		a.header.Get("Content-Type") != "application/pdf" || a.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("it comes back as %d, %v, %d bytes", a.status, a.header, len(a.body))
	}
	for _, path := range []string{other.path("/invoices/" + foreign + "/files/" + all.Items[0].ID), other.path("/invoices/" + invoice + "/files/" + all.Items[0].ID)} {
		if a := other.get(t, path); a.status != http.StatusNotFound {
			t.Errorf("another organization gets %d", a.status)
		}
	}
	second, _ := o.issued(t)
	if a := o.get(t, o.path("/invoices/"+second+"/files/"+all.Items[0].ID)); a.status != http.StatusNotFound {
		t.Errorf("as a file of another invoice: %d", a.status)
	}
	if a := o.post(t, at+"/"+all.Items[0].ID+"/remove", "idempotency_key", "gone"); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := o.get(t, at+"/"+all.Items[0].ID); a.status != http.StatusNotFound {
		t.Errorf("a removed file: %d", a.status)
	}
}

func TestFilesByProgram(t *testing.T) {
	t.Parallel()
	o := open(t).signUp(t)
	invoice, _ := o.issued(t)
	send := func(name, contentType, key, body string) answer {
		r := httptest.NewRequest("POST", "/v1/invoices/"+invoice+"/files?name="+name, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+o.program.token)
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Idempotency-Key", key)
		return o.program.h.send(t, r)
	}
	first := send("plan.pdf", "application/octet-stream", "one", "%PDF-1.7")
	if first.status != http.StatusCreated {
		t.Fatalf("%d %s", first.status, first.body)
	}
	var f struct{ ID, SHA256 string }
	if err := json.Unmarshal(first.body, &f); err != nil || len(f.SHA256) != 64 {
		t.Fatalf("%s, %v", first.body, err)
	}
	if again := send("plan.pdf", "application/octet-stream", "one", "%PDF-1.7"); again.status != http.StatusCreated || !strings.Contains(string(again.body), f.ID) {
		t.Errorf("sent again: %d %s", again.status, again.body)
	}
	if again := send("other.pdf", "application/octet-stream", "one", "%PDF-1.7"); again.status != http.StatusUnprocessableEntity {
		t.Errorf("another name under the same key: %d", again.status)
	}
	if a := send("plan.pdf", "application/json", "two", "%PDF-1.7"); a.status != http.StatusUnsupportedMediaType {
		t.Errorf("as JSON: %d", a.status)
	}
	if a := o.program.call(t, "GET", "/v1/invoices/"+invoice+"/files/"+f.ID, nil); a.status != http.StatusOK || string(a.body) != "%PDF-1.7" {
		t.Errorf("%d %q", a.status, a.body)
	}
	if a := o.program.call(t, "DELETE", "/v1/invoices/"+invoice+"/files/"+f.ID, nil); a.status != http.StatusNoContent {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestFilesAreClosedToSupport(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	invoice, _ := o.issued(t)
	if a := o.do(t, uploadOf(t, o.path("/invoices/"+invoice+"/files"), "plan.txt", []byte("for members alone"))); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.body)
	}
	var all struct{ Items []struct{ ID string } }
	o.program.call(t, "GET", "/v1/invoices/"+invoice+"/files", nil).decode(t, &all)
	visitor, _ := h.visitor(t, o, false, "invoices:read")
	if a := visitor.get(t, o.path("/invoices/"+invoice)); a.status != http.StatusOK {
		t.Fatalf("the invoice: %d", a.status)
	}
	if a := visitor.get(t, o.path("/invoices/"+invoice+"/files/"+all.Items[0].ID)); a.status != http.StatusForbidden || strings.Contains(string(a.body), "members alone") {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestBranding(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	invoice, _ := o.issued(t)
	pdf := func() []byte { return o.get(t, o.path("/invoices/"+invoice+"/pdf")).body }
	plain := pdf()
	picture := samplePicture(t)
	at := o.path("/settings/branding")
	if a := o.do(t, uploadOf(t, at+"/logo", "logo.png", picture)); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := o.get(t, at+"/logo"); a.status != http.StatusOK || !bytes.Equal(a.body, picture) || a.header.Get("Content-Type") != "image/png" {
		t.Errorf("the logo: %d", a.status)
	}
	if a := o.do(t, uploadOf(t, at+"/logo", "logo.svg", []byte("<svg/>"))); a.status != http.StatusUnprocessableEntity {
		t.Errorf("an SVG: %d", a.status)
	}
	version := regexp.MustCompile(`name="version" value="(\d+)"`).FindSubmatch(o.get(t, at).body)
	if version == nil {
		t.Fatal("the form has no version")
	}
	for _, bad := range [][]string{{"colour", "#ffffff"}, {"colour", "red"}, {"reply_to", "me"}, {"reminder_days", "soon"}, {"reminder_days", "-31"}, {"reminder_days", "1,1"}} {
		if a := o.post(t, at, append([]string{"idempotency_key", "bad", "version", string(version[1])}, bad...)...); a.status != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d", bad, a.status)
		}
	}
	a := o.post(t, at, "idempotency_key", "k", "version", string(version[1]), "colour", "#1f3e8a", "pay_to", "To NL91 ABNA 0417 1643 00", "foot", "Registered in Cork", "reply_to", "books@tidewater.example", "reminder_days", "7, -3, 1")
	if a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.body)
	}
	var b struct {
		Colour    string
		Reminders []int `json:"reminder_days"`
	}
	o.program.call(t, "GET", "/v1/branding", nil).decode(t, &b)
	if b.Colour != "#1f3e8a" || fmt.Sprint(b.Reminders) != "[-3 1 7]" {
		t.Errorf("branding is %+v", b)
	}
	dressed := pdf()
	if text := paperText(t, dressed); !strings.Contains(text, "NL91 ABNA") || !strings.Contains(text, "Registered in Cork") || bytes.Equal(plain, dressed) {
		t.Errorf("the paper says %s", text)
	}
	if !bytes.Contains(dressed, []byte("/Subtype /Image")) || bytes.Contains(plain, []byte("/Subtype /Image")) {
		t.Error("the logo is not on the paper")
	}
}

func TestStatement(t *testing.T) {
	t.Parallel()
	o := open(t).signUp(t)
	invoice, customer := o.issued(t)
	o.program.made(t, "/v1/payments", map[string]any{"invoice_id": invoice, "method": "cash", "amount": map[string]string{"amount": "30.00", "currency": "EUR"}})
	var s struct {
		Items []struct {
			Opening, Closing web.Money
			Lines            []struct {
				Kind, Documents string
				Amount, Balance web.Money
			}
		}
	}
	o.program.call(t, "GET", "/v1/customers/"+customer+"/statement", nil).decode(t, &s)
	if len(s.Items) != 1 || s.Items[0].Closing.Amount != "70.00" || len(s.Items[0].Lines) != 2 || s.Items[0].Lines[1].Amount.Amount != "-30.00" ||
		s.Items[0].Lines[0].Kind != "invoice" || s.Items[0].Lines[0].Documents == "" || s.Items[0].Lines[1].Documents != s.Items[0].Lines[0].Documents {
		t.Errorf("the statement is %+v", s)
	}
	later := o.program.call(t, "GET", "/v1/customers/"+customer+"/statement?from=2099-01-01&to=2099-12-31", nil)
	if later.decode(t, &s); later.status != http.StatusOK || len(s.Items) != 1 || s.Items[0].Opening.Amount != "70.00" || len(s.Items[0].Lines) != 0 {
		t.Errorf("a later one is %d %s", later.status, later.body)
	}
	at := o.path("/customers/" + customer + "/statement")
	if a := o.get(t, at); a.status != http.StatusOK || !strings.Contains(string(a.body), `<span class="sum">70.00</span>`) {
		t.Errorf("the page: %d %s", a.status, a.body)
	}
	if a := o.get(t, at+"?from=2026-02-30"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a day that is none: %d", a.status)
	}
	if text := paperText(t, o.get(t, at+".pdf").body); !strings.Contains(text, "70.00") || !strings.Contains(text, "-30.00") {
		t.Errorf("the paper says %s", text)
	}
	if a := o.get(t, at+".csv"); !strings.Contains(string(a.body), ",closing,,,,70.00") {
		t.Errorf("the file says %s", a.body)
	}
	if a := o.post(t, at+"/send", "idempotency_key", "k", "to_email", ""); a.status != http.StatusSeeOther {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := o.post(t, at+"/send", "idempotency_key", "k2", "to_email", "x"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a bad address: %d", a.status)
	}
}
