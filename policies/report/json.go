package report

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// JSON returns the report as an object of indented JSON. Its field `version` is that of
// the format; within a version fields are added and none is taken away, so that a
// reader passes over what it does not know. The lists `findings`, `rules` and
// `inventory` are always there, though they may be empty. The exit code of the audit
// goes by `findings` without a `waived`.
func (r *Report) JSON() ([]byte, error) {
	full := *r
	if full.Profiles == nil {
		full.Profiles = []string{}
	}
	if full.Findings == nil {
		full.Findings = []Finding{}
	}
	if full.Classes == nil {
		full.Classes = []Class{}
	}
	if full.Inventory == nil {
		full.Inventory = []Column{}
	}
	if full.Signatures == nil {
		full.Signatures = []Signature{}
	}
	if full.Weakened == nil {
		full.Weakened = []Change{}
	}
	return indented(full)
}

// indented is JSON as people read it: <, > and & stay themselves.
func indented(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("write report: %w", err)
	}
	return b.Bytes(), nil
}
