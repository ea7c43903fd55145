package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors"
)

// fit refuses what the target's server or the account cannot do, before anything is made.
func (b *build) fit(ctx context.Context) error {
	op := "begin a build of " + b.display(b.target)
	from, err := parseServer(b.spec.Definitions.Version)
	if err != nil {
		return b.usage(op, "the source's version cannot be read")
	}
	if refused := compatible(from, b.server, b.defs); len(refused) > 0 {
		var all []string
		for _, r := range refused {
			all = append(all, r.Object+" "+r.Reason)
		}
		return &connectors.Error{Kind: connectors.KindUnsupported, Side: b.side, Op: op, Err: errors.New(some(all)), Hint: refused[0].Hint}
	}
	if b.defs.Folds && !b.folds {
		if all := respelt(b.defs); all != nil {
			return &connectors.Error{Kind: connectors.KindUnsupported, Side: b.side, Op: op,
				Err:  fmt.Errorf("the target's server tells capitals from small letters in the names of tables, and the source's does not: %s", some(all)),
				Hint: "copy to a server with the source's lower_case_table_names, or spell the tables at the source as SHOW TABLES does"}
		}
	}
	if b.folds {
		seen := map[string]string{}
		for _, t := range b.defs.Tables {
			low := strings.ToLower(t.Name)
			if other, has := seen[low]; has {
				return &connectors.Error{Kind: connectors.KindUnsupported, Side: b.side, Op: op,
					Err:  fmt.Errorf("the tables %s and %s would be one: the target's server does not tell capitals from small letters in their names", word(other), word(t.Name)),
					Hint: "use a server whose lower_case_table_names is 0"}
			}
			seen[low] = t.Name
		}
	}
	if err := b.apart(ctx, op); err != nil {
		return err
	}
	if err := b.unadorned(ctx, op); err != nil {
		return err
	}
	for _, database := range []string{b.target, b.name(former, b.spec.Run), b.database} {
		// Rights are checked before names are looked up, and no such table is there: so
		// this makes nothing.
		err := b.holder.exec(ctx, "CREATE TABLE IF NOT EXISTS "+within(database, "_sanitize_nothing")+" LIKE "+within(database, "_sanitize_nowhere"))
		switch numberOf(err) {
		case 1142, 1044, 1227:
			return b.lacksRights(op, database, "CREATE")
		case 0:
			if err != nil {
				return err
			}
		}
	}
	return b.allowed(ctx, op)
}

// apart refuses a target that others hang on: the run's own source, as a leftover of which
// it would be removed, and tables of other databases whose foreign keys would go with the
// former copy.
func (b *build) apart(ctx context.Context, op string) error {
	list, err := b.neighbours(ctx, b.holder)
	if err != nil {
		return err
	}
	if n := find(list, b.defs.Database); n != nil && n.name != b.target {
		return &connectors.Error{Kind: connectors.KindGuard, Side: b.side, Op: op,
			Err:  fmt.Errorf("the source is called as what runs leave of this target: %s would be removed", word(n.name)),
			Hint: "name another target"}
	}
	var others []string
	err = b.holder.query(ctx, "SELECT DISTINCT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) FROM information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_SCHEMA = "+literal(b.target)+
		" AND TABLE_SCHEMA <> "+literal(b.target), func(r row) error {
		others = append(others, word(r.text(0)))
		return nil
	})
	if err != nil || others == nil {
		return err
	}
	return &connectors.Error{Kind: connectors.KindGuard, Side: b.side, Op: op,
		Err:  fmt.Errorf("foreign keys of another database point to the target, and would be left pointing nowhere: %s", some(others)),
		Hint: "drop these foreign keys; they can be made again when the run has ended"}
}

// respelt lists the routines, triggers and events that name a table in another spelling than
// its own. Views are printed in the tables' own.
func respelt(d definitions) (all []string) {
	own := map[string]string{}
	for _, t := range d.Tables {
		own[strings.ToLower(t.Name)] = t.Name
	}
	for _, o := range d.Rest {
		if o.Kind == "view" {
			own[strings.ToLower(o.Name)] = o.Name
		}
	}
	for _, o := range d.Rest {
		words := quotingOf(o.Mode).tokens(o.Create)
		for i, w := range words {
			if o.Kind == "view" || i == 0 || !w.names() {
				continue
			}
			behind := words[i-1]
			if behind.is(".") && i > 2 {
				behind = words[i-3] // of the database
			}
			if !slices.ContainsFunc([]string{"FROM", "JOIN", "INTO", "UPDATE", "TABLE"}, behind.is) && (!behind.is("ON") || o.Kind != "trigger") {
				continue
			}
			if name := own[strings.ToLower(w.text)]; name != "" && name != w.text {
				all = append(all, fmt.Sprintf("%s %s names %s as %s", o.Kind, word(o.Name), word(name), word(w.text)))
				break
			}
		}
	}
	return all
}

// unadorned refuses a server that would add to the tables what they do not have, and does
// not let the account turn that off: see lenient. MariaDB before 10.5.17 and 10.6.9 lets
// nobody.
func (b *build) unadorned(ctx context.Context, op string) error {
	refuse := func(what []string, adds, hint string) error {
		return &connectors.Error{Kind: connectors.KindUnsupported, Side: b.side, Op: op, Err: fmt.Errorf("the target's server would add %s: %s", adds, some(what)), Hint: hint}
	}
	explicit, err := b.holder.number(ctx, "SELECT @@SESSION.explicit_defaults_for_timestamp")
	if err != nil {
		return err
	}
	keys := int64(0)
	if b.server.has(addedKeys) {
		if keys, err = b.holder.number(ctx, "SELECT @@SESSION.sql_generate_invisible_primary_key"); err != nil {
			return err
		}
	}
	columns, tables := plain(b.defs.Tables)
	switch {
	case explicit == 0 && columns != nil:
		return refuse(columns, "a default of its own to columns that have none", "set explicit_defaults_for_timestamp = ON at the target's server, or let the account do it")
	case keys == 1 && tables != nil:
		return refuse(tables, "a column to tables without a primary key", "set sql_generate_invisible_primary_key = OFF at the target's server, or let the account do it")
	}
	return nil
}

// plain lists the columns and the tables that some servers add something to: moments that
// are never NULL and have no default, and tables without a primary key.
func plain(all []tableDefinition) (columns, tables []string) {
	for _, t := range all {
		made, _ := parseTable(t.Create)
		keyed := false
		for _, p := range made.parts {
			keyed = keyed || p.piece == primaryPiece
			if p.piece != columnPiece || len(p.tokens) < 2 || !p.tokens[1].is("TIMESTAMP") {
				continue
			}
			if c := p.column(); c.fallback == "" && c.computed == "" && slices.ContainsFunc(p.tokens[2:], func(w token) bool { return w.is("NOT") }) {
				columns = append(columns, word(t.Name)+"."+word(p.name))
			}
		}
		if !keyed {
			tables = append(tables, word(t.Name))
		}
	}
	return columns, tables
}

// needs are the rights that a run uses in each of its databases, by the kind of object that
// asks for them; "" always does.
var needs = map[string][]string{
	"": {"SELECT", "INSERT", "UPDATE", "CREATE", "DROP", "ALTER", "INDEX", "REFERENCES"}, "view": {"CREATE VIEW", "SHOW VIEW"}, "trigger": {"TRIGGER"},
	"function": {"CREATE ROUTINE", "ALTER ROUTINE"}, "procedure": {"CREATE ROUTINE", "ALTER ROUTINE"}, "package": {"CREATE ROUTINE", "ALTER ROUTINE"},
	"event": {"EVENT"},
}

// allowed refuses an account that could not take the run to its end: what it may not do to
// the target itself would be met when the former copy is gone. Rights that come by a role
// are not told apart, so that an account with roles is not looked at.
func (b *build) allowed(ctx context.Context, op string) error {
	var lines []string
	roles := false
	err := b.holder.query(ctx, "SHOW GRANTS", func(r row) error {
		line := r.text(0)
		roles = roles || !slices.ContainsFunc(quoting{}.tokens(line), func(w token) bool { return w.is("ON") })
		lines = append(lines, line)
		return nil
	})
	if err != nil || roles {
		return err
	}
	kinds := []string{""}
	for _, o := range append(slices.Clone(b.defs.First), b.defs.Rest...) {
		if !slices.Contains(kinds, o.Kind) {
			kinds = append(kinds, o.Kind)
		}
	}
	for _, database := range []string{b.target, b.name(former, b.spec.Run), b.database} {
		has := rightsOn(lines, database)
		var lacks []string
		for _, kind := range kinds {
			for _, right := range needs[kind] {
				if !has[right] && !has[everyRight] && !slices.Contains(lacks, right) {
					lacks = append(lacks, right)
				}
			}
		}
		if lacks != nil {
			return b.lacksRights(op, database, lacks...)
		}
	}
	return nil
}

// some joins the first of several things that are wrong, and counts the others.
func some(all []string) string {
	const most = 5
	if len(all) <= most {
		return strings.Join(all, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(all[:most], "; "), len(all)-most)
}

// lacksRights says which rights a run needs, and for which databases.
func (b *build) lacksRights(op, database string, lacks ...string) error {
	pattern := strings.NewReplacer("_", `\_`, "%", `\%`).Replace(stem(b.target))
	return &connectors.Error{Kind: connectors.KindUnavailable, Side: b.side, Op: op,
		Err:  fmt.Errorf("the account lacks rights on the database %s: %s", word(database), strings.Join(lacks, ", ")),
		Hint: fmt.Sprintf("GRANT ALL PRIVILEGES ON %s.* TO the account, and ON %s.*: a run builds beside its target", ident(b.target), ident(pattern+`\_\_%`))}
}
