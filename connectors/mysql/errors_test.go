package mysql

import (
	"context"
	"errors"
	"strings"
	"testing"

	driverpkg "github.com/go-sql-driver/mysql"

	"github.com/sanitize-db/sanitize/connectors"
)

// TestFaultKinds has the errors that a server in need answers, as both families write
// them: a run ends as unavailable, and says what to do.
func TestFaultKinds(t *testing.T) {
	for _, test := range []struct {
		number  uint16
		message string
		retry   bool
		hint    string
	}{
		{1005, "Can't create table `b`.`t` (errno: 135 \"No more room in record file\")", false, "no room"},
		{1005, "Can't create table 't' (errno: 28 - No space left on device)", false, "no room"},
		{3, "Error writing file './b/noted.TRN~' (Errcode: 28 \"No space left on device\")", false, "no room"},
		{3, "Error writing file './b/t.frm' (OS errno 28 - No space left on device)", false, "no room"},
		{1030, "Got error 28 \"No space left on device\" from storage engine InnoDB", false, "no room"},
		{1114, "The table 'users' is full", false, "no room"},
		{3675, "Create table/tablespace '_sanitize' failed, as disk is full", false, "no room"},
		{1205, "Lock wait timeout exceeded; try restarting transaction", true, "holds a lock"},
		{1213, "Deadlock found when trying to get lock; try restarting transaction", true, "run again"},
		{1317, "Query execution was interrupted", true, "run again"},
		{1927, "Connection was killed", true, "run again"},
		{1053, "Server shutdown in progress", true, "run again"},
		{1040, "Too many connections", true, "--workers"},
		{1153, "Got a packet bigger than 'max_allowed_packet' bytes", false, "max_allowed_packet"},
		{1290, "The MySQL server is running with the --super-read-only option", false, "read-only"},
		{3948, "Loading local data is disabled; this must be enabled on both the client and server sides", true, "local_infile"},
		{4166, "The used command is not allowed because the MariaDB server or client has disabled the local infile capability", true, "local_infile"},
	} {
		err := fail(context.Background(), connectors.SinkSide, "load a chunk", &driverpkg.MySQLError{Number: test.number, Message: test.message})
		var e *connectors.Error
		if !errors.As(err, &e) || e.Kind != connectors.KindUnavailable || e.Retry != test.retry || !strings.Contains(e.Hint, test.hint) {
			t.Errorf("error %d: %#v", test.number, err)
		}
	}
	// What has another cause is none of these.
	err := fail(context.Background(), connectors.SinkSide, "make a key", &driverpkg.MySQLError{Number: 1005, Message: "Can't create table `b`.`t` (errno: 150 \"Foreign key constraint is incorrectly formed\")"})
	if kind, _ := connectors.KindOf(err); kind == connectors.KindUnavailable {
		t.Errorf("a foreign key that cannot be made: %#v", err)
	}
}
