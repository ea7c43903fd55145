package postgres

import "testing"

// The memory of a sort grows with the root of what is sorted, within bounds.
func TestSortKB(t *testing.T) {
	for _, c := range []struct{ bytes, want int64 }{
		{0, leastSortKB},
		{1 << 30, 16637},
		{16 << 30, 4 * 16637},
		{1 << 40, 32 * 16637},
		{1 << 60, mostSortKB},
	} {
		if got := sortKB(c.bytes); got < c.want || got > c.want+3*32 {
			t.Errorf("%d bytes: %d KiB, want %d", c.bytes, got, c.want)
		}
		// All runs of a sort that is not bounded are merged at once.
		if kb := sortKB(c.bytes); kb < mostSortKB && c.bytes>>10/kb > kb/runKB+1 {
			t.Errorf("%d bytes in %d KiB: %d runs, of which %d can be merged", c.bytes, kb, c.bytes>>10/kb, kb/runKB)
		}
	}
}
