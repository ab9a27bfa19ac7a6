package main

import "github.com/countinghouse/countinghouse/tenant"

// sealedColumns are all columns of organizations that hold what the keyring sealed, a line each. A rotation walks
// them; a test finds those that are missing here.
var sealedColumns = []tenant.SealedColumn{
	{Table: "gateway_account", Column: "sealed", Key: "id"},
	{Table: "payment_method", Column: "sealed", Key: "id"},
}

// platformSealed are the columns of the platform that hold what the service's own key sealed: what belongs to
// people, who are in no organization, and to the operator. That key is not rotated.
var platformSealed = []string{"platform.totp.sealed", "platform.setting_secret.sealed"}
