package policies

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// The bounds of what is remembered of the documents of one column.
const (
	mostPaths = 200
	mostDepth = 8
	mostKeys  = 60 // of one object, before its keys are taken for values
)

// documentPaths counts the paths of sampled documents.
type documentPaths struct {
	documents int
	leaves    map[string]*leaf
	keys      map[string]map[string]bool // by the path of the object
}

// leaf is a path at which a value stands.
type leaf struct {
	steps     []string // keys; [*] for the elements of an array
	documents int      // that have it
	counted   int      // the last document that was counted
	kind      catalog.Kind
	seen      evidence
}

func newDocumentPaths() *documentPaths {
	return &documentPaths{leaves: map[string]*leaf{}, keys: map[string]map[string]bool{}}
}

// look walks one document, as far as it goes: one that was cut has a beginning.
func (d *documentPaths) look(text []byte) {
	d.documents++
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	d.value(dec, nil)
}

// value reads one value at a path, and reports whether the document goes on.
func (d *documentPaths) value(dec *json.Decoder, steps []string) bool {
	token, err := dec.Token()
	if err != nil {
		return false
	}
	switch t := token.(type) {
	case json.Delim:
		if len(steps) >= mostDepth {
			return false
		}
		for dec.More() {
			step := "[*]"
			if t == '{' {
				key, err := dec.Token()
				if err != nil {
					return false
				}
				step, _ = key.(string)
				d.key(steps, step)
			}
			if !d.value(dec, append(slices.Clone(steps), step)) {
				return false
			}
		}
		_, err := dec.Token()
		return err == nil
	case string:
		d.leaf(steps, catalog.Text, t)
	case json.Number:
		d.leaf(steps, catalog.Numeric, t.String())
	case bool:
		d.leaf(steps, catalog.Bool, "true")
	case nil:
		d.leaf(steps, catalog.Opaque, "")
	}
	return true
}

func (d *documentPaths) key(steps []string, key string) {
	at := strings.Join(steps, "\x00")
	if d.keys[at] == nil {
		if len(d.keys) >= mostPaths {
			return
		}
		d.keys[at] = map[string]bool{}
	}
	if len(d.keys[at]) <= mostKeys {
		d.keys[at][key] = true
	}
}

func (d *documentPaths) leaf(steps []string, kind catalog.Kind, value string) {
	at := strings.Join(steps, "\x00")
	l := d.leaves[at]
	if l == nil {
		if len(d.leaves) >= mostPaths {
			return
		}
		l = &leaf{steps: steps, kind: kind}
		d.leaves[at] = l
	}
	if kind == catalog.Text || l.kind == catalog.Opaque {
		l.kind = kind
	}
	if l.counted != d.documents {
		l.documents, l.counted = l.documents+1, d.documents
	}
	l.seen.look(&catalog.Column{Type: catalog.Type{Kind: kind}}, []byte(value[:min(len(value), maxValueBytes)]))
}

// plainKey is a key that somebody has named, rather than one that is a value of its own.
var plainKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z_-]{0,30}[0-9]{0,2}$`)

// named reports whether the keys on the way to a leaf are those of a form, not of a
// map whose keys are data: a key is shown only if it is plain, no name of anybody,
// and in at least a tenth of the documents.
func (d *documentPaths) named(l *leaf) bool {
	if l.documents < 3 || l.documents*10 < d.documents {
		return false
	}
	for i, step := range l.steps {
		if step == "[*]" {
			continue
		}
		if !plainKey.MatchString(step) || len(d.keys[strings.Join(l.steps[:i], "\x00")]) > mostKeys || isGivenName(step) || isFamilyName(step) || formHash.MatchString(step) {
			return false
		}
	}
	return true
}

// paths proposes what the documents of a column hold, path by path, in order; the
// paths that cannot be named fall to the mandatory rest.
func (g *guesser) paths(t *catalog.Table, c *catalog.Column) []DetectedPath {
	e := g.evidence(t, c)
	if e == nil || e.document == nil {
		return nil
	}
	// Each object is read as a table, named for its key, so that name in customer is a
	// person's; at the top it is the column's table.
	objects := map[string]*catalog.Table{}
	type at struct {
		leaf   *leaf
		object *catalog.Table
		column int
	}
	var all []at
	names := make([]string, 0, len(e.document.leaves))
	for name := range e.document.leaves {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		l := e.document.leaves[name]
		if !e.document.named(l) {
			continue
		}
		keys := slices.DeleteFunc(slices.Clone(l.steps), func(s string) bool { return s == "[*]" })
		object, key := t.ID.Name, c.Name
		if len(keys) > 0 {
			key = keys[len(keys)-1]
		}
		if len(keys) > 1 {
			object = keys[len(keys)-2]
		}
		where := strings.Join(l.steps[:max(len(l.steps)-1, 0)], "\x00")
		if objects[where] == nil {
			objects[where] = &catalog.Table{ID: catalog.TableID{Name: object}}
		}
		o := objects[where]
		o.Columns = append(o.Columns, catalog.Column{Name: key, Type: catalog.Type{Name: l.kind.String(), Kind: l.kind}})
		all = append(all, at{l, o, len(o.Columns) - 1})
	}
	inner := &guesser{people: g.people, views: map[*catalog.Table]*reading{}, seen: map[*catalog.Table][]evidence{}}
	for _, a := range all {
		inner.seen[a.object] = append(inner.seen[a.object], a.leaf.seen)
	}
	var out []DetectedPath
	for _, a := range all {
		found := inner.guess(a.object, &a.object.Columns[a.column])
		p := DetectedPath{Path: spellPath(a.leaf.steps), Class: Public, Score: round(found.score), Reason: found.reason}
		switch {
		case found.personal() && found.data != document:
			p.Class = found.data
		case found.class == "" || !found.sure && a.leaf.kind == catalog.Text:
			p.Class = freeText // nobody said that it is harmless
			p.Score = max(p.Score, doubtful)
		}
		out = append(out, p)
	}
	return out
}

// spellPath writes the steps as a policy does.
func spellPath(steps []string) string {
	path := "$"
	for _, s := range steps {
		if s == "[*]" {
			path += s
		} else {
			path += "." + s
		}
	}
	return path
}
