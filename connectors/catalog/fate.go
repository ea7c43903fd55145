package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Fate is what becomes of an object in a copy.
type Fate string

// The fates.
const (
	Comes       Fate = ""            // as it is
	Stays       Fate = "left behind" // it is not made at the target
	Neutralised Fate = "neutralised" // it is made, in a form that does nothing by itself
	Noted       Fate = "noted"       // it comes as it is, and somebody should look at it
	Stops       Fate = "stops"       // a copy can neither have it nor do without: a run stops before it writes
)

// Along reports whether an object comes along as it is.
func (f Fate) Along() bool { return f == Comes || f == Noted }

// Grants is the kind of the one object that stands for the rights of roles. It may be kept
// where there is none.
const Grants = "grants"

// Fates lists the objects that do not simply come along, each with its fate and the
// reason, and without its words. The order is that of kind and name.
func (c *Catalog) Fates() []Object {
	var all []Object
	for _, o := range c.Objects {
		if o.Fate != Comes {
			all = append(all, Object{Kind: o.Kind, Name: o.Name, Fate: o.Fate, Reason: o.Reason, Fixed: o.Fixed})
		}
	}
	slices.SortStableFunc(all, compareObjects)
	return all
}

func compareObjects(a, b Object) int {
	if c := strings.Compare(a.Kind, b.Kind); c != 0 {
		return c
	}
	return strings.Compare(a.Name, b.Name)
}

// KeepError is an object that was asked for by name and cannot come along.
type KeepError struct {
	Name   string // as it was asked for
	Reason string
	Help   string
}

// Error returns name: reason.
func (e *KeepError) Error() string { return fmt.Sprintf("keep %q: %s", e.Name, e.Reason) }

// Hint returns what a person can do.
func (e *KeepError) Hint() string { return e.Help }

// ref is how an object is named where one is asked for: kind:name.
func (o Object) ref() string { return o.Kind + ":" + o.Name }

// Keep returns the catalog with the fate of the named objects changed: they come along,
// and so does what stayed for their sake alone. A name is KIND:NAME, as Fates has them; the
// default schema may be left out. A name that matches nothing that stays, an object that can
// never come, and one that needs another that stays are errors of type *KeepError.
func (c *Catalog) Keep(names []string) (*Catalog, error) {
	if len(names) == 0 {
		return c, nil
	}
	kept := *c
	kept.Objects = slices.Clone(c.Objects)
	asked := map[int]string{}
	for _, name := range names {
		if name == Grants && !slices.ContainsFunc(c.Objects, func(o Object) bool { return o.Kind == Grants }) {
			continue // there are none, and who asks for them need not know
		}
		at, err := kept.named(name)
		if err != nil {
			return nil, err
		}
		asked[at] = name
	}
	inOrder := slices.Sorted(maps.Keys(asked))
	for _, at := range inOrder {
		if o := &kept.Objects[at]; len(o.Causes) == 0 {
			how := keptOne
			if strings.HasPrefix(o.Reason, "are ") {
				how = keptMany
			}
			o.Fate, o.Reason = Noted, how+o.Reason
		}
	}
	// What stays for another's sake comes when none of these stays any more.
	for changed := true; changed; {
		changed = false
		held := map[string]bool{}
		for _, o := range kept.Objects {
			if !o.Fate.Along() {
				held[o.ref()] = true
			}
		}
		for i := range kept.Objects {
			o := &kept.Objects[i]
			if o.Fate != Comes && len(o.Causes) > 0 && !slices.ContainsFunc(o.Causes, func(ref string) bool { return held[ref] }) {
				o.Fate, o.Reason, o.Causes, o.Still, changed = Comes, o.Still, nil, "", true
				if o.Reason != "" {
					o.Fate = Noted
				}
			}
		}
	}
	// The reason names one of the causes: one that is kept is none any more.
	for i := range kept.Objects {
		o := &kept.Objects[i]
		if o.Fate == Comes || len(o.Causes) < 2 {
			continue
		}
		along := func(ref string) bool {
			return !slices.ContainsFunc(kept.Objects, func(c Object) bool { return c.ref() == ref && !c.Fate.Along() })
		}
		if at := slices.IndexFunc(o.Causes, func(ref string) bool { return !along(ref) }); at > 0 {
			o.Reason = strings.Replace(o.Reason, strings.Replace(o.Causes[0], ":", " ", 1), strings.Replace(o.Causes[at], ":", " ", 1), 1)
		}
	}
	for _, at := range inOrder {
		name := asked[at]
		if o := kept.Objects[at]; !o.Fate.Along() {
			help := "keep what it needs as well: --keep-object " + quoted(strings.Join(o.Causes, "' --keep-object '"))
			if slices.ContainsFunc(kept.Objects, func(c Object) bool { return c.Fixed && slices.Contains(o.Causes, c.ref()) }) {
				help = "leave it out: what it needs never comes along"
			}
			return nil, &KeepError{Name: name, Reason: "it " + o.Reason, Help: help}
		}
	}
	kept.index()
	return &kept, nil
}

// named finds the object that stays and is called name.
func (c *Catalog) named(name string) (int, error) {
	kind, rest, _ := strings.Cut(name, ":")
	same := func(o Object) bool {
		if !strings.EqualFold(o.Kind, strings.TrimSpace(kind)) {
			return false
		}
		rest := strings.TrimSpace(rest)
		// Of some kinds there is one object, whose name is a number of things.
		return o.Name == rest || c.DefaultSchema != "" && o.Name == c.DefaultSchema+"."+rest || rest == "" && counted(o.Name)
	}
	at := slices.IndexFunc(c.Objects, func(o Object) bool { return !o.Fate.Along() && same(o) })
	if at >= 0 {
		if o := c.Objects[at]; o.Fixed {
			return 0, &KeepError{Name: name, Reason: "it never comes along: it " + o.Reason, Help: "make one of its sort at the target, by hand, after the run"}
		}
		return at, nil
	}
	if slices.ContainsFunc(c.Objects, same) {
		return 0, &KeepError{Name: name, Reason: "it comes along as it is", Help: "leave --keep-object out"}
	}
	return 0, &KeepError{Name: name, Reason: "there is no such object", Help: c.near(kind, rest)}
}

// near names what somebody may have meant: objects of the kind, or the kinds that there are.
func (c *Catalog) near(kind, name string) string {
	const most = 5
	var same, others []string
	for _, o := range c.Fates() {
		switch {
		case o.Fate.Along() || o.Fixed:
		case strings.EqualFold(o.Kind, strings.TrimSpace(kind)), name != "" && strings.Contains(o.Name, strings.TrimSpace(name)):
			same = append(same, quoted(o.ref()))
		default:
			others = append(others, quoted(o.ref()))
		}
	}
	if same == nil {
		same = others
	}
	if same == nil {
		return "nothing that could be kept stays behind; leave --keep-object out"
	}
	more := ""
	if len(same) > most {
		more = fmt.Sprintf(" and %d more", len(same)-most)
		same = same[:most]
	}
	return "write KIND:NAME; there are " + strings.Join(same, ", ") + more
}

func quoted(ref string) string { return "'" + ref + "'" }

func counted(name string) bool {
	return name != "" && strings.Trim(name, "0123456789") == ""
}

// How the reason of an object begins that comes along since it was named.
const (
	keptOne  = "is kept by name; it "
	keptMany = "are kept by name; they "
)

// KeptByName reports whether the object comes along since it was named, and would not otherwise.
func (o Object) KeptByName() bool {
	return strings.HasPrefix(o.Reason, keptOne) || strings.HasPrefix(o.Reason, keptMany)
}
