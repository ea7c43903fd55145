package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// What servers of several versions say in different words.

// fitVersion writes definitions as the target's server understands them.
func (b *build) fitVersion(ctx context.Context) error {
	if err := b.forgo(ctx); err != nil {
		return err
	}
	b.fitLogging()
	b.fitNotNull()
	b.fitArrays()
	if err := b.fitSettings(ctx); err != nil {
		return err
	}
	b.fitNulls()
	return nil
}

// fitArrays makes aggregates and operators over functions of arrays by the types that these have at
// the target: anyelement and anyarray before version 14, anycompatible and its array since.
func (b *build) fitArrays() {
	spell := compatible
	switch in, ofSource := appendsCompatible.in(b.major), appendsCompatible.ofSource(b.spec.Catalog); {
	case in == ofSource:
		return
	case ofSource:
		spell = elemental
	}
	was := map[string]string{} // signatures
	for i, e := range b.defs.Before {
		if !isOverArrays(e) {
			continue
		}
		sql := spell(e.SQL)
		b.defs.Before[i].SQL = sql
		was[calledAs(e.Kind, e.SQL)] = calledAs(e.Kind, sql)
	}
	for from, to := range was {
		recall(b.defs.Before, from, to)
		recall(b.defs.After, from, to)
	}
}

// recall makes rights and comments be of what is called otherwise now. What the text of a comment says stays.
func recall(entries []entry, from, to string) {
	for i, e := range entries {
		if head, rest, found := strings.Cut(e.SQL, from); found && (e.Kind == "COMMENT" || e.Kind == "ACL") && ofRoutine.MatchString(head) {
			entries[i].SQL = head + to + rest
		}
	}
}

var (
	overArrays = regexp.MustCompile(`(?m)^    (?:FUNCTION|M?SFUNC|MINVFUNC|M?FINALFUNC|COMBINEFUNC) = (?:array_(?:append|prepend|cat|positions?|remove|replace)|width_bucket),?$`)
	anyTypes   = regexp.MustCompile(`\bany(element|nonarray|array)\b`)
	manyTypes  = regexp.MustCompile(`\banycompatible(nonarray|array|)\b`)
)

// ofRoutine is what a right or a comment begins with, before the aggregate or operator that it is of.
var ofRoutine = regexp.MustCompile(`^(?:COMMENT|(?:GRANT|REVOKE)[A-Z, ]*) ON (?:AGGREGATE|OPERATOR|FUNCTION) $`)

// isOverArrays reports whether an entry is an aggregate or an operator over a function of arrays.
func isOverArrays(e entry) bool {
	return (e.Kind == "AGGREGATE" || e.Kind == "OPERATOR") && overArrays.MatchString(e.SQL)
}

// compatible writes types that stand for each other since version 14 in the place of those before.
func compatible(sql string) string {
	return anyTypes.ReplaceAllStringFunc(sql, func(name string) string {
		return "anycompatible" + strings.TrimPrefix(strings.TrimPrefix(name, "any"), "element")
	})
}

// elemental writes them the other way round, for a server before version 14.
func elemental(sql string) string {
	return manyTypes.ReplaceAllStringFunc(sql, func(name string) string {
		if rest := strings.TrimPrefix(name, "anycompatible"); rest != "" {
			return "any" + rest
		}
		return "anyelement"
	})
}

// calledAs is how rights and comments call an aggregate or an operator.
func calledAs(kind, sql string) string {
	name, rest, _ := strings.Cut(strings.TrimPrefix(sql, "CREATE "+kind+" "), " (\n")
	if kind == "AGGREGATE" {
		return name
	}
	var of []string
	for _, m := range operands.FindAllStringSubmatch(rest, -1) {
		of = append(of, m[1])
	}
	return name + " (" + strings.Join(of, ", ") + ")"
}

var operands = regexp.MustCompile(`(?m)^    (?:LEFT|RIGHT)ARG = ([^\n]*?),?$`)

// fitSettings takes out of functions what they set that the target's server does not know.
func (b *build) fitSettings(ctx context.Context) error {
	known := map[string]bool{}
	for _, e := range b.defs.Before {
		for _, s := range settingsOf(e) {
			known[s.name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if strings.Contains(name, ".") {
			continue // any server takes it
		}
		var missing bool
		err := b.admin.QueryRow(ctx, "SELECT pg_catalog.current_setting($1, true) IS NULL", name).Scan(&missing)
		if err != nil && (stateOf(err) == "" || broken(err)) {
			return failDefinition(ctx, b.side, "ask for the settings of the target's server", err)
		}
		known[name] = err != nil || !missing // one that the account may not read is there
	}
	lost := map[string][]string{}
	var noted []catalog.Object
	for i, e := range b.defs.Before {
		for _, s := range settingsOf(e) {
			name := s.name
			if known[name] {
				continue
			}
			b.defs.Before[i].SQL, _ = cutSetting(b.defs.Before[i].SQL, name)
			lost[name] = append(lost[name], e.String())
			noted = append(noted, catalog.Object{Kind: strings.ToLower(e.Kind), Name: word(e.Schema) + "." + e.Name, Fate: catalog.Noted,
				Reason: "sets " + name + ", which the target's server does not know, and does without"})
		}
	}
	b.notes(noted...)
	for _, name := range slices.Sorted(maps.Keys(lost)) {
		b.warn(fmt.Sprintf("the target's server does not know the setting %s: it is left out of %s", name, list(lost[name])))
	}
	return nil
}

// settingsOf are what an entry sets while it runs, if it is a function.
func settingsOf(e entry) []setting {
	if e.Kind != "FUNCTION" && e.Kind != "PROCEDURE" {
		return nil
	}
	return settingsIn(e.SQL)
}

// fitLogging makes partitioned tables without a word on whether they are logged, which has never
// meant anything, where the target's server does not take it.
func (b *build) fitLogging() {
	if !logsPartitioned.in(b.major) {
		return
	}
	for i, e := range b.defs.Before {
		if t := b.spec.Catalog.Table(catalog.TableID{Schema: e.Schema, Name: e.Name}); e.Kind == "TABLE" && t != nil && t.Kind == catalog.Partitioned {
			b.defs.Before[i].SQL = strings.Replace(e.SQL, "CREATE UNLOGGED TABLE ", "CREATE TABLE ", 1)
		}
	}
}

// fitNotNull sets columns NOT NULL that pg_dump makes so by a constraint of the table, as it does
// since version 18, whatever the source's is.
func (b *build) fitNotNull() {
	if namesNotNull.in(b.major) {
		return
	}
	for i, e := range b.defs.Before {
		if e.Kind == "TABLE" {
			b.defs.Before[i].SQL = notNullBehind(catalog.TableID{Schema: e.Schema, Name: e.Name}, e.SQL)
		}
	}
}

// ofTable is the line of such a constraint.
var ofTable = regexp.MustCompile(`(?m)^    (?:CONSTRAINT (?:"(?:[^"]|"")*"|[^\s"]+) )?NOT NULL ("(?:[^"]|"")*"|[^\s",]+),?$`)

// notNullBehind takes such constraints out of a table, and sets the columns NOT NULL behind it. What
// stands in a literal is none.
func notNullBehind(id catalog.TableID, sql string) string {
	plain := strings.ReplaceAll(spelt(sql), `"`, `""`) // with names that are quoted and empty
	if n := len(ofTable.FindAllString(sql, -1)); n == 0 || n != len(ofTable.FindAllString(plain, -1)) {
		return sql
	}
	var left, behind []string
	for line := range strings.SplitSeq(sql, "\n") {
		m := ofTable.FindStringSubmatch(line)
		if m == nil {
			left = append(left, line)
			continue
		}
		behind = append(behind, "ALTER TABLE ONLY "+table(id)+" ALTER COLUMN "+m[1]+" SET NOT NULL;")
		if last := len(left) - 1; !strings.HasSuffix(line, ",") {
			left[last] = strings.TrimSuffix(left[last], ",")
		}
	}
	return strings.Join(append(left, behind...), "\n")
}

// fitNulls lets those columns of a table that inherits take NULLs which take them at the source,
// though a table above does not: no dump says that. Since 18 no server lets them: people are told,
// and a NULL ends the run if there is one.
func (b *build) fitNulls() {
	if inheritsNotNull.ofSource(b.spec.Catalog) {
		return
	}
	var names []string
	var noted []catalog.Object
	for _, t := range b.spec.Catalog.Tables {
		for _, column := range t.Columns {
			above := notNullAbove(b.spec.Catalog, t, column)
			if above == nil {
				continue
			}
			at := slices.IndexFunc(b.defs.Before, func(e entry) bool { return e.Kind == "TABLE" && e.Schema == t.ID.Schema && e.Name == t.ID.Name })
			if at < 0 {
				continue
			}
			if !inheritsNotNull.in(b.major) {
				b.defs.Before[at].SQL += "\nALTER TABLE ONLY " + table(t.ID) + " ALTER COLUMN " + ident(column.Name) + " DROP NOT NULL;"
				continue
			}
			name := words(t.ID) + "." + word(column.Name)
			names = append(names, name)
			noted = append(noted, catalog.Object{Kind: "column", Name: name, Fate: catalog.Noted,
				Reason: fmt.Sprintf("takes NULLs, and that of %s does not: since PostgreSQL %d %s, and the copy's takes none", words(above.ID), inheritsNotNull.since, inheritsNotNull.name)})
		}
	}
	b.notes(noted...)
	if len(names) > 0 {
		b.warn(fmt.Sprintf("since PostgreSQL %d %s: columns that take NULLs at the source take none in the copy, and a NULL in one ends the run (%s)", inheritsNotNull.since, inheritsNotNull.name, list(names)))
	}
}

// hintNulls says of a NULL that such a column refuses where the NOT NULL is.
func (b *build) hintNulls(failed, err error, t *catalog.Table) error {
	var e *connectors.Error
	var pg *pgconn.PgError
	if !errors.As(failed, &e) || !errors.As(err, &pg) || pg.Code != "23502" || inheritsNotNull.ofSource(b.spec.Catalog) {
		return failed
	}
	if column := t.Column(pg.ColumnName); column != nil {
		if above := notNullAbove(b.spec.Catalog, t, *column); above != nil {
			e.Hint = fmt.Sprintf("since PostgreSQL %d %s: at the source, drop NOT NULL from %s.%s; or leave the rows out by the policy, or use a target before version %[1]d",
				inheritsNotNull.since, inheritsNotNull.name, words(above.ID), word(column.Name))
		}
	}
	return failed
}

// notNullAbove returns the table from which a column inherits, at first or at second hand, that is
// NOT NULL there, and here is not.
func notNullAbove(c *catalog.Catalog, t *catalog.Table, column catalog.Column) *catalog.Table {
	if column.NotNull || t.IsPartition {
		return nil
	}
	for _, id := range t.Parents {
		above := c.Table(id)
		if above == nil {
			continue
		}
		of := above.Column(column.Name)
		if of != nil && of.NotNull {
			return above
		}
		if of != nil {
			if further := notNullAbove(c, above, *of); further != nil {
				return further
			}
		}
	}
	return nil
}
