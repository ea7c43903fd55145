package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
)

// worded lists the kinds of objects whose words are the same for every account
// that reads them. Others are listed by what an account may see.
var worded = []string{"view", "materialized view", "function", "procedure", "aggregate", "rule", "policy", "enum", "domain", "virtual table"}

// diffDefinitions lists what has changed in the words of definitions.
func diffDefinitions(a, b *Catalog) []Change {
	var changes []Change
	add := func(at, format string, args ...any) {
		changes = append(changes, Change{At: at, What: fmt.Sprintf(format, args...), Definition: true})
	}
	for _, now := range b.Tables {
		old := a.Table(now.ID)
		if old == nil {
			continue
		}
		at := now.ID.String()
		for _, c := range now.Columns {
			if was := old.Column(c.Name); was != nil && was.Computation != c.Computation {
				add(at+"."+c.Name, "computation changed")
			}
		}
		diffNamed(at, "check", definitionWords(old.Checks), definitionWords(now.Checks), add)
		diffNamed(at, "index", definitionWords(old.Indexes), definitionWords(now.Indexes), add)
		diffNamed(at, "trigger", definitionWords(old.Triggers), definitionWords(now.Triggers), add)
	}
	old, now := objectWords(a), objectWords(b)
	diffObjects(old, now, add)
	return changes
}

func definitionWords(list []Definition) map[string]string {
	all := map[string]string{}
	for _, d := range list {
		all[d.Name] += fmt.Sprintf("%q %q\n", d.Text, d.Function)
		if d.Disabled {
			all[d.Name] += "disabled\n"
		}
	}
	return all
}

func objectWords(c *Catalog) map[string]string {
	all := map[string]string{}
	for _, o := range c.Objects {
		if slices.Contains(worded, o.Kind) {
			all[o.Kind+" "+o.Name] += o.Definition + "\n"
		}
	}
	return all
}

func diffObjects(old, now map[string]string, add func(at, format string, args ...any)) {
	var names []string
	for n := range old {
		names = append(names, n)
	}
	for n := range now {
		if _, both := old[n]; !both {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	for _, n := range names {
		was, hadIt := old[n]
		is, hasIt := now[n]
		switch {
		case !hadIt:
			add(n, "added")
		case !hasIt:
			add(n, "removed")
		case was != is:
			add(n, "definition changed")
		}
	}
}

// DefinitionsFingerprint returns the SHA-256, in hex, of the definitions that Diff
// compares beside what Fingerprint covers. Two catalogs that agree in both fingerprints
// have no Diff. A server's next major version may print the same definition in other words.
func (c *Catalog) DefinitionsFingerprint() string {
	h := sha256.New()
	e := json.NewEncoder(h)
	encode := func(v any) {
		if err := e.Encode(v); err != nil {
			panic("catalog: fingerprint: " + err.Error()) // plain data always encodes
		}
	}
	for _, t := range c.Tables {
		var computed []string
		for _, col := range t.Columns {
			if col.Computation != "" {
				computed = append(computed, col.Name, col.Computation)
			}
		}
		encode([]any{t.ID, computed, definitionWords(t.Checks), definitionWords(t.Indexes), definitionWords(t.Triggers)})
	}
	encode(objectWords(c)) // maps are encoded in the order of their keys
	return hex.EncodeToString(h.Sum(nil))
}
