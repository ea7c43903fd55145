package postgres

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
)

// steps make an object in two statements. The first lets others of the same table be
// made at the same time; the second is quick, or locks less than the object's own
// definition would.
//
// A primary or unique key is made as a unique index, which needs SHARE on the table, and
// then becomes a key: ADD CONSTRAINT alone would lock out every other index of the table.
// A foreign key is added NOT VALID, which looks at no row, and is then validated: that
// takes SHARE UPDATE EXCLUSIVE on the table and ROW SHARE on the one referred to, so that
// many keys that refer to one table are validated at once. (PostgreSQL's manual: CREATE
// INDEX, ALTER TABLE, and 13.3 Explicit Locking.)
type steps struct {
	First  string `json:"first"`
	Second string `json:"second"`
}

// step holds what the source says of how a key is made: its index, none of a foreign
// key, and the statement behind it.
type step struct{ index, key string }

func readSteps(ctx context.Context, conn *pgx.Conn) (map[archiveID]step, error) {
	found := map[archiveID]step{}
	err := each(ctx, conn, "steps", nil, func(row pgx.CollectableRow) error {
		var id archiveID
		var s step
		err := row.Scan(&id.class, &id.oid, &s.index, &s.key)
		found[id] = s
		return err
	})
	return found, err
}

// divide finds the objects that can be made in two steps. It leaves out those whose
// definition is more than one statement: CLUSTER ON or REPLICA IDENTITY stand behind.
// A key of a partitioned table is none of them: before version 18 it cannot be NOT VALID.
func (a *archive) divide(keys map[archiveID]step) {
	for _, it := range a.items {
		sql, ok := oneStatement(it.SQL)
		s, known := keys[it.at]
		switch {
		case !ok || !known || it.left:
		case it.Phase == phaseTable && it.Kind == "CONSTRAINT":
			it.Steps = &steps{First: s.index, Second: s.key}
		case it.Phase == phaseForeign && !strings.HasSuffix(sql, "NOT VALID") && !strings.HasSuffix(sql, "NOT ENFORCED"):
			it.Steps = &steps{First: sql + " NOT VALID", Second: s.key}
		}
	}
}

// oneStatement returns SQL without the semicolon at its end, if that is the only one.
func oneStatement(sql string) (string, bool) {
	sql, ok := strings.CutSuffix(strings.TrimSpace(sql), ";")
	return sql, ok && !strings.Contains(sql, ";")
}

func (e entry) first() entry  { return e.step(e.Steps.First) }
func (e entry) second() entry { return e.step(e.Steps.Second) }

func (e entry) step(sql string) entry {
	e.SQL, e.Steps = sql, nil
	return e
}
