package connectors

import (
	"context"
	"errors"
	"time"
)

// ErrUnanswered is in the error of a Watcher that has given up waiting for its source: no
// refusal, and no end of the caller's context.
var ErrUnanswered = errors.New("the source has not answered in time")

// Watcher is a Snapshot that can tell what it costs its source. Methods are safe for
// concurrent use, take no lock, and wait for no reader; what they ask is cheap enough
// to be asked every second. They wait for some seconds at most, the login included, and
// then fail with ErrUnanswered; after an error the next question may be a new login.
type Watcher interface {
	// Vitals asks the source once. A fact that the engine lacks, or that the account may
	// not see, is absent. The first call also warns (Options.Warn) of what may end the
	// snapshot before its time.
	Vitals(ctx context.Context) (Vitals, error)

	// Latency returns how long the source takes to answer a question that needs no work
	// and no disk: what its other users wait on top of their own work.
	Latency(ctx context.Context) (time.Duration, error)
}

// Vitals is what a snapshot costs its source at one moment. A nil field is a fact that is
// not known.
type Vitals struct {
	// Age is the time since the snapshot was opened, in whatever process.
	Age *time.Duration `json:"age_ns,omitempty"`
	// Held is how many transactions began since the oldest one whose dead rows the
	// snapshot keeps: vacuum cannot remove what died in them.
	Held *int64 `json:"held_transactions,omitempty"`
	// LagBytes and Lag are how far the last of the source's standbys is behind it.
	LagBytes *int64         `json:"lag_bytes,omitempty"`
	Lag      *time.Duration `json:"lag_ns,omitempty"`
	// Replay is how far the source itself is behind its primary, if it is a standby.
	Replay *time.Duration `json:"replay_delay_ns,omitempty"`
}

// Worst returns the larger of each fact.
func (v Vitals) Worst(w Vitals) Vitals {
	return Vitals{Age: larger(v.Age, w.Age), Held: larger(v.Held, w.Held), LagBytes: larger(v.LagBytes, w.LagBytes),
		Lag: larger(v.Lag, w.Lag), Replay: larger(v.Replay, w.Replay)}
}

func larger[T time.Duration | int64](a, b *T) *T {
	if a == nil || b != nil && *b > *a {
		return b
	}
	return a
}
