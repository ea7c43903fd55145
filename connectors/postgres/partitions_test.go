package postgres

import (
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// A partition that is being detached, and is not yet, is none of its table's at the source. Nothing
// that a copy could make of it would be the same.
func TestPartitionsBeingDetached(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	from, to := a.Database(t), b.DSN(b.Name(t))
	a.Exec(t, from, "CREATE TABLE p (id int) PARTITION BY LIST (id)", "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)", "CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2)", "INSERT INTO p VALUES (1), (2)")
	pending := majorOf(t, a) >= 14
	if pending { // as DETACH PARTITION … CONCURRENTLY leaves it that is interrupted
		a.Exec(t, from, "UPDATE pg_inherits SET inhdetachpending = true WHERE inhrelid = 'p1'::regclass")
	}
	src, err := Connector{}.OpenSource(t.Context(), from, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	_, err = src.Catalog(t.Context())
	if !pending {
		if err == nil {
			err = connectortest.Copy(t, Connector{}, connectors.Options{Workers: 2}, from, to)
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	if err == nil || !strings.Contains(err.Error(), "public.p1") || !strings.Contains(connectors.Hint(err), "ALTER TABLE public.p DETACH PARTITION public.p1 FINALIZE") {
		t.Errorf("%v, hint %q", err, connectors.Hint(err))
	}
}
