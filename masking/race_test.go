//go:build race

package masking

// The race detector makes each value some ten times as dear. What it looks for shows
// with few values; that they stay apart is proven without it.
func init() { tenMillion, mostTried = 300_000, 1<<14 }
