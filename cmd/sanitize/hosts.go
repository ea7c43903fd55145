package main

import (
	"fmt"
	"strings"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/policies"
)

// guardHost refuses a target on a host that the policy's environments.hosts does not
// name. Nothing has been connected to by then. Of a list of hosts each must be named. A
// socket, a file and an address of the loopback are this machine, and localhost.
func guardHost(p *policies.Policy, dsn string) error {
	if len(p.Limits.Hosts) == 0 {
		return nil
	}
	c, err := databases().Find(dsn)
	if err != nil {
		return err
	}
	patterns := fmt.Sprintf("%s (%s:%d)", strings.Join(p.Limits.Hosts, ", "), p.File, p.Limits.At.Line)
	hosted, ok := c.(connectors.Hosted)
	if !ok {
		return &usageError{reason: fmt.Sprintf("the policy allows targets on %s only, and of %s the host is not known", patterns, c.Redact(dsn))}
	}
	hosts, err := hosted.Hosts(dsn)
	if err != nil {
		return err
	}
	for _, host := range hosts {
		if p.Limits.Names(host) {
			continue
		}
		return &usageError{
			reason: fmt.Sprintf("the policy allows no target on %s: its environments.hosts are %s", host, patterns),
			help:   "name a target on one of these hosts, by a name that the policy knows; sockets, files and 127.0.0.1 are localhost",
		}
	}
	return nil
}
