package postgres

import (
	"errors"
	"slices"
	"strings"

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

func (p *picture) has(kind, name string) bool {
	return slices.ContainsFunc(p.objects, func(o catalog.Object) bool { return o.Kind == kind && o.Name == name })
}

// lookers returns the names of the functions that read rows of tables and views, those included
// that call one of them. Nothing keeps a function from that which is called immutable.
func (p *picture) lookers(tables []*catalog.Table) functionNames {
	sources := map[string]bool{}
	for _, t := range tables {
		sources[t.ID.Name] = true
	}
	for _, o := range p.objects {
		if o.Kind == "view" || o.Kind == "materialized view" {
			_, bare, _ := strings.Cut(o.Name, ".")
			sources[bare] = true
		}
	}
	found := functionNames{}
	for changed := true; changed; {
		changed = false
		for _, o := range p.objects {
			name, _, _ := strings.Cut(o.Name, "(")
			_, bare, _ := strings.Cut(name, ".")
			if o.Kind == "function" && !found[name] && readsRows(tokens(o.Definition), sources, found, 0) {
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
		if d.check != "" && p.looking.calledIn(d.text) && !slices.ContainsFunc(tables, func(t *catalog.Table) bool {
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
			if p.looking.calledIn(d.Text) {
				p.late[t.ID] = append(p.late[t.ID], d)
			}
		}
		for _, c := range t.Columns {
			if c.Generation == catalog.Stored && p.looking.calledIn(c.Computation) {
				p.add(archiveID{}, catalog.Object{Kind: "computed column", Name: t.ID.String() + "." + c.Name, Fate: catalog.Noted,
					Reason: "is computed when its row is loaded, by a function that reads rows, of which some may come later"})
			}
		}
	}
}

// tainted decides about what would call a neutralised function by itself: a trigger or a
// default would refuse writes, a materialised view its refresh, an index or a CHECK the rows.
func (p *picture) tainted(tables []*catalog.Table) {
	bad := map[string][]string{} // schema.name, in lower case → all that is to blame
	blame := func(name string, refs ...string) (more bool) {
		for _, ref := range refs {
			if !slices.Contains(bad[name], ref) {
				bad[name], more = append(bad[name], ref), true
			}
		}
		return more
	}
	fate := map[string]catalog.Fate{}
	for _, o := range p.objects {
		ref := o.Kind + ":" + o.Name
		fate[ref] = o.Fate
		if (o.Kind == "function" || o.Kind == "procedure") && !o.Fate.Along() {
			name, bare := functionName(o)
			blame(name, ref)
			blame(bare, ref)
		}
	}
	if len(bad) == 0 {
		return
	}
	// blamed is what is to blame, as people say it.
	blamed := func(refs []string) string {
		kind, name, _ := strings.Cut(refs[0], ":")
		if fate[refs[0]] == catalog.Stays {
			return kind + " " + name + ", which stays behind"
		}
		return kind + " " + name + ", which is neutralised"
	}
	// all is what is to blame for what code mentions, or what an expression calls.
	all := func(code string, in func(code string, asked func(name string) bool) []string) (refs []string) {
		for _, name := range in(code, func(name string) bool { return len(bad[strings.ToLower(name)]) > 0 }) {
			for _, ref := range bad[strings.ToLower(name)] {
				if !slices.Contains(refs, ref) {
					refs = append(refs, ref)
				}
			}
		}
		return refs
	}
	// Whoever calls it fails with it: functions, and views over them. One that is to blame
	// itself may call another: who keeps it still lacks the other.
	for changed := true; changed; {
		changed = false
		for i := range p.objects {
			o := &p.objects[i]
			switch o.Kind {
			case "function", "procedure", "view", "materialized view":
				if o.Fate == catalog.Stays {
					continue
				}
				refs := all(behindName(*o), mentions)
				if len(refs) == 0 {
					continue
				}
				name, bare := functionName(*o)
				changed = blame(name, refs...) || changed
				if o.Kind == "function" || o.Kind == "procedure" {
					changed = blame(bare, refs...) || changed
				}
				if o.Kind == "materialized view" {
					o.Fate, o.Causes = catalog.Neutralised, refs
					o.Reason = "is made without rows, and not refreshed: it needs " + blamed(refs)
				}
			}
		}
	}
	// What somebody calls, or reads, comes as it is: it says itself what it lacks.
	for i := range p.objects {
		o := &p.objects[i]
		reason := ""
		var refs []string
		switch o.Kind {
		case "function", "procedure", "view", "policy":
			if !o.Fate.Along() {
				continue
			}
			code := behindName(*o)
			if refs = all(parametersOf(code), mentions); len(refs) > 0 {
				reason = "has a parameter whose default calls " + blamed(refs) + ", and would fail"
			}
			if refs = all(code, mentions); len(refs) > 0 && reason == "" {
				reason = "calls " + blamed(refs) + ", and would fail"
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
	leave := func(kind, name string, refs []string) {
		o := catalog.Object{Kind: kind, Name: name, Fate: catalog.Stays, Causes: refs,
			Reason: "calls " + blamed(refs) + ", and would fail"}
		for i := range p.objects {
			if p.objects[i].Kind == kind && p.objects[i].Name == name {
				if p.objects[i].Fate != catalog.Stays {
					o.Definition, o.Comment, o.Reads = p.objects[i].Definition, p.objects[i].Comment, p.objects[i].Reads
					p.objects[i] = o
				}
				return
			}
		}
		p.add(archiveID{}, o)
	}
	for i := range p.objects {
		if o := p.objects[i]; o.Kind == "rule" {
			if refs := all(o.Definition, mentions); len(refs) > 0 {
				leave(o.Kind, o.Name, refs) // it would refuse writes
			}
		}
	}
	for _, d := range p.domains {
		if refs := all(d.text, callsIn); len(refs) > 0 {
			kind, name := d.kindName()
			leave(kind, name, refs)
			p.constraints[d.domain] = append(p.constraints[d.domain], d.check)
		}
	}
	for _, d := range p.given {
		// A default that fails would refuse every row that leaves the column out.
		if refs := all(d.expression, callsIn); len(refs) > 0 {
			leave("default", d.name(), refs)
			if !slices.Contains(p.defaults[d.of], d.defaulted) {
				p.defaults[d.of] = append(p.defaults[d.of], d.defaulted)
			}
		}
	}
	for _, t := range tables {
		for _, c := range t.Columns {
			if refs := all(c.Computation, callsIn); len(refs) > 0 && c.Generation == catalog.Stored {
				p.add(archiveID{}, catalog.Object{Kind: "column", Name: t.ID.String() + "." + c.Name, Fate: catalog.Stops, Causes: refs,
					Reason: "is computed by " + blamed(refs)})
			}
		}
		for _, d := range t.Triggers {
			function, _ := functionName(catalog.Object{Name: d.Function})
			if refs := bad[function]; len(refs) > 0 {
				leave("trigger", t.ID.String()+"."+d.Name, refs)
			}
		}
		for _, d := range t.Indexes {
			refs := all(d.Text, callsIn)
			switch {
			case len(refs) == 0:
			case slices.ContainsFunc(t.Rules, func(r catalog.Rule) bool { return r.Exclusion && r.Name == d.Name }):
				leave("constraint", t.ID.String()+"."+d.Name, refs)
				p.constraints[t.ID] = append(p.constraints[t.ID], d.Name)
			default:
				leave("index", t.ID.Schema+"."+d.Name, refs)
			}
		}
		for _, d := range t.Checks {
			if refs := all(d.Text, callsIn); len(refs) > 0 {
				leave("constraint", t.ID.String()+"."+d.Name, refs)
				p.constraints[t.ID] = append(p.constraints[t.ID], d.Name)
			}
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
		if rest, ok := strings.CutPrefix(item, "CONSTRAINT "+name+" ON "); ok {
			rest = strings.TrimPrefix(rest, "DOMAIN ")
			return rest == of || rest == ident(of)
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
// what stands behind it is the end of the column, or that it is NOT NULL, which has a name
// since version 18.
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
		if rest == "" || strings.HasPrefix(rest, ",") || strings.HasPrefix(rest, "\n") || strings.HasPrefix(rest, " NOT NULL") || strings.HasPrefix(rest, " CONSTRAINT ") {
			return sql[:at] + rest, true
		}
		from = at + 1
	}
}
