package masking

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// bindMAC binds {fake: mac}: hardware addresses of 48 or 64 bits (EUI-48, EUI-64 of
// IEEE 802) are permuted. Separators stay, and so does the case of the letters.
//
// The bit for groups (multicast) stays. The bit that tells a locally administered
// address from one that a maker has burned in is turned over: a burned-in address,
// which is almost every one in a database, becomes a local one, which no device on
// sale has. As many again were local before, and there is no third half for them;
// so that no two addresses meet, these take the places that the others leave.
// {range: reserved} makes all of them local, and then two may meet.
//
// In a text, AA:… and aa:… are two values of one address. They stay two by the case of
// the mask, but for one address in 280 whose mask has no letter to show it; a unique
// text column that holds both spellings may so fail to load.
//
// All zeros and all ones are nobody's, and stay. What is no hardware address has its
// letters and digits exchanged; in a unique column it is an error.
func bindMAC(req Request) (Binding, error) {
	col := req.Column
	if err := refuseLabels("fake mac", col); err != nil {
		return Binding{}, err
	}
	t := &macTransform{
		other: newScrambler(req.Key.For("mac"), col.Equality), feistel: newFeistel(req.Key.For("mac permute")),
		strict: col.Unique, text: col.Kind == Text,
	}
	b := Binding{Transform: t, Guarantees: Guarantees{Deterministic: true, KeepsNull: true, KeepsEmpty: true, KeepsFormat: true, KeepsLength: true}}
	switch r := req.Spec.Params["range"]; {
	case r == nil:
		b.Guarantees.Injective, b.Guarantees.Reversible = t.strict || !t.text, t.strict || !t.text
		b.Pinned = "local and burned-in addresses exchanged"
		return b, nil
	case r != "reserved":
		return Binding{}, &BindError{Reason: fmt.Sprintf("fake mac has no range %v", r), Help: "write range: reserved, or leave it out"}
	case col.Unique:
		return Binding{}, &BindError{Reason: "the locally administered addresses are half of all, too few for a unique column", Help: "leave range out: {fake: mac} permutes all of them"}
	}
	t.reserved = true
	b.Guarantees.OutputBits = 46
	b.Pinned = "locally administered"
	return b, nil
}

// The two bits of the first byte that say what an address is.
const (
	macGroup = 1
	macLocal = 2
)

// mac is a hardware address of so many bits, the first byte on top.
type mac struct {
	v     uint64
	width int // 48 or 64
	upper bool
}

// parseMAC reads twelve or sixteen hex digits, with colons, dashes, dots or blanks between them.
func parseMAC(v []byte) (m mac, ok bool) {
	digits, lower := 0, false
	for i, c := range v {
		d := hexValue[c]
		switch {
		case d&notHex == 0 && digits < 16:
			m.v = m.v<<4 | uint64(d&0xf)
			digits++
			lower = lower || d&isLower != 0
			m.upper = m.upper || d&isUpper != 0
		case (c == ':' || c == '-' || c == '.' || c == ' ') && i > 0 && i < len(v)-1:
		default:
			return m, false
		}
	}
	m.width = 4 * digits
	return m, (digits == 12 || digits == 16) && !(m.upper && lower)
}

// special reports whether an address is nobody's.
func (m mac) special() bool { return m.v == 0 || m.v == 1<<m.width-1 }

// set puts the bits of an address into lane i: without the bit for groups, which
// goes into the tweak; the one for local addresses comes first.
func (m mac) set(s *scratch, i int) {
	top := m.v >> (m.width - 8)
	rest := m.v & (1<<(m.width-8) - 1)
	x := top>>2<<(m.width-8) | rest // the 46 or 62 bits that are neither
	half := (m.width - 2) / 2
	s.a[i], s.b[i] = 1<<half, 1<<half
	s.l[i], s.r[i] = x>>half, x&(1<<half-1)
	s.tweak[i] = uint64(m.width)<<2 | top&(macGroup|macLocal)
}

// get returns the address in lane i, with the local bit turned over.
func (m mac) get(s *scratch, i int) mac {
	half := (m.width - 2) / 2
	x := s.l[i]<<half | s.r[i]
	flags := s.tweak[i]&3 ^ macLocal
	top := x>>(m.width-8)<<2 | flags
	m.v = top<<(m.width-8) | x&(1<<(m.width-8)-1)
	return m
}

type macTransform struct {
	other    *scrambler
	feistel  *feistel
	reserved bool
	strict   bool
	text     bool
}

func (t *macTransform) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	out := newTextBuilder(mem, values.n, values.size())
	s := getScratch()
	defer s.free()
	var addresses [lanes]mac
	var what [lanes]uint8
	for base := 0; base < values.n; base += lanes {
		rows := min(lanes, values.n-base)
		n := 0
		for i := range rows {
			what[i] = networkKept
			if values.null(base+i) || blank(values.value(base+i)) {
				continue
			}
			var ok bool
			if addresses[i], ok = parseMAC(t.other.equality.unpadded(values.value(base + i))); !ok {
				if t.strict || !t.text {
					out.drop()
					return nil, &ValueError{Row: base + i, Reason: "not a hardware address of 12 or 16 hex digits in one case", Help: "use token for a column of mixed texts"}
				}
				what[i] = networkOther
				continue
			}
			if what[i] = networkAddress; !addresses[i].special() {
				addresses[i].set(s, n)
				s.row[n] = int32(i)
				n++
			}
		}
		for n > 0 {
			t.feistel.permute(s, n)
			on := 0
			for i := range n {
				m := addresses[s.row[i]].get(s, i)
				switch {
				case m.special(): // walks on, from where it has come to
					m.set(s, on)
					s.row[on] = s.row[i]
					on++
					continue
				case t.reserved:
					m.v |= macLocal << (m.width - 8)
				}
				addresses[s.row[i]] = m
			}
			n = on
		}
		for i := range rows {
			switch v := values.value; {
			case values.null(base + i):
				out.null()
			case what[i] == networkAddress:
				addresses[i].write(out, v(base+i))
			case what[i] == networkOther:
				t.other.add(out, v(base+i), s)
			default:
				out.add(v(base + i))
			}
		}
	}
	return out.finish(), nil
}

// write adds v with the digits of m.
func (m mac) write(out *textBuilder, v []byte) {
	digits := hexDigits
	if m.upper {
		digits = "0123456789ABCDEF"
	}
	out.grow(len(v))
	shift := m.width
	for _, c := range v {
		if hexValue[c]&notHex == 0 {
			shift -= 4
			c = digits[m.v>>shift&0xf]
		}
		out.buf = append(out.buf, c)
	}
	out.end()
}
