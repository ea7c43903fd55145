package postgres

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgservicefile"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sanitize-db/sanitize/connectors"
)

// What a connection string may say is libpq's to tell (manual of PostgreSQL 18, section 34.1.2): people
// have one string for all their programs. The driver knows most of it, and takes the rest
// for settings of the server.

// keywords are those of libpq, with the environment variable that says the same.
var keywords = map[string]string{
	"host": "PGHOST", "hostaddr": "PGHOSTADDR", "port": "PGPORT", "dbname": "PGDATABASE", "user": "PGUSER", "password": "PGPASSWORD",
	"passfile": "PGPASSFILE", "service": "PGSERVICE", "servicefile": "PGSERVICEFILE", "options": "PGOPTIONS", "application_name": "PGAPPNAME",
	"sslmode": "PGSSLMODE", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY", "sslrootcert": "PGSSLROOTCERT", "sslcrl": "PGSSLCRL",
	"sslsni": "PGSSLSNI", "sslnegotiation": "PGSSLNEGOTIATION", "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION",
	"ssl_max_protocol_version": "PGSSLMAXPROTOCOLVERSION", "gssencmode": "PGGSSENCMODE", "krbsrvname": "PGKRBSRVNAME",
	"connect_timeout": "PGCONNECT_TIMEOUT", "client_encoding": "PGCLIENTENCODING", "target_session_attrs": "PGTARGETSESSIONATTRS",
	"channel_binding": "PGCHANNELBINDING", "sslpassword": "", "sslcrldir": "PGSSLCRLDIR", "sslcompression": "PGSSLCOMPRESSION", "sslcertmode": "PGSSLCERTMODE",
	"requirepeer": "PGREQUIREPEER", "require_auth": "PGREQUIREAUTH", "gsslib": "PGGSSLIB", "gssdelegation": "PGGSSDELEGATION",
	"min_protocol_version": "PGMINPROTOCOLVERSION", "max_protocol_version": "PGMAXPROTOCOLVERSION", "load_balance_hosts": "PGLOADBALANCEHOSTS",
}

func accepts(dsn string) bool {
	if scheme, _, ok := strings.Cut(dsn, "://"); ok {
		return scheme == "postgres" || scheme == "postgresql"
	}
	values, err := parseKeywords(dsn)
	if err != nil || len(values) == 0 {
		return false
	}
	for k := range values {
		if _, ok := keywords[k]; ok {
			return true
		}
	}
	return false
}

// parseKeywords reads a connection string into keywords and values, by libpq's rules.
func parseKeywords(dsn string) (map[string]string, error) {
	malformed := errors.New("postgres: connection string is malformed")
	values := map[string]string{}
	if strings.Contains(dsn, "://") {
		_, query, _ := strings.Cut(dsn, "?")
		for pair := range strings.SplitSeq(query, "&") { // in which a + is one, and no blank
			k, v, _ := strings.Cut(pair, "=")
			k, err := url.PathUnescape(k)
			if err == nil {
				v, err = url.PathUnescape(v)
			}
			if err != nil {
				return nil, malformed
			}
			if k != "" {
				values[k] = v
			}
		}
		return values, nil
	}
	rest := strings.TrimLeft(dsn, " \t\r\n")
	for rest != "" {
		key, after, ok := strings.Cut(rest, "=")
		if key = strings.TrimSpace(key); !ok || key == "" || strings.ContainsAny(key, " '\\/") {
			return nil, malformed
		}
		after = strings.TrimLeft(after, " \t\r\n")
		quoted := strings.HasPrefix(after, "'")
		if quoted {
			after = after[1:]
		}
		var value strings.Builder
		i, closed := 0, !quoted
		for ; i < len(after); i++ {
			ch := after[i]
			if ch == '\\' && i+1 < len(after) {
				i++
				value.WriteByte(after[i])
				continue
			}
			if quoted && ch == '\'' {
				closed = true
				i++
				break
			}
			if !quoted && strings.IndexByte(" \t\r\n", ch) >= 0 {
				break
			}
			value.WriteByte(ch)
		}
		if !closed {
			return nil, malformed
		}
		values[key] = value.String()
		rest = strings.TrimLeft(after[i:], " \t\r\n")
	}
	return values, nil
}

// given is what a connection string, its service and the environment say together.
type given struct {
	dsn     string            // as the driver can read it
	strings map[string]string // of the connection string alone
	service map[string]string // of the service alone
	hosts   []string          // with addrs: host by host
	addrs   []string          // where they are, whatever names say; none where nobody says
}

// readGiven reads a connection string, and what it names.
func readGiven(dsn string) (g given, err error) {
	g.dsn = dsn
	if g.strings, err = parseKeywords(dsn); err != nil {
		return g, err
	}
	if file := systemServices(g.strings); file != "" {
		g.dsn, g.strings["servicefile"] = with(g.dsn, "servicefile", file), file
	}
	if g.service, err = service(g.strings); err != nil {
		return g, err
	}
	host := g.strings["host"]
	if host == "" {
		host = hostsOf(dsn)
	}
	if host == "" {
		host = g.service["host"]
	}
	addr := g.said("hostaddr")
	if host == "" {
		// Whoever names a host means that one: a variable would lead source and target to one server.
		addr, host = g.say("hostaddr"), os.Getenv("PGHOST")
	}
	if addr == "" {
		return g, nil
	}
	if host == "" {
		g.dsn, host = with(g.dsn, "host", addr), addr
	}
	g.hosts, g.addrs = strings.Split(host, ","), strings.Split(addr, ",")
	return g, nil
}

// said returns what the string says for a keyword, or its service.
func (g given) said(keyword string) string {
	if v, said := g.strings[keyword]; said {
		return v
	}
	return g.service[keyword]
}

// say returns what is said for a keyword: first by the string, then by its service, then by the environment.
func (g given) say(keyword string) string {
	if v := g.said(keyword); v != "" {
		return v
	}
	return os.Getenv(keywords[keyword])
}

// hostsOf returns the hosts of a URL without their ports; it may list several, which is more than URLs can.
func hostsOf(dsn string) string {
	_, rest, isURL := strings.Cut(dsn, "://")
	if !isURL {
		return ""
	}
	list, _, _ := strings.Cut(rest, "?")
	list, _, _ = strings.Cut(list, "/")
	hosts := strings.Split(list[strings.LastIndex(list, "@")+1:], ",")
	for i, h := range hosts {
		if name, _, err := net.SplitHostPort(h); err == nil {
			h = name
		}
		hosts[i] = strings.Trim(h, "[]")
	}
	return strings.Join(hosts, ",")
}

// with adds a keyword to a connection string.
func with(dsn, keyword, value string) string {
	if strings.Contains(dsn, "://") {
		sep := "?"
		if strings.Contains(dsn, "?") {
			sep = "&"
		}
		return dsn + sep + keyword + "=" + strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
	}
	return dsn + " " + keyword + "='" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value) + "'"
}

// systemServices returns the system's file of services if the service is looked for there: libpq does
// where the account's own file does not have it, and the driver does not.
func systemServices(values map[string]string) string {
	name, dir := values["service"], os.Getenv("PGSYSCONFDIR")
	if name == "" {
		name = os.Getenv("PGSERVICE")
	}
	if name == "" || dir == "" || values["servicefile"] != "" || os.Getenv("PGSERVICEFILE") != "" {
		return ""
	}
	if _, err := service(values); err == nil {
		return ""
	}
	file := filepath.Join(dir, "pg_service.conf")
	if services, err := pgservicefile.ReadServicefile(file); err == nil {
		if _, err := services.GetService(name); err == nil {
			return file
		}
	}
	return ""
}

// unreadable is the error of a connection string that the driver does not read. The parser's own may
// quote pieces of the password, and where that stands in a malformed string nobody can tell.
func (g given) unreadable(side connectors.Side) error {
	e := &connectors.Error{
		Kind: connectors.KindUsage, Side: side, Op: "read the connection string",
		Err:  errors.New("PostgreSQL does not understand it, or its service or certificate file cannot be read"),
		Hint: "write it as postgres://user@host:5432/database, service=NAME, or host=… dbname=…",
	}
	if key, err := os.ReadFile(g.say("sslkey")); err == nil && strings.Contains(string(key), "BEGIN ENCRYPTED PRIVATE KEY") {
		e.Err = errors.New("the client's key (sslkey) is encrypted in the form PKCS #8, which is not read here")
		e.Hint = "write it in the other form, encrypted as well: openssl rsa -aes256 -traditional -in KEY -out NEW"
	}
	return e
}

// unheeded are keywords that change nothing here: what they ask for is not there (compression), is asked
// for otherwise (the encoding, by each session), or is the program's own business.
var unheeded = []string{"hostaddr", "sslcompression", "client_encoding", "fallback_application_name", "load_balance_hosts", "gsslib", "gssdelegation",
	"tcp_user_timeout", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "ssl_min_protocol_version", "ssl_max_protocol_version", "gssencmode"}

// guarding are keywords that ask for a guard which is not to be had here: to pass over them would be to
// promise what is not kept.
var guarding = map[string]string{
	"requirepeer": "whom the server's process belongs to cannot be asked here; connect by TLS with sslmode=verify-full",
	"sslcrl":      "certificates that have been revoked cannot be told here; take it out, and give sslrootcert alone what may be trusted",
	"sslcrldir":   "certificates that have been revoked cannot be told here; take it out, and give sslrootcert alone what may be trusted",
	"replication": "it begins a session that replicates; take it out",
}

// fit heeds what the driver does not know of libpq's keywords, and refuses what it cannot heed.
func (g given) fit(side connectors.Side, parsed *pgx.ConnConfig) error {
	refuse := func(keyword, hint string) error {
		if name := keywords[keyword]; g.said(keyword) == "" && os.Getenv(name) != "" {
			keyword = name // it is the environment that says so
		}
		return &connectors.Error{Kind: connectors.KindUsage, Side: side, Op: "read the connection string", Err: errors.New(keyword + " cannot be heeded"), Hint: hint}
	}
	ways := append([]*pgconn.FallbackConfig{{Host: parsed.Host, TLSConfig: parsed.TLSConfig}}, parsed.Fallbacks...)
	socket := slices.ContainsFunc(ways, func(w *pgconn.FallbackConfig) bool { return isSocket(w.Host) })
	encrypted := slices.ContainsFunc(ways, func(w *pgconn.FallbackConfig) bool { return w.TLSConfig != nil })
	for keyword, guards := range map[string]bool{"requirepeer": socket, "sslcrl": encrypted, "sslcrldir": encrypted, "replication": true} {
		v := g.say(keyword)
		if guards && v != "" && !(keyword == "replication" && slices.Contains([]string{"false", "off", "no", "0"}, v)) {
			return refuse(keyword, guarding[keyword])
		}
		delete(parsed.RuntimeParams, keyword)
	}
	if g.say("gssencmode") == "require" {
		return refuse("gssencmode", "sessions are not encrypted by GSSAPI here; use sslmode=verify-full and gssencmode=disable")
	}
	if len(g.addrs) > 0 && len(g.addrs) != len(g.hosts) {
		return refuse("hostaddr", fmt.Sprintf("there are %d addresses for %d hosts: give one for each", len(g.addrs), len(g.hosts)))
	}
	if name := g.say("fallback_application_name"); name != "" && parsed.RuntimeParams["application_name"] == "" {
		parsed.RuntimeParams["application_name"] = name
	}
	for keyword, set := range map[string]func(*tls.Config, uint16){
		"ssl_min_protocol_version": func(c *tls.Config, v uint16) { c.MinVersion = v },
		"ssl_max_protocol_version": func(c *tls.Config, v uint16) { c.MaxVersion = v },
	} {
		said := g.say(keyword)
		version, known := tlsVersions[strings.ToLower(said)]
		if said != "" && !known {
			return refuse(keyword, "it is TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3")
		}
		for _, w := range ways {
			if known && w.TLSConfig != nil {
				set(w.TLSConfig, version)
			}
		}
	}
	if err := g.keepAlive(parsed); err != nil {
		return refuse("keepalives", "they are whole numbers: seconds, and how many")
	}
	for _, keyword := range unheeded {
		delete(parsed.RuntimeParams, keyword)
	}
	return nil
}

var tlsVersions = map[string]uint16{"tlsv1": tls.VersionTLS10, "tlsv1.1": tls.VersionTLS11, "tlsv1.2": tls.VersionTLS12, "tlsv1.3": tls.VersionTLS13}

// keepAlive gives connections the probes that are asked for, in place of the driver's every five minutes.
func (g given) keepAlive(parsed *pgx.ConnConfig) error {
	config, asked := net.KeepAliveConfig{Enable: true, Idle: -1, Interval: -1, Count: -1}, false
	for keyword, set := range map[string]func(int){
		"keepalives":          func(n int) { config.Enable = n != 0 },
		"keepalives_idle":     func(n int) { config.Idle = time.Duration(n) * time.Second },
		"keepalives_interval": func(n int) { config.Interval = time.Duration(n) * time.Second },
		"keepalives_count":    func(n int) { config.Count = n },
	} {
		said := g.say(keyword)
		if said == "" {
			continue
		}
		n, err := strconv.Atoi(said)
		if err != nil {
			return err
		}
		asked = true
		if n > 0 || keyword == "keepalives" { // 0 is the system's own
			set(n)
		}
	}
	if !asked {
		return nil
	}
	dial := parsed.DialFunc
	parsed.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if tcp, ok := conn.(*net.TCPConn); ok && err == nil {
			err = tcp.SetKeepAliveConfig(config)
		}
		return conn, err
	}
	return nil
}

// look returns the look-up of names by which a host is where hostaddr has it.
func (g given) look(look pgconn.LookupFunc) pgconn.LookupFunc {
	if len(g.addrs) == 0 {
		return look
	}
	return func(ctx context.Context, host string) ([]string, error) {
		var at []string
		for i, h := range g.hosts {
			if h == host && g.addrs[i] != "" {
				at = append(at, g.addrs[i])
			}
		}
		if len(at) > 0 {
			return at, nil
		}
		return look(ctx, host)
	}
}
