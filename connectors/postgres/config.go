package postgres

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"

	"github.com/sanitize-db/sanitize/connectors"
)

// config is what a source or a sink knows of its server, and the bounds it keeps.
type config struct {
	side        connectors.Side
	dsn         string
	conn        *pgx.ConnConfig
	workers     int           // sessions at once, beside the one that holds snapshot or lock
	places      places        // of all sessions together; nil bounds nothing
	full        *atomic.Bool  // of a sink: the server's disk was
	lockTimeout time.Duration // longest wait for a lock
	binDir      string        // folder of pg_dump; empty searches the usual places
	warn        func(string)
	keep        []string // objects of the source that come along; see catalog.Catalog.Keep
	leaves      []string // extensions of the source that stay behind
	pooled      bool     // a pooler stands between, and gives each client a session of its own
	sticky      stickiness
	names       lookups   // of the driver
	addrs       []string  // of hostaddr: where hosts are, whatever names say
	answered    *endpoint // where it was opened; nil before
	account     string    // under whose rights its sessions are: the user, or the role that the user works under
}

const (
	defaultWorkers     = 4
	defaultLockTimeout = 10 * time.Second
	connectTimeout     = 15 * time.Second
	// cleanupTimeout bounds what Close and Abort do after a context has ended.
	cleanupTimeout = 20 * time.Second
)

func newConfig(side connectors.Side, dsn string, opts connectors.Options) (*config, error) {
	if connectors.AmbiguousURL(dsn) {
		return nil, &connectors.Error{
			Kind: connectors.KindUsage, Side: side, Op: "read the connection string",
			Err:  errors.New("there is an @ where host or database should be: a piece of a password would be taken for one of them"),
			Hint: "in a password or a name write @ as %40, / as %2F, ? as %3F, # as %23; or leave the password to ~/.pgpass",
		}
	}
	given, err := readGiven(dsn)
	if err != nil {
		return nil, given.unreadable(side)
	}
	parsed, err := pgx.ParseConfig(given.dsn)
	if err != nil {
		return nil, given.unreadable(side)
	}
	if err := given.fit(side, parsed); err != nil {
		return nil, err
	}
	c := &config{side: side, dsn: given.dsn, addrs: given.addrs, conn: parsed, workers: opts.Workers, binDir: opts.BinDir, warn: opts.Warn, keep: opts.Keep, leaves: opts.Leave, account: parsed.User}
	if c.workers <= 0 {
		c.workers = defaultWorkers
	}
	c.lockTimeout = time.Duration(opts.LockTimeout) * time.Millisecond
	if c.lockTimeout <= 0 {
		c.lockTimeout = defaultLockTimeout
	}
	if c.warn == nil {
		c.warn = func(string) {}
	}
	if parsed.ConnectTimeout == 0 {
		parsed.ConnectTimeout = connectTimeout
	}
	if parsed.RuntimeParams["application_name"] == "" {
		parsed.RuntimeParams["application_name"] = "sanitize"
	}
	switch mode, said := parsed.RuntimeParams[poolMode]; {
	case said && mode != "session":
		return nil, &connectors.Error{Kind: connectors.KindUsage, Side: side, Op: "read the connection string",
			Err:  errors.New(poolMode + " is session or nothing: a run needs sessions of its own"),
			Hint: "give the address of the server itself, or of a pool by sessions"}
	case said:
		c.pooled = true
		delete(parsed.RuntimeParams, poolMode)
	}
	if side == connectors.SourceSide {
		delete(parsed.RuntimeParams, "timezone") // of PGTZ: what is computed anew goes by the server's
	}
	if err := c.bound(opts.Sessions); err != nil {
		return nil, err
	}
	parsed.LookupFunc = c.names.watch(given.look(parsed.LookupFunc))
	parsed.OnNotice = noteRights
	// Statements are few and different: a cache of prepared ones would only cost.
	parsed.DefaultQueryExecMode = pgx.QueryExecModeExec
	parsed.StatementCacheCapacity, parsed.DescriptionCacheCapacity = 0, 0
	// A cancelled statement must stop at the server too: an index that nobody
	// waits for would still be built.
	parsed.BuildContextWatcherHandler = func(pc *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: pc, DeadlineDelay: 3 * time.Second}
	}
	return c, nil
}

// display returns host, port and database for people: of a list of hosts the one that has
// answered, or the first as long as none has.
func (c *config) display(database string) string {
	at := endpoint{host: c.conn.Host, port: int(c.conn.Port)}
	if c.answered != nil {
		at = *c.answered
	}
	return at.String() + "/" + database
}

// settings are made in every session, so that no default of the server, the
// database or the account decides what a row looks like or when a run ends.
// Those that the server does not know are left out.
func (c *config) settings() [][2]string {
	s := [][2]string{
		{"search_path", ""},
		{"statement_timeout", "0"},
		{"idle_in_transaction_session_timeout", "0"},
		{"idle_session_timeout", "0"},
		{"transaction_timeout", "0"},
		{"row_security", "off"},
		{"default_transaction_isolation", "read committed"}, // who reads a snapshot says what it needs
		{"default_transaction_deferrable", "off"},
		{"DateStyle", "ISO, YMD"},
		{"IntervalStyle", "postgres"},
		{"TimeZone", "UTC"},
		{"extra_float_digits", "3"},
		{"bytea_output", "hex"},
		{"lc_monetary", "C"},
		{"standard_conforming_strings", "on"},
		{"quote_all_identifiers", "off"},
		{"client_min_messages", "error"},
		{"jit", "off"}, // compiling a query of the catalog takes ten times as long as running it
		{"tcp_keepalives_idle", "60"},
	}
	if c.side == connectors.SourceSide {
		return append(s, [2]string{"lock_timeout", strconv.FormatInt(c.lockTimeout.Milliseconds(), 10)},
			[2]string{"default_transaction_read_only", "on"}, [2]string{"synchronize_seqscans", "off"})
	}
	// What waits in the build waits for the run itself, or for somebody who does not belong
	// there: see watchStrangers. What a crash of the server takes off the end of a build is made again,
	// so its commits need not reach the disk one by one; the last one does.
	return append(s, [2]string{"lock_timeout", "0"}, [2]string{"default_transaction_read_only", "off"}, [2]string{"synchronous_commit", "off"},
		[2]string{"check_function_bodies", "off"}, [2]string{"xmloption", "content"},
		[2]string{"array_nulls", "on"}, [2]string{"transform_null_equals", "off"})
}

// connect opens a session on a database and makes the settings.
func (c *config) connect(ctx context.Context, database string) (*pgx.Conn, error) {
	cc := c.conn.Copy()
	if database != "" {
		cc.Database = database
	}
	op := "connect to " + c.display(cc.Database)
	conn, err := pgx.ConnectConfig(asSession(ctx), cc)
	if err != nil {
		var refused *pgconn.PgError
		if errors.As(err, &refused) && slices.Contains(refusedSetting, refused.Code) {
			return nil, c.settingError(op, refused)
		}
		if refused != nil && refused.Code == "55000" && ctx.Err() == nil {
			return nil, &connectors.Error{Kind: connectors.KindUnavailable, Side: c.side, Op: op, Err: spoken(refused),
				Hint: "its owner has closed it to everybody; to open it: ALTER DATABASE " + word(cc.Database) + " ALLOW_CONNECTIONS true"}
		}
		if refused != nil && strings.HasPrefix(refused.Code, "XX") && !inCode(refused) && ctx.Err() == nil {
			// It cannot even begin a session, as on a full disk. No row is in reach.
			return nil, &connectors.Error{Kind: connectors.KindUnavailable, Side: c.side, Op: op, Retry: true, Err: &condition{state: refused.Code, text: strings.TrimSpace(refused.Message)},
				Hint: "the server is in trouble, and its log says more"}
		}
		if stateOf(err) != "" || ctx.Err() != nil {
			return nil, failDefinition(ctx, c.side, op, err)
		}
		return nil, &connectors.Error{Kind: connectors.KindUnavailable, Side: c.side, Op: op, Retry: true,
			Err: errors.New(telling(quiet(err).Error())), Hint: "is the server running, and do host, port and TLS mode fit?"}
	}
	if err := c.set(ctx, conn); err != nil {
		closeConn(conn)
		return nil, failDefinition(ctx, c.side, op, err)
	}
	return conn, nil
}

// refusedSetting are the conditions under which a server begins no session for what is set at its
// beginning. No row is in reach.
var refusedSetting = []string{"42704", "22023", "22P02", "55P02"}

// settingError is the error of a setting at the beginning of a session. It names the setting, and not
// its value.
func (c *config) settingError(op string, refused *pgconn.PgError) error {
	cause := bare(refused)
	switch name := aSetting.FindStringSubmatch(refused.Message); {
	case refused.Code == "42704":
		cause = spoken(refused)
	case name != nil:
		cause = &condition{state: refused.Code, text: "the server does not take what is set for " + word(name[1])}
	}
	return &connectors.Error{Kind: connectors.KindUsage, Side: c.side, Op: op, Err: cause,
		Hint: "what the connection string, its service or PGOPTIONS set beside host, port, user and the like are settings of the server: it has to know them, and to let this account make them"}
}

var aSetting = regexp.MustCompile(`parameter "([^"]+)"`)

// telling returns of the ways to a server, a line each, that have failed the first which says why:
// where TLS is only preferred, a server without it has been asked without it, too.
func telling(failures string) string {
	first, rest, several := strings.Cut(failures, "\n")
	if several && strings.HasSuffix(first, ": server refused TLS connection") {
		return telling(rest)
	}
	return first
}

// set makes the settings of a session, if it is ours alone.
func (c *config) set(ctx context.Context, conn *pgx.Conn) error {
	var sql strings.Builder
	sql.WriteString("; SELECT pg_catalog.set_config(v.name, v.setting, false) FROM (VALUES ")
	for i, s := range c.settings() {
		if i > 0 {
			sql.WriteString(", ")
		}
		fmt.Fprintf(&sql, "(%d, %s, %s)", i, literal(s[0]), literal(s[1]))
	}
	// A database without an encoding takes and gives any bytes; only a client
	// without one gets them unharmed.
	encoding := "UTF8"
	if conn.PgConn().ParameterStatus("server_encoding") == "SQL_ASCII" {
		encoding = "SQL_ASCII"
	}
	fmt.Fprintf(&sql, ", (999, 'client_encoding', '%s')", encoding)
	// Asked one by one: the view pg_settings would spell all of a server's settings, at every session.
	sql.WriteString(") AS v(n, name, setting) WHERE pg_catalog.current_setting(v.name, true) IS NOT NULL")
	const order = " ORDER BY v.n"
	pid := conn.PgConn().PID()
	who, err := answering(ctx, conn.PgConn(), fmt.Sprintf("%s AND pg_catalog.pg_backend_pid() = %d%s", sql.String(), int32(pid), order))
	if err == nil && who.pid != pid { // and so nothing is set
		if err = c.ownSession(ctx, conn); err == nil {
			who, err = answering(ctx, conn.PgConn(), sql.String()+order)
		}
	}
	conn.PgConn().CustomData()[peerKey] = who
	return err
}

// closeConn ends a session within a bounded time.
func closeConn(conn *pgx.Conn) {
	if conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), cleanupTimeout)
	defer cancel()
	conn.Close(ctx)
}
