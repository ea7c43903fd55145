//go:build race

package masking

// The race detector makes each value some ten times as dear.
func init() { tenMillion = 300_000 }
