package policies

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/policies/report"
)

// Manifest is what a run says that it did: the summary that `sanitize run --json`
// prints, and --summary writes to a file. It holds names and counts. Fields that a later version adds are listed here
// when they come; until then they are errors, so that no evidence is passed over.
type Manifest struct {
	Run         string            `json:"run"`
	Source      string            `json:"source"` // host:port/database, or the path of a file
	Target      string            `json:"target"`
	Snapshot    string            `json:"snapshot"`
	SnapshotAt  time.Time         `json:"snapshot_at"` // by the source's clock; zero if the run did not know
	Began       time.Time         `json:"began"`       // this and the durations are of the last process of the run
	Took        time.Duration     `json:"took_ns"`
	Loaded      time.Duration     `json:"loaded_ns"`
	Phases      []ManifestPhase   `json:"phases"`
	Tables      []ManifestTable   `json:"tables"`
	Rows        int64             `json:"rows"`
	Bytes       int64             `json:"bytes"`
	Retries     int               `json:"retries"`
	Fingerprint map[string]string `json:"fingerprint"` // of Compiled, part by part
	LeftBehind  []catalog.Object  `json:"left_behind,omitempty"`
	Warnings    []string          `json:"warnings,omitempty"`
	// Resumed is what other processes had done of the run before; nil if one did all.
	Resumed *ManifestResumed `json:"resumed,omitempty"`
	// Instant and Watch say how the run went; no rule looks at them.
	Instant json.RawMessage `json:"instant,omitempty"`
	Watch   json.RawMessage `json:"watch,omitempty"`
}

// ManifestResumed is what a run that went on had found.
type ManifestResumed struct {
	Began  time.Time `json:"began"` // the copy, by the target's clock
	Chunks int       `json:"chunks"`
	Rows   int64     `json:"rows"`
	Bytes  int64     `json:"bytes"`
}

// ManifestPhase is how long a phase of a run took.
type ManifestPhase struct {
	Phase any           `json:"phase"`
	Took  time.Duration `json:"took_ns"`
}

// ManifestTable is what was copied of one table.
type ManifestTable struct {
	Table   catalog.TableID `json:"table"`
	Rows    int64           `json:"rows"`
	Bytes   int64           `json:"bytes"`
	Chunks  int             `json:"chunks"`
	Dropped bool            `json:"dropped,omitempty"` // the policy leaves the rows behind
}

// ReadManifest reads a manifest strictly. name names the file in the error.
func ReadManifest(name string, text []byte) (*Manifest, error) {
	var m Manifest
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return nil, fmt.Errorf("%s is no manifest of a run: %w", name, plainJSON(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s is no manifest of a run: there is more behind it", name)
	}
	if m.Run == "" || m.Fingerprint == nil {
		return nil, fmt.Errorf("%s is no manifest of a run: it has no run, or no fingerprint", name)
	}
	return &m, nil
}

// facts is what a report shows of the run.
func (m *Manifest) facts() *report.Run {
	when := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	r := &report.Run{ID: m.Run, Source: m.Source, Target: m.Target, SnapshotAt: when(m.SnapshotAt), Began: when(m.Began), Rows: m.Rows, Policy: m.Fingerprint["policy"], Snapshot: m.Snapshot}
	if e := m.Resumed; e != nil {
		r.Resumed = &report.Resumed{Began: when(e.Began), Rows: e.Rows}
	}
	return r
}

// plainJSON takes the name of Go's types out of an error.
func plainJSON(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Errorf("%s cannot be a %s", wrong.Field, wrong.Value)
	}
	return err
}

// rows returns how many rows were copied of a table, and whether the manifest tells.
func (m *Manifest) rows(id catalog.TableID) (int64, bool) {
	for _, t := range m.Tables {
		if t.Table == id && !t.Dropped {
			return t.Rows, true
		}
	}
	return 0, false
}
