package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sanitize-db/sanitize/masking"
	"github.com/sanitize-db/sanitize/policies"
)

func newTransforms(u *ui) *cobra.Command {
	var asJSON bool
	cmd := command{
		use:   "transforms [NAME] [--json]",
		short: "print the catalogue of transforms",
		long: `Transforms prints what can stand in a policy's do: every transform with its
variants, or one of them with its parameters, what it guarantees, and what it does
to three values. The values are masked under a key that everybody knows; under
yours they become others.`,
		example:  "  sanitize transforms\n  sanitize transforms fake",
		exits:    []int{exitDone, exitFailed, exitUsage},
		optional: "NAME",
		run: func(cmd *cobra.Command, args []string) error {
			names := masking.Standard().Names()
			if len(args) > 0 {
				if !slices.Contains(names, args[0]) {
					return &usageError{reason: fmt.Sprintf("there is no transform %q", args[0]), help: "the transforms are: " + strings.Join(names, ", ")}
				}
				names = args
			}
			entries, err := catalogue(names)
			switch {
			case err != nil:
				return err
			case asJSON:
				return u.JSON(entries)
			case len(args) > 0:
				return u.Data(entries[0].String())
			}
			return u.Data(overview(entries))
		},
	}.build(u)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// transformEntry is one transform of the catalogue.
type transformEntry struct {
	Name     string           `json:"name"`
	Version  int              `json:"version"` // of its output
	Summary  string           `json:"summary"`
	Kinds    []string         `json:"kinds,omitempty"`    // of columns; any if there are none
	Variants []string         `json:"variants,omitempty"` // the value of its own key is one of these,
	Value    string           `json:"value,omitempty"`    // or this, in words
	Params   []transformParam `json:"params,omitempty"`
	Samples  []transformShown `json:"samples"`
}

type transformParam struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Required bool   `json:"required,omitempty"`
	Summary  string `json:"summary"`
}

type transformShown struct {
	Do         string              `json:"do"`
	Column     string              `json:"column"`
	Beside     map[string][]string `json:"beside,omitempty"` // values of other columns of the row
	Values     []string            `json:"values"`
	Masked     []*string           `json:"masked"` // null is NULL
	Guarantees masking.Guarantees  `json:"guarantees"`
	Warnings   []string            `json:"warnings,omitempty"`
}

// sampleKey is the key of the samples. It is no secret.
const sampleKey = "the key of the samples, no secret"

// catalogue describes the transforms of the given names, from the registry.
func catalogue(names []string) ([]transformEntry, error) {
	registry := masking.Standard()
	key, err := masking.KeyFromBytes([]byte(sampleKey)[:masking.KeySize])
	if err != nil {
		return nil, err
	}
	var entries []transformEntry
	for _, name := range names {
		d := registry.Factory(name).Describe()
		e := transformEntry{Name: d.Name, Version: d.Version, Summary: d.Summary, Variants: d.Variants, Value: d.Value, Samples: []transformShown{}}
		for _, k := range d.Kinds {
			e.Kinds = append(e.Kinds, k.String())
		}
		for _, p := range d.Params {
			e.Params = append(e.Params, transformParam{p.Name, p.Type, p.Required, p.Summary})
		}
		for _, s := range d.Samples {
			s.Spec.Name = d.Name
			shown, err := registry.Show(key, s)
			if err != nil {
				return nil, err
			}
			e.Samples = append(e.Samples, entryOf(shown))
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func entryOf(s masking.Shown) transformShown {
	t := transformShown{Do: policies.DoOf(s.Spec).String(), Column: columnInWords(s.Column), Values: s.Values, Guarantees: s.Guarantees, Warnings: s.Warnings}
	for i := range s.Masked {
		if s.Valid[i] {
			t.Masked = append(t.Masked, &s.Masked[i])
		} else {
			t.Masked = append(t.Masked, nil)
		}
	}
	for _, b := range s.Beside {
		if t.Beside == nil {
			t.Beside = map[string][]string{}
		}
		t.Beside[b.Column.Name] = b.Values
	}
	return t
}

// columnInWords says what a sample's column is: unique text of 30 characters.
func columnInWords(c masking.Column) string {
	s := c.Kind.String()
	if c.Unique {
		s = "unique " + s
	}
	switch {
	case c.Bits > 0:
		s += fmt.Sprintf(" of %d bits", c.Bits)
	case c.MaxChars > 0:
		s += fmt.Sprintf(" of %d characters", c.MaxChars)
	case c.Precision > 0:
		s += fmt.Sprintf(" of %d digits, %d behind the point", c.Precision, c.Scale)
	}
	if c.Element != nil {
		s += " of " + columnInWords(*c.Element)
	}
	return s
}

// overview lists the transforms, a line each.
func overview(entries []transformEntry) string {
	var t table
	for _, e := range entries {
		value := e.Value
		if len(e.Variants) > 0 {
			value = strings.Join(e.Variants, ", ")
		}
		t.Row(e.Name, e.Summary)
		if value != "" {
			t.Row("", "  "+value)
		}
	}
	return t.String() + "\nOne of them in full: sanitize transforms NAME\n"
}

// String describes one transform in full.
func (e transformEntry) String() string {
	var b strings.Builder
	kinds := "any column"
	if len(e.Kinds) > 0 {
		kinds = "columns of kind " + strings.Join(e.Kinds, ", ")
	}
	fmt.Fprintf(&b, "%s, version %d: %s\nIt masks %s.\n", e.Name, e.Version, e.Summary, kinds)
	switch {
	case len(e.Variants) > 0:
		fmt.Fprintf(&b, "Its variants are %s.\n", strings.Join(e.Variants, ", "))
	case e.Value != "":
		fmt.Fprintf(&b, "Its value is %s.\n", e.Value)
	}
	if len(e.Params) > 0 {
		b.WriteString("\nParameters:\n")
		var t table
		for _, p := range e.Params {
			kind := p.Type
			if p.Required {
				kind += ", required"
			}
			t.Row("  "+p.Name, kind, p.Summary)
		}
		b.WriteString(t.String())
	}
	for _, s := range e.Samples {
		fmt.Fprintf(&b, "\n%s\n  on %s: %s\n", s.Do, s.Column, guaranteesInWords(s.Guarantees))
		for _, w := range s.Warnings {
			fmt.Fprintf(&b, "  warning: %s\n", w)
		}
		var t table
		for i, v := range s.Values {
			var beside []string
			for name, values := range s.Beside {
				beside = append(beside, name+" "+values[i])
			}
			slices.Sort(beside)
			masked := "NULL"
			if s.Masked[i] != nil {
				masked = inQuotes(*s.Masked[i])
			}
			row := []string{"    " + inQuotes(v), "→", masked}
			if beside != nil {
				row = append(row, "for "+strings.Join(beside, ", "))
			}
			t.Row(row...)
		}
		b.WriteString(t.String())
	}
	return b.String()
}

// inQuotes shows where a value begins and ends, without escapes if that is possible.
func inQuotes(v string) string {
	if strings.Contains(v, `"`) && strconv.CanBackquote(v) {
		return "`" + v + "`"
	}
	return strconv.Quote(v)
}

// guaranteesInWords says what a binding guarantees.
func guaranteesInWords(g masking.Guarantees) string {
	var words []string
	for _, w := range []struct {
		holds bool
		words string
	}{
		{g.Deterministic, "deterministic"},
		{g.Injective, "injective"},
		{g.Reversible, "reversible with the key"},
		{g.KeepsFormat, "keeps the format"},
		{g.KeepsLength, "keeps the length"},
		{g.KeepsNull, "keeps NULL"},
		{g.KeepsEmpty, "keeps what is empty"},
	} {
		if w.holds {
			words = append(words, w.words)
		}
	}
	if !g.Injective && g.OutputBits > 0 {
		words = append(words, fmt.Sprintf("%.0f bits", g.OutputBits))
	}
	return strings.Join(words, ", ")
}
