package connectortest

import "testing"

// NoRaces leaves a test out where the race detector runs with -short: it is about values or
// definitions, or its work is done in other processes, and it has just passed without.
func NoRaces(tb testing.TB) {
	tb.Helper()
	if testing.Short() {
		tb.Skip("values, not goroutines: the tests without the race detector have them")
	}
}
