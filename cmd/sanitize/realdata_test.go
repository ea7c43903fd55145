package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// The public sample databases. They are not part of this repository: a test that
// needs them takes the folder from REALDATA_DIR and says aloud when there is none.
func realData(t *testing.T, path ...string) (string, bool) {
	t.Helper()
	dir := os.Getenv("REALDATA_DIR")
	if dir == "" {
		dir = filepath.Join(repository(t), "..", "shared", "data")
	}
	file := filepath.Join(append([]string{dir}, path...)...)
	if _, err := os.Stat(file); err != nil {
		t.Logf("NOT RUN: there is no %s; set REALDATA_DIR to the folder of the sample databases", filepath.Join(path...))
		return "", false
	}
	return file, true
}

// plannedColumn is one column of a plan, its names quoted.
type plannedColumn struct{ table, column, class string }

// planned asks the program itself to which columns it does something.
func planned(t *testing.T, policy, from, action string) []plannedColumn {
	t.Helper()
	var plan struct {
		Tables []struct {
			Table   struct{ Schema, Name string }
			Columns []struct{ Column, Action, Class string }
		}
	}
	if err := json.Unmarshal([]byte(sanitize(t, "plan", "--policy", policy, "--from", from, "--json")), &plan); err != nil {
		t.Fatal(err)
	}
	var list []plannedColumn
	for _, td := range plan.Tables {
		for _, cd := range td.Columns {
			if cd.Action == action {
				name := quoted(td.Table.Name)
				if td.Table.Schema != "" {
					name = quoted(td.Table.Schema) + "." + name
				}
				list = append(list, plannedColumn{name, quoted(cd.Column), cd.Class})
			}
		}
	}
	if len(list) == 0 {
		t.Fatalf("the plan has nothing to %s", action)
	}
	return list
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// From one server to another, with the databases that people know.
func TestRealPostgres(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, policy string
		files        []string
		// people are the queries for full names, in the forms in which they may be written.
		people []string
	}{
		{"Pagila", "pagila.yaml", []string{"pagila/pagila.sql"}, []string{
			"SELECT first_name || E'\\t' || last_name FROM customer UNION SELECT first_name || E'\\t' || last_name FROM staff",
			"SELECT first_name || ' ' || last_name FROM customer UNION SELECT first_name || ' ' || last_name FROM staff",
		}},
		{"Sakila", "sakila.yaml", []string{"sakila/schema.sql", "sakila/data.sql"}, []string{
			"SELECT first_name || E'\\t' || last_name FROM customer UNION SELECT first_name || E'\\t' || last_name FROM staff",
			"SELECT first_name || ' ' || last_name FROM customer UNION SELECT first_name || ' ' || last_name FROM staff",
		}},
		{"Chinook", "chinook-postgres.yaml", []string{"chinook/postgres.sql"}, []string{
			"SELECT first_name || E'\\t' || last_name FROM customer UNION SELECT first_name || E'\\t' || last_name FROM employee UNION SELECT last_name || E'\\t' || first_name FROM employee",
			"SELECT first_name || ' ' || last_name FROM customer UNION SELECT first_name || ' ' || last_name FROM employee",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a, b := connectortest.PostgresPair(t)
			source, target := a.Database(t), b.DSN(b.Name(t))
			for _, f := range c.files {
				file, ok := realData(t, f)
				if !ok {
					return
				}
				loadSample(t, a, source, file)
			}
			// A materialised view that is filled there is filled anew here.
			for _, view := range lines(t, source, "SELECT matviewname FROM pg_matviews") {
				a.Exec(t, source, "REFRESH MATERIALIZED VIEW "+quoted(view))
			}
			policy := policyFile(t, c.policy)
			began := time.Now()
			sanitize(t, "run", "--policy", policy, "--from", source, "--to", target, "--quiet", "--chunk-size", "64KiB", "--workers", "3")
			t.Logf("%s copied in %v", c.name, time.Since(began).Round(time.Millisecond))
			p := postgresPair{a, b, source, target}
			p.sameRows(t)
			p.validKeys(t)
			p.sameJoins(t)
			if from, to := majorOf(t, a), majorOf(t, b); from == to {
				p.sameDefinitions(t)
			} else {
				tortured{p, from, to}.sameObjectsBut(t, nil, nil)
			}
			p.rightPartitions(t)
			p.noLeaks(t, planned(t, policy, source, "mask"), planned(t, policy, source, "keep"), c.people)
		})
	}
}

// loadSample loads a script of a sample database. One that makes a database of
// its own and connects to it is taken at its word's effect: it is loaded into ours.
func loadSample(t *testing.T, s *connectortest.PostgresServer, dsn, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	for _, line := range strings.Split(string(text), "\n") {
		upper := strings.ToUpper(strings.TrimSpace(line))
		if strings.HasPrefix(upper, "DROP DATABASE") || strings.HasPrefix(upper, "CREATE DATABASE") || strings.HasPrefix(upper, `\C `) || strings.HasPrefix(upper, `\CONNECT`) {
			continue
		}
		kept = append(kept, line)
	}
	if err := connectortest.LoadPostgres(dsn, strings.NewReader(strings.Join(kept, "\n"))); err != nil {
		t.Fatalf("load %s: %v", filepath.Base(file), err)
	}
}

// postgresPair is a source and its masked copy on two servers.
type postgresPair struct {
	a, b           *connectortest.PostgresServer
	source, target string
}

// lines returns the rows of a query as lines.
func lines(t *testing.T, dsn, query string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var out []string
	err := connectortest.PostgresSession(ctx, dsn, func(conn *pgx.Conn) error {
		results, err := conn.PgConn().Exec(ctx, query).ReadAll()
		if err != nil {
			return err
		}
		for _, row := range results[len(results)-1].Rows {
			words := make([]string, len(row))
			for i, v := range row {
				words[i] = string(v)
			}
			out = append(out, strings.Join(words, "|"))
		}
		return nil
	})
	if err != nil {
		t.Fatalf("%.200s: %v", query, err)
	}
	return out
}

// both runs a query on both sides and complains if the answers differ.
func (p postgresPair) both(t *testing.T, what, query string) []string {
	t.Helper()
	from, to := lines(t, p.source, query), lines(t, p.target, query)
	if !slices.Equal(from, to) {
		t.Errorf("%s: the source has %q, the target %q", what, from, to)
	}
	return from
}

// userTables are the tables that are no part of the system.
const userTables = `pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_' AND c.relkind = ANY ('{r,p,m}') AND (c.relkind <> 'm' OR c.relispopulated)`

func (p postgresPair) tables(t *testing.T) []string {
	t.Helper()
	return p.both(t, "the tables", `SELECT format('%I.%I', n.nspname, c.relname) FROM `+userTables+` ORDER BY 1`)
}

func (p postgresPair) sameRows(t *testing.T) {
	t.Helper()
	for _, table := range p.tables(t) {
		p.both(t, "rows of "+table, "SELECT count(*) FROM ONLY "+table)
	}
}

func (p postgresPair) validKeys(t *testing.T) {
	t.Helper()
	keys := p.both(t, "foreign keys", `SELECT conrelid::regclass, conname, convalidated, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' ORDER BY 1::text, 2`)
	if len(keys) == 0 {
		t.Error("there is no foreign key")
	}
	for _, k := range lines(t, p.target, `SELECT conname FROM pg_constraint WHERE NOT convalidated`) {
		t.Errorf("%s is not validated", k)
	}
}

// sameJoins joins each foreign key in both.
func (p postgresPair) sameJoins(t *testing.T) {
	t.Helper()
	for _, join := range lines(t, p.source, `
		SELECT format('SELECT count(*), count(DISTINCT (%s)) FROM %s x JOIN %s y ON %s', string_agg(format('y.%I', b.attname), ', '),
			conrelid::regclass, confrelid::regclass, string_agg(format('x.%I = y.%I', a.attname, b.attname), ' AND '))
		FROM pg_constraint k, unnest(k.conkey, k.confkey) u(x, y), pg_attribute a, pg_attribute b
		WHERE k.contype = 'f' AND k.conparentid = 0 AND a.attrelid = k.conrelid AND a.attnum = u.x AND b.attrelid = k.confrelid AND b.attnum = u.y
		GROUP BY k.oid, conrelid, confrelid ORDER BY 1`) {
		p.both(t, join, join)
	}
}

// sameDefinitions compares what pg_dump says of both. Owners and grants stay
// behind: production's accounts are no concern of a discovery server's.
func (p postgresPair) sameDefinitions(t *testing.T) {
	t.Helper()
	dump := func(dsn string) []string {
		cmd := exec.Command("pg_dump", "--schema-only", "--no-owner", "--no-privileges", "-d", dsn)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("pg_dump: %v\n%s", err, stderr.Bytes())
		}
		var kept []string
		for _, line := range strings.Split(string(out), "\n") {
			// The versions of the two servers, and a word that pg_dump draws anew each time.
			if strings.HasPrefix(line, "-- Dumped") || strings.HasPrefix(line, `\restrict`) || strings.HasPrefix(line, `\unrestrict`) {
				continue
			}
			kept = append(kept, line)
		}
		return kept
	}
	from, to := dump(p.source), dump(p.target)
	for i := range max(len(from), len(to)) {
		if i >= len(from) || i >= len(to) || from[i] != to[i] {
			t.Errorf("the definitions differ from line %d on:\nsource: %s\ntarget: %s", i+1,
				strings.Join(window(from, i), "\n        "), strings.Join(window(to, i), "\n        "))
			return
		}
	}
}

func window(lines []string, i int) []string {
	return lines[min(max(i-3, 0), len(lines)):min(i+8, len(lines))]
}

// rightPartitions asks each partition for rows that it should not hold.
func (p postgresPair) rightPartitions(t *testing.T) {
	t.Helper()
	for _, q := range lines(t, p.target, `
		SELECT format('SELECT count(*) FROM %s WHERE NOT (%s)', oid::regclass, pg_get_partition_constraintdef(oid))
		FROM pg_class WHERE relispartition AND relkind = 'r' ORDER BY 1`) {
		if n := p.b.Value(t, p.target, q); n != "0" {
			t.Errorf("%s rows are in the wrong partition: %s", n, q)
		}
	}
	p.both(t, "partitions", `SELECT count(*) FROM pg_class WHERE relispartition`)
}

// identifying are the words of classes whose values nobody may find again.
var identifying = []string{"email", "phone", "name", "user", "address", "street"}

// noLeaks dumps the target as text and searches it for every email and phone of
// the source, for every full name, and for every other identifying value that is
// long enough to be told from chance. A value that a kept column of the source
// holds too (a composer who is an artist) says nothing and is left out.
func (p postgresPair) noLeaks(t *testing.T, masked, kept []plannedColumn, people []string) {
	t.Helper()
	var values []string
	for _, m := range masked {
		column := strings.ToLower(m.column)
		if !slices.ContainsFunc(identifying, func(w string) bool { return strings.Contains(m.class, w) || strings.Contains(column, w) }) {
			continue
		}
		if strings.Contains(column, "first_name") || strings.Contains(column, "last_name") {
			continue // alone they are words like any other; people has them in pairs
		}
		values = append(values, lines(t, p.source, fmt.Sprintf("SELECT DISTINCT %s::text FROM %s WHERE %[1]s IS NOT NULL", m.column, m.table))...)
	}
	for _, q := range people {
		values = append(values, lines(t, p.source, q)...)
	}
	slices.Sort(values)
	values = slices.Compact(values)
	all := newSearch()
	for _, v := range values {
		all.Add(v)
	}
	public := map[string]bool{}
	for _, k := range kept {
		for _, text := range lines(t, p.source, fmt.Sprintf("SELECT DISTINCT %s::text FROM %s WHERE %[1]s IS NOT NULL", k.column, k.table)) {
			all.Each(text, func(v string) { public[v] = true })
		}
	}
	search := newSearch()
	for _, v := range values {
		if !public[strings.ToLower(strings.TrimSpace(v))] {
			search.Add(v)
		}
	}
	if search.Len() < 100 {
		t.Fatalf("only %d values to search for", search.Len())
	}
	inSource := map[string]bool{}
	search.Each(p.text(t, p.source), func(v string) { inSource[v] = true })
	if len(inSource) < search.Len()/2 {
		t.Fatalf("the search finds only %d of %d values in the source itself", len(inSource), search.Len())
	}
	if n := search.Count(p.text(t, p.target)); n > 0 {
		t.Errorf("%d values of the source are in the target", n)
	}
	t.Logf("searched for %d values, %d others are public", search.Len(), len(public))
}

// text returns all rows of all tables, views and materialised views, as COPY writes them.
func (p postgresPair) text(t *testing.T, dsn string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	var b bytes.Buffer
	for _, table := range lines(t, dsn, strings.Replace(`SELECT format('%I.%I', n.nspname, c.relname) FROM `+userTables+` ORDER BY 1`, "{r,p,m}", "{r,p,m,v}", 1)) {
		if _, err := conn.PgConn().CopyTo(ctx, &b, "COPY (SELECT * FROM "+table+") TO STDOUT"); err != nil {
			t.Fatalf("copy %s: %v", table, err)
		}
	}
	return b.String()
}
