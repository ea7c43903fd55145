package policies

import (
	"regexp"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/masking"
)

// isDocument reports whether a transform decides part by part.
func isDocument(s masking.Spec) bool { return s.Paths != nil || s.Inner != nil }

// part is one path of a document, and what decides about it on both sides.
type part struct {
	path        string // each, of the elements of an array
	before, now masking.Spec
}

// compareDocuments is the product of the parts. Documents of two languages do not compare.
func compareDocuments(before, now masking.Spec) Strength {
	parts, ok := partsOf(before, now)
	if !ok {
		return Changed
	}
	var all []Strength
	for _, p := range parts {
		all = append(all, compareSpec(p.before, p.now))
	}
	s := product(all...)
	if s == Same && (isDocument(before) != isDocument(now) || before.Params["malformed"] != now.Params["malformed"]) {
		// {json: {"*": keep}} writes what keep does, and a document that is none becomes an
		// error, NULL or nothing: none of that lets a value through.
		return Changed
	}
	return s
}

// partsOf pairs the parts of two transforms, at least one of which is a document, in the
// order of before and then of now. It reports false for documents of two languages.
func partsOf(before, now masking.Spec) (parts []part, ok bool) {
	if isDocument(before) && isDocument(now) && before.Name != now.Name {
		return nil, false
	}
	if before.Inner != nil || now.Inner != nil {
		inner := func(s masking.Spec) masking.Spec {
			if s.Inner != nil {
				return *s.Inner
			}
			return s
		}
		return []part{{"each", inner(before), inner(now)}}, true
	}
	language := before.Name
	if before.Paths == nil {
		language = now.Name
	}
	seen := map[string]bool{}
	for _, s := range []masking.Spec{before, now} {
		for _, p := range s.Paths {
			if !seen[p.Path] {
				seen[p.Path] = true
				parts = append(parts, part{p.Path, decides(language, before, p.Path), decides(language, now, p.Path)})
			}
		}
	}
	return parts, true
}

// decides returns what a transform does to one path: what the path's own line says, or
// the longest line around it, the one with the fewest wildcards first; then `*`. The
// transform of a whole decides about every path.
func decides(language string, s masking.Spec, path string) masking.Spec {
	if s.Paths == nil {
		return s
	}
	var best *masking.PathSpec
	length, wild := -1, 0
	steps := pathSteps(language, path)
	for i := range s.Paths {
		p := &s.Paths[i]
		if p.Path == path {
			return p.Spec
		}
		if p.Path == "*" || path == "*" {
			continue
		}
		pattern := pathSteps(language, p.Path)
		if !leadsTo(pattern, steps) {
			continue
		}
		w := wildcards(pattern)
		if len(pattern) > length || len(pattern) == length && w < wild {
			best, length, wild = p, len(pattern), w
		}
	}
	if best == nil {
		for i := range s.Paths {
			if s.Paths[i].Path == "*" {
				return s.Paths[i].Spec
			}
		}
		// The fields of a composite may all be named: another one is an error.
		return masking.Spec{Name: "drop"}
	}
	if length < len(steps) && best.Spec.Name != "keep" && !deep(pathSteps(language, best.Path)) {
		// An object where a named path expects a value is dropped, with all inside.
		return masking.Spec{Name: "drop"}
	}
	return best.Spec
}

var jsonStep = regexp.MustCompile(`\.\.|\[\*\]|\['(?:[^'\\]|\\.)*'\]|\["(?:[^"\\]|\\.)*"\]|\.?[^.\[]+`)

// pathSteps cuts a path at its steps: `..` is one of its own (of XML: //), `*` a wildcard.
func pathSteps(language, path string) []string {
	switch language {
	case "fields":
		return []string{path}
	case "xml":
		return strings.Split(strings.TrimPrefix(strings.ReplaceAll(path, "//", "/../"), "/"), "/")
	}
	var steps []string
	for _, s := range jsonStep.FindAllString(strings.TrimPrefix(path, "$"), -1) {
		switch {
		case s == ".." || s == "[*]":
		case strings.HasPrefix(s, "["):
			s = s[2 : len(s)-2] // ['odd key'] is a name like others
		default:
			s = strings.TrimPrefix(s, ".")
		}
		steps = append(steps, s)
	}
	return steps
}

func wildcards(steps []string) (n int) {
	for _, s := range steps {
		if s == "*" || s == "[*]" || s == "@*" {
			n++
		} else if s == ".." {
			n += len(steps) + 1 // the last of all
		}
	}
	return n
}

func deep(steps []string) bool { return slices.Contains(steps, "..") }

// leadsTo reports whether a pattern leads to a path, or to something around it.
func leadsTo(pattern, path []string) bool {
	switch {
	case len(pattern) == 0:
		return true
	case pattern[0] == "..":
		for i := range path {
			if leadsTo(pattern[1:], path[i:]) {
				return true
			}
		}
		return false
	case len(path) == 0:
		return false
	case pattern[0] == path[0],
		pattern[0] == "*" && path[0] != "[*]" && path[0] != ".." && !strings.HasPrefix(path[0], "@"),
		pattern[0] == "@*" && strings.HasPrefix(path[0], "@"):
		return leadsTo(pattern[1:], path[1:])
	}
	return false
}
