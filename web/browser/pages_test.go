//go:build pages

package browser

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// stop is a page to look at.
type stop struct {
	path, name string
	status     int
	language   string // that it must speak; empty for whichever
}

// pattern is an entry of the router's list.
type pattern struct {
	path string
	is   *regexp.Regexp
}

// routed asks the program for the pages that it knows: those of its own host, and those of an organization's.
func routed(t *testing.T, home string) (members, customers []pattern) {
	t.Helper()
	own, hosts, found := strings.Cut(call(t, home).get("/dev/routes").body, "\n\n")
	if !found {
		t.Fatal("the list of routes is of one part")
	}
	return patterns(own), patterns(hosts)
}

// files are no pages: they come to be kept, or for programs.
var files = regexp.MustCompile(`^/v1/|^/static/|^/dev/routes|\.(csv|json|jsonl|xlsx|pdf|zip|txt|ico|png|css|journal|beancount|hledger)$|^/(livez|readyz|logo|captcha)$|/pdf$|/file$|/:file$|/logo$|/session/left|/deeds$|/fresh$|/filled$`)

// notOnlyFiles are pages whose addresses look like those of files: what a bank's file would do is shown first.
var notOnlyFiles = []string{"/o/:slug/bank/:id/files/:file"}

func patterns(list string) (all []pattern) {
	for l := range strings.Lines(list) {
		words := strings.Fields(l)
		if len(words) == 3 && words[0] == "GET" && (!files.MatchString(words[1]) || slices.Contains(notOnlyFiles, words[1])) {
			is := regexp.MustCompile(`:[a-z]+`).ReplaceAllString(regexp.QuoteMeta(words[1]), `[^/]+`)
			all = append(all, pattern{words[1], regexp.MustCompile(`^` + is + `$`)})
		}
	}
	return all
}

// reader finds one address of each page, by the list of the router, what is known of the things there, and links.
type reader struct {
	*caller
	patterns []pattern
	ids      map[string]string
	slug     string
	found    map[string]stop // by pattern
	tried    map[string]int
	queue    []string
	weights  *scale
}

// fill puts known ids into a pattern; ok is false where one is not known.
func (r *reader) fill(path string) (_ string, ok bool) {
	parts := strings.Split(path, "/")
	kind := ""
	for i, part := range parts {
		switch {
		case part == ":slug" && kind == "o":
			parts[i] = r.slug
		case strings.HasPrefix(part, ":"):
			if parts[i] = r.ids[kind]; parts[i] == "" {
				return "", false
			}
		default:
			kind = part
		}
	}
	return strings.Join(parts, "/"), true
}

var linkTo = regexp.MustCompile(`(?:href|hx-get)="(/[^"#]*)`)

// read goes to all that is known and to what is linked there, three of a kind at most.
func (r *reader) read() {
	r.t.Helper()
	r.found, r.tried = map[string]stop{}, map[string]int{}
	for _, p := range r.patterns {
		if path, ok := r.fill(p.path); ok {
			r.queue = append(r.queue, path)
		}
	}
	seen := map[string]bool{}
	for len(r.queue) > 0 {
		path := strings.ReplaceAll(r.queue[0], "&amp;", "&")
		r.queue = r.queue[1:]
		bare, _, _ := strings.Cut(path, "?")
		at := slices.IndexFunc(r.patterns, func(p pattern) bool { return p.is.MatchString(bare) })
		if seen[path] || at < 0 || r.tried[r.patterns[at].path] == 3 {
			continue
		}
		seen[path] = true
		r.tried[r.patterns[at].path]++
		a := r.get(path)
		if a.status >= 500 {
			r.t.Errorf("%s: %d", path, a.status)
		}
		if to := a.header.Get("Location"); strings.HasPrefix(to, "/") {
			r.queue = append(r.queue, to)
		}
		if a.status != 200 || !strings.HasPrefix(a.body, "<!doctype html>") { // a part of a page is none
			continue
		}
		if _, known := r.found[r.patterns[at].path]; !known {
			r.found[r.patterns[at].path] = stop{path: path, name: r.patterns[at].path, status: 200}
			r.weights.put(r, path, a.body)
		}
		for _, link := range linkTo.FindAllStringSubmatch(a.body, -1) {
			r.queue = append(r.queue, link[1])
		}
	}
}

// stops are what was found, in the order of the list.
func (r *reader) stops() (all []stop) {
	for _, p := range r.patterns {
		if s, ok := r.found[p.path]; ok {
			all = append(all, s)
		}
	}
	return all
}

// axe runs the checks of WCAG 2.2 AA, or some of them, and gives what it finds as words.
const axe = `(async () => {
	const found = await axe.run(document, { %s, resultTypes: ["violations"], iframes: false, preload: false });
	return found.violations.map(v => v.id + ": " + v.help + ": " + v.nodes.slice(0, 4).map(n =>
		n.target.join(" ") + " (" + [...n.any, ...n.all, ...n.none].map(c => c.message).join(" ") + ")").join("; "));
})()`

// The size of targets is asked for on a phone, where they are closest and no bar sticks above them. In the dark nothing
// changes but colours.
const (
	everyRule = `runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }, rules: { "target-size": { enabled: false } }`
	darkPhone = `runOnly: { type: "rule", values: ["color-contrast", "link-in-text-block", "target-size"] }`
)

// wide names what makes a page wider than its window; empty where nothing does.
const wide = `(() => {
	if (document.documentElement.scrollWidth <= innerWidth) return "";
	const out = [...document.querySelectorAll("main *, header *, nav *, footer *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1);
	return document.documentElement.scrollWidth + " px: " + out.slice(0, 4).map(e => e.tagName.toLowerCase() + "." + e.className).join(" ");
})()`

// look goes to a page once, and fails for what axe finds by day on a desk and by night on a phone, for a page that is wider
// than its window, and for a console that is not silent; it keeps two pictures.
func (v *visitor) look(s stop, spent *clock) {
	v.t.Helper()
	v.mu.Lock()
	v.at = s.name
	v.mu.Unlock()
	steps := []struct {
		what string
		do   func() error
	}{
		{"coming", func() error {
			return errors.Join(v.window(1280, 900, "light"), v.try(chromedp.Navigate(v.home+s.path)), v.arrived(s))
		}},
		{"axe by day", func() error { return errors.Join(v.check(s, "1280 px, light", everyRule), v.speaks(s)) }},
		{"picture by day", func() error { return v.keep(s, "1280-light") }},
		{"turning dark and narrow", func() error { return v.window(360, 780, "dark") }},
		{"axe by night", func() error { return v.check(s, "360 px, dark", darkPhone) }},
		{"picture by night", func() error { return v.keep(s, "360-dark") }},
		{"turning wide", func() error { return errors.Join(v.window(2560, 1200, "dark"), v.fits(s, "2560 px")) }},
	}
	for _, step := range steps {
		began := time.Now()
		err := step.do()
		spent.add(step.what, time.Since(began))
		if err != nil {
			v.t.Errorf("%s, %s: %v", s.path, step.what, err)
			return
		}
	}
}

// clock says where the time of a walk went.
type clock struct {
	mu    sync.Mutex
	spent map[string]time.Duration
}

func (c *clock) add(what string, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.spent == nil {
		c.spent = map[string]time.Duration{}
	}
	c.spent[what] += took
}

func (c *clock) String() string {
	var said []string
	for _, what := range slices.SortedFunc(maps.Keys(c.spent), func(a, b string) int { return cmp.Compare(c.spent[b], c.spent[a]) }) {
		said = append(said, fmt.Sprintf("%s %.0f s", what, c.spent[what].Seconds()))
	}
	return strings.Join(said, ", ")
}

// try does what one need not wait long for. Several tabs are looked at side by side, so that none may end the test.
func (v *visitor) try(actions ...chromedp.Action) error {
	ctx, cancel := context.WithTimeout(v.ctx, time.Minute)
	defer cancel()
	return chromedp.Run(ctx, actions...)
}

// window gives the tab a size and a scheme. Nothing moves, so that every picture of a page is the same.
func (v *visitor) window(width, height int64, scheme string) error {
	return v.try(emulation.SetDeviceMetricsOverride(width, height, 1, false),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}))
}

func (v *visitor) check(s stop, how, rules string) error {
	v.t.Helper()
	var found []string
	err := v.try(chromedp.Evaluate(fmt.Sprintf(axe, rules), &found, awaited))
	for _, f := range found {
		v.t.Errorf("%s, %s: %s", s.name, how, f)
	}
	return errors.Join(err, v.fits(s, how))
}

func (v *visitor) fits(s stop, how string) error {
	v.t.Helper()
	var by string
	err := v.try(chromedp.Evaluate(wide, &by))
	if by != "" {
		v.t.Errorf("%s, %s: it is wider than its window, %s", s.name, how, by)
	}
	return err
}

// arrived fails for what is not the page that was asked for, but a refusal or another one that it leads to.
func (v *visitor) arrived(s stop) error {
	v.t.Helper()
	var at struct {
		Status int
		Path   string
	}
	err := v.try(chromedp.Evaluate(`({ status: performance.getEntriesByType("navigation")[0].responseStatus, path: location.pathname })`, &at))
	if bare, _, _ := strings.Cut(s.path, "?"); err == nil && (at.Status != s.status || at.Path != bare) {
		v.t.Errorf("%s leads to %s with status %d", s.path, at.Path, at.Status)
	}
	return err
}

// speaks fails for a page in another language than the one that was chosen.
func (v *visitor) speaks(s stop) error {
	v.t.Helper()
	if s.language == "" {
		return nil
	}
	var language string
	err := v.try(chromedp.Evaluate(`document.documentElement.lang`, &language))
	if language != s.language {
		v.t.Errorf("%s speaks %q", s.name, language)
	}
	return err
}

// tall is as far down as pictures show a page: what comes after is more of the same.
const tall = 2400

// keep saves a picture of the page where git does not look.
func (v *visitor) keep(s stop, how string) error {
	var picture []byte
	err := v.try(chromedp.ActionFunc(func(ctx context.Context) error {
		_, _, _, _, _, size, err := page.GetLayoutMetrics().Do(ctx)
		if err == nil {
			picture, err = page.CaptureScreenshot().WithFormat(page.CaptureScreenshotFormatJpeg).WithQuality(70).WithOptimizeForSpeed(true).
				WithCaptureBeyondViewport(true).WithClip(&page.Viewport{Width: size.Width, Height: min(size.Height, tall), Scale: 1}).Do(ctx)
		}
		return err
	}))
	if err != nil {
		return err
	}
	name := strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(s.name), "-"), "-")
	if name == "" {
		name = "home"
	}
	folder := filepath.Join(pictures, "pages")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, name+"-"+how+".jpg"), picture, 0o644)
}

// tour looks at pages in several tabs of one browser, each of which has axe in every page that it opens.
func (v *visitor) tour(stops []stop, with *touring) {
	v.t.Helper()
	if *only != "" {
		wanted := regexp.MustCompile(*only)
		stops = slices.DeleteFunc(slices.Clone(stops), func(s stop) bool { return !wanted.MatchString(s.name) })
	}
	const tabs = 3
	queue := make(chan stop, len(stops))
	for _, s := range stops {
		queue <- s
	}
	close(queue)
	var walking sync.WaitGroup
	for range tabs {
		tab := v.another()
		if err := tab.try(chromedp.ActionFunc(func(ctx context.Context) error {
			_, err := page.AddScriptToEvaluateOnNewDocument(with.axe).Do(ctx)
			return err
		})); err != nil {
			v.t.Fatal(err)
		}
		walking.Go(func() {
			for s := range queue {
				tab.look(s, &with.spent)
			}
			// A page that stays would go on asking, as whoever signs in next.
			if err := tab.try(chromedp.Navigate("about:blank")); err != nil {
				v.t.Error(err)
			}
		})
		v.t.Cleanup(func() { tab.hadNoTroubleBut(stops) })
	}
	walking.Wait()
	with.looked += len(stops)
}

// touring is what the tours of one test share.
type touring struct {
	axe    string // its source
	looked int
	spent  clock
}

// hadNoTroubleBut tells of troubles, but for a browser's own remark that a page which is missing is missing.
func (v *visitor) hadNoTroubleBut(stops []stop) {
	v.t.Helper()
	v.troubles = slices.DeleteFunc(v.troubles, func(trouble string) bool {
		return slices.ContainsFunc(stops, func(s stop) bool {
			return s.status != 200 && strings.HasPrefix(trouble, s.name+": ") && strings.Contains(trouble, fmt.Sprintf("status of %d", s.status))
		})
	})
	v.hadNoTrouble()
}

// only narrows the walk for whoever mends a page.
var only = flag.String("only", "", "look at no pages but those whose name this expression matches")

// notReached are pages that nothing leads this walk to, each with what shows it.
var notReached = map[string]string{
	"/sign-in/second-step":      "looked at on the way in of someone with a second step",
	"/sign-in/change":           "only for a password that an organization's rules refuse",
	"/pay/:secret/phone":        "only where an organization asks for a phone number; the walk from the shop to a verified number shows it",
	"/quote/:secret/phone":      "as on a pay link",
	"portal /phone":             "only where an organization asks for a phone number; the walk from the shop to a verified number shows it",
	"portal /pay/:secret/phone": "as on a pay link",
}

// Every page that the router knows, in light and dark, on a phone and on a wide screen: nothing that axe finds, no word
// on the console, no refusal by the content policy, nothing that sticks out, and no more than 100 kB.
func TestEveryPage(t *testing.T) {
	source, err := os.ReadFile("axe/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	s := serve(t, "--demo")
	o := furnish(t, s)
	c := gather(t, s, o)
	c.reachAll(t)
	t.Logf("found after %.0f s", time.Since(began).Seconds())

	v, with := visitFor(t, s.home, 20*time.Minute), &touring{axe: string(source)}
	missing := []stop{{path: "/nothing-here", name: "error", status: 404}}
	v.tour(append(c.stranger.stops(), missing...), with)
	v.home = c.customer.home
	v.tour(named("portal", c.newcomer.stops()), with)
	v.signIn("ines@apple.example", "four amber kites drifting")
	v.sees("Inês")
	v.tour(named("portal", append(without(c.customer.stops(), c.newcomer.found), missing...)), with)
	v.home = s.home
	v.signIn(demoEmail, demoPassword)
	v.sees("Overview")
	v.tour(append(c.owner.stops(), stop{path: o.in("/nothing-here"), name: "error-inside", status: 404}), with)
	v.tourInFrench(c.owner.stops(), with)
	v.signIn("nadia@countinghouse.example", "nine wet otters dance")
	v.sees("Second step")
	v.tour([]stop{{path: "/sign-in/second-step", name: "/sign-in/second-step", status: 200}}, with)
	v.fill("code", c.codes[0])
	v.send("code")
	v.sees("Your organizations")
	v.tour(c.boss.stops(), with)
	v.tourWithSupport(o, with)
	t.Logf("%d pages after %.0f s; the tabs together spent: %v", with.looked, time.Since(began).Seconds(), &with.spent)
	c.weights.say(t)
}

// tourWithSupport looks at what one of support sees who was let in, and at what the owner sees meanwhile.
func (v *visitor) tourWithSupport(o organization, with *touring) {
	v.t.Helper()
	visit := o.in("/support/" + o.ids["support"])
	o.post(visit+"/approve", "scopes", "invoices:read", "minutes", "60", "masks", "names")
	v.tour([]stop{{path: o.in(""), name: "support-overview", status: 200}, {path: o.in("/invoices/" + o.ids["invoices"]), name: "support-invoice", status: 200}}, with)
	v.signIn(demoEmail, demoPassword)
	v.sees("Nadia Brandt")
	v.tour([]stop{{path: o.in(""), name: "watched-overview", status: 200}, {path: visit, name: "watched-visit", status: 200}}, with)
	o.post(visit + "/end")
	v.tour([]stop{{path: visit, name: "support-receipt", status: 200}}, with)
}

// crowd are those who read all pages, each from where they stand.
type crowd struct {
	members, customers                        []pattern
	owner, boss, stranger, newcomer, customer *reader
	codes                                     []string // that let the one on the staff in
	weights                                   scale
}

// gather signs everybody up, and has them read.
func gather(t *testing.T, s service, o organization) *crowd {
	t.Helper()
	c := &crowd{}
	c.members, c.customers = routed(t, s.home)
	staff := call(t, s.home)
	staff.signUp("nadia@countinghouse.example", "Nadia Brandt", "nine wet otters dance", "Front Desk", "front-desk")
	c.codes = s.staff(t, staff, "nadia@countinghouse.example", "administrator")
	staff.post("/staff/visits", "slug", o.slug, "ticket", "4711", "reason", "The totals of one invoice look wrong to them.", "scopes", "invoices:read", "minutes", "60", "masks", "names")
	o.ids["support"] = o.find(o.in("/support"), `/support/([0-9a-f-]{36})"`)
	staff.post("/open", "organization", "Second Shop", "slug", "second-shop", "country", "US", "currency", "USD", "time_zone", "America/New_York")
	o.post("/account/second-step/app") // begun, and never confirmed
	o.post("/recover", "by", "mail", "email", demoEmail)
	call(t, s.home).post("/sign-up", "email", "someone.new@tidewater.example")
	o.ids["sessions"] = o.find("/account", `/sessions/([0-9a-f-]{36})/`)

	o.find("/dev/outbox", `(?s)To someone\.new@tidewater\.example<.*?(/set-up\?token=)`) // the last mail of these
	mails := o.get("/dev/outbox").body
	c.owner = &reader{caller: o.caller, patterns: c.members, ids: o.ids, slug: o.slug, weights: &c.weights,
		queue: []string{o.in("/invoices/" + o.ids["drafts"] + "/edit"), o.in("/bills/" + o.ids["draft bills"] + "/edit")}}
	c.owner.read()
	c.boss = &reader{caller: staff, patterns: slices.DeleteFunc(slices.Clone(c.members), func(p pattern) bool { return !strings.HasPrefix(p.path, "/staff") && p.path != "/" }), weights: &c.weights}
	c.boss.read()
	c.stranger = &reader{caller: call(t, s.home), patterns: slices.DeleteFunc(slices.Clone(c.members), func(p pattern) bool {
		return strings.HasPrefix(p.path, "/staff") || strings.HasPrefix(p.path, "/o/") || c.owner.found[p.path].path != "" && p.path != "/sign-in"
	}), ids: o.ids, weights: &c.weights}
	for _, link := range regexp.MustCompile(regexp.QuoteMeta(s.home)+`(/[^"<\s]+)`).FindAllStringSubmatch(mails, -1) {
		c.stranger.queue = append(c.stranger.queue, link[1])
	}
	c.stranger.read()
	c.gatherCustomers(t, s, o, mails)
	return c
}

// gatherCustomers lets one of a customer's people in at the organization's own host, who reads before and after.
func (c *crowd) gatherCustomers(t *testing.T, s service, o organization, mails string) {
	t.Helper()
	portal := strings.Replace(s.home, "localhost", o.slug+".localhost", 1)
	c.customer = &reader{caller: call(t, portal), patterns: c.customers, ids: o.ids, weights: &c.weights}
	invited := func(email string) string {
		token := regexp.MustCompile(`(?s)To ` + regexp.QuoteMeta(email) + `<.*?/join\?token=([^"<\s]+)`).FindStringSubmatch(mails)
		if token == nil {
			t.Fatalf("no mail lets %s in", email)
		}
		return token[1]
	}
	c.newcomer = &reader{caller: call(t, portal), patterns: c.customers, queue: []string{"/join?token=" + invited("rui@apple.example")}, weights: &c.weights}
	c.newcomer.read()
	c.customer.post("/join", "token", invited("ines@apple.example"), "name", "Inês Prado", "password", "four amber kites drifting")
	c.customer.post("/recover", "email", "ines@apple.example")
	c.customer.queue = []string{"/set?token=" + o.find("/dev/outbox", regexp.QuoteMeta(portal)+`/set\?token=([^"<\s]+)`)}
	c.customer.read()
}

// reachAll fails for a page that the router knows and nobody was led to, and for one that is called so and is reached by now.
func (c *crowd) reachAll(t *testing.T) {
	t.Helper()
	reached := map[string]bool{}
	for _, r := range []*reader{c.owner, c.boss, c.stranger} {
		for path := range r.found {
			reached[path] = true
		}
	}
	for _, r := range []*reader{c.customer, c.newcomer} {
		for path := range r.found {
			reached["portal "+path] = true
		}
	}
	known := map[string]bool{}
	for _, p := range c.members {
		known[p.path] = true
	}
	for _, p := range c.customers {
		known["portal "+p.path] = true
	}
	for name := range known {
		if !reached[name] && notReached[name] == "" {
			t.Errorf("nothing leads to %s: furnish the organization with one", name)
		}
	}
	for name := range notReached {
		if reached[name] || !known[name] {
			t.Errorf("%s is reached by now, or there is no such page: take it off the list", name)
		}
	}
}

// inFrench are pages that are looked at in the other language too: its words are longer, and its figures are spaced.
var inFrench = []string{"/o/:slug", "/o/:slug/invoices", "/o/:slug/invoices/:id", "/o/:slug/invoices/:id/edit", "/o/:slug/invoices/:id/payment", "/o/:slug/customers/:id",
	"/o/:slug/subscriptions/:id", "/o/:slug/bills", "/o/:slug/bank/:id", "/o/:slug/ledger", "/o/:slug/reports/profit-and-loss", "/o/:slug/reports/balance-sheet",
	"/o/:slug/settings", "/o/:slug/settings/security", "/o/:slug/members", "/o/:slug/support/:id", "/account"}

// tourInFrench chooses French as a reader does, looks at some of the pages, and goes back to English.
func (v *visitor) tourInFrench(stops []stop, with *touring) {
	v.t.Helper()
	var some []stop
	for _, s := range stops {
		if slices.Contains(inFrench, s.name) || slices.Contains(inFrench, s.path) {
			s.name, s.language = "fr"+s.name, "fr"
			some = append(some, s)
		}
	}
	if len(some) != len(inFrench) {
		v.t.Errorf("%d of %d pages to look at in French", len(some), len(inFrench))
	}
	v.speak("Français")
	v.tour(some, with)
	v.speak("English")
}

func (v *visitor) speak(language string) {
	v.t.Helper()
	v.open("/o/chinook")
	v.do("opening the menu", chromedp.Click(`.account > summary`, chromedp.ByQuery), chromedp.Click(`//form[@action="/language"]/button[contains(., "`+language+`")]`, chromedp.BySearch, chromedp.NodeVisible),
		chromedp.WaitNotPresent(`//form[@action="/language"]/button[contains(., "`+language+`")]`, chromedp.BySearch))
}

func named(prefix string, stops []stop) []stop {
	for i := range stops {
		stops[i].name = prefix + stops[i].name
	}
	return stops
}

func without(stops []stop, known map[string]stop) []stop {
	return slices.DeleteFunc(stops, func(s stop) bool { return known[s.name].path != "" })
}
