package invoicepdf

import (
	"bytes"
	"strings"
	"unicode"

	"codeberg.org/go-pdf/fpdf"
)

// sheet is the paper: it measures, wraps and places text. Lengths are millimetres, sizes of type points.
type sheet struct {
	*fpdf.Fpdf
	added       map[*face]bool // the faces that are on this paper already; a large one comes only when it is needed
	left, right float64
	y           float64 // where the next thing begins
	bottom      float64 // where the foot begins
}

// style is how a text is set.
type style struct {
	size   float64
	bold   bool
	colour colour
}

const pointMM = 25.4 / 72

// leading is the height of a line of a size.
func (s style) leading() float64 { return s.size * 1.42 * pointMM }

// runs cuts a text into what one face each can write. A font that cannot be read is told by Output.
func (s *sheet) runs(text string, st style) []run {
	runs, err := runsOf(text, st.bold)
	if err != nil {
		s.SetError(err)
	}
	return runs
}

func (s *sheet) use(f *face, st style) {
	weight := ""
	if f.bold {
		weight = "B"
	}
	if !s.added[f] {
		l, err := f.load()
		if err != nil {
			s.SetError(err)
			return
		}
		// A copy: fpdf writes into what it is given, and others draw with the same font meanwhile.
		s.AddUTF8FontFromBytes(f.name, weight, bytes.Clone(l.bytes))
		s.added[f] = true
	}
	s.SetFont(f.name, weight, st.size)
}

// width measures a text.
func (s *sheet) width(text string, st style) float64 {
	var sum float64
	for _, r := range s.runs(text, st) {
		s.use(r.face, st)
		sum += s.GetStringWidth(r.text)
	}
	return sum
}

// put writes one line with its top at y, from x on.
func (s *sheet) put(x, y float64, text string, st style) {
	s.SetTextColor(st.colour.r, st.colour.g, st.colour.b)
	baseline := y + st.leading()*0.5 + st.size*0.36*pointMM
	for _, r := range s.runs(text, st) {
		s.use(r.face, st)
		s.Text(x, baseline, r.text)
		x += s.GetStringWidth(r.text)
	}
}

// putRight writes one line that ends at x.
func (s *sheet) putRight(x, y float64, text string, st style) {
	s.put(x-s.width(text, st), y, text, st)
}

// wrap cuts a text into lines that are no wider than width. It breaks at spaces, between the characters of scripts
// that have none, and inside a word that is wider than a line.
func (s *sheet) wrap(text string, width float64, st style) []string {
	var lines []string
	for paragraph := range strings.Lines(text) {
		line := ""
		for _, piece := range pieces(strings.TrimRight(paragraph, "\r\n")) {
			if s.width(strings.TrimRight(line+piece, " "), st) <= width {
				line += piece
				continue
			}
			if strings.TrimSpace(line) != "" {
				lines = append(lines, strings.TrimRight(line, " "))
			}
			line = strings.TrimLeft(piece, " ")
			for s.width(line, st) > width {
				head := s.fitting(line, width, st)
				lines = append(lines, head)
				line = line[len(head):]
			}
		}
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return lines
}

// fitting is the longest beginning of a word that fits, one character at least.
func (s *sheet) fitting(word string, width float64, st style) string {
	end := 0
	for i, r := range word {
		next := i + len(string(r))
		if end > 0 && s.width(word[:next], st) > width {
			break
		}
		end = next
	}
	return word[:end]
}

// pieces are where a line may end: after spaces and hyphens, and on both sides of an ideograph.
func pieces(text string) []string {
	var all []string
	var b strings.Builder
	flush := func() {
		if b.Len() > 0 {
			all = append(all, b.String())
			b.Reset()
		}
	}
	for _, r := range text {
		if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) {
			flush()
			b.WriteRune(r)
			flush()
			continue
		}
		b.WriteRune(r)
		if r == ' ' || r == '-' {
			flush()
		}
	}
	flush()
	return all
}

// paragraph writes a wrapped text at x and moves down, to a new page where the last line would meet the foot.
func (s *sheet) paragraph(x, width float64, text string, st style) {
	for _, line := range s.wrap(text, width, st) {
		s.room(st.leading())
		s.put(x, s.y, line, st)
		s.y += st.leading()
	}
}

// room begins a new page unless that much is left on this one. It tells whether it did.
func (s *sheet) room(height float64) bool {
	if s.y+height <= s.bottom {
		return false
	}
	s.AddPage()
	s.y = margin
	return true
}

func (s *sheet) rule(y float64, c colour, thickness float64) {
	s.SetDrawColor(c.r, c.g, c.b)
	s.SetLineWidth(thickness)
	s.Line(s.left, y, s.right, y)
}
