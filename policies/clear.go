package policies

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Definitions come as they are: a transform changes rows. Where a value stands in one that
// belongs to a column which is not kept, nobody would think so who reads the policy; so
// plan and summary name it, and never show the value.

const (
	clearDefault = "holds a value, and comes as it is though the column is not kept"
	clearLabels  = "are the values that the column may have, and come as they are though it is not kept"
	clearComment = "may hold a value, and comes as it is though the column is not kept"
	clearReads   = "holds a value, and comes as it is though it reads a column that is not kept"
	clearBounds  = "may hold values, as may the names of partitions, and come as they are though a column that routes rows is not kept"
)

// inClear lists those definitions, as objects that come and are noted.
func (c *compiler) inClear() (found []catalog.Object) {
	gone := map[string]bool{} // objects that do not come along
	for _, o := range c.catalog.Objects {
		if !o.Fate.Along() {
			gone[o.Kind+":"+o.Name] = true
		}
	}
	note := func(kind, name, reason string) {
		if !gone[kind+":"+name] {
			found = append(found, catalog.Object{Kind: kind, Name: name, Fate: catalog.Noted, Reason: reason})
		}
	}
	unkept := map[catalog.ColumnID]bool{}
	for _, ts := range c.tables {
		t, id := ts.t, ts.t.ID.String()
		if t.Kind == catalog.Foreign {
			continue
		}
		reads := func(columns []string) bool {
			return slices.ContainsFunc(columns, func(n string) bool { return unkept[catalog.ColumnID{Table: t.ID, Column: n}] })
		}
		for _, col := range ts.columns {
			at := col.col
			if at.Generation.Computed() || ts.copied() && col.decision != nil && col.decision.keep {
				continue
			}
			unkept[catalog.ColumnID{Table: t.ID, Column: at.Name}] = true
			if t.IsPartition {
				continue // what it has from its parent stands there
			}
			if saysValue(at.Default) || lone.MatchString(at.Default) {
				note("default", id+"."+at.Name, clearDefault)
			}
			if len(at.Type.Labels) > 0 {
				note("labels", id+"."+at.Name, clearLabels)
			}
			if strings.ContainsAny(at.Comment, "0123456789@'\"") {
				note("comment", id+"."+at.Name, clearComment)
			}
		}
		key := t.PartitionKey
		if t.IsPartition && len(t.Parents) > 0 {
			key = nil
			if parent := c.byID[t.Parents[0]]; parent != nil {
				key = parent.t.PartitionKey
			}
		} else {
			for _, d := range t.Checks {
				if reads(d.Reads) && !harmlessCheck.MatchString(d.Text) && (saysValue(d.Text) || holdsNumber(d.Text)) {
					note("constraint", id+"."+d.Name, clearReads)
				}
			}
			for _, d := range t.Indexes {
				if reads(d.Reads) && (saysValue(d.Text) || holdsNumber(d.Text)) {
					note("index", indexName(t.ID, d.Name), clearReads)
				}
			}
		}
		if reads(key) && (saysValue(t.Bounds) || digits.MatchString(t.Bounds)) {
			note("partition bounds", id, clearBounds)
		}
	}
	for _, o := range c.catalog.Objects {
		if (o.Kind == "view" || o.Kind == "materialized view") && slices.ContainsFunc(o.Reads, func(id catalog.ColumnID) bool { return unkept[id] }) && saysValue(o.Definition) {
			note(o.Kind, o.Name, clearReads)
		}
	}
	return found
}

// indexName names an index as its engine does: within a schema, or, where there are none,
// within its table.
func indexName(of catalog.TableID, name string) string {
	if of.Schema == "" {
		return of.Name + "." + name
	}
	return of.Schema + "." + name
}

var (
	// lone is a number that is all of an expression, and neither 0 nor 1.
	lone   = regexp.MustCompile(`^[-(\s]*(?:[2-9]|[1-9][0-9])[0-9]*(?:\.[0-9]+)?\)*(?:::[\w\s]+)?$`)
	digits = regexp.MustCompile(`[0-9]`)
	// long is a number that is no count of characters, or of years.
	long = regexp.MustCompile(`(?:^|[^\w.])[0-9]{4,}`)
)

// holdsNumber reports whether a number of four digits or more stands in an expression.
func holdsNumber(text string) bool { return long.MatchString(text) }

// saysValue reports whether a literal stands in an expression that says something: not a
// blank or a comma, not zero or one however they are written, not a pattern or the name of
// a sequence.
func saysValue(text string) bool {
	for i := 0; i < len(text); i++ {
		quote := text[i]
		if quote != '\'' && quote != '"' && quote != '`' {
			continue
		}
		start := i + 1
		for i++; i < len(text) && text[i] != quote; i++ {
			if text[i] == '\\' {
				i++
			}
		}
		said := text[min(start, len(text)):min(i, len(text))]
		rest := strings.TrimSpace(text[min(i+1, len(text)):])
		switch {
		case quote != '\'', said == "1", strings.HasPrefix(said, "%"), strings.HasPrefix(rest, "::regclass"):
		case strings.Trim(said, "0.:- ") != "" && strings.ContainsFunc(said, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }):
			return true
		}
	}
	return false
}
