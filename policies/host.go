package policies

import (
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// thisMachine is the host of what is on the machine of the run: a socket, a file, and what
// an address of the loopback leads to.
const thisMachine = "localhost"

// Names reports whether the list of hosts names a host, which is a name, an address without
// brackets, or localhost for a socket or a file. An address of the loopback is localhost, too.
func (e Environments) Names(host string) bool {
	return within(host, e.Hosts) || onThisMachine(host) && within(thisMachine, e.Hosts)
}

// onThisMachine reports whether what is sent to a host never leaves the machine.
func onThisMachine(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback() || MatchHost(thisMachine, host)
}

// site is where a manifest says that a database is.
type site struct {
	host string // as Environments.Names takes it
	// server is the same for two databases of one server, as far as the manifest tells.
	server string
}

var (
	// ownPath begins the name of a file or a socket, on whatever system the run was.
	ownPath = regexp.MustCompile(`^(?:/|@|\\|[A-Za-z]:[/\\]|sqlite:)`)
	// inSocket is a database behind a socket: /run/postgresql:5432/shop, /run/mysqld.sock/shop.
	inSocket = regexp.MustCompile(`^(.+(?::[0-9]{1,5}|\.sock))/[^/]+$`)
)

// siteOf reads the name that a manifest gives a database: host:5432/shop, [fd00::1]:5432/shop,
// or a path. It reports whether it is one of these: what is none may be anywhere.
func siteOf(display string) (site, bool) {
	if ownPath.MatchString(display) {
		s := site{host: thisMachine, server: display}
		if m := inSocket.FindStringSubmatch(display); m != nil {
			s.server = m[1]
		}
		return s, true
	}
	name, _, _ := strings.Cut(display, "/")
	host, port, err := net.SplitHostPort(name)
	if err != nil || host == "" {
		return site{}, false
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return site{}, false
	}
	if _, err := netip.ParseAddr(host); err != nil && strings.Contains(host, ":") {
		return site{}, false
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	s := site{host: host, server: net.JoinHostPort(host, port)}
	if host == "127.0.0.1" || host == "::1" {
		s.server = net.JoinHostPort(thisMachine, port)
	}
	return s, true
}

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
