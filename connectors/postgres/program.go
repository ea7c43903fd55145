package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgservicefile"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sanitize-db/sanitize/connectors"
)

// endpoint is where a session has reached its server.
type endpoint struct {
	host string // by which it was asked for
	addr string // of a host with addresses, that which answered
	port int
}

// String returns host and port for people. A folder of sockets has no brackets.
func (e endpoint) String() string {
	if isSocket(e.host) {
		return fmt.Sprintf("%s:%d", e.host, e.port)
	}
	return net.JoinHostPort(e.host, strconv.Itoa(e.port))
}

// reached returns the endpoint of a session. A name may lead to many addresses, and a connection
// string to many names.
func (c *config) reached(conn *pgx.Conn) endpoint {
	at := endpoint{host: c.conn.Host, port: int(c.conn.Port)}
	switch remote := conn.PgConn().Conn().RemoteAddr().(type) {
	case *net.UnixAddr:
		at.host = filepath.Dir(remote.Name)
		if _, port, ok := strings.Cut(filepath.Base(remote.Name), ".s.PGSQL."); ok {
			at.port, _ = strconv.Atoi(port)
		}
	case *net.TCPAddr:
		at.addr, at.port = remote.IP.String(), remote.Port
		if remote.Zone != "" {
			at.addr += "%" + remote.Zone
		}
		at.host = c.named(remote)
	}
	return at
}

// named returns the name of the connection string that leads to an address.
func (c *config) named(addr *net.TCPAddr) string {
	if name := c.names.leading(c.conn.Host, int(c.conn.Port), addr); name != "" {
		return name
	}
	for _, f := range c.conn.Fallbacks {
		if name := c.names.leading(f.Host, int(f.Port), addr); name != "" {
			return name
		}
	}
	return c.conn.Host
}

// prefer asks where a session has been reached before the others of the connection string: what one
// server has, a database that was just made there or a snapshot, another lacks.
func (c *config) prefer(at endpoint) {
	type way = pgconn.FallbackConfig
	ways := append([]*way{{Host: c.conn.Host, Port: c.conn.Port, TLSConfig: c.conn.TLSConfig}}, c.conn.Fallbacks...)
	elsewhere := func(w *way) int {
		if w.Host == at.host && int(w.Port) == at.port {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(ways, func(a, b *way) int { return elsewhere(a) - elsewhere(b) })
	c.conn.Host, c.conn.Port, c.conn.TLSConfig, c.conn.Fallbacks = ways[0].Host, ways[0].Port, ways[0].TLSConfig, ways[1:]
	c.names.prefer(at.addr)
}

// lookups remembers to which addresses the driver has found names to lead: by another look a name
// may lead elsewhere.
type lookups struct {
	mu        sync.Mutex
	found     map[string][]string
	preferred string // comes before others that a name leads to
}

func (n *lookups) prefer(addr string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.preferred = addr
}

// watch returns a function that looks names up by another, and remembers what it says.
func (n *lookups) watch(look pgconn.LookupFunc) pgconn.LookupFunc {
	n.found = map[string][]string{}
	return func(ctx context.Context, host string) ([]string, error) {
		addrs, err := look(ctx, host)
		n.mu.Lock()
		defer n.mu.Unlock()
		for _, a := range addrs {
			if !slices.Contains(n.found[host], a) {
				n.found[host] = append(n.found[host], a)
			}
		}
		if i := slices.Index(addrs, n.preferred); i > 0 {
			addrs = slices.Concat(addrs[i:i+1], addrs[:i], addrs[i+1:])
		}
		return addrs, err
	}
}

// leading returns the host if it has led to the address, or "".
func (n *lookups) leading(host string, port int, addr *net.TCPAddr) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if port == addr.Port && slices.ContainsFunc(n.found[host], func(a string) bool {
		bare, _, _ := strings.Cut(a, "%") // the zone of an address
		return addr.IP.Equal(net.ParseIP(bare))
	}) {
		return host
	}
	return ""
}

// service returns the settings of the service that the connection string, or the environment,
// names. The driver has read them too, and has put the connection string's before them.
func service(values map[string]string) (map[string]string, error) {
	name, file := values["service"], values["servicefile"]
	if name == "" {
		name = os.Getenv("PGSERVICE")
	}
	if name == "" {
		return nil, nil
	}
	if file == "" {
		file = os.Getenv("PGSERVICEFILE")
	}
	if file == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, err
		}
		file = filepath.Join(home, ".pg_service.conf")
	}
	services, err := pgservicefile.ReadServicefile(file)
	if err != nil {
		return nil, err
	}
	found, err := services.GetService(name)
	if err != nil {
		return nil, err
	}
	return found.Settings, nil
}

// environment returns the environment in which a client program of PostgreSQL
// reaches the same database at the same server. All of it goes by the environment: a
// process list shows arguments to everybody. A service is resolved: to libpq its settings
// come before the environment's. The password of a client's key has no variable, and is in
// a file of services, for run to hand over.
func (c *config) environment(database string, at endpoint) (env []string, services []byte, err error) {
	values, err := parseKeywords(c.dsn)
	if err != nil {
		return nil, nil, err
	}
	all, err := service(values)
	if err != nil {
		return nil, nil, errors.New("postgres: the service file cannot be read")
	}
	all = maps.Clone(all)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, values)
	set := map[string]string{"PGTARGETSESSIONATTRS": "", "PGLOADBALANCEHOSTS": "", "PGSERVICE": "", "PGSERVICEFILE": ""}
	for k, v := range all {
		if name := keywords[k]; name != "" {
			if _, ours := set[name]; !ours {
				set[name] = v
			}
		}
	}
	set["PGHOST"], set["PGHOSTADDR"], set["PGPORT"] = at.host, at.addr, strconv.Itoa(at.port)
	set["PGUSER"] = c.conn.User
	set["PGDATABASE"] = database
	set["PGPASSWORD"] = c.conn.Password
	set["PGAPPNAME"] = "sanitize pg_dump"
	if _, said := all["options"]; !said {
		set["PGOPTIONS"] = os.Getenv("PGOPTIONS")
	}
	if secret := all["sslpassword"]; secret != "" {
		if runtime.GOOS == "windows" || strings.ContainsAny(secret, "\r\n") || strings.TrimSpace(secret) != secret {
			return nil, nil, &connectors.Error{Kind: connectors.KindUsage, Side: c.side, Op: "run pg_dump", Err: errors.New("the password of the client's key (sslpassword) cannot be handed over to it"),
				Hint: "give a key without a password, in a file that nobody else may read, or another password: without blanks at its ends, and not on Windows"}
		}
		services = []byte("[" + handedService + "]\nsslpassword=" + secret + "\n")
		set["PGSERVICE"] = handedService
	}
	// The program must not be held to what the account, the database or the server likes best; and
	// what it writes is read by sessions to which a backslash is one.
	// Poolers take no options: what matters beside those that it sets itself, plain has asked.
	if !c.pooled {
		set["PGOPTIONS"] = strings.TrimSpace(set["PGOPTIONS"] + " -c statement_timeout=0 -c idle_in_transaction_session_timeout=0 -c default_transaction_read_only=on" +
			` -c default_transaction_isolation=read\ committed -c default_transaction_deferrable=off` +
			" -c standard_conforming_strings=on -c quote_all_identifiers=off")
	}
	set["LC_ALL"] = "C"
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if _, ours := set[name]; !ours {
			env = append(env, kv)
		}
	}
	for name, v := range set {
		if v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env, services, nil
}

// handedService is the name of the service in a file that is handed over.
const handedService = "handed"

// run runs a client program. What it says on stderr is about objects, since it
// has no rows to speak of; its first complaint goes into the error. A file of services
// is handed over by a pipe, which no other process can read: it is not written to a disk.
func run(ctx context.Context, env []string, services, stdin []byte, path string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, path, args...)
	if services != nil {
		r, w, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		defer r.Close()
		_, err = w.Write(services) // shorter than a pipe
		if err = errors.Join(err, w.Close()); err != nil {
			return nil, err
		}
		cmd.ExtraFiles = []*os.File{r}
		env = append(env, "PGSERVICEFILE=/dev/fd/3")
	}
	cmd.Env, cmd.Stdin = env, bytes.NewReader(stdin)
	cmd.WaitDelay = 5 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if err == nil {
		return stdout.Bytes(), nil
	}
	name := filepath.Base(path)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	for line := range strings.Lines(stderr.String()) {
		if _, said, ok := strings.Cut(line, "error: "); ok {
			return nil, fmt.Errorf("%s: %s", name, strings.TrimSpace(said))
		}
	}
	return nil, fmt.Errorf("%s: %w", name, err)
}

// dumpError is the error of a pg_dump that did not get to the server, or not in time to a table.
func (s *snapshot) dumpError(ctx context.Context, err error) error {
	switch said := err.Error(); {
	case ctx.Err() != nil:
		return err
	case strings.Contains(said, "lock timeout"):
		return s.lockedError(ctx)
	case strings.Contains(said, "snapshot \"") && strings.Contains(said, "does not exist"):
		return s.lostError(err)
	case strings.Contains(said, "terminating connection"), strings.Contains(said, "connection to server"), strings.Contains(said, "connection to database"), strings.Contains(said, "server closed the connection"):
		return &connectors.Error{Kind: connectors.KindUnavailable, Side: s.side, Op: "read the definitions of " + s.display(s.conn.Database), Err: err,
			Hint: "pg_dump needs a session of its own: may the account have one more, and is the server still there?"}
	case strings.Contains(said, "permission denied"):
		return &connectors.Error{Kind: connectors.KindUnavailable, Side: s.side, Op: "read the definitions of " + s.display(s.conn.Database), Err: err,
			Hint: "pg_dump needs the rights that the run has: since PostgreSQL 14, GRANT pg_read_all_data TO " + word(s.account)}
	}
	return err
}

// plain returns an error where pg_dump, through a pooler, would write definitions that sessions of
// ours read otherwise.
func (s *snapshot) plain(ctx context.Context, conn *pgx.Conn) error {
	if !s.pooled {
		return nil
	}
	var odd string
	err := conn.QueryRow(ctx, `SELECT coalesce(pg_catalog.string_agg(name || ' = ' || reset_val, ', '), '') FROM pg_catalog.pg_settings
WHERE (name, reset_val) IN (('standard_conforming_strings', 'off'), ('quote_all_identifiers', 'on'))`).Scan(&odd)
	if err != nil || odd == "" {
		return err
	}
	return &connectors.Error{Kind: connectors.KindUnsupported, Side: s.side, Op: "read the definitions of " + s.display(s.conn.Database),
		Err: errors.New("sessions have " + odd + " there, and through a pooler pg_dump cannot be told otherwise"), Hint: "give the address of the server itself"}
}
