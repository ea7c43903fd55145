package policies

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// deriveWord is the word of `do` for a column that the target's database computes anew
// from the masked values, by the table's own trigger.
const deriveWord = "derive"

// filler is a trigger that fills a column, and what it is known to read.
type filler struct {
	name  string
	reads []string
}

var (
	// beforeInsert is a trigger that may set the columns of a row before it is stored.
	beforeInsert = regexp.MustCompile(`(?is)^\s*create\s+(or\s+replace\s+)?trigger\s.*?\sbefore\s[^(]*?\binsert\b.*?\sfor\s+each\s+row\b`)
	// arguments are what a trigger hands to its function.
	triggerArguments = regexp.MustCompile(`(?is)\bexecute\s+(?:function|procedure)\s+[^(]*\((.*)\)\s*;?\s*$`)
	sqlLiteral       = regexp.MustCompile(`'((?:[^']|'')*)'`)
	whenClause       = regexp.MustCompile(`(?is)\bfor\s+each\s+row\s+when\s*\(`)
	// noSource are FROMs behind which no rows are read from.
	noSource = regexp.MustCompile(`(?i)\bdistinct\s+from\b|\b(?:extract|substring|trim|overlay)\s*\([^()]*?\bfrom\b`)
	// rowSource is what rows are read from: perhaps a schema, and a name.
	rowSource   = regexp.MustCompile(`(?i)\b(?:from|join)\s+(?:only\s+)?(?:("(?:[^"]|"")+"|[\pL_][\pL\pN_$]*)\s*\.\s*)?("(?:[^"]|"")+"|[\pL_][\pL\pN_$]*)`)
	sqlComments = regexp.MustCompile(`(?s)/\*.*?\*/|--[^\n]*`)
)

// The functions of PostgreSQL that fill a column from others that the trigger names.
const (
	textsByName   = "pg_catalog.tsvector_update_trigger("
	textsByColumn = "pg_catalog.tsvector_update_trigger_column("
)

// plainFiller reports whether a trigger is one of these, and fires for every row.
func plainFiller(d catalog.Definition) bool {
	return fillsOnly(d) != nil && beforeInsert.MatchString(d.Text) && !whenClause.MatchString(d.Text)
}

// firesBefore reports whether a trigger may set the columns of a new row. Of a lock's, whose
// texts are digests, it is taken for granted: the catalog of the lock has been asked.
func firesBefore(d catalog.Definition) bool {
	return beforeInsert.MatchString(d.Text) || strings.HasPrefix(d.Text, "sha256:")
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
			if !slices.ContainsFunc(all, func(o catalog.Definition) bool { return o.Name == d.Name }) {
				all = append(all, d)
			}
		}
	}
	return all
}

// fillsOnly returns the arguments of a trigger of these functions, of which the first is
// the column that it fills, and no other; nil of another trigger.
func fillsOnly(d catalog.Definition) []string {
	if !strings.HasPrefix(d.Function, textsByName) && !strings.HasPrefix(d.Function, textsByColumn) {
		return nil
	}
	m := triggerArguments.FindStringSubmatch(d.Text)
	if m == nil {
		return nil
	}
	var arguments []string
	for _, a := range sqlLiteral.FindAllStringSubmatch(m[1], -1) {
		arguments = append(arguments, strings.ReplaceAll(a[1], "''", "'"))
	}
	return arguments
}

// knownFiller returns the trigger that is known to fill a column, from columns that it
// names: PostgreSQL's tsvector_update_trigger, and its sister that reads the
// configuration from a column. See the manual, "Triggers for Automatic Updates".
func knownFiller(c *catalog.Catalog, t *catalog.Table, column string) *filler {
	for _, d := range triggersOf(c, t) {
		byColumn := strings.HasPrefix(d.Function, textsByColumn)
		arguments := fillsOnly(d)
		if !plainFiller(d) {
			continue
		}
		if len(arguments) < 3 || arguments[0] != column {
			continue
		}
		f := &filler{name: d.Name, reads: arguments[2:]}
		if byColumn {
			f.reads = arguments[1:]
		}
		return f
	}
	return nil
}

// likelyFiller returns a trigger of a user's function that seems to fill a column from one
// of the others: its body names both. It is for columns of which one is made of texts.
func (c *compiler) likelyFiller(ts *table, column string) *filler {
	for _, d := range triggersOf(c.catalog, ts.t) {
		if !beforeInsert.MatchString(d.Text) {
			continue
		}
		body := c.body(d.Function)
		if !names(body, column) {
			continue
		}
		f := &filler{name: d.Name}
		for _, other := range ts.columns {
			if other.col.Name != column && names(body, other.col.Name) {
				f.reads = append(f.reads, other.col.Name)
			}
		}
		if f.reads != nil {
			return f
		}
	}
	return nil
}

// body returns the words of a function of the catalog, without comments.
func (c *compiler) body(function string) string {
	for _, o := range c.catalog.Objects {
		if o.Kind == "function" && o.Name == function {
			return sqlComments.ReplaceAllString(o.Definition, " ")
		}
	}
	return ""
}

// names reports whether code speaks of a name, as a word of its own.
func names(code, name string) bool {
	word := func(b byte) bool {
		return b == '_' || b >= 0x80 || '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'z'
	}
	lower, name := strings.ToLower(code), strings.ToLower(name)
	for from := 0; name != ""; {
		i := strings.Index(lower[from:], name)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(name)
		if (i == 0 || !word(lower[i-1])) && (end == len(lower) || !word(lower[end])) {
			return true
		}
		from = i + 1
	}
	return false
}

// derivations checks what is to be derived.
func (c *compiler) derivations() {
	c.eachDecided(func(d *decision) bool { return d.derive }, c.derivation)
}

// keptDerivations finds what is kept though a trigger fills it from columns that are
// masked: it holds their words as they were.
func (c *compiler) keptDerivations() {
	c.eachDecided(func(d *decision) bool { return d.keep }, c.refuseKept)
}

// eachDecided hands on the columns that are copied and decided as is says.
func (c *compiler) eachDecided(is func(*decision) bool, do func(*table, *column)) {
	for _, ts := range c.tables {
		if !ts.copied() {
			continue
		}
		for _, col := range ts.columns {
			if col.decision != nil && col.open() && is(col.decision) {
				do(ts, col)
			}
		}
	}
}

func (c *compiler) derivation(ts *table, col *column) {
	d, id := col.decision, col.id().String()
	fail := func(help, format string, args ...any) {
		c.fail(Invalid, d.at, id, help, "%s: "+format, append([]any{id}, args...)...)
	}
	const nullIt = `null it with {"null": true}`
	if c.catalog.Connector != "postgres" {
		fail(nullIt, "%s has no triggers that fill a column", c.catalog.Connector)
		return
	}
	key := slices.ContainsFunc(ts.t.UniqueKeys(), func(k catalog.Key) bool { return slices.Contains(k.Columns, col.col.Name) })
	if key || len(col.edges) > 0 && slices.ContainsFunc(col.edges, func(e edge) bool { return e.kind != byParent }) || slices.Contains(c.catalog.Root(ts.t).PartitionKey, col.col.Name) {
		fail("mask it as the columns that it is made of, or keep it", "it is part of a key or link, and what a trigger makes of it nobody can foresee")
		return
	}
	var possible []string
	for _, t := range triggersOf(c.catalog, ts.t) {
		if only := fillsOnly(t); firesBefore(t) && (len(only) == 0 || only[0] == col.col.Name) {
			possible = append(possible, t.Name)
		}
	}
	slices.Sort(possible)
	help := nullIt + ": its table has no trigger that could fill it"
	if possible != nil {
		help = "name the trigger that fills it, as in {derive: " + spell(possible[0]) + "}; or " + nullIt
	}
	fills := func(trigger string) {
		if why, keep := c.silent(ts.t, trigger); why != "" {
			help := nullIt
			if keep != "" {
				help += ", or keep what the trigger needs: " + keep
			}
			fail(help, "the trigger %s %s", trigger, why)
			return
		}
		col.trigger = trigger
	}
	if d.do.Variant == nil {
		if f := knownFiller(c.catalog, ts.t, col.col.Name); f != nil {
			fills(f.name)
			return
		}
		fail(help, "there is no trigger of which it is known that it fills the column")
		return
	}
	name, _ := d.do.Variant.(string)
	if !slices.Contains(possible, name) {
		fail(help, "its table has no trigger %s that fires before each row that is inserted and may fill it", clip(name))
		return
	}
	if fills(name); col.trigger == "" {
		return
	}
	if of := c.rowsRead(ts.t, name); of != "" {
		fail(nullIt+", or compute it when the run is over", "the trigger %s reads rows of %s, of which nobody can foresee whether they are loaded first", name, of)
		return
	}
	if f := knownFiller(c.catalog, ts.t, col.col.Name); f == nil || f.name != name {
		c.warn(col, "is derived by the trigger "+name+", which runs for each row that is loaded and may change other columns of it; where it does not set this one, its default stands, or NULL")
	}
}

// rowsRead returns a table or view whose rows the function of a trigger reads, or one that it
// calls, or "": in a copy each row is computed when it is loaded, and the tables come in any
// order, many at once.
func (c *compiler) rowsRead(t *catalog.Table, trigger string) string {
	seen := map[string]bool{}
	var reads func(function string) string
	reads = func(function string) string {
		if seen[function] {
			return ""
		}
		seen[function] = true
		body := noSource.ReplaceAllString(c.body(function), " ")
		for _, m := range rowSource.FindAllStringSubmatch(body, -1) {
			if id := c.rowsOf(unquoted(m[1]), unquoted(m[2])); id != "" {
				return id
			}
		}
		for _, o := range c.catalog.Objects {
			if o.Kind != "function" {
				continue
			}
			_, bare, _ := strings.Cut(o.Name, ".")
			if bare, _, _ = strings.Cut(bare, "("); !names(body, bare) {
				continue
			}
			if id := reads(o.Name); id != "" {
				return id
			}
		}
		return ""
	}
	for _, d := range triggersOf(c.catalog, t) {
		if d.Name == trigger {
			return reads(d.Function)
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
	if inner, quoted := strings.CutPrefix(name, `"`); quoted {
		return strings.ReplaceAll(strings.TrimSuffix(inner, `"`), `""`, `"`)
	}
	return strings.ToLower(name)
}

// silent says why a trigger of the table, or of one that it is a partition of, computes
// nothing in a copy, or ""; and what would keep it, if something does.
func (c *compiler) silent(t *catalog.Table, trigger string) (why, keep string) {
	// A partition's own trigger fires or not whatever its table's does, and a partitioned
	// table has no rows: its partitions are asked.
	known := t.Kind == catalog.Partitioned
	for ; t != nil; t = c.catalog.Table(t.Parents[0]) {
		if at := slices.IndexFunc(t.Triggers, func(d catalog.Definition) bool { return d.Name == trigger }); at >= 0 && !known {
			if known = true; t.Triggers[at].Disabled {
				return "is disabled, and would compute nothing", ""
			}
		}
		for _, o := range c.catalog.Objects {
			if o.Kind != "trigger" || o.Name != t.ID.String()+"."+trigger || o.Fate.Along() {
				continue
			}
			causes := o.Causes
			if causes == nil && !o.Fixed {
				causes = []string{o.Kind + ":" + o.Name}
			}
			for i, ref := range causes {
				if i > 0 {
					keep += " "
				}
				keep += "--keep-object '" + ref + "'"
			}
			return "stays behind, for it " + o.Reason, keep
		}
		if !t.IsPartition || len(t.Parents) == 0 {
			break
		}
	}
	return "", ""
}

// refuseKept refuses a column that is kept, and that a trigger fills from masked ones.
func (c *compiler) refuseKept(ts *table, col *column) {
	f, sure := knownFiller(c.catalog, ts.t, col.col.Name), true
	if f == nil && strings.EqualFold(col.col.Type.Name, "tsvector") {
		f, sure = c.likelyFiller(ts, col.col.Name), false
	}
	if f == nil {
		return
	}
	var masked []string
	for _, name := range f.reads {
		if o := ts.column(name); o != nil && o.decision != nil && !o.decision.keep {
			masked = append(masked, name)
		}
	}
	if masked == nil {
		return
	}
	do := "do: derive"
	if !sure {
		do = "{derive: " + spell(f.name) + "}"
	}
	verb := "is"
	if len(masked) > 1 {
		verb = "are"
	}
	c.fail(Invalid, col.decision.at, col.id().String(), `give it a class with `+do+`, by which the copy computes it anew, or with {"null": true}`,
		"%s is kept, and the trigger %s fills it from %s, which %s masked", col.id(), f.name, strings.Join(masked, ", "), verb)
}

// derivedWords says who computes a derived column.
func (c *column) derivedWords() string {
	if c.trigger == "" {
		return c.why
	}
	return fmt.Sprintf("%s; computed anew by the trigger %s", c.why, c.trigger)
}

// history is a column that is kept, and into which a trigger writes from a table with
// masked texts.
type history struct {
	col     *column
	trigger string
	from    *table
}

// String says what is wrong with it.
func (h history) String() string {
	return "is kept, and the trigger " + h.trigger + " writes rows of " + h.from.t.ID.String() + " there, which are masked"
}

var insertInto = regexp.MustCompile(`(?i)\binsert\s+into\s+("?[\w$]+"?(?:\."?[\w$]+"?)?)`)

// histories finds triggers that write rows of a table with masked columns into another, in
// which a text or a document is kept.
func (c *compiler) histories() (found []history) {
	bodies := map[string]string{}
	for _, o := range c.catalog.Objects {
		if o.Definition != "" {
			name, _, _ := strings.Cut(o.Name, "(")
			bodies[name] = o.Definition
		}
	}
	for _, ts := range c.tables {
		if !ts.copied() || !ts.textsMasked() {
			continue
		}
		for _, trigger := range ts.t.Triggers {
			function, _, _ := strings.Cut(trigger.Function, "(")
			text := trigger.Text + "\n" + bodies[function]
			for _, m := range insertInto.FindAllStringSubmatch(text, -1) {
				target := c.catalog.Find(strings.ReplaceAll(m[1], `"`, ""))
				if target == nil || target.ID == ts.t.ID {
					continue
				}
				to := c.byID[target.ID]
				for _, col := range to.columns {
					if to.copied() && col.decision != nil && col.decision.keep && (col.col.Type.Kind == catalog.Text && len(col.col.Type.Labels) == 0 || holdsText(col.col.Type)) {
						found = append(found, history{col, trigger.Name, ts})
					}
				}
			}
		}
	}
	return found
}

// textsMasked reports whether a text of the table is masked.
func (t *table) textsMasked() bool {
	return slices.ContainsFunc(t.columns, func(col *column) bool {
		return col.decision != nil && !col.decision.keep && col.col.Type.Kind == catalog.Text
	})
}
