package postgres

import (
	"errors"
	"slices"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// byName lists the built-in types whose binary form is the id of an object, which
// at the target is another object's. Their text is its name.
var byName = []uint32{24, 2202, 2203, 2204, 2205, 2206, 3734, 3769, 4089, 4096, 4191}

// notEmpty lists the built-in types whose binary form no server takes of a value without anything
// in it, though each gives it: int2vector, oidvector, tsquery.
var notEmpty = []uint32{22, 30, 3615}

// names reports whether a value of a type is the name of an object, or of a role in rights, or has one in it.
func names(t catalog.Type) (objects, roles bool) {
	objects, roles = slices.Contains(byName, t.OID), t.OID == oidACLItem
	inner := make([]catalog.Type, 0, len(t.Fields)+1)
	if t.Element != nil {
		inner = append(inner, *t.Element)
	}
	for _, f := range t.Fields {
		inner = append(inner, f.Type)
	}
	for _, i := range inner {
		o, r := names(i)
		objects, roles = objects || o, roles || r
	}
	return objects, roles
}

// naming notes the columns whose values name what the copy may not have, or have by another id.
func (p *picture) naming(tables []*catalog.Table) {
	for _, t := range tables {
		for _, c := range t.Columns {
			if c.Generation.Computed() || t.Kind == catalog.Foreign {
				continue
			}
			why := ""
			if objects, roles := names(c.Type); objects {
				why = "names objects or roles: one that is not there when the row is loaded, as an index is not, ends the load; the number of one that was dropped may be another's in the copy"
			} else if roles {
				why = "names roles, and one that the target's server does not have ends the load"
			}
			if why != "" {
				p.add(archiveID{}, catalog.Object{Kind: "column", Name: t.ID.String() + "." + c.Name, Fate: catalog.Noted, Reason: why})
			}
		}
	}
}

// hintNames says of a failure in a column what it comes from if its values are names.
func hintNames(failed, err error, c *catalog.Column) error {
	var e *connectors.Error
	if c == nil || !errors.As(failed, &e) || !slices.Contains(absentStates, stateOf(err)) {
		return failed
	}
	if objects, roles := names(c.Type); objects || roles {
		e.Hint = `the value names an object, or a role, that is not there: null the column with {"null": true}, leave the row out by the policy, or, of a role, CREATE ROLE it at the target's server`
	}
	return failed
}

// absentStates are the SQLSTATEs of what is not there: a function, a table, another object or a role, a schema.
var absentStates = []string{"42883", "42P01", "42704", "3F000"}
