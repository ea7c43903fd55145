package connectortest

import "testing"

func TestPostgresPair(t *testing.T) {
	a, b := PostgresPair(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE TABLE t (a int)", "INSERT INTO t VALUES (1), (2)")
	if got := a.Value(t, dsn, "SELECT count(*) FROM t"); got != "2" {
		t.Errorf("rows: got %s, want 2", got)
	}
	const id = "SELECT system_identifier FROM pg_control_system()"
	if a.Value(t, dsn, id) == b.Value(t, b.DSN("postgres"), id) {
		t.Error("the pair is one server")
	}
}
