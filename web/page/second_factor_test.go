package page

import (
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/identity"
	"github.com/countinghouse/countinghouse/internal/id"
)

func secondFactorSamples() map[string]any {
	since := now.AddDate(0, -2, 0)
	return map[string]any{
		"second-step": SecondStep{Gate{Title: "Second step", Person: nobody}, refused(NewForm("next", "/o/tidewater"), identity.ErrSecondStep)},
		"prove":       Prove{Gate{Title: "Is it still you?", Person: mara}, Flash{}, refused(NewForm("next", "/account/second-step"), identity.ErrProof), true, true},
		"second-factors": SecondFactors{Gate{Title: "Second step", Person: mara}, Flash{Say: "Done"}, refused(NewForm(), identity.ErrTOTPOn), now, identity.SecondFactors{TOTPSince: &since, RecoveryCodes: 1,
			Passkeys: []identity.Passkey{{ID: id.New[identity.Passkey](), Name: "Work <phone>", CreatedAt: since, LastUsedAt: &now}, {Name: "Key", CreatedAt: since}}}},
		"second-factor-app": SecondFactorApp{Gate{Title: "Set up an authenticator app", Person: mara}, refused(NewForm(), identity.ErrSecondStep), "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPA", "/account/second-step/app/qr.png"},
		"recovery-codes":    RecoveryCodes{Gate{Title: "Recovery codes", Person: mara}, []string{"ABCD-EFGH-IJKL-MNOP", "QRST-UVWX-YZ23-4567"}, true},
	}
}

func TestSecondFactorPages(t *testing.T) {
	t.Parallel()
	off := drawn(t, set, "second-factors", SecondFactors{Gate: Gate{Title: "Second step", Person: mara}, Today: now})
	for _, complaint := range inspect(off) {
		t.Error(complaint)
	}
	if strings.Contains(off, "turn-off") || strings.Contains(off, "second-step/codes") {
		t.Error("what is off can be turned off")
	}
	prove := drawn(t, set, "prove", Prove{Gate: Gate{Title: "Is it still you?", Person: mara}, Form: NewForm()})
	for _, complaint := range inspect(prove) {
		t.Error(complaint)
	}
	if strings.Contains(prove, `name="code"`) || strings.Contains(prove, "data-passkey") {
		t.Error("a code is asked of who has none")
	}
	app := drawn(t, set, "second-factor-app", secondFactorSamples()["second-factor-app"])
	if !strings.Contains(app, "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP A</code>") {
		t.Error("the key does not stand in groups of four")
	}
}
