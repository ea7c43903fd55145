//go:build race

package policies

// Under the race detector pools forget, and what they would have kept is made anew: the
// bound is proven without it.
func init() { mostAllocated = 16 * mostAllocated }
