package postgres

import (
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// A database, or an account, may want its transactions serializable and deferrable: sessions of a run are
// neither. Loads would abort one another, and a standby has no such transactions at all.
func TestSerializable(t *testing.T) {
	connectortest.NoRaces(t)
	primary, b := connectortest.PrivatePostgresServer(t, connectortest.PrivateOptions{}), connectortest.Postgres(t)
	from := primary.Database(t)
	name := nameOf(from)
	primary.Exec(t, from, "CREATE TABLE t (id int PRIMARY KEY, v text)", "INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1, 20000) i", "CREATE TABLE u AS TABLE t",
		"ALTER DATABASE "+ident(name)+" SET default_transaction_isolation = 'serializable'", "ALTER DATABASE "+ident(name)+" SET default_transaction_deferrable = on")
	connectortest.ClosePostgresSessions()
	standby := connectortest.PrivatePostgresServer(t, connectortest.PrivateOptions{StandbyOf: primary})
	for what, dsn := range map[string]string{"primary": from, "standby": standby.DSN(name)} {
		t.Run(what, func(t *testing.T) {
			target := b.Name(t)
			if err := copyAll(t, dsn, b.DSN(target), "r1", nil); err != nil {
				t.Fatal(err)
			}
			// The second time the target's own settings hold.
			if err := copyAll(t, dsn, b.DSN(target), "r2", nil); err != nil {
				t.Fatal(err)
			}
			if got := b.Value(t, b.DSN(target), "SELECT current_setting('default_transaction_isolation') || current_setting('default_transaction_deferrable')"); got != "serializableon" {
				t.Errorf("the copy's own setting is %s", got)
			}
		})
	}
	t.Run("sessions", func(t *testing.T) {
		for _, c := range []func() (*config, error){
			func() (*config, error) { return newConfig(connectors.SourceSide, from, connectors.Options{}) },
			func() (*config, error) { return newConfig(connectors.SinkSide, from, connectors.Options{}) },
		} {
			cfg, err := c()
			if err != nil {
				t.Fatal(err)
			}
			conn, err := cfg.connect(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			var got string
			err = conn.QueryRow(t.Context(), "SELECT current_setting('transaction_isolation') || ', ' || current_setting('transaction_deferrable')").Scan(&got)
			if closeConn(conn); err != nil || got != "read committed, off" {
				t.Errorf("a session is %s, %v", got, err)
			}
		}
	})
}
