package masking

import (
	"encoding/binary"
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// bindUUID binds {pseudonym: uuid}, on a column of UUIDs or of text that holds them.
func bindUUID(req Request) (Binding, error) {
	col := req.Column
	switch {
	case col.Kind == Int:
		return Binding{}, &BindError{Reason: "pseudonym uuid takes UUIDs, and the column holds integers", Help: "use {pseudonym: id}"}
	case req.Spec.Params["range"] != nil:
		return Binding{}, &BindError{Reason: "pseudonym uuid has no range", Help: "leave range out"}
	case col.Kind == Text && col.MaxChars > 0 && col.MaxChars < 32:
		return Binding{}, &BindError{Reason: fmt.Sprintf("a UUID has 32 digits, and the column holds %d characters", col.MaxChars), Help: "use token"}
	}
	return Binding{
		Transform:  &uuidTransform{feistel: newFeistel(req.Key.For("permute uuid")), text: col.Kind == Text, equality: col.Equality},
		Guarantees: pseudonymGuarantees,
	}, nil
}

// uuid is a UUID (RFC 9562) as two numbers, the first bytes first.
type uuid struct{ hi, lo uint64 }

func (u uuid) appendBytes(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint64(dst, u.hi)
	return binary.BigEndian.AppendUint64(dst, u.lo)
}

// uuidForm is how a UUID is spelled.
type uuidForm struct {
	dashes bool // 8-4-4-4-12
	upper  bool // A to F; lower case, and no letters at all, are false
}

// uuidGroups is where the digits stand between the dashes.
var uuidGroups = [...][2]int{{0, 8}, {9, 13}, {14, 18}, {19, 23}, {24, 36}}

// parse reads 32 hex digits, with dashes at the four places or with none, and
// letters of one case.
func (u *uuid) parse(text []byte) (form uuidForm, ok bool) {
	var marks byte
	switch len(text) {
	case 32:
		u.hi, u.lo = readHex(0, text[:16], &marks), readHex(0, text[16:], &marks)
	case 36:
		if text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
			return form, false
		}
		form.dashes = true
		var half [2]uint64
		for i, g := range uuidGroups {
			h := &half[i/3] // three groups are the first half
			*h = readHex(*h, text[g[0]:g[1]], &marks)
		}
		u.hi, u.lo = half[0], half[1]
	default:
		return form, false
	}
	form.upper = marks&isUpper != 0
	return form, marks&notHex == 0 && marks&(isUpper|isLower) != isUpper|isLower
}

// readHex appends hex digits to v, and their marks to marks.
func readHex(v uint64, text []byte, marks *byte) uint64 {
	m := *marks
	for _, c := range text {
		d := hexValue[c]
		m |= d
		v = v<<4 | uint64(d&0xf)
	}
	*marks = m
	return v
}

// hexValue holds a hex digit's value and marks.
var hexValue = func() (t [256]byte) {
	for c := range t {
		switch {
		case '0' <= c && c <= '9':
			t[c] = byte(c - '0')
		case 'a' <= c && c <= 'f':
			t[c] = byte(c-'a'+10) | isLower
		case 'A' <= c && c <= 'F':
			t[c] = byte(c-'A'+10) | isUpper
		default:
			t[c] = notHex
		}
	}
	return t
}()

const (
	isLower = 0x10
	isUpper = 0x20
	notHex  = 0x40
)

// write fills dst, of 36 or 32 bytes as the form has dashes or not.
func (u uuid) write(dst []byte, form uuidForm) {
	if form.dashes {
		dst[8], dst[13], dst[18], dst[23] = '-', '-', '-', '-'
		second, third := hexWord(u.hi), hexWord(u.lo>>32)
		binary.BigEndian.PutUint64(dst, hexWord(u.hi>>32))
		binary.BigEndian.PutUint32(dst[9:], uint32(second>>32))
		binary.BigEndian.PutUint32(dst[14:], uint32(second))
		binary.BigEndian.PutUint32(dst[19:], uint32(third>>32))
		binary.BigEndian.PutUint32(dst[24:], uint32(third))
		binary.BigEndian.PutUint64(dst[28:], hexWord(u.lo))
	} else {
		writeHex(dst[:32], u.hi, u.lo)
	}
	if form.upper {
		for i, c := range dst {
			if c >= 'a' {
				dst[i] = c - 'a' + 'A'
			}
		}
	}
}

// reserved reports whether u is the nil UUID or the max UUID of RFC 9562, which
// mean "none" and stay what they are.
func (u uuid) reserved() bool {
	return u.hi == 0 && u.lo == 0 || u.hi == ^uint64(0) && u.lo == ^uint64(0)
}

// letters reports whether a hex digit of u is a letter: its top bit is set, and one of the next two.
func (u uuid) letters() bool {
	const tops = 0x8888_8888_8888_8888
	return (u.hi&(u.hi<<1|u.hi<<2)|u.lo&(u.lo<<1|u.lo<<2))&tops != 0
}

// The two sets that are permuted, each onto itself. UUIDs without a letter – one
// in a million, and the nil UUID – keep to themselves, so that a UUID in upper
// case has an image in upper case, and no two spellings ever meet.
const (
	lettered   = iota // 122 bits: two halves of 61
	letterless        // 30 decimal digits: two halves of 15
)

const (
	half61 = 1 << 61
	half15 = 1_000_000_000_000_000
)

// set puts u into lane i. The tweak holds what is kept: version and variant, or
// the two whole digits of a UUID without letters.
func (u uuid) set(s *scratch, i int) {
	version := u.hi >> 12 & 0xf
	if u.letters() {
		free := u.hi>>16<<12 | u.hi&0xfff // 60 bits
		s.l[i], s.r[i] = free<<1|u.lo>>61&1, u.lo&(half61-1)
		s.a[i], s.b[i] = half61, half61
		s.which[i], s.tweak[i] = lettered, version<<2|u.lo>>62
		return
	}
	s.l[i], s.r[i] = decimals(u.hi>>16, 12)*1000+decimals(u.hi, 3), decimals(u.lo, 15)
	s.a[i], s.b[i] = half15, half15
	s.which[i], s.tweak[i] = letterless, 1<<8|version<<4|u.lo>>60
}

// get returns the UUID in lane i, and whether it has arrived: a UUID with letters
// among those, and at none of the two that stay.
func getUUID(s *scratch, i int) (u uuid, arrived bool) {
	if s.which[i] == letterless {
		version, variant := s.tweak[i]>>4&0xf, s.tweak[i]&0xf
		u.hi = hexOf(s.l[i]/1000)<<16 | version<<12 | hexOf(s.l[i]%1000)
		u.lo = variant<<60 | hexOf(s.r[i])
		return u, !u.reserved()
	}
	free := s.l[i] >> 1
	u.hi = free>>12<<16 | s.tweak[i]>>2<<12 | free&0xfff
	u.lo = s.tweak[i]<<62 | s.l[i]&1<<61 | s.r[i]
	return u, u.letters() && !u.reserved()
}

// decimals reads the last n hex digits of v as decimal ones.
func decimals(v uint64, n int) (d uint64) {
	for i := n - 1; i >= 0; i-- {
		d = d*10 + v>>(4*i)&0xf
	}
	return d
}

// hexOf is the inverse of decimals.
func hexOf(d uint64) (v uint64) {
	for i := 0; d > 0; i += 4 {
		v |= d % 10 << i
		d /= 10
	}
	return v
}

// uuidTransform permutes UUIDs, as 16 bytes or as text.
type uuidTransform struct {
	feistel  *feistel
	text     bool
	equality Equality
}

func (t *uuidTransform) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	out := newTextBuilder(mem, values.n, values.n*36)
	s := getScratch()
	defer s.free()
	var masked [lanes]uuid
	var form [lanes]uuidForm
	var present [lanes]bool
	for base := 0; base < values.n; base += lanes {
		rows := min(lanes, values.n-base)
		n := 0
		for i := range rows {
			present[i] = false
			if values.null(base + i) {
				continue
			}
			v := values.value(base + i)
			if t.text && blank(v) {
				continue
			}
			var ok bool
			if form[i], ok = t.read(v, &masked[i]); !ok {
				out.drop()
				return nil, t.malformed(base + i)
			}
			present[i] = true
			if !masked[i].reserved() {
				masked[i].set(s, n)
				s.row[n] = int32(i)
				n++
			}
		}
		t.walk(s, n, &masked)
		for i := range rows {
			switch {
			case values.null(base + i):
				out.null()
			case !present[i]:
				out.add(values.value(base + i))
			case t.text:
				length := 32
				if form[i].dashes {
					length = 36
				}
				out.grow(length)
				at := len(out.buf)
				out.buf = out.buf[:at+length]
				masked[i].write(out.buf[at:], form[i])
				out.end()
			default:
				out.grow(16)
				out.buf = masked[i].appendBytes(out.buf)
				out.end()
			}
		}
	}
	return out.finish(), nil
}

func (t *uuidTransform) read(v []byte, u *uuid) (form uuidForm, ok bool) {
	if t.text {
		return u.parse(t.equality.unpadded(v))
	}
	if len(v) != 16 {
		return form, false
	}
	u.hi, u.lo = binary.BigEndian.Uint64(v), binary.BigEndian.Uint64(v[8:])
	return form, true
}

func (t *uuidTransform) malformed(row int) error {
	if !t.text {
		return &ValueError{Row: row, Reason: "a UUID that has not 16 bytes", Help: "the connector is at fault"}
	}
	return &ValueError{
		Row:    row,
		Reason: "not a UUID: 32 hex digits with letters of one case, with dashes at the usual places or with none",
		Help:   "use token for a column of mixed texts",
	}
}

// walk permutes the first n lanes until each has arrived, and writes to masked by row.
func (t *uuidTransform) walk(s *scratch, n int, masked *[lanes]uuid) {
	for n > 0 {
		t.feistel.permute(s, n)
		on := 0
		for i := range n {
			if u, ok := getUUID(s, i); ok {
				masked[s.row[i]] = u
				continue
			}
			s.move(on, i)
			on++
		}
		n = on
	}
}
