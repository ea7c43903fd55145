package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Change is one difference between two catalogs.
type Change struct {
	At   string `json:"at"`   // schema.table or schema.table.column; the kind and name of another object
	What string `json:"what"` // added, removed, or the words of what changed
	// Definition is set for a change of what Fingerprint does not cover: the words of a
	// CHECK, an index, a trigger, a computed column, a view, a function. Masks are bound
	// as before, but what the database does with values may be another thing.
	Definition bool `json:"definition,omitempty"`
}

// String returns "at: what".
func (c Change) String() string { return c.At + ": " + c.What }

// Diff lists what has changed from a to b: first in tables, columns and keys, in the
// order of the tables; then in definitions, which are the changes with Definition set.
// Estimates, defaults and comments do not count, and of the objects beside tables only
// those count whose words every account reads alike: views, functions, rules.
func Diff(a, b *Catalog) []Change {
	var changes []Change
	add := func(at, format string, args ...any) {
		changes = append(changes, Change{At: at, What: fmt.Sprintf(format, args...)})
	}
	if a.Encoding != b.Encoding || a.Charset != b.Charset {
		add("database", "encoding was %s, is %s", a.encoding(), b.encoding())
	}
	for _, id := range unionTables(a, b) {
		old, now := a.Table(id), b.Table(id)
		switch {
		case old == nil:
			add(id.String(), "table added")
		case now == nil:
			add(id.String(), "table removed")
		default:
			diffTable(old, now, add)
		}
	}
	return append(changes, diffDefinitions(a, b)...)
}

// encoding returns the encoding's name, or that of its character set.
func (c *Catalog) encoding() string {
	if c.Encoding == "" {
		return c.Charset.String()
	}
	return c.Encoding
}

func unionTables(a, b *Catalog) []TableID {
	var ids []TableID
	for _, c := range []*Catalog{a, b} {
		for _, t := range c.Tables {
			ids = append(ids, t.ID)
		}
	}
	slices.SortFunc(ids, TableID.Compare)
	return slices.Compact(ids)
}

func diffTable(old, now *Table, add func(at, format string, args ...any)) {
	at := now.ID.String()
	if old.Kind != now.Kind {
		add(at, "was a %s, is a %s", old.Kind, now.Kind)
	}
	for _, c := range old.Columns {
		if now.Column(c.Name) == nil {
			add(at+"."+c.Name, "column removed")
		}
	}
	for _, c := range now.Columns {
		was := old.Column(c.Name)
		name := at + "." + c.Name
		if was == nil {
			add(name, "column added, %s", c.Type.Name)
			continue
		}
		if !sameType(was.Type, c.Type) {
			if was.Type.Name == c.Type.Name {
				add(name, "definition of type %s changed", c.Type.Name)
			} else {
				add(name, "type was %s, is %s", was.Type.Name, c.Type.Name)
			}
		}
		if was.NotNull != c.NotNull {
			add(name, "not null was %t, is %t", was.NotNull, c.NotNull)
		}
		if was.Generation != c.Generation {
			add(name, "generation was %q, is %q", was.Generation, c.Generation)
		}
		if was.Collation != c.Collation {
			add(name, "collation was %q, is %q", was.Collation, c.Collation)
		}
	}
	if primaryWords(old) != primaryWords(now) {
		add(at, "primary key changed")
	}
	diffNamed(at, "unique key", keyWords(old), keyWords(now), add)
	diffNamed(at, "unique rule", ruleWords(old), ruleWords(now), add)
	diffNamed(at, "foreign key", foreignKeyWords(old), foreignKeyWords(now), add)
	if !slices.Equal(old.Parents, now.Parents) || !slices.Equal(old.PartitionKey, now.PartitionKey) {
		add(at, "parents or partition key changed")
	}
}

// sameType compares what a type means. An OID differs between two servers with
// the same definitions.
func sameType(a, b Type) bool {
	labels := slices.Equal(a.Labels, b.Labels)
	a.Labels, b.Labels = nil, nil
	return labels && reflect.DeepEqual(a.bare(), b.bare())
}

func primaryWords(t *Table) string {
	if t.PrimaryKey == nil {
		return ""
	}
	return fmt.Sprintf("%q %s", t.PrimaryKey.Name, words(*t.PrimaryKey))
}

func words(k Key) string { return fmt.Sprintf("%q %t %t", k.Columns, k.NullsEqual, k.Partial) }

// The words of keys of one name are joined: SQLite lets two share it.

func keyWords(t *Table) map[string]string {
	all := map[string]string{}
	for _, k := range t.Unique {
		all[k.Name] += words(k) + "\n"
	}
	return all
}

func ruleWords(t *Table) map[string]string {
	all := map[string]string{}
	for _, r := range t.Rules {
		all[r.Name] += fmt.Sprintf("%+v\n", r)
	}
	return all
}

func foreignKeyWords(t *Table) map[string]string {
	all := map[string]string{}
	for _, k := range t.ForeignKeys {
		all[k.Name] += fmt.Sprintf("%q %q %t %t %t\n", k.References, k.Pairs, k.Deferrable, k.Validated, k.MatchFull)
	}
	return all
}

func diffNamed(at, what string, old, now map[string]string, add func(at, format string, args ...any)) {
	var names []string
	for n := range old {
		names = append(names, n)
	}
	for n := range now {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range slices.Compact(names) {
		was, hadIt := old[n]
		is, hasIt := now[n]
		switch {
		case !hadIt:
			add(at, "%s %s added", what, n)
		case !hasIt:
			add(at, "%s %s removed", what, n)
		case was != is:
			add(at, "%s %s changed", what, n)
		}
	}
}

// Fingerprint returns the SHA-256, in hex, of the connector and of what decides how a
// run masks: tables, columns and keys. Two catalogs with the same fingerprint have no
// Diff but in definitions, and those have a DefinitionsFingerprint.
func (c *Catalog) Fingerprint() string {
	h := sha256.New()
	e := json.NewEncoder(h)
	fmt.Fprintln(h, strings.ToLower(c.Connector), c.Encoding, c.Charset)
	for _, t := range c.Tables {
		bare := *t
		bare.Rows, bare.Bytes, bare.Comment = 0, 0, ""
		bare.Checks, bare.Indexes, bare.Triggers = nil, nil, nil
		bare.Bounds = "" // a table gets a partition each month
		bare.Columns = slices.Clone(t.Columns)
		for i := range bare.Columns {
			bare.Columns[i].Comment, bare.Columns[i].Default, bare.Columns[i].Computation = "", "", ""
			bare.Columns[i].Type = t.Columns[i].Type.bare()
		}
		if err := e.Encode(bare); err != nil {
			panic("catalog: fingerprint: " + err.Error()) // plain data always encodes
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// UnmarshalJSON reads a catalog that encoding/json wrote.
func (c *Catalog) UnmarshalJSON(b []byte) error {
	type plain Catalog
	if err := json.Unmarshal(b, (*plain)(c)); err != nil {
		return err
	}
	c.index()
	return nil
}
