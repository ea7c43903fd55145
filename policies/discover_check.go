package policies

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Doubted is the code of a Diagnostic about a column that the policy calls not
// personal and the detector takes for personal.
const Doubted Code = "doubt"

// doubtfulKeep is the score from which a column that the policy keeps is doubted. It is
// above that of what only the place of a column speaks for: a text of which nothing is
// known, in a table of people. Whoever wrote keep there has looked.
const doubtfulKeep = 0.6

// doubtRule is the rule of the audit whose waivers silence a doubt.
const doubtRule = "SAN-C05"

// Doubts returns the columns, and the paths of documents, that the policy calls not
// personal although the detector takes them for personal: in the order of the policy's
// lines, each with the line, the reason and what to write instead. found is what
// Discover said of the same catalog. A waiver of SAN-C05 that has not expired on the
// day of now silences the doubt about its column.
//
// What the policy leaves undecided is no doubt: Compile complains about that. So the
// policy may be incomplete, and no key is needed.
func Doubts(p *Policy, c *catalog.Catalog, found []Detected, now time.Time) []Diagnostic {
	s := newCompiler(p, c)
	s.enter()
	s.tableRules()
	s.relate()
	s.inherit()
	detected := make(map[catalog.ColumnID]Detected, len(found))
	for _, d := range found {
		detected[catalog.ColumnID{Table: d.Table, Column: d.Column}] = d
	}
	// What inherits is doubted where it comes from, unless that is as it should be.
	var wrong []*column
	reasons := map[*column]Errors{}
	for _, ts := range s.tables {
		if ts.drop {
			continue
		}
		for _, col := range ts.columns {
			if col.decision == nil {
				continue
			}
			if doubts := s.doubts(col, detected[col.id()]); doubts != nil {
				wrong, reasons[col] = append(wrong, col), doubts
			}
		}
	}
	var doubts Errors
	for _, col := range unrepeated(wrong) {
		if !s.waived(col, now) {
			doubts = append(doubts, reasons[col]...)
		}
	}
	return doubts.sorted()
}

// doubts are those about one column.
func (c *compiler) doubts(col *column, d Detected) (doubts Errors) {
	switch dec := col.decision; {
	case dec.keep, dec.do.Paths == nil && c.p.notPersonal(dec.class):
		if d.Inherits != "" && d.Class == Public {
			// What it points to is nobody's; its own name may say otherwise.
			if g := c.guesser.guess(col.table.t, col.col); g.sure && g.personal() {
				d.Class, d.Score, d.Reason = g.data, round(g.score), g.reason
			}
		}
		if d.Score >= doubtfulKeep && d.Class != Public {
			return Errors{c.doubt(c.p, col, dec.at, col.id().String(), d.Class, d.Score, d.Reason)}
		}
	case dec.do.Paths != nil || dec.do.Inner != nil:
		for _, path := range c.pathDoubts(col, d) {
			doubts = append(doubts, c.doubt(path.from, col, path.at, col.id().String()+" "+path.path, path.class, path.score, path.reason))
		}
	}
	return doubts
}

// notPersonal reports whether the policy calls a class, or a word in its place, not personal.
func (p *Policy) notPersonal(class string) bool {
	if class == "keep" || class == Public {
		return true
	}
	c := p.Class(class)
	return c != nil && c.Kind == "not_personal"
}

func (c *compiler) doubt(from *Policy, col *column, pos Position, at, class string, score float64, reason string) Diagnostic {
	help := fmt.Sprintf("give it a class of your own, as %s; or waive %s for it, with a reason", class, doubtRule)
	if class == document {
		help = fmt.Sprintf(`decide path by path: %s: {json: {$.PATH: CLASS, "*": drop}}; or waive %s for it, with a reason`, spell(col.col.Name), doubtRule)
	}
	return from.diagnose(Doubted, pos, at, help, "%s is called not personal, and looks like %s (%.2f): %s", at, class, score, reason)
}

// pathDoubt is what speaks against keeping one path of a document, or one field.
type pathDoubt struct {
	path   string  // as the policy spells it; of a document in a document both, parted by a blank
	from   *Policy // whose line it is
	at     Position
	class  string
	score  float64
	reason string
}

// pathDoubts doubts the paths of a document, or the fields of a value, that are kept, at
// any depth. d is what is known of the column's document beside the words of its paths.
func (c *compiler) pathDoubts(col *column, d Detected) (doubts []pathDoubt) {
	from := c.p
	if class := c.p.Class(col.decision.class); class != nil && class.From != nil && class.Do.String() == col.decision.do.String() {
		from = class.From
	}
	var walk func(prefix string, do Do)
	walk = func(prefix string, do Do) {
		if do.Inner != nil && do.Inner.Do != nil {
			walk(prefix+"each ", *do.Inner.Do) // an element may be a document; keep itself it cannot
		}
		for _, rule := range do.Paths {
			path := prefix + rule.Path
			if rule.Do != nil && rule.Do.Name != "keep" {
				walk(path+" ", *rule.Do)
				continue
			}
			// A transform of its own that keeps is kept, whatever the class is called.
			if rule.Do == nil && !c.p.notPersonal(rule.Class) {
				continue
			}
			doubt := pathDoubt{path: path, from: from, at: rule.At}
			i := slices.IndexFunc(d.Paths, func(p DetectedPath) bool { return p.Path == path })
			switch {
			case rule.Path == "*":
				if d.Class == document && prefix == "" {
					doubt.class, doubt.score, doubt.reason = document, d.Score, "all that no path names is kept"
				}
			case i >= 0:
				p := d.Paths[i]
				doubt.class, doubt.score, doubt.reason = p.Class, p.Score, p.Reason
			default:
				if g := c.guesser.path(col, path); g.data != document {
					doubt.class, doubt.score, doubt.reason = g.data, g.score, g.reason
				}
			}
			if doubt.class != "" && doubt.class != Public && (doubt.score >= doubtfulKeep || rule.Path == "*") {
				doubts = append(doubts, doubt)
			}
		}
	}
	walk("", col.decision.do)
	return doubts
}

// path guesses about a path, or a field, by its words alone.
func (g *guesser) path(col *column, path string) guess {
	keys := strings.FieldsFunc(path, func(r rune) bool { return strings.ContainsRune(`$.[]*'"/@`, r) })
	if len(keys) == 0 {
		return guess{}
	}
	object := col.table.t.ID.Name
	if len(keys) > 1 {
		object = keys[len(keys)-2]
	}
	typ := catalog.Type{Name: "text", Kind: catalog.Text}
	for _, f := range col.col.Type.Fields {
		if f.Name == path {
			typ = f.Type
		}
	}
	t := &catalog.Table{ID: catalog.TableID{Name: object}, Columns: []catalog.Column{{Name: lastOf(keys), Type: typ}}}
	return (&guesser{people: g.people, views: map[*catalog.Table]*reading{}}).guess(t, &t.Columns[0])
}

// waived reports whether somebody has waived the doubt about a column.
func (c *compiler) waived(col *column, now time.Time) bool {
	names := []string{col.id().String(), c.catalog.Display(col.table.t.ID) + "." + col.col.Name}
	return slices.ContainsFunc(c.p.Waivers, func(w Waiver) bool {
		return w.From == nil && w.Rule == doubtRule && slices.Contains(names, w.Object) && w.Expires >= now.Format(time.DateOnly)
	})
}
