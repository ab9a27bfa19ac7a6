package billing

// usualKeepYears is for how many years documents are kept where no source was found for a country: the longest duty that is
// common among those below.
const usualKeepYears = 10

// keepYears is for how many years a business has to keep its documents, by country, counted from the end of the calendar year.
// Where the law tells of several times, the longest that books or vouchers have is meant. It is where an organization
// begins; they may choose otherwise, and answer for it: buildings, public money, open proceedings and business years that do
// not end with December can ask for longer.
//
// A country stands here only where the text of its statute, or its administration or several professional summaries that name the
// statute, were found to say so (looked up in November 2026); ES, FI, NL, NO and SE rest on one summary each. Where that failed, as for the United States, which know no
// one time (Internal Revenue Code § 6001: as long as may be material), the usual years hold. Germany shortened the time of vouchers to 8
// years in 2025 and not that of books.
var keepYears = map[string]int{
	"AT": 7,  // Bundesabgabenordnung § 132 (1): from the end of the calendar year
	"AU": 7,  // Corporations Act 2001 s 286 (2)
	"BE": 10, // Code de la TVA art. 60 § 4, as of the law of 20 November 2022; it was 7
	"CA": 6,  // Income Tax Act s 230 (4): from the end of the last tax year that they relate to
	"CH": 10, // Obligationenrecht art. 958f (1): from the end of the business year
	"DE": 10, // Abgabenordnung § 147 (3), Handelsgesetzbuch § 257 (4), of books
	"DK": 5,  // Bogføringsloven (2022) § 12: from the end of the business year
	"ES": 6,  // Código de Comercio art. 30
	"FI": 10, // Kirjanpitolaki 2:10 §, of books; 6 of vouchers
	"FR": 10, // Code de commerce art. L123-22
	"GB": 6,  // Value Added Tax Act 1994 sch. 11 para. 6 (3)
	"IE": 6,  // Taxes Consolidation Act 1997 s 886 (4)
	"IN": 8,  // Companies Act 2013 s 128 (5)
	"IT": 10, // Codice civile art. 2220
	"NL": 7,  // Algemene wet inzake rijksbelastingen art. 52 (4)
	"NO": 5,  // Bokføringsloven § 13: from the end of the business year
	"NZ": 7,  // Tax Administration Act 1994 s 22 (2)
	"PL": 5,  // Ustawa o rachunkowości art. 74 (2)
	"PT": 10, // Código do IVA art. 52 (1): the 10 calendar years that follow
	"SE": 7,  // Bokföringslagen 7 kap. 2 §: from the end of the calendar year in which the business year ended
}

// KeepYearsIn is for how many years documents are kept in a country (ISO 3166-1 alpha-2) unless an organization says
// otherwise.
func KeepYearsIn(country string) int {
	if years, ok := keepYears[country]; ok {
		return years
	}
	return usualKeepYears
}
