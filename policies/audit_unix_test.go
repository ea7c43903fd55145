//go:build unix && !race

package policies

import (
	"syscall"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/masking"
)

// processor is the time that the program has spent on processors: it does not go by
// what else the machine has to do.
func processor(t *testing.T) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func TestAuditOf500TablesTakesTwoSeconds(t *testing.T) {
	p, c := manyTables(t, 500)
	began := processor(t)
	r := Audit(p, Evidence{Catalog: c, Today: auditDay}, masking.Standard())
	if took := processor(t) - began; took > 2*time.Second {
		t.Errorf("%d columns took %v", r.Catalog.Columns, took)
	}
}
