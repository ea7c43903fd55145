package policies

import (
	"fmt"
	"math"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Samples reads a few rows of a table that stores rows and calls see for each:
// row[i] is the text of t.Columns[i], nil for NULL and for what has no text. row is
// good until see returns; an error of see ends the sample and is returned.
type Samples func(t *catalog.Table, see func(row [][]byte) error) error

// Detected is what the detector says of one column. It holds no value of any row.
type Detected struct {
	Table  catalog.TableID `json:"table"`
	Column string          `json:"column"`
	Type   string          `json:"type"`
	// Class is the class of data that it seems to be; public if more speaks for nothing
	// personal; document of a document of which nothing more is known.
	Class string `json:"class"`
	// Score is how much speaks for personal data, 0 to 1, in steps of 0.05; from 0.5
	// the class is another than public.
	Score float64 `json:"score"`
	// Reason says in words why.
	Reason string `json:"reason"`
	// FreeText is set where people write what they like, so that anything may be in it.
	FreeText bool `json:"free_text,omitempty"`
	// Inherits is the column that this one points to, schema.table.column, where a key
	// or a parent decides.
	Inherits string `json:"inherits,omitempty"`
	// Unsure is set where a person has to look.
	Unsure bool `json:"unsure,omitempty"`
	// Paths is what samples of a document showed inside.
	Paths []DetectedPath `json:"paths,omitempty"`
}

// DetectedPath is what the detector says of one path of a document.
type DetectedPath struct {
	Path   string  `json:"path"` // as the policy spells it: $.contact.email
	Class  string  `json:"class"`
	Score  float64 `json:"score"`
	Reason string  `json:"reason"`
}

// Discover says of every column of the catalog what sort of data it seems to hold, in
// the catalog's order. samples may be nil: then names, types, keys, labels and comments
// have to do. With it each table that stores rows is sampled once; what is held of a
// sample is bounded, see maxSampleBytes. The first error of samples ends it.
//
// It is the same detector that Init proposes by and Compile's hints come from. Equal
// arguments give equal answers.
func Discover(c *catalog.Catalog, samples Samples) ([]Detected, error) {
	d, err := newDetector(c, samples)
	if err != nil {
		return nil, err
	}
	return d.all(), nil
}

// detector is the guesser, and the relations through which columns inherit.
type detector struct {
	graph *compiler
}

func newDetector(c *catalog.Catalog, samples Samples) (*detector, error) {
	d := &detector{graph: newCompiler(&Policy{}, c)}
	if samples != nil {
		if err := d.graph.guesser.sample(c, samples); err != nil {
			return nil, err
		}
	}
	d.graph.enter()
	d.graph.relate()
	return d, nil
}

func (d *detector) all() []Detected {
	var out []Detected
	for _, ts := range d.graph.tables {
		for _, col := range ts.columns {
			out = append(out, d.column(col))
		}
	}
	return out
}

// column says what one column is: by what it points to, or else by itself.
func (d *detector) column(col *column) Detected {
	found := Detected{Table: col.table.t.ID, Column: col.col.Name, Type: col.col.Type.Name}
	end := d.end(col)
	g := d.graph.guesser.guess(end.table.t, end.col)
	found.Class, found.Score, found.Reason, found.Unsure = Public, round(g.score), g.reason, !g.sure
	if g.personal() {
		found.Class = g.data
	}
	found.FreeText = found.Class == freeText
	if end != col {
		found.Inherits = end.id().String()
		found.Reason = fmt.Sprintf("%s: %s", col.edges[0].words(col), g.reason)
	}
	if found.Class == document {
		found.Paths = d.graph.guesser.paths(end.table.t, end.col)
	}
	return found
}

// end follows keys and parents to the column that decides; in a cycle, to the first
// of it in the order of names, so that all of them agree.
func (d *detector) end(col *column) *column {
	seen := []*column{col}
	for at := col; len(at.edges) > 0; {
		at = at.edges[0].to
		for i, s := range seen {
			if s == at {
				first := at
				for _, c := range seen[i:] {
					if c.before(first) {
						first = c
					}
				}
				return first
			}
		}
		seen = append(seen, at)
	}
	return seen[len(seen)-1]
}

// round makes steps of 0.05 of a score: it is an opinion, and no measurement.
func round(score float64) float64 { return math.Round(score*20) / 20 }
