package postgres

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Parts of tables and domains that reach out, or that need what does not come along as it
// is: defaults, constraints, indexes, triggers, and columns that are computed.

// domainPart is a CHECK of a domain by its name, or its default without one.
type domainPart struct {
	domain      catalog.TableID
	check, text string
}

// givenDefault is the default of a column, by its table or view.
type givenDefault struct {
	of catalog.TableID
	defaulted
}

func (d givenDefault) name() string { return d.of.String() + "." + d.column }

func (d domainPart) kindName() (kind, name string) {
	if d.check == "" {
		return "default", d.domain.String()
	}
	return "constraint", d.domain.String() + "." + d.check
}

// reaching decides about the defaults and CHECKs of tables that reach out themselves, by a
// function that every server has: no object stays for whose sake they would.
func (p *picture) reaching(tables []*catalog.Table, own map[string]bool) {
	for _, d := range p.given {
		if why := reaches(d.expression, own); why != "" && !p.has("default", d.name()) {
			p.add(archiveID{}, catalog.Object{Kind: "default", Name: d.name(), Fate: catalog.Stays, Reason: why})
			p.defaults[d.of] = append(p.defaults[d.of], d.defaulted)
		}
	}
	for _, t := range tables {
		for _, d := range t.Triggers {
			if why := reaches(conditionOf(d.Text), own); why != "" {
				p.stays("trigger", t.ID.String()+"."+d.Name, why)
			}
		}
		for _, d := range t.Checks {
			if why := reaches(d.Text, own); why != "" && !p.has("constraint", t.ID.String()+"."+d.Name) {
				p.add(archiveID{}, catalog.Object{Kind: "constraint", Name: t.ID.String() + "." + d.Name, Fate: catalog.Stays, Reason: why})
				p.constraints[t.ID] = append(p.constraints[t.ID], d.Name)
			}
		}
	}
	for _, d := range p.domains {
		kind, name := d.kindName()
		if why := reaches(d.text, own); why != "" && !p.has(kind, name) {
			p.add(archiveID{}, catalog.Object{Kind: kind, Name: name, Fate: catalog.Stays, Reason: why})
			p.constraints[d.domain] = append(p.constraints[d.domain], d.check)
		}
	}
}

// conditionOf returns the words of a trigger without what it calls, and what it hands over: that is
// run by the function, if at all.
func conditionOf(trigger string) string {
	return trigger[:max(strings.LastIndex(trigger, " EXECUTE "), 0)]
}

// stays says of an object why it stays behind, unless it does already.
func (p *picture) stays(kind, name, why string) {
	for i := range p.objects {
		if o := &p.objects[i]; o.Kind == kind && o.Name == name && o.Fate != catalog.Stays {
			o.Fate, o.Reason = catalog.Stays, why
		}
	}
}

// unnamed decides about operators, casts, aggregates and classes of operators of which the function is one
// of the server's own that reaches out: whatever uses them calls it without its name.
func (p *picture) unnamed(ctx context.Context, conn *pgx.Conn) error {
	why := map[string]string{"ts_rewrite": runsGiven, "ts_stat": runsGiven}
	for name, reason := range reachers {
		if inServer(name) {
			why[name] = reason
		}
	}
	// The locks on catalogs that nothing else reads are given back: with those on all tables, the server
	// may have room for few more.
	if _, err := conn.Exec(ctx, "SAVEPOINT unnamed"); err != nil {
		return err
	}
	err := each(ctx, conn, "unnamed", []any{slices.Sorted(maps.Keys(why))}, func(row pgx.CollectableRow) error {
		var at archiveID
		var function, kind, name string
		if err := row.Scan(&function, &at.class, &at.oid, &kind, &name); err != nil {
			return err
		}
		i := slices.Index(p.at, at)
		if i < 0 {
			i = p.add(at, catalog.Object{Kind: kind, Name: name})
		}
		p.objects[i].Fate, p.objects[i].Reason = catalog.Stays, why[function]
		return nil
	})
	if err != nil {
		return err
	}
	_, err = conn.PgConn().Exec(ctx, "ROLLBACK TO SAVEPOINT unnamed; RELEASE SAVEPOINT unnamed").ReadAll()
	return err
}

func (p *picture) has(kind, name string) bool {
	return slices.ContainsFunc(p.objects, func(o catalog.Object) bool { return o.Kind == kind && o.Name == name })
}

// lookers are the functions that read rows: of tables and views, or of materialized views, those
// included that call one of them. Nothing keeps a function from that which is called immutable.
type lookers struct{ rows, views functionNames }

func (p *picture) lookers(tables []*catalog.Table) lookers {
	rows, views := map[string]bool{}, map[string]bool{}
	for _, t := range tables {
		rows[t.ID.Name] = true
	}
	sights := map[string]sight{}
	for _, o := range p.objects {
		_, bare, _ := strings.Cut(o.Name, ".")
		switch o.Kind {
		case "view":
			rows[bare] = true
		case "materialized view":
			rows[bare], views[bare] = true, true
		case "function":
			sights[o.Name] = sightOf(o.Definition)
		}
	}
	return lookers{lookingAt(rows, sights), lookingAt(views, sights)}
}

// lookingAt returns the functions that read from one of the sources, or call one that does.
func lookingAt(sources map[string]bool, sights map[string]sight) functionNames {
	among := func(names, all map[string]bool) bool {
		for name := range names {
			if all[name] {
				return true
			}
		}
		return false
	}
	found := functionNames{}
	for changed := len(sources) > 0; changed; {
		changed = false
		for function, s := range sights {
			name, _, _ := strings.Cut(function, "(")
			_, bare, _ := strings.Cut(name, ".")
			if !found[name] && (among(s.reads, sources) || among(s.calls, found)) {
				found[name], found[bare], changed = true, true, true
			}
		}
	}
	return found
}

// postponed returns the CHECKs of domains that look into rows. One of a domain within arrays or
// rows is not among them: the server adds none to a domain that a table has in such a column.
func (p *picture) postponed(tables []*catalog.Table) (late []domainPart) {
	var within func(t catalog.Type, d domainPart, deep bool) bool
	within = func(t catalog.Type, d domainPart, deep bool) bool {
		if deep && (t.Name == table(d.domain) || t.Name == d.domain.String()) {
			return true
		}
		return t.Element != nil && within(*t.Element, d, true) || slices.ContainsFunc(t.Fields, func(f catalog.Field) bool { return within(f.Type, d, true) })
	}
	for _, d := range p.domains {
		if d.check != "" && p.looking.rows.calledIn(d.text) && !slices.ContainsFunc(tables, func(t *catalog.Table) bool {
			return slices.ContainsFunc(t.Columns, func(c catalog.Column) bool { return within(c.Type, d, false) })
		}) {
			late = append(late, d)
		}
	}
	return late
}

// lookedUp notes the columns that are computed by what looks into tables: an index or a CHECK
// can wait for all rows, a stored column cannot.
func (p *picture) lookedUp(tables []*catalog.Table) {
	p.looking = p.lookers(tables)
	p.lateDomains = p.postponed(tables)
	for _, t := range tables {
		for _, d := range t.Checks {
			if p.looking.rows.calledIn(d.Text) {
				p.late[t.ID] = append(p.late[t.ID], d)
			}
		}
		for _, c := range t.Columns {
			if c.Generation == catalog.Stored && p.looking.rows.calledIn(c.Computation) {
				p.add(archiveID{}, catalog.Object{Kind: "computed column", Name: t.ID.String() + "." + c.Name, Fate: catalog.Noted,
					Reason: "is computed when its row is loaded, by a function that reads rows, of which some may come later"})
			}
		}
	}
}

// taint is what would fail in a copy since a function that it calls is neutralised or stays, and
// which functions are to blame for it, as kind:name.
type taint struct {
	p     *picture
	at    map[archiveID]int      // the objects, by their keys
	names map[string][]string    // by what calls a name: schema.name or name, in lower case
	keys  map[archiveID][]string // by what uses an object, or something that is none here
	fate  map[string]catalog.Fate
	asked map[archiveID]int // how many were to blame when its users were read
	used  map[part][]string
	parts []part // those of used, in the order in which they were found
}

// tainted decides about what would call a neutralised function by itself: a trigger or a
// default would refuse writes, a materialised view its refresh, an index or a CHECK the rows.
func (p *picture) tainted(ctx context.Context, conn *pgx.Conn, tables []*catalog.Table) error {
	t := p.startTaint()
	if len(t.names) == 0 {
		return nil
	}
	for more := true; more; {
		byWords := t.byWords()
		byUse, err := t.byUse(ctx, conn)
		if err != nil {
			return err
		}
		more = byWords || byUse
	}
	t.note()
	t.leaveGiven()
	for _, table := range tables {
		t.leaveOf(table)
	}
	t.leaveUsers()
	return nil
}

// startTaint begins with the functions and aggregates that do not come along as they are.
func (p *picture) startTaint() *taint {
	t := &taint{p: p, at: map[archiveID]int{}, names: map[string][]string{}, keys: map[archiveID][]string{}, fate: map[string]catalog.Fate{}, asked: map[archiveID]int{}, used: map[part][]string{}}
	for i, o := range p.objects {
		if at := p.keyOf(i); at.oid != 0 {
			t.at[at] = i
		}
		ref := o.Kind + ":" + o.Name
		t.fate[ref] = o.Fate
		if (o.Kind == "function" || o.Kind == "procedure" || o.Kind == "aggregate") && !o.Fate.Along() {
			t.blames(i, []string{ref})
		}
	}
	return t
}

// blames says what is to blame for what calls, reads or uses an object.
func (t *taint) blames(i int, refs []string) (more bool) {
	o := &t.p.objects[i]
	more = blame(t.keys, t.p.keyOf(i), refs)
	name, bare := functionName(*o)
	switch o.Kind {
	case "function", "procedure", "aggregate":
		more = blame(t.names, name, refs) || more
		more = blame(t.names, bare, refs) || more
	case "view":
		more = blame(t.names, name, refs) || more
	case "materialized view":
		more = blame(t.names, name, refs) || more
		o.Fate, o.Causes = catalog.Neutralised, t.keys[t.p.keyOf(i)]
		o.Reason = "is made without rows, and not refreshed: it needs " + t.blamed(o.Causes)
	}
	return more
}

// blamed is what is to blame, as people say it.
func (t *taint) blamed(refs []string) string {
	kind, name, _ := strings.Cut(refs[0], ":")
	if t.fate[refs[0]] == catalog.Stays {
		return kind + " " + name + ", which stays behind"
	}
	return kind + " " + name + ", which is neutralised"
}

// all is what is to blame for what code mentions, or what an expression calls.
func (t *taint) all(code string, in func(code string, asked func(name string) bool) []string) (refs []string) {
	for _, name := range in(code, func(name string) bool { return len(t.names[strings.ToLower(name)]) > 0 }) {
		for _, ref := range t.names[strings.ToLower(name)] {
			if !slices.Contains(refs, ref) {
				refs = append(refs, ref)
			}
		}
	}
	return refs
}

// byWords looks for who calls what is to blame, and fails with it: functions, and views over
// them. One that is to blame itself may call another: who keeps it still lacks the other.
func (t *taint) byWords() (more bool) {
	for i, o := range t.p.objects {
		switch o.Kind {
		case "function", "procedure", "view", "materialized view":
			if o.Fate == catalog.Stays {
				continue
			}
			if refs := t.all(behindName(o), mentions); len(refs) > 0 {
				more = t.blames(i, refs) || more
			}
		}
	}
	return more
}

// note says of what somebody calls, or reads, that it would fail. It comes as it is: it says
// itself what it lacks.
func (t *taint) note() {
	for i := range t.p.objects {
		o := &t.p.objects[i]
		var refs []string
		reason := ""
		switch o.Kind {
		case "function", "procedure", "view", "policy", "aggregate":
			if !o.Fate.Along() {
				continue
			}
			code := behindName(*o)
			if refs = t.all(parametersOf(code), mentions); len(refs) > 0 {
				reason = "has a parameter whose default calls " + t.blamed(refs) + ", and would fail"
			}
			refs = t.all(code, mentions)
			for _, ref := range t.keys[t.p.keyOf(i)] {
				if !slices.Contains(refs, ref) {
					refs = append(refs, ref)
				}
			}
			if len(refs) > 0 && reason == "" {
				reason = "calls " + t.blamed(refs) + ", and would fail"
			}
		}
		if reason == "" {
			continue
		}
		if o.Still = o.Reason; o.Still != "" {
			reason = o.Still + "; and " + reason
		}
		o.Fate, o.Reason, o.Causes = catalog.Noted, reason, refs
	}
}

// leave leaves an object behind that would fail.
func (t *taint) leave(kind, name string, refs []string) {
	t.decide(catalog.Object{Kind: kind, Name: name, Fate: catalog.Stays, Causes: refs, Reason: "calls " + t.blamed(refs) + ", and would fail"})
}

// stop says of a part that no copy can be made without it, and that it would fail.
func (t *taint) stop(kind, name, reason string, refs []string) {
	t.decide(catalog.Object{Kind: kind, Name: name, Fate: catalog.Stops, Causes: refs, Reason: reason + t.blamed(refs)})
}

func (t *taint) decide(o catalog.Object) {
	i := slices.IndexFunc(t.p.objects, func(known catalog.Object) bool { return known.Kind == o.Kind && known.Name == o.Name })
	if i < 0 {
		t.p.add(archiveID{}, o)
		return
	}
	known := &t.p.objects[i]
	switch {
	case known.Fate != catalog.Stays && known.Fate != catalog.Stops:
		o.Definition, o.Comment, o.Reads = known.Definition, known.Comment, known.Reads
		*known = o
	case len(known.Causes) > 0:
		for _, ref := range o.Causes {
			if !slices.Contains(known.Causes, ref) {
				known.Causes = append(slices.Clip(known.Causes), ref)
			}
		}
	}
}

func (t *taint) leaveConstraint(of catalog.TableID, name string, refs []string) {
	t.leave("constraint", of.String()+"."+name, refs)
	if !slices.Contains(t.p.constraints[of], name) {
		t.p.constraints[of] = append(t.p.constraints[of], name)
	}
}

func (t *taint) leaveDomain(d domainPart, refs []string) {
	kind, name := d.kindName()
	t.leave(kind, name, refs)
	if !slices.Contains(t.p.constraints[d.domain], d.check) {
		t.p.constraints[d.domain] = append(t.p.constraints[d.domain], d.check)
	}
}

// leaveDefault leaves a default that would refuse every row which leaves its column out.
func (t *taint) leaveDefault(d givenDefault, refs []string) {
	t.leave("default", d.name(), refs)
	if !slices.Contains(t.p.defaults[d.of], d.defaulted) {
		t.p.defaults[d.of] = append(t.p.defaults[d.of], d.defaulted)
	}
}

// leaveGiven decides about rules, domains and defaults by their words.
func (t *taint) leaveGiven() {
	for i := range t.p.objects {
		if o := t.p.objects[i]; o.Kind == "rule" {
			if refs := t.all(o.Definition, mentions); len(refs) > 0 {
				t.leave(o.Kind, o.Name, refs) // it would refuse writes
			}
		}
	}
	for _, d := range t.p.domains {
		if refs := t.all(d.text, callsIn); len(refs) > 0 {
			t.leaveDomain(d, refs)
		}
	}
	for _, d := range t.p.given {
		if refs := t.all(d.expression, callsIn); len(refs) > 0 {
			t.leaveDefault(d, refs)
		}
	}
}

// leaveOf decides about the parts of a table by their words.
func (t *taint) leaveOf(table *catalog.Table) {
	for _, c := range table.Columns {
		if refs := t.all(c.Computation, callsIn); len(refs) > 0 && c.Generation == catalog.Stored {
			t.stop("column", table.ID.String()+"."+c.Name, "is computed by ", refs)
		}
	}
	for _, d := range table.Triggers {
		function, _ := functionName(catalog.Object{Name: d.Function})
		if refs := t.names[function]; len(refs) > 0 {
			t.leave("trigger", table.ID.String()+"."+d.Name, refs)
		}
	}
	for _, d := range table.Indexes {
		refs := t.all(d.Text, callsIn)
		switch {
		case len(refs) == 0:
		case slices.ContainsFunc(table.Rules, func(r catalog.Rule) bool { return r.Exclusion && r.Name == d.Name }):
			t.leaveConstraint(table.ID, d.Name, refs)
		default:
			t.leave("index", table.ID.Schema+"."+d.Name, refs)
		}
	}
	for _, d := range table.Checks {
		if refs := t.all(d.Text, callsIn); len(refs) > 0 {
			t.leaveConstraint(table.ID, d.Name, refs)
		}
	}
}

// partStays reports whether an item is a default or a constraint that stays behind, and
// stands by itself: a CHECK that is not valid, an exclusion. An archive calls it "table name".
func (p *picture) partStays(it *item, f fates) bool {
	for id, columns := range p.defaults {
		if it.Kind == "DEFAULT" && id.Schema == it.Schema && slices.ContainsFunc(columns, func(d defaulted) bool {
			return it.Name == id.Name+" "+d.column && f.byName["default:"+id.String()+"."+d.column] == catalog.Stays
		}) {
			return true
		}
	}
	for id, names := range p.constraints {
		if it.Kind != "DEFAULT" && id.Schema == it.Schema && slices.ContainsFunc(names, func(name string) bool {
			return (it.Name == id.Name+" "+name || it.Kind == "COMMENT" && isComment(it.Name, name, id.Name)) && f.byName["constraint:"+id.String()+"."+name] == catalog.Stays
		}) {
			return true
		}
	}
	return false
}

// isComment reports whether an archive calls the comment on a constraint so.
func isComment(item, constraint, of string) bool {
	for _, name := range []string{constraint, ident(constraint)} {
		if rest, ok := strings.CutPrefix(item, inLine("CONSTRAINT "+name+" ON ")); ok {
			rest = strings.TrimPrefix(rest, "DOMAIN ")
			return rest == inLine(of) || rest == inLine(ident(of))
		}
	}
	return false
}

// cutDomain takes the default and CHECKs out of a domain that stay behind.
func (p *picture) cutDomain(it *item, f fates) {
	for _, d := range p.domains {
		kind, name := d.kindName()
		if d.domain.Schema != it.Schema || d.domain.Name != it.Name || f.byName[kind+":"+name] != catalog.Stays {
			continue
		}
		drop := "DEFAULT"
		if d.check != "" {
			drop = "CONSTRAINT IF EXISTS " + ident(d.check)
		}
		it.SQL += "\nALTER DOMAIN " + table(d.domain) + " DROP " + drop + ";"
	}
}

// cutTable takes defaults and CHECKs out of a table that stay behind.
func (p *picture) cutTable(it *item, id catalog.TableID, f fates) error {
	for _, d := range p.defaults[id] {
		if f.byName["default:"+id.String()+"."+d.column] != catalog.Stays {
			continue
		}
		// Where the default stands in the table, it stands behind the column's name.
		cut := false
		for _, name := range []string{d.column, ident(d.column)} {
			if sql, found := cutDefault(it.SQL, name, d.expression); found {
				it.SQL, cut, it.free = sql, true, true
				break
			}
		}
		if !cut && strings.Contains(it.SQL, d.expression) {
			return &connectors.Error{Kind: connectors.KindUnsupported, Side: connectors.SourceSide, Op: "leave the default of " + id.String() + "." + d.column + " behind",
				Err: errors.New("it cannot be taken out of the table"), Hint: "drop the default at the source, or keep what it calls by --keep-object"}
		}
	}
	for _, name := range p.constraints[id] {
		if saysCheck(it.SQL, name) && f.byName["constraint:"+id.String()+"."+name] == catalog.Stays {
			it.SQL += dropCheck(id, name)
		}
	}
	return nil
}

// cutDefault takes the default out of the line of a table's column, as pg_dump writes it:
// what stands behind it is the end of the column, its collation, or that it is NOT NULL, which
// has a name since version 18.
func cutDefault(sql, column, expression string) (without string, found bool) {
	start := strings.Index(sql, "\n    "+column+" ")
	if start < 0 {
		return sql, false
	}
	given := " DEFAULT " + expression
	for from := start + 1; ; {
		at := strings.Index(sql[from:], given)
		if at < 0 || strings.Contains(sql[start+1:from+at], "\n") {
			return sql, false
		}
		at += from
		rest := sql[at+len(given):]
		behind := func(next string) bool { return strings.HasPrefix(rest, next) }
		if rest == "" || slices.ContainsFunc([]string{",", "\n", " NOT NULL", " CONSTRAINT ", " COLLATE "}, behind) {
			return sql[:at] + rest, true
		}
		from = at + 1
	}
}
