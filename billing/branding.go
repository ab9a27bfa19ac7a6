package billing

import (
	"context"
	"net/mail"
	"slices"
	"strconv"
	"strings"

	"github.com/countinghouse/countinghouse/billing/file"
	"github.com/countinghouse/countinghouse/billing/invoicepdf"
	"github.com/countinghouse/countinghouse/internal/fault"
	"github.com/countinghouse/countinghouse/internal/text"
	"github.com/countinghouse/countinghouse/tenant"
)

// What is refused about how documents look.
var (
	ErrReplyTo   = fault.New(fault.Invalid, "reply_to.malformed", "Give one email address, such as books@example.com.").At("reply_to")
	ErrReminders = fault.New(fault.Invalid, "reminders.malformed", "Give at most six different days from 30 before to 180 after the due date, such as -3, 1, 7, 14.").At("reminder_days")
)

// Branding is how an organization's documents look, and how they reach customers.
type Branding struct {
	Logo    file.ID // zero: none
	Colour  string  // "#1f5e4a"; empty: ours
	PayTo   string  // how to pay, several lines
	Foot    string  // beneath each document, several lines
	ReplyTo string  // where an answer to a mail goes; empty: nowhere
	// Reminders are the days on which an open invoice is reminded of, counted from its due date: -3 is three days before.
	Reminders []int
	Version   int // of the settings
}

// BrandingInput is what may be changed; the logo is changed by itself.
type BrandingInput struct {
	Colour, PayTo, Foot, ReplyTo, Reminders string
}

// LoadBranding reads how documents look.
func LoadBranding(ctx context.Context, tx *tenant.Tx) (Branding, error) {
	return selectBranding(ctx, tx)
}

// ChangeBranding writes anew what BrandingInput holds. version is the settings' that the change was made on; 0 is any. It
// fails with what is wrong with the input, or ErrSettingsChanged.
func ChangeBranding(ctx context.Context, tx *tenant.Tx, version int, in BrandingInput) (Branding, error) {
	in, err := in.check()
	if err != nil {
		return Branding{}, err
	}
	was, err := selectBranding(ctx, tx)
	if err != nil {
		return Branding{}, err
	}
	is, err := updateBranding(ctx, tx, version, in)
	if err != nil {
		return Branding{}, err
	}
	return is, tx.Record(ctx, tenant.Act{Action: "branding.change", Object: "settings", Changes: []tenant.Change{
		{Field: "colour", Before: was.Colour, After: is.Colour},
		{Field: "pay_to", Before: was.PayTo, After: is.PayTo},
		{Field: "foot", Before: was.Foot, After: is.Foot},
		{Field: "reply_to", Before: was.ReplyTo, After: is.ReplyTo, Personal: true},
		{Field: "reminder_days", Before: WriteReminders(was.Reminders), After: WriteReminders(is.Reminders)},
	}})
}

func (in BrandingInput) check() (BrandingInput, error) {
	var f fields
	in.PayTo = f.text(text.Block, "pay_to", in.PayTo, 500)
	in.Foot = f.text(text.Block, "foot", in.Foot, 500)
	in.ReplyTo = f.text(text.Line, "reply_to", in.ReplyTo, 254)
	in.Colour = strings.ToLower(strings.TrimSpace(in.Colour))
	f.add("colour", invoicepdf.CheckColour(in.Colour))
	if address, err := mail.ParseAddress(in.ReplyTo); in.ReplyTo != "" && (err != nil || address.Address != in.ReplyTo) {
		f.add("reply_to", ErrReplyTo)
	}
	days, err := ParseReminders(in.Reminders)
	f.add("reminder_days", err)
	in.Reminders = WriteReminders(days)
	return in, f.err()
}

// ParseReminders reads days such as "-3, 1, 7"; ErrReminders. They come in order.
func ParseReminders(s string) ([]int, error) {
	var days []int
	for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ',' || r == ' ' }) {
		day, err := strconv.Atoi(strings.Replace(part, "−", "-", 1))
		if err != nil || day < -30 || day > 180 || slices.Contains(days, day) || len(days) == 6 {
			return nil, ErrReminders
		}
		days = append(days, day)
	}
	slices.Sort(days)
	return days, nil
}

// WriteReminders writes days as ParseReminders reads them.
func WriteReminders(days []int) string {
	parts := make([]string, len(days))
	for i, day := range days {
		parts[i] = strconv.Itoa(day)
	}
	return strings.Join(parts, ", ")
}

// ChangeLogo keeps a picture as the logo of all documents; an empty one takes the logo away. It fails with
// invoicepdf.ErrLogo for what cannot stand on a document.
func ChangeLogo(ctx context.Context, tx *tenant.Tx, name string, picture []byte) (Branding, error) {
	was, err := lockBranding(ctx, tx)
	if err != nil {
		return was, err
	}
	var logo file.ID
	if len(picture) > 0 {
		if err := invoicepdf.CheckLogo(picture); err != nil {
			return was, err
		}
		kept, err := file.Keep(ctx, tx, file.Input{Kind: file.Logo, Name: name, Bytes: picture})
		if err != nil {
			return was, err
		}
		logo = kept.ID
	}
	is, err := updateLogo(ctx, tx, logo)
	if err != nil || was.Logo.IsZero() {
		return is, err
	}
	_, err = file.Remove(ctx, tx, was.Logo)
	return is, err
}

// logoOf is the picture itself; nil for none.
func (b Branding) logoOf(ctx context.Context, tx *tenant.Tx) ([]byte, error) {
	if b.Logo.IsZero() {
		return nil, nil
	}
	f, err := file.ByID(ctx, tx, b.Logo)
	if err != nil {
		return nil, err
	}
	return file.Read(ctx, tx, f)
}
