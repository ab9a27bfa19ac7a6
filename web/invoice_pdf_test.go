package web_test

import (
	"bytes"
	"net/http"
	"os/exec"
	"strings"
	"testing"
)

// pdfText is what a reader that is not ours finds in a PDF.
func pdfText(t testing.TB, pdf []byte) string {
	t.Helper()
	reader := exec.Command("pdftotext", "-layout", "-enc", "UTF-8", "-", "-")
	reader.Stdin = bytes.NewReader(pdf)
	text, err := reader.Output()
	if err != nil {
		t.Fatalf("reading a PDF: %v", err)
	}
	return string(text)
}

func TestInvoicePDF(t *testing.T) {
	t.Parallel()
	h := open(t)
	o := h.signUp(t)
	p := o.program
	customer := p.made(t, "/v1/customers", map[string]any{"name": "Ζαχαρίας", "company": "青空 Ltd", "street": "Kade 7", "city": "Athens", "country": "Greece"})
	p.made(t, "/v1/tax-rates", map[string]any{"code": "QST", "name": "QST", "percent": "9.975"})
	invoice := p.made(t, "/v1/invoices", map[string]any{"customer_id": customer, "reference": "PO/7", "lines": []any{
		map[string]any{"description": "Mixing", "quantity": "2", "unit_price": "1145.5", "discount_percent": "10", "taxes": []string{"QST"}},
	}})
	pdf := func() (string, answer) {
		a := p.call(t, "GET", "/v1/invoices/"+invoice+"/pdf", nil)
		if a.status != http.StatusOK || a.header.Get("Content-Type") != "application/pdf" {
			t.Fatalf("%d %s %s", a.status, a.header.Get("Content-Type"), a.body)
		}
		return pdfText(t, a.body), a
	}
	if text, _ := pdf(); !strings.Contains(text, "DRAFT") || strings.Contains(text, "INV-") {
		t.Errorf("a draft on paper says\n%s", text)
	}
	if a := p.call(t, "POST", "/v1/invoices/"+invoice+"/issue", nil); a.status != http.StatusOK {
		t.Fatalf("issue: %d %s", a.status, a.body)
	}
	// 2 × 1145.50 less 10 % = 2061.90; 9.975 % = 205.674525, 205.67.
	text, a := pdf()
	for _, want := range []string{"INV-0001", "青空 Ltd", "Ζαχαρίας", "Greece", "1,145.50", "less 10%", "2,061.90", "205.67", "2,267.57", "PO/7"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q on paper:\n%s", want, text)
		}
	}
	if strings.Contains(text, "DRAFT") {
		t.Error("an issued invoice says that it is a draft")
	}
	if got := a.header.Get("Content-Disposition"); got != "inline; filename=INV-0001.pdf" {
		t.Errorf("it is called %q", got)
	}
	onPage := o.browser.get(t, "/o/"+o.slug+"/invoices/"+invoice+"/pdf")
	if !bytes.Equal(onPage.body, a.body) {
		t.Errorf("the page's paper is not the API's: %d, %d and %d bytes", onPage.status, len(onPage.body), len(a.body))
	}
}
