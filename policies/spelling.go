package policies

import "github.com/sanitize-db/sanitize/masking"

// DoOf spells a transform as a policy does. Where the policy would name a class, of a
// path or an element, the class is called as what its transform makes.
func DoOf(s masking.Spec) Do {
	d := Do{Name: s.Name, Variant: s.Variant, Params: s.Params}
	for _, p := range s.Paths {
		rule := PathRule{Path: p.Path, Class: p.Spec.Name}
		if p.Spec.Name != "keep" && p.Spec.Name != "drop" {
			do := DoOf(p.Spec)
			rule.Do = &do
			if v, isText := p.Spec.Variant.(string); isText {
				rule.Class = v
			}
		}
		d.Paths = append(d.Paths, rule)
	}
	if s.Inner != nil {
		inner := DoOf(*s.Inner)
		d.Inner = &PathRule{Do: &inner}
	}
	return d
}
