package connectors

import (
	"context"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Sampler is a Source that can read a few rows, for a detector that looks at values.
// Methods are safe for concurrent use.
type Sampler interface {
	// Sample reads at most so many rows of a table that stores rows, spread over it as
	// far as that is cheap, and calls see for each: row[i] is the text of t.Columns[i],
	// nil for NULL and for what has no text (bytes, computed columns that are costly).
	// Values longer than 4 KiB are cut. row is good until see returns; an error of see
	// ends the sample and is returned. No lock outlives the call.
	Sample(ctx context.Context, t *catalog.Table, rows int, see func(row [][]byte) error) error
}
