package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// A copy has no tether to production: what would reach another server, act by itself or
// let somebody in stays at the source, or is made in a form that does nothing. This file
// decides it, object by object, for plan and run alike.

// ruling is what becomes of the objects of a kind.
type ruling struct {
	reason string
	fixed  bool // no --keep-object brings one along
}

// staying lists the kinds of objects of which each stays behind.
var staying = map[string]ruling{
	"subscription":         {"would take rows from another server, whose password it holds", true},
	"publication":          {"would send rows to other servers", false},
	"foreign server":       {reachesServer, true},
	"user mapping":         {"holds the account, and perhaps the password, for another server", true},
	"foreign data wrapper": {"is made to connect to other servers", false},
	"foreign table":        {"has its rows on another server", true},
	"event trigger":        {"acts by itself, on changes of definitions", false},
	"job":                  {"acts by itself, at its time", true},
	"role":                 {"belongs to the server and not to the database, and may log in with a password", true},
	"database setting":     {"is none of those that are known to be harmless, and may be a secret", false},
	"function setting":     {"is none of those that are known to be harmless, and may be a secret", false},
	"procedure setting":    {"is none of those that are known to be harmless, and may be a secret", false},
	"large objects":        {"are bytes that no policy can decide about", true},
	"grants":               {"are for the target's owner to give or to take; --grants copies those of roles that exist there", false},
	"database rights":      {"are for the target's owner to give or to take; --grants copies those of roles that exist there", false},
	"rights":               {"are other than those that these have by themselves: at the target they are for its owner to give or to take", true},
	"language rights":      {"are for a superuser of the target's server to give", true},
	"role setting":         {"is for a role of the source's server", true},
	"tablespace":           {"is a folder of the source's server; the target's tables lie where its owner has them", true},
	"default privileges":   {"are for roles of the source's server", true},
	"security labels":      {"mean something to a module of the server alone", true},
	extensionRows:          {"are in a table of the extension's, about which no policy decides: those that it has not brought itself come by name alone", false},
}

// extensions lists those that stay behind: they reach out, or act by themselves. Others
// are made at the target.
var extensions = map[string]string{
	"dblink": reachesServer, "postgres_fdw": reachesServer, "mysql_fdw": reachesServer, "oracle_fdw": reachesServer, "tds_fdw": reachesServer,
	"mongo_fdw": reachesServer, "redis_fdw": reachesServer, "sqlite_fdw": reachesServer, "jdbc_fdw": reachesServer, "odbc_fdw": reachesServer, "clickhouse_fdw": reachesServer,
	"hdfs_fdw": reachesServer, "kafka_fdw": reachesServer, "influxdb_fdw": reachesServer, "multicorn": reachesServer, "wrappers": reachesServer, "plproxy": reachesServer,
	"amqp": reachesServer, "citus": reachesServer, // whose tables come along as plain ones
	"file_fdw": reachesFile, "parquet_fdw": reachesFile, "adminpack": reachesFile, "log_fdw": reachesFile, "pg_duckdb": reachesFile, "rds_tools": ofProvider,
	"http": reachesWeb, "pg_net": reachesWeb, "aws_s3": reachesWeb, "aws_lambda": reachesWeb, "aws_commons": reachesWeb, "aws_ml": reachesWeb, "azure": reachesWeb, "azure_storage": reachesWeb, "azure_ai": reachesWeb,
	"google_ml_integration": reachesWeb, "pg_tle": "makes extensions of its own", "vault": "holds secrets", "supabase_vault": "holds secrets",
	"pg_cron": reachesLater, "pgagent": reachesLater, "pg_timetable": reachesLater, "dbms_job": reachesLater, "pg_dbms_job": reachesLater, "pg_background": reachesLater,
	"pglogical": "replicates to and from other servers", "bdr": "replicates to and from other servers", "spock": "replicates to and from other servers", "londiste": "replicates to and from other servers",
	"plpython3u": untrusted, "plpython2u": untrusted, "plpythonu": untrusted, "plperlu": untrusted, "pltclu": untrusted, "plsh": untrusted, "plluau": untrusted, "plr": untrusted, "pljava": untrusted,
}

const (
	untrusted  = "is a language that may do anything on the server's machine"
	ofProvider = "belongs to the servers of one provider"
	wraps      = "brings a foreign data wrapper, which is made to connect to other servers"
)

// extensionStays says why an extension stays behind, or "". That of timescaledb has a wrapper
// for its own nodes, and tables cannot do without it.
func extensionStays(name string, wrapping bool) string {
	why := extensions[name]
	if why == "" && wrapping && name != "timescaledb" {
		return wraps
	}
	return why
}

// stayingExtensions returns the extensions of a database that stay behind, and why.
func (p *picture) stayingExtensions(ctx context.Context, conn *pgx.Conn) (map[string]string, error) {
	wrapping, err := readNames(ctx, conn, "wrapping")
	if err != nil {
		return nil, err
	}
	staying := map[string]string{}
	for _, o := range p.objects {
		if o.Kind == "extension" {
			staying[o.Name] = extensionStays(o.Name, slices.Contains(wrapping, o.Name))
		}
	}
	for _, name := range p.leaves {
		if _, there := staying[name]; !there {
			return nil, &connectors.Error{Kind: connectors.KindUsage, Side: connectors.SourceSide, Op: "leave extension " + word(name) + " behind",
				Err: errors.New("the source has no such extension"), Hint: "it has " + list(slices.Sorted(maps.Keys(staying)))}
		}
		staying[name] = "is left behind by name"
	}
	return staying, nil
}

// keyOf is the key of an object in the server's catalogs.
func (p *picture) keyOf(i int) archiveID {
	if i < len(p.at) {
		return p.at[i]
	}
	return archiveID{}
}

// add adds an object that the query of objects does not list.
func (p *picture) add(at archiveID, o catalog.Object) int {
	for len(p.at) < len(p.objects) {
		p.at = append(p.at, archiveID{})
	}
	p.objects, p.at = append(p.objects, o), append(p.at, at)
	return len(p.objects) - 1
}

// decideFates says of each object what becomes of it in a copy. It reads what depends on
// what stays, and nothing where nothing does.
func (p *picture) decideFates(ctx context.Context, conn *pgx.Conn, tables []*catalog.Table) error {
	ofExtensions, err := p.stayingExtensions(ctx, conn)
	if err != nil {
		return err
	}
	if err := p.addBeside(ctx, conn, tables, ofExtensions); err != nil {
		return err
	}
	doings, err := p.readDoings(ctx, conn)
	if err != nil {
		return err
	}
	own := p.ownFunctions(doings)
	var functions []uint32
	for i := range p.objects {
		p.decide(i, doings[p.keyOf(i).oid], own, ofExtensions)
		if o := p.objects[i]; o.Fate == catalog.Neutralised {
			functions = append(functions, p.keyOf(i).oid)
		}
	}
	if err := p.neutralise(ctx, conn, functions); err != nil {
		return err
	}
	if err := p.unnamed(ctx, conn); err != nil {
		return err
	}
	if err := p.leaveOnMembers(ctx, conn, ofExtensions); err != nil {
		return err
	}
	if err := p.closure(ctx, conn); err != nil {
		return err
	}
	if err := p.readGiven(ctx, conn, tables); err != nil {
		return err
	}
	p.reaching(tables, own)
	if err := p.tainted(ctx, conn, tables); err != nil {
		return err
	}
	if err := p.referring(ctx, conn); err != nil {
		return err
	}
	if err := p.deny(ctx, conn); err != nil {
		return err
	}
	p.lookedUp(tables)
	p.naming(tables)
	for i, words := range p.beside { // they have fates of their own, and travel in the archive
		p.objects[i].Definition += "\n" + words
	}
	return nil
}

// readDoings reads what functions are and do beside their words, by their ids.
func (p *picture) readDoings(ctx context.Context, conn *pgx.Conn) (map[uint32]doing, error) {
	doings := map[uint32]doing{}
	err := each(ctx, conn, "functions", nil, func(row pgx.CollectableRow) error {
		var oid uint32
		var d doing
		err := row.Scan(&oid, &d.language, &d.definer, &d.closed, &d.library, &d.symbol, &d.spells)
		doings[oid] = d
		p.closes = p.closes || d.closed
		return err
	})
	return doings, err
}

// ownFunctions returns the names of the database's own functions whose code can be looked at.
func (p *picture) ownFunctions(doings map[uint32]doing) map[string]bool {
	own := map[string]bool{}
	var foreign []string
	for i, o := range p.objects {
		if o.Kind == "function" || o.Kind == "procedure" {
			name, bare := functionName(o)
			own[name], own[bare] = true, true
			if doings[p.keyOf(i).oid].compiled() != "" {
				foreign = append(foreign, name, bare)
			}
		}
	}
	for _, name := range foreign {
		delete(own, name) // nobody here can look at compiled code
	}
	return own
}

// decide decides about an object by itself.
func (p *picture) decide(i int, d doing, own map[string]bool, ofExtensions map[string]string) {
	o := &p.objects[i]
	if s, ok := staying[o.Kind]; ok {
		if o.Kind == "role" && p.keyOf(i).oid < firstUserOID {
			return // every server has it
		}
		o.Fate, o.Reason, o.Fixed = catalog.Stays, s.reason, o.Fixed || s.fixed
		return
	}
	why := ""
	switch o.Kind {
	case "extension member":
		o.Fate, o.Reason = catalog.Noted, "is outside of its extension's schema: if people have added it, no dump has it, and it stays behind"
	case "extension":
		why = ofExtensions[o.Name]
	case "function", "procedure":
		decideFunction(o, d, own)
	case "view", "materialized view", "rule", "policy", "extended statistics":
		why = reaches(o.Definition, own)
	case "trigger": // of a view: those of tables stand there
		why = reaches(conditionOf(o.Definition), own)
	}
	if why != "" {
		o.Fate, o.Reason = catalog.Stays, why
	}
}

func decideFunction(o *catalog.Object, d doing, own map[string]bool) {
	compiled, why := d.compiled(), ""
	if d.library == "" && d.symbol == "" {
		// Its own name in its body is another's: a wrapper is called like what it calls.
		_, bare := functionName(*o)
		was := own[bare]
		own[bare] = false
		why = reaches(o.Definition, own)
		own[bare] = was
	}
	if d.language != "" {
		why = "is written in " + d.language + ", which may do anything on the server's machine"
	}
	switch {
	case compiled == unknownLibrary && d.spells:
		// Without it there is no type, and no table that has it.
		o.Fate, o.Reason = catalog.Noted, compiled
	case compiled != "":
		// There is no body to write anew, and what is built on it (operators, classes
		// of indexes, handlers) would not work: it stays as that of an extension does.
		o.Fate, o.Reason = catalog.Stays, compiled
	case why != "":
		o.Fate, o.Reason = catalog.Neutralised, why
	case d.definer:
		o.Fate, o.Reason = catalog.Noted, "runs with the rights of its owner, who is the target's account"
		if d.closed {
			o.Reason += "; PUBLIC may not call it, as at the source"
		}
	}
}

// readGiven reads the CHECKs of domains, and the defaults of views and tables.
func (p *picture) readGiven(ctx context.Context, conn *pgx.Conn, tables []*catalog.Table) error {
	err := each(ctx, conn, "domains", nil, func(row pgx.CollectableRow) error {
		var d domainPart
		err := row.Scan(&d.domain.Schema, &d.domain.Name, &d.check, &d.text)
		p.domains = append(p.domains, d)
		return err
	})
	if err != nil {
		return err
	}
	err = each(ctx, conn, "view_defaults", nil, func(row pgx.CollectableRow) error {
		var d givenDefault
		err := row.Scan(&d.of.Schema, &d.of.Name, &d.column, &d.expression)
		p.given = append(p.given, d)
		return err
	})
	if err != nil {
		return err
	}
	for _, t := range tables {
		for _, c := range t.Columns {
			if c.Default != "" && !c.Generation.Computed() {
				p.given = append(p.given, givenDefault{t.ID, defaulted{c.Name, c.Default}})
			}
		}
	}
	return nil
}

// addBeside adds what is no object of its own: rights, labels, foreign tables. Rows of an
// extension that stays go without saying.
func (p *picture) addBeside(ctx context.Context, conn *pgx.Conn, tables []*catalog.Table, ofExtensions map[string]string) error {
	var settings []string
	var encoding, collate, ctype, provider, locale, rules string
	if err := conn.QueryRow(ctx, query("database")).Scan(&encoding, &collate, &ctype, &provider, &locale, &rules, &settings); err != nil {
		return fmt.Errorf("read the database's settings: %w", err)
	}
	for _, kv := range settings {
		if name, _, _ := strings.Cut(kv, "="); !harmless[strings.ToLower(name)] {
			p.add(archiveID{}, catalog.Object{Kind: "database setting", Name: name})
		}
	}
	if err := p.addSettings(ctx, conn); err != nil {
		return err
	}
	err := each(ctx, conn, "beside", nil, func(row pgx.CollectableRow) error {
		var o catalog.Object
		var extension string
		if err := row.Scan(&o.Kind, &o.Name, &extension); err != nil {
			return err
		}
		o.Fixed = o.Kind == extensionRows && extension == "timescaledb" // they are jobs, and what it has made of tables
		if extension == "" || ofExtensions[extension] == "" {
			p.add(archiveID{}, o)
		}
		return nil
	})
	if err != nil {
		return err
	}
	p.tieGrants()
	if err := p.readSession(ctx, conn); err != nil {
		return err
	}
	for _, t := range tables {
		if t.Kind == catalog.Foreign {
			p.add(archiveID{classOfTables, p.oids[t.ID]}, catalog.Object{Kind: "foreign table", Name: t.ID.String()})
		}
	}
	return nil
}

// tieGrants ties the rights on the database to those on its objects: they come along together.
func (p *picture) tieGrants() {
	i := slices.IndexFunc(p.objects, func(o catalog.Object) bool { return o.Kind == catalog.Grants })
	for k := range p.objects {
		if p.objects[k].Kind == "database rights" && i >= 0 {
			p.objects[k].Causes = []string{catalog.Grants + ":" + p.objects[i].Name}
		}
	}
}

// The ids of the catalogs themselves are the same in every database.
const (
	classOfTables    = 1259 // pg_class
	classOfFunctions = 1255 // pg_proc
	classOfTypes     = 1247 // pg_type
)

// neutralise writes functions anew: the same signature, and a body that raises an error.
// One whose signature itself reaches out, in the default of a parameter, stays behind.
func (p *picture) neutralise(ctx context.Context, conn *pgx.Conn, functions []uint32) error {
	if len(functions) == 0 {
		return nil
	}
	p.neutral = map[archiveID]string{}
	return each(ctx, conn, "signatures", []any{functions}, func(row pgx.CollectableRow) error {
		var oid uint32
		var schema, name, arguments, result, volatility string
		var procedure bool
		if err := row.Scan(&oid, &schema, &name, &arguments, &result, &procedure, &volatility); err != nil {
			return err
		}
		at := archiveID{classOfFunctions, oid}
		i := slices.Index(p.at, at)
		if i < 0 {
			return nil
		}
		o := &p.objects[i]
		if reaches(arguments, nil) != "" {
			o.Fate = catalog.Stays
			return nil
		}
		p.neutral[at] = neutralSQL(schema, name, arguments, result, volatility, procedure, *o)
		return nil
	})
}

// neutralSQL returns a function that does nothing but say what it is. It is not one of
// SECURITY DEFINER, and not STRICT: it speaks whatever it is called with.
func neutralSQL(schema, name, arguments, result, volatility string, procedure bool, o catalog.Object) string {
	// The message goes through a format: a percent sign in a name would be a place in it.
	said := "sanitize has neutralised " + o.Name + ": the original " + o.Reason
	hint := "it is whole at the source; to copy it: sanitize run --keep-object '" + o.Kind + ":" + o.Name + "'"
	body := "BEGIN\n  RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',\n    MESSAGE = " + literal(said) + ",\n    HINT = " + literal(hint) + ";\nEND"
	head := "CREATE FUNCTION "
	tail := " RETURNS " + result + "\n    LANGUAGE plpgsql " + volatility
	if procedure {
		head, tail = "CREATE PROCEDURE ", "\n    LANGUAGE plpgsql"
	}
	return head + ident(schema) + "." + ident(name) + "(" + arguments + ")" + tail + "\n    AS " + literal(body) + ";"
}

// defaulted is a column whose default stays behind.
type defaulted struct{ column, expression string }

// closure finds what depends on what stays, step by step: it cannot be made without.
func (p *picture) closure(ctx context.Context, conn *pgx.Conn) error {
	byKey := map[archiveID]int{}
	for i := range p.objects {
		if at := p.keyOf(i); at.oid != 0 {
			byKey[at] = i
		}
	}
	// Who asks: an object that stays, or something of its own (a type, a function of an
	// extension) that stands for it.
	cause := map[archiveID]string{}
	var ask []archiveID
	for i, o := range p.objects {
		if at := p.keyOf(i); at.oid != 0 && o.Fate == catalog.Stays {
			ask, cause[at] = append(ask, at), o.Kind+":"+o.Name
		}
	}
	asked := map[archiveID]bool{}
	checks := map[int]archiveID{} // those that need what stays, by their tables or domains
	for len(ask) > 0 {
		var classes, ids []uint32
		for _, at := range ask {
			asked[at] = true
			classes, ids = append(classes, at.class), append(ids, at.oid)
		}
		ask = nil
		err := each(ctx, conn, "dependents", []any{classes, ids}, func(row pgx.CollectableRow) error {
			var from, at, checked archiveID
			var part int32
			var kind, name, expression string
			var inner, byType, generated, ofMember bool
			var of catalog.ColumnID
			if err := row.Scan(&from.class, &from.oid, &at.class, &at.oid, &part, &inner, &byType, &kind, &name,
				&of.Table.Schema, &of.Table.Name, &of.Column, &expression, &generated, &checked.class, &checked.oid, &ofMember); err != nil {
				return err
			}
			i, known := byKey[at]
			inner = inner || at.class == classOfTypes
			switch {
			case known && p.objects[i].Fate == catalog.Neutralised && !byType:
				return nil // its body is gone, and with it the need
			case !known && ofMember:
				return nil // it goes with what the extension has made
			case !known && at.class == classOfTables && part > 0:
				// A column of that type: neither the table nor the type can be made without.
				p.stop(kind, name, cause[from])
				return nil
			case !known && kind == "default" && generated:
				p.stop("column", name, cause[from])
				return nil
			case !known && inner:
				// Part of what stays: it has no name of its own here.
			case !known:
				if kind == "default" {
					p.defaults[of.Table] = append(p.defaults[of.Table], defaulted{of.Column, expression})
				}
				i = p.add(at, catalog.Object{Kind: kind, Name: name})
				byKey[at], known = i, true
				if checked.class != 0 {
					checks[i] = checked
				}
			}
			if known {
				o := &p.objects[i]
				switch {
				case o.Fate != catalog.Stays:
					o.Fate, o.Reason, o.Causes = catalog.Stays, needs(cause[from]), []string{cause[from]}
				case len(o.Causes) > 0 && !slices.Contains(o.Causes, cause[from]):
					o.Causes = append(o.Causes, cause[from])
				}
			}
			if asked[at] {
				return nil
			}
			if _, waiting := cause[at]; !waiting {
				cause[at] = cause[from]
				if known {
					cause[at] = p.objects[i].Kind + ":" + p.objects[i].Name
				}
				ask = append(ask, at)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	// A copy without a CHECK would take what the source refuses, and nobody has said that
	// it may. One whose table or domain stays goes with it.
	for i, of := range checks {
		if at, known := byKey[of]; !known || p.objects[at].Fate != catalog.Stays {
			p.objects[i].Fate = catalog.Stops
		}
	}
	return nil
}
