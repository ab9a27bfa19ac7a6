// Package architecture holds the rules that no compiler checks: which package may import which, and what no
// source file may hold. They are data and tests, so that a change which breaks one is told so at once, and
// whoever wants to change a rule finds it in one place.
package architecture_test

import "slices"

const module = "github.com/countinghouse/countinghouse"

// row is one package of ours.
type row struct {
	may   []string // what it may import of ours
	tests []string // what its tests may import besides: itself and the packages made for tests always
}

// everything stands for each package that is not made for tests.
var everything = []string{"*"}

// words are the small packages that every other may speak in.
var words = []string{
	"internal/fault", "internal/id", "internal/civil", "internal/cursor", "internal/text", "internal/country",
	"internal/textarray", "internal/locale",
}

// room is what every room of billing stands on.
var room = join(words, "tenant", "billing/ledger", "billing/tax", "billing/money", "billing/sheet")

// forTests are the packages that only tests may import.
var forTests = []string{"tenant/tenanttest", "secrets/secretstest", "internal/postgres/pgtest", "internal/place/placetest"}

// table is the map of the house. Imports point down it, never up. What it does not name is refused.
var table = map[string]row{
	"cmd/countinghouse": {may: everything},
	"bench":             {may: everything},
	// It knows the service from outside alone.
	"internal/chaos": {},

	"web": {
		may: join(words,
			"authz",
			"billing",
			"billing/bank",
			"billing/contact",
			"billing/currency",
			"billing/dispatch",
			"billing/export",
			"billing/file",
			"billing/gateway",
			"billing/intake",
			"billing/invoicepdf",
			"billing/ledger",
			"billing/money",
			"billing/notice",
			"billing/payables",
			"billing/phone",
			"billing/plan",
			"billing/proof",
			"billing/report",
			"billing/search",
			"billing/sheet",
			"billing/shop",
			"billing/subscription",
			"billing/takeout",
			"billing/tax",
			"billing/till",
			"identity",
			"internal/admission",
			"internal/audit",
			"internal/captcha",
			"internal/jobs",
			"internal/limit",
			"internal/metric",
			"internal/notify",
			"internal/ready",
			"internal/setting",
			"internal/trace",
			"internal/watch",
			"internal/webhook",
			"secrets",
			"tenant",
			"web/page",
			"web/static",
			"web/templates",
		),
		tests: everything,
	},
	// A page shows values: it holds no transaction, and knows neither tenant nor the web framework.
	"web/page": {may: join(words,
		"authz",
		"billing",
		"billing/bank",
		"billing/contact",
		"billing/currency",
		"billing/file",
		"billing/gateway",
		"billing/ledger",
		"billing/money",
		"billing/payables",
		"billing/phone",
		"billing/plan",
		"billing/report",
		"billing/search",
		"billing/shop",
		"billing/subscription",
		"billing/takeout",
		"billing/tax",
		"identity",
		"internal/audit",
		"internal/jobs",
		"internal/phonenumber",
		"internal/setting",
		"internal/watch",
		"internal/webhook",
		"web/static",
		"web/templates",
		"web/words",
	)},
	"web/static":    {},
	"web/templates": {},
	"web/words":     {may: []string{"internal/locale"}},

	// In front of the door: it reads files into the books as a person would write them.
	"billing/intake": {may: join(room, "billing", "billing/payables"), tests: []string{"billing/report", "billing/export"}},
	// The door. It may use its rooms; they do not use it, nor each other, but for those of room.
	"billing": {may: join(room, "billing/gateway", "billing/report", "billing/export", "billing/invoicepdf", "billing/currency", "billing/file", "billing/phone", "internal/jobs"),
		tests: []string{"billing/dispatch", "billing/proof"}},
	"billing/file":    {may: join(words, "tenant")},
	"billing/sheet":   {may: join(words, "billing/money")},
	"billing/takeout": {may: join(room, "billing/export", "billing/report", "billing/file", "internal/jobs", "internal/audit"), tests: []string{"billing"}},
	"billing/phone":   {may: join(words, "tenant", "internal/outward", "internal/phonenumber"), tests: []string{"billing", "billing/money", "billing/gateway", "billing/gateway/fake", "billing/till", "internal/notify", "secrets"}},
	"billing/notice":  {may: room},
	"billing/search":  {may: room, tests: []string{"billing", "billing/payables"}},
	"billing/contact": {may: join(room, "billing", "billing/phone")},
	"billing/shop":    {may: join(room, "billing", "billing/phone", "billing/subscription"), tests: []string{"billing/contact"}},
	// In front of the door too: what it finds in a statement goes in as a person would record it.
	"billing/bank":     {may: join(room, "billing", "billing/payables")},
	"billing/currency": {may: room},
	// It reads rows as they lie, so that it shares no mistake with what wrote them.
	"billing/proof":  {may: join(words, "tenant", "billing/money", "internal/audit"), tests: everything},
	"billing/report": {may: room, tests: []string{"billing"}},
	"billing/export": {may: room, tests: []string{"billing", "billing/intake", "billing/report"}},
	"billing/tax":    {may: join(words, "tenant", "billing/ledger", "billing/money"), tests: []string{"billing"}},
	"billing/ledger": {may: join(words, "tenant", "billing/money"), tests: []string{"billing"}},
	"billing/money":  {may: words},
	// It is told what to print: it knows no transaction.
	"billing/invoicepdf": {may: join(words, "billing/money")},
	// In front of the door: what takes more than one transaction.
	"billing/till":     {may: join(room, "billing", "billing/gateway"), tests: []string{"billing/gateway/fake", "billing/currency"}},
	"billing/dispatch": {may: join(room, "billing", "billing/invoicepdf")},
	// In front of the door: it writes invoices as a person would, and each in a transaction of its own.
	// In front of the door: what only the paying side knows of documents.
	"billing/payables":     {may: join(room, "billing", "billing/currency"), tests: []string{"billing/report", "billing/export", "billing/proof"}},
	"billing/subscription": {may: join(room, "billing", "internal/jobs"), tests: []string{"billing/report", "billing/till", "billing/gateway", "billing/gateway/fake"}},
	// In front of the door: the platform's own bills, written as a person would.
	"billing/plan": {may: join(room, "billing", "billing/file", "billing/subscription"), tests: []string{"billing/till", "authz"}},
	// It moves money and knows neither books nor database.
	"billing/gateway":      {may: join(words, "billing/money")},
	"billing/gateway/fake": {may: join(words, "billing/money", "billing/gateway")},

	// These do not know each other, nor billing, secrets or notify; cmd/countinghouse wires them.
	"identity": {may: join(words, "tenant", "internal/watch", "internal/phonenumber"), tests: []string{"internal/place"}},
	"authz":    {may: join(words, "tenant", "internal/watch")},

	"secrets":             {may: []string{"internal/fault", "internal/trace"}},
	"secrets/secretstest": {may: []string{"secrets"}},
	// Where a key meets the database that holds what it sealed.
	"secrets/custody": {may: join(words, "secrets", "tenant"), tests: []string{"billing", "billing/money"}},

	"internal/jobs": {may: join(words, "tenant", "internal/trace")},

	// Its tests lose a database of their own, and look for its replica.
	"tenant":            {may: []string{"migrations", "internal/fault", "internal/id", "internal/trace"}, tests: []string{"internal/postgres"}},
	"tenant/tenanttest": {may: join(words, "tenant", "migrations", "internal/postgres/pgtest")},
	"migrations":        {},

	"internal/fault":           {},
	"internal/id":              {},
	"internal/civil":           {may: []string{"internal/fault"}},
	"internal/cursor":          {may: []string{"internal/fault", "internal/id"}},
	"internal/text":            {may: []string{"internal/fault"}},
	"internal/country":         {may: []string{"internal/fault"}},
	"internal/textarray":       {may: []string{"internal/fault"}},
	"internal/locale":          {may: []string{"internal/fault", "internal/civil"}},
	"internal/notify":          {may: []string{"internal/fault"}},
	"internal/place":           {may: []string{"internal/fault"}},
	"internal/place/placetest": {},
	"internal/watch":           {may: join(words, "tenant", "internal/outward")},
	// It reads rows of the books as they lie, like the audit.
	"internal/webhook": {may: join(words, "tenant", "internal/jobs", "internal/outward"),
		tests: []string{"billing", "billing/money", "billing/tax", "billing/till", "billing/gateway", "billing/gateway/fake", "secrets"}},
	"internal/outward":     {may: []string{"internal/fault"}},
	"internal/phonenumber": {may: []string{"internal/fault"}},
	"internal/admission":   {may: join(words, "tenant"), tests: []string{"authz"}},
	"internal/captcha":     {may: join(words, "tenant")},
	"internal/metric":      {may: join(words, "tenant")},
	"internal/ready":       {},
	"internal/limit":       {},
	"internal/trace":       {},
	"internal/setting":     {may: join(words, "tenant")},
	// It reads the journal's rows as they lie, so that it stands beside the ledger and not on it.
	"internal/audit": {may: join(words, "tenant"), tests: []string{"billing/ledger", "billing/money"}},

	"internal/postgres":        {may: []string{"internal/fault"}},
	"internal/postgres/pgtest": {may: []string{"internal/postgres"}},
	"internal/baseline":        {may: []string{"internal/postgres", "tenant", "migrations"}},
	"internal/architecture":    {},
	"internal/operation":       {},
}

// guarded is a part that only some packages may know, in tests too.
type guarded struct {
	path  string   // an import path, and all below it
	apart []string // but these
	homes []string
	why   string
}

var parts = []guarded{
	// River takes a *sql.DB: that of a login which may touch nothing but the queue.
	{path: "database/sql", apart: []string{"database/sql/driver"}, homes: join(sqlHomes, "internal/jobs"), why: onlyTenant},
	{path: "github.com/riverqueue", homes: []string{"internal/jobs"}, why: "only internal/jobs knows River"},
	{path: "github.com/lib/pq", homes: sqlHomes, why: onlyTenant},
	{path: "github.com/jmoiron/sqlx", homes: sqlHomes, why: onlyTenant},
	{path: "github.com/jackc/pgx", homes: sqlHomes, why: onlyTenant},
	{path: "github.com/pressly/goose", homes: sqlHomes, why: onlyTenant},
	{path: "github.com/gofiber", homes: []string{"web", "bench"}, why: "only web knows the web framework"},
	{path: "github.com/valyala/fasthttp", homes: []string{"web", "bench"}, why: "only web knows the web framework"},
	{path: "github.com/danielgtaylor/huma", homes: []string{"web", "bench"}, why: "only web knows the web framework"},
	{path: "github.com/prometheus", homes: []string{"internal/metric"}, why: "only internal/metric knows Prometheus"},
	{path: "go.opentelemetry.io", apart: []string{"go.opentelemetry.io/proto/otlp/collector/trace/v1", "go.opentelemetry.io/proto/otlp/trace/v1"}, homes: []string{"internal/trace"}, why: "only internal/trace knows OpenTelemetry"},
	{path: "github.com/hashicorp/vault", homes: []string{"secrets"}, why: "only secrets knows Vault"},
}

// bench measures against the same SQL without tenancy, and so needs a connection of its own.
var sqlHomes = []string{"tenant", "tenant/tenanttest", "bench"}

const onlyTenant = "only tenant opens database connections"

func join(some []string, more ...string) []string { return slices.Concat(some, more) }
