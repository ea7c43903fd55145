package mysql

import (
	"context"
	"math"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// readObjects reads views, routines, triggers, events and sequences: their names from
// information_schema, their words by SHOW CREATE.
func (sc *schema) readObjects(ctx context.Context, s *session) error {
	list := func(kind, from, columns, order string) error {
		return s.query(ctx, "SELECT "+columns+" FROM information_schema."+from+" = "+literal(sc.database)+" ORDER BY "+order, func(r row) error {
			if r.text(0) != sc.database {
				return nil
			}
			o := &sourceObject{object: object{Kind: kind, Name: r.text(1), Table: r.text(2)}, comment: r.text(3)}
			o.over = kind == "event" && r.number(4) == 1
			if kind == "" {
				o.Kind = strings.ToLower(r.text(4)) // function, procedure, package, package body
			}
			sc.objects = append(sc.objects, o)
			return nil
		})
	}
	if err := list("", "ROUTINES WHERE ROUTINE_SCHEMA", "ROUTINE_SCHEMA, ROUTINE_NAME, '', ROUTINE_COMMENT, ROUTINE_TYPE", "ROUTINE_TYPE, ROUTINE_NAME"); err != nil {
		return err
	}
	// In their order: a trigger comes behind those that were there when it is made.
	if err := list("trigger", "TRIGGERS WHERE TRIGGER_SCHEMA", "TRIGGER_SCHEMA, TRIGGER_NAME, EVENT_OBJECT_TABLE, ''", "EVENT_OBJECT_TABLE, EVENT_MANIPULATION, ACTION_TIMING, ACTION_ORDER"); err != nil {
		return err
	}
	if err := list("event", "EVENTS WHERE EVENT_SCHEMA", "EVENT_SCHEMA, EVENT_NAME, '', EVENT_COMMENT, "+
		"ON_COMPLETION = 'NOT PRESERVE' AND COALESCE(CONVERT_TZ(COALESCE(EXECUTE_AT, ENDS), TIME_ZONE, '+00:00'), EXECUTE_AT, ENDS) < UTC_TIMESTAMP()", "EVENT_NAME"); err != nil {
		return err
	}
	for _, o := range sc.objects {
		if err := sc.readObject(ctx, s, o); err != nil {
			return err
		}
	}
	return nil
}

// readObject reads the words of an object. Without the right to see them a server refuses,
// or prints none.
func (sc *schema) readObject(ctx context.Context, s *session, o *sourceObject) error {
	words := func(r row) error {
		switch o.Kind {
		case "view":
			o.Create, o.Charset, o.Collation = hexed(r.text(1)), r.text(2), r.text(3)
		case "sequence":
			o.Create = r.text(1)
		case "event":
			o.Mode, o.Zone, o.Create, o.Charset, o.Collation = r.text(1), r.text(2), r.text(3), r.text(4), r.text(5)
		default:
			o.Mode, o.Create, o.Charset, o.Collation = r.text(1), r.text(2), r.text(3), r.text(4)
		}
		return nil
	}
	statement := "SHOW CREATE " + strings.ToUpper(o.Kind) + " " + within(sc.database, o.Name)
	var err error
	if o.Kind == "view" {
		err = sc.readView(ctx, s, o, statement, words)
	} else {
		err = s.query(ctx, statement, words)
	}
	switch numberOf(err) {
	case 0:
		if err != nil {
			return err
		}
	case 1792: // within a transaction that only reads
		o.unread = "takes values of a sequence, and a transaction that only reads may not even look at it"
		return nil
	case 1356: // of a view that the server cannot run
		o.invalid = true
	case 1142, 1143, 1044, 1227, 1305, 1370, 1345, 1360, 1539, 1146:
		// It may also be gone since it was listed, which comes to the same.
	default:
		return err
	}
	if o.Create == "" {
		o.unread = "has words that the account may not read: " + map[string]string{"view": "GRANT SHOW VIEW", "trigger": "GRANT TRIGGER", "event": "GRANT EVENT"}[o.Kind]
		if o.unread = strings.TrimSuffix(o.unread, ": "); !strings.Contains(o.unread, "GRANT") && s.server.mariadb {
			o.unread += ": GRANT SELECT ON mysql.proc"
		} else if !strings.Contains(o.unread, "GRANT") {
			o.unread += ": GRANT SHOW_ROUTINE"
		}
		return nil
	}
	if o.Kind == "sequence" {
		return sc.readPosition(ctx, s, o)
	}
	if !ascii(o.Create) && !strings.HasPrefix(o.Charset, "utf8") {
		// The words travel in UTF-8. What the texts among them become is said by the
		// collation of the connection, not by how they come.
		o.Charset = "utf8mb4"
	}
	o.definer = strings.Contains(o.Create, "DEFINER=")
	return nil
}

// readView reads the words of a view, and whether the server warns that it cannot run it.
func (sc *schema) readView(ctx context.Context, s *session, o *sourceObject, statement string, words func(row) error) error {
	err := s.query(ctx, statement, words)
	if numberOf(err) == 1792 {
		err = s.writable(ctx, func() error { return s.query(ctx, statement, words) })
	}
	if err != nil {
		return err
	}
	return s.query(ctx, "SHOW WARNINGS", func(r row) error {
		o.invalid = o.invalid || r.number(1) == 1356
		return nil
	})
}

// writable runs f while the session may write. MariaDB asks for that even to show a view
// that takes values of a sequence.
func (s *session) writable(ctx context.Context, f func() error) error {
	if err := s.exec(ctx, "SET SESSION TRANSACTION READ WRITE"); err != nil {
		return err
	}
	err := f()
	if back := s.exec(ctx, "SET SESSION TRANSACTION READ ONLY"); err == nil {
		err = back
	}
	return err
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// readPosition reads where a sequence stands.
func (sc *schema) readPosition(ctx context.Context, s *session, o *sourceObject) error {
	return s.query(ctx, "SELECT next_not_cached_value, minimum_value, maximum_value, increment, cycle_option FROM "+within(sc.database, o.Name), func(r row) error {
		o.position = connectors.Sequence{ID: catalog.TableID{Name: o.Name}, Last: r.number(0), Min: r.number(1), Max: r.number(2), Increment: r.number(3), Cycles: r.number(4) != 0}
		return nil
	})
}

// bareObject returns the words of an object without who made it and whose rights it has, an
// event disabled unless it is kept, and without the database's own name.
func (sc *schema) bareObject(o *sourceObject, kept bool) string {
	q := quoting{}
	if o.Kind != "view" {
		q = quotingOf(o.Mode)
	}
	sql := sc.unqualified(q, o)
	all := q.tokens(sql)
	var cuts []replacement
	at := 0 // where the object's name stands
	for i, w := range all {
		if w.is(lastWord(o.Kind)) {
			at = i + 1
			break
		}
		if w.is("DEFINER") && i+2 < len(all) && all[i+1].is("=") {
			end := i + 2
			if end+2 < len(all) && all[end+1].is("@") {
				end += 2
			}
			cuts = append(cuts, replacement{start: w.start, end: skipBlanks(sql, all[end].end)})
		}
		if o.Kind == "view" && w.is("SECURITY") && i+1 < len(all) && all[i+1].is("DEFINER") {
			cuts = append(cuts, replacement{start: all[i+1].start, end: all[i+1].end, with: "INVOKER"})
		}
	}
	if at == 0 || at >= len(all) {
		return sql
	}
	switch o.Kind {
	case "function", "procedure", "package", "package body":
		if place := rightsPlace(sql, all, at); place > 0 {
			with := " SQL SECURITY INVOKER"
			if sql[place] == '\n' {
				with = "\n    SQL SECURITY INVOKER" // as the server prints it
			}
			cuts = append(cuts, replacement{start: place, end: place, with: with})
		}
	case "event":
		if !kept {
			cuts = append(cuts, disabled(all[at:])...)
		}
	}
	return replaced(sql, cuts)
}

func lastWord(kind string) string { return kind[strings.LastIndexByte(kind, ' ')+1:] }

func skipBlanks(sql string, at int) int {
	for at < len(sql) && sql[at] == ' ' {
		at++
	}
	return at
}

// rightsPlace returns where a routine says whose rights it has, or 0 if it says so already.
// all[at] is its name. What SHOW CREATE prints has the type of a function's result on one line.
func rightsPlace(sql string, all []token, at int) int {
	i := at + 1
	if i < len(all) && all[i].is("(") {
		i += closing(all[i:]) + 1
	}
	if i < len(all) && (all[i].is("RETURNS") || all[i].is("RETURN")) {
		for i++; i < len(all) && !strings.Contains(sql[all[i-1].end:all[i].start], "\n"); i++ {
		}
	}
	if i > len(all)-1 {
		return 0
	}
	place := all[i-1].end
	for ; i < len(all); i++ {
		switch w := all[i]; {
		case w.is("SECURITY"):
			return 0
		case slices.ContainsFunc([]string{"LANGUAGE", "SQL", "NOT", "DETERMINISTIC", "CONTAINS", "NO", "READS", "MODIFIES", "DATA"}, w.is):
		case w.is("COMMENT"):
			i++
		default:
			return place
		}
	}
	return place
}

// disabled makes an event one that does nothing. all begins with its name.
func disabled(all []token) []replacement {
	depth := 0
	for i, w := range all {
		switch {
		case w.is("("):
			depth++
		case w.is(")"):
			depth--
		case depth == 0 && w.is("ENABLE"):
			return []replacement{{start: w.start, end: w.end, with: "DISABLE"}}
		case depth == 0 && w.is("DISABLE") && i+2 < len(all) && all[i+1].is("ON"): // SLAVE, REPLICA
			return []replacement{{start: w.start, end: all[i+2].end, with: "DISABLE"}}
		case depth == 0 && w.is("DO"):
			return nil
		}
	}
	return nil
}

// unqualified returns an object's words without the name of the database before those of
// its tables and routines: in a copy they would reach back to the source.
func (sc *schema) unqualified(q quoting, o *sourceObject) string {
	return sc.bareNames(q, o.Create, q.tokens(o.Create))
}

// bareNames leaves out the database's name where it stands before another name. A table, an
// alias or a record may be called like the database: then what is behind it decides.
func (sc *schema) bareNames(q quoting, sql string, all []token) string {
	alone := slices.ContainsFunc(sc.qualifiers(all), func(u qualifier) bool { return sc.own(u.name) && u.alone })
	var cuts []replacement
	for i, w := range all {
		if !qualifies(all, i) || !sc.own(w.text) {
			continue
		}
		next := all[i+2]
		three := i+3 < len(all) && all[i+3].is(".")
		if alone && !three && !sc.holds(next.text) {
			continue // a column of what is called like the database
		}
		cuts = append(cuts, replacement{start: w.start, end: next.start})
	}
	return replaced(sql, cuts)
}

// holds reports whether the database has a table, a view or a routine of that name.
func (sc *schema) holds(name string) bool {
	for n := range sc.tables {
		if sc.same(n, name) {
			return true
		}
	}
	return slices.ContainsFunc(sc.objects, func(o *sourceObject) bool { return strings.EqualFold(o.Name, name) })
}

// qualifies reports whether the token at i is a name that stands before another one: the
// first of a.b, and of a.b.c.
func qualifies(all []token, i int) bool {
	return i+2 < len(all) && all[i].names() && all[i+1].is(".") && (all[i+2].names() || all[i+2].is("*")) && (i == 0 || !all[i-1].is(".") && !all[i-1].is("@"))
}

// qualifier is a name that stands before another one somewhere in a statement.
type qualifier struct {
	name  string
	alone bool // it stands alone too: it is an alias, a table, a record
}

// qualifiers lists the names that stand before others.
func (sc *schema) qualifiers(all []token) (found []qualifier) {
	at := map[string]int{}
	for i, w := range all {
		if qualifies(all, i) {
			if _, seen := at[w.text]; !seen {
				at[w.text] = len(found)
				found = append(found, qualifier{name: w.text})
			}
		}
	}
	for i, w := range all {
		n, is := at[w.text]
		if !is || !w.names() || i+1 < len(all) && all[i+1].is(".") {
			continue
		}
		// Behind another name it is a column, unless that is the database's.
		if i < 2 || !all[i-1].is(".") || sc.own(all[i-2].text) {
			found[n].alone = true
		}
	}
	return found
}

// readDefinitions returns what makes the database but its rows. The fates of the catalog's
// objects decide what comes along, so that what somebody has kept comes too.
func readDefinitions(sc *schema, c *catalog.Catalog) *connectors.Definitions {
	d := definitions{Database: sc.database, Charset: sc.charset, Collation: sc.collation, Folds: sc.fold}
	out := &connectors.Definitions{Connector: "mysql", Version: sc.server.text, LeftBehind: c.Fates()}
	fates := map[string]catalog.Object{}
	for _, o := range c.Objects {
		fates[o.Kind+":"+o.Name] = o
	}
	for _, t := range c.Tables {
		from := sc.tables[t.ID.Name]
		if from == nil || t.Kind != catalog.Ordinary {
			continue
		}
		d.Tables = append(d.Tables, sc.define(t, from, fates))
		if q, has := position(t, from); has {
			out.Sequences = append(out.Sequences, q)
		}
	}
	for _, o := range sc.ordered() {
		fate := fates[o.Kind+":"+o.Name].Fate
		if fate == catalog.Stays {
			continue
		}
		made := o.object
		made.Create = sc.bareObject(o, fate != catalog.Neutralised)
		if o.Kind == "sequence" {
			d.First = append(d.First, made)
			q := o.position
			q.Fills = sc.filledBy(c, o.Name)
			out.Sequences = append(out.Sequences, q)
			continue
		}
		d.Rest = append(d.Rest, made)
	}
	out.Data = d.encode()
	return out
}

// position returns where the AUTO_INCREMENT of a table stands.
func position(t *catalog.Table, from *sourceTable) (q connectors.Sequence, has bool) {
	for _, c := range t.Columns {
		if c.Generation != catalog.IdentityByDefault {
			continue
		}
		most := int64(math.MaxInt64)
		if c.Type.Kind == catalog.Int && c.Type.Bits < 64 {
			most = 1<<(c.Type.Bits-1) - 1
		}
		return connectors.Sequence{ID: t.ID, Last: max(from.next, 1), Increment: 1, Min: 1, Max: most, Fills: []catalog.ColumnID{{Table: t.ID, Column: c.Name}}}, true
	}
	return q, false
}

// filledBy returns the columns whose defaults take a sequence's values.
func (sc *schema) filledBy(c *catalog.Catalog, sequence string) (columns []catalog.ColumnID) {
	for _, t := range c.Tables {
		for _, col := range t.Columns {
			all := quoting{}.tokens(col.Default)
			if len(all) > 0 && all[0].is("nextval") && slices.ContainsFunc(all, func(w token) bool { return w.sort == nameToken && sc.same(w.text, sequence) }) {
				columns = append(columns, catalog.ColumnID{Table: t.ID, Column: col.Name})
			}
		}
	}
	return columns
}

// define divides a table's definition into what makes it empty and what can wait.
func (sc *schema) define(t *catalog.Table, from *sourceTable, fates map[string]catalog.Object) tableDefinition {
	d := tableDefinition{Name: from.name}
	if !from.transactional() {
		d.Engine = from.engine
	}
	first := sc.soonest(t, from)
	var now []string
	// InnoDB adds one FULLTEXT key at a time: the last one waits.
	lastText := -1
	for i, p := range from.text.parts {
		if p.tokens[0].is("FULLTEXT") {
			lastText = i
		}
	}
	for i, p := range from.text.parts {
		text := sc.bareNames(quoting{}, p.text, p.tokens)
		text = plainTexts(text, quoting{}.tokens(text))
		text = commented(text, quoting{}.tokens(text))
		switch {
		case p.piece == foreignPiece:
			if fates["foreign key:"+from.name+"."+p.name].Fate != catalog.Stays {
				d.ForeignKeys = append(d.ForeignKeys, "ADD "+text)
			}
		case (p.piece == uniquePiece || p.piece == indexPiece) && i > first && (!p.tokens[0].is("FULLTEXT") || i == lastText):
			d.Indexes = append(d.Indexes, "ADD "+text)
		case p.piece == columnPiece:
			now = append(now, from.collated(p, text))
		default:
			now = append(now, text)
		}
	}
	options, _ := bareOptions(from.text.options)
	options = withCollation(options, from.collation)
	partitions, _ := bareOptions(from.text.partitions)
	d.Create = from.text.head + " (\n  " + strings.Join(now, ",\n  ") + "\n) " + options
	if partitions != "" {
		d.Create += "\n" + partitions
	}
	return d
}

// soonest returns the place of the last key that cannot wait: that of the AUTO_INCREMENT
// column, without which there is no such column; the first one that is unique and never
// null, which clusters a table without a primary key; and all of a table WITH SYSTEM
// VERSIONING, whose definition cannot be changed. What stands before it comes as well, so
// that the order stays.
func (sc *schema) soonest(t *catalog.Table, from *sourceTable) int {
	last, clustered, counted := -1, t.PrimaryKey != nil, ""
	for _, c := range t.Columns {
		if c.Generation == catalog.IdentityByDefault {
			counted = c.Name
		}
	}
	if t.PrimaryKey != nil && counted != "" && strings.EqualFold(t.PrimaryKey.Columns[0], counted) {
		counted = ""
	}
	holding := -1 // a key that has the column somewhere, which MyISAM is content with
	for i, p := range from.text.parts {
		if p.piece == primaryPiece && holding < 0 && slices.ContainsFunc(p.keys, func(k keyPart) bool { return strings.EqualFold(k.column, counted) }) {
			holding = i
		}
		if p.piece != uniquePiece && p.piece != indexPiece || p.special {
			continue
		}
		if from.versioned {
			last = i
		}
		if p.piece == uniquePiece && !clustered && neverNull(t, p) {
			clustered, last = true, max(last, i)
		}
		if counted == "" || len(p.keys) == 0 {
			continue
		}
		if strings.EqualFold(p.keys[0].column, counted) {
			counted, last, holding = "", max(last, i), -1
		} else if holding < 0 && slices.ContainsFunc(p.keys, func(k keyPart) bool { return strings.EqualFold(k.column, counted) }) {
			holding = i
		}
	}
	if counted != "" && holding >= 0 && from.text.parts[holding].piece != primaryPiece {
		last = max(last, holding)
	}
	if from.versioned {
		last = len(from.text.parts)
	}
	return last
}

// neverNull reports whether no part of a key can be null.
func neverNull(t *catalog.Table, p tablePart) bool {
	for _, k := range p.keys {
		c := t.Column(spelling(t, k.column))
		if k.column == "" || k.length > 0 || c == nil || !c.NotNull || c.Generation == catalog.Virtual {
			return false
		}
	}
	return len(p.keys) > 0
}

// collated returns a column's definition with its collation. Where it is the usual one of
// its character set some servers leave it out, and others have another usual one.
func (t *sourceTable) collated(p tablePart, text string) string {
	at := slices.IndexFunc(t.described, func(c describedColumn) bool { return c.name == p.name })
	if at < 0 || t.described[at].collation == "" {
		return text
	}
	all := quoting{}.tokens(text)
	for i, w := range all {
		if w.is("SET") && i > 0 && all[i-1].is("CHARACTER") && i+1 < len(all) {
			if i+2 < len(all) && all[i+2].is("COLLATE") {
				return text
			}
			return text[:all[i+1].end] + " COLLATE " + t.described[at].collation + text[all[i+1].end:]
		}
		if w.is("DEFAULT") || w.is("COMMENT") || w.is("AS") {
			break
		}
	}
	return text
}

// withCollation names the collation of a table beside its character set.
func withCollation(options, collation string) string {
	all := quoting{}.tokens(options)
	for i, w := range all {
		if w.is("COLLATE") {
			return options
		}
		if w.is("CHARSET") && i+2 < len(all) && all[i+1].is("=") && collation != "" {
			if i+3 < len(all) && all[i+3].is("COLLATE") {
				return options
			}
			return options[:all[i+2].end] + " COLLATE=" + collation + options[all[i+2].end:]
		}
	}
	return options
}

// ordered returns the objects in the order in which they can be made.
func (sc *schema) ordered() []*sourceObject {
	kinds := []string{"sequence", "package", "package body", "function", "procedure", "view", "trigger", "event"}
	all := slices.Clone(sc.objects)
	slices.SortStableFunc(all, func(a, b *sourceObject) int { return slices.Index(kinds, a.Kind) - slices.Index(kinds, b.Kind) })
	from := slices.IndexFunc(all, func(o *sourceObject) bool { return o.Kind == "view" })
	if from < 0 {
		return all
	}
	to := from
	views := map[string]*sourceObject{}
	for ; to < len(all) && all[to].Kind == "view"; to++ {
		views[all[to].Name] = all[to]
	}
	var made []*sourceObject
	done := map[string]bool{}
	var visit func(o *sourceObject)
	visit = func(o *sourceObject) {
		if done[o.Name] {
			return
		}
		done[o.Name] = true
		for _, n := range relations(quoting{}.tokens(sc.unqualified(quoting{}, o))) {
			for name, v := range views {
				if sc.same(name, n) && v != o {
					visit(v)
				}
			}
		}
		made = append(made, o)
	}
	for _, o := range all[from:to] {
		visit(o)
	}
	copy(all[from:], made)
	return all
}

// relations returns the names that stand in the words of a view where a table can. The
// server prints columns with that of their table.
func relations(all []token) (found []string) {
	for i, w := range all {
		if i == 0 || w.sort != nameToken || i+1 < len(all) && (all[i+1].is(".") || all[i+1].is("(")) {
			continue
		}
		before := all[i-1]
		if before.is("FROM") || before.is("JOIN") || before.is("STRAIGHT_JOIN") || before.is(",") || before.is("(") {
			found = append(found, w.text)
		}
	}
	return found
}
