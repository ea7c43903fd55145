package policies

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/masking"
)

// fingerprint returns everything that shapes the output, part by part: the policy and
// what it builds on, the key's check value, the catalog, the version of every transform
// in use, and what each domain has pinned (ranges, dictionaries).
func (c *compiler) fingerprint() map[string]string {
	parts := map[string]string{
		"policy":  c.p.Digest,
		"key":     c.key.Check(),
		"catalog": c.catalog.Fingerprint(),
	}
	if pins := c.p.extended(); pins != nil {
		parts["extends"] = strings.Join(pins, ", ")
	}
	versions := map[string]bool{}
	var transforms func(masking.Spec)
	transforms = func(s masking.Spec) {
		if f := c.reg.Factory(s.Name); f != nil {
			d := f.Describe()
			versions[fmt.Sprintf("%s v%d", d.Name, d.Version)] = true
		}
		for _, p := range s.Paths {
			transforms(p.Spec)
		}
		if s.Inner != nil {
			transforms(*s.Inner)
		}
		for _, class := range s.Classes {
			transforms(class)
		}
	}
	for _, ts := range c.tables {
		for _, col := range ts.columns {
			if col.bound {
				transforms(col.decision.spec)
			}
		}
	}
	parts["masking"] = strings.Join(slices.Sorted(maps.Keys(versions)), ", ")
	for name, pinned := range c.pinned() {
		parts["pinned "+name] = strings.Join(pinned, "; ")
	}
	return parts
}

// pinned returns what the transforms of each domain have pinned, sorted.
func (c *compiler) pinned() map[string][]string {
	all := map[string][]string{}
	for _, ts := range c.tables {
		for _, col := range ts.columns {
			pinned := col.binding.Pinned
			if col.atRun {
				pinned = atRun
			}
			if !col.bound || pinned == "" {
				continue
			}
			name := c.domain(col) + " " + col.decision.spec.Name
			if !slices.Contains(all[name], pinned) {
				all[name] = append(all[name], pinned)
			}
		}
	}
	for _, pinned := range all {
		slices.Sort(pinned)
	}
	return all
}

// pinnedWarnings finds domains in which equal numbers are masked differently, since columns
// that no key ties together have different widths, or different decimal places.
func (c *compiler) pinnedWarnings() []string {
	ranges := map[string][]string{}
	for _, ts := range c.tables {
		for _, col := range ts.columns {
			kind := kindOf(col.col.Type)
			permuted := col.bound && col.decision.spec.Name == "number" // of decimals, too
			if !col.bound || kind != masking.Int && !(permuted && kind == masking.Numeric) || col.binding.Pinned == "" {
				continue
			}
			name := col.decision.class + " by " + col.decision.spec.Name
			if !slices.Contains(ranges[name], col.binding.Pinned) {
				ranges[name] = append(ranges[name], col.binding.Pinned)
			}
		}
	}
	var warnings []string
	for _, name := range slices.Sorted(maps.Keys(ranges)) {
		pinned := ranges[name]
		if len(pinned) < 2 {
			continue
		}
		slices.Sort(pinned)
		what, help := "integers", "link the columns, or pin one range"
		if strings.HasSuffix(name, " by number") {
			what, help = "numbers", "link the columns, or write a scale: that all of them have"
		}
		warnings = append(warnings, fmt.Sprintf("class %s: %s that no key ties together are masked differently (%s) and do not join; %s", name, what, strings.Join(pinned, "; "), help))
	}
	return warnings
}

// whereOf is where a class is defined, which may be in a base.
func (c *compiler) whereOf(class *Class) string {
	if class.From != nil {
		return fmt.Sprintf("%s:%d", class.From.File, class.At.Line)
	}
	return c.where(class.At)
}

// keptWarnings finds classes of data that point at somebody, or must not be seen,
// and are kept all the same: the policy's word counts, and it is said aloud.
func (c *compiler) keptWarnings() []string {
	var warnings []string
	for _, class := range c.p.Classes {
		if slices.Contains([]string{"direct", "special", "pci", "secret"}, class.Kind) && class.Do.Name == "keep" {
			warnings = append(warnings, fmt.Sprintf("%s: class %s is %s and kept: its values arrive in clear", c.whereOf(class), class.Name, class.Kind))
		}
	}
	return warnings
}
