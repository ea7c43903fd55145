package connectors

import (
	"context"
	"fmt"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Counter is a Snapshot that can count the values of a column, for a mask whose
// output is made of them. Methods are safe for concurrent use.
type Counter interface {
	// Values counts the values of a column of one table, or of all partitions of one
	// that is partitioned. With more than limit different values it fails.
	Values(ctx context.Context, table catalog.TableID, column string, limit int) (*Values, error)
}

// Values are the values of a column and how often each occurs.
type Values struct {
	Texts  []string // as PostgreSQL prints them, without NULL, sorted byte for byte
	Counts []int64
	Nulls  int64
}

// TooManyValues is the error of a Counter that has met more values than it may.
func TooManyValues(table catalog.TableID, column string, limit int) error {
	return &Error{
		Kind: KindUnsupported, Side: SourceSide, Op: fmt.Sprintf("count the values of %s.%s", table, column),
		Err:  fmt.Errorf("there are more than %d different values", limit),
		Hint: "mask the column by a transform that does not hold all its values",
	}
}
