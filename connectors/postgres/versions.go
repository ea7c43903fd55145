package postgres

import (
	"fmt"
	"regexp"
	"slices"

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
	// kinds and words find it in the definitions of a source: an entry of one of the
	// kinds, if there are any, with the words in its SQL.
	kinds []string
	words *regexp.Regexp
}

// in reports whether a server or a program of a major version has the feature.
func (f feature) in(major int) bool { return major >= f.since }

// What we use where it is there, and do otherwise where not.
var (
	dropsByForce    = feature{since: 13, name: "DROP DATABASE … WITH (FORCE)"}
	scansRanges     = feature{since: 14, name: "scans of ranges of ctid"}
	takesForeignIDs = feature{since: 14, name: "arrays and composites in binary form from another server"}
	namesProviders  = feature{since: 15, name: "a provider of a database's locale"}
	dumpsStatistics = feature{since: 18, name: "statistics in a dump"}
)

// What a database as a whole may need.
var (
	icuDatabases     = feature{since: 15, name: "an ICU collation"}
	icuRules         = feature{since: 16, name: "ICU rules"}
	builtinDatabases = feature{since: 17, name: "a built-in collation"}
)

// virtualColumns are found in the catalog; a dump writes them by leaving a word out.
var virtualColumns = feature{since: 18, name: "virtual generated columns"}

// needed lists what definitions may need of the server on which they are made.
var needed = []feature{
	{13, "targets of statistics objects", []string{"STATISTICS"}, regexp.MustCompile(`(?m)^ALTER STATISTICS .* SET STATISTICS `)},
	{13, "the types xid8 and pg_snapshot", []string{"TABLE", "TYPE", "DOMAIN"}, regexp.MustCompile(`\b(pg_snapshot|xid8)\b`)},
	{14, "multiranges", []string{"TABLE", "TYPE", "DOMAIN", "FUNCTION", "PROCEDURE"}, regexp.MustCompile(`(?i)multirange`)},
	{14, "SQL bodies of functions", []string{"FUNCTION", "PROCEDURE"}, regexp.MustCompile(`(?m)^ {4}LANGUAGE sql\b[^\n]*\n(?: {4}SET [^\n]*\n)*(?: {4}(?:BEGIN ATOMIC$|RETURN )|BEGIN ATOMIC$)`)},
	{14, "procedures with OUT parameters", []string{"PROCEDURE"}, regexp.MustCompile(`^CREATE PROCEDURE [^\n]*\bOUT `)},
	{14, "compression methods of columns", nil, regexp.MustCompile(`(?m)^ALTER TABLE [^\n]* SET COMPRESSION `)},
	{14, "statistics of expressions", []string{"STATISTICS"}, regexp.MustCompile(`(?s)^CREATE STATISTICS .* ON .*\(.* FROM `)},
	{14, "SEARCH and CYCLE of recursive queries", []string{"VIEW", "MATERIALIZED VIEW"}, regexp.MustCompile(`(?m) (SEARCH (DEPTH|BREADTH) FIRST BY|CYCLE .* SET) `)},
	{15, "NULLS NOT DISTINCT", []string{"CONSTRAINT", "INDEX"}, regexp.MustCompile(` NULLS NOT DISTINCT`)},
	{15, "SET NULL and SET DEFAULT for some columns of a key", []string{"FK CONSTRAINT"}, regexp.MustCompile(` ON DELETE SET (NULL|DEFAULT) \(`)},
	{15, "security_invoker views", []string{"VIEW"}, regexp.MustCompile(`^CREATE VIEW [^\n]* WITH \([^\n]*security_invoker=`)},
	{15, "numbers with a negative scale", []string{"TABLE", "TYPE", "DOMAIN"}, regexp.MustCompile(`\bnumeric\(\d+,-`)},
	{15, "unlogged sequences", []string{"SEQUENCE"}, regexp.MustCompile(`^CREATE UNLOGGED SEQUENCE`)},
	{16, "collations with rules", []string{"COLLATION"}, regexp.MustCompile(`, rules = `)},
	{16, "JSON constructors", []string{"VIEW", "MATERIALIZED VIEW"}, regexp.MustCompile(`\b(JSON_ARRAY|JSON_OBJECT|JSON_ARRAYAGG|JSON_OBJECTAGG)\(|\bIS JSON\b`)},
	{17, "JSON_TABLE and the functions of SQL/JSON", []string{"VIEW", "MATERIALIZED VIEW"}, regexp.MustCompile(`\b(JSON_TABLE|JSON_VALUE|JSON_QUERY|JSON_EXISTS|JSON_SCALAR|JSON_SERIALIZE)\(`)},
	{17, "the right MAINTAIN", []string{"ACL"}, regexp.MustCompile(`^GRANT [^\n]*\bMAINTAIN\b`)},
	{17, "built-in collations", []string{"COLLATION"}, regexp.MustCompile(`provider = builtin`)},
	{18, "constraints that are not enforced", []string{"CONSTRAINT", "FK CONSTRAINT", "CHECK CONSTRAINT", "TABLE"}, regexp.MustCompile(` NOT ENFORCED`)},
	{18, "keys WITHOUT OVERLAPS", []string{"CONSTRAINT"}, regexp.MustCompile(` WITHOUT OVERLAPS`)},
	{18, "keys over a PERIOD", []string{"FK CONSTRAINT"}, regexp.MustCompile(` PERIOD `)},
	{18, "NOT NULL constraints that are not validated, or not inherited", []string{"CONSTRAINT", "TABLE"}, regexp.MustCompile(` NOT NULL [^\n]* NOT VALID| NOT NULL NO INHERIT`)},
}

// lacking returns the first thing that definitions need and a server of a version
// lacks, and the object that needs it.
func lacking(d *definitions, c *catalog.Catalog, major int) (_ feature, object string, ok bool) {
	for _, f := range needed {
		if f.words == nil || f.in(major) {
			continue
		}
		for _, entries := range [][]entry{d.Before, d.After} {
			for _, e := range entries {
				if (len(f.kinds) == 0 || slices.Contains(f.kinds, e.Kind)) && f.words.MatchString(e.SQL) {
					return f, e.String(), true
				}
			}
		}
	}
	if virtualColumns.in(major) {
		return feature{}, "", false
	}
	for _, t := range c.Tables {
		for _, col := range t.Columns {
			if col.Generation == catalog.Virtual {
				return virtualColumns, "column " + words(t.ID) + "." + word(col.Name), true
			}
		}
	}
	return feature{}, "", false
}

// lacks is the error for what a source has and the target's server does not know.
func (s *sink) lacks(op, object string, f feature) error {
	return &connectors.Error{Kind: connectors.KindUnsupported, Side: s.side, Op: op,
		Err:  fmt.Errorf("%s has %s, which PostgreSQL %d does not know", object, f.name, s.major),
		Hint: fmt.Sprintf("use a target of version %d or later", f.since)}
}
