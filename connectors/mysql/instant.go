package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// How all readers come to see one instant: the ways, best first. An error of errNotHere
// leads to the next.
//
// A lock that waits makes all who write wait behind it, so it is waited for a second at a
// time only, and writers have a moment between two tries.

// errNotHere is why a way is closed to this account or server.
type errNotHere struct{ reason string }

func (e *errNotHere) Error() string { return e.reason }

// The ways, as the summary calls them.
const (
	wayGlobal    = "global read lock"
	wayTables    = "read locks on the tables"
	wayAgreement = "agreement on the position of the log"
	waySingle    = "a single reader"
)

const (
	lockTries      = 3
	agreementTries = 40
	// quiet is how long the log must have stood still for what it names to be committed.
	quiet = 20 * time.Millisecond
)

// begin opens a session's consistent snapshot (MySQL's manual, "START TRANSACTION").
const begin = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"

// agree opens the transactions of the main session and of all readers on one instant.
// Where it cannot be done for all, one reader remains.
func (s *snapshot) agree(ctx context.Context, c *catalog.Catalog) (err error) {
	if s.unlogged, err = s.appliesUnlogged(ctx); err != nil {
		return err
	}
	var why []string
	for _, way := range []struct {
		name string
		open func(context.Context, *catalog.Catalog) error
	}{{wayGlobal, s.lockAll}, {wayTables, s.lockTables}, {wayAgreement, s.meet}} {
		err := way.open(ctx, c)
		if err == nil {
			s.instant.Way, s.instant.Readers = way.name, len(s.all)
			return nil
		}
		var closed *errNotHere
		if !errors.As(err, &closed) {
			return err
		}
		why = append(why, way.name+": "+closed.reason)
	}
	// The main session only asks for keys and sizes: the one reader's instant is that of
	// all rows. Keys that are new to it bound ranges as well as others.
	for _, r := range s.all[1:] {
		r.close()
	}
	s.all = s.all[:1]
	if err := s.begin(ctx); err != nil {
		return err
	}
	s.instant = connectors.Instant{Way: waySingle, Readers: 1, Position: s.position(ctx, false)}
	if s.source.workers > 1 {
		s.source.warn("the snapshot is read by one session, since several cannot be brought to one instant: " + strings.Join(why, "; ") +
			"; GRANT RELOAD or LOCK TABLES to the account to read in parallel")
	}
	return nil
}

// begin opens all transactions, one right after the other.
func (s *snapshot) begin(ctx context.Context) error {
	for _, r := range append(slices.Clone(s.all), s.main) {
		if err := r.exec(ctx, begin); err != nil {
			return err
		}
	}
	return nil
}

// denied reports whether a statement failed for want of a right, or was forbidden by the
// server: then it is not tried again.
func denied(err error) bool {
	switch numberOf(err) {
	case 1044, 1045, 1142, 1227, 1290, 1235, 1064:
		return true
	}
	return false
}

// held runs lock on a session of its own, opens all transactions while it holds, and
// unlocks. all tells that it stops every commit of the server.
func (s *snapshot) held(ctx context.Context, lock string, all bool) error {
	l, err := s.source.session(ctx)
	if err != nil {
		return err
	}
	defer l.close() // which unlocks in any case
	if err := l.exec(ctx, "SET lock_wait_timeout = 1"); err != nil {
		return err
	}
	var locked time.Duration // others wait behind a lock that waits, too
	for try := 1; ; try++ {
		from := time.Now()
		err := l.exec(ctx, lock)
		locked += time.Since(from)
		if err == nil {
			break
		}
		switch {
		case denied(err):
			return &errNotHere{"the account may not"}
		case numberOf(err) != 1205:
			return err
		case try == lockTries:
			return &errNotHere{fmt.Sprintf("somebody held the tables for %d seconds", lockTries)}
		}
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
	}
	from := time.Now()
	err = s.begin(ctx)
	position := ""
	if err == nil {
		position = s.position(ctx, all)
	}
	unlocked := l.exec(ctx, "UNLOCK TABLES")
	s.instant.Locked, s.instant.Position = locked+time.Since(from), position
	return errors.Join(err, unlocked)
}

// lockAll holds the global read lock: nothing commits while the transactions open.
func (s *snapshot) lockAll(ctx context.Context, _ *catalog.Catalog) error {
	return s.held(ctx, "FLUSH TABLES WITH READ LOCK", true)
}

// lockTables holds read locks on all tables that are read: nobody writes to them, and
// nobody has written what is not committed yet.
func (s *snapshot) lockTables(ctx context.Context, c *catalog.Catalog) error {
	var locks []string
	for _, t := range c.Tables {
		if t.StoresRows() {
			locks = append(locks, table(s.source.database, t.ID)+" READ")
		}
	}
	if len(locks) == 0 {
		return &errNotHere{"there are no tables"}
	}
	return s.held(ctx, "LOCK TABLES "+strings.Join(locks, ", "), false)
}

// meet opens all transactions without a lock, until the log of changes says that nothing
// was committed between the first and the last.
func (s *snapshot) meet(ctx context.Context, _ *catalog.Catalog) error {
	if err := s.loggedHere(ctx); err != nil {
		return err
	}
	for range agreementTries {
		var ok bool
		var err error
		if s.main.server.has(snapshotPosition) {
			ok, err = s.meetBySnapshot(ctx)
		} else {
			ok, err = s.meetByLog(ctx)
		}
		if err != nil {
			return err
		}
		if ok {
			s.instant.Position = s.position(ctx, false)
			return nil
		}
		if err := pause(ctx, quiet); err != nil {
			return err
		}
	}
	return &errNotHere{fmt.Sprintf("others wrote during each of %d tries", agreementTries)}
}

// loggedHere fails where a change may leave the log of this server as it is.
func (s *snapshot) loggedHere(ctx context.Context) error {
	on, err := s.main.number(ctx, "SELECT @@GLOBAL.log_bin")
	if err != nil {
		return err
	}
	if on != 1 {
		return &errNotHere{"the server has no binary log"}
	}
	status, err := s.logStatus(ctx)
	if err != nil {
		return err
	}
	if status.filtered {
		return &errNotHere{"the server's log leaves changes out"}
	}
	if s.unlogged {
		return &errNotHere{"the server may be a replica, and does not log what it applies"}
	}
	return nil
}

// appliesUnlogged reports whether the server may be a replica whose log does not have what
// it applies: that is there only where it is told to write it.
func (s *snapshot) appliesUnlogged(ctx context.Context) (bool, error) {
	own, err := s.main.number(ctx, "SELECT @@GLOBAL.log_slave_updates")
	if err != nil || own == 1 {
		return false, err
	}
	running, told := false, false
	err = s.main.query(ctx, "SHOW GLOBAL STATUS WHERE Variable_name IN ('Slave_running', 'Slaves_running', 'Replica_running')", func(r row) error {
		told = true
		running = running || r.text(1) != "0" && r.text(1) != "OFF"
		return nil
	})
	if err != nil || told {
		return running, err
	}
	// MySQL 5.7 has no such status. Who has not set it up tells no row here.
	err = s.main.query(ctx, "SHOW SLAVE STATUS", func(row) error {
		running = true
		return nil
	})
	if denied(err) {
		return true, nil
	}
	return running, err
}

// logStatus is the end of the log.
type logStatus struct {
	position string // file and offset, and the set of GTIDs
	filtered bool
}

func (s *snapshot) logStatus(ctx context.Context) (logStatus, error) {
	show := "SHOW MASTER STATUS"
	if s.main.server.has(longBinlogStatus) {
		show = "SHOW BINARY LOG STATUS"
	}
	var status logStatus
	err := s.main.query(ctx, show, func(r row) error {
		status.position = r.text(0) + ":" + r.text(1)
		status.filtered = r.text(2) != "" || r.text(3) != ""
		return nil
	})
	if denied(err) {
		return status, &errNotHere{"the account may not see the position of the log"}
	}
	if err == nil && status.position == "" {
		return status, &errNotHere{"the server tells no position of its log"}
	}
	if err == nil && s.main.server.has(gtidExecuted) {
		// Updated when a transaction has been committed in the engine, which is after the
		// log has it.
		var set string
		if set, err = s.main.word(ctx, "SELECT @@GLOBAL.gtid_executed"); err == nil && set != "" {
			status.position += " " + strings.Join(strings.Fields(set), "")
		}
	}
	return status, err
}

// meetBySnapshot asks every session at which position its own snapshot stands.
func (s *snapshot) meetBySnapshot(ctx context.Context) (bool, error) {
	if err := s.begin(ctx); err != nil {
		return false, err
	}
	first := ""
	for i, r := range append(slices.Clone(s.all), s.main) {
		at, err := snapshotAt(ctx, r)
		if err != nil {
			return false, err
		}
		if i == 0 {
			first = at
		}
		if at != first || at == "" {
			return false, nil
		}
	}
	return true, nil
}

// snapshotAt returns the position of MariaDB's snapshot of the session.
func snapshotAt(ctx context.Context, r *session) (at string, err error) {
	err = r.query(ctx, "SHOW STATUS WHERE Variable_name IN ('binlog_snapshot_file', 'binlog_snapshot_position')", func(v row) error {
		if at != "" {
			at += ":"
		}
		at += v.text(1)
		return nil
	})
	return at, err
}

// meetByLog compares the end of the log before and after, and a moment after that: a
// transaction is in the log a moment before its changes can be seen.
func (s *snapshot) meetByLog(ctx context.Context) (bool, error) {
	waits, err := s.main.number(ctx, "SELECT COUNT(*) FROM performance_schema.global_variables WHERE variable_name IN ('rpl_semi_sync_source_enabled', 'rpl_semi_sync_master_enabled') AND variable_value = 'ON'")
	if err != nil && !denied(err) {
		return false, err
	}
	if waits > 0 || err != nil {
		return false, &errNotHere{"commits may wait for a replica between the log and the tables"}
	}
	var seen string
	for step := range 4 {
		status, err := s.logStatus(ctx)
		if err != nil {
			return false, err
		}
		if step > 0 && status.position != seen {
			return false, nil
		}
		seen = status.position
		switch step {
		case 1:
			if err := s.begin(ctx); err != nil {
				return false, err
			}
		case 0, 2:
			if err := pause(ctx, quiet); err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// position names the instant of the transactions that have just been opened, as far as
// the account may see it. still tells that nothing commits meanwhile. On a replica whose
// log does not have what it applies, the log's place says nothing, and GTIDs alone do.
func (s *snapshot) position(ctx context.Context, still bool) string {
	if s.main.server.has(snapshotPosition) {
		at, err := snapshotAt(ctx, s.main)
		if err != nil || at == ":0" || s.unlogged {
			at = ""
		}
		if still { // of what was logged here, and of what was applied
			if gtid, err := s.main.word(ctx, "SELECT @@GLOBAL.gtid_current_pos"); err == nil && gtid != "" {
				at = strings.TrimSpace(at + " " + gtid)
			}
		}
		if at != "" || s.unlogged {
			return at
		}
	}
	status, err := s.logStatus(ctx)
	if err != nil {
		return ""
	}
	if s.unlogged {
		_, set, _ := strings.Cut(status.position, " ")
		return set
	}
	return status.position
}

// pause waits, unless the context ends first.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
