package policies

import "strings"

// MatchHost reports whether a host's name, or address, is one that the pattern names.
// Case makes no difference, nor does a dot at the end; * stands for any characters but
// a dot, so that discovery-*.internal is one level of names, as in certificates.
func MatchHost(pattern, host string) bool {
	fold := func(s string) string { return strings.ToLower(strings.TrimSuffix(s, ".")) }
	return matchParts(fold(pattern), fold(host))
}

// matchParts goes back to the last * only: between two dots that is enough, and the
// time is bounded by the product of both lengths.
func matchParts(pattern, host string) bool {
	star, mark := -1, 0
	p, h := 0, 0
	for h < len(host) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, h
			p++
		case p < len(pattern) && pattern[p] == host[h]:
			p++
			h++
		case star >= 0 && host[mark] != '.':
			mark++
			p, h = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// narrowHosts returns the patterns of hosts that both lists allow. A pattern is within
// another that matches it letter by letter: only a * there meets a * here.
func narrowHosts(a, b []string) (both []string) {
	for _, pair := range [][2][]string{{a, b}, {b, a}} {
		for _, h := range pair[0] {
			if within(h, pair[1]) && !within(h, both) {
				both = append(both, h)
			}
		}
	}
	return both
}

// within reports whether one of the patterns covers the pattern h.
func within(h string, patterns []string) bool {
	for _, p := range patterns {
		if MatchHost(p, h) {
			return true
		}
	}
	return false
}
