//go:build race

package masking

// The race detector makes each value some ten times as dear. What it looks for shows
// with few values; that they stay apart is proven without it.
//
// Under it a sync.Pool forgets a quarter of what it is given, so that a batch makes
// some of its scratch anew.
func init() { tenMillion, mostTried, fewAllocations, fewer = 100_000, 1<<12, 512, 12 }
