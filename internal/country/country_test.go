package country_test

import (
	"errors"
	"testing"

	"github.com/countinghouse/countinghouse/internal/country"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"PT": "PT", "pt": "PT", "PRT": "PT", "Portugal": "PT", " portugal ": "PT",
		"USA": "US", "U.S.A.": "US", "US": "US", "United States": "US", "the United States of America": "US",
		"United Kingdom": "GB", "UK": "GB", "Great Britain": "GB", "GBR": "GB",
		"Czech Republic": "CZ", "Czechia": "CZ", "Netherlands": "NL", "The Netherlands": "NL",
		"Côte d'Ivoire": "CI", "Cote d'Ivoire": "CI", "Ivory Coast": "CI", "Curacao": "CW", "Åland Islands": "AX",
		"Trinidad & Tobago": "TT", "St. Lucia": "LC", "South Korea": "KR", "Korea, Republic of": "KR",
		"North Korea": "KP", "Viet Nam": "VN", "Türkiye": "TR", "Turkey": "TR", "Niger": "NE", "Nigeria": "NG",
		"Congo, The Democratic Republic of the": "CD", "Congo": "CG", "Russian Federation": "RU",
	} {
		if got, err := country.Parse(in); err != nil || got != want {
			t.Errorf("Parse(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"", " ", "Atlantis", "XX", "P", "Portugall", "PT\x00x", "\xff", "12", "ZZZ"} {
		if got, err := country.Parse(in); !errors.Is(err, country.ErrUnknown) {
			t.Errorf("Parse(%q) = %q, %v; want it refused", in, got, err)
		}
	}
}

func TestEveryNameLeadsBack(t *testing.T) {
	t.Parallel()
	all := country.All()
	if len(all) != 249 {
		t.Errorf("%d countries, ISO 3166-1 has 249", len(all))
	}
	for _, c := range all {
		for _, written := range []string{c.Code, c.Name} {
			if got, err := country.Parse(written); err != nil || got != c.Code {
				t.Errorf("Parse(%q) = %q, %v; want %q", written, got, err, c.Code)
			}
		}
		if country.Name(c.Code) != c.Name {
			t.Errorf("Name(%q) = %q, want %q", c.Code, country.Name(c.Code), c.Name)
		}
	}
}

func TestNoNameHasTwoCountries(t *testing.T) {
	t.Parallel()
	for spelling, codes := range country.Spellings() {
		if len(codes) > 1 {
			t.Errorf("%q is %v", spelling, codes)
		}
	}
}
