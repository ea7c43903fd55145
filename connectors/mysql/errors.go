package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"

	driverpkg "github.com/go-sql-driver/mysql"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// condition is a server's error in words that hold no value.
type condition struct {
	number uint16
	text   string
}

// Error returns the words and the number.
func (c *condition) Error() string { return fmt.Sprintf("%s (error %d)", c.text, c.number) }

// conditions names the errors that a run may meet; see MySQL's "Server Error Message
// Reference" and MariaDB's "MariaDB Error Code Reference".
var conditions = map[uint16]string{
	3: "error while writing a file at the server", 20: "disk is full", // of mysys: MySQL's "Global Error Message Reference"
	1021: "disk is full", 1026: "error while writing a file at the server", 1030: "error of the storage engine", 1037: "out of memory", 1040: "too many connections", 1041: "out of memory",
	1042: "the host cannot be looked up", 1044: "the account may not use the database", 1045: "account or password is refused", 1048: "null in a column that is not null",
	1053: "server is shutting down", 1062: "duplicate key", 1064: "syntax error", 1074: "column is too long",
	1105: "unknown error", 1114: "table is full", 1118: "row is too large", 1129: "the host is blocked for its many errors", 1130: "the host may not connect",
	1136: "number of columns differs", 1142: "missing right on a table", 1143: "missing right on a column", 1146: "table does not exist", 1049: "database does not exist",
	1153: "a row is larger than max_allowed_packet", 1158: "connection lost", 1159: "connection timed out", 1160: "connection lost", 1161: "connection timed out",
	1169: "duplicate key", 1194: "table is damaged", 1203: "too many connections of the account", 1205: "lock is not available in time", 1206: "too many locks", 1213: "deadlock",
	1215: "foreign key cannot be made", 1216: "foreign key does not hold", 1217: "foreign key does not hold", 1226: "the account has used up what it may",
	1227: "missing right", 1235: "not supported by this version", 1263: "null in a column that is not null", 1264: "number out of range", 1265: "value does not fit its type",
	1261: "a row has too few values", 1262: "a row has too many values", 1290: "an option of the server forbids it", 1292: "invalid value for its type", 1300: "invalid character for the character set",
	1301: "result is larger than max_allowed_packet", 1317: "cancelled", 1364: "a column without a default has no value", 1366: "invalid value for its type", 1370: "missing right on a routine",
	1406: "value too long for its type", 1411: "invalid value for its type", 1412: "definition of a table has changed since the snapshot", 1416: "value is no geometry", 1451: "foreign key does not hold",
	1452: "foreign key does not hold", 1526: "no partition takes the row", 1367: "invalid value for its type", 1525: "invalid value for its type", 1586: "duplicate key", 1690: "number out of range",
	1792: "session is read-only", 1836: "server is read-only", 1859: "duplicate key", 1969: "query was cancelled by a time limit", 3024: "query was cancelled by a time limit",
	3140: "invalid JSON", 3141: "invalid JSON", 3144: "JSON of a character set that it cannot have", 3169: "session was ended", 3675: "disk is full", 3819: "check constraint does not hold", 3948: "LOAD DATA LOCAL is switched off",
	4025: "check constraint does not hold", 4031: "session was idle for too long", 1148: "LOAD DATA LOCAL is switched off", 4166: "LOAD DATA LOCAL is switched off",
	1927: "session was ended", 1180: "error while committing", 1020: "row has changed since it was read", 1956: "session was ended",
}

// numberOf returns the number of the server's error in err's chain, or 0.
func numberOf(err error) uint16 {
	var me *driverpkg.MySQLError
	if errors.As(err, &me) {
		return me.Number
	}
	var c *condition
	if errors.As(err, &c) {
		return c.number
	}
	return 0
}

// names finds, in the messages of some errors, what is the name of a schema object and no value.
var names = map[uint16]*regexp.Regexp{
	1048: regexp.MustCompile(`^(Column) '([^']*)' cannot be null$`),
	1062: regexp.MustCompile(`for (key) '([^']*)'$`),
	1169: regexp.MustCompile(`(constraint) '([^']*)'`),
	1264: regexp.MustCompile(`for (column) '((?:[^']|'')*)' at row \d+$`),
	1265: regexp.MustCompile(`for (column) '((?:[^']|'')*)' at row \d+$`),
	1292: regexp.MustCompile(`for (column) (?:.*\.)?[\x60']([^\x60']*)[\x60'] at row \d+$`),
	1366: regexp.MustCompile(`for (column) (?:.*\.)?[\x60']([^\x60']*)[\x60'] at row \d+$`),
	1406: regexp.MustCompile(`for (column) '((?:[^']|'')*)' at row \d+$`),
	1263: regexp.MustCompile(`to NOT NULL (column) '([^']*)' at row \d+$`),
	1452: regexp.MustCompile("(CONSTRAINT) `([^`]*)` FOREIGN KEY"),
	3819: regexp.MustCompile(`(constraint) '([^']*)' is violated`),
	4025: regexp.MustCompile("(CONSTRAINT) `([^`]*)` failed"),
	3140: regexp.MustCompile(`for (column) '(?:.*\.)?([^'.]*)'\.?$`),
	1416: nil,
}

// bare turns a server's error into a condition: words of ours, and the names of schema
// objects that the message holds.
func bare(me *driverpkg.MySQLError) *condition {
	text := conditions[me.Number]
	if text == "" {
		text = "server error"
	}
	if re := names[me.Number]; re != nil {
		if m := re.FindStringSubmatch(me.Message); m != nil {
			text += ": " + strings.ToLower(m[1]) + " " + m[2]
		}
	}
	return &condition{number: me.Number, text: text}
}

// spoken is like bare but keeps the server's message, unless the error is one about
// values. It is for statements that no row is in reach of.
func spoken(me *driverpkg.MySQLError) *condition {
	if _, about := names[me.Number]; about || me.Number == 1105 || me.Number == 1300 || me.Number == 1525 || me.Number == 1367 || me.Number == 1411 || me.Number == 1690 || me.Number == 3141 {
		return bare(me)
	}
	return &condition{number: me.Number, text: strings.TrimSpace(me.Message)}
}

// broken reports whether err says that the connection is of no use any more.
func broken(err error) bool {
	switch numberOf(err) {
	case 0:
	case 1053, 1158, 1159, 1160, 1161, 1927, 3169, 4031:
		return true
	default:
		return false
	}
	var ne net.Error
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, driverpkg.ErrInvalidConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, errClosed) || errors.Is(err, driverpkg.ErrPktSync) || errors.Is(err, errPacket) || errors.As(err, &ne)
}

// lost reports whether an error, wrapped or not, says that a session was lost: what it did
// last may have been done or not.
func lost(err error) bool { return broken(err) || numberOf(err) == 0 && connectors.Retryable(err) }

// fail wraps the error of a statement that rows are in reach of.
func fail(ctx context.Context, side connectors.Side, op string, err error) error {
	return wrap(ctx, side, op, err, bare)
}

// failDefinition wraps the error of a statement about definitions, rights or sessions,
// which no row is in reach of.
func failDefinition(ctx context.Context, side connectors.Side, op string, err error) error {
	return wrap(ctx, side, op, err, spoken)
}

func wrap(ctx context.Context, side connectors.Side, op string, err error, words func(*driverpkg.MySQLError) *condition) error {
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
	var me *driverpkg.MySQLError
	switch {
	case errors.As(err, &ours):
		return err
	case errors.As(err, &me):
		c := words(me)
		e.Err = c
		e.Violation = violation(me)
		classify(e, me)
	case broken(err):
		e.Kind, e.Retry = connectors.KindUnavailable, true
		e.Err, e.Hint = errors.New("connection lost"), lostHint
		var ne *net.OpError
		if errors.As(err, &ne) && ne.Op == "dial" {
			e.Err = ne.Err // the address stands in the operation
		}
	case errors.Is(err, driverpkg.ErrPktTooLarge):
		e.Err = errors.New("a statement is larger than the server's max_allowed_packet")
	default:
		e.Err = err
	}
	return e
}

// violation returns what a row breaks, as far as the server names it, or nil.
func violation(me *driverpkg.MySQLError) *connectors.Violation {
	name := ""
	if re := names[me.Number]; re != nil {
		if m := re.FindStringSubmatch(me.Message); m != nil {
			name = m[2]
		}
	}
	switch me.Number {
	case 1048, 1263:
		return &connectors.Violation{Columns: []string{name}}
	case 1062, 1169, 1586:
		// MySQL from 8.0.19 on writes table.key.
		if t, key, ok := strings.Cut(name, "."); ok {
			return &connectors.Violation{Table: catalog.TableID{Name: t}, Constraint: key}
		}
		return &connectors.Violation{Constraint: name}
	case 1452, 3819, 4025:
		return &connectors.Violation{Constraint: name}
	case 1526:
		return &connectors.Violation{Partition: true}
	}
	return nil
}

// noRoom finds a full disk in what other errors say of their cause: the system's errors 28
// and 122, and the storage engines' 135 (MySQL's my_base.h, HA_ERR_RECORD_FILE_FULL).
var noRoom = regexp.MustCompile(`(?i)\b(?:errno|error|code)(?: code)?:? (?:28|122|135)\b|No space left|No more room`)

const (
	lostHint = "the server, somebody at it, or what stands between has ended the connection; its log tells more; run again"
	fullHint = "the server has no room left on its disk, or the table has reached its bound"
)

func classify(e *connectors.Error, me *driverpkg.MySQLError) {
	switch me.Number {
	case 1053, 1158, 1159, 1160, 1161, 1927, 3169, 4031:
		e.Kind, e.Retry = connectors.KindUnavailable, true
		e.Hint = lostHint
	case 1040, 1203, 1226:
		e.Kind, e.Retry = connectors.KindUnavailable, true
		e.Hint = "others have taken all connections that the server or the account may have; run again later, or with fewer --workers"
	case 1037, 1041:
		e.Kind, e.Retry = connectors.KindUnavailable, true
		e.Hint = "the server has no memory left; run again later"
	case 1205, 1213, 1020:
		e.Kind, e.Retry = connectors.KindUnavailable, true
		e.Hint = "somebody changes the same rows at the server; run again"
		if me.Number == 1205 {
			e.Hint = "somebody holds a lock on the table; try again, or raise the lock timeout"
		}
	case 1317, 1969, 3024:
		e.Kind, e.Retry = connectors.KindUnavailable, true
		e.Hint = "somebody cancelled the statement at the server, or a time limit there did; run again"
	case 1045, 1044, 1130:
		e.Kind = connectors.KindUnavailable
		e.Hint = "check the account, its password (in the connection string or in MYSQL_PWD) and what it may do"
	case 1142, 1143, 1227, 1370:
		e.Kind = connectors.KindUnavailable
	case 1049:
		e.Kind = connectors.KindUnavailable
		e.Hint = "SHOW DATABASES lists those that the account may see"
	case 1129:
		e.Kind = connectors.KindUnavailable
		e.Hint = "an administrator unblocks the host with FLUSH HOSTS, or TRUNCATE performance_schema.host_cache"
	case 1021, 1114, 3675:
		e.Kind = connectors.KindUnavailable
		e.Hint = fullHint
	case 3, 20, 1005, 1006, 1025, 1026, 1030, 1180, 1878, 3678:
		if noRoom.MatchString(me.Message) {
			e.Kind, e.Hint = connectors.KindUnavailable, fullHint
		}
	case 1290, 1836:
		e.Kind = connectors.KindUnavailable
		e.Hint = "the server is read-only, or was started with an option that forbids this"
	case 1153:
		e.Kind = connectors.KindUnavailable
		e.Hint = "raise max_allowed_packet at the server"
	case 1148, 3948, 4166:
		// It was not when the session began. The chunk is tried again, by INSERT.
		e.Kind, e.Retry = connectors.KindUnavailable, true
		e.Hint = "LOAD DATA LOCAL was switched off at the target meanwhile: SET GLOBAL local_infile = 1, or leave it off and run again"
	case 1412:
		e.Kind = connectors.KindSnapshot
		e.Hint = "somebody has changed the table since the snapshot was opened; run again"
	case 1048, 1062, 1169, 1263, 1264, 1265, 1292, 1300, 1366, 1406, 1411, 1416, 1452, 1526, 1586, 1690, 3140, 3141, 3144, 3819, 4025, 1261, 1262:
		e.Kind = connectors.KindIntegrity
	}
}

// lowerTrim is a statement's first words as an operation is called.
func lowerTrim(s string) string { return strings.ToLower(strings.TrimSpace(s)) }
