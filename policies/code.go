package policies

import (
	"regexp"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// What a trigger does is read from its words, which are searched and not parsed: of what may
// be meant by them the worst is taken.

// sqlName is a name, in quotes or without; sqlTable that of a table, perhaps with its schema.
const (
	sqlName  = `("(?:[^"]|"")+"|` + "`(?:[^`]|``)+`" + `|[\pL_][\pL\pN_$]*)`
	sqlTable = `(?:` + sqlName + `\s*\.\s*)?` + sqlName
)

var (
	sqlLiteral  = regexp.MustCompile(`'((?:[^']|'')*)'`)
	sqlComments = regexp.MustCompile(`(?s)/\*.*?\*/|--[^\n]*`)
	// triggerHead is all of a trigger of PostgreSQL; its groups are what is said beside its name,
	// its table and the function: when it fires, and what it hands over.
	triggerHead = regexp.MustCompile(`(?is)^\s*create\s+(?:or\s+replace\s+)?(?:constraint\s+)?trigger\s+` + sqlName + `\s+(.*?)\s+on\s+` + sqlTable +
		`\s+(.*?)\bexecute\s+(?:function|procedure)\s+[^(]*\((.*)\)\s*;?\s*$`)
	// noSource are FROMs behind which no rows are read from.
	noSource = regexp.MustCompile(`(?i)\bdistinct\s+from\b|\b(?:extract|substring|trim|overlay)\s*\([^()]*?\bfrom\b`)
	// rowSource is what rows are read from.
	rowSource = regexp.MustCompile(`(?i)\b(?:from|join)\s+(?:only\s+)?` + sqlTable)
	// rowTarget is where rows are written.
	rowTarget = regexp.MustCompile(`(?i)\b(?:insert\s+into|update|delete\s+from|merge\s+into|truncate(?:\s+table)?)\s+(?:only\s+)?` + sqlTable)
	// message is what a function says to its caller, or to the server's log.
	message = regexp.MustCompile(`(?i)(?:^|;|\b(?:begin|then|else|loop)\b)\s*raise\b(?:[^;'$]|'(?:[^']|'')*')*`)
	// textsRun are functions besides EXECUTE that run SQL which stands in a literal.
	textsRun = regexp.MustCompile(`(?i)\b(?:execute|spi_\w+|query_to_\w+|cursor_to_\w+|ts_stat|dblink\w*)\b`)
	// dynamic is SQL that is put together when it runs.
	dynamic = regexp.MustCompile(`(?i)\bexecute\b`)
	// call is where a function or procedure is called; its groups are their names.
	call = regexp.MustCompile(`(?i)` + sqlName + `\s*\(|\bcall\s+` + sqlTable)
)

// triggerWords are the words of a trigger without the names of its own, its table and its
// function, which may be those of columns; and without comments.
func triggerWords(text string) string {
	text = sqlComments.ReplaceAllString(text, " ")
	if m := triggerHead.FindStringSubmatch(text); m != nil {
		return m[2] + " " + m[5] + " " + m[6]
	}
	return text
}

// ownCode is what runs of the words of a trigger: of one of PostgreSQL its condition, for
// what it hands over is no code.
func ownCode(text string) string {
	text = sqlComments.ReplaceAllString(text, " ")
	if m := triggerHead.FindStringSubmatch(text); m != nil {
		return m[5]
	}
	return text
}

// newScript takes a function's words without comments and messages.
func newScript(text string) *script {
	text = sqlComments.ReplaceAllString(text, " ")
	return &script{text: message.ReplaceAllStringFunc(text, withoutLiterals)}
}

// withoutLiterals empties the literals of code.
func withoutLiterals(code string) string { return sqlLiteral.ReplaceAllLiteralString(code, "''") }

// run is the code in which SQL that runs is looked for: literals are none, unless the code
// runs texts, or it does not tell where they end.
func (p *script) run() string {
	if textsRun.MatchString(p.text) || strings.Count(p.text, "'")%2 != 0 {
		return p.text
	}
	return withoutLiterals(p.text)
}

// script is a piece of code: the words of a trigger, or of a function. What is looked for in it
// is kept, for many triggers have the same function.
type script struct {
	text   string
	words  map[string]bool // in small letters; nil until asked for
	writes *writes         // nil until asked for; see history.go
	sets   []assignment    // likewise
	put    []written       // likewise; see written.go
	from   []string        // likewise: tables that it reads rows from

	standFor map[string][]string // likewise: what names in it stand for
}

// names reports whether the code speaks of a name.
func (p *script) names(name string) bool {
	if p.words == nil {
		p.words = map[string]bool{}
		for _, w := range catalog.Words(p.text) {
			p.words[w] = true
		}
	}
	words := catalog.Words(name)
	for _, w := range words {
		if !p.words[w] {
			return false
		}
	}
	return len(words) == 1 && words[0] == strings.ToLower(name) || catalog.Names(p.text, name)
}

// routines are the functions and procedures of a catalog: what they say, and what they call.
type routines struct {
	bodies map[string]*script              // by the object's name, without comments
	byWord map[string][]string             // objects' names, by the first word of what they are called
	calls  map[string][]string             // objects' names, by that of the one that calls them; made when asked for
	tables map[string]*catalog.Table       // by names that were looked for; nil where there is none
	rules  map[string][]catalog.Definition // of tables and views, by what may be their names
}

func newRoutines(c *catalog.Catalog) *routines {
	r := &routines{bodies: map[string]*script{}, byWord: map[string][]string{}, calls: map[string][]string{}, tables: map[string]*catalog.Table{}, rules: map[string][]catalog.Definition{}}
	for _, o := range c.Objects {
		if o.Kind == "rule" {
			r.rule(o)
		}
		if o.Kind != "function" && o.Kind != "procedure" {
			continue
		}
		r.bodies[o.Name] = newScript(o.Definition)
		if words := catalog.Words(bareRoutine(o.Name)); len(words) > 0 {
			r.byWord[words[0]] = append(r.byWord[words[0]], o.Name)
		}
	}
	return r
}

// rule notes a rule, whose name stands behind that of its table, by all that this may be.
func (r *routines) rule(o catalog.Object) {
	for i, b := range []byte(o.Name) {
		if b == '.' {
			r.rules[o.Name[:i]] = append(r.rules[o.Name[:i]], catalog.Definition{Name: o.Name[i+1:], Text: o.Definition})
		}
	}
}

// bareRoutine is the name of a function without its schema and its arguments.
func bareRoutine(name string) string {
	name, _, _ = strings.Cut(name, "(")
	return name[strings.LastIndexByte(name, '.')+1:]
}

// calledIn returns the functions that the code calls. Where SQL is put together when it runs,
// the name may stand apart from what it is called with.
func (r *routines) calledIn(code *script) (called []string) {
	if dynamic.MatchString(code.text) {
		return r.namedIn(code)
	}
	for _, m := range call.FindAllStringSubmatch(code.run(), -1) {
		name := unquoted(m[1] + m[3])
		for _, f := range r.startingAs(name) {
			if strings.EqualFold(bareRoutine(f), name) && !slices.Contains(called, f) {
				called = append(called, f)
			}
		}
	}
	return called
}

// namedIn returns the functions of which the code speaks.
func (r *routines) namedIn(code *script) []string { return namedIn(code, r.byWord) }

// namedIn returns the things of which the code speaks, of those that are known by the first
// word of what they are called.
func namedIn(code *script, byWord map[string][]string) (named []string) {
	seen := map[string]bool{}
	for _, w := range catalog.Words(code.text) {
		if seen[w] {
			continue
		}
		seen[w] = true
		for _, name := range byWord[w] {
			if code.names(bareRoutine(name)) {
				named = append(named, name)
			}
		}
	}
	return named
}

// startingAs returns the functions whose names begin with the same word.
func (r *routines) startingAs(name string) []string {
	words := catalog.Words(name)
	if len(words) == 0 {
		return nil
	}
	return r.byWord[words[0]]
}

// calledBy returns the functions that a function calls.
func (r *routines) calledBy(function string) []string {
	called, known := r.calls[function]
	if !known {
		called = r.calledIn(r.bodies[function])
		r.calls[function] = called
	}
	return called
}

// code is what runs when a trigger fires, script by script: its own words, its function's, and
// those of the functions that they call.
func (c *compiler) code(d catalog.Definition) []*script {
	c.knowRoutines()
	own := &script{text: triggerWords(d.Text)}
	runs := append([]string{d.Function}, c.routines.calledIn(&script{text: ownCode(d.Text)})...)
	return append([]*script{own}, c.routines.reachedFrom(runs)...)
}

// knowRoutines makes them, if that is to be done.
func (c *compiler) knowRoutines() {
	if c.routines == nil {
		c.routines = newRoutines(c.catalog)
	}
}

// reachedFrom returns what functions say, and those that they call.
func (r *routines) reachedFrom(functions []string) (code []*script) {
	seen := map[string]bool{}
	var add func(functions []string)
	add = func(functions []string) {
		for _, f := range functions {
			if body := r.bodies[f]; body != nil && !seen[f] {
				seen[f] = true
				code = append(code, body)
				add(r.calledBy(f))
			}
		}
	}
	add(functions)
	return code
}

// speakOf reports whether one of the scripts names a column.
func speakOf(code []*script, column string) bool {
	return slices.ContainsFunc(code, func(p *script) bool { return p.names(column) })
}

// triggersOf are the triggers that fire for the rows of a table: its own, and those of
// the tables that it is a partition of.
func triggersOf(c *catalog.Catalog, t *catalog.Table) []catalog.Definition {
	all := slices.Clone(t.Triggers)
	for t.IsPartition && len(t.Parents) > 0 {
		if t = c.Table(t.Parents[0]); t == nil {
			break
		}
		for _, d := range t.Triggers {
			if !hasTrigger(all, d.Name) {
				all = append(all, d)
			}
		}
	}
	return all
}

// ownTriggers are the triggers of a table without those that it has as a partition.
func ownTriggers(c *catalog.Catalog, t *catalog.Table) []catalog.Definition {
	if !t.IsPartition || len(t.Parents) == 0 || c.Table(t.Parents[0]) == nil {
		return t.Triggers
	}
	above := triggersOf(c, c.Table(t.Parents[0]))
	return slices.DeleteFunc(slices.Clone(t.Triggers), func(d catalog.Definition) bool { return hasTrigger(above, d.Name) })
}

func hasTrigger(all []catalog.Definition, name string) bool {
	return slices.ContainsFunc(all, func(d catalog.Definition) bool { return d.Name == name })
}

// rowsRead returns a table or view whose rows a trigger reads, or "": in a copy each row is
// computed when it is loaded, and the tables come in any order, many at once.
func (c *compiler) rowsRead(d catalog.Definition) string {
	for _, p := range c.code(d) {
		if id := c.rowsNamed(rowSource, noSource.ReplaceAllString(p.run(), " ")); id != "" {
			return id
		}
	}
	return ""
}

// rowsWritten returns a table or view that a trigger writes to, or "": the rows that it wrote
// at the source are loaded themselves.
func (c *compiler) rowsWritten(d catalog.Definition) string {
	for _, p := range c.code(d) {
		if id := c.rowsNamed(rowTarget, p.run()); id != "" {
			return id
		}
	}
	return ""
}

// runsUnseen reports whether a trigger runs SQL that stands nowhere as a whole.
func (c *compiler) runsUnseen(d catalog.Definition) bool {
	functions := c.code(d)[1:] // its own words EXECUTE its function
	return slices.ContainsFunc(functions, func(p *script) bool { return dynamic.MatchString(p.text) })
}

// rowsNamed returns the first table or view of the catalog that stands where the pattern,
// which ends with sqlTable, has one; or "".
func (c *compiler) rowsNamed(pattern *regexp.Regexp, words string) string {
	for _, m := range pattern.FindAllStringSubmatch(words, -1) {
		if id := c.rowsOf(unquoted(m[1]), unquoted(m[2])); id != "" {
			return id
		}
	}
	return ""
}

// rowsOf returns the id of a table or view, in any schema if none is given, or "".
func (c *compiler) rowsOf(schema, name string) string {
	for i := range c.catalog.Tables {
		if id := c.catalog.Tables[i].ID; id.Name == name && (schema == "" || schema == id.Schema) {
			return id.String()
		}
	}
	for _, o := range c.catalog.Objects {
		of, view, _ := strings.Cut(o.Name, ".")
		if (o.Kind == "view" || o.Kind == "materialized view") && view == name && (schema == "" || schema == of) {
			return o.Name
		}
	}
	return ""
}

// unquoted returns a name as the catalog has it: what is not in quotes in small letters.
func unquoted(name string) string {
	for _, quote := range []string{`"`, "`"} {
		if inner, quoted := strings.CutPrefix(name, quote); quoted {
			return strings.ReplaceAll(strings.TrimSuffix(inner, quote), quote+quote, quote)
		}
	}
	return strings.ToLower(name)
}
