package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
)

// socketsVariable is the environment variable that gives the holders of a test a place for
// their sockets, which others may not clean.
const socketsVariable = "TEST_HOLDER_SOCKETS"

func TestMain(m *testing.M) {
	if dir := os.Getenv(socketsVariable); dir != "" {
		holderBase = dir
	}
	testscript.Main(m, map[string]func(){"sanitize": main})
}

// The account of the scripts, and the password that must never be seen.
const (
	scriptAccount  = "script_reader"
	scriptPassword = "hunter2-never-shown"
)

// TestScripts runs the situations of testdata/script. Each is a story about the
// command line; those that fail assert that nothing was left behind.
//
// Beside what testscript knows, a script has
//
//	sqlite FILE SQL      runs SQL on an SQLite file and prints the rows
//	sql DSN SQL          runs SQL on PostgreSQL and prints the rows
//	mysql DSN SQL        runs SQL on MySQL or MariaDB and prints the rows
//	code N PROGRAM ARGS  runs a program that must end with that exit code
//	hold SOURCE TARGET   takes the target as a run does, until release or the end
//	mode MODE FILE       checks a file's mode
//	glob PATTERN N       checks how many files match
//
// where SQL may be @FILE,
//
// and the variables SOURCE (an empty database on one server), TARGET (one that
// does not exist, on another), SOURCES and TARGETS (the servers), ACCOUNT (SOURCE
// for an account without rights, with the password that must never be seen) and
// WRONG (the same with another password). MYSQL_SOURCE, MYSQL_TARGET and MYSQL_WRONG are the like
// on a server of MySQL's family, MYSQL_SERVER, and MYSQL_WORK is a database without our mark.
func TestScripts(t *testing.T) {
	a, b := connectortest.PostgresPair(t)
	m := connectortest.MySQL(t)
	a.Exec(t, a.DSN("postgres"), fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s'", scriptAccount, scriptPassword))
	t.Cleanup(func() {
		a.Exec(t, a.DSN("postgres"), "DROP ROLE IF EXISTS "+scriptAccount)
	})
	held := &holds{builds: map[*testscript.TestScript]func(){}}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("SOON", time.Now().AddDate(0, 0, 90).Format(time.DateOnly)) // as a waiver may expire
			source := a.Database(t)
			target := b.Name(t)
			env.Setenv("SOURCE", source)
			env.Setenv("TARGET", b.DSN(target))
			env.Setenv("TARGET_NAME", target)
			env.Setenv("TARGETS", b.DSN("postgres"))
			database := strings.SplitN(filepath.Base(source), "?", 2)[0]
			env.Setenv("SOURCE_NAME", database)
			env.Setenv("ACCOUNT", a.DSNAs(database, scriptAccount, scriptPassword))
			env.Setenv("WRONG", a.DSNAs(database, scriptAccount, "not-"+scriptPassword))
			env.Setenv("SOURCES", a.DSN("postgres"))
			if strings.Contains(env.WorkDir, "mysql") {
				source, target := m.Database(t), m.Name(t)
				env.Setenv("MYSQL_SERVER", m.DSN(""))
				env.Setenv("MYSQL_SOURCE", m.DSN(source))
				env.Setenv("MYSQL_TARGET", m.DSN(target))
				env.Setenv("MYSQL_TARGET_NAME", target)
				env.Setenv("MYSQL_WORK", m.DSN(m.Database(t)))
				env.Setenv("MYSQL_WRONG", m.DSNAs(source, "root", "not-"+scriptPassword))
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"sqlite":  scriptSQLite,
			"sql":     scriptPostgres,
			"mysql":   scriptMySQL,
			"code":    scriptCode,
			"hold":    held.hold,
			"release": held.release,
			"mode":    scriptMode,
			"glob":    scriptGlob,
		},
	})
}

// scriptSQLite is the command sqlite.
func scriptSQLite(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: sqlite FILE SQL")
	}
	db, err := sql.Open("sqlite", "file:"+ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	query := statement(ts, args[1])
	if word := strings.ToUpper(strings.Fields(query)[0]); word != "SELECT" && word != "PRAGMA" {
		_, err = db.Exec(query)
		expect(ts, neg, err)
		return
	}
	rows, err := db.Query(query)
	if err == nil {
		err = printRows(ts, rows)
	}
	expect(ts, neg, err)
}

// statement returns SQL, from a file if it begins with @.
func statement(ts *testscript.TestScript, arg string) string {
	if file, ok := strings.CutPrefix(arg, "@"); ok {
		return ts.ReadFile(file)
	}
	return arg
}

func printRows(ts *testscript.TestScript, rows *sql.Rows) error {
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	for rows.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		var words []string
		for _, v := range row {
			words = append(words, wordOf(v))
		}
		fmt.Fprintln(ts.Stdout(), strings.Join(words, "|"))
	}
	return rows.Err()
}

func wordOf(v any) string {
	if s, ok := textOf(v); ok {
		return s
	}
	return "NULL"
}

// scriptPostgres is the command sql. Several statements are one transaction.
func scriptPostgres(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: sql DSN SQL")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, args[0])
	if err != nil {
		expect(ts, neg, err)
		return
	}
	defer conn.Close(ctx)
	results, err := conn.PgConn().Exec(ctx, statement(ts, args[1])).ReadAll()
	for _, r := range results {
		for _, row := range r.Rows {
			var words []string
			for _, v := range row {
				if v == nil {
					words = append(words, "NULL")
				} else {
					words = append(words, string(v))
				}
			}
			fmt.Fprintln(ts.Stdout(), strings.Join(words, "|"))
		}
	}
	expect(ts, neg, err)
}

// scriptMySQL is the command mysql.
func scriptMySQL(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: mysql DSN SQL")
	}
	u, err := url.Parse(args[0])
	ts.Check(err)
	c := mysql.NewConfig()
	c.User, c.Net, c.Addr, c.DBName, c.MultiStatements = u.User.Username(), "tcp", u.Host, strings.TrimPrefix(u.Path, "/"), true
	c.Passwd, _ = u.User.Password()
	connector, err := mysql.NewConnector(c)
	ts.Check(err)
	db := sql.OpenDB(connector)
	defer db.Close()
	query := statement(ts, args[1])
	if word := strings.ToUpper(strings.Fields(query)[0]); word != "SELECT" {
		_, err = db.Exec(query)
		expect(ts, neg, err)
		return
	}
	rows, err := db.Query(query)
	if err == nil {
		err = printRows(ts, rows)
	}
	expect(ts, neg, err)
}

func expect(ts *testscript.TestScript, neg bool, err error) {
	switch {
	case err == nil && neg:
		ts.Fatalf("it succeeded, and should have failed")
	case err != nil && !neg:
		ts.Fatalf("%v", err)
	case err != nil:
		fmt.Fprintln(ts.Stderr(), err)
	}
}

// scriptCode is the command code: it runs a program that must end with that exit
// code, which its help lists, says an error of one paragraph on standard error alone, and
// never the password.
func scriptCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N PROGRAM [ARGS]")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		code = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if want := args[0]; fmt.Sprint(code) != want {
		ts.Fatalf("exit code %d, want %s", code, want)
	}
	if args[1] == "sanitize" {
		ts.Check(unlisted(args[2:], code))
	}
	for _, stream := range []string{"stdout", "stderr"} {
		if strings.Contains(ts.ReadFile(stream), scriptPassword) {
			ts.Fatalf("the password is on %s", stream)
		}
	}
}

// holds are the targets that scripts hold.
type holds struct {
	mu     sync.Mutex
	builds map[*testscript.TestScript]func()
}

// hold is the command hold: it begins a build of an empty catalog, through the
// same connectors as a run, so that it knows nothing of how they hold a target.
func (h *holds) hold(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: hold SOURCE TARGET")
	}
	for i, dsn := range args {
		if file, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
			args[i] = "sqlite:" + ts.MkAbs(file)
		}
	}
	ctx := context.Background()
	source, err := openSource(ctx, args[0], connectors.Options{})
	ts.Check(err)
	defer source.Close()
	snapshot, err := source.Open(ctx)
	ts.Check(err)
	defer snapshot.Close()
	definitions, err := snapshot.Definitions(ctx)
	ts.Check(err)
	sink, err := openSink(ctx, args[1], connectors.Options{})
	ts.Check(err)
	build, err := sink.Begin(ctx, connectors.BuildSpec{Run: "held", Catalog: snapshot.Catalog(), Definitions: definitions, Workers: 1})
	ts.Check(err)
	release := sync.OnceFunc(func() {
		ts.Check(build.Abort())
		ts.Check(sink.Close())
	})
	ts.Defer(release)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.builds[ts] = release
}

// release is the command release.
func (h *holds) release(ts *testscript.TestScript, _ bool, _ []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.builds[ts] == nil {
		ts.Fatalf("nothing is held")
	}
	h.builds[ts]()
	delete(h.builds, ts)
}

// scriptMode is the command mode.
func scriptMode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode MODE FILE")
	}
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("the mode of %s is %s", args[1], got)
	}
}

// scriptGlob is the command glob.
func scriptGlob(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: glob PATTERN N")
	}
	names, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if fmt.Sprint(len(names)) != args[1] {
		ts.Fatalf("there are %d: %v", len(names), names)
	}
}

// repository returns the folder of the repository.
func repository(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		t.Fatal(err)
	}
	return dir
}
