package postgres

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// A standby has no rows of an unlogged table, and no position of its sequence. That stops
// whoever wants them, before anything is written; a run that drops the table wants neither.
func TestUnloggedAtAStandby(t *testing.T) {
	connectortest.NoRaces(t)
	primary := connectortest.PrivatePostgresServer(t, connectortest.PrivateOptions{})
	from := primary.Database(t)
	primary.Exec(t, from, "CREATE UNLOGGED TABLE carts (id bigint GENERATED ALWAYS AS IDENTITY (START WITH 7 CYCLE) PRIMARY KEY, goods text)",
		"CREATE TABLE events (id bigint) PARTITION BY RANGE (id)", "CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (10)",
		"CREATE UNLOGGED TABLE events_2 PARTITION OF events FOR VALUES FROM (10) TO (20)",
		"CREATE TABLE users (id bigserial PRIMARY KEY, name text)",
		"INSERT INTO carts (goods) SELECT 'g' FROM generate_series(1, 50)", "INSERT INTO events SELECT generate_series(0, 19)",
		"INSERT INTO users (name) SELECT 'n' || i FROM generate_series(1, 50) i")
	// A partitioned table can be unlogged as well before 18, which refuses it. That one is a
	// table of two branches, of which one is there.
	roots := primary.Value(t, from, "SELECT current_setting('server_version_num')::int < 180000") == "t"
	unlogged := ""
	if roots {
		unlogged = "UNLOGGED"
	}
	primary.Exec(t, from, "CREATE "+unlogged+" TABLE visits (id bigserial, place int) PARTITION BY LIST (place)",
		"CREATE TABLE visits_a PARTITION OF visits FOR VALUES IN (1, 2) PARTITION BY LIST (place)", "CREATE TABLE visits_a1 PARTITION OF visits_a FOR VALUES IN (1)",
		"CREATE TABLE visits_b PARTITION OF visits FOR VALUES IN (3, 4) PARTITION BY LIST (place)", "CREATE UNLOGGED TABLE visits_b1 PARTITION OF visits_b FOR VALUES IN (3)",
		"INSERT INTO visits (place) VALUES (1), (3), (3)")
	standby := connectortest.PrivatePostgresServer(t, connectortest.PrivateOptions{StandbyOf: primary})
	ctx := t.Context()
	snap, err := openSnapshot(t, standby.DSN(nameOf(from)), connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	stopped := func(what string, err error, names ...string) {
		t.Helper()
		if kind, side := connectors.KindOf(err); kind != connectors.KindUnavailable || side != connectors.SourceSide {
			t.Errorf("%s: kind %d, side %d, %v", what, kind, side, err)
			return
		}
		for _, name := range append(names, "the source is a standby") {
			if !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %v does not say %q", what, err, name)
			}
		}
		if !strings.Contains(connectors.Hint(err), " SET LOGGED") {
			t.Errorf("%s: hint %q", what, connectors.Hint(err))
		}
	}
	id := func(name string) catalog.TableID { return catalog.TableID{Schema: "public", Name: name} }
	for _, name := range []string{"carts", "events_2"} {
		_, err := snap.Split(ctx, id(name), 0)
		stopped("split "+name, err, "public."+name)
	}
	for _, name := range []string{"carts", "events_2", "visits_b1"} {
		_, err := snap.(connectors.Counter).Values(ctx, id(name), "id", connectors.Filter{}, 100, 0)
		stopped("values of "+name, err, "public."+name)
	}
	if v, err := snap.(connectors.Counter).Values(ctx, id("events_1"), "id", connectors.Filter{}, 100, 0); err != nil || len(v.Texts) == 0 {
		t.Errorf("values of events_1, whose rows are here: %+v, %v", v, err)
	}
	layout, err := snap.Layout(id("events_1"), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = snap.(connectors.Filterer).Filter(ctx, layout, connectors.Filter{Limit: 5, Key: []string{"id"}})
	stopped("a limit of events", err, "public.events_2", "public.events")

	// Nobody wants the rows of carts, events_2 and visits_b1.
	a := connectortest.Postgres(t)
	to := a.DSN(a.Name(t))
	b := beginBuild(t, snap, to, 0)
	rows := map[catalog.TableID]int64{}
	for _, name := range []string{"users", "events_1", "visits_a1"} {
		if rows[id(name)], err = copyTable(ctx, snap, b, snap.Catalog().Table(id(name)), nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Finish(ctx); err != nil {
		t.Fatal(err)
	}
	if err := b.Seal(ctx, rows); err != nil {
		t.Fatal(err)
	}
	if err := b.Promote(ctx); err != nil {
		t.Fatal(err)
	}
	got := a.Value(t, to, "SELECT concat_ws(' ', (SELECT count(*) FROM carts), (SELECT count(*) FROM events), (SELECT count(*) FROM users), (SELECT relpersistence FROM pg_class WHERE relname = 'carts'), nextval('carts_id_seq'), nextval('users_id_seq'), (SELECT count(*) FROM visits), nextval('visits_id_seq') > 1)")
	if want := "0 10 50 u 7 51 1 t"; got != want {
		t.Errorf("the target has %s, want %s", got, want)
	}

	// A sequence of nobody stops every run: its position would be another.
	if primary.Value(t, from, "SELECT current_setting('server_version_num')::int >= 150000") != "t" {
		return // sequences are logged there
	}
	primary.Exec(t, from, "CREATE UNLOGGED SEQUENCE forgetful")
	at := primary.Value(t, from, "SELECT pg_current_wal_lsn()")
	for until := time.Now().Add(30 * time.Second); standby.Value(t, standby.DSN("postgres"), "SELECT pg_last_wal_replay_lsn() >= '"+at+"'") != "t"; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("the standby does not catch up")
		}
	}
	if snap, err = openSnapshot(t, standby.DSN(nameOf(from)), connectors.Options{}); err != nil {
		t.Fatal(err)
	}
	_, err = snap.Definitions(ctx)
	stopped("definitions", err, "public.forgetful")
}

// A standby is its primary's other face: a run that reads the one does not replace the other.
func TestSameAsItsPrimary(t *testing.T) {
	primary := connectortest.PrivatePostgresServer(t, connectortest.PrivateOptions{})
	standby := connectortest.PrivatePostgresServer(t, connectortest.PrivateOptions{StandbyOf: primary})
	source, err := Connector{}.OpenSource(t.Context(), standby.DSN("postgres"), connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	at, err := source.Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for database, same := range map[string]bool{"postgres": true, "another": false} {
		sink, err := Connector{}.OpenSink(t.Context(), primary.DSN(database), connectors.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer sink.Close()
		to, err := sink.Identity(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if at.Same(to) != same || to.Follows || !at.Follows {
			t.Errorf("%+v and %+v: the same %t", at, to, !same)
		}
	}
}

// A target that is named behind its own standby is made by sessions of the primary alone: the standby
// does not have a database that has just been made.
func TestTargetBehindItsStandby(t *testing.T) {
	source := connectortest.Postgres(t)
	from := source.Database(t)
	source.Exec(t, from, "CREATE TABLE t (id integer PRIMARY KEY)", "INSERT INTO t SELECT generate_series(1, 100)")
	primary := connectortest.PrivatePostgresServer(t, connectortest.PrivateOptions{})
	standby := connectortest.PrivatePostgresServer(t, connectortest.PrivateOptions{StandbyOf: primary})
	standby.Exec(t, standby.DSN("postgres"), "SELECT pg_wal_replay_pause()")
	u, err := url.Parse(primary.DSN("discovery"))
	if err != nil {
		t.Fatal(err)
	}
	first, err := url.Parse(standby.DSN("discovery"))
	if err != nil {
		t.Fatal(err)
	}
	u.Host = first.Host + "," + u.Host
	q := u.Query()
	q.Set("target_session_attrs", "primary")
	u.RawQuery = q.Encode()
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, u.String()); err != nil {
		t.Fatal(err)
	}
	if n := primary.Value(t, primary.DSN("discovery"), "SELECT count(*) FROM t"); n != "100" {
		t.Errorf("%s rows", n)
	}
}
