package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sanitize-db/sanitize/connectors"
)

// The server's catalogs are read as the snapshot has them, but the functions that put a definition
// into words look it up as it is now. What somebody drops in between has none.

// opening is how often a snapshot is opened, or a catalog read, of what changes meanwhile.
const opening = 3

// anew calls f on a connection on which no transaction is open, and again as long as what it reads
// changes meanwhile. Of what the server says each time nothing changes.
func anew(ctx context.Context, conn *pgx.Conn, f func() error) error {
	same := 0
	for again, last := 1, ""; ; again++ {
		err := f()
		if kind, _ := connectors.KindOf(err); kind != connectors.KindSnapshot {
			return err
		}
		if err.Error() == last {
			same++
		}
		last = err.Error()
		if again == opening {
			var e *connectors.Error
			if c := (*condition)(nil); same == opening-1 && errors.As(err, &c) && errors.As(err, &e) {
				return &connectors.Error{Side: e.Side, Op: e.Op, Err: c}
			}
			return err
		}
		if _, err := conn.Exec(ctx, "ROLLBACK"); err != nil {
			return err
		}
	}
}

// look reads the catalog. That a definition was gone when it was to be put into words is
// an error of the kind KindSnapshot.
func (s *source) look(ctx context.Context, conn *pgx.Conn) (*picture, error) {
	p, err := readPicture(ctx, conn, s.keep, s.leaves)
	if !vanished(err) {
		return p, err
	}
	cause := err
	if pg := (*pgconn.PgError)(nil); errors.As(err, &pg) {
		cause = spoken(pg)
	}
	return nil, &connectors.Error{Kind: connectors.KindSnapshot, Side: s.side, Op: "read the catalog of " + s.display(s.conn.Database),
		Err: fmt.Errorf("a definition was changed or dropped while it was read: %w", cause), Hint: "try again"}
}

// errVanished is that of a definition which is NULL.
var errVanished = errors.New("the definition is gone")

// vanished reports whether an error comes from what has been dropped, or is not what it was.
func vanished(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return errors.Is(err, errVanished)
	}
	// Such messages are in English everywhere.
	internal := slices.ContainsFunc([]string{"could not open relation", "cache lookup failed", "could not find"}, func(words string) bool { return strings.HasPrefix(pg.Message, words) })
	return pg.Code == "XX000" && internal || pg.Code == "42703" || slices.Contains(absentStates, pg.Code)
}

// absent returns errVanished for the driver's error of a NULL where there is always something.
func absent(err error) error {
	var scan pgx.ScanArgError
	if errors.As(err, &scan) && strings.HasPrefix(scan.Err.Error(), "cannot scan NULL") {
		return errVanished
	}
	return err
}
