// Package identity knows who people are: sign-up, passwords, sessions, and the API tokens that act for them.
//
// A person has one identity, whatever organizations they belong to; the words are those of Ory Kratos (identity,
// credential, session, verification). Everything that a stranger can ask is answered the same, after the same
// work, whether or not an address is known. Of every secret that is handed out only a digest is kept, so that
// who reads the database cannot sign in with what is in it.
package identity
