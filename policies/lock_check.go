package policies

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/sanitize-db/sanitize/masking"
)

// CheckDecisions complains unless the lock says what the policy decides: it compiles the
// policy against the catalog in the lock anew, and compares all that a person reads in the
// lock with what comes out. Without it somebody could give one policy the lock of another,
// and have that approved. Transforms and dictionaries are left to CheckRun, and how far
// the catalog is still that of the database to Drift. It needs no database and no key;
// reg is asked for the transforms. The error is of type Errors, and a drift.
func (l *Lock) CheckDecisions(p *Policy, reg *masking.Registry) error {
	made, err := l.remake(p, reg)
	if err != nil {
		return err
	}
	at, what := l.firstOther(made)
	if what == "" {
		return nil
	}
	if at != "" {
		what = at + ": " + what
	}
	return Errors{{File: p.File, At: at, Code: Drift,
		Message: "the lock does not say what the policy decides: " + what,
		Help:    "do not trust it; make the lock anew with: sanitize lock " + p.File}}
}

// CheckMasking complains if this program's transforms, or the files that the policy names,
// are not those that the lock was made with. The error is of type Errors, and a drift.
func (l *Lock) CheckMasking(p *Policy, reg *masking.Registry) error {
	made, err := l.remake(p, reg)
	if err != nil {
		return err
	}
	if reflect.DeepEqual(made.Masking, l.Masking) {
		return nil
	}
	return Errors{{File: p.File, Code: Drift, Message: "transforms, dictionaries or pools are not those that the lock was made with",
		Help: "make the lock anew with: sanitize lock " + p.File}}
}

// remake is the lock as this program makes it of the policy and the lock's own catalog.
func (l *Lock) remake(p *Policy, reg *masking.Registry) (*Lock, error) {
	if err := l.CheckPolicy(p); err != nil {
		return nil, err
	}
	named := *p // under the name that the lock has of it: a copy of a policy decides the same
	if filepath.Base(l.Policy.File) == l.Policy.File {
		named.File = filepath.Join(filepath.Dir(p.File), l.Policy.File)
	}
	return MakeLock(&named, l.Catalog.Facts, nil, reg, l.Tool)
}

// firstOther names the first place in which two locks of one policy differ: a table, a
// column, or a section of the lock.
func (l *Lock) firstOther(made *Lock) (at, what string) {
	for i := range min(len(l.Tables), len(made.Tables)) {
		says, is := l.Tables[i], made.Tables[i]
		if says.Table != is.Table {
			return clip(says.Table), "it has this table in the place of " + is.Table
		}
		for j := range min(len(says.Columns), len(is.Columns)) {
			a, b := says.Columns[j], is.Columns[j]
			at := is.Table + "." + b.Column
			switch {
			case a.Column != b.Column:
				return at, "it has another column in its place"
			case a != b:
				return at, fmt.Sprintf("it says %s, and the policy says %s", a.words(), b.words())
			}
		}
		if len(says.Columns) != len(is.Columns) {
			return is.Table, fmt.Sprintf("it has %d columns of %d", len(says.Columns), len(is.Columns))
		}
		if !reflect.DeepEqual(says, is) {
			return is.Table, "what becomes of the table differs"
		}
	}
	if len(l.Tables) != len(made.Tables) {
		return "", fmt.Sprintf("it has %d tables of %d", len(l.Tables), len(made.Tables))
	}
	says, is := l.fields(), made.fields()
	for _, name := range slices.Sorted(maps.Keys(says)) {
		if string(says[name]) != string(is[name]) {
			return "", "its section " + name + " differs"
		}
		delete(is, name)
	}
	for _, name := range slices.Sorted(maps.Keys(is)) {
		return "", "its section " + name + " is missing"
	}
	return "", ""
}

// words says what happens to a column.
func (c LockedColumn) words() string {
	s := c.Action
	if c.Class != "" {
		s += " as " + clip(c.Class)
	}
	if c.Do != "" {
		s += " by " + clip(c.Do)
	}
	return fmt.Sprintf("%s (%s)", s, clip(c.Why))
}

// fields are the sections of the lock that its policy alone decides about.
func (l *Lock) fields() map[string]json.RawMessage {
	bare := *l
	bare.KeyCheck, bare.Masking, bare.Tables = "", LockedMasking{}, nil
	bare.Catalog.Facts = nil
	var m map[string]json.RawMessage
	if err := json.Unmarshal(bare.Marshal(), &m); err != nil {
		panic("policies: lock: " + err.Error()) // it was encoded just now
	}
	return m
}
