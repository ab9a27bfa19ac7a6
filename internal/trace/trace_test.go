package trace

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestBegin(t *testing.T) {
	t.Parallel()
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	for header, taken := range map[string]bool{
		"00-" + id + "-00f067aa0ba902b7-01":                       true,
		"00-" + id + "-00f067aa0ba902b7-00":                       true,
		"01-" + id + "-00f067aa0ba902b7-01-more":                  true, // a later version may say more
		"00-" + id + "-00f067aa0ba902b7-01-more":                  false,
		"ff-" + id + "-00f067aa0ba902b7-01":                       false,
		"00-" + id + "-0000000000000000-01":                       false,
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01": false,
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01": false,
		"00-" + id + "-00f067aa0ba902b7":                          false,
		"":                                                        false,
		"00-" + id + "\n-00f067aa0ba902b7-01":                     false,
	} {
		got := Begin(header)
		if (got.ID == id) != taken {
			t.Errorf("%q: trace %s", header, got.ID)
		}
		if len(got.ID) != 32 || len(got.Span) != 16 || got.Span == "00f067aa0ba902b7" {
			t.Errorf("%q gives %+v", header, got)
		}
		if again := Begin(got.String()); again.ID != got.ID || again.Sampled != got.Sampled {
			t.Errorf("%q goes on as %q, which reads as %+v", header, got, again)
		}
	}
}

func TestOnward(t *testing.T) {
	t.Parallel()
	var seen string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r.Header.Get(Header) }))
	defer server.Close()
	of := Begin("")
	r, err := http.NewRequestWithContext(With(t.Context(), of), http.MethodGet, server.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := Onward{http.DefaultTransport}.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if seen != of.String() || r.Header.Get(Header) != "" {
		t.Errorf("the next program sees %q of %q", seen, of)
	}
}
