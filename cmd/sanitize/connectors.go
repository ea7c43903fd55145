package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/connectors/mysql"
	"github.com/sanitize-db/sanitize/connectors/postgres"
	"github.com/sanitize-db/sanitize/connectors/sqlite"
)

// databases is every connector of the program.
func databases() *connectors.Registry {
	return connectors.NewRegistry(postgres.Connector{}, mysql.Connector{}, sqlite.Connector{})
}

// connectOptions are the flags of every command that connects.
type connectOptions struct {
	workers     int
	pgBin       string
	lockTimeout time.Duration
	keep        []string // objects that come along; see bindFates
	grants      bool
	leave       []string // extensions that stay behind
}

func (o *connectOptions) bind(flags *pflag.FlagSet) {
	flags.StringVar(&o.pgBin, "pg-bin", "", "`DIR` of pg_dump and pg_restore (default: the usual places)")
	flags.DurationVar(&o.lockTimeout, "lock-timeout", 10*time.Second, "`TIME` to wait for a lock at the source")
}

// kept names the objects that come along though they would stay behind.
func (o *connectOptions) kept() []string {
	if o.grants {
		return append(slices.Clone(o.keep), catalog.Grants)
	}
	return o.keep
}

// options returns what a connector is told.
func (o *connectOptions) options(u *ui) connectors.Options {
	return connectors.Options{
		Workers:     o.workers,
		LockTimeout: int(o.lockTimeout.Milliseconds()),
		BinDir:      o.pgBin,
		Keep:        o.kept(),
		Leave:       o.leave,
		Holder:      reachHolder,
		Warn:        u.Warn,
	}
}

// openSource connects to the source. The caller closes it.
func openSource(ctx context.Context, dsn string, opts connectors.Options) (connectors.Source, error) {
	c, err := databases().Find(dsn)
	if err != nil {
		return nil, err
	}
	if len(opts.Leave) > 0 && c.Name() != "postgres" {
		return nil, &connectors.Error{Kind: connectors.KindUsage, Side: connectors.SourceSide, Op: "open source " + c.Redact(dsn),
			Err: errors.New("only PostgreSQL has extensions"), Hint: "leave --leave-extension out"}
	}
	s, err := c.OpenSource(ctx, dsn, opts)
	return s, sided(err, connectors.SourceSide, "open source "+c.Redact(dsn))
}

// openSink connects to the server of the target. The caller closes it.
func openSink(ctx context.Context, dsn string, opts connectors.Options) (connectors.Sink, error) {
	c, err := databases().Find(dsn)
	if err != nil {
		return nil, err
	}
	s, err := c.OpenSink(ctx, dsn, opts)
	return s, sided(err, connectors.SinkSide, "open target "+c.Redact(dsn))
}

// sided adds the side to an error of opening that does not tell it: the exit code depends on it.
func sided(err error, side connectors.Side, op string) error {
	if err == nil {
		return nil
	}
	kind, have := connectors.KindOf(err)
	if have != connectors.NoSide || kind == connectors.KindUsage {
		return err
	}
	if kind == connectors.KindOther {
		kind = connectors.KindUnavailable
	}
	return &connectors.Error{Kind: kind, Side: side, Op: op, Err: err}
}
