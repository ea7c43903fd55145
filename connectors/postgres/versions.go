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

// oldest and newest are the major versions that the connector is made for.
const oldest, newest = 12, 18

// feature is what PostgreSQL can do from one major version on. All that depends on a
// version stands in this file and is asked here (release notes of 13 to 18, appendix E
// of the manual).
type feature struct {
	since int
	name  string // for people: "the target lacks NAME"
	// kinds and is find it in the definitions of a source: in an entry of one of the
	// kinds, if there are any.
	kinds []string
	is    finder
}

// finder finds a feature in an entry. What it returns completes the feature's name.
type finder func(e entry, d *definitions, c *catalog.Catalog) (name string, found bool)

// says finds words in the SQL of an entry.
func says(words string) finder {
	r := regexp.MustCompile(words)
	return func(e entry, _ *definitions, _ *catalog.Catalog) (string, bool) { return "", r.MatchString(e.SQL) }
}

// spells finds words in SQL as the server spells it, and not in what people have written:
// names, comments, literals, bodies of functions in other languages.
func spells(words string) finder {
	r := regexp.MustCompile(words)
	return func(e entry, _ *definitions, _ *catalog.Catalog) (string, bool) {
		return "", r.MatchString(e.SQL) && r.MatchString(spelt(e.SQL))
	}
}

// spelt returns SQL without comments, literals and what stands in quotes.
func spelt(sql string) string {
	var b strings.Builder
	for i := 0; i < len(sql); {
		switch c := sql[i]; {
		case strings.HasPrefix(sql[i:], "--"):
			n := strings.IndexByte(sql[i:], '\n')
			if n < 0 {
				return b.String()
			}
			i += n
		case strings.HasPrefix(sql[i:], "/*"):
			i = afterComment(sql, i)
		case c == '\'' || c == '"':
			b.WriteByte(c)
			i = afterQuote(sql, i, c, false)
		case c == '$' && dollarTag(sql[i:]) != "":
			tag := dollarTag(sql[i:])
			i += len(tag)
			n := strings.Index(sql[i:], tag)
			if n < 0 {
				return b.String()
			}
			i += n + len(tag)
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String()
}

// ofPartitioned finds words in the SQL of what belongs to a partitioned table.
func ofPartitioned(words string) finder {
	r := regexp.MustCompile(words)
	return func(e entry, _ *definitions, c *catalog.Catalog) (string, bool) {
		if !r.MatchString(e.SQL) {
			return "", false
		}
		return "", slices.ContainsFunc(c.Tables, func(t *catalog.Table) bool {
			if t.Kind != catalog.Partitioned || t.ID.Schema != e.Schema {
				return false
			}
			if e.Kind == "PUBLICATION TABLE" {
				return strings.HasSuffix(e.Name, " "+t.ID.Name)
			}
			name, its := strings.CutPrefix(e.Name, t.ID.Name+" ")
			return its && (slices.ContainsFunc(t.Triggers, func(d catalog.Definition) bool { return d.Name == name }) ||
				slices.ContainsFunc(t.ForeignKeys, func(f catalog.ForeignKey) bool { return f.Name == name }) ||
				slices.ContainsFunc(t.Rules, func(r catalog.Rule) bool { return r.Exclusion && r.Name == name }))
		})
	}
}

// calls finds a call of one of the server's own functions. Those of others have their
// schema before them, for a dump is made without a search path.
func calls(names string) finder {
	own := strings.Fields(names)
	any := regexp.MustCompile(`(?i)\b(` + strings.Join(own, "|") + `)\b`)
	return func(e entry, _ *definitions, _ *catalog.Catalog) (string, bool) {
		if !any.MatchString(e.SQL) {
			return "", false // most SQL is not taken apart
		}
		all := tokens(e.SQL)
		for i, t := range all {
			if t.kind == 'n' && slices.Contains(own, t.text) && i+1 < len(all) && all[i+1] == (token{text: "("}) && (i == 0 || all[i-1] != token{text: "."}) {
				return t.text, true
			}
		}
		return "", false
	}
}

// onNotNull finds a comment on a constraint that is NOT NULL, of what a definition makes
// that begins so: older servers know none of these by a name.
func onNotNull(begins string) finder {
	prefix := strings.ReplaceAll(strings.TrimPrefix(begins, "CREATE "), "TABLE ", "") // COMMENT … ON DOMAIN d, but ON t
	return func(e entry, d *definitions, _ *catalog.Catalog) (string, bool) {
		of, is := strings.CutPrefix(e.SQL, "COMMENT ON CONSTRAINT ")
		if !is {
			return "", false
		}
		return "", slices.ContainsFunc(d.Before, func(made entry) bool {
			if method, sql, _ := strings.Cut(made.SQL, "\n"); strings.HasPrefix(method, "SET ") {
				made.SQL = sql
			}
			rest, is := strings.CutPrefix(made.SQL, begins)
			name, rest, _ := strings.Cut(rest, " ")
			at := strings.Index(of, " ON "+prefix+name+" IS ")
			return is && at > 0 && strings.Contains(rest, "CONSTRAINT "+of[:at]+" NOT NULL")
		})
	}
}

// saysCompatible finds types that stand for each other where fitArrays writes no others in their place.
func saysCompatible(e entry, _ *definitions, _ *catalog.Catalog) (string, bool) {
	return "", anyCompatible.MatchString(e.SQL) && !(isOverArrays(e) && !anyCompatible.MatchString(elemental(e.SQL)))
}

var anyCompatible = regexp.MustCompile(`\banycompatible(array|nonarray|range)?\b`)

// multiranges finds what is of the type of a multirange, or makes one. That a range has such a type
// says nothing: it was made along with it.
func multiranges(e entry, d *definitions, _ *catalog.Catalog) (string, bool) {
	if e.Kind == "COMMENT" || e.Kind == "ACL" {
		return "", false
	}
	sql := ofRange.ReplaceAllString(e.SQL, "")
	if anyMultirange.MatchString(sql) && anyMultirange.MatchString(spelt(sql)) {
		return "", true
	}
	return "", slices.ContainsFunc(d.Before, func(made entry) bool {
		m := ofRange.FindStringSubmatch(made.SQL)
		return made.Kind == "TYPE" && m != nil && strings.Contains(sql, m[1]) && standsAlone(m[1]).MatchString(sql)
	})
}

// ofRange is how a dump names the multirange that belongs to a range.
var (
	ofRange       = regexp.MustCompile(byRange)
	anyMultirange = regexp.MustCompile(`(?i)multirange(\[\])*([\s,;()]|$)`)
)

const byRange = `(?m),\n    multirange_type_name = ((?:"(?:[^"]|"")*"|[^\s".,]+)\.(?:"(?:[^"]|"")*"|[^\s".,]+))`

// standsAlone matches a name that is no part of a longer one.
func standsAlone(name string) *regexp.Regexp {
	return regexp.MustCompile(`(?:^|[^\w"$.])` + regexp.QuoteMeta(name) + `(?:[^\w"$]|$)`)
}

// wideScale finds a number with more digits behind the point than it has.
func wideScale(e entry, _ *definitions, _ *catalog.Catalog) (string, bool) {
	for _, m := range numbers.FindAllStringSubmatch(e.SQL, -1) {
		digits, _ := strconv.Atoi(m[1])
		if scale, _ := strconv.Atoi(m[2]); scale > digits {
			return "", true
		}
	}
	return "", false
}

var numbers = regexp.MustCompile(`\bnumeric\((\d+),(\d+)\)`)

// subscripts finds one of a jsonb, which looks like that of an array: by its text, which no array
// has, or by the name of a column that is one.
func subscripts(e entry, _ *definitions, c *catalog.Catalog) (string, bool) {
	if !strings.Contains(e.SQL, "[") {
		return "", false
	}
	sql := spelt(e.SQL)
	if byText.MatchString(sql) {
		return "", true
	}
	for _, m := range subscripted.FindAllStringSubmatch(sql, -1) {
		if isJSONB(c, m[1]) {
			return "", true
		}
	}
	return "", false
}

var (
	byText      = regexp.MustCompile(`[^Y]\['::text\]`) // not ARRAY['…'::text]
	subscripted = regexp.MustCompile(`\b([a-z_][a-z0-9_$]*)\[[^\]]`)
)

// isJSONB reports whether all columns of a name are jsonb.
func isJSONB(c *catalog.Catalog, name string) (found bool) {
	for _, t := range c.Tables {
		if col := t.Column(name); col != nil && col.Type.Name != "jsonb" {
			return false
		} else if col != nil {
			found = true
		}
	}
	return found
}

// finds looks for the feature in an entry.
func (f feature) finds(e entry, d *definitions, c *catalog.Catalog) (name string, found bool) {
	if len(f.kinds) > 0 && !slices.Contains(f.kinds, e.Kind) {
		return "", false
	}
	return f.is(e, d, c)
}

// missing reports whether a target of a major version lacks a feature that the source may have:
// what the source's server lacks as well is only spelt alike.
func (f feature) missing(c *catalog.Catalog, major int) bool { return !f.in(major) && f.ofSource(c) }

// ofSource reports whether the server of a catalog has the feature, as far as is known.
func (f feature) ofSource(c *catalog.Catalog) bool {
	source := versionOf(c.Server)
	return source == 0 || f.in(source)
}

// storesExtract finds a table with a column that is computed by EXTRACT, and stored. Before, it
// was a double precision, which is the same for a whole number alone.
func storesExtract(e entry, _ *definitions, c *catalog.Catalog) (string, bool) {
	if !strings.Contains(e.SQL, "EXTRACT(") {
		return "", false
	}
	t := c.Table(catalog.TableID{Schema: e.Schema, Name: e.Name})
	return "", t != nil && slices.ContainsFunc(t.Columns, func(col catalog.Column) bool {
		return col.Generation == catalog.Stored && strings.Contains(spelt(col.Computation), "EXTRACT(") && !wholeField.MatchString(col.Computation)
	})
}

// wholeFields are what EXTRACT makes a number of that has no fraction.
const wholeFields = `(?:century|day|decade|dow|doy|hour|isodow|isoyear|millennium|minute|month|quarter|week|year)`

var (
	// wholeField is such an EXTRACT, and nothing else.
	wholeField    = regexp.MustCompile(`^\(?EXTRACT\(` + wholeFields + ` FROM [\w" .:]+\)\)?(?:::\w+)?$`)
	extracts      = regexp.MustCompile(`\bEXTRACT\(`)
	extractsWhole = regexp.MustCompile(`\bEXTRACT\(` + wholeFields + ` FROM `)
)

// extractsFractions finds an EXTRACT of what may have a fraction.
func extractsFractions(e entry, _ *definitions, _ *catalog.Catalog) (string, bool) {
	if !strings.Contains(e.SQL, "EXTRACT(") {
		return "", false
	}
	sql := spelt(e.SQL)
	return "", len(extracts.FindAllString(sql, -1)) > len(extractsWhole.FindAllString(sql, -1))
}

// in reports whether a server or a program of a major version has the feature.
func (f feature) in(major int) bool { return major >= f.since }

// What we use where it is there, and do otherwise where not.
var (
	dropsByForce       = feature{since: 13, name: "DROP DATABASE … WITH (FORCE)"}
	scansRanges        = feature{since: 14, name: "scans of ranges of ctid"}
	choosesCompression = feature{since: 14, name: "compression methods of columns"}
	appendsCompatible  = feature{since: 14, name: "functions of arrays that take anycompatible"}
	writesAllData      = feature{since: 14, name: "the role pg_write_all_data"}
	takesForeignIDs    = feature{since: 14, name: "arrays and composites in binary form from another server"}
	namesProviders     = feature{since: 15, name: "a provider of a database's locale"}
	grantsParameters   = feature{since: 15, name: "rights to set what superusers set"}
	octalChars         = feature{since: 15, name: "\"char\" above 127 in octal digits"}
	infiniteSpans      = feature{since: 17, name: "intervals that are infinite"}
	overridesGenerated = feature{since: 16, name: "expressions of generated columns that inherit"}
	inheritsNotNull    = feature{since: 18, name: "a NOT NULL holds for all who inherit"}
	namesNotNull       = feature{since: 18, name: "NOT NULL as a constraint of the table"}
	logsPartitioned    = feature{since: 18, name: "partitioned tables that are neither logged nor not"}
	dumpsStatistics    = feature{since: 18, name: "statistics in a dump"}
)

// What a database as a whole may need.
var (
	icuDatabases     = feature{since: 15, name: "an ICU collation"}
	icuRules         = feature{since: 16, name: "ICU rules"}
	builtinDatabases = feature{since: 17, name: "a built-in collation"}
	fastDatabases    = feature{since: 18, name: "the collation PG_UNICODE_FAST"}
)

// virtualColumns are found in the catalog; a dump writes them by leaving a word out.
var virtualColumns = feature{since: 18, name: "virtual generated columns"}

// What holds columns or expressions, by the kinds of a dump. The bodies of functions hold any words.
var (
	typed     = []string{"TABLE", "TYPE", "DOMAIN", "FUNCTION", "PROCEDURE", "AGGREGATE"}
	asked     = []string{"VIEW", "MATERIALIZED VIEW", "RULE", "FUNCTION", "PROCEDURE", "POLICY"}
	functions = []string{"FUNCTION", "PROCEDURE", "AGGREGATE"}
	columned  = []string{"TABLE", "MATERIALIZED VIEW"}
	stored    = []string{"TABLE", "INDEX", "CONSTRAINT", "MATERIALIZED VIEW"}
)

// needed lists what definitions may need of the server on which they are made. The
// functions are those that pg_proc of one version has and of the one before has not, as
// far as an expression would call them.
var needed = []feature{
	{13, "the types xid8, pg_snapshot and regcollation", typed, says(`\b(pg_snapshot|xid8|regcollation)\b`)},
	{13, "the types anycompatible", functions, saysCompatible},
	{13, "BEFORE ROW triggers of partitioned tables", []string{"TRIGGER"}, ofPartitioned(`^CREATE TRIGGER ("([^"]|"")*"|\S+) BEFORE [^;]* FOR EACH ROW `)},
	{13, "parameters of operator classes", []string{"INDEX", "CONSTRAINT"}, says(`[^H] \(\w+='([^']|'')*'[,)]`)},
	{13, "options in operator classes", []string{"OPERATOR CLASS", "OPERATOR FAMILY"}, says(`(?s)USING (btree\b.*\bFUNCTION 5 |hash\b.*\bFUNCTION 3 |gist\b.*\bFUNCTION 10 |gin\b.*\bFUNCTION 7 |spgist\b.*\bFUNCTION 6 |brin\b.*\bFUNCTION 5 )`)},
	{13, "publications by the root of partitions", []string{"PUBLICATION"}, says(`publish_via_partition_root = true`)},
	{13, "publications of partitioned tables", []string{"PUBLICATION TABLE"}, ofPartitioned(` ADD TABLE `)},
	{13, "FETCH FIRST … WITH TIES", asked, says(`\bFETCH FIRST .* WITH TIES\b`)},
	{13, "normal forms of Unicode", nil, says(`\bIS (NOT )?(NFK?[CD] )?NORMALIZED\b`)},
	{13, "datetime() in JSON paths", nil, says(`\.datetime\([^']*'::jsonpath`)},
	{13, "the function", nil, calls("gen_random_uuid gcd lcm min_scale trim_scale normalize is_normalized jsonb_set_lax pg_current_xact_id pg_current_xact_id_if_assigned pg_current_snapshot pg_visible_in_snapshot " +
		"pg_snapshot_xip pg_snapshot_xmax pg_snapshot_xmin pg_xact_status to_regcollation " +
		"jsonb_path_exists_tz jsonb_path_match_tz jsonb_path_query_tz jsonb_path_query_array_tz jsonb_path_query_first_tz")},
	{14, "multiranges", nil, multiranges},
	{14, "SQL bodies of functions", []string{"FUNCTION", "PROCEDURE"}, says(`(?m)^ {4}LANGUAGE sql\b[^\n]*\n(?: {4}SET [^\n]*\n)*(?: {4}(?:BEGIN ATOMIC$|RETURN )|BEGIN ATOMIC$)`)},
	{14, "procedures with OUT parameters", []string{"PROCEDURE"}, says(`^CREATE PROCEDURE [^\n]*\bOUT `)},
	{14, "statistics of expressions", []string{"STATISTICS"}, says(`(?s)^CREATE STATISTICS .* ON .*\(.* FROM `)},
	{14, "SEARCH and CYCLE of recursive queries", asked, says(`(?m) (SEARCH (DEPTH|BREADTH) FIRST BY|CYCLE .* SET) `)},
	{14, "columns beside the key of an SP-GiST index", []string{"INDEX", "CONSTRAINT"}, says(` USING spgist \([^\n]*\) INCLUDE \(`)},
	{14, "subscripts of jsonb", nil, subscripts},
	{14, "GROUP BY DISTINCT", asked, says(`\bGROUP BY DISTINCT\b`)},
	{14, "a name for the columns of JOIN … USING", asked, says(`\bJOIN [^\n]* USING \([^)]*\) AS `)},
	{14, "the classes bloom and minmax_multi of BRIN", []string{"INDEX"}, says(` USING brin .*_(bloom|minmax_multi)_ops\b`)},
	{14, "sorting in classes of GiST", []string{"OPERATOR CLASS", "OPERATOR FAMILY"}, says(`(?s)USING gist\b.*\bFUNCTION 11 `)},
	{14, "EXTRACT as a numeric", []string{"TABLE"}, storesExtract},
	{14, "EXTRACT as a numeric", []string{"MATERIALIZED VIEW"}, extractsFractions},
	{14, "the function", nil, calls("date_bin pg_column_compression bit_count bit_xor string_to_table trim_array unistr range_agg range_intersect_agg")},
	{15, "NULLS NOT DISTINCT", []string{"CONSTRAINT", "INDEX"}, says(` NULLS NOT DISTINCT`)},
	{15, "SET NULL and SET DEFAULT for some columns of a key", []string{"FK CONSTRAINT"}, says(` ON DELETE SET (NULL|DEFAULT) \(`)},
	{15, "security_invoker views", []string{"VIEW"}, says(`^CREATE VIEW [^\n]* WITH \([^\n]*security_invoker=`)},
	{15, "numbers with a negative scale", typed, says(`\bnumeric\(\d+,-`)},
	{15, "numbers with a scale above their precision", typed, wideScale},
	{15, "MERGE in a function", []string{"FUNCTION", "PROCEDURE"}, says(`(?m)^ *BEGIN ATOMIC$(?s:.*)\bMERGE INTO `)},
	{15, "publications of some rows or columns", []string{"PUBLICATION TABLE"}, says(` ADD TABLE ONLY ("([^"]|"")*"|[^" (])+ (\(|WHERE )`)},
	{15, "publications of schemas", []string{"PUBLICATION TABLES IN SCHEMA"}, says(` ADD TABLES IN SCHEMA `)},
	{15, "the function", nil, calls("regexp_count regexp_instr regexp_like regexp_substr")},
	{16, "collations with rules", []string{"COLLATION"}, says(`, rules = `)},
	{16, "the collation unicode", nil, spells(`\bCOLLATE (pg_catalog\.)?unicode\b`)},
	{16, "IS JSON and JSON constructors", nil, spells(`\b(JSON_ARRAY|JSON_OBJECT|JSON_ARRAYAGG|JSON_OBJECTAGG)\(|\bIS (NOT )?JSON\b`)},
	{16, "XMLSERIALIZE … INDENT", nil, spells(`\bXMLSERIALIZE\([^;]* INDENT\)`)},
	{16, "SYSTEM_USER", nil, spells(`\bSYSTEM_USER\b`)},
	{16, "the function", nil, calls("any_value array_sample array_shuffle date_add date_subtract random_normal erf erfc pg_input_is_valid pg_input_error_info")},
	{17, "the collation pg_c_utf8", nil, spells(`\bCOLLATE (pg_catalog\.)?pg_c_utf8\b`)},
	{17, "JSON_TABLE and the functions of SQL/JSON", nil, spells(`\b(JSON_TABLE|JSON_VALUE|JSON_QUERY|JSON_EXISTS|JSON_SCALAR|JSON_SERIALIZE)\(`)},
	{17, "built-in collations", []string{"COLLATION"}, says(`provider = builtin`)},
	{17, "exclusion constraints of partitioned tables", []string{"CONSTRAINT"}, ofPartitioned(` EXCLUDE `)},
	{17, "event triggers on login", []string{"EVENT TRIGGER"}, says(`^CREATE EVENT TRIGGER .* ON login\b`)},
	{17, "AT LOCAL", nil, spells(` AT LOCAL\)`)},
	{17, "MERGE … RETURNING", []string{"FUNCTION", "PROCEDURE"}, says(`(?m)^ *BEGIN ATOMIC$(?s:.*)\bMERGE INTO (?s:[^;]*)\bRETURNING `)},
	{17, "methods of JSON paths", nil, says(`\.(bigint|boolean|date|decimal|integer|number|string|time|time_tz|timestamp|timestamp_tz)\([^']*'::jsonpath`)},
	{17, "the function", nil, calls("jsonb_populate_record_valid pg_basetype to_bin to_oct unicode_assigned unicode_version uuid_extract_timestamp uuid_extract_version xmltext to_regtypemod")},
	{18, "constraints that are not enforced", []string{"CONSTRAINT", "FK CONSTRAINT", "CHECK CONSTRAINT", "TABLE"}, says(` NOT ENFORCED`)},
	{18, "keys WITHOUT OVERLAPS", []string{"CONSTRAINT"}, says(` WITHOUT OVERLAPS`)},
	{18, "keys over a PERIOD", []string{"FK CONSTRAINT"}, says(` PERIOD `)},
	{18, "NOT NULL constraints that are not validated, or not inherited", []string{"CONSTRAINT", "TABLE"}, says(` NOT NULL [^\n]* NOT VALID| NOT NULL (("([^"]|"")*"|[^\s",]+) )?NO INHERIT`)},
	{18, "names for the old and the new row", []string{"FUNCTION", "PROCEDURE", "RULE"}, says(`\bRETURNING WITH \(`)},
	{18, "foreign keys of partitioned tables that are not validated", []string{"FK CONSTRAINT"}, ofPartitioned(` NOT VALID`)},
	{18, "the collation PG_UNICODE_FAST", []string{"COLLATION"}, says(`'PG_UNICODE_FAST'`)},
	{18, "the collation pg_unicode_fast", nil, spells(`\bCOLLATE (pg_catalog\.)?pg_unicode_fast\b`)},
	{18, "publications of computed columns", []string{"PUBLICATION"}, says(`publish_generated_columns = `)},
	{18, "skipping or numbers of strategies in operator classes", []string{"OPERATOR CLASS", "OPERATOR FAMILY"}, says(`(?s)USING (btree\b.*\bFUNCTION 6 |gist\b.*\bFUNCTION 12 )`)},
	{18, "the function", nil, calls("uuidv4 uuidv7 casefold crc32 crc32c array_sort array_reverse gamma lgamma has_largeobject_privilege pg_get_acl")},
}

var firstNumber = regexp.MustCompile(`\d+`)

// versionOf returns the major version in a server's own words, 0 if none stands there.
func versionOf(server string) int {
	major, _ := strconv.Atoi(firstNumber.FindString(server))
	return major
}

// lack is something that an object of the source needs, and a server does not know.
type lack struct {
	feature
	object string
}

// lacking returns what definitions need and a server of a version lacks: of each feature
// the first object that needs it. What the source's server lacks as well is only
// spelt alike.
func lacking(d *definitions, c *catalog.Catalog, major int) (all []lack) {
	for _, f := range needed {
		if !f.missing(c, major) {
			continue
		}
		if l, found := f.first(d, c); found {
			all = append(all, l)
		}
	}
	if virtualColumns.in(major) {
		return all
	}
	for _, t := range c.Tables {
		for _, col := range t.Columns {
			if col.Generation == catalog.Virtual {
				return append(all, lack{virtualColumns, "column " + words(t.ID) + "." + word(col.Name)})
			}
		}
	}
	return all
}

// first returns the first object of the definitions that has the feature.
func (f feature) first(d *definitions, c *catalog.Catalog) (lack, bool) {
	for _, entries := range [][]entry{d.Before, d.After} {
		for _, e := range entries {
			if name, found := f.finds(e, d, c); found {
				f.name = strings.TrimSpace(f.name + " " + name)
				return lack{f, e.String()}, true
			}
		}
	}
	return lack{}, false
}

// lacks is the error for what a source has and the target's server does not know, all of it.
func (s *sink) lacks(op string, all ...lack) error {
	if len(all) == 0 {
		return nil
	}
	since, has := 0, make([]string, len(all))
	for i, l := range all {
		since, has[i] = max(since, l.since), l.object+" has "+l.name
	}
	cause := fmt.Sprintf("%s, which PostgreSQL %d does not know", has[0], s.major)
	if len(all) > 1 {
		cause = fmt.Sprintf("PostgreSQL %d does not know what the source needs: %s", s.major, strings.Join(has, "; "))
	}
	return &connectors.Error{Kind: connectors.KindUnsupported, Side: s.side, Op: op, Err: errors.New(cause),
		Hint: fmt.Sprintf("use a target of version %d or later", since)}
}
