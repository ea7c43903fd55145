package connectors

import "time"

// Timed is a Snapshot that may know when it was taken. Methods are safe for concurrent use.
type Timed interface {
	// Taken returns when the view was opened, by the clock of its source, and in whatever process:
	// who has joined it says what who opened it says. It is zero where that is not known. Of a
	// source that is behind its primary the rows are older, by Vitals.Replay.
	Taken() time.Time
}

// Dated is a Snapshot that tells how its readers came to see one instant, where there is
// more than one way. Methods are safe for concurrent use.
type Dated interface {
	// Instant returns what is known since the snapshot was opened.
	Instant() Instant
}

// Instant says where a snapshot stands, and what it took to agree on it.
type Instant struct {
	// Way is how the readers came to see one instant, in words: "global read lock".
	Way string `json:"way"`
	// Readers is how many there are.
	Readers int `json:"readers"`
	// Locked is how long others could not write; zero if nothing was locked.
	Locked time.Duration `json:"locked_ns"`
	// Position is the instant in the source's log of changes, as the engine names it;
	// empty if it has none or the account may not see it.
	Position string `json:"position,omitempty"`
}
