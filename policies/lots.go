package policies

import (
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// A table may have thousands of partitions. What is to be said alike of several is said once.

// lots are such, in the order in which they have come up.
type lots struct {
	all []*lot
	by  map[lotKey]*lot
}

// lotKey is what partitions of one table have in common of which the same is said: what it is
// about, perhaps a column, and the kind of thing of which it is said.
type lotKey struct {
	root               catalog.TableID
	column, what, kind string
}

// lot is the partitions, or the one table, and the names of what it is said of.
type lot struct {
	lotKey
	tables []catalog.TableID
	names  []string
	known  map[string]bool // by these

	before, after string   // what stands around these
	by            *column  // by which rows move
	onto          []string // the partitions that foreign keys reference
}

// add notes that it is to be said of a table as well, and of what.
func (s *lots) add(key lotKey, id catalog.TableID, name string) *lot {
	l := s.by[key]
	if l == nil {
		if s.by == nil {
			s.by = map[lotKey]*lot{}
		}
		l = &lot{lotKey: key, known: map[string]bool{}}
		s.by[key], s.all = l, append(s.all, l)
	}
	if n := len(l.tables); n == 0 || l.tables[n-1] != id { // one table after the other
		l.tables = append(l.tables, id)
	}
	if !l.known[name] {
		l.known[name], l.names = true, append(l.names, name)
	}
	return l
}

// lines says it of each lot.
func (s *lots) lines(say func(*lot) string) (lines []string) {
	for _, l := range s.all {
		lines = append(lines, say(l))
	}
	return lines
}

// warnKey warns of a column in what keeps rows apart, which stands behind the words before; about
// tells what is said of it from what else is. Of partitions it is said by keysOfPartitions.
func (c *compiler) warnKey(ts *table, col *column, kind, name, before, about, after string) {
	if !ts.t.IsPartition {
		c.warn(col, before+"the "+kind+" "+name+after)
		return
	}
	l := c.ofKeys.add(lotKey{c.catalog.Root(ts.t).ID, col.col.Name, before + about, kind}, ts.t.ID, name)
	if len(l.names) == 1 {
		l.before, l.after = before, after
	}
}

// keysOfPartitions says what is to be said of the keys of partitions.
func (c *compiler) keysOfPartitions() {
	c.warnings = append(c.warnings, c.ofKeys.lines(func(l *lot) string {
		return l.who() + ": " + l.before + l.subject() + l.after
	})...)
}

// who names the table, or its partitions, or the column of these.
func (l *lot) who() string {
	of := ""
	if l.column != "" {
		of = "." + l.column
	}
	if len(l.tables) == 1 {
		return l.tables[0].String() + of
	}
	names := make([]string, len(l.tables))
	for i, id := range l.tables {
		if names[i] = id.String(); id.Schema == l.root.Schema {
			names[i] = id.Name
		}
	}
	return l.root.String() + of + ", partitions " + some(names)
}

// subject names what it is said of.
func (l *lot) subject() string {
	switch names := some(l.names); {
	case l.kind == "NOT NULL":
		return "NOT NULL of " + names
	case l.kind == references:
		return "the foreign key" + l.verb("", "s") + " " + names
	case strings.HasSuffix(l.kind, "statistics"):
		return "the " + l.kind + " " + names
	case strings.HasSuffix(l.kind, "x"):
		return "the " + l.kind + l.verb("", "es") + " " + names
	default:
		return "the " + l.kind + l.verb("", "s") + " " + names
	}
}

// verb chooses by how many there are of what it is said.
func (l *lot) verb(one, many string) string {
	if len(l.names) == 1 || l.kind == "NOT NULL" {
		return one
	}
	return many
}
