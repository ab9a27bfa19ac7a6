package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"
)

const (
	secretPrefix = "whsec_"
	secretBytes  = 32 // the specification asks for 24 to 64
)

var errSecret = errors.New("a signing secret is whsec_ and 24 to 64 bytes in base64")

func newSecret() string {
	b := make([]byte, secretBytes)
	_, _ = rand.Read(b) // which never fails: the process ends before
	return secretPrefix + base64.StdEncoding.EncodeToString(b)
}

// Sign is what webhook-signature holds for one secret: "v1," and the HMAC-SHA256, in base64, of the message's id, the
// time of the try in Unix seconds, and the body, with points between them (Standard Webhooks 1.0.0). Who receives it
// computes the same, compares in constant time, and refuses what is older than five minutes.
func Sign(secret, message string, at time.Time, body []byte) (string, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix))
	if err != nil || len(key) < 24 || len(key) > 64 {
		return "", errSecret // the cause would quote it
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(message + "." + strconv.FormatInt(at.Unix(), 10) + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)), nil
}
