package main

import "github.com/countinghouse/countinghouse/tenant"

// sealedColumns are all columns of organizations that hold what the keyring sealed, a line each. A rotation walks
// them; a test finds those that are missing here.
var sealedColumns = []tenant.SealedColumn{
	{Table: "gateway_account", Column: "sealed", Key: "id"},
	{Table: "payment_method", Column: "sealed", Key: "id"},
	{Table: "webhook_endpoint", Column: "sealed", Key: "id"},
	{Table: "webhook_endpoint", Column: "former_sealed", Key: "id"},
}

// platformSealed are the columns of the platform that hold what the service's own key sealed: what belongs to
// people, who are in no organization, and to the operator. The places are those of identity and of setting.
var platformSealed = []tenant.PlatformSealedColumn{
	{Table: "platform.setting_secret", Column: "sealed", Key: "name", Place: "setting "},
	{Table: "platform.totp", Column: "sealed", Key: "person_id", Place: "totp/"},
}
