// Package vaulttest holds the keyring against a real Vault: what every keyring promises, and what happens when Vault
// is sealed, away, slow, or no longer lets the service in. It is a module of its own, because the Vault that it
// runs (../realvault) takes minutes to build the first time.
package vaulttest
