package web

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/countinghouse/countinghouse/internal/captcha"
	"github.com/countinghouse/countinghouse/internal/setting"
	"github.com/countinghouse/countinghouse/web/page"
)

// The forms that a CAPTCHA may stand before.
const (
	captchaSignUp   = "sign_up"
	captchaRecovery = "recovery"
)

// captchaOpens is what the content policy lets in beside us, for each provider that is not us (their documents on
// content security policies name these), and captchaFields the field in which their widgets leave the response.
var (
	captchaOpens = map[captcha.Provider]struct{ script, frame string }{
		captcha.Recaptcha: {"https://www.google.com/recaptcha/ https://www.gstatic.com/recaptcha/", "https://www.google.com/recaptcha/ https://recaptcha.google.com/recaptcha/"},
		captcha.Turnstile: {"https://challenges.cloudflare.com", "https://challenges.cloudflare.com"},
	}
	captchaFields = map[captcha.Provider]string{
		captcha.Altcha: "captcha", captcha.Recaptcha: "g-recaptcha-response", captcha.Turnstile: "cf-turnstile-response",
	}
)

func (s *Server) registerCaptcha() {
	s.public("GET", "/captcha", s.setCaptcha)
}

// captchaTask is what stands before a form; ok is false where nothing does.
func (s *Server) captchaTask(ctx context.Context, form string) (t captcha.Task, ok bool, err error) {
	now, err := s.settings(ctx)
	if err != nil {
		return t, false, err
	}
	asked := map[string]bool{captchaSignUp: now.CaptchaSignUp, captchaRecovery: now.CaptchaRecovery}[form]
	return taskOf(now, form), asked, nil
}

func taskOf(now setting.Settings, form string) captcha.Task {
	return captcha.Task{Provider: captcha.Provider(now.CaptchaProvider), SiteKey: now.CaptchaSiteKey, Secret: now.CaptchaSecret,
		Difficulty: now.CaptchaDifficulty, For: form}
}

// showCaptcha is what a page shows of the CAPTCHA before its form, nil for none. The page's content policy lets a third
// party in only where it is the one to ask.
func (s *Server) showCaptcha(c *fiber.Ctx, form string) (*page.Captcha, error) {
	t, ok, err := s.captchaTask(c.UserContext(), form)
	if err != nil || !ok {
		return nil, err
	}
	openCaptcha(c, t)
	return &page.Captcha{Provider: string(t.Provider), SiteKey: t.SiteKey, For: t.For}, nil
}

// openCaptcha lets a third party into the page where it is the one to ask.
func openCaptcha(c *fiber.Ctx, t captcha.Task) {
	if opens, third := captchaOpens[t.Provider]; third {
		c.Set("Content-Security-Policy", strings.Replace(contentPolicy, "script-src 'self'", "script-src 'self' "+opens.script, 1)+"; frame-src "+opens.frame)
	}
}

// checkCaptcha holds what a form brought against the CAPTCHA before it, if there is one. It must stand before
// everything that the form does.
func (s *Server) checkCaptcha(c *fiber.Ctx, form string, sent url.Values) error {
	t, ok, err := s.captchaTask(c.UserContext(), form)
	if err != nil || !ok {
		return err
	}
	return s.checkTask(c, t, sent)
}

func (s *Server) checkTask(c *fiber.Ctx, t captcha.Task, sent url.Values) error {
	if s.Captcha == nil {
		return captcha.ErrUnavailable.Because(errors.New("this server has no CAPTCHA"))
	}
	return s.Captcha.Check(c.UserContext(), t, sent.Get(captchaFields[t.Provider]))
}

// setCaptcha sets a task for a form that asks for one.
func (s *Server) setCaptcha(c *fiber.Ctx) error {
	t, ok, err := s.captchaTask(c.UserContext(), c.Query("for"))
	if err != nil {
		return err
	}
	return s.setTask(c, t, ok)
}

func (s *Server) setTask(c *fiber.Ctx, t captcha.Task, ok bool) error {
	if !ok || t.Provider != captcha.Altcha || s.Captcha == nil {
		return errNoPage
	}
	task, err := s.Captcha.Challenge(t)
	if err != nil {
		return err
	}
	return c.JSON(task)
}
