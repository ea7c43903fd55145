package connectors

import (
	"context"
	"net"
	"time"
)

// Joiner is a Source whose snapshots another process can join: its
// Properties.JoinableSnapshot is set. Methods are safe for concurrent use.
type Joiner interface {
	// Join opens a view of the instant that the token names, with the same checks as
	// Source.Open. It fails with KindSnapshot when nobody holds that snapshot any more.
	// The view's Token is the one given, and it outlives the one that was joined, unless
	// that is a Lender: then it is lost with it. The caller closes it.
	Join(ctx context.Context, token string) (Snapshot, error)
}

// Lender is a Snapshot of an engine in which no session can see the instant of another. It
// lives in the sessions of the process that opened it, which lends them to others: they
// reach it through Options.Holder.
type Lender interface {
	// Lend serves one connection of a process that has joined the snapshot, until either
	// end closes it or the snapshot ends, and closes it. It may be called for many at once:
	// who finds no session free waits. What a process leaves undone that goes away in the
	// middle is ended, and its session is free again for the next; one that is lost is
	// counted out. Whoever connects may read all that the snapshot's account may: the caller
	// sees to it that it is of the same account.
	Lend(conn net.Conn)
}

// Held is a Snapshot that can be asked whether it lives. A process that holds one for
// others and reads nothing itself asks now and then.
type Held interface {
	// Alive returns nil while the snapshot can be joined, an error of KindSnapshot once
	// it is lost.
	Alive(ctx context.Context) error
}

// Voucher is a Snapshot whose readers see rows that are not of it once something is lost that
// they do not notice themselves: locks that another session holds.
type Voucher interface {
	// Vouch returns nil if all that has been read so far is of the snapshot, and an error of
	// KindSnapshot if it may not be.
	Vouch(ctx context.Context) error
}

// Resumer is a Sink whose unfinished builds can be gone on with. Its builds are
// Keepers, and their TableLoaded and Finish may be called again: what has been made is
// not made twice, nor after a Resume. Methods are safe for concurrent use.
type Resumer interface {
	// Unfinished returns what the last run has left of a build of the target, or nil if
	// there is nothing that can be gone on with. It changes nothing, and fails with
	// KindBusy while a run holds the target.
	Unfinished(ctx context.Context) (*Unfinished, error)

	// Resume takes the target for this run alone and opens the build that Unfinished has
	// described, with what was committed in it; spec.Run says which. It fails as Begin
	// does, and with KindSnapshot when that build is not there any more.
	Resume(ctx context.Context, spec BuildSpec) (Build, error)
}

// Keeper is a Build that can be left unfinished.
type Keeper interface {
	// Keep ends the sessions of the build and gives the target free, as the end of the
	// process would: what has been committed stays, for Resume or until the next Begin
	// removes it. Afterwards the build can only be aborted, which does nothing.
	Keep() error
}

// Settler is a Build of a server that a crash may cost its last commits. Methods are safe for
// concurrent use.
type Settler interface {
	// Settle puts all chunks that have been committed on the disk, beside what else the build
	// is doing, and reports whether nothing that may happen to the target's server can cost
	// their rows any more: then nothing has to be read again.
	Settle(ctx context.Context) (safe bool, err error)
}

// Unfinished is what a run has left of a build.
type Unfinished struct {
	Run         string            // BuildSpec.Run
	Fingerprint map[string]string // BuildSpec.Fingerprint
	Definitions *Definitions      // BuildSpec.Definitions
	Chunks      []Chunk           // BuildSpec.Chunks
	Receipts    []Receipt
	// Began is when the build was begun, Last when a chunk was last committed, by the
	// target's clock; Last is zero if none was.
	Began, Last time.Time
}
