package pipeline

import (
	"time"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Summary says what a run did. It holds names and counts, never contents. Of a run that another
// process has gone on with, Began, Took, Loaded, Phases, Retries and Watch are of the last
// process, and Tables, Rows and Bytes of all; Resumed says what the others had done.
type Summary struct {
	Run      string `json:"run"`
	Source   string `json:"source"`
	Target   string `json:"target"`
	Snapshot string `json:"snapshot"`
	// SnapshotAt is when the snapshot was taken, in whatever process, by the source's clock: of
	// then are the rows. Zero where it is not known. See connectors.Timed.
	SnapshotAt time.Time `json:"snapshot_at,omitzero"`
	// Instant is how the snapshot's readers came to see one instant, where a source has
	// more than one way.
	Instant *connectors.Instant `json:"instant,omitempty"`
	Began   time.Time           `json:"began"`
	Took    time.Duration       `json:"took_ns"`
	// Loaded is how long of the copy phase it took until the last row was in; the indexes
	// that the phase still makes then, beside each other, come after it.
	Loaded      time.Duration    `json:"loaded_ns"`
	Phases      []PhaseTime      `json:"phases"`
	Tables      []TableSummary   `json:"tables"`
	Rows        int64            `json:"rows"`
	Bytes       int64            `json:"bytes"`
	Retries     int              `json:"retries"`
	Fingerprint Fingerprint      `json:"fingerprint"`
	LeftBehind  []catalog.Object `json:"left_behind,omitempty"`
	Watch       *WatchSummary    `json:"watch,omitempty"`
	// Warnings are what the run was warned of, in the order in which it was: for the caller
	// to fill in, who hears of all of them.
	Warnings []string `json:"warnings,omitempty"`
	// Resumed says what an earlier execution of the run had done; nil if there was none.
	Resumed *Resumed `json:"resumed,omitempty"`
}

// Resumed is what a run that goes on has found.
type Resumed struct {
	Began  time.Time `json:"began"` // the build, by the target's clock
	Chunks int       `json:"chunks"`
	Rows   int64     `json:"rows"`
	Bytes  int64     `json:"bytes"`
}

// PhaseTime is how long a phase took.
type PhaseTime struct {
	Phase Phase         `json:"phase"`
	Took  time.Duration `json:"took_ns"`
}

// TableSummary is what was copied of one table.
type TableSummary struct {
	Table  catalog.TableID `json:"table"`
	Rows   int64           `json:"rows"`
	Bytes  int64           `json:"bytes"`
	Chunks int             `json:"chunks"`
	// Dropped is set when the policy leaves the rows behind.
	Dropped bool `json:"dropped,omitempty"`
}

// PhaseTook returns how long a phase took, all rounds of it, or 0.
func (s *Summary) PhaseTook(p Phase) (took time.Duration) {
	for _, t := range s.Phases {
		if t.Phase == p {
			took += t.Took
		}
	}
	return took
}
