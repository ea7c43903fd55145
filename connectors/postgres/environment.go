package postgres

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

const (
	// nameLimit is how many bytes of a name PostgreSQL keeps (NAMEDATALEN − 1).
	nameLimit = 63
	runLimit  = 16
	building  = "__building_"
	former    = "__former_"
	// buildLimit is the connection limit with which a build is created. It
	// limits nothing. It is there because CREATE DATABASE sets it in the same
	// instant as the name, while the mark, a comment, comes a moment later: by
	// name and limit a database is known as ours that was killed in between.
	buildLimit = 7215571
)

// mark is the comment on a database that says that it is ours.
type mark struct {
	Target      string    `json:"target"`
	Run         string    `json:"run"`
	State       string    `json:"state"` // building, ready, left
	Fingerprint string    `json:"fingerprint,omitempty"`
	At          time.Time `json:"at"`
	Own         []string  `json:"own,omitempty"` // of a sealed one: see digests
}

const markStart = "sanitize: "

func (m mark) String() string {
	b, err := json.Marshal(m)
	if err != nil {
		panic("postgres: mark: " + err.Error()) // plain data always encodes
	}
	return markStart + string(b)
}

func parseMark(comment string) (m mark, ok bool) {
	text, ok := strings.CutPrefix(comment, markStart)
	return m, ok && json.Unmarshal([]byte(text), &m) == nil && m.Target != ""
}

// stem returns the beginning of the names beside a target: its name, or where
// that would be too long, its beginning and a digest.
func stem(target string) string {
	if len(target)+len(building)+runLimit <= nameLimit {
		return target
	}
	sum := sha256.Sum256([]byte(target))
	n := nameLimit - len(building) - runLimit - 9
	for !utf8.RuneStart(target[n]) {
		n--
	}
	return target[:n] + "_" + hex.EncodeToString(sum[:4])
}

// sink makes and replaces one database.
type sink struct {
	*config
	target      string
	maintenance string // database of the sessions that make and rename others
	major       int
	props       connectors.Properties
	at          connectors.Identity

	mu     sync.Mutex
	builds []*build
}

func openSink(ctx context.Context, dsn string, opts connectors.Options) (connectors.Sink, error) {
	c, err := newConfig(connectors.SinkSide, dsn, opts)
	if err != nil {
		return nil, err
	}
	c.notesFull()
	s := &sink{config: c, target: c.conn.Database}
	if s.target == "" || len(s.target) > nameLimit {
		return nil, &connectors.Error{Kind: connectors.KindUsage, Side: c.side, Op: fmt.Sprintf("open %q", connectors.RedactURL(dsn)),
			Err: fmt.Errorf("it names no database of 1 to %d bytes to build", nameLimit), Hint: "postgres://user@host/NAME"}
	}
	conn, err := s.admin(ctx)
	if err != nil {
		return nil, err
	}
	defer closeConn(conn)
	major, version := serverMajor(conn)
	if err := c.supported(major, version); err != nil {
		return nil, err
	}
	s.major = major
	if s.at, err = c.identity(ctx, conn, s.target); err != nil {
		return nil, err
	}
	s.props = connectors.Properties{Connector: "postgres", Server: "PostgreSQL " + version,
		Formats: []connectors.WireFormat{Binary, Text}, ParallelLoads: true, WholeLoads: true}
	return s, nil
}

// admin opens a session beside the target: on postgres, or where that cannot be entered, on
// template1.
func (s *sink) admin(ctx context.Context) (*pgx.Conn, error) {
	if s.maintenance != "" {
		return s.connect(ctx, s.maintenance)
	}
	var first error
	for _, database := range []string{"postgres", "template1"} {
		conn, err := s.connect(ctx, database)
		if err == nil {
			s.maintenance = database
			return conn, nil
		}
		if first == nil {
			first = err
		}
		// It is not there; the account may not enter it, or not from here; or nobody may. That no more
		// do passes, and a session in template1 keeps others from making databases.
		if !slices.Contains([]string{"3D000", "42501", "28000", "55000"}, stateOf(err)) {
			break
		}
	}
	return nil, first
}

func (s *sink) Properties() connectors.Properties { return s.props }

// Identity says where the target was when the sink was opened.
func (s *sink) Identity(ctx context.Context) (connectors.Identity, error) {
	return s.at, ctx.Err()
}

// Close ends the sessions of builds that are still open. What they built stays,
// and the next run removes it.
func (s *sink) Close() error {
	s.mu.Lock()
	builds := s.builds
	s.builds = nil
	s.mu.Unlock()
	for _, b := range builds {
		b.closeSessions()
	}
	return nil
}

// Begin takes the target, clears what killed runs have left, and makes the
// database with everything that rows need. What a lost connection cuts short is
// begun again: nothing is lost by that but seconds. So is what a version of an
// extension was refused in.
func (s *sink) Begin(ctx context.Context, spec connectors.BuildSpec) (connectors.Build, error) {
	if err := s.checkSpec(spec); err != nil {
		return nil, err
	}
	said, after, turned := spec.Definitions.LeftBehind, backend{}, map[string]bool{}
	var refused *build // in the versions of extensions that come first
	for try := 0; ; {
		b, err := s.newBuild(spec)
		if err != nil {
			return nil, err
		}
		b.taken, b.turned, b.beginning = after, turned, true
		if b.failed = b.begin(ctx); b.failed == nil {
			b.speak()
			s.opened(b)
			return b, nil
		}
		connected := b.admin != nil
		// What failed is the cause; that cleaning up failed too adds nothing
		// a person could act on, and the next run cleans up again.
		b.Abort()
		after = b.taken
		switch {
		case ctx.Err() == nil && connected && try < insistence && connectors.Retryable(b.failed):
			try++
		case ctx.Err() == nil && b.turnVersions(turned):
			refused = cmp.Or(refused, b)
		default:
			if refused != nil && b.refusal != nil {
				b = refused // the other versions are no help
			}
			b.speak()
			return nil, b.failed
		}
		spec.Definitions.LeftBehind = said
	}
}

// warn warns of something, once the build has begun, or failed to: what is begun again would say it
// twice.
func (b *build) warn(said string) {
	b.saying.Lock()
	waits := b.beginning
	if waits {
		b.warnings = append(b.warnings, said)
	}
	b.saying.Unlock()
	if !waits {
		b.sink.warn(said)
	}
}

// speak says what warnings have waited.
func (b *build) speak() {
	b.saying.Lock()
	said := b.warnings
	b.warnings, b.beginning = nil, false
	b.saying.Unlock()
	for _, s := range said {
		b.sink.warn(s)
	}
}

// begin makes a build once.
func (b *build) begin(ctx context.Context) error {
	if err := b.claim(ctx); err != nil {
		return err
	}
	if err := b.lacks("begin a build of "+b.display(b.target), lacking(&b.defs, b.spec.Catalog, b.major)...); err != nil {
		return err
	}
	if err := b.clear(ctx, b.admin, b.name, false); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{b.fit, b.create, b.define, b.rehearse} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// claim opens the session that holds the target, takes its lock, and refuses a target that
// is somebody's work.
func (b *build) claim(ctx context.Context) (err error) {
	if b.admin, err = b.patiently(ctx, b.sink.admin); err != nil {
		return err
	}
	if err := b.takeAfter(ctx, b.admin); err != nil {
		return err
	}
	taken, err := b.backend(ctx, b.admin)
	if err != nil {
		return err
	}
	b.taken = taken
	if err := b.guard(ctx, b.admin); err != nil {
		return err
	}
	return b.foresee(ctx)
}

// checkSpec refuses what cannot be built.
func (s *sink) checkSpec(spec connectors.BuildSpec) error {
	op := "begin a build of " + s.display(s.target)
	usage := func(cause string) error {
		return &connectors.Error{Kind: connectors.KindUsage, Side: s.side, Op: op, Err: errors.New(cause)}
	}
	if spec.Run == "" || len(spec.Run) > runLimit || strings.ContainsFunc(spec.Run, notAlphanumeric) {
		return usage(fmt.Sprintf("the id of the run must be 1 to %d letters and digits", runLimit))
	}
	if spec.Definitions == nil || spec.Catalog == nil {
		return usage("the source's definitions are missing")
	}
	if spec.Definitions.Connector != "postgres" {
		return &connectors.Error{Kind: connectors.KindUnsupported, Side: s.side, Op: op,
			Err:  fmt.Errorf("definitions of %s cannot become those of PostgreSQL", word(spec.Definitions.Connector)),
			Hint: "source and target must be databases of the same kind"}
	}
	return nil
}

// newBuild returns a build of the spec, of which nothing is there yet.
func (s *sink) newBuild(spec connectors.BuildSpec) (*build, error) {
	b := &build{sink: s, spec: spec, name: stem(s.target) + building + spec.Run, routed: map[string]bool{}, done: map[string]bool{},
		ours: map[uint32]bool{}, refused: map[string]bool{}, indexed: map[catalog.TableID]bool{}, analyzed: map[catalog.TableID]bool{}, refreshed: map[catalog.TableID]bool{}, unfilled: map[catalog.TableID]bool{}}
	b.life, b.die = context.WithCancel(context.Background())
	if err := decodeJSON(spec.Definitions.Data, &b.defs); err != nil {
		return nil, &connectors.Error{Kind: connectors.KindUsage, Side: s.side, Op: "begin a build of " + s.display(s.target), Err: errors.New("the source's definitions cannot be read")}
	}
	b.behind = sync.OnceValue(b.readBehind)
	b.ledger = "sanitize_" + strings.ToLower(spec.Run)
	for hasSchema(spec, b.ledger) {
		b.ledger += "_"
	}
	workers := spec.Workers
	if workers <= 0 {
		workers = s.workers
	}
	b.slots = make(chan *session, workers)
	for range workers {
		b.slots <- nil
	}
	return b, nil
}

// opened notes a build that is being worked on.
func (s *sink) opened(b *build) {
	b.beating.Add(2)
	go b.pulse()
	go b.watchStrangers()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.builds = append(s.builds, b)
}

func notAlphanumeric(r rune) bool {
	return !('0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z')
}

func hasSchema(spec connectors.BuildSpec, name string) bool {
	for _, t := range spec.Catalog.Tables {
		if t.ID.Schema == name {
			return true
		}
	}
	return slices.ContainsFunc(spec.Catalog.Objects, func(o catalog.Object) bool { return o.Kind == "schema" && o.Name == name })
}

// take takes the advisory lock of the target. It goes with the session: a killed
// run holds it no longer than the server needs to notice. Such a lock is one of the session's
// database, and not every account may enter the same: so whoever has it looks whether another
// has it elsewhere.
func (s *sink) take(ctx context.Context, conn *pgx.Conn) error {
	sum := sha256.Sum256([]byte("sanitize target " + s.target))
	key := binary.BigEndian.Uint64(sum[:])
	op := "take " + s.display(s.target)
	busy := &connectors.Error{Kind: connectors.KindBusy, Side: s.side, Op: op,
		Err:  errors.New("another run holds it"),
		Hint: "wait until it is done; its session shows in pg_stat_activity as application_name sanitize"}
	for try := 1; ; try++ {
		var got, elsewhere bool
		err := conn.QueryRow(ctx, fmt.Sprintf("SELECT pg_catalog.pg_try_advisory_lock(%d)", int64(key))).Scan(&got)
		if err == nil && got {
			err = conn.QueryRow(ctx, fmt.Sprintf(`SELECT EXISTS (SELECT FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND objsubid = 1
				AND classid = %d::pg_catalog.oid AND objid = %d::pg_catalog.oid AND granted AND pid <> pg_catalog.pg_backend_pid())`, key>>32, uint32(key))).Scan(&elsewhere)
		}
		switch {
		case err != nil:
			return failDefinition(ctx, s.side, op, err)
		case !got:
			return busy
		case !elsewhere:
			return nil
		}
		// Who came at the same moment has seen ours: both let go, and one is first the next time.
		if _, err := conn.Exec(ctx, fmt.Sprintf("SELECT pg_catalog.pg_advisory_unlock(%d)", int64(key))); err != nil || try == elsewhereTries {
			return errors.Join(busy, failDefinition(ctx, s.side, op, err))
		}
		select {
		case <-time.After(time.Duration(50+rand.IntN(200)) * time.Millisecond):
		case <-ctx.Done():
			return failDefinition(ctx, s.side, op, ctx.Err())
		}
	}
}

// elsewhereTries is how often the target's lock is taken where another has it in another database.
const elsewhereTries = 3

// giveBack gives the target's lock back and closes the session: the server by itself would
// release it a moment after the session has gone.
func (s *sink) giveBack(conn *pgx.Conn) {
	if conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), poolTimeout)
	defer cancel()
	conn.Exec(ctx, "SELECT pg_catalog.pg_advisory_unlock_all()")
	closeConn(conn)
}

// neighbour is a database whose name begins like the target's.
type neighbour struct {
	name  string
	mark  mark
	ours  bool // carries a mark
	limit int32
	owner string
	own   bool // this account is the owner, a member of it, or a superuser
}

func (s *sink) neighbours(ctx context.Context, conn *pgx.Conn) ([]neighbour, error) {
	var list []neighbour
	st := stem(s.target)
	err := each(ctx, conn, "databases", []any{[]string{s.target, st + building, st + former}}, func(row pgx.CollectableRow) error {
		var n neighbour
		var comment string
		if err := row.Scan(&n.name, &comment, &n.limit, &n.owner, &n.own); err != nil {
			return err
		}
		n.mark, n.ours = parseMark(comment)
		list = append(list, n)
		return nil
	})
	return list, failDefinition(ctx, s.side, "look for "+s.display(s.target), err)
}

// guard refuses a target that is somebody's work. It changes nothing.
func (s *sink) guard(ctx context.Context, conn *pgx.Conn) error {
	list, err := s.neighbours(ctx, conn)
	if err != nil {
		return err
	}
	return s.guardAmong(list)
}

func (s *sink) guardAmong(list []neighbour) error {
	for _, n := range list {
		if n.name == s.target && !(n.ours && n.mark.State == stateReady) {
			return &connectors.Error{Kind: connectors.KindGuard, Side: s.side, Op: "replace " + s.display(s.target),
				Err:  errors.New("the database exists and does not carry our mark: it may be somebody's work"),
				Hint: "name another target, or, if nobody needs it, drop it first: DROP DATABASE " + word(s.target)}
		}
		if n.name == s.target && !n.own {
			// The promotion would be refused, when all the work is done.
			return &connectors.Error{Kind: connectors.KindGuard, Side: s.side, Op: "replace " + s.display(s.target),
				Err:  fmt.Errorf("it belongs to %s, and %s may not replace it", word(n.owner), word(s.account)),
				Hint: "run as " + word(n.owner) + ", or let its owner do: ALTER DATABASE " + word(s.target) + " OWNER TO " + word(s.account)}
		}
	}
	return nil
}

const (
	stateBuilding = "building"
	stateReady    = "ready"
	stateLeft     = "left" // a build that a later run could not drop, and that nobody goes on with
)

// leftover reports whether a database is what a killed run has left of this
// target: its name has the form that only runs give, and it carries our mark, or
// was created by us and killed before it could.
func (s *sink) leftover(n neighbour) (isFormer, ok bool) {
	for _, infix := range []string{building, former} {
		run, has := strings.CutPrefix(n.name, stem(s.target)+infix)
		if !has || run == "" || len(run) > runLimit || strings.ContainsFunc(run, notAlphanumeric) {
			continue
		}
		if n.ours && n.mark.Target == s.target || infix == building && !n.ours && n.limit == buildLimit {
			return infix == former, true
		}
	}
	return false, false
}

// clear removes what killed runs have left. Promotion renames two databases in
// one transaction, so there is always a whole copy under the target's name; if
// it is missing all the same, a former copy gets its name back. What cannot be dropped is in nobody's
// way, but for the build that is our own, which stays if it is gone on with.
func (s *sink) clear(ctx context.Context, conn *pgx.Conn, own string, keep bool) error {
	list, err := s.neighbours(ctx, conn)
	if err != nil {
		return err
	}
	exists := slices.ContainsFunc(list, func(n neighbour) bool { return n.name == s.target })
	for _, n := range list {
		isFormer, ok := s.leftover(n)
		switch {
		case !ok, keep && n.name == own:
		case isFormer && !exists && n.mark.State == stateReady:
			if _, err := conn.Exec(ctx, "ALTER DATABASE "+ident(n.name)+" RENAME TO "+ident(s.target)); err != nil {
				return failDefinition(ctx, s.side, "give the former copy its name back: "+word(n.name), err)
			}
			exists = true
			s.warn(fmt.Sprintf("%s was missing; its former copy has its name back", s.target))
		default:
			if !isFormer {
				s.relieve(ctx, n.name) // perhaps it was left since the disk is full
			}
			err := s.drop(ctx, conn, n.name)
			switch {
			case err == nil:
			case n.name == own || ctx.Err() != nil || conn.IsClosed():
				return err
			case isFormer:
				s.warn(fmt.Sprintf("the former copy %s is still there: %v", n.name, err))
				continue
			default:
				s.warn(fmt.Sprintf("what a killed run had left, %s, is still there: %v", n.name, err))
				if err := s.forsake(ctx, conn, n); err != nil {
					return err
				}
				continue
			}
			s.warn("removed what a killed run had left: " + n.name)
		}
	}
	return nil
}

// forsake says of what a killed run has left, and cannot be dropped, that nobody goes on with it, and lets
// nobody else in. What of it is refused changes nothing for this run.
func (s *sink) forsake(ctx context.Context, conn *pgx.Conn, n neighbour) error {
	sql := "REVOKE ALL ON DATABASE " + ident(n.name) + " FROM PUBLIC"
	if n.ours {
		n.mark.State = stateLeft
		sql += "; " + markSQL(n.name, n.mark)
	}
	if err := durably(ctx, conn, sql); err != nil && (ctx.Err() != nil || conn.IsClosed()) {
		return failDefinition(ctx, s.side, "leave "+word(n.name)+" alone", err)
	}
	return nil
}

// drop drops a database, and ends the sessions in it.
func (s *sink) drop(ctx context.Context, conn *pgx.Conn, name string) error {
	op := "drop database " + word(name)
	sql := "DROP DATABASE IF EXISTS " + ident(name)
	if dropsByForce.in(s.major) {
		sql += " WITH (FORCE)"
	} else if _, err := s.terminate(ctx, conn, name, nil, false); err != nil {
		return failDefinition(ctx, s.side, op, err)
	}
	_, err := conn.Exec(ctx, sql)
	if stateOf(err) == "42501" && dropsByForce.in(s.major) {
		// By force is refused for one session that is not ours to end, a worker of autovacuum among
		// them, which makes way by itself.
		if _, err = s.terminate(ctx, conn, name, nil, false); err == nil {
			_, err = conn.Exec(ctx, "DROP DATABASE IF EXISTS "+ident(name))
		}
	}
	if stateOf(err) == "42809" { // somebody has made a template of it
		if _, err = conn.Exec(ctx, "ALTER DATABASE "+ident(name)+" IS_TEMPLATE false"); err == nil {
			_, err = conn.Exec(ctx, sql)
		}
	}
	return failDefinition(ctx, s.side, op, err)
}

// Abort removes the build, unless it has been promoted, and gives the target free.
func (b *build) Abort() error {
	b.mu.Lock()
	if b.state == aborted || b.state == closedState {
		b.mu.Unlock()
		return nil
	}
	was := b.state
	b.state = aborted
	b.mu.Unlock()
	defer b.closeSessions()
	if was == promoted || was == fresh {
		return nil
	}
	b.stopPulse()
	b.closePool()
	ctx, cancel := context.WithTimeout(context.Background(), cleanupTimeout)
	defer cancel()
	err := b.withAdmin(ctx, func(admin *pgx.Conn) error {
		if b.full.Load() {
			b.relieve(ctx, b.name)
		}
		return b.drop(ctx, admin, b.name)
	})
	if kind, _ := connectors.KindOf(err); kind == connectors.KindBusy {
		return nil // another run has the target, and with it what was built
	}
	return err
}
