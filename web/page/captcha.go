package page

// Captcha is what stands before a form, for the parts "captcha" and "captcha-script".
type Captcha struct {
	Provider string // altcha, recaptcha or turnstile
	SiteKey  string // of the last two
	For      string // which form it is
}
