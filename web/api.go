package web

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"

	"github.com/countinghouse/countinghouse/authz"
	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/tenant"
)

var (
	errContentType = fault.New(fault.Invalid, "request.content_type", "Send the body as application/json.")
	errFileType    = fault.New(fault.Invalid, "request.content_type", "Send the file as application/octet-stream.")
	errRepeatedKey = fault.New(fault.Invalid, "request.repeated_key", "A key stands twice in this JSON object.")
	errBadText     = fault.New(fault.Invalid, "text.invalid", "The text is not valid UTF-8, or holds a NUL character.")
	errKeyShape    = fault.New(fault.Invalid, "idempotency.malformed", "An Idempotency-Key is 1 to 100 visible ASCII characters.")
)

const apiDescription = `The books of one organization, by the API token that it made (Settings, API tokens): send it as
"Authorization: Bearer ch_...". A token names its organization by itself. What is
under /v1/account is about a person, and takes the session of their browser in place of a token.

Amounts are decimal strings with their currency: {"amount":"12.30","currency":"EUR"}. Dates are YYYY-MM-DD on the
organization's own calendar. Lists are pages: limit, starting_after, ending_before, has_more. Every creating POST takes
an Idempotency-Key; sent again within 24 hours it is answered again and done once. What can be changed carries an ETag;
send it back as If-Match, and a change that came between is not overwritten. Refusals are problem documents (RFC 9457)
with a stable code and a request_id.`

// registerAPI puts the JSON API on the router and its documentation at /openapi.json.
func (s *Server) registerAPI() {
	hideHuma()
	config := huma.DefaultConfig("Countinghouse", s.Version)
	config.Info.Description = apiDescription
	config.Servers = []*huma.Server{{URL: s.Config.Origin}}
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.CreateHooks = nil
	config.RejectUnknownQueryParameters = true
	config.NoFormatFallback = false
	config.Formats = map[string]huma.Format{
		"application/json": {Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: decodeStrict},
		"json":             {Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: decodeStrict},
	}
	config.DefaultFormat = "application/json"
	config.Transformers = []huma.Transformer{stampProblem}
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token":   {Type: "http", Scheme: "bearer", Description: "An API token of the organization: ch_..."},
		"session": {Type: "apiKey", In: "cookie", Name: sessionCookie, Description: "The session of a browser in which a person is signed in; only for what is under /v1/account"},
	}
	config.Security = []map[string][]string{{"token": {}}}
	s.api = humafiber.New(s.app, config)
	s.registerDocumentation()
	s.registerCustomerAPI()
	s.registerContactAPI()
	s.registerProductAPI()
	s.registerTaxAPI()
	s.registerSubscriptionAPI()
	s.registerInvoiceAPI()
	s.registerCreditNoteAPI()
	s.registerQuoteAPI()
	s.registerInvoicePDF()
	s.registerFileAPI()
	s.registerExportAPI()
	s.registerImportAPI()
	s.registerErasureAPI()
	s.registerMailAPI()
	s.registerPaymentAPI()
	s.registerPayeeAPI()
	s.registerBillAPI()
	s.registerRecurringBillAPI()
	s.registerBillPaymentAPI()
	s.registerOrderAPI()
	s.registerGatewayAPI()
	s.registerChargeAPI()
	s.registerPaymentMethodAPI()
	s.registerCollectionAPI()
	s.registerPayLinkAPI()
	s.registerLedgerAPI()
	s.registerReportAPI()
	s.registerClosingAPI()
	s.registerBankAPI()
	s.registerReportTableAPI()
	s.registerTaxReportAPI()
	s.registerCurrencyAPI()
	s.registerSettingsAPI()
	s.registerPlanAPI()
	s.registerAdmissionAPI()
	s.registerTokenAPI()
	s.registerWebhookAPI()
	s.registerPhoneCheckAPI()
	s.registerTextGatewayAPI()
	s.registerOrderReviewAPI()
	s.registerMemberAPI()
	s.registerEntryAPI()
	s.registerSupportAPI()
	s.registerInvitationAPI()
	s.registerRoleAPI()
	s.registerActivityAPI()
	s.registerSearchAPI()
	s.registerPersonAPI()
}

// stampProblem puts the request's id into problems that huma made by itself.
func stampProblem(c huma.Context, _ string, v any) (any, error) {
	if p, ok := v.(*Problem); ok && p.RequestID == "" {
		p.RequestID = tenant.RequestFrom(c.Context()).ID
	}
	return v, nil
}

// operation names one thing the API does.
type operation struct {
	id, method, path string
	right            authz.Right
	anyRight         bool // in place of right: whoever holds any
	tag              string
	summary          string
	more             string // beside which right it needs
	status           int    // of success; 0 means 200
	file             bool   // its body is a file, not JSON
	plan             bool   // it works while the organization is suspended
}

// handle registers an operation with the right that it needs. The caller is known, and may do it, before the
// body is read.
func handle[In, Out any](s *Server, op operation, handler func(ctx context.Context, c *call, in *In) (*Out, error)) {
	route := Route{Method: op.method, Path: fiberPath(op.path), Right: op.right, AnyRight: op.anyRight, Kinds: []tenant.Kind{tenant.Token}, Plan: op.plan}
	s.routes = append(s.routes, route)
	needs, named := "Needs the right "+op.right.String()+": to "+op.right.Name()+".", op.right.String()
	if op.anyRight {
		needs, named = "Needs any right at all, and gives what the rights of the token let it read.", "any"
	}
	huma.Register(s.api, huma.Operation{
		OperationID: op.id, Method: op.method, Path: op.path, Summary: op.summary, Tags: []string{op.tag},
		Description: needs + op.more, Extensions: map[string]any{"x-right": named}, DefaultStatus: op.status, MaxBodyBytes: op.limit(),
		Errors:      []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity},
		Middlewares: huma.Middlewares{s.admitToken(route, op.file)},
	}, func(ctx context.Context, in *In) (*Out, error) {
		out, err := handler(ctx, callFrom(ctx), in)
		if err != nil {
			p := problemOf(ctx, err)
			s.logError(ctx, p, err)
			return nil, p
		}
		return out, nil
	})
}

func (op operation) limit() int64 {
	if op.file {
		return uploadLimit
	}
	return bodyLimit
}

// admitToken lets the bearer of an API token through to a route, and nobody else.
func (s *Server) admitToken(route Route, file bool) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		f := humafiber.Unwrap(hc)
		c, err := s.tokenCall(route, hc)
		if err == nil {
			err = c.admit(hc.Context())
		}
		if err == nil {
			err = s.limitCaller(f, c.scope)
		}
		if err == nil {
			err = tenant.Seen(hc.Context(), s.DB, c.scope)
		}
		if err == nil {
			err = checkBody(hc, f.Body(), file)
		}
		if err != nil {
			p := problemOf(hc.Context(), err)
			s.logError(hc.Context(), p, err)
			if err := writeProblem(f, p); err != nil {
				s.Log.Error("writing a problem", "error", err)
			}
			return
		}
		f.SetUserContext(context.WithValue(f.UserContext(), callKey{}, c)) // for the log
		next(huma.WithValue(hc, callKey{}, c))
	}
}

func (s *Server) tokenCall(route Route, hc huma.Context) (*call, error) {
	scheme, secret, _ := strings.Cut(hc.Header("Authorization"), " ")
	hash, ok := identity.ParseAPIToken(secret)
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return nil, tenant.ErrBadToken
	}
	key := hc.Header("Idempotency-Key")
	if !visible(key) {
		return nil, errKeyShape
	}
	f := humafiber.Unwrap(hc)
	return &call{
		server: s, route: route, key: key,
		enter:  func(ctx context.Context) (tenant.Scope, error) { return tenant.EnterToken(ctx, s.DB, hash) },
		digest: func() []byte { return s.digestOf(f.Method(), f.OriginalURL(), f.Body()) },
	}, nil
}

// digestOf keys a digest of a request: the same request has the same, and nobody can read it back. What is secret in it
// is left out: a security code has but a thousand values, and whoever came by the key would try them all.
func (s *Server) digestOf(method, path string, body []byte) []byte {
	body = withoutSecrets(body)
	mac := hmac.New(sha256.New, s.Key)
	fmt.Fprintf(mac, "request %s %s %d\n", method, path, len(body))
	mac.Write(body)
	return mac.Sum(nil)
}

func visible(key string) bool {
	if len(key) > 100 {
		return false
	}
	for i := range len(key) {
		if key[i] < '!' || key[i] > '~' {
			return false
		}
	}
	return true
}

// checkBody refuses what huma would let through: another content type, broken text.
func checkBody(hc huma.Context, body []byte, file bool) error {
	if len(body) == 0 {
		return nil
	}
	mediaType, _, _ := strings.Cut(hc.Header("Content-Type"), ";")
	if file {
		if strings.TrimSpace(strings.ToLower(mediaType)) != "application/octet-stream" {
			return refused(http.StatusUnsupportedMediaType, errFileType)
		}
		return nil
	}
	if strings.TrimSpace(strings.ToLower(mediaType)) != "application/json" {
		return refused(http.StatusUnsupportedMediaType, errContentType)
	}
	if !utf8.Valid(body) || bytes.IndexByte(body, 0) >= 0 {
		return errBadText
	}
	return checkKeys(json.NewDecoder(bytes.NewReader(body)))
}

// checkKeys refuses an object with a key twice, where readers differ on which one counts. What is no JSON at
// all is left to the decoder.
func checkKeys(d *json.Decoder) error {
	type level struct {
		keys  map[string]bool // nil in an array
		value bool            // the next string is a value
	}
	var stack []*level
	for {
		token, err := d.Token()
		if err != nil {
			return nil //nolint:nilerr // io.EOF, or the decoder will say what is wrong
		}
		var top *level
		if len(stack) > 0 {
			top = stack[len(stack)-1]
		}
		switch v := token.(type) {
		case json.Delim:
			if v == '}' || v == ']' {
				stack = stack[:len(stack)-1]
				continue
			}
			if top != nil {
				top.value = false
			}
			next := &level{}
			if v == '{' {
				next.keys = map[string]bool{}
			}
			if stack = append(stack, next); len(stack) > 32 {
				return nil
			}
		default:
			if top == nil || top.keys == nil {
				continue
			}
			if top.value {
				top.value = false
				continue
			}
			key, _ := v.(string)
			if top.keys[key] {
				return errRepeatedKey
			}
			top.keys[key], top.value = true, true
		}
	}
}

// decodeStrict takes one JSON value and nothing after it. Unknown keys are refused by huma's validation.
func decodeStrict(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("there is more after the JSON value")
	}
	return nil
}

func fiberPath(path string) string {
	return strings.NewReplacer("{", ":", "}", "").Replace(path)
}

// registerDocumentation serves the description of the API, made from the routes themselves.
func (s *Server) registerDocumentation() {
	s.public("GET", "/openapi.json", func(c *fiberCtx) error {
		body, err := s.api.OpenAPI().MarshalJSON()
		if err != nil {
			return fmt.Errorf("writing the API's description: %w", err)
		}
		c.Set("Content-Type", "application/openapi+json")
		return c.Send(body)
	})
}
