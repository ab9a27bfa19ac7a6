package fake

import (
	"bytes"
	"context"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/billing/money"
)

var pages = template.Must(template.New("page").Parse(`<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,"><title>{{.Title}} - practice gateway</title>
<body><main><p>Practice gateway: no money moves here.</p>
{{with .Charge}}<h1>{{.Title}}</h1><p><strong>{{$.Amount}}</strong></p>
{{if eq .State "waiting"}}{{with .Reason}}<p role="alert">The card was declined. Try another.</p>{{end}}
<form method="post"><p><label for="number">Card number</label><br><input id="number" name="number" inputmode="numeric" value="4242 4242 4242 4242" required></p>
<p>4242 4242 4242 4242 is charged, 4000 0000 0000 0002 declined.</p><button>Pay {{$.Amount}}</button></form>
{{with .Back}}<p><a href="{{.}}">Go back without paying</a></p>{{end}}
{{else}}<p>{{if eq .State "succeeded"}}Paid.{{else}}This page is closed.{{end}}</p>{{with .Back}}<p><a href="{{.}}">Go on</a></p>{{end}}{{end}}
{{else}}<h1>{{.Title}}</h1>
{{range .Accounts}}<h2>Account {{.Hint}}</h2>
<form method="post" action="/notify"><input type="hidden" name="key" value="{{.Key}}">
<p><label for="n{{.Hint}}">Send messages to</label><br><input id="n{{.Hint}}" name="url" size="70" value="{{.Notify}}"> <button>Save</button></p></form>
<p>Signing secret: <code>{{.Secret}}</code></p>
<table><tr><th>Charge<th>State<th>Amount<th>Refunded<th>Disputed<th></tr>
{{$key := .Key}}{{range .Charges}}<tr><td>{{.ID}}<td>{{.State}}<td>{{.Amount}} {{.Currency}}<td>{{.Refunded}}<td>{{.Disputed}}<td>
{{if eq .State "succeeded"}}<form method="post" action="/dispute"><input type="hidden" name="key" value="{{$key}}"><input type="hidden" name="ref" value="{{.ID}}">
{{if .Disputed}}<button name="reinstate" value="yes">Win the dispute</button>{{else}}<button>Dispute</button>{{end}}</form>{{end}}</tr>{{end}}</table>
{{else}}<p>No account has been opened yet. Add a practice gateway under Settings, Payment gateways, and charge something.</p>{{end}}{{end}}</main></body></html>`))

type pageData struct {
	Title    string
	Amount   string
	Charge   *charge
	Accounts []accountData
}

type accountData struct {
	Key, Hint, Notify, Secret string
	Charges                   []charge
}

func (h *House) registerPages() {
	h.mux.HandleFunc("GET /pay/{id}", h.showPage)
	h.mux.HandleFunc("POST /pay/{id}", h.sendPage)
	h.mux.HandleFunc("GET /{$}", h.showDashboard)
	h.mux.HandleFunc("POST /notify", h.sendNotify)
	h.mux.HandleFunc("POST /dispute", h.sendDispute)
}

func (h *House) showPage(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	var shown *charge
	if _, c := h.find(r.PathValue("id")); c != nil {
		kept := *c
		shown = &kept
	}
	h.mu.Unlock()
	if shown == nil {
		http.NotFound(w, r)
		return
	}
	currency, err := money.ParseCurrency(shown.Currency)
	if err != nil {
		http.Error(w, "the currency is unknown", http.StatusInternalServerError)
		return
	}
	show(w, pageData{Title: shown.Title, Charge: shown, Amount: money.Amount{Minor: shown.Amount, Currency: currency}.String() + " " + shown.Currency})
}

func (h *House) sendPage(w http.ResponseWriter, r *http.Request) {
	token := ""
	number := strings.ReplaceAll(r.PostFormValue("number"), " ", "")
	for t, n := range numbers {
		if n == number {
			token = t
		}
	}
	if token == "" {
		http.Error(w, "Use one of the practice cards.", http.StatusUnprocessableEntity)
		return
	}
	id := r.PathValue("id")
	h.PayPage(id, token)
	h.mu.Lock()
	_, c := h.find(id)
	to := "/pay/" + id
	if c != nil && c.State == "succeeded" && c.Back != "" {
		to = c.Back
	}
	h.mu.Unlock()
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (h *House) showDashboard(w http.ResponseWriter, _ *http.Request) {
	data := pageData{Title: "Dashboard"}
	h.mu.Lock()
	for _, a := range h.accounts {
		row := accountData{Key: a.key, Hint: a.key[len(a.key)-4:], Notify: a.notify, Secret: a.secret}
		for _, c := range a.charges {
			row.Charges = append(row.Charges, *c)
		}
		data.Accounts = append(data.Accounts, row)
	}
	h.mu.Unlock()
	show(w, data)
}

func (h *House) sendNotify(w http.ResponseWriter, r *http.Request) {
	h.Notify(r.PostFormValue("key"), r.PostFormValue("url"))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// Notify says where the messages of an account go.
func (h *House) Notify(key, address string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.account(key).notify = address
}

func (h *House) sendDispute(w http.ResponseWriter, r *http.Request) {
	h.Dispute(r.PostFormValue("key"), r.PostFormValue("ref"), r.PostFormValue("reinstate") != "")
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func show(w http.ResponseWriter, data pageData) {
	var body bytes.Buffer
	if err := pages.Execute(&body, data); err != nil {
		http.Error(w, "the page could not be drawn", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if _, err := w.Write(body.Bytes()); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// send brings a message to its address, a few times if need be; then the provider gives up, as real ones do.
func (h *House) send(address string, m Message) {
	for _, pause := range []time.Duration{0, time.Second, 5 * time.Second} {
		time.Sleep(pause)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(m.Body))
		if err != nil {
			cancel()
			return
		}
		r.Header = m.Header.Clone()
		r.Header.Set("Content-Type", "application/json")
		response, err := h.Deliver.Do(r)
		cancel()
		if err != nil {
			continue
		}
		response.Body.Close()
		if response.StatusCode < 300 {
			return
		}
	}
}
