package page

import (
	"fmt"
	"html"
	"html/template"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"
	"unicode"
)

// Templates are written in English and stay readable that way. For another language their parse trees are rewritten,
// once, before the first page is drawn: a run of text and figures between two tags is one sentence with numbered parts,
// and so are the attributes that are read out or shown, and what is given to parts as a label or a hint. Nothing is
// looked up while a page is drawn but what the program itself says, by the function "words".

// parseIn reads the templates in another language. lost is told of each sentence that has no translation; it may be nil.
func parseIn(files fs.FS, in speech, lost func(file, key string)) (templateSet, error) {
	shared := template.New("").Funcs(functions).Funcs(in.functions()).Option("missingkey=error")
	for _, folder := range []string{"layout/*.html", "part/*.html"} {
		if err := addIn(shared, files, folder, in, lost); err != nil {
			return nil, err
		}
	}
	names, err := fs.Glob(files, "*.html")
	if err != nil {
		return nil, fmt.Errorf("page: listing pages: %w", err)
	}
	parsed := templateSet{}
	for _, file := range names {
		copied, err := shared.Clone()
		if err == nil {
			err = addIn(copied, files, file, in, lost)
		}
		if err != nil {
			return nil, fmt.Errorf("page: reading %s: %w", file, err)
		}
		parsed[strings.TrimSuffix(path.Base(file), ".html")] = copied
	}
	return parsed, nil
}

// addIn adds the templates of files, each by the name of its file and those that it defines.
func addIn(to *template.Template, files fs.FS, pattern string, in speech, lost func(file, key string)) error {
	names, err := fs.Glob(files, pattern)
	if err != nil {
		return fmt.Errorf("page: listing %s: %w", pattern, err)
	}
	for _, file := range names {
		text, err := fs.ReadFile(files, file)
		if err != nil {
			return fmt.Errorf("page: reading %s: %w", file, err)
		}
		trees := map[string]*parse.Tree{}
		name := path.Base(file)
		if pattern == file { // a page is drawn by its name without the ending
			name = strings.TrimSuffix(name, ".html")
		}
		tree := parse.New(name)
		tree.Mode = parse.SkipFuncCheck // the English set has checked them
		if _, err := tree.Parse(string(text), "", "", trees); err != nil {
			return fmt.Errorf("page: reading %s: %w", file, err)
		}
		t := translation{find: in.words.Find, lost: func(key string) {
			if lost != nil {
				lost(file, key)
			}
		}}
		for name, tree := range trees {
			if parse.IsEmptyTree(tree.Root) && to.Lookup(name) != nil {
				continue
			}
			t.list(tree.Root, startsIn[name])
			if _, err := to.AddParseTree(name, tree); err != nil {
				return fmt.Errorf("page: reading %s: %w", file, err)
			}
		}
	}
	return nil
}

// startsIn are the templates that do not begin between tags.
var startsIn = map[string]spot{
	"field-marks": {tag: true}, "gate-class": {tag: true, quote: '"'}, "portal-class": {tag: true, quote: '"'}, "body-class": {tag: true, quote: '"'},
}

// spot is where one is in the HTML.
type spot struct {
	tag   bool   // within a tag
	name  string // of the attribute
	quote byte   // that its value ends with; 0 outside one
	read  bool   // its value is read by people
}

// speaks says whether text here is read by people.
func (s spot) speaks() bool { return !s.tag || s.quote != 0 && s.read }

// readAttributes are those whose values are shown or read out.
var readAttributes = []string{"placeholder", "title", "alt", "aria-label", "aria-description", "data-confirm"}

// translation rewrites the parse tree of a template.
type translation struct {
	find func(key string) (string, bool)
	lost func(key string)
}

// list rewrites the nodes of a list, which begins at a spot, and says at which it ends.
func (t *translation) list(l *parse.ListNode, at spot) spot {
	if l == nil {
		return at
	}
	s := sentence{translation: t, at: at}
	for _, node := range l.Nodes {
		switch n := node.(type) {
		case *parse.TextNode:
			s.text(n)
		case *parse.ActionNode:
			t.pipe(n.Pipe)
			spoken(n.Pipe)
			if len(n.Pipe.Decl) == 0 && !draws(n.Pipe) && s.at.speaks() {
				s.parts = append(s.parts, n)
				continue
			}
			s.end()
			s.done = append(s.done, n)
		case *parse.IfNode:
			s.branch(n, &n.BranchNode)
		case *parse.WithNode:
			s.branch(n, &n.BranchNode)
		case *parse.RangeNode:
			s.branch(n, &n.BranchNode)
		case *parse.TemplateNode:
			t.pipe(n.Pipe)
			s.end()
			s.done = append(s.done, n)
		default:
			s.end()
			s.done = append(s.done, n)
		}
	}
	s.end()
	l.Nodes = s.done
	return s.at
}

// ours are the fields that hold what the program says: the title of a page, the label of a button. What people write may
// stand there too, as the name of a customer in a title; it is in no catalogue.
var ours = []string{"Title", "Say", "Ask", "Does", "Trouble", "Head", "Why"}

// spoken has what a field of ours holds said in the language.
func spoken(p *parse.PipeNode) {
	if len(p.Cmds) != 1 || len(p.Decl) > 0 || len(p.Cmds[0].Args) != 1 {
		return
	}
	var fields []string
	switch a := p.Cmds[0].Args[0].(type) {
	case *parse.FieldNode:
		fields = a.Ident
	case *parse.VariableNode:
		fields = a.Ident[1:]
	}
	if len(fields) > 0 && slices.Contains(ours, fields[len(fields)-1]) {
		p.Cmds[0].Args = append([]parse.Node{parse.NewIdentifier("words")}, p.Cmds[0].Args...)
	}
}

// draws says whether an action draws something that is no part of a sentence.
func draws(p *parse.PipeNode) bool {
	if len(p.Cmds) != 1 {
		return false
	}
	called, ok := p.Cmds[0].Args[0].(*parse.IdentifierNode)
	return ok && (called.Ident == "icon" || called.Ident == "badge")
}

// wordless are the functions whose arguments are never words.
var wordless = []string{"eq", "ne", "icon", "badge", "asset", "join", "template", "index", "isoDate", "print"}

// pipe translates the words that a pipeline gives to functions: a label, a hint, the noun of a count.
func (t *translation) pipe(p *parse.PipeNode) {
	if p == nil {
		return
	}
	for _, c := range p.Cmds {
		writesFigures(c)
		called, _ := c.Args[0].(*parse.IdentifierNode)
		for i, arg := range c.Args {
			switch a := arg.(type) {
			case *parse.PipeNode:
				t.pipe(a)
			case *parse.StringNode:
				if called != nil && slices.Contains(wordless, called.Ident) || !wordy(a.Text) && (called == nil || called.Ident != "plural" && called.Ident != "field") {
					continue
				}
				if called != nil && called.Ident == "dict" && i%2 == 1 { // its names
					continue
				}
				if called != nil && called.Ident == "field" && !wordy(a.Text) && !(i > 4 && hinting(c.Args[i-1])) {
					continue
				}
				if said, ok := t.find(a.Text); ok {
					a.Text, a.Quoted = said, strconv.Quote(said)
				} else {
					t.lost(a.Text)
				}
			}
		}
	}
}

// figureMethods are those of a Column.
var figureMethods = []string{"Cell", "Head", "Open", "Side", "Balance"}

// writesFigures has a column's method called on the column as it is spoken: $.Column.Cell .Total becomes
// (spoken $.Column).Cell .Total.
func writesFigures(c *parse.CommandNode) {
	var column parse.Node
	var method string
	switch n := c.Args[0].(type) {
	case *parse.FieldNode:
		if last := len(n.Ident) - 1; last > 0 && slices.Contains(figureMethods, n.Ident[last]) {
			of := n.Copy().(*parse.FieldNode)
			of.Ident, column, method = n.Ident[:last], of, n.Ident[last]
		}
	case *parse.VariableNode:
		if last := len(n.Ident) - 1; last > 0 && slices.Contains(figureMethods, n.Ident[last]) {
			of := n.Copy().(*parse.VariableNode)
			of.Ident, column, method = n.Ident[:last], of, n.Ident[last]
		}
	}
	if column == nil {
		return
	}
	c.Args[0] = &parse.ChainNode{NodeType: parse.NodeChain, Pos: c.Pos, Field: []string{method}, Node: &parse.PipeNode{
		NodeType: parse.NodePipe, Pos: c.Pos, Cmds: []*parse.CommandNode{{NodeType: parse.NodeCommand, Pos: c.Pos, Args: []parse.Node{parse.NewIdentifier("spoken"), column}}}}}
}

// hinting says whether a field's option holds words: "opt" "if any".
func hinting(option parse.Node) bool {
	s, ok := option.(*parse.StringNode)
	return ok && slices.Contains([]string{"opt", "hint", "blank"}, s.Text)
}

// wordy says whether a text looks like words and not like a name of the program's.
func wordy(text string) bool {
	first, _ := firstRune(text)
	return unicode.IsUpper(first) || strings.Contains(strings.TrimSpace(text), " ")
}

func firstRune(text string) (rune, bool) {
	for _, r := range text {
		return r, true
	}
	return 0, false
}

// sentence collects the parts of one while its list is read.
type sentence struct {
	*translation
	at    spot
	parts []parse.Node // text and actions
	done  []parse.Node
}

func (s *sentence) branch(n parse.Node, b *parse.BranchNode) {
	s.pipe(b.Pipe)
	s.end()
	s.done = append(s.done, n)
	after := s.list(b.List, s.at)
	s.list(b.ElseList, s.at)
	s.at = after
}

// text cuts a text where sentences begin and end.
func (s *sentence) text(n *parse.TextNode) {
	from := 0
	cut := func(to int) { // what is read so far belongs to the spot that ends here
		if to > from {
			piece := n.Copy().(*parse.TextNode)
			piece.Text = n.Text[from:to]
			if s.at.speaks() {
				s.parts = append(s.parts, piece)
			} else {
				s.end()
				s.done = append(s.done, piece)
			}
		}
		from = to
	}
	for i, c := range n.Text {
		switch {
		case !s.at.tag:
			if c == '<' {
				cut(i)
				s.end()
				s.at = spot{tag: true}
			}
		case s.at.quote != 0:
			if c == s.at.quote {
				cut(i)
				s.end()
				s.at = spot{tag: true}
			}
		case c == '>':
			cut(i + 1)
			s.at = spot{}
		case c == '"' || c == '\'':
			cut(i + 1)
			s.at.quote, s.at.read = c, slices.Contains(readAttributes, s.at.name)
		case c == '=':
		case c == ' ' || c == '\n' || c == '\t' || c == '/':
			s.at.name = ""
		default:
			s.at.name += string(c)
		}
	}
	cut(len(n.Text))
}

// end translates the sentence that was collected, if there is one.
func (s *sentence) end() {
	parts := s.parts
	s.parts = nil
	var key strings.Builder
	var inside []parse.Node
	var words strings.Builder
	for _, p := range parts {
		if text, ok := p.(*parse.TextNode); ok {
			key.Write(text.Text)
			words.Write(text.Text)
			continue
		}
		fmt.Fprintf(&key, "{%d}", len(inside))
		inside = append(inside, p)
	}
	if !strings.ContainsFunc(words.String(), unicode.IsLetter) {
		s.done = append(s.done, parts...)
		return
	}
	whole := key.String()
	bare := strings.TrimSpace(whole)
	before, after, _ := strings.Cut(whole, bare)
	bare = html.UnescapeString(strings.Join(strings.Fields(bare), " "))
	said, ok := s.find(bare)
	if !ok {
		s.lost(bare)
		s.done = append(s.done, parts...)
		return
	}
	s.write(parts, before)
	from := 0
	for _, at := range numbered.FindAllStringIndex(said, -1) {
		number, err := strconv.Atoi(said[at[0]+1 : at[1]-1])
		if err != nil || number >= len(inside) {
			continue // a brace of the sentence's own
		}
		s.write(parts, template.HTMLEscapeString(said[from:at[0]]))
		s.done = append(s.done, inside[number].Copy())
		from = at[1]
	}
	s.write(parts, template.HTMLEscapeString(said[from:])+after)
}

var numbered = regexp.MustCompile(`\{\d{1,2}\}`)

// write adds text that stands in place of parts.
func (s *sentence) write(parts []parse.Node, text string) {
	if text == "" {
		return
	}
	for _, p := range parts {
		if was, ok := p.(*parse.TextNode); ok {
			n := was.Copy().(*parse.TextNode)
			n.Text = []byte(text)
			s.done = append(s.done, n)
			return
		}
	}
}
