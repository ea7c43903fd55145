package policies

import (
	"regexp"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

var (
	// rowsCome are the events of a trigger that fires for rows which stay.
	rowsCome   = regexp.MustCompile(`(?i)\b(?:insert|update)\b`)
	firesAfter = regexp.MustCompile(`(?i)^\s*after\b`)
	// setField is where a field of a record is set, which may be returned as the row.
	setField = regexp.MustCompile(`(?i)(?:^|;|\b(?:begin|then|else|loop)\b)\s*` + sqlName + `\s*\.\s*` + sqlName + `\s*:?=`)
	// setRow is where a row is set as a whole, or another than NEW, OLD or none is returned.
	setRow    = regexp.MustCompile(`(?i)\bnew\s*:=|(?:;|\b(?:begin|then|else|loop)\b)\s*new\s*=|\binto\s+(?:strict\s+)?new\s*(?:;|from\b|using\b)`)
	returned  = regexp.MustCompile(`(?i)\breturn\s+(\w+)\s*([^;\s]?)`)
	setClause = regexp.MustCompile(`(?i)\bset\b`)
	setEnd    = regexp.MustCompile(`(?i)\bwhere\b|\bfrom\b|;`)
	// setTarget is the table of which a SET is.
	setTarget = regexp.MustCompile(`(?i)\b(?:insert\s+into|update|merge\s+into)\s+(?:only\s+)?` + sqlTable)
	// setOne and setList are what stands left of = in a SET.
	setOne  = regexp.MustCompile(`(?:^|,)\s*` + sqlName + `\s*=`)
	setList = regexp.MustCompile(`(?:^|,)\s*\(([^()]*)\)\s*=`)
)

// firing says when a trigger of PostgreSQL fires, or "" where its text does not tell.
func firing(d catalog.Definition) string {
	if m := triggerHead.FindStringSubmatch(sqlComments.ReplaceAllString(d.Text, " ")); m != nil {
		return m[2]
	}
	return ""
}

// mayFill reports whether a trigger with this code may set a column of the rows it fires for.
func (c *compiler) mayFill(t *catalog.Table, d catalog.Definition, code []*script, column string) bool {
	fires := firing(d)
	if fires != "" && !rowsCome.MatchString(fires) {
		return false
	}
	named := slices.ContainsFunc(code, func(p *script) bool { return p.hasLiteral(column) })
	if named && c.runsUnseen(d) || slices.ContainsFunc(code, func(p *script) bool { return c.updates(t, p.run(), column) }) {
		return true
	}
	if firesAfter.MatchString(fires) {
		return false
	}
	return code[0].hasLiteral(column) || named && slices.ContainsFunc(code, setsRow) || slices.ContainsFunc(assigned(code), func(a assignment) bool { return a.column == column }) ||
		slices.ContainsFunc(code, func(p *script) bool { return setsField(p, column) })
}

// hasLiteral reports whether a name is a literal of the code.
func (p *script) hasLiteral(name string) bool {
	return strings.Contains(p.text, "'"+strings.ReplaceAll(name, "'", "''")+"'")
}

// setsRow reports whether code sets a row as a whole.
func setsRow(p *script) bool {
	return setRow.MatchString(p.text) || slices.ContainsFunc(returned.FindAllStringSubmatch(p.text, -1), func(m []string) bool {
		return m[2] != "" || !slices.Contains([]string{"new", "old", "null"}, strings.ToLower(m[1]))
	})
}

// setsField reports whether code sets a field of that name, of any record.
func setsField(p *script, name string) bool {
	return slices.ContainsFunc(setField.FindAllStringSubmatch(p.text, -1), func(m []string) bool { return unquoted(m[2]) == name })
}

// updates reports whether a SET in the words has the column, of this table or of one that
// nobody knows.
func (c *compiler) updates(t *catalog.Table, words, column string) bool {
	for _, at := range setClause.FindAllStringIndex(words, -1) {
		clause := words[at[1]:]
		if end := setEnd.FindStringIndex(clause); end != nil {
			clause = clause[:end[0]]
		}
		if setsColumn(clause, column) && !c.ofAnother(t, words[strings.LastIndexByte(words[:at[0]], ';')+1:at[0]]) {
			return true
		}
	}
	return false
}

// setsColumn reports whether a clause behind SET has the column left of =.
func setsColumn(clause, column string) bool {
	for _, m := range setOne.FindAllStringSubmatch(clause, -1) {
		if unquoted(m[1]) == column {
			return true
		}
	}
	for _, m := range setList.FindAllStringSubmatch(clause, -1) {
		if catalog.Names(m[1], column) {
			return true
		}
	}
	return false
}

// ofAnother reports whether the last table that a statement names before its SET is one of
// the catalog, and neither this one nor one that it is a partition of.
func (c *compiler) ofAnother(t *catalog.Table, before string) bool {
	schema, name := "", ""
	for _, m := range setTarget.FindAllStringSubmatch(before, -1) {
		if unquoted(m[2]) != "set" {
			schema, name = unquoted(m[1]), unquoted(m[2])
		}
	}
	means := func(id catalog.TableID) bool { return id.Name == name && (schema == "" || schema == id.Schema) }
	for of := t; of != nil; of = c.catalog.Table(of.Parents[0]) {
		if means(of.ID) {
			return false
		}
		if len(of.Parents) == 0 {
			break
		}
	}
	return slices.ContainsFunc(c.catalog.Tables, func(other *catalog.Table) bool { return means(other.ID) })
}
