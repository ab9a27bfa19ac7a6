package setting

// Defaults is what is in force where nobody changed anything.
func Defaults() Settings {
	return Settings{
		PasswordMinLength: 12, PasswordScore: 2, PasswordHistory: 5, PasswordRefuseCommon: true,
		CaptchaProvider: Altcha, CaptchaDifficulty: 50_000,
		RecoveryByOneself: true, SaveLogins: true,
		SessionIdleMinutes: 480, SessionDays: 30, ProofMinutes: 10,
		set: map[string]bool{},
	}
}

const (
	whyNoClasses = "Off by default. NIST SP 800-63B-4 section 3.1.1.2 says not to ask for kinds of characters: people answer with a capital at the front and a digit at the end, which guessing programs know."
	whyNoAge     = "Off by default. NIST SP 800-63B-4 section 3.1.1.2 says to ask for a new password when the old one may be known to others, and not by the calendar: people then count up."
)

var groups = []Group{
	{"Passwords", "What is asked of a new password. Organizations may ask for more of those who enter them.", []Name{
		{Name: "password.min_length", Title: "Least length", Kind: Number, Unit: "characters", Min: 12, Max: 64,
			Say: "A new password has at least so many characters.", Why: "Length is what makes a password hard to guess.",
			value: func(s *Settings) any { return &s.PasswordMinLength }},
		{Name: "password.score", Title: "Least strength", Kind: Number, Min: 2, Max: 4,
			Say:   "By zxcvbn: 2 stands up to guessing over the network, 3 to a stolen table of slow hashes, 4 to more.",
			Why:   "It sees words, names, dates and rows of keys, as guessing programs do.",
			value: func(s *Settings) any { return &s.PasswordScore }},
		{Name: "password.refuse_common", Title: "Refuse the commonest passwords", Kind: Switch,
			Say:   "Those of a list that comes with the program, and the same with digits and signs around them.",
			Why:   "They are what is tried first.",
			value: func(s *Settings) any { return &s.PasswordRefuseCommon }},
		{Name: "password.history", Title: "Former passwords refused", Kind: Number, Min: 0, Max: 24,
			Say:   "A new password is none of the last so many, the present one among them.",
			value: func(s *Settings) any { return &s.PasswordHistory }},
		{Name: "password.lower", Title: "Ask for a small letter", Kind: Switch, Say: "A new password holds at least one.", Why: whyNoClasses,
			value: func(s *Settings) any { return &s.PasswordLower }},
		{Name: "password.upper", Title: "Ask for a capital", Kind: Switch, Say: "A new password holds at least one.", Why: whyNoClasses,
			value: func(s *Settings) any { return &s.PasswordUpper }},
		{Name: "password.digit", Title: "Ask for a digit", Kind: Switch, Say: "A new password holds at least one.", Why: whyNoClasses,
			value: func(s *Settings) any { return &s.PasswordDigit }},
		{Name: "password.special", Title: "Ask for a sign", Kind: Switch, Say: "A new password holds something that is neither letter nor digit.", Why: whyNoClasses,
			value: func(s *Settings) any { return &s.PasswordSpecial }},
		{Name: "password.warn_days", Title: "Warn after", Kind: Number, Unit: "days", Min: 0, Max: 3650,
			Say: "Who signs in with an older password is told to change it. 0 is never.", Why: whyNoAge,
			value: func(s *Settings) any { return &s.PasswordWarnDays }},
		{Name: "password.block_days", Title: "Block after", Kind: Number, Unit: "days", Min: 0, Max: 3650,
			Say: "Who signs in with an older password changes it before anything else. 0 is never.", Why: whyNoAge,
			value: func(s *Settings) any { return &s.PasswordBlockDays }},
	}},
	{"CAPTCHA", "A small task that costs a program more than a person. With wrong keys nobody passes: then set captcha.provider to altcha from the command line.", []Name{
		{Name: "captcha.provider", Title: "Which one", Kind: Choice, Choices: []string{Altcha, Recaptcha, Turnstile},
			Say:   "altcha is a proof of work that this server sets and checks itself. The others ask Google or Cloudflare, who then see each visitor of the page.",
			value: func(s *Settings) any { return &s.CaptchaProvider }},
		{Name: "captcha.sign_up", Title: "Ask before sign-up", Kind: Switch, Say: "Signing up then takes JavaScript.",
			value: func(s *Settings) any { return &s.CaptchaSignUp }},
		{Name: "captcha.recovery", Title: "Ask before recovery", Kind: Switch, Say: "Asking for a new password then takes JavaScript.",
			value: func(s *Settings) any { return &s.CaptchaRecovery }},
		{Name: "captcha.difficulty", Title: "Work of altcha", Kind: Number, Unit: "tries", Min: 1_000, Max: 1_000_000,
			Say:   "A browser makes half as many on average; 50000 take a phone about a second.",
			value: func(s *Settings) any { return &s.CaptchaDifficulty }},
		{Name: "captcha.site_key", Title: "Site key", Kind: Text, Max: 200, Say: "Of recaptcha or turnstile: the public one.",
			value: func(s *Settings) any { return &s.CaptchaSiteKey }},
		{Name: "captcha.secret", Title: "Secret key", Kind: Secret, Max: 300, Say: "Of recaptcha or turnstile. It is sealed, and not shown again.",
			value: func(s *Settings) any { return &s.CaptchaSecret }},
	}},
	{"Signing in", "", []Name{
		{Name: "recovery.by_oneself", Title: "Set a forgotten password oneself", Kind: Switch,
			Say:   "By a link in a mail, or a code to one's phone. Off, the operator makes a link for them: countinghouse person link EMAIL.",
			value: func(s *Settings) any { return &s.RecoveryByOneself }},
		{Name: "sign_in.save_logins", Title: "Browsers may save logins", Kind: Switch,
			Say:   "Off, every form with a password is made so that browsers and password managers do not offer to save or fill it.",
			Why:   "On by default: NIST SP 800-63B-4 section 3.1.1.2 asks us to let password managers work, since they keep better passwords than people do. Off suits machines that several people share.",
			value: func(s *Settings) any { return &s.SaveLogins }},
	}},
	{"Sessions", "Organizations may set shorter ones for those who enter them. A session that is open keeps the times that it began with.", []Name{
		{Name: "session.idle_minutes", Title: "End when unused for", Kind: Number, Unit: "minutes", Min: 5, Max: 1440, Say: "480 are a working day.",
			value: func(s *Settings) any { return &s.SessionIdleMinutes }},
		{Name: "session.days", Title: "End in any case after", Kind: Number, Unit: "days", Min: 1, Max: 90,
			Say: "Then one signs in again.", Why: "30 days are what NIST SP 800-63B-4 section 2.1.3 has for this assurance level.",
			value: func(s *Settings) any { return &s.SessionDays }},
		{Name: "session.proof_minutes", Title: "Ask again who it is after", Kind: Number, Unit: "minutes", Min: 1, Max: 60,
			Say:   "Who changes what guards their account shows again that it is them, if they last did so longer ago.",
			value: func(s *Settings) any { return &s.ProofMinutes }},
	}},
}
