# What Countinghouse may do in Vault: no more than this. The tests run under it.
#
#   vault secrets enable transit
#   vault policy write countinghouse policy.hcl
#
# Where the Transit engine is mounted elsewhere, put that name in place of "transit".

# Keys are made in one form alone: derived, not exportable, not convergent. They may be read about, rotated, have
# old versions retired, and be deleted when an organization is. What they are made of never leaves Vault.
path "transit/keys/organization-*" {
  capabilities = ["read", "update", "delete"]
  allowed_parameters = {
    "type"                   = ["aes256-gcm96"]
    "derived"                = [true]
    "min_decryption_version" = []
    "deletion_allowed"       = [true]
  }
}

# The mark that a key was deleted. Nobody takes it back.
path "transit/keys/gone-*" {
  capabilities = ["read", "update"]
  allowed_parameters = {
    "type"    = ["aes256-gcm96"]
    "derived" = [true]
  }
}

# "update" alone: with "create", sealing would silently make a missing or deleted key anew.
path "transit/encrypt/organization-*" {
  capabilities = ["update"]
}
path "transit/decrypt/organization-*" {
  capabilities = ["update"]
}
path "transit/rewrap/organization-*" {
  capabilities = ["update"]
}

# The service's own token, where the policy "default" is not given as well.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}
path "auth/token/renew-self" {
  capabilities = ["update"]
}
