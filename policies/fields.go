package policies

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// field is one entry of a mapping.
type field struct {
	name       string
	key, value *yaml.Node
}

// mapping returns the entries of a mapping, or complains that n is none.
func (r *reader) mapping(n *yaml.Node, what string) []field {
	if n.Kind != yaml.MappingNode {
		r.fail(n, "", "%s must be a mapping, not %s", what, describe(n))
		return nil
	}
	fields := make([]field, 0, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		fields = append(fields, field{n.Content[i].Value, n.Content[i], n.Content[i+1]})
	}
	return fields
}

// unknown complains about a field that does not exist.
func (r *reader) unknown(f field, what string, known ...string) {
	help := what + " has the fields " + strings.Join(known, ", ")
	if near := nearest(f.name, known); near != "" {
		help = "did you mean " + near + "?"
	}
	r.fail(f.key, help, "%s has no field %s", what, named(r, f.key))
}

// describe tells what a node is, without its contents.
func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	}
	switch n.Tag {
	case "!!str":
		return "a text"
	case "!!null":
		return "nothing"
	case "!!bool":
		return "true or false"
	case "!!timestamp":
		return "a date"
	default:
		return "a number"
	}
}

// text returns a non-empty text.
func (r *reader) text(n *yaml.Node, what string) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
		help := ""
		if n.Kind == yaml.ScalarNode && n.Tag != "!!null" && !r.p.aboutKeys(n.Line) {
			help = "quote it: " + quoted(clip(n.Value))
		}
		r.fail(n, help, "%s must be a text, not %s", what, describe(n))
		return "", false
	}
	if n.Value == "" {
		r.fail(n, "", "%s is empty", what)
		return "", false
	}
	return n.Value, true
}

// oneOf returns a text out of a few.
func (r *reader) oneOf(n *yaml.Node, what string, words ...string) (string, bool) {
	s, ok := r.text(n, what)
	if !ok {
		return "", false
	}
	if !slices.Contains(words, s) {
		help := ""
		if near := nearest(s, words); near != "" {
			help = "did you mean " + near + "?"
		}
		if len(words) == 1 {
			r.fail(n, help, "%s can only be %s", what, words[0])
		} else {
			r.fail(n, help, "%s must be one of %s", what, strings.Join(words, ", "))
		}
		return "", false
	}
	return s, true
}

// list returns the items of a list.
func (r *reader) list(n *yaml.Node, what string) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		r.fail(n, "", "%s must be a list, not %s", what, describe(n))
		return nil
	}
	r.atMost(n, len(n.Content), maxList, what)
	return n.Content[:min(len(n.Content), maxList)]
}

// atMost complains about more entries than any person writes: some checks compare each
// with each.
func (r *reader) atMost(n *yaml.Node, entries, most int, what string) {
	if entries > most {
		r.fail(n, "", "%s has %d entries, more than %d", what, entries, most)
	}
}

// texts returns a list of texts, none of them twice.
func (r *reader) texts(n *yaml.Node, what string) []string {
	var out []string
	for _, item := range r.list(n, what) {
		s, ok := r.text(item, "an item of "+what)
		if !ok {
			continue
		}
		if slices.Contains(out, s) {
			r.fail(item, "", "%s stands in %s for the second time", strconv.Quote(clip(s)), what)
			continue
		}
		out = append(out, s)
	}
	return out
}

// word returns an identifier: lower-case letters, digits, - and _.
func (r *reader) word(n *yaml.Node, what string) (string, bool) {
	s, ok := r.text(n, what)
	if ok && !keyWord.MatchString(s) {
		r.fail(n, "lower-case letters, digits, - and _; at most 32", "%s is not a plain word", what)
		return "", false
	}
	return s, ok
}

var (
	decimalInt   = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	decimalFloat = regexp.MustCompile(`^-?(0|[1-9][0-9]*)\.[0-9]+$`)
)

// value returns a scalar, a list or a mapping of scalars, as text, int64, float64,
// bool, []any or map[string]any. A date is the text that it is written as: 2026-01-31.
func (r *reader) value(n *yaml.Node, what string) (any, bool) {
	if n.Kind == yaml.MappingNode {
		all := map[string]any{}
		for _, f := range r.mapping(n, what) {
			if f.value.Kind != yaml.ScalarNode {
				r.fail(f.value, "", "%s in %s must be a plain value, not %s", named(r, f.key), what, describe(f.value))
				return nil, false
			}
			v, ok := r.value(f.value, named(r, f.key)+" in "+what)
			if !ok {
				return nil, false
			}
			all[f.name] = v
		}
		return all, true
	}
	if n.Kind == yaml.SequenceNode {
		list := []any{}
		for _, item := range n.Content {
			if item.Kind != yaml.ScalarNode {
				r.fail(item, "", "an item of %s must be a plain value, not %s", what, describe(item))
				return nil, false
			}
			v, ok := r.value(item, "an item of "+what)
			if !ok {
				return nil, false
			}
			list = append(list, v)
		}
		return list, true
	}
	if n.Kind != yaml.ScalarNode {
		r.fail(n, "", "%s must be a plain value, not %s", what, describe(n))
		return nil, false
	}
	switch n.Tag {
	case "!!str", "!!timestamp":
		return n.Value, true
	case "!!bool":
		return strings.EqualFold(n.Value, "true"), true
	case "!!int", "!!float":
		// YAML has octal, hexadecimal, sexagesimal and underscored numbers, which
		// readers take for different things. A policy has decimal ones.
		if decimalInt.MatchString(n.Value) {
			if v, err := strconv.ParseInt(n.Value, 10, 64); err == nil {
				return v, true
			}
		} else if decimalFloat.MatchString(n.Value) {
			if v, err := strconv.ParseFloat(n.Value, 64); err == nil {
				return v, true
			}
		}
		r.fail(n, "write a decimal number, or quote it as a text", "%s is not a plain decimal number of at most 64 bits", what)
	case "!!null":
		r.fail(n, `to set NULL write {"null": true}`, "%s has no value", what)
	default:
		r.fail(n, "", "%s must be a plain value", what)
	}
	return nil, false
}

// nearest returns the word that s was probably meant to be, or "".
func nearest(s string, words []string) string {
	best, distance := "", 1+max(1, len([]rune(s))/3)
	for _, w := range words {
		if strings.EqualFold(w, s) && w != s {
			return w
		}
		if d := editDistance(strings.ToLower(s), strings.ToLower(w), distance); d < distance {
			best, distance = w, d
		}
	}
	return best
}

// editDistance counts the characters to insert, delete, replace or swap with their
// neighbour to turn a into b (optimal string alignment), up to limit.
func editDistance(a, b string, limit int) int {
	s, t := []rune(a), []rune(b)
	if d := len(s) - len(t); d >= limit || -d >= limit || len(s) > 200 {
		return limit
	}
	before, last := make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range last {
		last[j] = j
	}
	for i := range s {
		row := make([]int, len(t)+1)
		row[0] = i + 1
		for j := range t {
			change := 1
			if s[i] == t[j] {
				change = 0
			}
			row[j+1] = min(last[j]+change, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && s[i] == t[j-1] && s[i-1] == t[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return min(last[len(t)], limit)
}
