package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// A copy has no tether to production: what would reach another server or another database,
// act by itself or let somebody in stays at the source, or is made in a form that does
// nothing. This file decides it, object by object, for plan and run alike.

// reaching lists functions and words that reach out of the database, and why.
var reaching = map[string]string{
	"SPIDER_DIRECT_SQL": reachesServer, "SPIDER_BG_DIRECT_SQL": reachesServer, "SPIDER_COPY_TABLES": reachesServer, "SPIDER_FLUSH_TABLE_MON_CACHE": reachesServer,
	"LOAD_FILE": reachesFile, "OUTFILE": reachesFile, "DUMPFILE": reachesFile,
	"MASTER_POS_WAIT": reachesReplication, "SOURCE_POS_WAIT": reachesReplication,
}

const (
	reachesServer      = "would connect to another server"
	reachesFile        = "would read or write files of the server's machine"
	reachesReplication = "waits for another server"
)

// systemSchemas are there on every server. What stands in the first says nothing but
// definitions.
var harmlessSchemas = []string{"information_schema", "performance_schema"}

// objectsOf makes the catalog's objects of what has been read.
func (sc *schema) objectsOf(tables []*catalog.Table) (all []catalog.Object) {
	for _, o := range sc.objects {
		c := catalog.Object{Kind: o.Kind, Name: o.Name, Definition: o.Create, Comment: o.comment}
		if o.Kind == "view" {
			c.Reads = sc.viewReads(tables, o)
		}
		all = append(all, c)
	}
	return all
}

// viewReads lists the columns that a view may read: of each table that it names, the
// columns that it names. The server has written a star out.
func (sc *schema) viewReads(tables []*catalog.Table, o *sourceObject) (reads []catalog.ColumnID) {
	all := quoting{}.tokens(o.Create)
	if as := slices.IndexFunc(all, func(w token) bool { return w.is("AS") }); as >= 0 {
		all = all[as:]
	}
	named := map[string]bool{}
	for _, w := range all {
		if w.sort == nameToken {
			named[strings.ToLower(w.text)] = true
		}
	}
	for _, t := range tables {
		if !named[strings.ToLower(t.ID.Name)] {
			continue
		}
		for _, c := range columnsIn(t, all) {
			reads = append(reads, catalog.ColumnID{Table: t.ID, Column: c})
		}
	}
	return reads
}

// addTriggers adds the triggers of a table to it.
func (sc *schema) addTriggers(t *catalog.Table) {
	for _, o := range sc.objects {
		if o.Kind != "trigger" || o.Table != t.ID.Name {
			continue
		}
		t.Triggers = append(t.Triggers, catalog.Definition{Name: o.Name, Text: o.Create, Reads: columnsIn(t, quotingOf(o.Mode).tokens(o.Create))})
	}
}

// decideFates says of each object what becomes of it in a copy, and adds to sc.beside what
// is no object of its own.
func (sc *schema) decideFates(tables []*catalog.Table, objects []catalog.Object) {
	definers := 0
	for i, o := range sc.objects {
		c := &objects[i]
		if o.definer {
			definers++
		}
		all := sc.wordsOf(o)
		switch why := sc.reaches(o, all); {
		case o.unread != "":
			c.Fate, c.Reason, c.Fixed = catalog.Stays, o.unread, true
		case o.invalid:
			c.Fate, c.Reason, c.Fixed = catalog.Stays, "does not work at the source: something that it reads, or a right, is missing", true
		case o.over:
			c.Fate, c.Reason, c.Fixed = catalog.Stays, "is over, and no server makes an event of the past", true
		case why != "":
			c.Fate, c.Reason = catalog.Stays, why
		case o.Kind == "event" && disabled(all) != nil: // else it is at the source already
			c.Fate, c.Reason = catalog.Neutralised, "would act by itself, at its time; it is made disabled"
		case slices.ContainsFunc(all, func(w token) bool { return w.is("PREPARE") || w.is("IMMEDIATE") }):
			c.Fate, c.Reason = catalog.Noted, "puts statements together when it runs, which cannot be looked at before"
		}
	}
	if definers > 0 {
		sc.add(catalog.Object{Kind: "definers", Name: fmt.Sprint(definers), Fate: catalog.Stays, Fixed: true,
			Reason: "would be accounts of the source's server: views and routines run with the rights of who uses them, triggers and events with those of the target's account"})
	}
	for _, t := range tables {
		sc.besideTable(t)
	}
	sc.besideEngines()
	sc.closure(objects)
}

func (sc *schema) add(o catalog.Object) { sc.beside = append(sc.beside, o) }

// wordsOf returns the tokens of an object behind its name.
func (sc *schema) wordsOf(o *sourceObject) []token {
	q := quoting{}
	if o.Kind != "view" {
		q = quotingOf(o.Mode)
	}
	all := q.tokens(o.Create)
	if at := slices.IndexFunc(all, func(w token) bool { return w.is(lastWord(o.Kind)) }); at >= 0 && at+2 <= len(all) {
		return all[at+1:]
	}
	return all
}

// reaches says how an object reaches out of its database, or "".
func (sc *schema) reaches(o *sourceObject, all []token) string {
	for i, w := range all {
		if w.sort != wordToken && w.sort != nameToken {
			continue
		}
		called := i+1 < len(all) && all[i+1].is("(")
		why := reaching[strings.ToUpper(w.text)]
		if why != "" && (called || w.sort == wordToken && strings.HasSuffix(strings.ToUpper(w.text), "FILE")) {
			return why
		}
		if called && sc.loaded[strings.ToLower(w.text)] {
			return "calls " + w.text + ", a loaded function, which may do anything on the server's machine"
		}
	}
	if other := sc.otherDatabase(all); other != "" {
		return "names another database, " + other
	}
	return ""
}

// otherDatabase returns the name of a database, other than the own one, that stands before
// a name. A name is one of a database if it stands nowhere else: an alias, a table or a
// record does.
func (sc *schema) otherDatabase(all []token) string {
	alone := map[string]bool{}
	for _, u := range sc.qualifiers(all) {
		alone[u.name] = u.alone
	}
	for i, w := range all {
		if !qualifies(all, i) || sc.own(w.text) || slices.ContainsFunc(harmlessSchemas, func(n string) bool { return strings.EqualFold(n, w.text) }) {
			continue
		}
		if w.is("NEW") || w.is("OLD") || i > 0 && all[i-1].is("@") {
			continue
		}
		if sc.holdsNamespace(w.text) {
			continue
		}
		sure := i > 0 && (all[i-1].is("JOIN") || all[i-1].is("UPDATE") || all[i-1].is("CALL"))
		if sure || !alone[w.text] {
			return w.text
		}
	}
	return ""
}

// holdsNamespace reports whether the database has a package or a sequence of that name:
// what stands behind it is its own.
func (sc *schema) holdsNamespace(name string) bool {
	return slices.ContainsFunc(sc.objects, func(o *sourceObject) bool {
		return (o.Kind == "sequence" || strings.HasPrefix(o.Kind, "package")) && strings.EqualFold(o.Name, name)
	})
}

// besideTable adds what stays of a table.
func (sc *schema) besideTable(t *catalog.Table) {
	from := sc.tables[t.ID.Name]
	if why := foreignEngines[strings.ToUpper(from.engine)]; why != "" {
		sc.add(catalog.Object{Kind: "foreign table", Name: from.name, Fate: catalog.Stays, Fixed: true, Reason: why + " (" + from.engine + ")"})
		return
	}
	if from.versioned {
		sc.add(catalog.Object{Kind: "history", Name: from.name, Fate: catalog.Stays, Fixed: true, Reason: "is made of former rows; those of now are copied"})
	}
	_, left := bareOptions(from.text.options)
	_, more := bareOptions(from.text.partitions)
	for _, option := range left {
		more = slices.DeleteFunc(more, func(m string) bool { return m == option })
	}
	for _, option := range append(left, more...) {
		sc.add(catalog.Object{Kind: "table option", Name: from.name + "." + option, Fate: catalog.Stays, Fixed: true, Reason: "names what the source's server has: a folder, a key, another server"})
	}
	for _, p := range from.text.parts {
		if p.piece == foreignPiece && p.database != "" && !sc.own(p.database) {
			sc.add(catalog.Object{Kind: "foreign key", Name: from.name + "." + p.name, Definition: p.text, Fate: catalog.Stays, Reason: "points to another database, " + p.database})
		}
	}
}

// besideEngines adds the storage engines that have no snapshot.
func (sc *schema) besideEngines() {
	tables := map[string][]string{}
	var engines []string
	for _, n := range sc.names {
		e := sc.tables[n].engine
		if sc.tables[n].transactional() || foreignEngines[strings.ToUpper(e)] != "" {
			continue
		}
		if tables[e] == nil {
			engines = append(engines, e)
		}
		tables[e] = append(tables[e], n)
	}
	slices.Sort(engines)
	for _, e := range engines {
		const most = 5
		list := tables[e]
		names := strings.Join(list[:min(most, len(list))], ", ")
		if len(list) > most {
			names += fmt.Sprintf(" and %d more", len(list)-most)
		}
		reason := "has no snapshot: of what is written during a run, some may arrive"
		if strings.EqualFold(e, "MEMORY") {
			reason += "; and no rows any more once the target's server has started anew"
		}
		sc.add(catalog.Object{Kind: "storage engine", Name: e, Fate: catalog.Noted, Reason: reason + " (tables " + names + ")"})
	}
}

// closure lets stay what needs what stays: views, triggers and routines that name it.
func (sc *schema) closure(objects []catalog.Object) {
	type gone struct{ kind, name, ref string }
	var left []gone
	for _, o := range sc.beside {
		if o.Kind == "foreign table" {
			left = append(left, gone{"table", o.Name, o.Kind + ":" + o.Name})
		}
	}
	for _, o := range objects {
		if o.Fate == catalog.Stays {
			left = append(left, gone{o.Kind, o.Name, o.Kind + ":" + o.Name})
		}
	}
	for len(left) > 0 {
		g := left[0]
		left = left[1:]
		for i, o := range sc.objects {
			c := &objects[i]
			ref := c.Kind + ":" + c.Name
			if ref == g.ref || c.Fate == catalog.Stays && len(c.Causes) == 0 || o.Kind == "event" && g.kind != "table" || !sc.needs(o, g.kind, g.name) {
				continue
			}
			if slices.Contains(c.Causes, g.ref) {
				continue
			}
			if c.Fate != catalog.Stays {
				left = append(left, gone{c.Kind, c.Name, ref})
				c.Reason = "needs " + strings.Replace(g.ref, ":", " ", 1) + ", which stays behind"
			}
			c.Fate, c.Causes = catalog.Stays, append(c.Causes, g.ref)
		}
	}
}

// needs reports whether an object names another one.
func (sc *schema) needs(o *sourceObject, kind, name string) bool {
	if kind == "table" && o.Kind == "trigger" && sc.same(o.Table, name) {
		return true
	}
	all := sc.wordsOf(o)
	switch kind {
	case "function":
		for i, w := range all {
			if w.names() && strings.EqualFold(w.text, name) && i+1 < len(all) && all[i+1].is("(") {
				return true
			}
		}
	case "procedure", "package":
		for i, w := range all {
			if w.names() && strings.EqualFold(w.text, name) && i > 0 && (all[i-1].is("CALL") || all[i-1].is(".")) {
				return true
			}
		}
		if kind == "package" {
			return o.Kind == "package body" && strings.EqualFold(o.Name, name)
		}
	case "table", "view", "sequence":
		return slices.ContainsFunc(all[min(1, len(all)):], func(w token) bool { return w.names() && sc.same(w.text, name) })
	}
	return false
}

// readBeside looks for what is no object of the database, and yet is its tether: rights,
// loaded functions, replication. An account that may not see it is told so by the server,
// and nothing of it can come along.
func (sc *schema) readBeside(ctx context.Context, s *session) error {
	sc.loaded = map[string]bool{}
	from := "SELECT name FROM mysql.func"
	if !s.server.mariadb && s.server.version >= 80000 {
		from = "SELECT UDF_NAME FROM performance_schema.user_defined_functions"
	}
	// Who may not read the list cannot know; a view that calls such a function then fails
	// where it is made, by name.
	_ = s.query(ctx, from, func(r row) error {
		sc.loaded[strings.ToLower(r.text(0))] = true
		return nil
	})
	if err := ctx.Err(); err != nil {
		return err
	}
	count, err := s.number(ctx, "SELECT (SELECT count(*) FROM information_schema.SCHEMA_PRIVILEGES WHERE TABLE_SCHEMA = "+literal(sc.database)+") + (SELECT count(*) FROM information_schema.TABLE_PRIVILEGES WHERE TABLE_SCHEMA = "+
		literal(sc.database)+") + (SELECT count(*) FROM information_schema.COLUMN_PRIVILEGES WHERE TABLE_SCHEMA = "+literal(sc.database)+")")
	if err != nil {
		return err
	}
	if count > 0 {
		sc.add(catalog.Object{Kind: catalog.Grants, Name: fmt.Sprint(count), Fate: catalog.Stays, Fixed: true, Reason: "are for accounts of the source's server; the target's owner gives others"})
	}
	return nil
}

// hidden lists what information_schema hides from an account: what, and one of which rights
// on the whole database shows it.
var hidden = []struct {
	name   string
	rights []string
	grant  string
}{
	{"tables", []string{"SELECT"}, "SELECT"},
	{"triggers", []string{"TRIGGER"}, "TRIGGER"},
	{"events", []string{"EVENT"}, "EVENT"},
	{"routines", []string{"SHOW_ROUTINE", "SHOW CREATE ROUTINE", "EXECUTE", "ALTER ROUTINE", "CREATE ROUTINE"}, "EXECUTE"},
}

// readRights adds what the account cannot see, if there is any.
func (sc *schema) readRights(ctx context.Context, s *session) error {
	statement := "SHOW GRANTS"
	if !s.server.mariadb && s.server.version >= 80000 {
		roles, err := s.word(ctx, "SELECT CURRENT_ROLE()")
		if err != nil {
			return err
		}
		if roles != "" && roles != "NONE" {
			statement = "SHOW GRANTS FOR CURRENT_USER() USING " + roles
		}
	}
	var lines []string
	err := s.query(ctx, statement, func(r row) error {
		lines = append(lines, r.text(0))
		return nil
	})
	if err != nil {
		return err
	}
	has := rightsOn(lines, sc.database)
	for _, h := range hidden {
		seen := slices.ContainsFunc(h.rights, func(right string) bool { return has[right] })
		if h.name == "routines" {
			seen = seen || has["SELECT ON *.*"]
		}
		if !seen {
			sc.add(catalog.Object{Kind: "hidden", Name: h.name, Fate: catalog.Stays, Fixed: true,
				Reason: "are not shown where the account has no right on them, and none of those comes along: GRANT " + h.grant + " on the whole database shows all"})
		}
	}
	return nil
}

// everyRight is what rightsOn calls all of them.
const everyRight = "ALL PRIVILEGES"

// rightsOn reads what SHOW GRANTS prints: the rights on all of a database.
func rightsOn(lines []string, database string) map[string]bool {
	has := map[string]bool{}
	for _, line := range lines {
		all := quoting{}.tokens(line)
		on := slices.IndexFunc(all, func(w token) bool { return w.is("ON") })
		if on < 0 || on+3 >= len(all) || !all[on+2].is(".") || !all[on+3].is("*") {
			continue
		}
		everywhere := all[on+1].is("*")
		if !everywhere && !like(all[on+1].text, database) {
			continue
		}
		given := all[0].is("GRANT")
		for _, w := range splitCommas(all[1:on]) {
			if len(w) == 0 {
				continue
			}
			right := strings.ToUpper(line[w[0].start:w[len(w)-1].end])
			rights := []string{right}
			if right == "ALL PRIVILEGES" || right == "ALL" {
				rights = []string{everyRight}
				for _, h := range hidden {
					rights = append(rights, h.rights...)
				}
			}
			for _, r := range rights {
				has[r] = given
				if everywhere {
					has[r+" ON *.*"] = given
				}
			}
		}
	}
	return has
}

// like reports whether a name fits a pattern of a grant: % is anything, _ one character,
// unless a backslash stands before it.
func like(pattern, name string) bool {
	// Where to go on with one more byte under the last %, as long as the rest does not fit.
	percent, from := -1, 0
	p, n := 0, 0
	for n < len(name) {
		literal := p < len(pattern) && pattern[p] == '\\' && p+1 < len(pattern)
		switch {
		case p < len(pattern) && pattern[p] == '%':
			percent, from = p, n
			p++
		case literal && strings.EqualFold(pattern[p+1:p+2], name[n:n+1]):
			p, n = p+2, n+1
		case !literal && p < len(pattern) && (pattern[p] == '_' || strings.EqualFold(pattern[p:p+1], name[n:n+1])):
			p, n = p+1, n+1
		case percent >= 0:
			from++
			p, n = percent+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "%") == ""
}

// keep takes back what was decided about the objects that somebody asks for.
func keep(c *catalog.Catalog, names []string) (*catalog.Catalog, error) {
	kept, err := c.Keep(names)
	var ke *catalog.KeepError
	if errors.As(err, &ke) {
		return nil, &connectors.Error{Kind: connectors.KindUsage, Side: connectors.SourceSide, Op: fmt.Sprintf("keep %q", ke.Name), Err: errors.New(ke.Reason), Hint: ke.Help}
	}
	return kept, err
}
