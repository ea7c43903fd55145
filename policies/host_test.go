package policies

import (
	"strings"
	"testing"
	"time"
)

func TestMatchHost(t *testing.T) {
	for _, c := range []struct {
		pattern, host string
		want          bool
	}{
		{"discovery-*.internal", "discovery-1.internal", true},
		{"discovery-*.internal", "Discovery-1.Internal.", true},
		{"discovery-*.internal", "discovery-.internal", true},
		{"discovery-*.internal", "discovery-1.x.internal", false},
		{"discovery-*.internal", "discovery-1.internal.evil.example", false},
		{"discovery-*.internal", "xdiscovery-1.internal", false},
		{"*.internal", "a.internal", true},
		{"*.internal", "a.b.internal", false},
		{"*.internal", "internal", false},
		{"*", "localhost", true},
		{"*", "a.b", false},
		{"*.*.internal", "a.b.internal", true},
		{"a*b*c.x", "aXbYbZc.x", true},
		{"a*b*c.x", "abbc.y", false},
		{"10.1.*.*", "10.1.2.3", true},
		{"10.1.*.*", "10.12.2.3", false},
		{"::1", "::1", true},
		{"fd00::*", "fd00::12", true},
		{"localhost", "", false},
	} {
		if got := MatchHost(c.pattern, c.host); got != c.want {
			t.Errorf("MatchHost(%q, %q) = %t", c.pattern, c.host, got)
		}
	}
	start := time.Now()
	if MatchHost(strings.Repeat("a*", 5000)+"b", strings.Repeat("a", 10_000)) || time.Since(start) > 10*time.Second {
		t.Errorf("took %v", time.Since(start))
	}
}
