// Package pipelinetest holds what tests of the pipeline share: a workload whose
// end state is known, and chaos before and after each effect of a connector.
package pipelinetest

import (
	"context"
	"fmt"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/memory"
	"github.com/sanitize-db/sanitize/masking"
	"github.com/sanitize-db/sanitize/pipeline"
)

// The tables of the workload.
var (
	Users  = catalog.TableID{Name: "users"}
	Orders = catalog.TableID{Name: "orders"}
	Audit  = catalog.TableID{Name: "audit"}
	Empty  = catalog.TableID{Name: "empty"}
)

// Workload fills a database with users (who refer to each other), their orders,
// an audit table whose rows the plan leaves behind, and an empty table.
func Workload(db *memory.Database, users, orders int) error {
	integer := catalog.Type{Name: "bigint", Kind: catalog.Int, Bits: 64}
	text := catalog.Type{Name: "text", Kind: catalog.Text}
	err := db.Create(
		&catalog.Table{ID: Users, Kind: catalog.Ordinary,
			Columns: []catalog.Column{
				{Name: "id", Type: integer, NotNull: true}, {Name: "email", Type: text}, {Name: "invited_by", Type: integer}, {Name: "plan", Type: text},
			},
			PrimaryKey:  &catalog.Key{Name: "users_pkey", Columns: []string{"id"}},
			Unique:      []catalog.Key{{Name: "users_email_key", Columns: []string{"email"}}},
			ForeignKeys: []catalog.ForeignKey{{Name: "users_invited_by_fkey", References: Users, Pairs: []catalog.Pair{{Column: "invited_by", References: "id"}}, Validated: true}},
		},
		&catalog.Table{ID: Orders, Kind: catalog.Ordinary,
			Columns: []catalog.Column{
				{Name: "id", Type: integer, NotNull: true}, {Name: "user_id", Type: integer, NotNull: true}, {Name: "total", Type: integer},
			},
			PrimaryKey:  &catalog.Key{Name: "orders_pkey", Columns: []string{"id"}},
			ForeignKeys: []catalog.ForeignKey{{Name: "orders_user_id_fkey", References: Users, Pairs: []catalog.Pair{{Column: "user_id", References: "id"}}, Validated: true}},
		},
		&catalog.Table{ID: Audit, Kind: catalog.Ordinary, Columns: []catalog.Column{{Name: "line", Type: text}}},
		&catalog.Table{ID: Empty, Kind: catalog.Ordinary, Columns: []catalog.Column{{Name: "id", Type: integer}}},
	)
	if err != nil {
		return err
	}
	var rows []memory.Row
	for i := range users {
		var inviter any
		if i > 0 {
			inviter = int64(1 + i/2)
		}
		rows = append(rows, memory.Row{int64(i + 1), fmt.Sprintf("user%d@shop.example", i+1), inviter, "basic"})
	}
	if err := db.Insert(Users, rows...); err != nil {
		return err
	}
	rows = nil
	for i := range orders {
		rows = append(rows, memory.Row{int64(i + 1), int64(1 + i*7%users), int64(i % 1000)})
	}
	if err := db.Insert(Orders, rows...); err != nil {
		return err
	}
	return db.Insert(Audit, memory.Row{"user1@shop.example logged in"})
}

// Compile is the plan of the workload, for pipeline.Run.Compile: ids are
// pseudonymised and still join, emails become tokens, the audit's rows stay behind.
func Compile(key *masking.Key) func(context.Context, connectors.Snapshot) (*masking.Plan, pipeline.Fingerprint, error) {
	return func(_ context.Context, snapshot connectors.Snapshot) (*masking.Plan, pipeline.Fingerprint, error) {
		registry := masking.Standard()
		id := masking.Spec{Name: "pseudonym", Variant: "id", Domain: "test/user_id"}
		email := masking.Spec{Name: "token", Variant: "hex", Params: map[string]any{"length": int64(40)}, Domain: "test/email"}
		masks := map[string]masking.Spec{"users.id": id, "users.invited_by": id, "orders.user_id": id, "users.email": email}
		tables := map[masking.TableName]*masking.TablePlan{}
		for _, t := range snapshot.Catalog().Tables {
			var columns []masking.ColumnPlan
			for _, col := range t.Columns {
				plan := masking.ColumnPlan{Name: col.Name, Action: masking.Keep}
				if spec, masked := masks[t.ID.Name+"."+col.Name]; masked {
					kind := masking.Int
					if col.Type.Kind == catalog.Text {
						kind = masking.Text
					}
					b, err := registry.Bind(key, masking.Column{Table: t.ID.Name, Name: col.Name, Kind: kind, Bits: 64}, spec, nil)
					if err != nil {
						return nil, nil, err
					}
					plan.Action, plan.Binding = masking.Mask, b
				}
				columns = append(columns, plan)
			}
			tp, err := masking.NewTablePlan(t.ID.String(), t.ID == Audit, columns)
			if err != nil {
				return nil, nil, err
			}
			tables[masking.TableName{Schema: t.ID.Schema, Name: t.ID.Name}] = tp
		}
		return masking.NewPlan(tables), pipeline.Fingerprint{"key": key.Check()}, nil
	}
}
