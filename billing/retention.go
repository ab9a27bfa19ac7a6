package billing

// usualKeepYears is for how many years documents are kept where nothing is known of a country.
const usualKeepYears = 10

// keepYears is for how many years a business has to keep its documents, by country, from the end of the year. Where the
// law tells of several times, the longest that invoices and books have. It is where an organization begins; they may
// choose otherwise, and answer for it.
var keepYears = map[string]int{
	"AT": 7,  // Bundesabgabenordnung § 132 (1)
	"AU": 7,  // Corporations Act 2001 s 286 (2)
	"BE": 10, // Code de la TVA art. 60 § 4
	"CA": 6,  // Income Tax Act s 230 (4)
	"CH": 10, // Obligationenrecht Art. 958f
	"DE": 10, // Abgabenordnung § 147 (3)
	"DK": 5,  // Bogføringsloven § 12
	"ES": 6,  // Código de Comercio art. 30
	"FI": 10, // Kirjanpitolaki 2:10 §
	"FR": 10, // Code de commerce art. L123-22
	"GB": 6,  // Value Added Tax Act 1994 sch. 11 para. 6 (3)
	"IE": 6,  // Taxes Consolidation Act 1997 s 886 (4)
	"IN": 8,  // Companies Act 2013 s 128 (5)
	"IT": 10, // Codice civile art. 2220
	"NL": 7,  // Algemene wet inzake rijksbelastingen art. 52 (4)
	"NO": 5,  // Bokføringsloven § 13
	"NZ": 7,  // Tax Administration Act 1994 s 22 (2)
	"PL": 5,  // Ustawa o rachunkowości art. 74
	"PT": 10, // Código do IVA art. 52
	"SE": 7,  // Bokföringslagen 7 kap. 2 §
	"US": 7,  // 26 CFR § 1.6001-1 (e) with 26 U.S.C. § 6511 (d) (1)
}

// KeepYearsIn is for how many years documents are kept in a country (ISO 3166-1 alpha-2) unless an organization says
// otherwise.
func KeepYearsIn(country string) int {
	if years, ok := keepYears[country]; ok {
		return years
	}
	return usualKeepYears
}
