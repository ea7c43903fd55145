package postgres

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// superOnly lists the kinds of a dump that only a superuser may make.
var superOnly = []string{"OPERATOR CLASS", "OPERATOR FAMILY", "ACCESS METHOD", "TEXT SEARCH PARSER", "TEXT SEARCH TEMPLATE"}

var (
	// header finds how a function is made: its language with all that stands in that line, and the
	// settings beneath. Nothing of its body comes before.
	header = regexp.MustCompile(`(?m)^ {4}LANGUAGE ("(?:[^"]|"")*"|\S+)([^\n]*)((?:\n {4}SET [^\n]*)*)`)
	setBy  = regexp.MustCompile(`(?m)^ {4}SET "?([^\s"]+)"? `)
	// baseType finds a type that says itself how it is read, and castOf what a cast is of.
	baseType = regexp.MustCompile(`^CREATE TYPE ("(?:[^"]|"")*"|[^\s"(])+ \(\n {4}INTERNALLENGTH `)
	castOf   = regexp.MustCompile(`(?s)^CREATE CAST \((.+) AS (.+)\) (WITH(?:OUT)? \w+)`)
	// ofInternal finds an aggregate whose state is what the server alone can read.
	ofInternal = regexp.MustCompile(`(?m)^ {4}(M?STYPE = internal),?$`)
)

// account is what the target's account may do, as far as definitions need it.
type account struct {
	super    bool
	provided bool     // a provider gives nobody a superuser, and has rules of its own
	settings []string // that it may not set
}

func (b *build) readAccount(ctx context.Context) (a account, err error) {
	err = b.admin.QueryRow(ctx, `SELECT bool_or(rolname = current_user AND rolsuper), bool_or(rolname IN ('rds_superuser', 'cloudsqlsuperuser', 'alloydbsuperuser', 'azure_pg_admin', 'supabase_admin'))
FROM pg_catalog.pg_roles`).Scan(&a.super, &a.provided)
	if err != nil || a.super || a.provided {
		return a, err
	}
	sql := "SELECT pg_catalog.lower(name) FROM pg_catalog.pg_settings WHERE context <> 'user'"
	if grantsParameters.in(b.major) {
		sql += " AND NOT (context = 'superuser' AND pg_catalog.has_parameter_privilege(name, 'SET'))"
	}
	rows, err := b.admin.Query(ctx, sql)
	if err == nil {
		a.settings, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	return a, err
}

// may reports whether an account that is no superuser may make an entry, and if not what keeps it.
func (a account) may(e entry) (why string, ok bool) {
	switch e.Kind {
	case "TYPE":
		return "", !baseType.MatchString(e.SQL)
	case "CAST":
		m := castOf.FindStringSubmatch(e.SQL)
		// One needs to own a type of it. Those of the server itself stand without a schema.
		return "", m == nil || m[3] != "WITHOUT FUNCTION" && (ofSchema(m[1]) || ofSchema(m[2]))
	case "PROCEDURAL LANGUAGE":
		return "", !strings.Contains(e.SQL, " HANDLER ") // else it comes as an extension, which may be trusted
	case "AGGREGATE":
		if m := ofInternal.FindStringSubmatch(e.SQL); m != nil && ofInternal.MatchString(spelt(e.SQL)) {
			return m[1], false
		}
		return "", true
	case "FUNCTION", "PROCEDURE":
		m := header.FindStringSubmatch(e.SQL)
		switch {
		case m == nil:
			return "", true
		case m[1] == "c" || m[1] == "internal":
			return "LANGUAGE " + m[1], false
		case strings.Contains(m[2], " SUPPORT "):
			return "SUPPORT", false
		}
		for _, set := range setBy.FindAllStringSubmatch(m[3], -1) {
			if slices.Contains(a.settings, strings.ToLower(set[1])) {
				return "SET " + set[1], false
			}
		}
		return "", true
	}
	return "", !slices.Contains(superOnly, e.Kind)
}

// ofSchema reports whether a type is not one of the server's own: that is named without its schema.
func ofSchema(name string) bool { return strings.Contains(spelt(name), ".") }

// fitSuper fits the definitions to an account that is no superuser: before anything is made it refuses
// what such a one may not make. A function that is LEAKPROOF is made without: that is a licence of
// the planner's, and no value depends on it.
func (b *build) fitSuper(ctx context.Context) error {
	op := "make definitions at " + b.display(b.target)
	a, err := b.readAccount(ctx)
	if err != nil || a.super {
		return failDefinition(ctx, b.side, op, err)
	}
	var refused []string
	for _, entries := range [][]entry{b.defs.Before, b.defs.After} {
		for i := range entries {
			e := &entries[i]
			if sql, sealed := unsealed(*e); sealed {
				e.SQL = sql
				b.notes(catalog.Object{Kind: "function", Name: word(e.Schema) + "." + e.Name, Fate: catalog.Noted, Reason: "is made without LEAKPROOF, which only a superuser may say: the planner does without it"})
			}
			why, ok := a.may(*e)
			if ok || a.provided {
				continue
			}
			name := e.String()
			if why != "" {
				name += " (" + why + ")"
			}
			refused = append(refused, name)
		}
	}
	if len(refused) == 0 {
		return nil
	}
	return &connectors.Error{Kind: connectors.KindUnavailable, Side: b.side, Op: op,
		Err:  errors.New("only a superuser may make " + strings.Join(refused, ", ") + ", and " + word(b.account) + " is none"),
		Hint: "connect as a superuser of the target's server; or drop at the source what nobody needs"}
}

// unsealed returns the SQL of a function without LEAKPROOF, if it says that.
func unsealed(e entry) (string, bool) {
	if e.Kind != "FUNCTION" {
		return "", false
	}
	m := header.FindStringSubmatchIndex(e.SQL)
	if m == nil || !strings.Contains(e.SQL[m[4]:m[5]], " LEAKPROOF") {
		return "", false
	}
	return e.SQL[:m[4]] + strings.Replace(e.SQL[m[4]:m[5]], " LEAKPROOF", "", 1) + e.SQL[m[5]:], true
}
