package mysql

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/sanitize-db/sanitize/connectors"
)

const (
	nameLimit = 64 // characters of a name (MySQL's manual, 11.2.1 Identifier Length Limits)
	runLimit  = 16
	building  = "__building_"
	former    = "__former_"
)

// Tables of ours. They are no part of a catalog, and are never copied.
const (
	// markTable says that a database is ours: one row, a mark.
	markTable = "_sanitize"
	// restTable holds what a promotion has to make again, from the seal to the end of the
	// promotion.
	restTable = "_sanitize_rest"
	// ledgerTable holds the receipts of a build, until it is promoted.
	ledgerTable = "_sanitize_ledger"
)

const (
	stateBuilding  = "building"
	stateSealed    = "sealed"
	statePromoting = "promoting" // in a build: its tables are about to move; in a target: they have
	stateReady     = "ready"
)

// mark says whose a database is, and how far it has come.
type mark struct {
	Target      string    `json:"target"`
	Run         string    `json:"run"`
	State       string    `json:"state"`
	Fingerprint string    `json:"fingerprint,omitempty"`
	At          time.Time `json:"at"`
	// Unlogged is set where the server's binary log knows nothing of the database.
	Unlogged bool `json:"unlogged,omitempty"`
}

func (m mark) String() string {
	b, err := json.Marshal(m)
	if err != nil {
		panic("mysql: mark: " + err.Error()) // plain data always encodes
	}
	return string(b)
}

func parseMark(text string) (m mark, ok bool) {
	return m, json.Unmarshal([]byte(text), &m) == nil && m.Target != ""
}

// setMark writes the mark of a database, in place of the one that it has.
func setMark(ctx context.Context, s *session, database string, m mark) error {
	return s.exec(ctx, markSQL(database, m))
}

func markSQL(database string, m mark) string {
	return "REPLACE INTO " + within(database, markTable) + " VALUES (1, " + literal(m.String()) + ")"
}

const createMark = " (one TINYINT PRIMARY KEY, mark LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL) ENGINE = InnoDB"

// readMark returns the mark of a database. A database without one, or with one that the
// account may not read, is not ours.
func readMark(ctx context.Context, s *session, database string) (m mark, ours bool, err error) {
	text, err := s.word(ctx, "SELECT mark FROM "+within(database, markTable)+" WHERE one = 1")
	switch numberOf(err) {
	case 0:
		if err != nil {
			return mark{}, false, err
		}
	case 1146, 1049, 1142, 1143, 1044, 1054, 1356:
		return mark{}, false, nil
	default:
		return mark{}, false, err
	}
	m, ours = parseMark(text)
	return m, ours, nil
}

// stem returns the beginning of the names beside a target: its name, or where that would
// be too long, its beginning and a digest.
func stem(target string) string {
	if utf8.RuneCountInString(target)+len(building)+runLimit <= nameLimit {
		return target
	}
	sum := sha256.Sum256([]byte(target))
	return string([]rune(target)[:nameLimit-len(building)-runLimit-9]) + "_" + hex.EncodeToString(sum[:4])
}

// word returns a name for people: quoted where a reader could take it for something else.
func word(name string) string {
	if name == "" || strings.ContainsAny(name, "`. \t\r\n") {
		return ident(name)
	}
	return name
}

// sink makes and replaces one database.
type sink struct {
	*config
	target string
	server server
	// folds is set where the server takes names that differ in case for one
	// (lower_case_table_names is not 0).
	folds bool

	mu     sync.Mutex
	closed bool
	builds []*build

	// between is called by tests before each step of a promotion. What it returns stops
	// the promotion there, as the end of the process would.
	between func(step string) error
}

func openSink(ctx context.Context, dsn string, opts connectors.Options) (connectors.Sink, error) {
	c, err := newConfig(connectors.SinkSide, dsn, opts)
	if err != nil {
		return nil, err
	}
	if n := utf8.RuneCountInString(c.database); n > nameLimit {
		return nil, &connectors.Error{Kind: connectors.KindUsage, Side: c.side, Op: fmt.Sprintf("open %q", connectors.RedactURL(dsn)),
			Err: fmt.Errorf("the name of the database has %d characters, and a server takes %d", n, nameLimit), Hint: dsnHint}
	}
	s := &sink{config: c, target: c.database}
	conn, err := s.admin(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.close()
	s.server = conn.server
	fold, err := conn.number(ctx, "SELECT @@lower_case_table_names")
	if err != nil {
		return nil, err
	}
	if s.folds = fold != 0; s.folds {
		s.target = strings.ToLower(s.target)
	}
	return s, nil
}

// admin opens a session beside the target, without a database of its own.
func (s *sink) admin(ctx context.Context) (*session, error) { return s.connect(ctx, "") }

func (s *sink) Properties() connectors.Properties { return properties(s.server) }

func (s *sink) Identity(ctx context.Context) (connectors.Identity, error) {
	conn, err := s.admin(ctx)
	if err != nil {
		return connectors.Identity{}, err
	}
	defer conn.close()
	return s.identity(ctx, conn, s.target)
}

// Close ends the sessions of builds that are still open. What they built stays, and the
// next run removes it.
func (s *sink) Close() error {
	s.mu.Lock()
	builds := s.builds
	s.builds, s.closed = nil, true
	s.mu.Unlock()
	for _, b := range builds {
		b.closeSessions()
	}
	return nil
}

// name returns the name of a database beside the target.
func (s *sink) name(infix, run string) string {
	name := stem(s.target) + infix + run
	if s.folds {
		name = strings.ToLower(name)
	}
	return name
}

// Begin takes the target, ends what a killed run has begun to promote, clears what others
// have left, and makes the database with everything that rows need.
func (s *sink) Begin(ctx context.Context, spec connectors.BuildSpec) (connectors.Build, error) {
	b, err := s.begin(ctx, spec, false)
	if lost(err) && ctx.Err() == nil {
		// What had been made is removed, and no row was in it.
		b, err = s.begin(ctx, spec, true)
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

// begin is one try of Begin. again is set of the second, to which the first may still seem
// to hold the target.
func (s *sink) begin(ctx context.Context, spec connectors.BuildSpec, again bool) (_ *build, err error) {
	b, err := s.prepareBuild(ctx, "begin a build of "+s.display(s.target), spec)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			// What failed is the cause; that cleaning up failed too adds nothing
			// a person could act on, and the next run cleans up again.
			b.Abort()
		}
	}()
	if err := b.claim(ctx, again); err != nil {
		return nil, err
	}
	if err := b.fit(ctx); err != nil {
		return nil, err
	}
	if err := s.clear(ctx, b.holder, ""); err != nil {
		return nil, err
	}
	if err := b.create(ctx); err != nil {
		return nil, err
	}
	if err := b.define(ctx); err != nil {
		return nil, err
	}
	b.live()
	return b, nil
}

// prepareBuild returns a build of the spec, if that can be, of which nothing is there yet.
func (s *sink) prepareBuild(ctx context.Context, op string, spec connectors.BuildSpec) (*build, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if spec.Run == "" || len(spec.Run) > runLimit || strings.ContainsFunc(spec.Run, notAlphanumeric) {
		return nil, s.usage(op, fmt.Sprintf("the id of the run must be 1 to %d letters and digits", runLimit))
	}
	if spec.Definitions == nil || spec.Catalog == nil {
		return nil, s.usage(op, "the source's definitions are missing")
	}
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return nil, &connectors.Error{Kind: connectors.KindUnavailable, Side: s.side, Op: op, Err: errors.New("the sink is closed")}
	}
	return s.newBuild(spec)
}

// live begins the pulse of a build, which ends with its sink.
func (b *build) live() {
	b.beating.Add(1)
	go b.pulse()
	b.sink.mu.Lock()
	defer b.sink.mu.Unlock()
	b.sink.builds = append(b.sink.builds, b)
}

func (s *sink) usage(op, cause string) error {
	return &connectors.Error{Kind: connectors.KindUsage, Side: s.side, Op: op, Err: errors.New(cause)}
}

func notAlphanumeric(r rune) bool {
	return !('0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z')
}

// lock is the name of the target's lock, which has at most 64 characters.
func (s *sink) lock() string {
	sum := sha256.Sum256([]byte("sanitize target " + s.target))
	return "sanitize " + hex.EncodeToString(sum[:16])
}

// take takes the lock of the target. It goes with the session: a killed run holds it no
// longer than the server needs to notice.
func (s *sink) take(ctx context.Context, conn *session, seconds int) error {
	got, err := conn.number(ctx, fmt.Sprintf("SELECT GET_LOCK(%s, %d)", literal(s.lock()), seconds))
	if err != nil {
		return err
	}
	if got != 1 {
		return &connectors.Error{Kind: connectors.KindBusy, Side: s.side, Op: "take " + s.display(s.target),
			Err:  errors.New("another run holds it"),
			Hint: fmt.Sprintf("wait until it is done; SELECT IS_USED_LOCK('%s') tells its connection", s.lock())}
	}
	return nil
}

// release gives the target's lock back and closes the session: the server by itself would
// release it a moment after the session has gone.
func (s *sink) release(conn *session) {
	ctx, cancel := context.WithTimeout(context.Background(), poolTimeout)
	defer cancel()
	conn.exec(ctx, "DO RELEASE_LOCK("+literal(s.lock())+")")
	conn.close()
}

// neighbour is a database whose name begins like the target's.
type neighbour struct {
	name string
	mark mark
	ours bool // carries a mark
	free bool // the target, without a mark and with nothing in it, as a hoster gives it
}

// neighbours lists the target, if it exists, and what may have been left beside it.
func (s *sink) neighbours(ctx context.Context, conn *session) (list []neighbour, err error) {
	err = conn.query(ctx, "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA", func(r row) error {
		name := r.text(0)
		seen := name
		if s.folds {
			seen = strings.ToLower(name)
		}
		if seen == s.target {
			list = append(list, neighbour{name: s.target})
		}
		for _, infix := range []string{building, former} {
			run, has := strings.CutPrefix(seen, s.name(infix, ""))
			if has && run != "" && len(run) <= runLimit && !strings.ContainsFunc(run, notAlphanumeric) {
				list = append(list, neighbour{name: seen})
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].mark, list[i].ours, err = readMark(ctx, conn, list[i].name); err != nil {
			return nil, err
		}
		if n := &list[i]; n.name == s.target && !n.ours {
			things, err := s.things(ctx, conn, n.name)
			if err != nil {
				return nil, err
			}
			n.free = things == 0
		}
	}
	slices.SortFunc(list, func(a, b neighbour) int { return strings.Compare(a.name, b.name) })
	return list, nil
}

// find returns the neighbour of that name, or nil.
func find(list []neighbour, name string) *neighbour {
	if i := slices.IndexFunc(list, func(n neighbour) bool { return n.name == name }); i >= 0 {
		return &list[i]
	}
	return nil
}

// guard refuses a target that is somebody's work: one that is not ours, unless nothing is
// in it. It changes nothing.
func (s *sink) guard(list []neighbour) error {
	n := find(list, s.target)
	if n == nil || n.free || n.ours && n.mark.State == stateReady && n.mark.Target == s.target {
		return nil
	}
	cause := "the database exists and does not carry our mark: it may be somebody's work"
	if n.ours && n.mark.Target != s.target {
		cause = "the database exists, and its mark is that of " + word(n.mark.Target) + ": it may be a copy that is somebody's work"
	}
	return &connectors.Error{Kind: connectors.KindGuard, Side: s.side, Op: "replace " + s.display(s.target),
		Err:  errors.New(cause),
		Hint: "name another target, or, if nobody needs it, drop it first: DROP DATABASE " + ident(s.target)}
}

// leftover reports whether a database is what a killed run has left of this target: its
// name has the form that only runs give, and it carries our mark; or nothing is in it but a
// table for a mark, as in one that was killed before it was marked, or whose tables have
// moved to the target.
func (s *sink) leftover(ctx context.Context, conn *session, n neighbour) (bool, error) {
	if n.name == s.target || n.ours {
		return n.name != s.target && n.mark.Target == s.target, nil
	}
	things, err := s.things(ctx, conn, n.name, markTable)
	return things == 0, err
}

// things counts what is in a database, but for the named tables.
func (s *sink) things(ctx context.Context, conn *session, database string, but ...string) (int64, error) {
	except := ""
	for _, t := range but {
		except += " AND TABLE_NAME <> " + literal(t)
	}
	return conn.number(ctx, fmt.Sprintf(`SELECT (SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = %[1]s`+except+`)
		+ (SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = %[1]s) + (SELECT COUNT(*) FROM information_schema.EVENTS WHERE EVENT_SCHEMA = %[1]s)`,
		literal(database)))
}

// clear removes what killed runs have left, but for one that is gone on with.
func (s *sink) clear(ctx context.Context, conn *session, but string) error {
	list, err := s.neighbours(ctx, conn)
	if err != nil {
		return err
	}
	for _, n := range list {
		if n.name == s.target && n.ours {
			// A run may have been killed behind its last step.
			if err := conn.exec(ctx, "DROP TABLE IF EXISTS "+within(s.target, restTable)); err != nil {
				return err
			}
		}
		ok, err := s.leftover(ctx, conn, n)
		if err != nil {
			return err
		}
		if !ok || n.name == but {
			continue
		}
		if err := s.drop(ctx, conn, n.name); err != nil {
			return err
		}
		s.warn("removed what a killed run had left: " + n.name)
	}
	return nil
}

// drop drops a database. Who is in the middle of a statement in it is waited for: a killed
// process's statement may still run at the server, and is ended if the account may.
func (s *sink) drop(ctx context.Context, conn *session, name string) error {
	stop, err := s.terminator(ctx, 0, true, []string{name}, conn)
	if err != nil {
		return err
	}
	err = conn.exec(ctx, "DROP DATABASE IF EXISTS "+ident(name))
	stop()
	return s.about(err, "drop database "+word(name))
}

// about gives an error of ours the operation that it belongs to.
func (s *sink) about(err error, op string) error {
	var e *connectors.Error
	if errors.As(err, &e) {
		e.Op = op
	}
	return err
}

// identity says which server this is, by what it says of itself: one server is the same
// under all its names. MySQL has an id of its own; where data folders are copied with it,
// host, port and folder still differ.
func (c *config) identity(ctx context.Context, conn *session, database string) (connectors.Identity, error) {
	parts := map[string]string{}
	err := conn.query(ctx, "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('server_uuid', 'server_uid', 'hostname', 'port', 'datadir', 'socket', 'lower_case_table_names')", func(r row) error {
		parts[r.text(0)] = r.text(1)
		return nil
	})
	if err != nil {
		return connectors.Identity{}, err
	}
	if parts["lower_case_table_names"] != "0" {
		database = strings.ToLower(database)
	}
	sum := sha256.New()
	for _, p := range []string{"server_uuid", "server_uid", "hostname", "port", "datadir", "socket"} {
		fmt.Fprintf(sum, "%q\n", parts[p])
	}
	return connectors.Identity{Server: "mysql " + hex.EncodeToString(sum.Sum(nil)[:16]), Database: database, Display: c.display(database)}, nil
}
