package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// condition is a server's error in words that hold no value.
type condition struct {
	state string
	text  string
}

// Error returns the words and the SQLSTATE.
func (c *condition) Error() string { return c.text + " (SQLSTATE " + c.state + ")" }

// conditions names the SQLSTATEs that a run may meet; see PostgreSQL's appendix
// "Error Codes". Others are named by their class.
var conditions = map[string]string{
	"08000": "connection exception", "08003": "connection does not exist", "08006": "connection failure", "08P01": "protocol violation",
	"0A000": "feature not supported",
	"21000": "cardinality violation",
	"22001": "value too long for its type", "22003": "number out of range", "22007": "invalid date or time", "22008": "date or time out of range",
	"22012": "division by zero", "22021": "invalid character for the encoding", "22P02": "invalid value for its type",
	"22P03": "invalid binary value for its type", "22P04": "bad COPY format", "22P05": "character that the encoding cannot hold",
	"22023": "invalid parameter value", "22030": "duplicate JSON key", "22032": "invalid JSON",
	"23000": "integrity violation", "23001": "restrict violation", "23502": "null in a column that is not null",
	"23503": "foreign key does not hold", "23505": "duplicate key", "23514": "check constraint does not hold", "23P01": "exclusion constraint does not hold",
	"25001": "transaction is active already", "25006": "session is read-only", "25P02": "transaction is aborted", "25P03": "session was idle in its transaction for too long", "25P04": "transaction took too long",
	"28000": "account is refused", "28P01": "wrong password",
	"3D000": "database does not exist", "3F000": "schema does not exist",
	"40001": "serialization failure", "40P01": "deadlock",
	"42501": "missing right", "42601": "syntax error", "42703": "column does not exist", "42704": "object does not exist",
	"42710": "object exists already", "42883": "function does not exist", "42P01": "table does not exist", "42P04": "database exists already",
	"42P06": "schema exists already", "42P07": "table exists already", "42939": "reserved name",
	"53000": "insufficient resources", "53100": "disk is full", "53200": "out of memory", "53300": "too many connections",
	"54000": "program limit exceeded", "55000": "object is not in the right state", "55006": "object is in use", "55P03": "lock is not available in time",
	"57014": "cancelled", "57P01": "server shuts the session down", "57P02": "server has crashed", "57P03": "server does not take connections now", "57P05": "session was idle for too long",
	"58030": "input or output error of the server", "58P01": "file is missing at the server",
	"72000": "snapshot is too old", "P0001": "raised by a function", "XX000": "internal error", "XX001": "data corrupted", "XX002": "index corrupted",
}

var classes = map[string]string{
	"22": "data exception", "23": "integrity violation", "25": "invalid transaction state", "28": "account is refused", "2B": "dependent privileges exist", "40": "transaction rolled back",
	"42": "syntax error or missing right", "53": "insufficient resources", "54": "program limit exceeded", "55": "object is not in the right state",
	"57": "operator intervention", "58": "system error", "F0": "configuration file error", "0L": "right that cannot be given", "XX": "internal error",
}

// inFunction is the beginning of a context that names a function, with the types that it takes.
// What stands behind it may quote values.
var inFunction = regexp.MustCompile(`^(?:PL/pgSQL function ([^\s(]+\([^)\n]*\)) line \d+ at |SQL function "([^"\n]+)" )`)

// bare turns a server's error into a condition: words of ours, with the names
// that the server gives in fields of their own, and nothing of its message.
func bare(pg *pgconn.PgError) *condition {
	text := conditions[pg.Code]
	if text == "" && len(pg.Code) == 5 {
		text = classes[pg.Code[:2]]
	}
	if text == "" {
		text = "server error"
	}
	if pg.Code == "23514" && pg.ConstraintName == "" {
		text = "no partition takes the row"
	}
	if raised(pg) {
		// A function chose the names (plpgsql's RAISE … USING TABLE), and may have put values there.
		pg = &pgconn.PgError{Code: pg.Code, Where: pg.Where}
	}
	var at []string
	if pg.ConstraintName != "" {
		at = append(at, "constraint "+word(pg.ConstraintName))
	}
	if pg.TableName != "" {
		name := word(pg.TableName)
		if pg.SchemaName != "" {
			name = word(pg.SchemaName) + "." + name
		}
		at = append(at, "table "+name)
	}
	if pg.ColumnName != "" {
		at = append(at, "column "+word(pg.ColumnName))
	}
	if pg.DataTypeName != "" {
		at = append(at, "type "+word(pg.DataTypeName))
	}
	if m := inFunction.FindStringSubmatch(pg.Where); m != nil {
		at = append(at, "function "+m[1]+m[2])
	}
	if len(at) > 0 {
		text += ": " + strings.Join(at, ", ")
	}
	return &condition{state: pg.Code, text: text}
}

// raised reports whether the code of a language has an error said in words of its own: that of
// plpgsql is pl_exec.c, the others' are plperl.c, plpy_elog.c and pltcl.c. The server's planner has
// files that begin alike.
func raised(pg *pgconn.PgError) bool {
	return strings.HasPrefix(pg.File, "pl") && !strings.HasPrefix(pg.File, "plan")
}

// ofExtension is the end of the context of what the script of an extension does.
var ofExtension = regexp.MustCompile(`\nextension script file "[^"\n]*", near line \d+$`)

// inCode reports whether an error comes out of code that people have written, at whatever depth:
// even where the server itself says it, a name in it may be a value that the code has read. Of what
// it does by itself the server gives no context, save those of an extension's script and of a
// process beside it.
func inCode(pg *pgconn.PgError) bool {
	where := strings.TrimSuffix(strings.TrimSuffix(pg.Where, "parallel worker"), "\n")
	if ofExtension.MatchString(where) {
		return raised(pg) || strings.Contains(where, " function ")
	}
	return raised(pg) || where != ""
}

// spoken is like bare but keeps the server's message, in the classes in which
// it speaks of objects, unless it comes out of code that may have put a value there. It is for
// statements that no row is in reach of.
func spoken(pg *pgconn.PgError) *condition {
	if inCode(pg) {
		return bare(pg)
	}
	switch pg.Code[:min(2, len(pg.Code))] {
	case "08", "0A", "0L", "25", "28", "2B", "3D", "3F", "42", "53", "54", "55", "57", "58", "F0":
		return &condition{state: pg.Code, text: strings.TrimSpace(pg.Message)}
	}
	return bare(pg)
}

// stateOf returns the SQLSTATE in err's chain, or "".
func stateOf(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	var c *condition
	if errors.As(err, &c) {
		return c.state
	}
	return ""
}

// broken reports whether err says that the connection is of no use any more.
func broken(err error) bool {
	var ne net.Error
	switch state := stateOf(err); {
	case strings.HasPrefix(state, "08"), state == "57P01", state == "57P02", state == "57P03", state == "57P05", state == "25P03", state == "25P04":
		return true
	case state != "":
		return false
	}
	// The driver says that of a connection that it has closed before: nothing was sent.
	return pgconn.SafeToRetry(err) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &ne)
}

// fail wraps the error of a statement that rows are in reach of.
func fail(ctx context.Context, side connectors.Side, op string, err error) error {
	return wrap(ctx, side, op, err, bare)
}

// failDefinition wraps the error of a statement about definitions, rights or
// sessions, which no row is in reach of.
func failDefinition(ctx context.Context, side connectors.Side, op string, err error) error {
	return wrap(ctx, side, op, err, spoken)
}

func wrap(ctx context.Context, side connectors.Side, op string, err error, words func(*pgconn.PgError) *condition) error {
	if err == nil {
		return nil
	}
	e := &connectors.Error{Side: side, Op: op}
	if ctx.Err() != nil {
		// Whatever broke, it broke because the caller gave up.
		e.Err = context.Cause(ctx)
		if !errors.Is(e.Err, ctx.Err()) {
			e.Err = errors.Join(ctx.Err(), e.Err)
		}
		return e
	}
	var ours *connectors.Error
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &ours):
		return err
	case errors.As(err, &pg):
		e.Err = words(pg)
		e.Violation = violation(pg)
		classify(e, pg)
	case broken(err):
		e.Kind, e.Retry = connectors.KindUnavailable, true
		e.Err = fmt.Errorf("connection lost: %w", quiet(err))
	default:
		e.Err = quiet(err)
	}
	return e
}

// quiet unpacks errors of the driver, whose text may hold a connection string.
func quiet(err error) error {
	var c *pgconn.ConnectError
	if errors.As(err, &c) {
		return c.Unwrap()
	}
	return err
}

// violation returns what a row breaks, in the server's own names, or nil.
func violation(pg *pgconn.PgError) *connectors.Violation {
	switch pg.Code {
	case "23502", "23503", "23505", "23514", "23P01":
	default:
		return nil
	}
	v := &connectors.Violation{Table: catalog.TableID{Schema: pg.SchemaName, Name: pg.TableName}, Constraint: pg.ConstraintName, Type: pg.DataTypeName,
		Partition: pg.Code == "23514" && pg.ConstraintName == ""}
	if v.Type != "" {
		v.Table = catalog.TableID{} // the schema is that of the type
	}
	if pg.ColumnName != "" {
		v.Columns = []string{pg.ColumnName}
	}
	return v
}

func classify(e *connectors.Error, pg *pgconn.PgError) {
	switch {
	case broken(pg):
		e.Kind, e.Retry = connectors.KindUnavailable, true
	case pg.Code == "40001", pg.Code == "40P01", pg.Code == "55P03":
		e.Kind, e.Retry = connectors.KindUnavailable, true
		if pg.Code == "55P03" {
			e.Hint = "somebody holds a lock on the table; try again, or raise the lock timeout"
		}
	case pg.Code == "57014":
		// Somebody cancelled the statement, or set a timeout that ours does not overrule.
		e.Kind, e.Retry = connectors.KindUnavailable, true
		e.Hint = "somebody cancelled the statement at the server, or a timeout there did; run again"
	case pg.Code == "72000":
		e.Kind = connectors.KindSnapshot
	case strings.HasPrefix(pg.Code, "28"):
		e.Kind = connectors.KindUnavailable
		e.Hint = "check the account and its password: in the connection string, in PGPASSFILE, or in the service's entry"
	case pg.Code == "3D000":
		e.Kind = connectors.KindUnavailable
	case pg.Code == "42501", strings.HasPrefix(pg.Code, "0L"):
		e.Kind = connectors.KindUnavailable
	case strings.HasPrefix(pg.Code, "F0"):
		e.Kind = connectors.KindUnavailable
		server := "the target's server"
		if e.Side == connectors.SourceSide {
			server = "the source's server"
		}
		e.Hint = "a dictionary of text search reads that file: install it under tsearch_data, in the folder that pg_config --sharedir names, at " + server
	case pg.Code == "53100":
		e.Kind = connectors.KindUnavailable
		e.Hint = "the server has no room left on its disk"
	case pg.Code == "53200" && strings.Contains(pg.Hint, "max_locks_per_transaction"):
		e.Kind = connectors.KindUnavailable
		e.Hint = "raise max_locks_per_transaction at the server: it has room for fewer locks than the database has tables"
	case pg.Code == "53300":
		e.Kind, e.Retry = connectors.KindUnavailable, true
		e.Hint = "the server, or the account, has no session left: wait for others, take fewer (--workers, --max-source-connections), or raise the limit"
	case strings.HasPrefix(pg.Code, "53"):
		e.Kind, e.Retry = connectors.KindUnavailable, true
	case strings.HasPrefix(pg.Code, "22"), strings.HasPrefix(pg.Code, "23"), strings.HasPrefix(pg.Code, "P0"):
		e.Kind = connectors.KindIntegrity
	}
}
