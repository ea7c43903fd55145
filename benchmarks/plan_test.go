package benchmarks

import (
	"slices"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
)

// mask is one column of the data set and what is done to it.
type mask struct {
	column string
	spec   masking.Spec
}

// masks are the transforms of the data set's columns, in the order in which
// benchmarks take more of them: the first three, the first ten.
var masks = []mask{
	{"email", masking.Spec{Name: "fake", Variant: "email"}},
	{"customer_id", masking.Spec{Name: "pseudonym", Variant: "id"}},
	{"last_name", masking.Spec{Name: "fake", Variant: "last_name"}},
	{"first_name", masking.Spec{Name: "fake", Variant: "first_name"}},
	{"phone", masking.Spec{Name: "fake", Variant: "phone"}},
	{"street", masking.Spec{Name: "shape", Variant: "text"}},
	{"postcode", masking.Spec{Name: "token", Variant: "hex"}},
	{"born_on", masking.Spec{Name: "shift_days", Variant: int64(30)}},
	{"token", masking.Spec{Name: "pseudonym", Variant: "uuid"}},
	{"note", masking.Spec{Name: "shape", Variant: "text"}},
}

// plan returns the plan of the data set with the first n masks.
func plan(tb testing.TB, n int) *masking.TablePlan {
	tb.Helper()
	key, err := masking.KeyFromBytes(make([]byte, masking.KeySize))
	if err != nil {
		tb.Fatal(err)
	}
	registry := masking.Standard()
	kinds := map[catalog.Kind]masking.Kind{
		catalog.Int: masking.Int, catalog.Text: masking.Text, catalog.UUID: masking.UUID,
		catalog.Date: masking.Date, catalog.TimestampTZ: masking.Timestamp,
	}
	t := Table()
	var columns []masking.ColumnPlan
	for _, c := range t.Columns {
		p := masking.ColumnPlan{Name: c.Name, Action: masking.Keep}
		i := slices.IndexFunc(masks[:n], func(m mask) bool { return m.column == c.Name })
		if i >= 0 {
			spec := masks[i].spec
			spec.Domain = "bench/" + c.Name
			b, err := registry.Bind(key, masking.Column{Table: t.ID.String(), Name: c.Name, Kind: kinds[c.Type.Kind], Bits: c.Type.Bits}, spec, nil)
			if err != nil {
				tb.Fatalf("%s: %v", c.Name, err)
			}
			p.Action, p.Binding = masking.Mask, b
		}
		columns = append(columns, p)
	}
	tp, err := masking.NewTablePlan(t.ID.String(), false, columns)
	if err != nil {
		tb.Fatal(err)
	}
	return tp
}
