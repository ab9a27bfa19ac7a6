package webhook

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"
)

// The vector of the specification's own libraries.
func TestSign(t *testing.T) {
	t.Parallel()
	const secret, message, body = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", `{"test": 2432232314}`
	at := time.Unix(1614265330, 0)
	for _, written := range []string{secret, "whsec_" + secret} {
		got, err := Sign(written, message, at, []byte(body))
		if err != nil || got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
			t.Errorf("%q signs %q (%v)", written, got, err)
		}
	}
	for name, other := range map[string][3]string{"another body": {secret, message, body + " "}, "another message": {secret, message + "1", body},
		"another secret": {"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx", message, body}} {
		if got, err := Sign(other[0], other[1], at, []byte(other[2])); err != nil || got == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
			t.Errorf("%s has the same signature (%v)", name, err)
		}
	}
	for _, wrong := range []string{"", "whsec_", "whsec_short", "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 23)), "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 65)), "whsec_!!!"} {
		if got, err := Sign(wrong, message, at, []byte(body)); err == nil || got != "" {
			t.Errorf("%q signs", wrong)
		} else if wrong != "" && wrong != "whsec_" && strings.Contains(err.Error(), wrong) {
			t.Errorf("the error quotes the secret: %v", err)
		}
	}
}

func TestNewSecret(t *testing.T) {
	t.Parallel()
	a, b := newSecret(), newSecret()
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(a, "whsec_"))
	if err != nil || len(raw) != 32 || !strings.HasPrefix(a, "whsec_") || a == b {
		t.Fatalf("%d bytes, %v", len(raw), err)
	}
}

// The specification's example of a schedule, as times since the first try.
func TestScheduleIsTheSpecifications(t *testing.T) {
	t.Parallel()
	want := []string{"0s", "5s", "5m5s", "35m5s", "2h35m5s", "7h35m5s", "17h35m5s", "31h35m5s", "51h35m5s", "75h35m5s"}
	sum := time.Duration(0)
	for i, d := range schedule {
		if sum += d; i >= len(want) || sum.String() != want[i] {
			t.Errorf("try %d is at %s", i+1, sum)
		}
	}
	if len(schedule) != len(want) {
		t.Errorf("%d tries", len(schedule))
	}
}

func TestExcerpt(t *testing.T) {
	t.Parallel()
	got, err := excerpt(strings.NewReader("you sent whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw and v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=\x00\n with Authorization: Bearer abc.def \xff" + strings.Repeat("x", 5000)))
	if err != nil || len([]rune(got)) != 200 || strings.ContainsAny(got, "\n\x00") || strings.Contains(got, "MfKQ") || strings.Contains(got, "g0hM") || strings.Contains(got, "abc.def") {
		t.Fatalf("%q, %v", got, err)
	}
}
