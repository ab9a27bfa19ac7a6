package country

// Spellings gives every spelling that Parse knows, with each country that claims it.
func Spellings() map[string][]string {
	all := map[string][]string{}
	for _, e := range table {
		mine := map[string]bool{}
		for _, name := range append([]string{e.alpha2, e.alpha3, e.name}, e.others...) {
			if folded := fold(name); !mine[folded] {
				mine[folded] = true
				all[folded] = append(all[folded], e.alpha2)
			}
		}
	}
	return all
}
