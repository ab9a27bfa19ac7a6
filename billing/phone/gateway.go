package phone

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/outward"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about an organization's text gateways.
var (
	ErrGatewayNotFound = fault.New(fault.NotFound, "text_gateway.not_found", "There is no such text gateway.")
	ErrGatewayChanged  = fault.New(fault.Conflict, "text_gateway.changed", "Someone else changed this text gateway in the meantime. Look at it again, then repeat your change.")
	ErrGatewayMany     = fault.New(fault.Conflict, "text_gateway.too_many", "An organization has at most 10 text gateways. Remove one that is no longer needed.")
	ErrGatewayKind     = fault.New(fault.Invalid, "text_gateway.kind", "Choose Twilio or Vonage. A gateway stays what it was added as.").At("kind")
	ErrGatewayURL      = fault.New(fault.Invalid, "text_gateway.url", "Give an address on the public internet that begins with https://, with nothing after the name but a path. Left empty, it is the gateway's own.").At("url")
	ErrGatewayAccount  = fault.New(fault.Invalid, "text_gateway.account", "Give the account as the gateway shows it: letters and digits alone.").At("account")
	ErrGatewayKey      = fault.New(fault.Invalid, "text_gateway.key", "Give the secret that belongs to the account, as the gateway shows it.").At("key")
	ErrGatewayKeyAnew  = fault.New(fault.Invalid, "text_gateway.key_anew", "Give the secret again: with another address or account it would go to somebody else.").At("key")
	ErrGatewaySender   = fault.New(fault.Invalid, "text_gateway.sender", "Give the number that messages come from, such as +353860123456, or a name of at most 11 letters and digits. Calls need a number.").At("sender")
	ErrGatewaySends    = fault.New(fault.Invalid, "text_gateway.sends", "Choose text messages, calls or both. Vonage sends text messages alone here.").At("sends")
	ErrGatewayPlace    = fault.New(fault.Invalid, "text_gateway.place", "Give its place among the gateways: 1 is tried first.").At("place")
)

const (
	gatewaysMax = 10
	// troubleFor is for how long one that failed is tried after the others.
	troubleFor = 5 * time.Minute
)

// GatewayKind is whose API a text gateway speaks.
type GatewayKind string

// The kinds.
const (
	Twilio GatewayKind = "twilio" // or another whose API has the same shape
	Vonage GatewayKind = "vonage"
)

var gatewayURLs = map[GatewayKind]string{Twilio: "https://api.twilio.com", Vonage: "https://rest.nexmo.com"}

// GatewayID names a text gateway.
type GatewayID = id.Of[Gateway]

// Gateway is an account of an organization's own with whoever sends text messages or makes calls for it. Its secret is
// not in it.
type Gateway struct {
	ID        GatewayID
	Kind      GatewayKind
	Name      string
	URL       string // of the API
	Account   string // or its API key: what the secret belongs to
	Hint      string // the last characters of the secret
	Sender    string // a number in E.164, or a name
	Sends     string // "text", "call" or "text call"
	Turn      int    // the least is tried first
	Off       bool
	Trouble   string // how the last try failed, such as "refused 401 20003"; "" where it did not
	TroubleAt *time.Time
	CreatedAt time.Time
	Version   int
	sealed    string
}

// Does says whether it sends that way: "text" or "call".
func (g Gateway) Does(way string) bool {
	return slices.Contains(strings.Fields(g.Sends), way)
}

// TroubleWord is the first word of its trouble: refused, unreachable, internal, sealed or late.
func (g Gateway) TroubleWord() string {
	word, _, _ := strings.Cut(g.Trouble, " ")
	return word
}

// TroubleCode is what the gateway itself said: the status of HTTP and perhaps a code of its own. Empty where it said nothing.
func (g Gateway) TroubleCode() string {
	_, code, _ := strings.Cut(g.Trouble, " ")
	return code
}

// GatewayInput is what is written about a text gateway. On a change its kind stays, and an empty key too.
type GatewayInput struct {
	Kind    GatewayKind
	Name    string
	URL     string // empty: the gateway's own
	Account string
	Key     string
	Sender  string
	Sends   string
}

// Place is where a sealed text is kept. It opens there and nowhere else.
type Place struct {
	Organization string
	Table        string
	Column       string
	Row          string
}

// Sealer keeps gateways' secrets. It may ask over the network, so nobody calls it inside a transaction.
type Sealer interface {
	Seal(ctx context.Context, at Place, plain []byte) (string, error)
	Open(ctx context.Context, at Place, sealed string) ([]byte, error)
}

func gatewayPlace(organization tenant.OrganizationID, gateway GatewayID) Place {
	return Place{organization.String(), "gateway_account", "sealed", gateway.String()}
}

// SealedGateway is an input that was checked, with its secret sealed for the row that it is to be kept in.
type SealedGateway struct {
	id     GatewayID
	in     GatewayInput
	sealed string // empty on a change that leaves it
	hint   string
	before int // the version that a change was checked against
}

var (
	accountShape = regexp.MustCompile(`^[A-Za-z0-9_-]{1,60}$`)
	numberShape  = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	nameShape    = regexp.MustCompile(`^[A-Za-z0-9 ]{0,10}[A-Za-z][A-Za-z0-9 ]{0,10}$`)
)

func (in GatewayInput) check(internal bool) (GatewayInput, error) {
	var all fault.List
	var err error
	in.Name, err = text.Required("name", in.Name, 60)
	all.Add("", err)
	own, known := gatewayURLs[in.Kind]
	if !known {
		all.Add("", ErrGatewayKind)
	}
	if in.URL = strings.TrimRight(strings.TrimSpace(in.URL), "/"); in.URL == "" {
		in.URL = own
	}
	if len(in.URL) > 200 || strings.ContainsAny(in.URL, "?# \\") || known && outward.CheckURL(in.URL, internal) != nil {
		all.Add("", ErrGatewayURL)
	}
	if in.Account = strings.TrimSpace(in.Account); !accountShape.MatchString(in.Account) {
		all.Add("", ErrGatewayAccount)
	}
	if in.Key, err = text.Line("key", in.Key, 200); err != nil || in.Key != "" && len(in.Key) < 8 {
		all.Add("", ErrGatewayKey)
	}
	if !slices.Contains([]string{"text", "call", "text call"}, in.Sends) || in.Kind == Vonage && in.Sends != "text" {
		all.Add("", ErrGatewaySends)
	}
	in.Sender = strings.TrimSpace(in.Sender)
	if number := "+" + strings.Map(keepDigit, in.Sender); strings.HasPrefix(in.Sender, "+") {
		in.Sender = number
	}
	named := len(in.Sender) <= 11 && nameShape.MatchString(in.Sender) && !strings.Contains(in.Sends, "call")
	if !named && !numberShape.MatchString(in.Sender) {
		all.Add("", ErrGatewaySender)
	}
	return in, all.Err()
}

func keepDigit(r rune) rune {
	if r >= '0' && r <= '9' {
		return r
	}
	return -1
}

// SealGateway checks what was written about a new text gateway and seals its secret. It calls the keyring and belongs
// before the transaction. It fails with all that is wrong with the input, and with what the sealer refuses.
func (s *Sender) SealGateway(ctx context.Context, organization tenant.OrganizationID, in GatewayInput) (SealedGateway, error) {
	in, err := in.check(s.Internal)
	var all fault.List
	if err != nil && !all.Add("", err) {
		return SealedGateway{}, err
	}
	if in.Key == "" {
		all.Add("", ErrGatewayKey)
	}
	if err := all.Err(); err != nil {
		return SealedGateway{}, err
	}
	return s.seal(ctx, organization, SealedGateway{id: id.New[Gateway](), in: in})
}

// ResealGateway is SealGateway for one that is there, as it was read. It fails with ErrGatewayKeyAnew where the secret would
// go to another address or account than it was given for.
func (s *Sender) ResealGateway(ctx context.Context, organization tenant.OrganizationID, is Gateway, in GatewayInput) (SealedGateway, error) {
	in.Kind = is.Kind
	in, err := in.check(s.Internal)
	if err != nil {
		return SealedGateway{}, err
	}
	out := SealedGateway{id: is.ID, in: in, before: is.Version}
	if in.Key != "" {
		return s.seal(ctx, organization, out)
	}
	if in.URL != is.URL || in.Account != is.Account {
		return out, ErrGatewayKeyAnew
	}
	return out, nil
}

func (s *Sender) seal(ctx context.Context, organization tenant.OrganizationID, g SealedGateway) (SealedGateway, error) {
	sealed, err := s.Sealer.Seal(ctx, gatewayPlace(organization, g.id), []byte(g.in.Key))
	g.hint, g.sealed, g.in.Key = g.in.Key[len(g.in.Key)-4:], sealed, ""
	return g, err
}

// AddGateway keeps a text gateway, to be tried after those that are there. It fails with ErrGatewayMany.
func AddGateway(ctx context.Context, tx *tenant.Tx, s SealedGateway) (Gateway, error) {
	all, err := selectGateways(ctx, tx, true)
	if err != nil {
		return Gateway{}, err
	}
	if len(all) >= gatewaysMax {
		return Gateway{}, ErrGatewayMany
	}
	if err := insertGateway(ctx, tx, s, len(all)+1); err != nil {
		return Gateway{}, err
	}
	if err := recordGateway(ctx, tx, "add", s.id, string(s.in.Kind)); err != nil {
		return Gateway{}, err
	}
	return selectGateway(ctx, tx, s.id)
}

func recordGateway(ctx context.Context, tx *tenant.Tx, verb string, gateway GatewayID, detail string) error {
	return tx.Record(ctx, tenant.Act{Action: "text_gateway." + verb, Object: "text_gateway", ID: gateway.UUID, Detail: detail})
}

// ChangeGateway writes a text gateway anew. What troubled it is forgotten. It fails with ErrGatewayNotFound and
// ErrGatewayChanged.
func ChangeGateway(ctx context.Context, tx *tenant.Tx, version int, s SealedGateway) (Gateway, error) {
	if version != 0 && version != s.before {
		return Gateway{}, ErrGatewayChanged
	}
	if _, err := selectGateway(ctx, tx, s.id); err != nil {
		return Gateway{}, err
	}
	// Whether the secret may stay was decided by what was read then.
	if err := updateGateway(ctx, tx, s); err != nil {
		return Gateway{}, err
	}
	detail := "all but its secret"
	if s.sealed != "" {
		detail = "its secret too"
	}
	if err := recordGateway(ctx, tx, "change", s.id, detail); err != nil {
		return Gateway{}, err
	}
	return selectGateway(ctx, tx, s.id)
}

// TurnGateway turns a text gateway on or off: nothing is sent through one that is off.
func TurnGateway(ctx context.Context, tx *tenant.Tx, gateway GatewayID, on bool) (Gateway, error) {
	is, err := selectGateway(ctx, tx, gateway)
	if err != nil || is.Off != on {
		return is, err
	}
	if err := updateGatewayOn(ctx, tx, gateway, on); err != nil {
		return is, err
	}
	verb := "disable"
	if on {
		verb = "enable"
	}
	if err := recordGateway(ctx, tx, verb, gateway, ""); err != nil {
		return is, err
	}
	return selectGateway(ctx, tx, gateway)
}

// MoveGateway gives a text gateway a place among the others; 1 is tried first. It fails with ErrGatewayNotFound and
// ErrGatewayPlace.
func MoveGateway(ctx context.Context, tx *tenant.Tx, gateway GatewayID, place int) (Gateway, error) {
	all, err := selectGateways(ctx, tx, true)
	if err != nil {
		return Gateway{}, err
	}
	at := slices.IndexFunc(all, func(g Gateway) bool { return g.ID == gateway })
	if at < 0 {
		return Gateway{}, ErrGatewayNotFound
	}
	if place < 1 || place > len(all) {
		return Gateway{}, ErrGatewayPlace
	}
	moved := all[at]
	all = slices.Insert(slices.Delete(all, at, at+1), place-1, moved)
	if err := numberGateways(ctx, tx, all); err != nil {
		return Gateway{}, err
	}
	if err := recordGateway(ctx, tx, "move", gateway, strconv.Itoa(place)); err != nil {
		return Gateway{}, err
	}
	return selectGateway(ctx, tx, gateway)
}

// numberGateways gives gateways their turns, from 1 on without a gap.
func numberGateways(ctx context.Context, tx *tenant.Tx, all []Gateway) error {
	for i, g := range all {
		if g.Turn == i+1 {
			continue
		}
		if err := updateGatewayTurn(ctx, tx, g.ID, i+1); err != nil {
			return err
		}
	}
	return nil
}

// RemoveGateway takes a text gateway away and its secret with it. It fails with ErrGatewayNotFound.
func RemoveGateway(ctx context.Context, tx *tenant.Tx, gateway GatewayID) error {
	all, err := selectGateways(ctx, tx, true)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(g Gateway) bool { return g.ID == gateway })
	if at < 0 {
		return ErrGatewayNotFound
	}
	if err := updateGatewayGone(ctx, tx, gateway); err != nil {
		return err
	}
	if err := numberGateways(ctx, tx, slices.Delete(all, at, at+1)); err != nil {
		return err
	}
	return recordGateway(ctx, tx, "remove", gateway, "")
}

// Gateways lists the text gateways in the order in which they are tried while all of them work.
func Gateways(ctx context.Context, tx *tenant.Tx) ([]Gateway, error) {
	return selectGateways(ctx, tx, false)
}

// GatewayByID gives one; ErrGatewayNotFound.
func GatewayByID(ctx context.Context, tx *tenant.Tx, gateway GatewayID) (Gateway, error) {
	return selectGateway(ctx, tx, gateway)
}

// inTurn puts those that failed of late behind the others: whoever asks again because nothing came is not sent the same way.
func inTurn(all []Gateway, now time.Time) []Gateway {
	slices.SortStableFunc(all, func(a, b Gateway) int {
		return lately(a, now) - lately(b, now)
	})
	return all
}

func lately(g Gateway, now time.Time) int {
	if g.TroubleAt != nil && now.Sub(*g.TroubleAt) < troubleFor {
		return 1
	}
	return 0
}
