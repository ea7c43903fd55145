package policies

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sanitize-db/sanitize/masking"
)

// Policy is a policy file as it was read. It is immutable, and safe for concurrent use.
type Policy struct {
	File     string // as it was named to Load or Parse
	Digest   string // SHA-256 of the exact bytes, in hex
	Version  int    // of the format: 1
	Header   Header
	Extends  []Extend // what the policy builds on, in the order of the file
	Defaults Defaults
	Keys     []KeySource // exactly one in this version
	Classes  []*Class    // those of the bases first, then in the order of the file
	Tables   []*TableRule
	Links    []Link
	Risk     []RiskRule
	Edges    EdgeCases
	Limits   Environments
	Waivers  []Waiver
	// Weakened is what waivers let this file, and its bases, do less than what they build on.
	Weakened []Weakening

	lines    []string
	keyLines []bool // marks the lines that may hold a key that somebody put there
	tablesAt Position
}

// Header is what a policy says of itself. It documents, and changes no output.
type Header struct {
	Name       string   `json:"name,omitempty"`
	Revision   int64    `json:"revision,omitempty"`
	Owner      string   `json:"owner,omitempty"`
	Purpose    string   `json:"purpose,omitempty"`
	LegalBasis string   `json:"legal_basis,omitempty"`
	DPIA       string   `json:"dpia,omitempty"`
	Subjects   []string `json:"subjects,omitempty"`
	Recipients []string `json:"recipients,omitempty"`
	Profiles   []string `json:"profiles,omitempty"`
	Review     Review   `json:"review,omitzero"`
}

// Review is who reviewed the policy, and until when that holds. The dates are
// spelled 2006-01-02.
type Review struct {
	By      string `json:"by,omitempty"`
	On      string `json:"on,omitempty"`
	Expires string `json:"expires,omitempty"`
}

// Defaults is what happens to what the policy does not name. There is no default
// that would let data pass.
type Defaults struct {
	UnlistedColumn string              // fail
	UnlistedTable  string              // fail, or skip: structure without rows
	SchemaDrift    string              // fail, or warn: harmless changes pass, and are said
	said           map[string]Position // those that a file spells out, and where
	at             Position            // of unlisted_table, in this file
}

// Extend is a policy that this one builds on, pinned by its digest.
type Extend struct {
	Path   string   `json:"path"`   // builtin/NAME, or a file relative to the policy's folder
	Digest string   `json:"digest"` // of the exact bytes, in hex: all of it, or its first 10 digits at least
	At     Position `json:"-"`
	Policy *Policy  `json:"-"` // as it was read
}

// RiskRule asks that each combination of quasi-identifiers occurs at least K times.
type RiskRule struct {
	Table string   `json:"table"`
	Quasi []string `json:"quasi"`
	K     int      `json:"k"`
	At    Position `json:"-"`
	From  *Policy  `json:"-"` // the base that has the rule; nil if this file does
}

// EdgeCases lists the sorts of values that the copy must still have.
type EdgeCases struct {
	Keep      []string `json:"keep,omitempty"` // of EdgeKinds
	PerColumn int      `json:"per_column,omitempty"`
	At        Position `json:"-"`
}

// EdgeKinds returns the sorts of edge cases that a policy can name.
func EdgeKinds() []string {
	return []string{"nulls", "empty", "longest", "unicode", "zero", "negative", "leap_day", "min_max"}
}

// Environments bounds the discovery databases that are made by the policy.
type Environments struct {
	TTL         time.Duration `json:"ttl,omitempty"` // how long one lives; 0 is not said
	MaxTTL      time.Duration `json:"max_ttl,omitempty"`
	MaxPerOwner int           `json:"max_per_owner,omitempty"`
	Hosts       []string      `json:"hosts,omitempty"` // patterns of host names that a target may be on
	At          Position      `json:"-"`
}

// Waiver accepts one finding of the audit until a day.
type Waiver struct {
	Rule    string   `json:"rule"` // SAN-Q01
	Object  string   `json:"at"`   // table.column, a class, a table; empty is the policy as a whole
	Because string   `json:"because"`
	By      string   `json:"by"`
	Expires string   `json:"expires"` // 2006-01-02, the last day
	At      Position `json:"-"`
	From    *Policy  `json:"-"` // the base that has the waiver; nil if this file does
}

// Weakening is one thing in which a policy does less than what it builds on, and that a
// waiver of SAN-P08 has let through.
type Weakening struct {
	Object  string // as the waiver names it: a class, a table, environments.ttl
	Message string
	At      Position
	From    *Policy // the base that is weaker than its own bases; nil if this file is
}

// KeySource says where a key comes from. It holds no key.
type KeySource struct {
	Name   string
	From   string // file:PATH, exec:COMMAND or ephemeral
	Scope  string // first part of every domain; the key's name if the policy gives none
	Rotate string // the period after which the owner wants a new key; a declaration
	At     Position
}

// Class is a data class: a kind of data and the transform that masks it.
type Class struct {
	Name string
	Kind string // one of Kinds
	Do   Do
	Doc  string // what the class is for, in a sentence; of the built-in policies each has one
	At   Position
	// From is the base policy that defines the class; nil if this file does.
	From *Policy
}

// Kinds returns the kinds of data that a class may have, in the words of
// statistical disclosure control.
func Kinds() []string {
	return []string{"pseudonym", "direct", "quasi", "special", "pci", "secret", "free_text", "not_personal"}
}

// Public is the class under which the columns of `keep` lists are recorded.
const Public = "public"

// todo is the class of a column that sanitize init could not decide about.
const todo = "TODO"

// Do is one transform as the policy spells it.
type Do struct {
	Name    string         // keep, drop, or the name of a transform
	Variant any            // string, int64, float64, bool, []any or map[string]any; nil if none
	Params  map[string]any // as Variant
	Paths   []PathRule     // of json, xml and fields
	Inner   *PathRule      // of each: it has no path
	At      Position
}

// PathRule decides about one path of a document, or one field of a value.
type PathRule struct {
	Path  string // $.contact.email, a field's name, or * for everything else
	Class string // or keep, or drop; empty for an element whose transform is spelled out
	Do    *Do    // in place of the class's; nil if none
	At    Position
}

// TableRule is what a policy says of one table.
type TableRule struct {
	Name    string    // as the policy spells it
	Drop    bool      // structure without rows
	Rows    *RowsRule // which rows are copied; nil is all
	Columns []ColumnRule
	Keep    []ColumnRule
	At      Position
}

// RowsRule says which rows of a table are copied.
type RowsRule struct {
	Where  string  // a condition in the source's SQL; empty is none
	Sample float64 // the part of the rows that a keyed hash of the key chooses, above 0 and up to 1; 0 is all
	Limit  int64   // at most so many rows, those of the least hashes; 0 is no limit
	At     Position
}

// ColumnRule is what a policy says of one column.
type ColumnRule struct {
	Name    string // as the policy spells it
	Class   string // empty for a document without one
	Do      *Do    // in place of the class's; nil if none
	Key     string // empty is the policy's key
	Because string
	At      Position
}

// Link is a relation that the database does not declare: columns that hold the
// same values.
type Link struct {
	Columns []LinkEnd
	At      Position
}

// LinkEnd is one column of a Link, as the policy spells it: table.column, or
// engine:database.table.column of another database.
type LinkEnd struct {
	Name    string
	Foreign bool // of another database
	At      Position
}

// Class returns the class of that name, or nil.
func (p *Policy) Class(name string) *Class {
	for _, c := range p.Classes {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// scope returns the scope of the policy's key.
func (p *Policy) scope() string { return p.Keys[0].Scope }

// domain returns the namespace of consistent masking of a class.
func (p *Policy) domain(class string) string { return p.scope() + "/" + class }

// patternAliases are the names of classes that go with a pattern of redact, beside
// the pattern's own.
var patternAliases = map[string]string{"pan": "card"}

// patternClass returns the class whose transform masks the hits of a pattern, or nil:
// that of the pattern's name.
func (p *Policy) patternClass(pattern string) *Class {
	if c := p.Class(pattern); c != nil {
		return c
	}
	return p.Class(patternAliases[pattern])
}

// patterns returns the names that redact lists.
func (d Do) patterns() (names []string) {
	list, _ := d.Variant.([]any)
	for _, v := range list {
		if name, isText := v.(string); isText && d.Name == "redact" {
			names = append(names, name)
		}
	}
	return names
}

// spec frees a transform from the policy's syntax.
func (p *Policy) spec(class string, d Do) masking.Spec {
	s := masking.Spec{Name: d.Name, Variant: d.Variant, Params: d.Params, Domain: p.domain(class)}
	for _, path := range d.Paths {
		s.Paths = append(s.Paths, masking.PathSpec{Path: path.Path, Spec: p.pathSpec(class, path)})
	}
	if d.Inner != nil {
		inner := p.pathSpec(class, *d.Inner)
		s.Inner = &inner
	}
	for _, pattern := range d.patterns() {
		if c := p.patternClass(pattern); c != nil {
			if s.Classes == nil {
				s.Classes = map[string]masking.Spec{}
			}
			s.Classes[pattern] = p.spec(c.Name, c.Do)
		}
	}
	return s
}

// pathSpec is spec for a part of a value. What has no class of its own is in the
// domain of the whole.
func (p *Policy) pathSpec(outer string, r PathRule) masking.Spec {
	switch {
	case r.Do != nil && r.Class == "":
		return p.spec(outer, *r.Do)
	case r.Do != nil:
		return p.spec(r.Class, *r.Do)
	case r.Class == "keep" || r.Class == "drop":
		return masking.Spec{Name: r.Class, Domain: p.domain(Public)}
	default:
		return p.spec(r.Class, p.Class(r.Class).Do)
	}
}

// String returns the canonical spelling: equal transforms are spelled alike,
// whatever the order of their parameters, the quotes and the blanks.
func (d Do) String() string {
	if d.Name == "keep" || d.Name == "drop" || d.Name == deriveWord && d.Variant == nil {
		return d.Name
	}
	var b strings.Builder
	fmt.Fprintf(&b, "{%s: ", spell(d.Name))
	switch {
	case d.Inner != nil:
		b.WriteString(d.Inner.outcome())
	case d.Paths != nil:
		b.WriteString("{")
		for i, p := range d.Paths {
			if i > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "%s: %s", spell(p.Path), p.outcome())
		}
		b.WriteString("}")
	default:
		b.WriteString(spell(d.Variant))
	}
	for _, name := range slices.Sorted(maps.Keys(d.Params)) {
		fmt.Fprintf(&b, ", %s: %s", spell(name), spell(d.Params[name]))
	}
	b.WriteString("}")
	return b.String()
}

// outcome spells what a rule does, without its path.
func (r PathRule) outcome() string {
	switch {
	case r.Do == nil:
		return spell(r.Class)
	case r.Class == "":
		return r.Do.String()
	default:
		return fmt.Sprintf("{class: %s, do: %s}", spell(r.Class), r.Do)
	}
}

// plainWord is what needs no quotes in YAML, be it in flow or in block style.
var plainWord = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_.$/-]*$`)

// reservedWords would be read as something other than text, by this YAML or by an older one.
var reservedWords = []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}

// spell writes a value as YAML.
func spell(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		if plainWord.MatchString(v) && !slices.Contains(reservedWords, strings.ToLower(v)) {
			return v
		}
		// A JSON string is a YAML string, apart from characters that policies refuse.
		return quoted(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		s := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(s, ".e") {
			s += ".0"
		}
		return s
	case bool:
		return strconv.FormatBool(v)
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = spell(v[i])
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		parts := make([]string, 0, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, spell(name)+": "+spell(v[name]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	default:
		panic(fmt.Sprintf("policies: a value of type %T", v)) // the reader makes no other
	}
}

func quoted(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic("policies: quote: " + err.Error()) // text always encodes
	}
	var clean strings.Builder
	for _, r := range strings.TrimSuffix(b.String(), "\n") {
		if forbidden(r) {
			fmt.Fprintf(&clean, `\u%04x`, r)
		} else {
			clean.WriteRune(r)
		}
	}
	return clean.String()
}
