package tenant

import "sync/atomic"

// verdictWords is room for 256 verdicts.
const verdictWords = 4

// Judge is who decided; each has its own.
type Judge struct{ _ byte }

// Verdicts is room in a scope for what its role may do, a bit for each right, so that deciding looks nowhere else. A scope
// is of one version of its organization's policy and is forgotten with it; what was decided goes with it. The zero
// Verdicts hold nothing. They are safe for concurrent use.
type Verdicts struct {
	judge atomic.Pointer[Judge]
	words [verdictWords]atomic.Uint64
}

// Verdicts is the scope's own.
func (s Scope) Verdicts() *Verdicts { return &s.s.verdicts }

// Has tells the verdict of a place; known is false where that judge has kept none here.
func (v *Verdicts) Has(by *Judge, place int) (yes, known bool) {
	if v == nil || v.judge.Load() != by || place < 0 || place/64 >= verdictWords {
		return false, false
	}
	return v.words[place/64].Load()&(1<<(place%64)) != 0, true
}

// Keep keeps all verdicts of a judge, where there is room. Only the first judge's stay: several that keep at once keep
// the same.
func (v *Verdicts) Keep(by *Judge, words []uint64) {
	if v == nil || len(words) > verdictWords || v.judge.Load() != nil {
		return
	}
	for i, word := range words {
		v.words[i].Store(word)
	}
	v.judge.CompareAndSwap(nil, by)
}
