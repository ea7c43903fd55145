// Package report writes what an audit has found, for people and for programs: text,
// JSON, SARIF, JUnit, CSV, one HTML page, and the record of GDPR Article 30. It knows
// no policy and no database: whoever calls it has put everything into a Report.
package report

// Level is how grave a finding is.
type Level string

// The levels, the gravest first. SARIF calls them error, error, warning and note.
const (
	Critical Level = "critical"
	High     Level = "high"
	Medium   Level = "medium"
	Low      Level = "low"
)

// Levels returns the levels, the gravest first.
func Levels() []Level { return []Level{Critical, High, Medium, Low} }

// rank orders levels: 0 is the gravest.
func (l Level) rank() int {
	for i, other := range Levels() {
		if l == other {
			return i
		}
	}
	return len(Levels())
}

// Never is the level that no finding reaches.
const Never Level = "never"

// AtLeast reports whether the level is as grave as least, or graver.
func (l Level) AtLeast(least Level) bool {
	return least.rank() < len(Levels()) && l.rank() <= least.rank()
}

// Finding is one thing that a rule holds against the policy. It shows names and the
// policy's words: no cell value and nothing of a key.
type Finding struct {
	Rule    string `json:"rule"`             // SAN-C01
	Level   Level  `json:"level"`            //
	File    string `json:"file,omitempty"`   // the policy file, or a base that it builds on
	Line    int    `json:"line,omitempty"`   // from 1; 0 if no line is to blame
	Column  int    `json:"column,omitempty"` // in characters, from 1
	Object  string `json:"object,omitempty"` // schema.table.column, a class, a table; empty is the policy
	Part    string `json:"part,omitempty"`   // of the object: a path of a document, the name of a constraint
	Message string `json:"message"`
	Help    string `json:"help,omitempty"`
	Excerpt string `json:"excerpt,omitempty"` // the line, and a caret beneath
	// Waived is set if a waiver of the policy accepts the finding.
	Waived *Waived `json:"waived,omitempty"`
}

// Waived says who accepted a finding, why, and until when.
type Waived struct {
	Because string `json:"because"`
	By      string `json:"by"`
	Expires string `json:"expires"`
	From    string `json:"from,omitempty"` // the base policy that has the waiver; empty if the policy itself has it
}

// by spells who accepted a finding: the approver, and the base if it is one's.
func (w *Waived) by() string {
	if w.From == "" {
		return w.By
	}
	return w.By + " in " + w.From
}
