package postgres

import (
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// The schemas of pg_cron and pgAgent, which belong to extensions, are not for every account: one that
// may not look into them sees no jobs, and reads the rest.
func TestJobsOutOfReach(t *testing.T) {
	a := connectortest.Postgres(t)
	dsn := a.Database(t)
	a.Exec(t, dsn, "CREATE TABLE t AS SELECT 1 AS id",
		"CREATE SCHEMA cron", "CREATE TABLE cron.job (jobid int, schedule text, command text, database text, username text, active bool, jobname text)", "INSERT INTO cron.job VALUES (7, '0 3 * * *', 'VACUUM', 'shop', 'app', true, 'nightly')",
		"CREATE SCHEMA pgagent", "CREATE TABLE pgagent.pga_job (jobid int, jobname text, jobenabled bool)",
		"CREATE TABLE pgagent.pga_jobstep (jstjobid int, jstname text, jstenabled bool, jstdbname text, jstconnstr text, jstcode text)")
	name := "reader_" + a.Name(t)
	reader := role(t, a, dsn, name)
	jobs := func() (n int) {
		src, err := Connector{}.OpenSource(t.Context(), reader, connectors.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		c, err := src.Catalog(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range c.Objects {
			if o.Kind == "job" && o.Fate == catalog.Stays {
				n++
			}
		}
		return n
	}
	for _, c := range []struct {
		grant string
		jobs  int
	}{
		{"", 0}, {"GRANT SELECT ON cron.job TO " + name, 0}, {"GRANT USAGE ON SCHEMA cron TO " + name, 1},
		{"ALTER TABLE cron.job ENABLE ROW LEVEL SECURITY", 0},
	} {
		if c.grant != "" {
			a.Exec(t, dsn, c.grant)
		}
		if got := jobs(); got != c.jobs {
			t.Errorf("after %q it sees %d jobs, want %d", c.grant, got, c.jobs)
		}
	}
}
