package connectors

import (
	"context"
	"fmt"
	"net"
	"strings"
)

// Connector opens the sources and sinks of one database.
type Connector interface {
	// Name is the connector's word: postgres, sqlite.
	Name() string
	// Accepts reports whether the connection string is one of this connector's.
	Accepts(dsn string) bool
	// OpenSource connects, and fails with KindUnavailable when it cannot.
	OpenSource(ctx context.Context, dsn string, opts Options) (Source, error)
	// OpenSink connects to the server of the target; the target database itself
	// need not exist.
	OpenSink(ctx context.Context, dsn string, opts Options) (Sink, error)
	// Redact returns the connection string without secrets, for people.
	Redact(dsn string) string
}

// Options bound what a connector may take. The zero value is good.
type Options struct {
	Workers int // sessions used at once, beside one that holds the snapshot; 0 is 4
	// Sessions bounds the sessions at the source at any moment, of every kind: the one
	// that holds the snapshot, readers, client programs. 0 is no bound but Workers.
	Sessions    int
	LockTimeout int    // milliseconds to wait for a lock at the source; 0 is 10,000
	BinDir      string // folder of client programs (pg_dump); empty searches the usual places
	// Keep names objects of the source (KIND:NAME) that are to come along though they
	// would stay behind; see catalog.Catalog.Keep.
	Keep []string
	// Leave names extensions of a PostgreSQL source that stay behind though they would come
	// along, with all that needs them.
	Leave []string
	// Holder connects to the process that lends the snapshot of a token; see Lender. The
	// connection is one that Lend gets at its other end. Nil where there are none.
	Holder func(ctx context.Context, source Identity, token string) (net.Conn, error)
	// Warn is told what a person should know and no error stops for. It may be
	// called from several goroutines; nil drops it.
	Warn func(message string)
}

// Registry finds the connector of a connection string. The zero value is empty.
type Registry struct {
	connectors []Connector
}

// NewRegistry returns a registry of the given connectors, asked in that order.
func NewRegistry(connectors ...Connector) *Registry { return &Registry{connectors: connectors} }

// Find returns the connector that accepts the connection string.
func (r *Registry) Find(dsn string) (Connector, error) {
	var names []string
	for _, c := range r.connectors {
		if c.Accepts(dsn) {
			return c, nil
		}
		names = append(names, c.Name())
	}
	return nil, &Error{
		Kind: KindUsage,
		Op:   fmt.Sprintf("connect to %q", RedactURL(dsn)),
		Err:  fmt.Errorf("no connector knows this kind of connection string (there are: %s)", strings.Join(names, ", ")),
		Hint: "write it as postgres://user@host/database, service=NAME, mysql://user@host/database, mariadb://…, or sqlite:path/to/file.db",
	}
}
