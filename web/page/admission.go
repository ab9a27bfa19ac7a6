package page

import "time"

// SettingsSecurity is the data of "settings-security": what an organization asks of who enters it. Its form sends
// second_factor, password_length, password_score, password_days, idle_minutes, session_hours, portal_captcha, exempt
// (a person's id, as often as there are), version and confirm.
type SettingsSecurity struct {
	Shell
	Form            Form
	Now             []string // how many members have to do something under the rules as they are
	Asks            bool     // the rules were refused until they are confirmed
	Lengths, Scores []Option
	Members         []AdmissionMember
}

// AdmissionMember is a member, and how they stand to the rules.
type AdmissionMember struct {
	ID           string
	Name         string
	SecondFactor bool
	Since        time.Time // when the password was set
	Exempt       bool
}

// AdmissionLengths and AdmissionScores are what may be asked of a password.
var (
	AdmissionLengths = []Option{{Value: "12", Label: "12 characters, as everywhere"}, {Value: "15", Label: "15 characters"}, {Value: "20", Label: "20 characters"}}
	AdmissionScores  = []Option{{Value: "2", Label: "2, as everywhere"}, {Value: "3", Label: "3, for slow guessing of a stolen table"}, {Value: "4", Label: "4, the strongest"}}
)
