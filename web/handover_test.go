package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/countinghouse/countinghouse/authz"
)

// Whoever finds an owner's browser open does not get the organization.
func TestHandoverAsksForFreshProof(t *testing.T) {
	t.Parallel()
	h := open(t)
	e := h.estate(t)
	h.deniedMember(t, e)
	var members struct {
		Items []struct{ ID, Role string }
	}
	e.program.call(t, "GET", "/v1/members", nil).decode(t, &members)
	id := ""
	for _, m := range members.Items {
		if m.Role != authz.Owner {
			id = m.ID
		}
	}
	e.program.call(t, "POST", "/v1/members/"+id+"/allow", nil)
	page := e.inside("/members/" + id)
	e.ageProof(t)
	wantRedirect(t, "with an old proof", e.browser.post(t, page+"/handover"), "/account/prove?next="+url.QueryEscape(page))
	if a := e.browser.get(t, e.inside("/invitations")); strings.Contains(string(a.body), "handover") || strings.Contains(string(a.body), "Owner") {
		t.Errorf("it was offered all the same: %s", a.body)
	}
	wantRedirect(t, "proving", e.browser.post(t, "/account/prove", "password", goodPassword, "next", page), page)
	if a := e.browser.get(t, page); a.status != http.StatusOK || !strings.Contains(string(a.body), "/handover") {
		t.Fatalf("the page: %d", a.status)
	}
	wantRedirect(t, "with a fresh proof", e.browser.post(t, page+"/handover"), e.inside("/invitations"))
	if a := e.browser.get(t, e.inside("/invitations")); !strings.Contains(string(a.body), "Owner") {
		t.Errorf("it was not offered: %s", a.body)
	}
}
