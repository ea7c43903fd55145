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
	XML                   // as Text
	IP                    // an address, perhaps with a prefix length (inet, cidr), as Text
	MAC                   // 6 or 8 bytes in hex, as Text
	Point                 // "(x,y)", as Text
	Array                 // "{1,2,NULL}", the form that PostgreSQL prints, as Text; so the next four
	Composite             // "(1,\"a b\",)"
	Range                 // "[1,5)", or a multirange: "{[1,5),[7,)}"
	Hstore                // "\"key\"=>\"value\", \"k\"=>NULL"
)

var kindNames = [...]string{"opaque", "bool", "int", "float", "numeric", "text", "bytes", "uuid", "date", "timestamp", "json",
	"xml", "ip", "mac", "point", "array", "composite", "range", "hstore"}

// text reports whether the values are text of some sort, in the database's encoding.
func (k Kind) text() bool {
	switch k {
	case Text, JSON, XML, Array, Composite, Range, Hstore:
		return true
	}
	return false
}

// String returns the kind's lower-case name.
func (k Kind) String() string { return kindNames[k] }

// Column is the column that a transform is bound to.
type Column struct {
	Table, Name string // coordinates, for errors
	Kind        Kind
	Bits        int      // width of Int or Float
	NarrowBits  int      // width of the narrowest Int in the domain; 0 is Bits
	MaxChars    int      // most characters that fit; 0 is no limit
	MaxBytes    int      // most bytes of UTF-8 that fit; 0 is no limit
	Precision   int      // digits of Numeric in all; 0 is no limit
	Scale       int      // of them behind the point
	Labels      []string // the only texts that fit, if not nil
	Charset     Charset  // the characters that the database holds
	Equality    Equality // what the database calls equal, here or in a column that it is tied to
	Element     *Column  // of Array and Range, and the values of Hstore
	Fields      []Column // of Composite
	NotNull     bool
	Unique      bool  // different values have to stay different: a unique key asks for it, here or on a column that it references
	Rows        int64 // estimate, for the bound on collisions
}

// Coordinates returns table.column.
func (c Column) Coordinates() string {
	if c.Table == "" {
		return c.Name
	}
	return c.Table + "." + c.Name
}

// asciiChars returns how many ASCII characters fit the column; 0 is no limit.
func (c Column) asciiChars() int {
	if c.MaxBytes > 0 && (c.MaxChars == 0 || c.MaxBytes < c.MaxChars) {
		return c.MaxBytes
	}
	return c.MaxChars
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
	// Paths holds the entries of a transform of documents (json, xml, fields) in
	// the policy's order.
	Paths []PathSpec
	// Inner is the transform of each element (each).
	Inner *Spec
	// Classes holds the transforms that hits in a text are masked by (redact), under
	// the names that the policy gives the patterns. Each has a Domain of its own.
	Classes map[string]Spec
	// Domain is the namespace of consistent masking, as the policy resolved it.
	Domain string
	// NarrowBits takes the place of Column.NarrowBits, if not 0: each path of a
	// document has a domain, and a narrowest Int, of its own.
	NarrowBits int
	// Equality is what makes no difference to a Text beside what Column.Equality says: what
	// the columns call equal that a path of a document joins with.
	Equality Equality
}

// PathSpec is the transform of one JSON path.
type PathSpec struct {
	Path string // $.contact.email, or * for everything else
	Spec Spec
}
