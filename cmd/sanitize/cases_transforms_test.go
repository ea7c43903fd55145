package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/connectortest"
	"github.com/sanitize-db/sanitize/masking"
)

// reached is how each transform is spelled in a policy, and a column that it masks on
// a real server: its type and a value. check is what must hold of the masked value v,
// beside that it is another.
var reached = map[string]struct{ do, typ, value, check string }{
	"bottom_code": {"{bottom_code: 18}", "integer", "7", "v = 18"},
	"bucket":      {"{bucket: 100}", "numeric(10,2)", "1234.56", "v = 1200"},
	"constant":    {"{constant: X}", "text", "'Ann'", "v = 'X'"},
	"coordinates": {"{coordinates: point, within: 500}", "point", "'(13.3777,52.51627)'", "v <-> '(13.3777,52.51627)' < 0.01"},
	"day":         {"{day: permute}", "date", "'2024-02-29'", "date_trunc('year', v) = '2024-01-01'"},
	"each":        {"{each: {fake: phone}}", "text[]", `ARRAY['+1 212 555 0123', NULL, 'a "b" \c']`, "cardinality(v) = 3 AND v[2] IS NULL"},
	"fake":        {"{fake: {gofakeit: color}}", "text", "'no such colour'", "v <> ''"},
	"fields":      {`{fields: {street: {class: c_shape, do: {shape: text}, because: b}, "*": drop}}`, "place", "ROW('Main Street', 'Springfield')", "(v).town IS NULL AND (v).street ~ '^[A-Z][a-z]{3} [A-Z]'"},
	"generalize":  {`{generalize: {"E1*": diabetes}, else: other}`, "text", "'E11.9'", "v = 'diabetes'"},
	"json":        {`{json: {$.a: c_shape, "*": drop}, malformed: "null"}`, "jsonb", `'{"a": "Ann", "b": 1}'`, "v ? 'a' AND NOT v ? 'b'"},
	"lorem":       {"{lorem: words}", "text", "'Some words of a text'", "length(v) = 20"},
	"noise":       {"{noise: 10%}", "numeric(12,2)", "100000.00", "v BETWEEN 90000 AND 110000"},
	"null":        {`{"null": true}`, "inet", "'10.0.0.1'", "v IS NULL"},
	"number":      {"{number: permute, range: [0, 9999]}", "integer", "42", "v BETWEEN 0 AND 9999"},
	"password":    {"{password: bcrypt, from: password.hash}", "text", "'secret'", "v LIKE '$2a$10$%'"},
	"person":      {"{person: person_name, of: id}", "text", "'Ann Smith'", "v LIKE '% %'"},
	"place":       {"{place: city, of: id}", "text", "'Springfield'", "v <> ''"},
	"prefix":      {"{prefix: 3}", "text", "'10115'", "v = '101'"},
	"pseudonym":   {"{pseudonym: uuid}", "uuid", "'123e4567-e89b-42d3-a456-426614174000'", "v IS NOT NULL"},
	"redact":      {"{redact: [email, known_names], else: keep}", "text", "'Ann Smith (ann@corp.example) called'", "v LIKE '%) called' AND position(c_person in v) = 1"},
	"shape":       {"{shape: text}", "character varying(9)", "'Ann 1'", "v ~ '^[A-Z][a-z]{2} [0-9]$'"},
	"shift_days":  {"{shift_days: 30, by: id}", "timestamp", "'2024-02-29 12:00'", "v::time = '12:00'"},
	"shuffle":     {"{shuffle: column, by: id}", "integer", "5", "v BETWEEN 1 AND 9"},
	"token":       {"{token: hex}", "bytea", `'\x00ff'`, "length(v) = 32"},
	"top_code":    {"{top_code: 90}", "double precision", "103", "v = 90"},
	"truncate":    {"{truncate: 4}", "text", "'INV-2024'", "v = 'INV-'"},
	"truncate_to": {"{truncate_to: month}", "date", "'2024-02-29'", "v = '2024-02-01'"},
	"xml":         {`{xml: {/a/b: c_shape, "*": drop}}`, "xml", "'<a><b>Ann</b><c>gone</c></a>'", "v::text ~ '^<a><b>[A-Z][a-z]{2}</b></a>$'"},
}

// Whatever the registry has can be written in a policy and masks a column of a server.
func TestEveryTransformReachesAServer(t *testing.T) {
	t.Parallel()
	a, b := connectortest.PostgresPair(t)
	names := slices.Sorted(maps.Keys(reached))
	if !slices.Equal(names, masking.Standard().Names()) {
		t.Errorf("tried are %q, the registry has %q", names, masking.Standard().Names())
	}
	var classes, columns, types, values strings.Builder
	for _, name := range names {
		r := reached[name]
		classes.WriteString("  c_" + name + ": {kind: direct, do: " + r.do + "}\n")
		columns.WriteString("      c_" + name + ": c_" + name + "\n")
		types.WriteString(", c_" + name + " " + r.typ)
		values.WriteString(", " + r.value)
	}
	const people = `  people: {columns: {name: c_person, mail: {class: email, do: {person: email, of: id}, because: b}}, keep: [id]}
  orders: {columns: {buyer: {class: c_person, do: {person: person_name, of: person}, because: b}}, keep: [person]}
  staff: {columns: {id: id, name: c_person, mail: {class: email, do: {person: email, of: id}, because: b}}}
  badges: {columns: {name: {class: c_person, do: {person: person_name, of: staff}, because: b}}}
`
	policy := writePolicy(t, []byte(caseKeys+"classes:\n"+classes.String()+"  email: {kind: direct, do: {fake: email}}\n  id: {kind: pseudonym, do: {pseudonym: id}}\n"+
		"tables:\n  t:\n    columns:\n"+columns.String()+"    keep: [id]\n"+people))
	hash := "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy\n"
	if err := os.WriteFile(filepath.Join(filepath.Dir(policy), "password.hash"), []byte(hash), 0o600); err != nil {
		t.Fatal(err)
	}
	source := caseSource(t, a, inUTF8,
		"CREATE TYPE place AS (street text, town text)",
		"CREATE TABLE t (id integer PRIMARY KEY"+types.String()+")", "INSERT INTO t VALUES (1"+values.String()+")",
		"INSERT INTO t (id, c_shuffle) SELECT i, i FROM generate_series(2, 9) i",
		"CREATE TABLE people (id integer PRIMARY KEY, name text, mail text)", "INSERT INTO people SELECT i, 'Ann Smith ' || i, 'ann' || i || '@corp.example' FROM generate_series(1, 50) i",
		"CREATE TABLE orders (person integer REFERENCES people, buyer text)", "INSERT INTO orders SELECT id, name FROM people",
		"CREATE TABLE staff (id bigint PRIMARY KEY, name text, mail text)", "INSERT INTO staff TABLE people",
		"CREATE TABLE badges (staff integer REFERENCES staff, name text)", "INSERT INTO badges SELECT id, name FROM staff")
	p := postgresPair{a, b, source, b.DSN(b.Name(t))}
	plan := sanitize(t, "plan", "--policy", policy, "--from", p.source, "--json")
	if !strings.Contains(plan, `"at_run": true`) {
		t.Error("the plan does not say that shuffle is made at the run")
	}
	sanitize(t, "run", "--policy", policy, "--from", p.source, "--to", p.target, "--quiet")
	for _, name := range names {
		check := "SELECT " + strings.NewReplacer("(v)", "(c_"+name+")", "v ", "c_"+name+" ", "v)", "c_"+name+")", "v::", "c_"+name+"::", "v[", "c_"+name+"[").Replace(reached[name].check+" ") + " FROM t WHERE id = 1"
		if got := p.b.Value(t, p.target, check); got != "true" && got != "t" {
			t.Errorf("%s: %s: %s", name, check, got)
		}
		if name != "shuffle" {
			p.masked(t, "t.c_"+name)
		}
	}
	if n := p.b.Value(t, p.target, "SELECT count(*) FROM t WHERE id <> c_shuffle"); n == "0" {
		t.Error("shuffle leaves every row its value")
	}
	// One person is one person, wherever the row stands: whether the id is kept or masked.
	for what, query := range map[string]string{
		"orders": "SELECT count(*) FROM orders o JOIN people p ON o.person = p.id AND o.buyer = p.name",
		"badges": "SELECT count(*) FROM badges b JOIN staff s ON b.staff = s.id AND b.name = s.name",
	} {
		if n := p.b.Value(t, p.target, query); n != "50" {
			t.Errorf("%s: %s of 50 names agree", what, n)
		}
	}
	if n := p.b.Value(t, p.target, "SELECT count(*) FROM people p JOIN staff s USING (name)"); n == "50" {
		t.Error("people and staff, whom nothing ties together, have the same names")
	}
}
