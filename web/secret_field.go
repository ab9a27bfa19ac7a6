package web

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
)

// secretFields are the fields of forms and of JSON bodies that are neither shown again nor part of what is kept of a
// request.
var secretFields = []string{"card_number", "cvv", "iban", "routing_number", "account_number", "webhook_secret"}

// withoutSecrets is a body without its secret fields, written so that the same content gives the same bytes. A body
// without any is left as it is.
func withoutSecrets(body []byte) []byte {
	holds := false
	for _, field := range secretFields {
		holds = holds || bytes.Contains(body, []byte(field))
	}
	if !holds {
		return body
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) == nil {
		for name := range object {
			if isSecret(name) {
				delete(object, name)
			}
		}
		if kept, err := json.Marshal(object); err == nil {
			return kept
		}
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil // it is refused as a form, too
	}
	for name := range form {
		if isSecret(name) {
			form.Del(name)
		}
	}
	return []byte(form.Encode())
}

func isSecret(name string) bool {
	for _, field := range secretFields {
		if strings.EqualFold(name, field) {
			return true
		}
	}
	return false
}
