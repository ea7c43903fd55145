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
	trigger catalog.Definition
	reads   []string
}

var (
	// beforeInsert is a trigger that may set the columns of a row before it is stored.
	beforeInsert = regexp.MustCompile(`(?is)^\s*create\s+(or\s+replace\s+)?trigger\s.*?\sbefore\s[^(]*?\binsert\b.*?\sfor\s+each\s+row\b`)
	// arguments are what a trigger hands to its function.
	triggerArguments = regexp.MustCompile(`(?is)\bexecute\s+(?:function|procedure)\s+[^(]*\((.*)\)\s*;?\s*$`)
	whenClause       = regexp.MustCompile(`(?is)\bfor\s+each\s+row\s+when\s*\(`)
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

// readBy returns the columns of which a trigger of these functions makes the one that it
// fills. See the manual, "Triggers for Automatic Updates".
func readBy(d catalog.Definition) []string {
	arguments := fillsOnly(d)
	switch {
	case len(arguments) < 3:
		return nil
	case strings.HasPrefix(d.Function, textsByColumn):
		return arguments[1:] // the configuration is a column too
	}
	return arguments[2:]
}

// knownFiller returns the trigger that is known to fill a column for every row that is
// inserted, from columns that it names.
func knownFiller(c *catalog.Catalog, t *catalog.Table, column string) *filler {
	for _, d := range triggersOf(c, t) {
		if reads := readBy(d); reads != nil && plainFiller(d) && fillsOnly(d)[0] == column {
			return &filler{d, reads}
		}
	}
	return nil
}

// fillersOf returns all triggers that fill a column, or seem to: whenever they fire, what a
// row has of them it keeps. A user's function seems to fill a vector of texts if it may set
// it, and its words, and what the trigger hands to it, name other columns.
func (c *compiler) fillersOf(ts *table, col *column) (found []filler) {
	for _, d := range triggersOf(c.catalog, ts.t) {
		only, f := fillsOnly(d), filler{trigger: d}
		switch {
		case len(only) > 0 && only[0] == col.col.Name:
			f.reads = readBy(d)
		case len(only) == 0 && isVector(col.col.Type):
			if code := c.code(d); c.mayFill(ts.t, d, code, col.col.Name) {
				f.reads = ts.namedBeside(code, col)
			}
		}
		if f.reads != nil {
			found = append(found, f)
		}
	}
	return found
}

// isVector reports whether values of the type are the words of texts.
func isVector(t catalog.Type) bool { return strings.EqualFold(t.Name, "tsvector") }

// namedBeside returns the other columns of which code speaks that speaks of this one.
func (t *table) namedBeside(code []*script, col *column) []string {
	if !speakOf(code, col.col.Name) {
		return nil
	}
	return t.namedIn(code, col)
}

// namedIn returns the columns but for one of which code speaks.
func (t *table) namedIn(code []*script, but *column) (names []string) {
	for _, other := range t.columns {
		if other != but && speakOf(code, other.col.Name) {
			names = append(names, other.col.Name)
		}
	}
	return names
}

// maskedOf returns those of the columns that are not kept.
func (t *table) maskedOf(names []string) (masked []string) {
	for _, name := range names {
		if o := t.column(name); o != nil && o.decision != nil && !o.decision.keep {
			masked = append(masked, name)
		}
	}
	return masked
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
	if d.do.Variant == nil {
		if f := knownFiller(c.catalog, ts.t, col.col.Name); f == nil {
			fail(help, "there is no trigger of which it is known that it fills the column")
		} else if why, instead := c.hinders(ts.t, f.trigger); why != "" {
			fail(nullIt+instead, "the trigger %s %s", f.trigger.Name, why)
		} else {
			col.trigger = f.trigger.Name
		}
		return
	}
	name, _ := d.do.Variant.(string)
	if !slices.Contains(possible, name) {
		fail(help, "its table has no trigger %s that fires before each row that is inserted and may fill it", clip(name))
		return
	}
	all := triggersOf(c.catalog, ts.t)
	trigger := all[slices.IndexFunc(all, func(t catalog.Definition) bool { return t.Name == name })]
	if why, instead := c.hinders(ts.t, trigger); why != "" {
		fail(nullIt+instead, "the trigger %s %s", name, why)
		return
	}
	col.trigger = name
	if f := knownFiller(c.catalog, ts.t, col.col.Name); f == nil || f.trigger.Name != name {
		said := "is derived by the trigger " + name + ", which runs for each row that is loaded and may change other columns of it; where it does not set this one, its default stands, or NULL"
		if c.runsUnseen(trigger) {
			said += "; it puts SQL together when it runs (EXECUTE), of which nobody can foresee whether it reads or writes rows of tables"
		}
		c.warn(col, said)
	}
}

// hinders says why a trigger cannot compute a column in a copy, or ""; and what helps
// beside setting the column to NULL.
func (c *compiler) hinders(t *catalog.Table, d catalog.Definition) (why, instead string) {
	if why, keep := c.silent(t, d.Name); why != "" {
		if keep != "" {
			instead = ", or keep what the trigger needs: " + keep
		}
		return why, instead
	}
	if plainFiller(d) {
		return "", "" // it looks at nothing but its row
	}
	if to := c.rowsWritten(d); to != "" {
		return "writes to " + to + ", and runs for each row that is loaded: what it wrote at the source would be there twice", ""
	}
	if of := c.rowsRead(d); of != "" {
		return "reads rows of " + of + ", of which nobody can foresee whether they are loaded first", ", or compute it when the run is over"
	}
	return "", ""
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
	var said filler
	do, other := "", ""
	for _, f := range c.fillersOf(ts, col) {
		by := c.deriveBy(ts.t, f.trigger)
		if other == "" {
			other = by
		}
		if f.reads = ts.maskedOf(f.reads); f.reads != nil && do == "" && (said.reads == nil || by != "") {
			said, do = f, by
		}
	}
	if said.reads == nil {
		c.refuseMadeOf(ts, col)
		return
	}
	if do == "" {
		do = other
	}
	help, verb := `give it a class with {"null": true}`, "is"
	if do != "" {
		help = "give it a class with " + do + `, by which the copy computes it anew, or with {"null": true}`
	}
	if len(said.reads) > 1 {
		verb = "are"
	}
	c.fail(Invalid, col.decision.at, col.id().String(), help,
		"%s is kept, and the trigger %s fills it from %s, which %s masked", col.id(), said.trigger.Name, strings.Join(said.reads, ", "), verb)
}

// deriveBy is what a class has to do that has a column computed by the trigger; or "" if a
// copy cannot compute it so.
func (c *compiler) deriveBy(t *catalog.Table, d catalog.Definition) string {
	why, _ := c.hinders(t, d)
	switch {
	case why != "" || !firesBefore(d):
		return ""
	case plainFiller(d):
		return "do: derive"
	}
	return "{derive: " + spell(d.Name) + "}"
}

// derivedWords says who computes a derived column.
func (c *column) derivedWords() string {
	if c.trigger == "" {
		return c.why
	}
	return fmt.Sprintf("%s; computed anew by the trigger %s", c.why, c.trigger)
}
