package postgres

import (
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// Texts are read as dates, and dates, intervals and numbers printed as texts, as at the source;
// rows that travel as text arrive as they are all the same.
func TestReadAndPrintedAsAtTheSource(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	db := ident(a.Value(t, from, "SELECT current_database()"))
	a.Exec(t, from, "ALTER DATABASE "+db+" SET datestyle = 'German, DMY'", "ALTER DATABASE "+db+" SET intervalstyle = 'sql_standard'", "ALTER DATABASE "+db+" SET bytea_output = 'escape'",
		"ALTER DATABASE "+db+" SET extra_float_digits = 0")
	connectortest.ClosePostgresSessions() // the settings are those of new sessions
	a.Exec(t, from, "CREATE TABLE imp (id int PRIMARY KEY, d text, CONSTRAINT real_day CHECK (d::date > '2000-01-01'))", "INSERT INTO imp VALUES (1, '01/02/03'), (2, '31/12/2020')",
		"CREATE MATERIALIZED VIEW m AS SELECT id, d::date AS day, (d::date - '2000-01-01') * interval '-1 hour -2 days'::interval AS ago, d::date::text AS words, ((d::date - '2000-01-01') * interval '1 day 02:00')::text AS span, '\\x0102'::bytea::text AS bytes, (0.1::float8 + 0.2::float8)::text AS number FROM imp",
		// The aclitem makes the table travel as text.
		"CREATE TABLE plain (id int PRIMARY KEY, at timestamptz, day date, i interval, m money, f float8, y bytea, r daterange, who aclitem, CONSTRAINT as_printed CHECK (i::text NOT LIKE '%day%'))",
		"INSERT INTO plain VALUES (1, '2020-03-01 12:00:00.5+00', '2020-12-11', '-1 day -02:03:04', '-1234.56', 0.1::float8 + 0.2::float8, '\\x00ff', '[2020-01-02,2020-03-04)', 'postgres=r/postgres'), (2, '0044-03-15 BC', '0044-03-15 BC', '1 year -2 days', 1, 1e300, '', 'empty', NULL)")
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{"SELECT string_agg(m::text, ' ' ORDER BY id) FROM m", "SELECT string_agg(p::text, ' ' ORDER BY id) FROM plain p"} {
		if want, got := a.Value(t, from, sql), b.Value(t, to, sql); got != want {
			t.Errorf("%s: %s\nwant %s", sql, got, want)
		}
	}
}

// An interval that is printed in the style postgres has a sign where one could be in doubt, and is
// read as the same in every style.
func TestIntervalsAreReadInEveryStyle(t *testing.T) {
	connectortest.NoRaces(t)
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, `CREATE TABLE spans AS SELECT i, i::text AS words FROM generate_series(-1, 1) y, generate_series(-1, 1) m, generate_series(-1, 1) d, generate_series(-1, 1) h, generate_series(-1, 1) s,
		LATERAL (SELECT make_interval(years => y, months => 2 * m, days => 3 * d, hours => 4 * h, secs => 5.5 * s) AS i) _`)
	if infiniteSpans.in(majorOf(t, a)) {
		a.Exec(t, dsn, "INSERT INTO spans VALUES ('infinity', 'infinity'), ('-infinity', '-infinity')")
	}
	for _, style := range []string{"postgres", "postgres_verbose", "sql_standard", "iso_8601"} {
		got := a.Value(t, dsn, `SET LOCAL "IntervalStyle" = `+style+`; SELECT current_setting('IntervalStyle') || ': ' || coalesce(string_agg(words, '; ') FILTER (WHERE interval_send(words::interval) <> interval_send(i)), 'none of ' || count(DISTINCT words) / 243) FROM spans`)
		if want := style + ": none of 1"; got != want {
			t.Errorf("reads otherwise in the style %s", got)
		}
	}
}

// A setting of the account that reads the source is not one of the database: it does not decide
// what a copy computes.
func TestSettingsOfTheReader(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	dsn := a.Database(t)
	db := ident(a.Value(t, dsn, "SELECT current_database()"))
	a.Exec(t, dsn, "CREATE TABLE t (id int PRIMARY KEY, at timestamptz)", "INSERT INTO t VALUES (1, '2020-01-01 22:30+00')", "CREATE MATERIALIZED VIEW m AS SELECT at::date AS day FROM t")
	// The superuser's own settings are read from the server's files.
	for _, c := range []struct {
		what            string
		superuser       bool
		settings        []string // of ROLE and DB
		day             string
		noted           bool
		withoutDatabase bool
	}{
		{what: "of the account, and of nobody else", settings: []string{"ALTER ROLE ROLE SET timezone = 'Asia/Tokyo'"}, day: "2020-01-02", noted: true},
		{what: "of the account in the database", settings: []string{"ALTER ROLE ROLE IN DATABASE DB SET timezone = 'Asia/Tokyo'"}, day: "2020-01-02", noted: true},
		{what: "of the database as well", settings: []string{"ALTER ROLE ROLE SET timezone = 'Asia/Tokyo'", "ALTER DATABASE DB SET timezone = 'Europe/Berlin'"}, day: "2020-01-01"},
		{what: "of all accounts as well", settings: []string{"ALTER ROLE ROLE SET timezone = 'Asia/Tokyo'", "ALTER ROLE ALL SET timezone = 'America/New_York'"}, day: "2020-01-01"},
		{what: "of a superuser", superuser: true, settings: []string{"ALTER ROLE ROLE SET timezone = 'Asia/Tokyo'"}, day: "2020-01-01"},
	} {
		t.Run(c.what, func(t *testing.T) {
			name := "reader_" + a.Name(t)
			reader := role(t, a, dsn, name)
			a.Exec(t, dsn, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO "+ident(name))
			if c.superuser {
				a.Exec(t, dsn, "ALTER ROLE "+ident(name)+" SUPERUSER")
			}
			for _, sql := range c.settings {
				a.Exec(t, dsn, strings.NewReplacer("ROLE ROLE", "ROLE "+ident(name), "DB", db).Replace(sql))
			}
			t.Cleanup(func() { a.Exec(t, dsn, "ALTER DATABASE "+db+" RESET ALL", "ALTER ROLE ALL RESET ALL") })
			snap, err := openSnapshot(t, reader, connectors.Options{})
			if err != nil {
				t.Fatal(err)
			}
			line := "noted: account setting " + name + ".TimeZone: "
			if fates := fateLines(snap.Catalog().Fates(), "nobody"); strings.Contains(fates, line) != c.noted {
				t.Errorf("it is noted: %t, want %t\n%s", !c.noted, c.noted, fates)
			}
			to := b.DSN(b.Name(t))
			if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 1}, reader, to); err != nil {
				t.Fatal(err)
			}
			if got := b.Value(t, to, "SELECT to_char(day, 'YYYY-MM-DD') FROM m"); got != c.day {
				t.Errorf("the day is %s, want %s", got, c.day)
			}
		})
	}
}

// What the target's server does not know of the source's settings is said, each once, and costs
// nothing else.
func TestSettingsThatTheTargetLacks(t *testing.T) {
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE TABLE t AS SELECT 1 AS id")
	snap, err := openSnapshot(t, dsn, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	snap.(*snapshot).picture.session = [][2]string{{"lc_monetary", "xx_YY.UTF-8"}, {"DateStyle", "SQL, DMY"}, {"TimeZone", "No/Where"}}
	defs, err := snap.Definitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var warned []string
	sink, err := Connector{}.OpenSink(t.Context(), a.DSN(a.Name(t)), connectors.Options{Warn: func(s string) { warned = append(warned, s) }})
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	begun, err := sink.Begin(t.Context(), connectors.BuildSpec{Run: "r", Catalog: snap.Catalog(), Definitions: defs, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer begun.Abort()
	for range 3 { // more sessions
		conn, err := begun.(*build).enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var style string
		if err := conn.QueryRow(t.Context(), "SHOW datestyle").Scan(&style); err != nil || style != "SQL, DMY" {
			t.Errorf("a session has the style %s, %v", style, err)
		}
		closeConn(conn)
	}
	slices.Sort(warned)
	if len(warned) != 2 || !strings.Contains(warned[0], "TimeZone") || !strings.Contains(warned[1], "lc_monetary") {
		t.Errorf("it warns %q", warned)
	}
}
