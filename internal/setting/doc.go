// Package setting keeps what the operator of a platform may set while it runs: what is asked of passwords, which
// CAPTCHA stands before sign-up and recovery, whether browsers may save logins, and how long sessions last.
//
// It is one list of names, each with its meaning, its reason and its bounds, which the command line and the staff's
// page both show: what can be set in one place can be put right in the other. Every change is a row that is only
// added, and the last one of a name is in force, so that who changed what and when is never lost.
package setting
