package connectors

import (
	"context"
	"unicode/utf8"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Sampler is a Source that can read a few rows, for a detector that looks at values.
// Methods are safe for concurrent use.
type Sampler interface {
	// Sample reads at most so many rows of a table that stores rows, spread over it as
	// far as that is cheap, and calls see for each: row[i] is the text of t.Columns[i],
	// nil for NULL and for what has no text (bytes, computed columns that are costly).
	// Values longer than SampleBytes are cut. row is good until see returns; an error of
	// see ends the sample and is returned. No lock outlives the call.
	Sample(ctx context.Context, t *catalog.Table, rows int, see func(row [][]byte) error) error
}

// SampleBytes is the length from which a Sampler cuts a value.
const SampleBytes = 4 << 10

// CutSample returns the value as a Sampler gives it: no longer than SampleBytes, and
// without half a character at its end.
func CutSample(v []byte) []byte {
	if len(v) <= SampleBytes {
		return v
	}
	end := SampleBytes
	for back := 1; back < utf8.UTFMax; back++ {
		if utf8.RuneStart(v[end]) {
			break
		}
		end--
	}
	return v[:end]
}
