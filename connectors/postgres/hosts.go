package postgres

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors"
)

// Hosts implements connectors.Hosted: the host, and all others of a list, and the addresses where
// hostaddr has them.
func (Connector) Hosts(dsn string) ([]string, error) {
	c, err := newConfig(connectors.SinkSide, dsn, connectors.Options{})
	if err != nil {
		return nil, err
	}
	var hosts []string
	add := func(host string) {
		if isSocket(host) {
			host = connectors.Local
		}
		if !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	add(c.conn.Host)
	for _, f := range c.conn.Fallbacks {
		add(f.Host)
	}
	for _, addr := range c.addrs {
		if addr != "" {
			add(addr)
		}
	}
	return hosts, nil
}

// isSocket reports whether a host is a folder of sockets, or an abstract one.
func isSocket(host string) bool {
	return host == "" || strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || filepath.IsAbs(host)
}
