package masking

import "math"

// Kind is what the values of a column are, and which Arrow array carries them.
type Kind uint8

// The kinds, with the arrays that a transform takes → gives.
const (
	Opaque    Kind = iota // nothing but NULL: takes any, gives *array.Null
	Bool                  // *array.Boolean → the same
	Int                   // *array.Int64 → the same
	Float                 // *array.Float64 → the same
	Numeric               // decimal text: *array.BinaryView or *array.Binary → *array.Binary
	Text                  // UTF-8: *array.BinaryView or *array.Binary → *array.Binary
	Bytes                 // as Text, any bytes
	UUID                  // 16 bytes, as Text
	Date                  // *array.Date32, days since 1970-01-01; extremes are infinities → the same
	Timestamp             // *array.Int64, microseconds since 2000-01-01; extremes are infinities → the same
	JSON                  // as Text
)

var kindNames = [...]string{"opaque", "bool", "int", "float", "numeric", "text", "bytes", "uuid", "date", "timestamp", "json"}

// String returns the kind's lower-case name.
func (k Kind) String() string { return kindNames[k] }

// Column is the column that a transform is bound to.
type Column struct {
	Table, Name string // coordinates, for errors
	Kind        Kind
	Bits        int      // width of Int or Float
	NarrowBits  int      // width of the narrowest Int in the domain; 0 is Bits
	MaxChars    int      // most characters that fit; 0 is no limit
	Labels      []string // the only texts that fit, if not nil
	NotNull     bool
	Unique      bool  // a unique key of one column stands on it, here or on a column that it references
	Rows        int64 // estimate, for the bound on collisions
}

// Coordinates returns table.column.
func (c Column) Coordinates() string {
	if c.Table == "" {
		return c.Name
	}
	return c.Table + "." + c.Name
}

// UniqueBits returns how many random bits keep rows values apart but for a chance of
// 2^−30: 2·log₂(rows) + 30, by the birthday bound. Fewer than a million rows
// count as a million, since tables grow.
func UniqueBits(rows int64) float64 {
	return 2*math.Log2(float64(max(rows, 1_000_000))) + 30
}

// Spec is one transform as a policy spells it, free of the policy's syntax.
type Spec struct {
	Name    string // pseudonym
	Variant any    // the value of the transform's own key: "id", 3, true; nil if none
	// Params holds the other keys: string, int64, float64, bool, []any, or nil.
	Params map[string]any
	// Paths holds the entries of a JSON transform in the policy's order.
	Paths []PathSpec
	// Domain is the namespace of consistent masking, as the policy resolved it.
	Domain string
	// NarrowBits takes the place of Column.NarrowBits, if not 0: each path of a
	// document has a domain, and a narrowest Int, of its own.
	NarrowBits int
}

// PathSpec is the transform of one JSON path.
type PathSpec struct {
	Path string // $.contact.email, or * for everything else
	Spec Spec
}
