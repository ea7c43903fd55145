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
	// counted one by one. With more than limit different values, or more than that many bytes
	// of them, it fails by TooManyValues, and has held no more; 0 bytes are any.
	Values(ctx context.Context, table catalog.TableID, column string, f Filter, limit, bytes int) (*Values, error)
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

// Exceed reports whether there are more values, or more bytes of them; 0 bytes are any.
func (v *Values) Exceed(limit, bytes int) bool {
	size := 0
	for _, text := range v.Texts {
		size += len(text)
	}
	return len(v.Texts) > limit || bytes > 0 && size > bytes
}

// TooManyValues is the error of a Counter that has met more values than it may.
func TooManyValues(table catalog.TableID, column string, limit, bytes int) error {
	return &Error{
		Kind: KindUnsupported, Side: SourceSide, Op: fmt.Sprintf("count the values of %s.%s", table, column),
		Err:  manyValues{limit, bytes},
		Hint: "mask the column by a transform that does not hold all its values",
	}
}

// manyValues is how many values there may be, and bytes of them, and are more than.
type manyValues struct{ limit, bytes int }

func (m manyValues) Error() string {
	if m.bytes > 0 {
		return fmt.Sprintf("there are more than %d different values, or more than %d bytes of them", m.limit, m.bytes)
	}
	return fmt.Sprintf("there are more than %d different values", m.limit)
}

// TooManyValues reports that nothing else has failed.
func (m manyValues) TooManyValues() bool { return true }
