package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// A dump says of an extension that it is there, and no more: what people have changed on what it has
// made, or added to it, is in no dump. This file compares both ends, makes the same changes to the
// copy's where its account may, and says what stays behind.

// extension is an extension of the source that is made at the target as well.
type extension struct {
	Name    string   `json:"name"`
	Version string   `json:"version"`
	Members []member `json:"members,omitempty"`
}

// member is what an extension has made, or a part of a table or view that it has made.
type member struct {
	Kind   string `json:"kind"`           // as the server calls it: function, text search dictionary
	Name   string `json:"name"`           // for people
	SQL    string `json:"sql"`            // its name in SQL, if it is no part
	PartOf string `json:"part,omitempty"` // the table or view, in SQL
	// Traits are what can be changed of it. Those of a text search configuration are its dictionaries
	// by kinds of tokens.
	Traits map[string]string `json:"traits,omitempty"`
}

// ofPeople names the kinds of members that fates have another word for.
var ofPeople = map[string]string{"table constraint": "constraint", "table column": "column", "statistics object": "extended statistics", "table": "extension table"}

// object is a member as fates have it.
func (m member) object() catalog.Object {
	kind := m.Kind
	if name, other := ofPeople[kind]; other {
		kind = name
	}
	return catalog.Object{Kind: kind, Name: m.Name}
}

func (m member) String() string { return m.Kind + " " + m.Name }

// plainName finds a name in quotes that needs none in every version.
var plainName = regexp.MustCompile(`"([a-z_][a-z0-9_$]*)"`)

// alike is the name in SQL as versions have it alike: some say pg_catalog.json where others say json, and a
// word that one reserves stands in quotes there. What people make is never without its schema.
func alike(sql string) string {
	return plainName.ReplaceAllString(strings.ReplaceAll(sql, "pg_catalog.", ""), "$1")
}

// key tells a member from all others, at both ends.
func (m member) key() [2]string { return [2]string{m.Kind, alike(m.SQL)} }

// readExtensions reads the extensions that have one of the names, with their members.
func readExtensions(ctx context.Context, conn *pgx.Conn, names []string) (found []extension, err error) {
	if len(names) == 0 {
		return nil, nil
	}
	err = each(ctx, conn, "members", []any{names}, func(row pgx.CollectableRow) error {
		var x extension
		var m member
		var traits string
		if err := row.Scan(&x.Name, &x.Version, &m.Kind, &m.Name, &m.SQL, &m.PartOf, &traits); err != nil {
			return err
		}
		if n := len(found); n == 0 || found[n-1].Name != x.Name {
			found = append(found, x)
		}
		if m.Kind == "" {
			return nil
		}
		if err := json.Unmarshal([]byte(traits), &m.Traits); err != nil {
			return err
		}
		last := &found[len(found)-1]
		last.Members = append(last.Members, m)
		return nil
	})
	return found, err
}

// traveling returns the names of the extensions that are made at the target. plpgsql is in every database.
func (p *picture) traveling() (names []string) {
	for _, o := range p.Objects {
		if o.Kind == "extension" && o.Fate.Along() && o.Name != "plpgsql" {
			names = append(names, o.Name)
		}
	}
	return names
}

// leaveOnMembers says of what people have put on an extension's tables and views that it stays behind,
// of that of which the catalog alone can tell.
func (p *picture) leaveOnMembers(ctx context.Context, conn *pgx.Conn, ofExtensions map[string]string) error {
	return each(ctx, conn, "on_members", nil, func(row pgx.CollectableRow) error {
		var o catalog.Object
		var of, name string
		var at archiveID
		if err := row.Scan(&o.Kind, &o.Name, &of, &name, &at.class, &at.oid); err != nil || ofExtensions[name] != "" {
			return err
		}
		i := slices.Index(p.at, at)
		if i < 0 {
			i = p.add(at, o)
		}
		p.objects[i].Fate, p.objects[i].Reason, p.objects[i].Fixed = catalog.Stays, onMember(of, name), true
		return nil
	})
}

func onMember(of, extension string) string {
	return "is on " + of + ", which extension " + extension + " makes: what others have put there stays behind"
}

// compareMembers makes of an extension of the target what it is at the source.
func (b *build) compareMembers(ctx context.Context, held *session, source, here extension) error {
	there := map[[2]string]member{}
	relations := map[string]bool{}
	for _, m := range here.Members {
		there[m.key()] = m
		relations[alike(m.SQL)] = relations[alike(m.SQL)] || m.PartOf == ""
	}
	same := source.Version == here.Version
	var added, older []string
	for _, m := range source.Members {
		made, known := there[m.key()]
		o := m.object()
		switch {
		case known && m.Kind == "text search configuration":
			b.mappings = append(b.mappings, func() error { return b.liken(ctx, held, source.Name, m, made, same) })
		case known:
			if err := b.liken(ctx, held, source.Name, m, made, same); err != nil {
				return err
			}
		case m.PartOf != "" && (!relations[alike(m.PartOf)] || b.dumped(m)): // goes with it, or comes
		case m.PartOf != "" && (same || m.Kind != "table column"):
			b.leaves(o.Kind, o.Name, onMember(m.PartOf, source.Name))
			added = append(added, m.String())
		case same || m.Kind == "table":
			b.leaves(o.Kind, o.Name, fmt.Sprintf("was added to extension %s at the source, which does not make it at the target", source.Name))
			added = append(added, m.String())
			b.unmade = append(b.unmade, unmade{source.Name, m})
		default:
			older = append(older, m.String())
			b.unmade = append(b.unmade, unmade{source.Name, m})
		}
	}
	b.unlike = b.unlike || len(added)+len(older) > 0
	if len(added) > 0 {
		b.warn(fmt.Sprintf("no dump has what people have added to extension %s: it stays behind (%s)", source.Name, list(added)))
	}
	if len(older) > 0 {
		b.notes(catalog.Object{Kind: "extension", Name: source.Name, Fate: catalog.Noted, Reason: "does not make in the copy what it did at the source: " + list(older)})
	}
	return nil
}

// dumped reports whether a part of a member comes by itself: statistics objects do, by versions of
// pg_dump before 18.
func (b *build) dumped(m member) bool {
	return m.Kind == "statistics object" && slices.ContainsFunc(b.defs.After, func(e entry) bool { return e.Kind == "STATISTICS" && e.Schema+"."+e.Name == m.Name })
}

// unmade is a member of an extension that the target's does not make.
type unmade struct {
	extension string
	member    member
}

// namedIn reports whether a definition names a member that is no part of another.
func (m member) namedIn(sql string) bool {
	name, _, _ := strings.Cut(m.SQL, "(")
	return m.PartOf == "" && name != "" && strings.Contains(sql, name)
}

// hintUnmade names a member that is missing in a definition, and what to do.
func (b *build) hintUnmade(e entry) string {
	for _, u := range b.unmade {
		if u.member.namedIn(e.SQL) {
			return u.hint()
		}
	}
	return ""
}

// hintTable does so of a table.
func (b *build) hintTable(id catalog.TableID) string {
	for _, u := range b.unmade {
		if u.member.Kind == "table" && alike(u.member.SQL) == alike(table(id)) {
			return u.hint()
		}
	}
	return ""
}

// refuseKeys refuses keys that refer to such a table: they would fail when all rows are there.
func (b *build) refuseKeys(ctx context.Context, held *session) error {
	for _, e := range b.defs.After {
		if e.References == nil {
			continue
		}
		hint := b.hintTable(*e.References)
		if hint == "" {
			continue
		}
		var missing bool
		if err := held.conn.QueryRow(ctx, "SELECT pg_catalog.to_regclass($1) IS NULL", table(*e.References)).Scan(&missing); err != nil {
			return failDefinition(ctx, b.side, "look for "+words(*e.References), err)
		}
		if missing {
			return &connectors.Error{Kind: connectors.KindUnsupported, Side: b.side, Op: "make " + e.String(), Err: fmt.Errorf("it refers to %s, which is not in the copy", words(*e.References)),
				Hint: hint + "; or drop the key there"}
		}
	}
	return nil
}

func (u unmade) hint() string {
	return fmt.Sprintf("%s was added to extension %s, and no dump has it: at the source, ALTER EXTENSION %[2]s DROP %s %s", u.member, u.extension, strings.ToUpper(u.member.Kind), u.member.SQL)
}

// liken changes a member of the target's extension to what it is at the source. Of an extension of
// another version nobody knows what was changed, and what is its own: there the copy gets what
// indexes need, what changes results, and whose rights a function has.
func (b *build) liken(ctx context.Context, held *session, extension string, source, here member, same bool) error {
	for _, c := range changes(source, here, same) {
		if len(c.sql) == 0 {
			b.differs(extension, source, c, "")
			continue
		}
		for _, sql := range c.sql {
			err := held.exec(ctx, sql)
			if err == nil {
				continue
			}
			if stateOf(err) == "" || broken(err) {
				return failDefinition(ctx, b.side, "change "+source.String(), err)
			}
			b.differs(extension, source, c, ": "+fail(ctx, b.side, "change it", err).Error())
			if err := held.exec(ctx, "ROLLBACK"); err != nil {
				return failDefinition(ctx, b.side, "change "+source.String(), err)
			}
			break
		}
		if c.what == "is "+definer && here.Traits["definer"] != "true" {
			o := source.object()
			o.Fate, o.Reason = catalog.Noted, "runs with the rights of its owner, who is the target's account"
			b.notes(o)
		}
	}
	return nil
}

// differs says of a member of an extension that it is another in the copy.
func (b *build) differs(extension string, m member, c change, why string) {
	b.unlike = b.unlike || c.what != otherComment
	o := m.object()
	o.Fate, o.Reason = catalog.Noted, c.what+" at the source, and in the copy as extension "+extension+" makes it"+why
	b.notes(o)
	b.warn(fmt.Sprintf("%s %s", m, o.Reason))
}

// change is a difference between a member at both ends: what is so at the source, and the SQL that
// makes it so, if any does.
type change struct {
	what string
	sql  []string
}

// spelledTraits are those of functions in the words of ALTER FUNCTION.
var spelledTraits = map[string]func(value string) string{
	"volatility": func(v string) string { return map[string]string{"i": "IMMUTABLE", "s": "STABLE", "v": "VOLATILE"}[v] },
	"strict":     either("STRICT", "CALLED ON NULL INPUT"),
	"leakproof":  either("LEAKPROOF", "NOT LEAKPROOF"),
	"parallel": func(v string) string {
		return "PARALLEL " + map[string]string{"s": "SAFE", "r": "RESTRICTED", "u": "UNSAFE"}[v]
	},
	"cost":    func(v string) string { return "COST " + v },
	"rows":    func(v string) string { return "ROWS " + v },
	"definer": either(definer, "SECURITY INVOKER"),
}

const (
	definer      = "SECURITY DEFINER"
	otherComment = "has another comment"
)

func either(yes, no string) func(string) string {
	return func(value string) string {
		if value == "true" {
			return yes
		}
		return no
	}
}

// bringsAlong reports whether a trait is one that an extension's next version hardly takes back, so that
// people have given it, or its own version there has.
func bringsAlong(name, was, is string) bool {
	switch name {
	case "volatility":
		return was < is // i, s, v
	case "definer", "leakproof":
		return was == "true"
	}
	return false
}

// changes are the differences between a member at both ends.
func changes(source, here member, same bool) (list []change) {
	switch source.Kind {
	case "text search dictionary":
		if sql := dictionarySQL(source, here); sql != "" {
			list = append(list, change{"has the options " + shown(source.Traits["options"]), []string{sql}})
		}
	case "text search configuration":
		if c := mappingChange(source, here); len(c.sql) > 0 {
			list = append(list, c)
		}
	case "function", "procedure":
		alter := "ALTER " + strings.ToUpper(source.Kind) + " " + source.SQL
		for _, name := range slices.Sorted(maps.Keys(source.Traits)) {
			was, is := source.Traits[name], here.Traits[name]
			if spell := spelledTraits[name]; spell != nil && was != is && (same || bringsAlong(name, was, is)) {
				list = append(list, change{"is " + spell(was), []string{alter + " " + spell(was)}})
			}
		}
		if sql := settingsSQL(alter, source, here); len(sql) > 0 && (same || source.Traits["settings"] != "[]") {
			list = append(list, change{"has other settings", sql})
		}
		if same && source.Traits["body"] != here.Traits["body"] {
			list = append(list, change{"has another body", nil})
		}
	}
	if same && source.Traits["comment"] != here.Traits["comment"] {
		list = append(list, change{otherComment, nil})
	}
	return list
}

// shown is the options of a dictionary without their values: a dictionary's file may be named there, and
// nothing more than names is needed.
func shown(options string) string {
	if names := slices.Sorted(maps.Keys(readOptions(options))); len(names) > 0 {
		return strings.Join(names, ", ")
	}
	return "of none"
}

var dictionaryOption = regexp.MustCompile(`("(?:[^"]|"")*"|[\w$]+) = (E?'(?:[^'\\]|''|\\.)*'|[^,\s]+)`)

// readOptions takes the options of a dictionary apart, as the server keeps them: name = 'value', … What
// is a number stands in quotes or, in later versions, without.
func readOptions(options string) map[string]string {
	found := map[string]string{}
	for _, m := range dictionaryOption.FindAllStringSubmatch(options, -1) {
		found[m[1]] = m[2]
		if !strings.HasSuffix(m[2], "'") {
			found[m[1]] = literal(m[2])
		}
	}
	return found
}

// dictionarySQL gives a dictionary the source's options: in one statement those that are there go, and
// the others come, so that the server only tries the whole.
func dictionarySQL(source, here member) string {
	want, have := readOptions(source.Traits["options"]), readOptions(here.Traits["options"])
	if maps.Equal(want, have) {
		return ""
	}
	all := slices.Sorted(maps.Keys(have))
	for _, name := range slices.Sorted(maps.Keys(want)) {
		all = append(all, name+" = "+want[name])
	}
	return "ALTER TEXT SEARCH DICTIONARY " + source.SQL + " (" + strings.Join(all, ", ") + ")"
}

// mappingChange gives a text search configuration the source's dictionaries.
func mappingChange(source, here member) change {
	c := change{what: "has other dictionaries"}
	alter := "ALTER TEXT SEARCH CONFIGURATION " + source.SQL
	tokens := map[string]bool{}
	for _, of := range []member{source, here} {
		for name := range of.Traits {
			tokens[name] = strings.HasPrefix(name, "token ")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(tokens)) {
		token, was, is := ident(strings.TrimPrefix(name, "token ")), source.Traits[name], here.Traits[name]
		if !tokens[name] || was == is {
			continue
		}
		if is != "" {
			c.sql = append(c.sql, alter+" DROP MAPPING FOR "+token)
		}
		if was != "" {
			c.sql = append(c.sql, alter+" ADD MAPPING FOR "+token+" WITH "+was)
		}
	}
	return c
}

// settingsSQL gives a function what it sets while it runs.
func settingsSQL(alter string, source, here member) []string {
	if source.Traits["settings"] == here.Traits["settings"] {
		return nil
	}
	var settings []string
	if json.Unmarshal([]byte(source.Traits["settings"]), &settings) != nil {
		return nil
	}
	sql := []string{alter + " RESET ALL"}
	for _, kv := range settings {
		name, value, _ := strings.Cut(kv, "=")
		sql = append(sql, settingSQL(alter, name, value, false))
	}
	return sql
}
