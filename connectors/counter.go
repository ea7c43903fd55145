package connectors

import (
	"context"
	"fmt"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Counter is a Snapshot that can count the values of a column, for a mask whose
// output is made of them. Methods are safe for concurrent use.
type Counter interface {
	// Values counts the values of a column in those rows of a table that a filter lets
	// through, as a Filterer has it. The table is one that stores rows: partitions are
	// counted one by one. With more than limit different values it fails.
	Values(ctx context.Context, table catalog.TableID, column string, f Filter, limit int) (*Values, error)
}

// Values are the values of a column and how often each occurs.
type Values struct {
	Texts  []string // as PostgreSQL prints them, without NULL, sorted byte for byte
	Counts []int64
	Nulls  int64
}

// Merge returns the values of two lots of rows, as if they had been counted as one.
func (v *Values) Merge(other *Values) *Values {
	all := &Values{Nulls: v.Nulls + other.Nulls}
	add := func(text string, n int64) {
		all.Texts, all.Counts = append(all.Texts, text), append(all.Counts, n)
	}
	i, j := 0, 0
	for i < len(v.Texts) || j < len(other.Texts) {
		switch {
		case j == len(other.Texts) || i < len(v.Texts) && v.Texts[i] < other.Texts[j]:
			add(v.Texts[i], v.Counts[i])
			i++
		case i == len(v.Texts) || other.Texts[j] < v.Texts[i]:
			add(other.Texts[j], other.Counts[j])
			j++
		default:
			add(v.Texts[i], v.Counts[i]+other.Counts[j])
			i, j = i+1, j+1
		}
	}
	return all
}

// TooManyValues is the error of a Counter that has met more values than it may.
func TooManyValues(table catalog.TableID, column string, limit int) error {
	return &Error{
		Kind: KindUnsupported, Side: SourceSide, Op: fmt.Sprintf("count the values of %s.%s", table, column),
		Err:  manyValues(limit),
		Hint: "mask the column by a transform that does not hold all its values",
	}
}

// manyValues is how many values there may be, and are more than.
type manyValues int

func (m manyValues) Error() string {
	return fmt.Sprintf("there are more than %d different values", int(m))
}

// TooManyValues reports that nothing else has failed.
func (m manyValues) TooManyValues() bool { return true }
