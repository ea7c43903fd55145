package sqlite

import "github.com/sanitize-db/sanitize/connectors"

// Hosts implements connectors.Hosted: a file is on this machine.
func (Connector) Hosts(dsn string) ([]string, error) {
	if _, err := configOf(dsn, connectors.SinkSide, connectors.Options{}); err != nil {
		return nil, err
	}
	return []string{connectors.Local}, nil
}
