package connectors

import (
	"errors"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// Stopped returns the error with which a run stops, before it writes anything, where a
// database holds what a copy can neither have nor do without: the objects whose fate is
// Stops. It names each with its reason, and the hint names what to keep. A plan asks the
// same, so that it fails where a run would.
func Stopped(c *catalog.Catalog) error {
	byRef := map[string]catalog.Object{}
	for _, o := range c.Objects {
		byRef[o.Kind+":"+o.Name] = o
	}
	var lines, roots []string
	at := map[string]int{}
	fixed := false
	seen := map[string]bool{}
	var visit func(refs []string)
	visit = func(refs []string) {
		for _, ref := range refs {
			o, known := byRef[ref]
			if !known || seen[ref] || o.Fate.Along() {
				continue
			}
			seen[ref] = true
			switch {
			case len(o.Causes) > 0:
				visit(o.Causes)
			default:
				roots = append(roots, "--keep-object '"+ref+"'")
				fixed = fixed || o.Fixed
			}
		}
	}
	for _, o := range c.Fates() {
		if o.Fate != catalog.Stops {
			continue
		}
		visit(byRef[o.Kind+":"+o.Name].Causes)
		group := o.Kind + "\x00" + o.Reason
		if n, same := at[group]; same {
			name, reason, _ := strings.Cut(lines[n], "\x00")
			lines[n] = name + ", " + o.Name + "\x00" + reason
			continue
		}
		at[group] = len(lines)
		lines = append(lines, o.Kind+" "+o.Name+"\x00"+o.Reason)
	}
	if lines == nil {
		return nil
	}
	for i := range lines {
		lines[i] = strings.Replace(lines[i], "\x00", ": ", 1)
	}
	hint := "change them at the source"
	if len(roots) > 0 && !fixed {
		slices.Sort(roots)
		hint = "keep what they need: " + strings.Join(roots, " ") + "; or change them at the source"
	}
	return &Error{Kind: KindUnsupported, Side: SourceSide, Op: "stop before anything is written", Err: errors.New(strings.Join(lines, "; ")), Hint: hint}
}
