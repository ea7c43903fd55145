package policies

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// sections compares the header, the bases, the defaults and the keys.
func (d *differ) sections() {
	a, b := d.a.policy, d.b.policy
	d.header(a.Header, b.Header)
	bases := func(p *Policy) (names []string) {
		for _, e := range p.Extends {
			names = append(names, e.Path)
		}
		return names
	}
	for _, e := range b.Extends {
		i := slices.Index(bases(a), e.Path)
		if i < 0 {
			d.add(Stronger, "extends", "extends "+e.Path, "a base holds the policy to more", Side{}, d.now(e.Path+"#"+e.digest(), e.At))
		} else if old := a.Extends[i]; old.digest() != e.digest() {
			d.add(Changed, "extends", "extends "+e.Path, "another revision of the base", d.before(old.Path+"#"+old.digest(), old.At), d.now(e.Path+"#"+e.digest(), e.At))
		}
	}
	for _, e := range a.Extends {
		if !slices.Contains(bases(b), e.Path) {
			d.add(Weaker, "extends", "extends "+e.Path, "the base no longer holds the policy to anything", d.before(e.Path+"#"+e.digest(), e.At), Side{})
		}
	}
	word := func(field, before, now string, s Strength, what string) {
		if before != now {
			d.add(s, "defaults", "defaults."+field, what, d.before(before, a.Defaults.at), d.now(now, b.Defaults.at))
		}
	}
	s, what := Weaker, "a table that nobody decided about no longer stops the run"
	if b.Defaults.UnlistedTable == "fail" {
		s, what = Stronger, "a table that nobody decided about stops the run"
	}
	word("unlisted_table", a.Defaults.UnlistedTable, b.Defaults.UnlistedTable, s, what)
	s, what = Weaker, "harmless changes of the database no longer stop the run"
	if b.Defaults.SchemaDrift == "fail" {
		s, what = Stronger, "each change of the database stops the run"
	}
	word("schema_drift", a.Defaults.SchemaDrift, b.Defaults.SchemaDrift, s, what)
	d.keys(a, b)
}

// header compares what a policy says of itself. What it no longer says is weaker: an
// officer has nothing to hold it to.
func (d *differ) header(a, b Header) {
	text := func(field, before, now string) {
		if before != now {
			s, what := saying(before == "", now == "")
			d.add(s, "policy", "policy."+field, what, Side{Text: before}, Side{Text: now})
		}
	}
	list := func(field string, before, now []string) {
		if !slices.Equal(before, now) {
			s, what := saying(len(before) == 0, len(now) == 0)
			d.add(s, "policy", "policy."+field, what, Side{Text: strings.Join(before, ", ")}, Side{Text: strings.Join(now, ", ")})
		}
	}
	text("name", a.Name, b.Name)
	if a.Revision != b.Revision {
		what := "the revision went up"
		if b.Revision < a.Revision {
			what = "the revision went down"
		}
		d.add(Changed, "policy", "policy.revision", what, Side{Text: fmt.Sprint(a.Revision)}, Side{Text: fmt.Sprint(b.Revision)})
	}
	text("owner", a.Owner, b.Owner)
	text("purpose", a.Purpose, b.Purpose)
	text("legal_basis", a.LegalBasis, b.LegalBasis)
	text("dpia", a.DPIA, b.DPIA)
	list("subjects", a.Subjects, b.Subjects)
	list("recipients", a.Recipients, b.Recipients)
	for _, profile := range a.Profiles {
		if !slices.Contains(b.Profiles, profile) {
			d.add(Weaker, "policy", "policy.profiles "+profile, "the audit no longer holds the policy to this profile", Side{Text: profile}, Side{})
		}
	}
	for _, profile := range b.Profiles {
		if !slices.Contains(a.Profiles, profile) {
			d.add(Stronger, "policy", "policy.profiles "+profile, "the audit holds the policy to this profile", Side{}, Side{Text: profile})
		}
	}
	text("review.by", a.Review.By, b.Review.By)
	text("review.on", a.Review.On, b.Review.On)
	text("review.expires", a.Review.Expires, b.Review.Expires)
}

func saying(didNot, doesNot bool) (Strength, string) {
	switch {
	case doesNot:
		return Weaker, "the policy no longer says it"
	case didNot:
		return Stronger, "the policy says it now"
	}
	return Changed, "says something else"
}

// keys compares the sources of keys; a place that a key comes from is not shown.
func (d *differ) keys(a, b *Policy) {
	find := func(p *Policy, name string) *KeySource {
		if i := slices.IndexFunc(p.Keys, func(k KeySource) bool { return k.Name == name }); i >= 0 {
			return &p.Keys[i]
		}
		return nil
	}
	for i := range a.Keys {
		old := &a.Keys[i]
		now := find(b, old.Name)
		switch {
		case now == nil && len(a.Keys) == 1 && len(b.Keys) == 1:
			// The one key by another name: what holds of it is compared all the same.
			now = &b.Keys[0]
			d.add(Changed, "keys", "keys."+old.Name, "the key has another name: "+now.Name, d.before(old.sort(), old.At), d.now(now.sort(), now.At))
		case now == nil:
			d.add(Changed, "keys", "keys."+old.Name, "key removed", d.before(old.sort(), old.At), Side{})
			continue
		}
		add := func(s Strength, field, what, was, is string) {
			d.add(s, "keys", "keys."+old.Name+"."+field, what, d.before(was, old.At), d.now(is, now.At), "keys."+old.Name)
		}
		if was, is := old.sort(), now.sort(); was != is {
			switch {
			case was == "ephemeral":
				add(Weaker, "from", "the key outlives the run: what is masked can be joined, and turned back by it", was, is)
			case is == "ephemeral":
				add(Stronger, "from", "no key outlives the run", was, is)
			default:
				add(Changed, "from", "the key comes from elsewhere", was, is)
			}
		} else if old.From != now.From && d.a.Lock == nil && d.b.Lock == nil {
			add(Changed, "from", "the key comes from another place", was, is)
		}
		if old.Scope != now.Scope {
			add(Changed, "scope", "what was masked before does not join; what has the new scope does", old.Scope, now.Scope)
		}
		x, y := rotationDays(old.Rotate), rotationDays(now.Rotate)
		switch {
		case old.Rotate == now.Rotate:
		case x == y:
			add(Changed, "rotate", "the same period, spelled otherwise", old.Rotate, now.Rotate)
		case y == 0 || x != 0 && y > x:
			add(Weaker, "rotate", "a key is used for longer", old.Rotate, now.Rotate)
		default:
			add(Stronger, "rotate", "a key is used for less long", old.Rotate, now.Rotate)
		}
	}
	for i := range b.Keys {
		if now := &b.Keys[i]; find(a, now.Name) == nil && (len(a.Keys) != 1 || len(b.Keys) != 1) {
			d.add(Changed, "keys", "keys."+now.Name, "key added", Side{}, d.now(now.sort(), now.At))
		}
	}
}

// rotationDays is the period of a rotation in days; 0 if there is none.
func rotationDays(s string) (days int) {
	if s == "" {
		return 0
	}
	for _, r := range s[:len(s)-1] {
		days = days*10 + int(r-'0')
	}
	return days * map[byte]int{'d': 1, 'w': 7, 'm': 30, 'y': 365}[s[len(s)-1]]
}

// links compares the relations that the policy declares. Whether one protects more or
// less is not theirs to say: columns that they tie share a decision, and join.
func (d *differ) links() {
	text := func(l Link) string {
		var names []string
		for _, end := range l.Columns {
			names = append(names, end.Name)
		}
		slices.Sort(names)
		return strings.Join(names, " = ")
	}
	has := func(p *Policy, t string) bool {
		return slices.ContainsFunc(p.Links, func(l Link) bool { return text(l) == t })
	}
	for _, l := range d.a.policy.Links {
		if t := text(l); !has(d.b.policy, t) {
			d.add(Changed, "links", "link "+t, "a link removed: the columns no longer share a decision", d.before(t, l.At), Side{})
		}
	}
	for _, l := range d.b.policy.Links {
		if t := text(l); !has(d.a.policy, t) {
			d.add(Changed, "links", "link "+t, "a link added: the columns share a decision, and join", Side{}, d.now(t, l.At))
		}
	}
}

// rest compares risk, edge cases, environments and waivers.
func (d *differ) rest() {
	d.risk()
	a, b := d.a.policy, d.b.policy
	if x, y := a.Edges, b.Edges; !slices.Equal(x.Keep, y.Keep) || x.PerColumn != y.PerColumn {
		text := func(e EdgeCases) string {
			if e.Keep == nil {
				return ""
			}
			return fmt.Sprintf("keep %s, %d per column", strings.Join(e.Keep, ", "), e.PerColumn)
		}
		d.add(Changed, "edge_cases", "edge_cases", "other edge cases are kept", d.before(text(x), x.At), d.now(text(y), y.At))
	}
	d.environments(a.Limits, b.Limits)
	d.waivers()
}

func (d *differ) risk() {
	find := func(p *Policy, of RiskRule, taken map[int]bool) *RiskRule {
		// The rule of the same columns first, else another one of the table.
		for _, exact := range []bool{true, false} {
			for i := range p.Risk {
				r := &p.Risk[i]
				if r.Table == of.Table && !taken[i] && (!exact || sameSet(r.Quasi, of.Quasi)) {
					taken[i] = true
					return r
				}
			}
		}
		return nil
	}
	text := func(r RiskRule) string { return fmt.Sprintf("k %d over %s", r.K, strings.Join(r.Quasi, ", ")) }
	taken := map[int]bool{}
	for _, old := range d.a.policy.Risk {
		at := "risk " + old.Table
		now := find(d.b.policy, old, taken)
		if now == nil {
			d.add(Weaker, "risk", at, "how rare a person is is no longer bounded", d.before(text(old), old.At), Side{}, old.Table)
			continue
		}
		before, after := d.before(text(old), old.At), d.now(text(*now), now.At)
		d.add(byOrder(old.K, now.K), "risk", at+" k", fmt.Sprintf("k %d → %d", old.K, now.K), before, after, old.Table, at)
		lost, won := missing(old.Quasi, now.Quasi), missing(now.Quasi, old.Quasi)
		switch {
		case lost && won:
			d.add(Changed, "risk", at+" quasi", "other columns count", before, after, old.Table, at)
		case lost:
			d.add(Weaker, "risk", at+" quasi", "fewer columns count", before, after, old.Table, at)
		case won:
			d.add(Stronger, "risk", at+" quasi", "more columns count", before, after, old.Table, at)
		}
	}
	for i, now := range d.b.policy.Risk {
		if !taken[i] {
			d.add(Stronger, "risk", "risk "+now.Table, "how rare a person is is bounded", Side{}, d.now(text(now), now.At), now.Table)
		}
	}
}

func missing(from, in []string) bool {
	return slices.ContainsFunc(from, func(s string) bool { return !slices.Contains(in, s) })
}

func sameSet(a, b []string) bool { return !missing(a, b) && !missing(b, a) }

func (d *differ) environments(a, b Environments) {
	add := func(s Strength, field, what, was, is string) {
		d.add(s, "environments", "environments."+field, what, d.before(was, a.At), d.now(is, b.At), "environments")
	}
	// Where 0 stands for no bound.
	bound := func(field string, x, y int64, was, is, what string) {
		switch {
		case x == y:
		case y == 0 || x != 0 && y > x:
			add(Weaker, field, what+" more", was, is)
		default:
			add(Stronger, field, what+" less", was, is)
		}
	}
	bound("ttl", int64(a.TTL), int64(b.TTL), days(a.TTL), days(b.TTL), "how long a discovery database lives:")
	bound("max_ttl", int64(a.MaxTTL), int64(b.MaxTTL), days(a.MaxTTL), days(b.MaxTTL), "how long one may live:")
	bound("max_per_owner", int64(a.MaxPerOwner), int64(b.MaxPerOwner), orNone(a.MaxPerOwner), orNone(b.MaxPerOwner), "how many one owner may have:")
	// What one side allows beyond the other, patterns by what they cover.
	beyond := func(from, of []string) bool {
		return slices.ContainsFunc(from, func(h string) bool { return !within(h, of) })
	}
	switch lost, won := beyond(a.Hosts, b.Hosts), beyond(b.Hosts, a.Hosts); {
	case !lost && !won:
	case len(b.Hosts) == 0:
		add(Weaker, "hosts", "a target may be anywhere", strings.Join(a.Hosts, ", "), "")
	case len(a.Hosts) == 0:
		add(Stronger, "hosts", "a target may be on these alone", "", strings.Join(b.Hosts, ", "))
	case lost && won:
		add(Changed, "hosts", "a target may be on others", strings.Join(a.Hosts, ", "), strings.Join(b.Hosts, ", "))
	case won:
		add(Weaker, "hosts", "a target may be on more", strings.Join(a.Hosts, ", "), strings.Join(b.Hosts, ", "))
	default:
		add(Stronger, "hosts", "a target may be on fewer", strings.Join(a.Hosts, ", "), strings.Join(b.Hosts, ", "))
	}
}

// days writes a duration as a policy does: 24h, 7d.
func days(d time.Duration) string {
	switch {
	case d == 0:
		return ""
	case d%(24*time.Hour) == 0 && d > 24*time.Hour:
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return d.String()
}

func orNone(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// waivers compares what the policy accepts. Each one more is a finding less. A waiver of
// weakenings accepts none of these; another one may be accepted by its whole name.
func (d *differ) waivers() {
	find := func(p *Policy, w Waiver) *Waiver {
		for i := range p.Waivers {
			if p.Waivers[i].Rule == w.Rule && p.Waivers[i].Object == w.Object {
				return &p.Waivers[i]
			}
		}
		return nil
	}
	text := func(w Waiver) string {
		return fmt.Sprintf("accepted by %s until %s: %s", cmp.Or(w.By, "nobody"), cmp.Or(w.Expires, "ever"), w.Because)
	}
	at := func(w Waiver) string { return strings.TrimSpace("waiver " + w.Rule + " " + w.Object) }
	add := func(s Strength, w Waiver, what string, before, after Side) {
		d.add(s, "waivers", at(w), what, before, after)
		if w.Rule == ruleWeakening {
			d.found[len(d.found)-1].accepts = w.waived()
		}
	}
	for _, old := range d.a.policy.Waivers {
		before := d.before(text(old), old.At)
		now := find(d.b.policy, old)
		if now == nil {
			add(Stronger, old, "the finding counts again", before, Side{})
			continue
		}
		after := d.now(text(*now), now.At)
		switch {
		case old.Expires != now.Expires:
			s := Weaker
			if old.Expires == "" || now.Expires != "" && now.Expires < old.Expires {
				s = Stronger
			}
			add(s, *now, "accepted until another day", before, after)
		case !reflect.DeepEqual(text(old), text(*now)):
			add(Changed, *now, "accepted for another reason, or by somebody else", before, after)
		}
	}
	for _, now := range d.b.policy.Waivers {
		if find(d.a.policy, now) == nil {
			what := "a finding is accepted"
			if now.Rule == ruleWeakening {
				what = "the change accepts its own weakening: somebody else has to look at it"
			}
			add(Weaker, now, what, Side{}, d.now(text(now), now.At))
		}
	}
}
