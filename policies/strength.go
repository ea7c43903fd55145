package policies

// Strength says how one decision about a column protects beside another.
type Strength int

// The strengths. Changed is another protection that is neither more nor less.
const (
	Same Strength = iota
	Weaker
	Stronger
	Changed
)

// String returns WEAKER, STRONGER, CHANGED or "same".
func (s Strength) String() string {
	return [...]string{"same", "WEAKER", "STRONGER", "CHANGED"}[s]
}

// compareDo says whether now protects a column less or more than before did.
func compareDo(before, now Do) Strength {
	a, b := protection(before), protection(now)
	switch {
	case before.String() == now.String():
		return Same
	case b < a:
		return Weaker
	case b > a:
		return Stronger
	}
	return Changed
}

// protection ranks transforms: 0 keeps, 1 leaves a part or a neighbourhood of the
// value, 2 can be turned back by the key, 3 cannot, 4 leaves nothing.
func protection(d Do) int {
	switch d.Name {
	case "keep":
		return 0
	case "null", "constant", "drop", "password":
		return 4
	case "prefix", "truncate", "truncate_to", "noise", "bucket", "top_code", "bottom_code", "shift_days", "day", "coordinates", "generalize", "redact", "shuffle":
		return 1
	case "pseudonym", "number":
		return 2
	}
	return 3
}
