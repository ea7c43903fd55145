package postgres

import (
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// A server makes the exclusion constraints of partitions in one step with that of their table. What
// they are called at the source, and what is said of them there, they are and have in the copy.
func TestExclusionsOfPartitions(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	if majorOf(t, a) < 17 || majorOf(t, b) < 17 {
		return // a partitioned table has none
	}
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, "CREATE EXTENSION btree_gist", "CREATE SCHEMA \"in it\"",
		"CREATE TABLE bk (room int NOT NULL, during tstzrange NOT NULL, CONSTRAINT bk_once EXCLUDE USING gist (room WITH =, during WITH &&) WITH (fillfactor = 70) DEFERRABLE INITIALLY DEFERRED) PARTITION BY LIST (room)",
		`CREATE TABLE bk1 PARTITION OF bk FOR VALUES IN (1)`, `CREATE TABLE "in it"."bk;'2" PARTITION OF bk FOR VALUES IN (2) PARTITION BY LIST (room)`,
		`CREATE TABLE bk21 PARTITION OF "in it"."bk;'2" FOR VALUES IN (2)`, "CREATE TABLE bk3 PARTITION OF bk FOR VALUES IN (3)", "CREATE TABLE bk4 PARTITION OF bk FOR VALUES IN (4)",
		`ALTER TABLE bk1 RENAME CONSTRAINT bk1_room_during_excl TO "Mine; 'my' ""own"""`, `ALTER TABLE bk1 CLUSTER ON "Mine; 'my' ""own"""`, `ALTER INDEX "Mine; 'my' ""own""" SET (fillfactor = 60, buffering = on)`,
		`COMMENT ON CONSTRAINT "Mine; 'my' ""own""" ON bk1 IS 'named by people'`, `COMMENT ON INDEX "Mine; 'my' ""own""" IS 'an index'`,
		`ALTER TABLE "in it"."bk;'2" RENAME CONSTRAINT "bk;'2_room_during_excl" TO middle`, `COMMENT ON CONSTRAINT middle ON "in it"."bk;'2" IS 'between'`,
		// One has the name that the server gives another.
		"ALTER TABLE bk3 RENAME CONSTRAINT bk3_room_during_excl TO third", "ALTER TABLE bk4 RENAME CONSTRAINT bk4_room_during_excl TO bk3_room_during_excl", "ALTER TABLE bk3 RENAME CONSTRAINT third TO bk4_room_during_excl",
		"ALTER INDEX bk4_room_during_excl RESET (fillfactor)",
		"CREATE INDEX bk21_room_during_excl1 ON bk21 (room)",
		"INSERT INTO bk VALUES (1, '[2020-01-01,2020-02-01)'), (2, '[2020-01-01,2020-02-01)'), (3, '[2020-01-01,2020-02-01)')")
	if majorOf(t, a) >= 18 && majorOf(t, b) >= 18 {
		a.Exec(t, from, "CREATE TABLE rid (id int, v daterange, CONSTRAINT rid_pk PRIMARY KEY (id, v WITHOUT OVERLAPS)) PARTITION BY LIST (id)", "CREATE TABLE rid1 PARTITION OF rid FOR VALUES IN (1)",
			"ALTER TABLE rid1 RENAME CONSTRAINT rid1_pkey TO no_overlap_1", "ALTER TABLE rid1 REPLICA IDENTITY USING INDEX no_overlap_1", "COMMENT ON CONSTRAINT no_overlap_1 ON rid1 IS 'one at a time'",
			"INSERT INTO rid VALUES (1, '[2020-01-01,2021-01-01)')")
	}
	const state = `SELECT string_agg(concat_ws(' ', o.conrelid::regclass, o.conname, up.conname, x.reloptions, i.indisclustered, i.indisreplident, o.condeferrable, obj_description(o.oid), obj_description(x.oid)), E'\n' ORDER BY o.conrelid::regclass::text, o.conname)
		|| (SELECT string_agg(relname || relreplident::text, ' ' ORDER BY relname) FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace)
		FROM pg_constraint o JOIN pg_index i ON i.indexrelid = o.conindid JOIN pg_class x ON x.oid = o.conindid LEFT JOIN pg_constraint up ON up.oid = o.conparentid WHERE o.contype IN ('x', 'p') AND o.oid >= 16384`
	if err := connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to); err != nil {
		t.Fatal(err)
	}
	if want, got := a.Value(t, from, state), b.Value(t, to, state); got != want {
		t.Errorf("exclusions\n%s, want\n%s", got, want)
	}
}
