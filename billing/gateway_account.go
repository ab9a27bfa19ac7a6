package billing

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/countinghouse/countinghouse/billing/gateway"
	"github.com/countinghouse/countinghouse/billing/ledger"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/id"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about gateway accounts.
var (
	ErrGatewayNotFound     = fault.New(fault.NotFound, "gateway.not_found", "There is no such payment gateway.")
	ErrGatewayChanged      = fault.New(fault.Conflict, "gateway.changed", "Someone else changed this payment gateway in the meantime. Look at it again, then repeat your change.")
	ErrGatewayArchived     = fault.New(fault.Conflict, "gateway.archived", "This payment gateway is no longer in use. Choose another.")
	ErrGatewayKind         = fault.New(fault.Invalid, "gateway.kind", "Choose one of the payment gateways.").At("kind")
	ErrGatewayKey          = fault.New(fault.Invalid, "gateway.key", "This is not a secret key of that gateway. Copy it from the gateway's own settings.").At("key")
	ErrWebhookSecret       = fault.New(fault.Invalid, "gateway.webhook_secret", "A signing secret begins with whsec_. Copy it from the gateway's own settings.").At("webhook_secret")
	ErrInstructionsMissing = fault.New(fault.Invalid, "gateway.instructions", "Say where to send the money: the bank, the account, whose it is.").At("instructions")
)

// GatewayAccountID names a gateway account.
type GatewayAccountID = id.Of[GatewayAccount]

// GatewayAccount is what an organization has at a payment gateway, or the instructions by which it is sent money. Its
// secrets are not in it.
type GatewayAccount struct {
	ID           GatewayAccountID `db:"id"`
	Kind         gateway.Kind     `db:"kind"`
	Name         string           `db:"name"`
	Hint         string           `db:"hint"` // the last characters of its key
	Instructions string           `db:"instructions"`
	Account      ledger.AccountID `db:"account_id"` // where its money is in the books
	AccountCode  string           `db:"account_code"`
	CreatedAt    time.Time        `db:"created_at"`
	Archived     bool             `db:"archived"`
	Version      int              `db:"version"`
}

// Hosted says whether customers pay on a page of the gateway's.
func (a GatewayAccount) Hosted() bool { return a.Kind != gateway.Transfer }

// GatewayAccountInput is what is written about a gateway account. On a change, empty secrets stay as they are.
type GatewayAccountInput struct {
	Kind          gateway.Kind
	Name          string
	Key           string
	WebhookSecret string
	Instructions  string
}

// SealedGatewayAccount is an input that was checked, with its secrets sealed for the row that it is to be kept in.
type SealedGatewayAccount struct {
	id     GatewayAccountID
	in     GatewayAccountInput
	sealed string
	hint   string
	before int // the version whose secrets are in it too; 0 for a new account
}

func (in GatewayAccountInput) check(changed bool) (GatewayAccountInput, error) {
	var f fields
	in.Name = f.text(text.Required, "name", in.Name, 60)
	in.Key = f.text(text.Line, "key", in.Key, 255)
	in.WebhookSecret = f.text(text.Line, "webhook_secret", in.WebhookSecret, 255)
	in.Instructions = f.text(text.Block, "instructions", in.Instructions, 1000)
	switch in.Kind {
	case gateway.Transfer:
		if in.Instructions == "" {
			f.add("instructions", ErrInstructionsMissing)
		}
		in.Key, in.WebhookSecret = "", ""
	case gateway.Stripe, gateway.Practice:
		in.Instructions = ""
		stays := changed && in.Key == ""
		if !stays && (in.Kind == gateway.Stripe && !gateway.CheckStripeKey(in.Key) || in.Kind == gateway.Practice && !gateway.CheckPracticeKey(in.Key)) {
			f.add("key", ErrGatewayKey)
		}
		if in.WebhookSecret != "" && (len(in.WebhookSecret) < 14 || in.WebhookSecret[:6] != "whsec_") {
			f.add("webhook_secret", ErrWebhookSecret)
		}
	default:
		f.add("kind", ErrGatewayKind)
	}
	return in, f.err()
}

func gatewayPlace(organization tenant.OrganizationID, account GatewayAccountID) Place {
	return Place{organization.String(), "gateway_account", "sealed", account.String()}
}

// SealGatewayAccount checks what was written about a new gateway account and seals its secrets. It calls the keyring
// and belongs before the transaction. It fails with all that is wrong with the input, and with what the sealer refuses.
func SealGatewayAccount(ctx context.Context, sealer Sealer, organization tenant.OrganizationID, in GatewayAccountInput) (SealedGatewayAccount, error) {
	in, err := in.check(false)
	if err != nil {
		return SealedGatewayAccount{}, err
	}
	out := SealedGatewayAccount{id: id.New[GatewayAccount](), in: in}
	if in.Key == "" {
		return out, nil
	}
	return out.seal(ctx, sealer, gatewayPlace(organization, out.id), gateway.Credentials{Key: in.Key, WebhookSecret: in.WebhookSecret})
}

// ResealGatewayAccount is SealGatewayAccount for one that is there: key and signing secret are sealed as one, so where
// only one of them is given, the other is opened and sealed again with it. It fails with ErrGatewayKind for another kind.
func ResealGatewayAccount(ctx context.Context, sealer Sealer, stored SealedCredentials, in GatewayAccountInput) (SealedGatewayAccount, error) {
	in, err := in.check(true)
	if err != nil {
		return SealedGatewayAccount{}, err
	}
	out := SealedGatewayAccount{id: stored.account, in: in, before: stored.version}
	given := gateway.Credentials{Key: in.Key, WebhookSecret: in.WebhookSecret}
	switch {
	case in.Kind != stored.Kind:
		return out, ErrGatewayKind
	case given == gateway.Credentials{}:
		return out, nil
	case given.Key == "" || given.WebhookSecret == "":
		before, err := OpenCredentials(ctx, sealer, stored)
		if err != nil {
			return out, err
		}
		given.Key, given.WebhookSecret = cmp.Or(given.Key, before.Key), cmp.Or(given.WebhookSecret, before.WebhookSecret)
	}
	return out.seal(ctx, sealer, stored.at, given)
}

func (s SealedGatewayAccount) seal(ctx context.Context, sealer Sealer, at Place, c gateway.Credentials) (SealedGatewayAccount, error) {
	plain, err := json.Marshal(c)
	if err != nil {
		return s, fmt.Errorf("writing a gateway's credentials: %w", err)
	}
	s.hint = c.Key[len(c.Key)-4:]
	s.in.Key, s.in.WebhookSecret = "", ""
	s.sealed, err = sealer.Seal(ctx, at, plain)
	return s, err
}

// AddGatewayAccount keeps a gateway account, and opens an account in the books for the money that it holds.
func AddGatewayAccount(ctx context.Context, tx *tenant.Tx, s SealedGatewayAccount) (GatewayAccount, error) {
	account, err := clearingFor(ctx, tx, s)
	if err != nil {
		return GatewayAccount{}, err
	}
	if err := insertGatewayAccount(ctx, tx, s, account); err != nil {
		return GatewayAccount{}, err
	}
	err = tx.Record(ctx, tenant.Act{Action: "gateway.add", Object: "gateway", ID: s.id.UUID, Detail: string(s.in.Kind)})
	if err != nil {
		return GatewayAccount{}, err
	}
	return selectGatewayAccount(ctx, tx, s.id)
}

// clearingFor is the account in the books: the bank for transfers, else one of the gateway's own.
func clearingFor(ctx context.Context, tx *tenant.Tx, s SealedGatewayAccount) (ledger.AccountID, error) {
	if s.in.Kind == gateway.Transfer {
		bank, err := ledger.AccountFor(ctx, tx, ledger.Bank)
		return bank.ID, err
	}
	if _, err := feeAccount(ctx, tx); err != nil {
		return ledger.AccountID{}, err
	}
	whole := s.id.String()
	account, err := ledger.OpenAccountFor(ctx, tx, ledger.GatewayPrefix+whole[len(whole)-12:], ledger.KindAsset, 1030, "Held by "+s.in.Name)
	return account.ID, err
}

func feeAccount(ctx context.Context, tx *tenant.Tx) (ledger.AccountID, error) {
	account, err := ledger.OpenAccountFor(ctx, tx, ledger.GatewayFees, ledger.KindExpense, 6010, "Payment fees")
	return account.ID, err
}

// ChangeGatewayAccount writes a gateway account anew; its kind stays, and its secrets too where none were given. It
// fails with ErrGatewayNotFound, ErrGatewayChanged, and ErrGatewayKind for another kind.
func ChangeGatewayAccount(ctx context.Context, tx *tenant.Tx, version int, s SealedGatewayAccount) (GatewayAccount, error) {
	before, err := selectGatewayAccount(ctx, tx, s.id)
	if err != nil {
		return before, err
	}
	if before.Kind != s.in.Kind {
		return before, ErrGatewayKind
	}
	if s.sealed != "" { // a secret in it may be one that somebody has replaced since
		if version != 0 && version != s.before {
			return before, ErrGatewayChanged
		}
		version = s.before
	}
	if err := updateGatewayAccount(ctx, tx, version, s); err != nil {
		return before, err
	}
	detail := "name and instructions"
	if s.sealed != "" {
		detail = "its key too"
	}
	if err := tx.Record(ctx, tenant.Act{Action: "gateway.change", Object: "gateway", ID: s.id.UUID, Detail: detail}); err != nil {
		return before, err
	}
	return selectGatewayAccount(ctx, tx, s.id)
}

// RemoveGatewayAccount takes a gateway account out of use: nobody is charged through it any more. Its credentials stay
// sealed, since what was charged may still be refunded or disputed. It fails with ErrGatewayNotFound or ErrGatewayChanged.
func RemoveGatewayAccount(ctx context.Context, tx *tenant.Tx, account GatewayAccountID, version int) error {
	if err := updateGatewayArchived(ctx, tx, account, version); err != nil {
		return err
	}
	return tx.Record(ctx, tenant.Act{Action: "gateway.remove", Object: "gateway", ID: account.UUID})
}

// GatewayAccounts lists the gateway accounts, those out of use last.
func GatewayAccounts(ctx context.Context, tx *tenant.Tx) ([]GatewayAccount, error) {
	return selectGatewayAccounts(ctx, tx)
}

// GatewayAccountByID gives one; ErrGatewayNotFound.
func GatewayAccountByID(ctx context.Context, tx *tenant.Tx, account GatewayAccountID) (GatewayAccount, error) {
	return selectGatewayAccount(ctx, tx, account)
}

// OpenGatewayAddress gives out a new secret address for the gateway's messages and closes those before it. It returns
// the secret part, which cannot be shown again.
func OpenGatewayAddress(ctx context.Context, tx *tenant.Tx, account GatewayAccountID) (string, error) {
	a, err := selectGatewayAccount(ctx, tx, account)
	if err != nil {
		return "", err
	}
	if a.Kind == gateway.Transfer {
		return "", gateway.ErrByHand
	}
	if _, err := tx.CloseDoors(ctx, tenant.Webhook, account.UUID); err != nil {
		return "", err
	}
	secret, err := tx.OpenWebhook(ctx, account.UUID)
	if err != nil {
		return "", err
	}
	return secret, tx.Record(ctx, tenant.Act{Action: "gateway.address", Object: "gateway", ID: account.UUID})
}

// SealedCredentials are a gateway account's credentials as they are stored, for OpenCredentials.
type SealedCredentials struct {
	Kind    gateway.Kind
	account GatewayAccountID
	at      Place
	sealed  string
	version int
}

// GatewayCredentials reads what OpenCredentials opens, outside the transaction.
func GatewayCredentials(ctx context.Context, tx *tenant.Tx, account GatewayAccountID) (SealedCredentials, error) {
	c, err := selectCredentials(ctx, tx, account)
	c.account, c.at = account, gatewayPlace(tx.Scope().Organization().ID, account)
	return c, err
}

// OpenCredentials opens them. It calls the keyring.
func OpenCredentials(ctx context.Context, sealer Sealer, s SealedCredentials) (c gateway.Credentials, err error) {
	if s.Kind == gateway.Transfer {
		return c, gateway.ErrByHand
	}
	plain, err := sealer.Open(ctx, s.at, s.sealed)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(plain, &c); err != nil {
		return c, fmt.Errorf("reading a gateway's credentials failed") // the cause would quote them
	}
	return c, nil
}
