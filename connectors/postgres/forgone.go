package postgres

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// forgone is a feature that changes no row and breaks no constraint: where the target's server
// lacks it, the copy does without, and people are told.
type forgone struct {
	feature
	// forgoing returns SQL without the feature: "" if it says nothing else, the same SQL if it
	// only means less to an older server.
	forgoing func(sql string) string
	instead  string // what is so in the copy, for people
}

// forgoable lists what a copy can do without, as needed lists what it cannot.
var forgoable = []forgone{
	{feature{13, "targets of statistics objects", []string{"STATISTICS"}, cuts(sampled)}, cut(sampled), "the target of the columns counts"},
	{feature{13, "deduplication in B-trees", []string{"INDEX", "CONSTRAINT"}, hasOption(`deduplicate_items`)}, cutOptions(`deduplicate_items`), "its indexes have equal keys more than once"},
	{feature{13, "autovacuum by inserted rows", stored, hasOption(`autovacuum_vacuum_insert_(threshold|scale_factor)`)},
		cutOptions(`autovacuum_vacuum_insert_(threshold|scale_factor)`), "no table is vacuumed for them"},
	{feature{14, "compression methods of columns", columned, cuts(compression)}, cut(compression), "its own method compresses them all"},
	{feature{14, "a multirange beside a range", []string{"TYPE"}, cuts(byRange)}, cut(byRange), "there is none"},
	{feature{14, "vacuum_index_cleanup=auto", stored, hasOption(`vacuum_index_cleanup='?auto`)}, cutOptions(`vacuum_index_cleanup='?auto`), "VACUUM cleans all indexes"},
	{feature{14, "EXTRACT as a numeric", []string{"VIEW", "MATERIALIZED VIEW"}, spells(`\bEXTRACT\(`)}, same, "it is a double precision there"},
	{feature{15, "unlogged sequences", []string{"SEQUENCE"}, says(`^CREATE UNLOGGED SEQUENCE|(?m)^ALTER SEQUENCE .* SET (UN)?LOGGED;`)}, logged, "they are logged"},
	{feature{17, "the right MAINTAIN", []string{"ACL"}, says(`^GRANT MAINTAIN\b`)}, none, "nobody has it"},
	{feature{17, "access methods of partitioned tables", []string{"TABLE"}, says(`(?s)\nPARTITION BY .*\nALTER TABLE [^\n]* SET ACCESS METHOD `)},
		cut(`\n+ALTER TABLE [^\n]* SET ACCESS METHOD [^\n]*;`), "new partitions have the database's own"},
	{feature{17, "identity columns of partitions", []string{"SEQUENCE"}, ofPartitions}, same, "what is inserted into a partition itself, not by way of its table, has to bring its number"},
	{feature{17, "a comment on a domain's NOT NULL", []string{"COMMENT"}, onNotNull("CREATE DOMAIN ")}, none, "there is none"},
	{feature{18, "a comment on a NOT NULL constraint", []string{"COMMENT"}, onNotNull("CREATE TABLE ")}, none, "there is none"},
	{feature{18, "the most that autovacuum or eager freezing may do", stored, hasOption(`(autovacuum_vacuum_max_threshold|vacuum_max_eager_freeze_failure_rate)`)},
		cutOptions(`(autovacuum_vacuum_max_threshold|vacuum_max_eager_freeze_failure_rate)`), "there is no such bound"},
}

// How a dump gives a column a method of compression, and a statistics object a target.
const (
	compression = `(?m)\n+^ALTER TABLE [^\n]* SET COMPRESSION [^\n]*;$`
	byLZ4       = `(?m)\n+^ALTER TABLE [^\n]* SET COMPRESSION lz4;$`
	sampled     = `(?m)\n*^ALTER STATISTICS .* SET STATISTICS [^\n]*;$`
)

func none(string) string     { return "" }
func same(sql string) string { return sql }

// cut takes what an expression matches out.
func cut(words string) func(string) string {
	r := regexp.MustCompile(words)
	return func(sql string) string { return outside(r, sql, none) }
}

// cuts finds what cut takes out.
func cuts(words string) finder {
	out := cut(words)
	return func(e entry, _ *definitions, _ *catalog.Catalog) (string, bool) { return "", out(e.SQL) != e.SQL }
}

// outside replaces what an expression matches in SQL, but for what stands in a literal or a name.
func outside(r *regexp.Regexp, sql string, by func(string) string) string {
	var b strings.Builder
	at := 0
	for _, m := range r.FindAllStringIndex(sql, -1) {
		if !inQuotes(sql[:m[1]]) {
			b.WriteString(sql[at:m[0]] + by(sql[m[0]:m[1]]))
			at = m[1]
		}
	}
	return b.String() + sql[at:]
}

// inQuotes reports whether SQL ends in the middle of a literal or a name.
func inQuotes(sql string) bool {
	i := 0
	for i < len(sql) {
		if c := sql[i]; c == '\'' || c == '"' {
			i = afterQuote(sql, i, c, false)
		} else {
			i++
		}
	}
	return i > len(sql)
}

var ofLogging = regexp.MustCompile(`(?m)\n*^ALTER SEQUENCE [^\n]* SET (UN)?LOGGED;$`)

// logged makes a sequence that is logged, as all were before there was a choice.
func logged(sql string) string {
	return ofLogging.ReplaceAllString(strings.Replace(sql, "CREATE UNLOGGED SEQUENCE ", "CREATE SEQUENCE ", 1), "")
}

// options is the list of a table's or an index's parameters, as a dump writes it.
var (
	options = regexp.MustCompile(`([ \n])WITH \((` + option + `(?:, ` + option + `)*)\)`)
	one     = regexp.MustCompile(option)
)

const option = `(?:toast\.)?\w+=(?:'(?:[^']|'')*'|[\w.+-]+)`

// hasOption finds a parameter by the beginning of what is said of it.
func hasOption(begins string) finder {
	out := cutOptions(begins)
	return func(e entry, _ *definitions, _ *catalog.Catalog) (string, bool) {
		return "", strings.Contains(e.SQL, "WITH (") && out(e.SQL) != e.SQL // most SQL is not taken apart
	}
}

// cutOptions takes parameters out of their list, and the list if none is left.
func cutOptions(begins string) func(string) string {
	these := regexp.MustCompile(`^(toast\.)?` + begins + `\b`)
	return func(sql string) string {
		return outside(options, sql, func(all string) string {
			left := slices.DeleteFunc(one.FindAllString(all, -1), these.MatchString)
			if len(left) == 0 {
				return ""
			}
			return all[:1] + "WITH (" + strings.Join(left, ", ") + ")"
		})
	}
}

// ofPartitions finds the identity of a table whose partitions share it.
func ofPartitions(e entry, _ *definitions, c *catalog.Catalog) (string, bool) {
	of, found := strings.CutPrefix(e.SQL, "ALTER TABLE ")
	if !found || !strings.Contains(of, " ADD GENERATED ") {
		return "", false
	}
	return "", slices.ContainsFunc(c.Tables, func(t *catalog.Table) bool {
		return t.Kind == catalog.Partitioned && slices.ContainsFunc(spellings(t.ID), func(name string) bool { return strings.HasPrefix(of, name+" ") })
	})
}

// spellings are the ways in which a dump may write a name: it quotes what has to be.
func spellings(id catalog.TableID) (all []string) {
	for _, schema := range []string{id.Schema, ident(id.Schema)} {
		for _, name := range []string{id.Name, ident(id.Name)} {
			all = append(all, schema+"."+name)
		}
	}
	return all
}

// compressed is compression by a method that a server may have been built without.
var compressed = forgone{feature{name: "compression by lz4", kinds: columned, is: cuts(byLZ4)},
	cut(byLZ4), "its own method compresses them all"}

// forgo takes out of a build what the target's server lacks and rows can do without, and says so.
func (b *build) forgo(ctx context.Context) error {
	for _, f := range forgoable {
		if f.missing(b.spec.Catalog, b.major) {
			b.without(f, fmt.Sprintf("PostgreSQL %d does not know", b.major))
		}
	}
	if !choosesCompression.in(b.major) || !b.has(compressed.feature) {
		return nil
	}
	var known bool
	err := b.admin.QueryRow(ctx, "SELECT 'lz4' = ANY (enumvals) FROM pg_catalog.pg_settings WHERE name = 'default_toast_compression'").Scan(&known)
	if err != nil {
		return failDefinition(ctx, b.side, "ask how the target's server compresses", err)
	}
	if !known {
		b.without(compressed, "the target's server was built without")
	}
	return nil
}

// has reports whether the definitions have a feature.
func (b *build) has(f feature) bool {
	in := func(e entry) bool { _, found := f.finds(e, &b.defs, b.spec.Catalog); return found }
	return slices.ContainsFunc(b.defs.Before, in) || slices.ContainsFunc(b.defs.After, in)
}

// without takes a feature out of the definitions, and says where it was.
func (b *build) without(f forgone, lacks string) {
	var names []string
	var noted []catalog.Object
	for _, entries := range []*[]entry{&b.defs.Before, &b.defs.After} {
		left := (*entries)[:0:0]
		for _, e := range *entries {
			if _, found := f.finds(e, &b.defs, b.spec.Catalog); !found {
				left = append(left, e)
				continue
			}
			names = append(names, strings.TrimPrefix(e.String(), "acl "))
			sql := f.forgoing(e.SQL)
			switch {
			case sql != "":
				noted = append(noted, catalog.Object{Kind: strings.ToLower(e.Kind), Name: strings.TrimPrefix(word(e.Schema)+"."+e.Name, `"".`), Fate: catalog.Noted,
					Reason: "has " + f.name + ", which " + lacks + ": " + f.instead})
				e.SQL = sql
				if e.Steps != nil {
					e.Steps = &steps{First: f.forgoing(e.Steps.First), Second: f.forgoing(e.Steps.Second)}
				}
				left = append(left, e)
			case e.Kind == "ACL": // there may be one for each role and table
				noted = append(noted[:0], catalog.Object{Kind: "rights", Name: f.name, Fate: catalog.Stays, Reason: "are rights that " + lacks})
			default:
				noted = append(noted, catalog.Object{Kind: strings.ToLower(e.Kind), Name: strings.TrimPrefix(word(e.Schema)+"."+e.Name, `"".`), Fate: catalog.Stays,
					Reason: "is " + f.name + ", which " + lacks})
			}
		}
		*entries = left
	}
	b.notes(noted...)
	if len(names) > 0 {
		b.warn(fmt.Sprintf("%s, which %s: %s (%s)", f.name, lacks, f.instead, list(names)))
	}
}
