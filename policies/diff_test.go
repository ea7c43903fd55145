package policies

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
)

var today = time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)

// renderDiff writes differences as text, three lines for each.
func renderDiff(d *Differences) string {
	var b strings.Builder
	fmt.Fprintf(&b, "resolved %t\n", d.Resolved)
	for _, x := range d.All {
		fmt.Fprintf(&b, "%s %s: %s\n", x.Strength, x.At, x.What)
		for _, s := range []struct {
			word string
			side Side
		}{{"was", x.Before}, {"is", x.Now}} {
			if s.side.Text != "" {
				fmt.Fprintf(&b, "    %s %s", s.word, s.side.Text)
				if s.side.Where != "" {
					fmt.Fprintf(&b, " (%s)", s.side.Where)
				}
				b.WriteString("\n")
			}
		}
		if x.Waived != nil {
			fmt.Fprintf(&b, "    waived by %s\n", x.Waived.By)
		}
	}
	return b.String()
}

// strengths are the differences by what differs.
func strengths(d *Differences) map[string]Strength {
	all := map[string]Strength{}
	for _, x := range d.All {
		all[x.At] = x.Strength
	}
	return all
}

// TestDiff compares the policies of every situation in testdata/diff.
func TestDiff(t *testing.T) {
	files, err := filepath.Glob("testdata/diff/*.txt")
	if err != nil || len(files) < 2 {
		t.Fatal("no test data", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			parts := sections(t, string(text))
			var c *catalog.Catalog
			if parts["catalog"] != "" {
				c = parseCatalog(t, parts["catalog"])
			}
			read := func(name string) *Document {
				d, err := ParseDocument(name+".yaml", []byte(parts[name]), c)
				if err != nil {
					t.Fatal(err)
				}
				return d
			}
			before, now := read("before"), read("now")
			head, _, _ := strings.Cut(string(text), "\n== want\n")
			d := Diff(before, now, today)
			golden(t, file, []byte(strings.TrimRight(head, "\n")+"\n\n== want\n"+renderDiff(d)))
			if same := Diff(now, now, today); len(same.All) != 0 {
				t.Errorf("a policy differs from itself: %s", renderDiff(same))
			}
			// Back it is the other way round.
			there, back := strengths(d), strengths(Diff(now, before, today))
			both := 0
			for at, s := range there {
				r, known := back[at]
				if known && r != s.reversed() {
					t.Errorf("%s is %s, and back %s", at, s, r)
				} else if known {
					both++
				}
			}
			if both < 6 {
				t.Errorf("only %d are found both ways", both)
			}
		})
	}
}

// waivable is a policy that says everything that Diff reads.
func waivable() *Policy {
	return &Policy{
		File: "p.yaml", Version: 1,
		Header:   Header{Name: "shop", Review: Review{By: "dpo@shop.example", On: "2026-11-01", Expires: "2027-05-01"}},
		Defaults: Defaults{UnlistedColumn: "fail", UnlistedTable: "fail", SchemaDrift: "fail"},
		Keys:     []KeySource{{Name: "k", From: "file:k", Scope: "discovery", Rotate: "90d"}},
		Classes:  []*Class{{Name: "a", Kind: "direct", Do: Do{Name: "shape", Variant: "text"}}},
		Tables: []*TableRule{{Name: "t", Rows: &RowsRule{Where: "x > 1", Sample: 0.2, Limit: 100},
			Columns: []ColumnRule{{Name: "c", Class: "a"}}}},
		Extends: []Extend{{Path: "builtin:eu-pii", Digest: "0123456789"}},
		Risk:    []RiskRule{{Table: "t", Quasi: []string{"a", "b"}, K: 5}},
		Edges:   EdgeCases{Keep: []string{"nulls"}, PerColumn: 20},
		Limits:  Environments{TTL: 24 * time.Hour, MaxTTL: 7 * 24 * time.Hour, MaxPerOwner: 3, Hosts: []string{"a.internal"}},
		Waivers: []Waiver{{Rule: "SAN-Q01", Object: "t.c", Because: "tests", By: "dpo@shop.example", Expires: "2027-01-31"}},
	}
}

// Each change of one field is what it is called, and the other way round.
func TestDiffOfSections(t *testing.T) {
	for _, c := range []struct {
		at     string
		change func(*Policy)
		want   Strength
	}{
		{"environments.ttl", func(p *Policy) { p.Limits.TTL = 48 * time.Hour }, Weaker},
		{"environments.ttl", func(p *Policy) { p.Limits.TTL = 0 }, Weaker},
		{"environments.max_ttl", func(p *Policy) { p.Limits.MaxTTL = 24 * time.Hour }, Stronger},
		{"environments.max_per_owner", func(p *Policy) { p.Limits.MaxPerOwner = 4 }, Weaker},
		{"environments.hosts", func(p *Policy) { p.Limits.Hosts = []string{"a.internal", "*"} }, Weaker},
		{"environments.hosts", func(p *Policy) { p.Limits.Hosts = []string{"*.internal"} }, Weaker},
		{"environments.hosts", func(p *Policy) { p.Limits.Hosts = nil }, Weaker},
		{"environments.hosts", func(p *Policy) { p.Limits.Hosts = []string{"b.internal"} }, Changed},
		{"risk t k", func(p *Policy) { p.Risk = []RiskRule{{Table: "t", Quasi: []string{"a", "b"}, K: 3}} }, Weaker},
		{"risk t quasi", func(p *Policy) { p.Risk = []RiskRule{{Table: "t", Quasi: []string{"a"}, K: 5}} }, Weaker},
		{"risk t quasi", func(p *Policy) { p.Risk = []RiskRule{{Table: "t", Quasi: []string{"a", "c"}, K: 5}} }, Changed},
		{"risk t", func(p *Policy) { p.Risk = nil }, Weaker},
		{"risk u", func(p *Policy) {
			p.Risk = append(slices.Clone(p.Risk), RiskRule{Table: "u", Quasi: []string{"a"}, K: 2})
		}, Stronger},
		{"keys.k.rotate", func(p *Policy) { p.Keys[0].Rotate = "4m" }, Weaker},
		{"keys.k.rotate", func(p *Policy) { p.Keys[0].Rotate = "" }, Weaker},
		{"keys.k.rotate", func(p *Policy) { p.Keys[0].Rotate = "2w" }, Stronger},
		{"keys.k.from", func(p *Policy) { p.Keys[0].From = "ephemeral" }, Stronger},
		{"keys.k.from", func(p *Policy) { p.Keys[0].From = "exec:vault read k" }, Changed},
		{"keys.k.from", func(p *Policy) { p.Keys[0].From = "file:other" }, Changed},
		{"keys.k.scope", func(p *Policy) { p.Keys[0].Scope = "test" }, Changed},
		{"waiver SAN-Q01 t.c", func(p *Policy) { p.Waivers = nil }, Stronger},
		{"waiver SAN-Q01 t.c", func(p *Policy) { p.Waivers[0].Expires = "2028-01-31" }, Weaker},
		{"waiver SAN-Q01 t.c", func(p *Policy) { p.Waivers[0].Because = "others" }, Changed},
		{"waiver SAN-T02", func(p *Policy) { p.Waivers = append(p.Waivers, Waiver{Rule: "SAN-T02"}) }, Weaker},
		{"waiver SAN-P08 t.d", func(p *Policy) { p.Waivers = append(p.Waivers, Waiver{Rule: "SAN-P08", Object: "t.d"}) }, Weaker},
		{"edge_cases", func(p *Policy) { p.Edges.PerColumn = 30 }, Changed},
		{"extends builtin:eu-pii", func(p *Policy) { p.Extends = nil }, Weaker},
		{"extends builtin:eu-pii", func(p *Policy) { p.Extends[0].Digest = "9876543210" }, Changed},
		{"t rows.where", func(p *Policy) { p.Tables[0].Rows.Where = "" }, Weaker},
		{"t rows.where", func(p *Policy) { p.Tables[0].Rows.Where = "x > 1 AND y = 2" }, Stronger},
		{"t.c", func(p *Policy) { p.Tables[0].Columns = nil }, Weaker},
		{"t rows.sample", func(p *Policy) { p.Tables[0].Rows.Sample = 0.1 }, Stronger},
		{"t rows.sample", func(p *Policy) { p.Tables[0].Rows.Sample = 0 }, Weaker},
		{"t rows.limit", func(p *Policy) { p.Tables[0].Rows.Limit = 50 }, Stronger},
		{"t rows.limit", func(p *Policy) { p.Tables[0].Rows.Limit = 0 }, Weaker},
		{"policy.review.by", func(p *Policy) { p.Header.Review.By = "" }, Weaker},
		{"policy.profiles gdpr", func(p *Policy) { p.Header.Profiles = []string{"gdpr"} }, Stronger},
		{"defaults.schema_drift", func(p *Policy) { p.Defaults.SchemaDrift = "warn" }, Weaker},
		{"defaults.unlisted_table", func(p *Policy) { p.Defaults.UnlistedTable = "skip" }, Weaker},
	} {
		a, b := waivable(), waivable()
		c.change(b)
		for _, way := range []struct {
			from, to *Policy
			want     Strength
		}{{a, b, c.want}, {b, a, c.want.reversed()}} {
			d := Diff(Resolve(way.from, nil), Resolve(way.to, nil), today)
			if len(d.All) != 1 || d.All[0].At != c.at || d.All[0].Strength != way.want {
				t.Errorf("want %s %s, have\n%s", way.want, c.at, renderDiff(d))
			}
		}
	}
}

// Of two conditions either may let more rows through: that is for a person to see. One
// key by another name is compared as the one that it was.
func TestDiffOfConditionsAndRenamedKeys(t *testing.T) {
	for _, c := range []string{"x > 2", "x > 1 or 1=1", "x > 1 and y = 2 or 1=1", "x > 10 and y = 2", "x > 1 and y = 'a' or 'b' = 'b'", "x > 1 and (y || z)"} {
		a, b := waivable(), waivable()
		b.Tables[0].Rows.Where = c
		for _, d := range []*Differences{Diff(Resolve(a, nil), Resolve(b, nil), today), Diff(Resolve(b, nil), Resolve(a, nil), today)} {
			if len(d.All) != 1 || d.All[0].Strength != Weaker {
				t.Errorf("%s:\n%s", c, renderDiff(d))
			}
		}
	}
	a, b := waivable(), waivable()
	a.Keys[0].From = "ephemeral"
	b.Keys[0] = KeySource{Name: "other", From: "file:k", Scope: "discovery"}
	got := strengths(Diff(Resolve(a, nil), Resolve(b, nil), today))
	if got["keys.k.from"] != Weaker || got["keys.k.rotate"] != Weaker || got["keys.k"] != Changed || len(got) != 3 {
		t.Errorf("a renamed key: %v", got)
	}
}

// A weakening is accepted by a waiver of the new policy that names it and has not expired.
func TestDiffIsWaived(t *testing.T) {
	for _, c := range []struct {
		object, expires string
		want            int
	}{
		{"t.c", "2027-01-31", 1}, {"t.c", "2026-11-26", 1}, {"t.c", "2026-11-25", 0},
		{"class a", "2027-01-31", 1}, {"a", "2027-01-31", 1}, {"t.d", "2027-01-31", 0},
		// What names no one weakening, the class that it got, and what has no end in sight.
		{"t", "2027-01-31", 0}, {"", "2027-01-31", 0}, {"keep", "2027-01-31", 0}, {"public", "2027-01-31", 0},
		{"t.c", "2027-11-27", 1}, {"t.c", "2027-11-28", 0}, {"t.c", "2036-12-31", 0}, {"t.c", "", 0},
	} {
		a, b := waivable(), waivable()
		b.Tables[0].Columns, b.Tables[0].Keep = nil, []ColumnRule{{Name: "c", Class: Public, Do: &Do{Name: "keep"}}}
		b.Waivers = append(b.Waivers, Waiver{Rule: "SAN-P08", Object: c.object, By: "dpo@shop.example", Expires: c.expires})
		d := Diff(Resolve(a, nil), Resolve(b, nil), today)
		// The waiver came with the change: it is a weakening too, until somebody else has looked.
		if d.Waived() != c.want || d.Count(Weaker) != 2-c.want {
			t.Errorf("waiver at %q until %s: %d waived and %d weaker, want %d and %d\n%s", c.object, c.expires, d.Waived(), d.Count(Weaker), c.want, 2-c.want, renderDiff(d))
		}
		d.AcceptWaivers()
		if d.Count(Weaker) != 1-c.want {
			t.Errorf("the waiver at %q is accepted, and counts:\n%s", c.object, renderDiff(d))
		}
		// One that was there before is none of the change.
		before := *a
		before.Waivers = b.Waivers
		d = Diff(Resolve(&before, nil), Resolve(b, nil), today)
		if d.Waived() != c.want || d.Count(Weaker) != 1-c.want {
			t.Errorf("waiver at %q until %s: %d waived, want %d\n%s", c.object, c.expires, d.Waived(), c.want, renderDiff(d))
		}
		// A waiver of the old policy, or of another rule, accepts nothing.
		a.Waivers, b.Waivers = b.Waivers, slices.Clone(b.Waivers)
		b.Waivers[1].Rule = "SAN-C04"
		if d := Diff(Resolve(a, nil), Resolve(b, nil), today); d.Waived() != 0 {
			t.Errorf("waived by what is no waiver of it: %s", renderDiff(d))
		}
	}
}

// A policy beside its own lock does not differ, and a lock stands for its policy.
func TestDiffOfLocks(t *testing.T) {
	text, err := os.ReadFile("testdata/diff/inherited.txt")
	if err != nil {
		t.Fatal(err)
	}
	parts := sections(t, string(text))
	c := parseCatalog(t, parts["catalog"])
	p, err := Parse("before.yaml", []byte(parts["before"]))
	if err != nil {
		t.Fatal(err)
	}
	l, err := MakeLock(p, c, nil, masking.Standard(), "test")
	if err != nil {
		t.Fatal(err)
	}
	lock, err := ParseDocument("before.lock", l.Marshal(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := Diff(lock, Resolve(p, c), today); len(d.All) != 0 || !d.Resolved {
		t.Errorf("a policy differs from its lock:\n%s", renderDiff(d))
	}
	now, err := Parse("now.yaml", []byte(parts["now"]))
	if err != nil {
		t.Fatal(err)
	}
	want := renderDiff(Diff(Resolve(p, c), Resolve(now, c), today))
	if got := renderDiff(Diff(lock, Resolve(now, l.Catalog.Facts), today)); got != want {
		t.Errorf("by the lock and its catalog\n%s\nby the policy\n%s", got, want)
	}
	// Without a catalog the lock's listed columns stand for lines.
	d := Diff(lock, Resolve(now, nil), today)
	if d.Resolved || d.Count(Weaker) == 0 {
		t.Errorf("a lock beside lines:\n%s", renderDiff(d))
	}
}

// What the catalog lacks is compared all the same: it may be a file of the same change.
func TestDiffBeyondTheCatalog(t *testing.T) {
	c := parseCatalog(t, "schema public\ntable people\nid int4 pk\n")
	const text = "version: 1\nkeys: {k: {from: ephemeral}}\nclasses: {phone: {kind: direct, do: {shape: text}}}\ntables:\n"
	read := func(tables string) *Document {
		p, err := Parse("p.yaml", []byte(text+tables))
		if err != nil {
			t.Fatal(err)
		}
		return Resolve(p, c)
	}
	for _, x := range []struct{ at, before, now string }{
		{"people.phone", "  people: {columns: {phone: phone}, keep: [id]}\n", "  people: {keep: [id, phone]}\n"},
		{"gone.phone", "  people: {keep: [id]}\n  gone: {columns: {phone: phone}}\n", "  people: {keep: [id]}\n  gone: {keep: [phone]}\n"},
		{"gone", "  people: {keep: [id]}\n  gone: drop\n", "  people: {keep: [id]}\n  gone: {}\n"},
	} {
		d := Diff(read(x.before), read(x.now), today)
		if len(d.All) != 1 || d.All[0].At != x.at || d.All[0].Strength != Weaker || d.Loose == 0 {
			t.Errorf("%s: %d lines are loose\n%s", x.at, d.Loose, renderDiff(d))
		}
		if d := Diff(read(x.now), read(x.now), today); len(d.All) != 0 {
			t.Errorf("a policy differs from itself: %s", renderDiff(d))
		}
	}
}
