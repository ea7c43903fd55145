package policies

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// The limits of what a policy may build on. They keep a hostile one from costing more
// than a moment.
const (
	maxExtends = 8  // bases on top of one another
	maxBases   = 32 // files in all
)

// weakening is the rule that a waiver names by which an extending policy is weaker.
const weakening = "SAN-P08"

var extendEntry = regexp.MustCompile(`^([^#]+)#sha256:([0-9a-f]{10,64})$`)

// bases reads the policies that a policy builds on, each once.
type bases struct {
	read  map[string]*Policy // by the cleaned path
	open  []string           // those that are being read, the outermost first
	count int
	today time.Time // a waiver holds until its last day
}

func newBases(file string, now time.Time) *bases {
	return &bases{read: map[string]*Policy{}, open: []string{filepath.Clean(file)}, today: now}
}

// extends reads the bases, and takes what they define. It reports whether they could
// all be read: without them, every class that they define would be missed.
func (r *reader) extends(n *yaml.Node) bool {
	before := len(r.errs)
	for _, item := range r.list(n, "extends") {
		s, ok := r.text(item, "an item of extends")
		if !ok {
			continue
		}
		e := Extend{Path: s, At: at(item)}
		if m := extendEntry.FindStringSubmatch(s); m != nil {
			e.Path, e.Digest = m[1], m[2]
		}
		e.Path, _, _ = strings.Cut(e.Path, "#")
		if e.Path == "" {
			r.fail(item, "write PATH#sha256:DIGEST", "an item of extends names no policy")
			continue
		}
		if base := r.openBase(item, e); base != nil {
			e.Policy = base
			r.p.Extends = append(r.p.Extends, e)
		}
	}
	if len(r.errs) > before {
		return false
	}
	for i := range r.p.Extends {
		r.take(&r.p.Extends[i])
	}
	return true
}

// wholePin is how many hex digits of a digest are beyond the reach of whoever tries to
// make another file that begins with the same ones: 128 bits. Ten are 40.
const wholePin = 32

// pin is one base, and the base whose line names it: nil if the policy itself does.
type pin struct {
	Extend
	in *Policy
}

// pins lists what a policy builds on, also by way of its bases, each line once.
func (p *Policy) pins() (all []pin) {
	seen := map[*Policy]bool{}
	var add func(of, in *Policy)
	add = func(of, in *Policy) {
		for _, e := range of.Extends {
			all = append(all, pin{e, in})
			if e.Policy != nil && !seen[e.Policy] {
				seen[e.Policy] = true
				add(e.Policy, e.Policy)
			}
		}
	}
	add(p, nil)
	return all
}

// CheckPins complains about each base that is not pinned by its whole digest, the bases of
// bases among them: only then is what was signed all of the policy. It is of type Errors.
func (p *Policy) CheckPins() error {
	var errs Errors
	for _, pin := range p.pins() {
		if len(pin.Digest) == hex.EncodedLen(sha256.Size) {
			continue
		}
		owner := cmp.Or(pin.in, p)
		errs = append(errs, owner.diagnose(Invalid, pin.At, "", "write "+pin.Path+"#sha256:"+pin.digest(),
			"extends: %s is pinned by %d digits, and a signature holds for a base only by all 64", clip(pin.Path), len(pin.Digest)))
	}
	if len(errs) > 0 {
		return errs
	}
	return nil
}

// openBase reads one base, or complains.
func (r *reader) openBase(item *yaml.Node, e Extend) *Policy {
	b, name := r.bases, clip(e.Path)
	builtin := strings.HasPrefix(e.Path, builtinPrefix)
	if !builtin && filepath.IsAbs(e.Path) {
		r.fail(item, "write the path as it is seen from the policy's folder", "extends: %s is an absolute path, which means something else on another machine", name)
		return nil
	}
	path := e.Path
	if !builtin {
		path = r.p.beside(e.Path)
	}
	switch {
	case slices.Contains(b.open, path):
		r.fail(item, "", "extends: %s builds on itself", name)
		return nil
	case len(b.open) > maxExtends:
		r.fail(item, "", "extends: more than %d policies build on one another", maxExtends)
		return nil
	}
	text, problem, help := readBase(path, builtin)
	if problem != "" {
		r.fail(item, help, "extends: %s %s", name, problem)
		return nil
	}
	sum := sha256.Sum256(text)
	digest := hex.EncodeToString(sum[:])
	switch pinned := fmt.Sprintf("%s#sha256:%s", e.Path, digest); {
	case e.Digest == "":
		r.fail(item, "if you have read it, pin it: "+pinned, "extends: %s is not pinned by its digest, at least 10 hex digits in lower case", name)
		return nil
	case !strings.HasPrefix(digest, e.Digest):
		r.fail(item, "see what has changed, and then write "+pinned, "extends: %s has another digest than the policy says", name)
		return nil
	}
	if p := b.read[path]; p != nil {
		return p
	}
	if b.count++; b.count > maxBases {
		r.fail(item, "", "extends: more than %d policies", maxBases)
		return nil
	}
	b.open = append(b.open, path)
	p, errs := parse(path, text, b, true)
	b.open = b.open[:len(b.open)-1]
	if len(errs) > 0 {
		// Its own complaints, with its own lines.
		r.errs = append(r.errs, errs[:min(len(errs), max(0, maxDiagnostics-len(r.errs)))]...)
		return nil
	}
	b.read[path] = p
	return p
}

// readBase returns the exact bytes of a base.
func readBase(path string, builtin bool) (text []byte, problem, help string) {
	if builtin {
		text, ok := builtinText(strings.TrimPrefix(path, builtinPrefix))
		if !ok {
			help = "there are " + strings.Join(Builtins(), ", ")
			if near := nearest(strings.TrimPrefix(path, builtinPrefix), Builtins()); near != "" {
				help = "did you mean " + builtinPrefix + near + "?"
			}
			return nil, "is not a policy of this program", help
		}
		return text, "", ""
	}
	info, err := os.Stat(path) // a pipe that nobody writes to would block an open
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, "does not exist", "the path is seen from the policy's folder"
	case err != nil:
		return nil, "cannot be read", ""
	case !info.Mode().IsRegular():
		return nil, "is not a regular file", ""
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, "cannot be read", ""
	}
	defer f.Close()
	text, err = io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, "cannot be read", ""
	}
	return text, "", ""
}

// take takes what a base defines. Of two bases the stronger counts, in whatever order
// they stand.
func (r *reader) take(e *Extend) {
	p, base := r.p, e.Policy
	for _, profile := range base.Header.Profiles {
		if !slices.Contains(p.Header.Profiles, profile) {
			p.Header.Profiles = append(p.Header.Profiles, profile)
		}
	}
	for _, c := range base.Classes {
		r.takeClass(e, c)
	}
	d := &p.Defaults
	for name, pos := range base.Defaults.said {
		word, own := base.Defaults.word(name), d.word(name)
		if _, said := d.said[name]; !said || word == "fail" && own != "fail" {
			d.say(name, word, pos)
		}
	}
	for _, rule := range base.Risk {
		if rule.From == nil {
			rule.From = base
		}
		if i := findRisk(p.Risk, rule); i < 0 {
			p.Risk = append(p.Risk, rule)
		} else if rule.K > p.Risk[i].K {
			p.Risk[i] = rule
		}
	}
	if p.Edges.At == (Position{}) && base.Edges.At != (Position{}) {
		p.Edges.At = e.At // the line of this file by which they hold
	}
	p.Edges.take(base.Edges)
	for _, w := range base.Waivers {
		if w.From == nil {
			w.From = base
		}
		if !slices.Contains(p.Waivers, w) {
			p.Waivers = append(p.Waivers, w)
		}
	}
	for _, w := range base.Weakened {
		if w.From == nil {
			w.From = base
		}
		if !slices.Contains(p.Weakened, w) {
			p.Weakened = append(p.Weakened, w)
		}
	}
	r.takeEnvironments(e)
}

// takeClass takes a class of a base.
func (r *reader) takeClass(e *Extend, c *Class) {
	if c.From == nil {
		inherited := *c
		inherited.From = e.Policy
		c = &inherited
	}
	i := slices.IndexFunc(r.p.Classes, func(have *Class) bool { return have.Name == c.Name })
	if i < 0 {
		r.p.Classes = append(r.p.Classes, c)
		return
	}
	have := r.p.Classes[i]
	lesser, greater := weakerClass(have, c, c.From), weakerClass(c, have, have.From)
	switch {
	case lesser != "" && greater == "": // the former is the stronger
	case lesser == "" && greater != "":
		r.p.Classes[i] = c
	case have.Kind == c.Kind && have.Do.String() == c.Do.String():
	default:
		r.differ = append(r.differ, conflict{have, c, e.At})
	}
}

// conflict is a class that two bases define, neither of them the stronger.
type conflict struct {
	a, b *Class
	at   Position // of the second's line in extends
}

// weakerClass says in what the class now, of policy p, protects less than before of a
// base, or "". One that is neither weaker nor stronger is not as strong either. The
// classes that its paths name are those of the policy that defines it.
func weakerClass(before, now *Class, p *Policy) string {
	if kindRank(now.Kind) < kindRank(before.Kind) || kindRank(now.Kind) == kindRank(before.Kind) && now.Kind != before.Kind {
		return fmt.Sprintf("%s there, %s here", before.Kind, now.Kind)
	}
	of := p
	if before.From != nil {
		of = before.From
	}
	switch compareClass(before.Do, now.Do, of.Class, p.Class) {
	case Weaker:
		return fmt.Sprintf("%s there, %s here", before.Do, now.Do)
	case Changed:
		return fmt.Sprintf("%s there, %s here: not as strong for certain", before.Do, now.Do)
	}
	return ""
}

// kindRank orders the kinds by how much the audit asks of them. Kinds of one rank have
// rules of their own: none of them stands for another.
func kindRank(kind string) int {
	return min(rankOfKind(kind), rankOfKind("direct"))
}

// findRisk returns the place of a rule about the same combination, or -1.
func findRisk(rules []RiskRule, rule RiskRule) int {
	sorted := func(s []string) []string { s = slices.Clone(s); slices.Sort(s); return s }
	return slices.IndexFunc(rules, func(o RiskRule) bool {
		return o.Table == rule.Table && slices.Equal(sorted(o.Quasi), sorted(rule.Quasi))
	})
}

// take adds the edge cases of another policy.
func (e *EdgeCases) take(other EdgeCases) {
	for _, kind := range other.Keep {
		if !slices.Contains(e.Keep, kind) {
			e.Keep = append(e.Keep, kind)
		}
	}
	e.PerColumn = max(e.PerColumn, other.PerColumn)
}

// takeEnvironments takes the bounds of a base: of two the narrower.
func (r *reader) takeEnvironments(e *Extend) {
	own, base := &r.p.Limits, e.Policy.Limits
	if base.At == (Position{}) {
		return
	}
	if own.At == (Position{}) {
		own.At = e.At // the line of this file by which the bounds hold
	}
	if base.TTL > 0 && (own.TTL == 0 || base.TTL < own.TTL) {
		own.TTL = base.TTL
	}
	if base.MaxTTL > 0 && (own.MaxTTL == 0 || base.MaxTTL < own.MaxTTL) {
		own.MaxTTL = base.MaxTTL
	}
	if base.MaxPerOwner > 0 && (own.MaxPerOwner == 0 || base.MaxPerOwner < own.MaxPerOwner) {
		own.MaxPerOwner = base.MaxPerOwner
	}
	switch {
	case own.Hosts == nil:
		own.Hosts = slices.Clone(base.Hosts)
	case base.Hosts != nil:
		own.Hosts = narrowHosts(own.Hosts, base.Hosts)
		if len(own.Hosts) == 0 {
			r.failAt(Invalid, e.At, "", "extends: no host is allowed by %s and by what stands before it", clip(e.Path))
		}
	}
}

// waived reports whether the policy accepts that the object is weaker than in a base. A
// base cannot: whoever weakens signs for it.
func (r *reader) waived(object string) bool {
	return slices.ContainsFunc(r.p.Waivers, func(w Waiver) bool {
		return w.From == nil && w.Rule == weakening && w.Object == object && w.fault(r.bases.today) == ""
	})
}

// weaker complains about what is weaker than in a base, unless a waiver accepts it.
func (r *reader) weaker(pos Position, object, format string, args ...any) {
	if r.waived(object) {
		r.p.Weakened = append(r.p.Weakened, Weakening{Object: object, Message: fmt.Sprintf(format, args...), At: pos})
		return
	}
	help := fmt.Sprintf("strengthen it, or accept it under waivers: {rule: %s, at: %s, because: \"…\", by: somebody, expires: 2026-12-31}", weakening, spell(object))
	for _, w := range r.p.Waivers {
		if w.From == nil && w.Rule == weakening && w.Object == object {
			help = fmt.Sprintf("the waiver in line %d %s", w.At.Line, w.fault(r.bases.today))
		}
	}
	r.failAt(Invalid, pos, help, format, args...)
}

// redefine puts a class of this file in the place of the bases' class of its name.
func (r *reader) redefine(c *Class) {
	before := []*Class{}
	for _, d := range r.differ {
		if d.a.Name == c.Name {
			before = append(before, d.a, d.b)
		}
	}
	if i := slices.IndexFunc(r.p.Classes, func(have *Class) bool { return have.Name == c.Name && have.From != nil }); i >= 0 {
		if len(before) == 0 {
			before = append(before, r.p.Classes[i])
		}
		r.p.Classes = slices.Delete(r.p.Classes, i, i+1)
	}
	r.differ = slices.DeleteFunc(r.differ, func(d conflict) bool { return d.a.Name == c.Name })
	r.p.Classes = append(r.p.Classes, c)
	if c.Kind != "" && c.Do.Name != "" {
		r.redefined = append(r.redefined, redefinition{c, before})
	}
}

// redefinition is a class of this file, and those of the bases that it replaces.
type redefinition struct {
	now    *Class
	before []*Class
}

// weakerClasses complains about classes that do less than those that they replace. By
// then all classes are there, and no path leads in a circle.
func (r *reader) weakerClasses() {
	for _, d := range r.redefined {
		for _, b := range d.before {
			if what := weakerClass(b, d.now, r.p); what != "" {
				r.weaker(d.now.At, d.now.Name, "class %s is weaker than in %s:%d (%s)", d.now.Name, b.From.File, b.At.Line, what)
				break
			}
		}
	}
}

// conflicts complains about what two bases define and this file does not.
func (r *reader) conflicts() {
	for _, d := range r.differ {
		r.failAt(Invalid, d.at, "define it here, as strong as both", "class %s is %s in %s:%d and %s in %s:%d, and neither is the stronger",
			d.a.Name, d.a.Do, d.a.From.File, d.a.At.Line, d.b.Do, d.b.From.File, d.b.At.Line)
	}
}

// extendEnvironments puts this file's bounds in the place of the bases'.
func (r *reader) extendEnvironments(own Environments) {
	base, e := r.p.Limits, own
	if base.At != (Position{}) {
		wider := func(name string, less bool, was, is any) {
			if less {
				r.weaker(own.At, "environments."+name, "environments.%s is wider than what the policy builds on: %v there, %v here", name, was, is)
			}
		}
		wider("ttl", base.TTL > 0 && own.TTL > base.TTL, spellDuration(base.TTL), spellDuration(own.TTL))
		wider("max_ttl", base.MaxTTL > 0 && own.MaxTTL > base.MaxTTL, spellDuration(base.MaxTTL), spellDuration(own.MaxTTL))
		wider("max_per_owner", base.MaxPerOwner > 0 && own.MaxPerOwner > base.MaxPerOwner, base.MaxPerOwner, own.MaxPerOwner)
		wider("hosts", base.Hosts != nil && slices.ContainsFunc(own.Hosts, func(h string) bool { return !within(h, base.Hosts) }),
			spellList(base.Hosts), spellList(own.Hosts))
		if e.TTL == 0 {
			e.TTL = base.TTL
		}
		if e.MaxTTL == 0 {
			e.MaxTTL = base.MaxTTL
		}
		if e.MaxPerOwner == 0 {
			e.MaxPerOwner = base.MaxPerOwner
		}
		if e.Hosts == nil {
			e.Hosts = base.Hosts
		}
	}
	r.p.Limits = e
	r.checkEnvironments()
}

// checkEnvironments complains about a life that is longer than the longest one.
func (r *reader) checkEnvironments() {
	if e := r.p.Limits; e.TTL > 0 && e.MaxTTL > 0 && e.TTL > e.MaxTTL {
		r.failAt(Invalid, e.At, "", "environments.ttl (%s) is longer than environments.max_ttl (%s)", spellDuration(e.TTL), spellDuration(e.MaxTTL))
	}
}

// extendRisk adds this file's rules to the bases', or puts them in their place.
func (r *reader) extendRisk(own []RiskRule) {
	for _, rule := range own {
		i := findRisk(r.p.Risk, rule)
		switch {
		case i < 0:
			r.p.Risk = append(r.p.Risk, rule)
		case r.p.Risk[i].From == nil:
			r.failAt(Invalid, rule.At, "", "the same combination of %s has a rule in line %d", clip(rule.Table), r.p.Risk[i].At.Line)
		default:
			if b := r.p.Risk[i]; rule.K < b.K {
				r.weaker(rule.At, rule.Table, "the k of %s is lower than in %s:%d: %d there, %d here", clip(rule.Table), b.From.File, b.At.Line, b.K, rule.K)
			}
			r.p.Risk[i] = rule
		}
	}
}

// word returns what a default is, by its name.
func (d *Defaults) word(name string) string {
	return *d.field(name)
}

func (d *Defaults) field(name string) *string {
	switch name {
	case "unlisted_column":
		return &d.UnlistedColumn
	case "unlisted_table":
		return &d.UnlistedTable
	}
	return &d.SchemaDrift
}

// say sets a default that a file spells out.
func (d *Defaults) say(name, word string, pos Position) {
	if d.said == nil {
		d.said = map[string]Position{}
	}
	*d.field(name), d.said[name] = word, pos
}

func spellList(words []string) string {
	list := make([]any, len(words))
	for i := range words {
		list[i] = words[i]
	}
	return spell(list)
}
