package mysql

import (
	"fmt"
	"strconv"
	"strings"
)

// server says which of the two families a server is of, and how old it is.
type server struct {
	mariadb bool
	version int    // 100 × major + minor, and a patch level: 8.0.36 is 80036, 10.11.6 is 101106
	text    string // as the server tells it
}

// String returns family and version, for people.
func (s server) String() string {
	family := "MySQL"
	if s.mariadb {
		family = "MariaDB"
	}
	return fmt.Sprintf("%s %d.%d.%d", family, s.version/10000, s.version/100%100, s.version%100)
}

// parseServer reads what SELECT VERSION() returns: 9.7.1, 8.0.36-28 (Percona),
// 10.11.6-MariaDB-0+deb12u1, and MariaDB behind a proxy 5.5.5-10.11.6-MariaDB.
func parseServer(text string) (server, error) {
	s := server{text: text, mariadb: strings.Contains(strings.ToLower(text), "mariadb")}
	bare := text
	if s.mariadb {
		bare = strings.TrimPrefix(bare, "5.5.5-")
	}
	if end := strings.IndexFunc(bare, func(r rune) bool { return r != '.' && (r < '0' || r > '9') }); end >= 0 {
		bare = bare[:end]
	}
	parts := strings.Split(bare, ".")
	for i := range 3 {
		n := 0
		if i < len(parts) {
			var err error
			if n, err = strconv.Atoi(parts[i]); err != nil || n > 99 {
				return s, fmt.Errorf("the server's version %.40q cannot be read", text)
			}
		}
		s.version = s.version*100 + n
	}
	return s, nil
}

// feature is something that not every server has.
type feature int

const (
	// longBinlogStatus: SHOW BINARY LOG STATUS instead of SHOW MASTER STATUS.
	longBinlogStatus feature = iota
	// snapshotPosition: the status variables binlog_snapshot_%, the position of a
	// session's own snapshot (MariaDB's manual, "Enhancements for START TRANSACTION WITH
	// CONSISTENT SNAPSHOT").
	snapshotPosition
	// gtidExecuted: the variable gtid_executed.
	gtidExecuted
	// statsExpiry: the variable information_schema_stats_expiry.
	statsExpiry
	// ddlThreads: the session variables innodb_ddl_threads and innodb_ddl_buffer_size.
	ddlThreads
	// addedKeys: the variable sql_generate_invisible_primary_key.
	addedKeys
	// replicaStatus: SHOW REPLICA STATUS instead of SHOW SLAVE STATUS.
	replicaStatus
)

// since holds, for each feature, the first version that has it: of MySQL and of MariaDB.
// Zero is none.
var since = map[feature]struct{ mysql, mariadb int }{
	longBinlogStatus: {80200, 0},
	snapshotPosition: {0, 50300},
	gtidExecuted:     {50605, 0},
	statsExpiry:      {80000, 0},
	ddlThreads:       {80027, 0},
	addedKeys:        {80030, 0},
	replicaStatus:    {80022, 100501},
}

func (s server) has(f feature) bool {
	first := since[f].mysql
	if s.mariadb {
		first = since[f].mariadb
	}
	return first > 0 && s.version >= first
}

// tooOld is what a server is that we do not speak to.
func (s server) tooOld() bool {
	if s.mariadb {
		return s.version < 100500
	}
	return s.version < 50700
}
