package postgres

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// archive is the table of contents of a dump, with the SQL of each item.
type archive struct {
	items []*item
	byID  map[int]*item
}

type item struct {
	entry
	id    int
	at    archiveID
	line  string // kind, schema, name and owner as the list has them
	deps  []int
	after bool // stands in the section behind the rows
	seen  bool // its SQL has been found
	left  bool // stays behind
	free  bool // needs nothing of what stays behind: its SQL is another
}

// readArchive takes a dump apart: the list gives the order, the ids and what
// depends on what; the scripts give the SQL, under a heading for each item.
func readArchive(toc, before, after string) (*archive, error) {
	a := &archive{byID: map[int]*item{}}
	var last *item
	for line := range strings.Lines(toc) {
		line = strings.TrimRight(line, "\r\n")
		if deps, ok := strings.CutPrefix(line, ";\tdepends on: "); ok && last != nil {
			for _, f := range strings.Fields(deps) {
				if n, err := strconv.Atoi(f); err == nil {
					last.deps = append(last.deps, n)
				}
			}
			continue
		}
		if strings.HasPrefix(line, ";") || line == "" {
			continue
		}
		it := &item{}
		var rest string
		id, rest, ok := strings.Cut(line, "; ")
		parts := strings.SplitN(rest, " ", 3)
		if !ok || len(parts) != 3 {
			return nil, errors.New("pg_restore: its list cannot be read")
		}
		class, err1 := strconv.ParseUint(parts[0], 10, 32)
		oid, err2 := strconv.ParseUint(parts[1], 10, 32)
		n, err3 := strconv.Atoi(id)
		if err := errors.Join(err1, err2, err3); err != nil {
			return nil, errors.New("pg_restore: its list cannot be read")
		}
		it.id, it.at, it.line = n, archiveID{uint32(class), uint32(oid)}, parts[2]
		a.items = append(a.items, it)
		a.byID[n] = it
		last = it
	}
	if err := a.read(before, false); err != nil {
		return nil, err
	}
	if err := a.read(after, true); err != nil {
		return nil, err
	}
	for _, it := range a.items {
		kind, _, _ := strings.Cut(it.line, " ")
		switch {
		case it.seen, kind == "ENCODING", kind == "STDSTRINGS", kind == "SEARCHPATH", kind == "DATABASE":
		case strings.HasPrefix(it.line, "COMMENT - DATABASE "):
			// It is in the list, and in no script of objects. The copy has a
			// comment of its own: our mark.
			it.left = true
		case it.stays():
			it.left = true
		default:
			return nil, fmt.Errorf("pg_restore: no definition of %s in its script", it.line)
		}
	}
	return a, nil
}

// stays reports whether an item that has no SQL of its own is one of those that stay.
func (it *item) stays() bool {
	for kind := range stay {
		if strings.HasPrefix(it.line, kind+" ") {
			return true
		}
	}
	return false
}

const (
	headingStart = "--\n-- Name: "
	scriptEnd    = "\n--\n-- PostgreSQL database dump complete\n--\n"
)

// read finds the SQL of each item of a section. A heading counts only outside of literals, and if
// the list has such an item further down than the last one: a function's body, or a comment, may
// well hold something that looks like a heading.
func (a *archive) read(script string, after bool) error {
	if i := strings.LastIndex(script, scriptEnd); i >= 0 {
		script = script[:i+1]
	}
	next := 0     // the first item that may come
	var now *item // whose SQL we are in
	start := 0    // of its SQL
	method := ""  // the setting that says how a table is stored
	finish := func(end int) {
		sql, setting := cutSettings(script[start:end])
		if now != nil && sql != "" {
			// The setting holds for the session, but an item may be left out
			// or run elsewhere: so each table takes it along.
			if now.Kind == "TABLE" || now.Kind == "MATERIALIZED VIEW" {
				sql = method + sql
			}
			now.SQL = sql
		}
		if setting != "" {
			method = setting
		}
	}
	for pos := 0; pos < len(script); {
		found, behind := a.headed(script, pos, next)
		if found < 0 {
			// Cut there, what follows would be run as something else.
			if pos = afterPiece(script, pos); pos > len(script) {
				return errors.New("pg_restore: its script ends within a literal, a name or a comment")
			}
			continue
		}
		finish(pos)
		now = a.items[found]
		now.seen, now.after = true, after
		now.Kind, now.Schema, now.Name, _ = heading(script[pos+len("--\n") : behind-len("\n--\n")])
		start, pos, next = behind, behind, found+1
	}
	if now != nil {
		finish(len(script))
	}
	return nil
}

// headed returns which item from next on has its heading at i, and where the heading ends, or -1.
func (a *archive) headed(script string, i, next int) (found, end int) {
	if !strings.HasPrefix(script[i:], headingStart) || i > 0 && script[i-1] != '\n' {
		return -1, 0
	}
	line, body, ok := strings.Cut(script[i+len("--\n"):], "\n")
	if !ok || !strings.HasPrefix(body, "--\n") {
		return -1, 0
	}
	kind, schema, name, ok := heading(line)
	if !ok {
		return -1, 0
	}
	if schema == "" {
		schema = "-"
	}
	for k := next; k < len(a.items); k++ {
		if it := a.items[k]; !it.seen && strings.HasPrefix(it.line+" ", kind+" "+schema+" "+name+" ") {
			return k, i + len("--\n") + len(line) + len("\n--\n")
		}
	}
	return -1, 0
}

// heading reads "-- Name: n; Type: t; Schema: s; Owner: o". The name may hold
// anything, so it is read from the end.
func heading(line string) (kind, schema, name string, ok bool) {
	line, ok = strings.CutPrefix(line, "-- Name: ")
	i := strings.LastIndex(line, "; Owner: ")
	if !ok || i < 0 {
		return "", "", "", false
	}
	line = line[:i]
	if i = strings.LastIndex(line, "; Schema: "); i < 0 {
		return "", "", "", false
	}
	line, schema = line[:i], line[i+len("; Schema: "):]
	if i = strings.LastIndex(line, "; Type: "); i < 0 {
		return "", "", "", false
	}
	if schema == "-" {
		schema = ""
	}
	return line[i+len("; Type: "):], schema, line[:i], true
}

// cutSettings takes the settings off the end of an item's SQL: they stand there
// for what follows. It returns the one that says how tables are stored.
func cutSettings(sql string) (rest, method string) {
	sql = strings.TrimSpace(sql)
	for {
		i := strings.LastIndexByte(sql, '\n')
		m := settingLine.FindStringSubmatch(sql[i+1:])
		if m == nil || i > 0 && sql[i-1] != '\n' {
			return onlyComments(sql), method
		}
		if m[1] == "table_access_method" && method == "" {
			method = m[0] + "\n"
		}
		sql = strings.TrimSpace(sql[:max(i, 0)])
	}
}

// settingLine is a setting by itself, as a dump has it behind a blank line. A text, a name or a body that
// holds such a line and ended there would end in one more quote.
var settingLine = regexp.MustCompile(`^SET default_(tablespace|table_access_method) = (?:''|[a-z_][a-z0-9_]*|"(?:[^"]|"")+");$`)

// onlyComments returns "" for SQL that says nothing: "-- *not* creating schema".
func onlyComments(sql string) string {
	for line := range strings.Lines(sql) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "--") {
			return sql
		}
	}
	return ""
}

// leave marks what depends on what stays behind. It returns what the catalog did not foresee.
func (a *archive) leave(c *catalog.Catalog) ([]catalog.Object, error) {
	var objects []catalog.Object
	for changed := true; changed; {
		changed = false
		for _, it := range a.items {
			if it.left || !it.seen {
				continue
			}
			because := slices.IndexFunc(it.deps, func(id int) bool { d := a.byID[id]; return d != nil && d.left })
			switch {
			case because < 0 || it.free:
				continue
			case it.Kind == "TABLE" || it.Kind == "SEQUENCE" || it.Kind == "SCHEMA" || it.Kind == "TYPE" || it.Kind == "DOMAIN":
				return nil, &connectors.Error{Kind: connectors.KindUnsupported, Side: connectors.SourceSide, Op: "leave " + a.byID[it.deps[because]].entry.String() + " behind",
					Err: fmt.Errorf("%s cannot be made without it", it.entry), Hint: "keep it by --keep-object, or change the definition at the source"}
			case it.Denying != "":
				of := a.byID[it.deps[because]].entry
				objects = append(objects, catalog.Object{Kind: "policy", Name: policyName(it.entry, c), Fate: catalog.Neutralised, Reason: "needs " + of.String() + ", which stays behind" + refusesRows})
				it.SQL, it.free = it.Denying, true
				continue
			case it.Kind != "COMMENT" && it.Kind != "TABLE ATTACH" && it.Kind != "INDEX ATTACH" && !stay[it.Kind]:
				of := a.byID[it.deps[because]].entry
				objects = append(objects, catalog.Object{Kind: strings.ToLower(it.Kind), Name: strings.TrimPrefix(word(it.Schema)+"."+it.Name, `"".`),
					Fate: catalog.Stays, Reason: "needs " + of.String() + ", which stays behind"})
			}
			it.left, changed = true, true
		}
	}
	return objects, nil
}

// postpone takes the CHECKs that look into rows of tables out of their tables, and adds them, with
// their comments, behind all rows: nobody can foresee which rows are loaded first. The tables
// beneath come before those above, which find the same there and merge with it.
func (a *archive) postpone(p *picture) {
	if len(p.late) == 0 && len(p.lateDomains) == 0 {
		return
	}
	f := p.fates()
	for _, it := range slices.Backward(slices.Clone(a.items)) {
		id := catalog.TableID{Schema: it.Schema, Name: it.Name}
		switch {
		case it.left:
		case it.Kind == "TABLE":
			for _, d := range p.late[id] {
				if saysCheck(it.SQL, d.Name) && f.byName["constraint:"+id.String()+"."+d.Name] != catalog.Stays {
					it.SQL += dropCheck(id, d.Name)
					a.check(p, id, d.Name, "ALTER TABLE "+table(id), d.Text)
				}
			}
		case it.Kind == "DOMAIN":
			for _, d := range p.lateDomains {
				if kind, name := d.kindName(); d.domain == id && saysCheck(it.SQL, d.check) && f.byName[kind+":"+name] != catalog.Stays {
					it.SQL += "\nALTER DOMAIN " + table(id) + " DROP CONSTRAINT " + ident(d.check) + ";"
					a.check(p, id, d.check, "ALTER DOMAIN "+table(id), d.text)
				}
			}
		}
	}
}

// looks returns when that is made which looks into rows: when they all are in, or when the
// materialized views that it looks into are filled.
func (p *picture) looks(code string) phase {
	if p.looking.views.calledIn(code) {
		return phaseFilled
	}
	return phaseAttach
}

// check adds a CHECK behind all rows, and its comment.
func (a *archive) check(p *picture, of catalog.TableID, name, alter, words string) {
	late := &item{entry: entry{Kind: "CHECK CONSTRAINT", Schema: of.Schema, Name: of.Name + " " + name, Phase: p.looks(words),
		SQL: alter + " ADD CONSTRAINT " + ident(name) + " " + words + ";"}, after: true, seen: true}
	for _, c := range a.items {
		if c.Kind == "COMMENT" && c.Schema == of.Schema && !c.left && isComment(c.Name, name, of.Name) {
			late.SQL, c.left = late.SQL+"\n"+c.SQL, true
		}
	}
	a.items = append(a.items, late)
}

// saysCheck reports whether a CHECK stands in the definition of its table.
func saysCheck(sql, name string) bool {
	return strings.Contains(sql, "CONSTRAINT "+name+" CHECK") || strings.Contains(sql, "CONSTRAINT "+ident(name)+" CHECK")
}

// dropCheck takes one out behind it: it may be inherited, and gone already.
func dropCheck(id catalog.TableID, name string) string {
	return "\nALTER TABLE ONLY " + table(id) + " DROP CONSTRAINT IF EXISTS " + ident(name) + ";"
}

// place decides when each item behind the rows is run.
func (a *archive) place(owners map[archiveID]owner, p *picture) {
	a.postpone(p)
	for _, it := range a.items {
		if !it.after || it.left || it.Phase != "" { // or was postponed
			continue
		}
		it.Phase = phaseRest
		o, owned := owners[it.at]
		t := p.Table(o.table)
		switch it.Kind {
		case "INDEX ATTACH":
			it.Phase = phaseAttach
			if slices.ContainsFunc(it.deps, func(id int) bool { d := a.byID[id]; return d != nil && d.Phase == phaseFilled }) {
				it.Phase = phaseFilled
			}
		case "STATISTICS":
			// Of a materialized view they wait for it, and it for the keys.
			if owned && t != nil {
				it.Phase, it.Table = phaseExtended, &o.table
			}
		case "EVENT TRIGGER", "ROW SECURITY":
			it.Phase = phaseLast
		case "INDEX", "CONSTRAINT":
			switch {
			case !owned || t == nil: // of a materialised view
			case strings.HasSuffix(it.SQL, " NOT VALID;"): // a NOT NULL: it would hold for rows that come later, of tables that inherit as well
			case t.Kind == catalog.Partitioned:
				it.Phase = p.looks(it.SQL)
			case p.looking.rows.calledIn(it.SQL):
				it.Phase, it.Table = p.looks(it.SQL), &o.table
			default:
				it.Phase, it.Table = phaseTable, &o.table
			}
		case "FK CONSTRAINT":
			if owned {
				it.Phase, it.Table, it.References = phaseForeign, &o.table, &o.references
			}
		case "COMMENT":
			for _, id := range it.deps {
				if d := a.byID[id]; d != nil && d.after && (d.Phase == phaseTable || d.Phase == phaseFilled || d.Phase == phaseLast) {
					it.Phase, it.Table = d.Phase, d.Table
				}
			}
		}
	}
}
