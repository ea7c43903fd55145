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
	s := &compiler{p: p, catalog: c, byID: map[catalog.TableID]*table{}, named: map[string]*catalog.Table{}, guesser: newGuesser(c)}
	s.enter()
	s.tableRules()
	s.relate()
	s.inherit()
	detected := make(map[catalog.ColumnID]Detected, len(found))
	for _, d := range found {
		detected[catalog.ColumnID{Table: d.Table, Column: d.Column}] = d
	}
	var doubts Errors
	for _, ts := range s.tables {
		if ts.drop {
			continue
		}
		for _, col := range ts.columns {
			// What inherits is doubted where it comes from.
			if col.decision == nil || !col.explicit || s.waived(col, now) {
				continue
			}
			d := detected[col.id()]
			switch dec := col.decision; {
			case dec.keep, dec.do.Paths == nil && p.notPersonal(dec.class):
				if d.Score >= doubtfulKeep && d.Class != Public {
					doubts = append(doubts, s.doubt(col, dec.at, col.id().String(), d.Class, d.Score, d.Reason))
				}
			case dec.do.Paths != nil:
				doubts = append(doubts, s.pathDoubts(col, d)...)
			}
		}
	}
	return doubts.sorted()
}

// notPersonal reports whether the policy calls a class, or a word in its place, not personal.
func (p *Policy) notPersonal(class string) bool {
	if class == "keep" || class == Public {
		return true
	}
	c := p.Class(class)
	return c != nil && c.Kind == "not_personal"
}

func (c *compiler) doubt(col *column, pos Position, at, class string, score float64, reason string) Diagnostic {
	help := fmt.Sprintf("give it a class of your own, as %s; or waive %s for it, with a reason", class, doubtRule)
	if class == document {
		help = fmt.Sprintf(`decide path by path: %s: {json: {$.PATH: CLASS, "*": drop}}; or waive %s for it, with a reason`, spell(col.col.Name), doubtRule)
	}
	return c.p.diagnose(Doubted, pos, at, help, "%s is called not personal, and looks like %s (%.2f): %s", at, class, score, reason)
}

// pathDoubts doubts the paths of a document, or the fields of a value, that are kept.
func (c *compiler) pathDoubts(col *column, d Detected) (doubts []Diagnostic) {
	for _, rule := range col.decision.do.Paths {
		if rule.Class == "" || rule.Do != nil && rule.Do.Name != "keep" || !c.p.notPersonal(rule.Class) {
			continue
		}
		at := col.id().String() + " " + rule.Path
		if rule.Path == "*" {
			if d.Class == document {
				doubts = append(doubts, c.doubt(col, rule.At, at, document, d.Score, "all that no path names is kept"))
			}
			continue
		}
		if i := slices.IndexFunc(d.Paths, func(p DetectedPath) bool { return p.Path == rule.Path }); i >= 0 {
			if p := d.Paths[i]; p.Score >= doubtfulKeep && p.Class != Public {
				doubts = append(doubts, c.doubt(col, rule.At, at, p.Class, p.Score, p.Reason))
			}
			continue
		}
		if g := c.guesser.path(col, rule.Path); g.score >= doubtfulKeep && g.data != document {
			doubts = append(doubts, c.doubt(col, rule.At, at, g.data, g.score, g.reason))
		}
	}
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
		return w.Rule == doubtRule && slices.Contains(names, w.Object) && w.Expires >= now.Format(time.DateOnly)
	})
}
