package postgres

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// A policy of row security that restricts opens rows if it stays behind. One for a role that the target's
// server lacks is for everybody, and one that cannot be made lets nobody through.
func TestRestrictivePolicies(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from := a.Database(t)
	app, group := a.Name(t)+"_app", a.Name(t)+"_group"
	admin := a.DSN("postgres")
	a.Exec(t, admin, "CREATE ROLE "+app+" LOGIN PASSWORD 'enters'", "CREATE ROLE "+group, "GRANT "+group+" TO "+app)
	b.Exec(t, b.DSN("postgres"), "CREATE ROLE "+app+" LOGIN PASSWORD 'enters'")
	name := b.Name(t)
	t.Cleanup(func() {
		a.Exec(t, from, "DROP OWNED BY "+app+", "+group+" CASCADE")
		a.Exec(t, admin, "DROP ROLE "+app+", "+group)
		b.Exec(t, b.DSN(name), "DROP OWNED BY "+app+" CASCADE")
		b.Exec(t, b.DSN("postgres"), "DROP ROLE "+app)
	})
	tables := strings.Fields("of_group of_both reaching needing reading writing adding")
	for _, table := range tables {
		a.Exec(t, from, "CREATE TABLE "+table+" AS SELECT i AS id FROM generate_series(1, 3) i", "ALTER TABLE "+table+" ENABLE ROW LEVEL SECURITY",
			"GRANT SELECT, INSERT, UPDATE, DELETE ON "+table+" TO "+app, "CREATE POLICY all_rows ON "+table+" TO "+app+" USING (true)")
	}
	a.Exec(t, from, "CREATE FUNCTION ends(n int DEFAULT length(pg_read_file('/etc/hostname'))) RETURNS int LANGUAGE plpgsql AS 'BEGIN PERFORM pg_read_file(''x''); RETURN 1; END'",
		`CREATE POLICY "to TO `+group+` and" ON of_group AS RESTRICTIVE TO `+group+" USING (id <> 2)",
		"CREATE POLICY r ON of_both AS RESTRICTIVE FOR SELECT TO "+app+", "+group+" USING (id <> 2)",
		"CREATE POLICY r ON reaching AS RESTRICTIVE TO "+app+" USING (id <> length(pg_read_file('/etc/hostname')))", "COMMENT ON POLICY r ON reaching IS 'why'",
		"CREATE POLICY r ON needing AS RESTRICTIVE TO "+group+" USING (id <> ends(2))",
		"CREATE POLICY r ON reading AS RESTRICTIVE FOR SELECT USING (pg_read_file('x') = '')",
		"CREATE POLICY r ON writing AS RESTRICTIVE FOR UPDATE USING (pg_read_file('x') = '')",
		"CREATE POLICY r ON adding AS RESTRICTIVE FOR INSERT WITH CHECK (pg_read_file('x') = '')")
	var warned []string
	snap, err := openSnapshot(t, from, connectors.Options{Keep: []string{"grants"}})
	if err != nil {
		t.Fatal(err)
	}
	fates, err := copyWarning(t, snap, b.DSN(name), func(m string) { warned = append(warned, strings.ReplaceAll(m, group, "GROUP")) }, nil)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), b.DSNAs(name, app, "enters"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for table, want := range map[string]int{"of_group": 2, "of_both": 2, "reaching": 0, "needing": 0, "reading": 0, "writing": 3, "adding": 3} {
		var n int
		if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil || n != want {
			t.Errorf("of %s %d rows are seen, want %d: %v", table, n, want, err)
		}
	}
	if tag, err := conn.Exec(t.Context(), "UPDATE writing SET id = 4"); err != nil || tag.RowsAffected() != 0 {
		t.Errorf("%d rows are written: %v", tag.RowsAffected(), err)
	}
	for _, table := range []string{"reaching", "adding"} {
		if _, err := conn.Exec(t.Context(), "INSERT INTO "+table+" VALUES (4)"); stateOf(err) != "42501" {
			t.Errorf("a row is added to %s: %v", table, err)
		}
	}
	fates = strings.ReplaceAll(fates, group, "GROUP")
	for _, line := range []string{
		"noted: policy public.of_group.to TO GROUP and: restricts all roles: it is for roles that the target's server does not have\n",
		"noted: policy public.of_both.r: restricts all roles: it is for roles that the target's server does not have\n",
		"neutralised: policy public.reading.r: would read or write files of the server's machine; since it restricts, it refuses every row unless it is kept\n",
		"policy public.needing.r: needs function public.ends(n integer), which stays behind; since it restricts, it refuses every row unless it is kept",
	} {
		if !strings.Contains(fates, line) {
			t.Errorf("no %q in\n%s", line, fates)
		}
	}
	if all := strings.Join(warned, "\n"); !strings.Contains(all, "policy public.of_both r restricts all roles: the target's server has no role GROUP, whose members may have accounts there") || strings.Contains(all, "stays behind") {
		t.Errorf("warned is\n%s", all)
	}
	if got := b.Value(t, b.DSN(name), "SELECT obj_description(oid, 'pg_policy') FROM pg_policy WHERE polrelid = 'reaching'::regclass AND NOT polpermissive"); got != "why" {
		t.Errorf("its comment is %q", got)
	}
	// Who keeps it has it as it is.
	snap, err = openSnapshot(t, from, connectors.Options{Keep: []string{"policy:reading.r"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = copyNoting(t, snap, b.DSN(name), nil); err != nil {
		t.Fatal(err)
	}
	if got := b.Value(t, b.DSN(name), "SELECT qual FROM pg_policies WHERE tablename = 'reading' AND permissive = 'RESTRICTIVE'"); !strings.Contains(got, "pg_read_file") {
		t.Errorf("kept is %q", got)
	}
}
