package masking

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

var networkVariants = []fakeVariant{
	{"ip", []Param{
		{Name: "keep", Summary: "of IP addresses: bits of the prefix that stays, 8 to 24 (16 without it); IPv6 keeps twice as many", Type: "int"},
		{Name: "range", Summary: "of IP addresses: reserved moves them to 198.18.0.0/15 and fd00::/8", Type: "string"},
	}, bindIP, []Sample{
		{Column: Column{Kind: IP}, Values: []string{"93.184.216.34", "10.1.2.0/24", "2001:db8::42"}},
		{Spec: Spec{Params: map[string]any{"range": "reserved"}}, Column: Column{Kind: Text}, Values: []string{"93.184.216.34", "127.0.0.1", "::ffff:93.184.216.34"}},
	}},
	{"mac", []Param{{Name: "range", Summary: "of hardware addresses: reserved makes all of them locally administered", Type: "string"}}, bindMAC, []Sample{
		{Column: Column{Kind: MAC}, Values: []string{"00:1b:44:11:3a:b7", "08:00:2b:01:02:03", "ff:ff:ff:ff:ff:ff"}},
	}},
	{"host", nil, bindHost, []Sample{{Column: Column{Kind: Text}, Values: []string{"www.shop.corp.com", "db1.corp.com", "localhost"}}}},
	{"url", nil, bindURL, []Sample{{Column: Column{Kind: Text}, Values: []string{"https://ann@www.corp.com/users/ann-smith.html?id=42#top", "mailto:ann@corp.com", "/orders/1234"}}}},
	{"user_agent", nil, bindUserAgent, []Sample{{Column: Column{Kind: Text}, Values: []string{"Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/128.0", "curl/8.5.0", "AnnsBrowser/1.0"}}}},
}

// bindIP binds {fake: ip}: the bits behind a prefix are permuted.
//
// 16 bits of an IPv4 address and 32 of an IPv6 one stay, which is about whose
// network it is; keep: N says otherwise. Addresses of one prefix share a
// permutation, and no two meet. An address stays in its class: a private one stays
// private (10/8, 172.16/12, 192.168/16, 100.64/10, link-local, fc00::/7), multicast
// stays multicast, a public one stays public, and one of IPv4 that is mapped into
// IPv6 masks as itself. 0/8, 127/8, 240/4, :: and ::1 are nobody's, and stay.
//
// A prefix length stays, and so does a zone. An address with nothing but zeros
// behind its prefix length is a network and becomes one, of which the bits up to
// that length are permuted; others do not become networks.
//
// {range: reserved} moves IPv4 addresses to 198.18.0.0/15, which RFC 2544 sets
// aside for benchmarks, and IPv6 ones to fd00::/8 of RFC 4193.
//
// In columns of text, addresses are written in the form of RFC 5952. What is no
// address has its letters and digits exchanged; in a unique column it is an error,
// as is an address that is written in another form.
func bindIP(req Request) (Binding, error) {
	col := req.Column
	if err := refuseLabels("fake ip", col); err != nil {
		return Binding{}, err
	}
	if least := len("255.255.255.255"); col.Kind == Text && room(col) < least {
		return Binding{}, &BindError{Reason: fmt.Sprintf("fake ip needs %d characters, the column holds %d", least, room(col)), Help: "use token"}
	}
	t := &ipTransform{
		prf: newPRF(req.Key.For("ip")), other: newScrambler(req.Key.For("ip other"), col.Equality), feistel: newFeistel(req.Key.For("ip permute")),
		keep: 16, strict: col.Unique, text: col.Kind == Text, maxChars: room(col),
	}
	b := Binding{Transform: t, Guarantees: Guarantees{Deterministic: true, KeepsNull: true, KeepsEmpty: true, KeepsFormat: true}}
	keep, given := req.Spec.Params["keep"].(int64)
	switch r := req.Spec.Params["range"]; {
	case r == nil:
	case r != "reserved" || given:
		return Binding{}, &BindError{Reason: fmt.Sprintf("fake ip has no range %v beside what it keeps", r), Help: "write range: reserved, or keep: 16"}
	case col.Unique:
		return Binding{}, &BindError{Reason: "198.18.0.0/15 has 131072 addresses, too few for a unique column", Help: "leave range out: {fake: ip} permutes the addresses of a prefix"}
	default:
		t.reserved = true
		b.Guarantees.OutputBits = 17
		b.Warnings = append(b.Warnings, "198.18.0.0/15 has 131072 addresses: different ones of IPv4 will share one")
		b.Pinned = "in 198.18.0.0/15 and fd00::/8"
		return b, nil
	}
	if given {
		if keep < 8 || keep > 24 {
			return Binding{}, &BindError{Reason: "keep is not a number of bits from 8 to 24", Help: "write keep: 16"}
		}
		t.keep = int(keep)
	}
	b.Guarantees.Injective, b.Guarantees.Reversible = t.strict || !t.text, t.strict || !t.text
	b.Pinned = fmt.Sprintf("%d bits kept, %d of IPv6", t.keep, 2*t.keep)
	if t.keep > 16 {
		b.Warnings = append(b.Warnings, fmt.Sprintf("behind %d bits are few addresses: whoever knows how often each occurs can tell them apart", t.keep))
	}
	return b, nil
}

// ipTransform masks IP addresses.
type ipTransform struct {
	prf      *prf
	other    *scrambler
	feistel  *feistel
	keep     int
	reserved bool
	strict   bool
	text     bool
	maxChars int
}

// bitsOf returns from where to where the bits of an address are permuted, counted
// from the front: behind what is kept, and up to a network's length.
func (t *ipTransform) bitsOf(a *address) (from, to int) {
	class, prefix := a.class()
	if class == stays {
		return 0, 0
	}
	from, to = max(2*t.keep, prefix), 128
	length := a.length
	if a.v4 {
		from, to, length = max(t.keep, prefix), 32, a.v4Length()
	}
	if a.network() {
		to = length
	}
	return from, to
}

// set puts the bits of an address that are permuted into lane i, or reports that there are none.
func (t *ipTransform) set(s *scratch, i int, a *address) bool {
	from, to := t.bitsOf(a)
	n := to - from
	if n <= 0 {
		return false
	}
	var prefix, hi, lo uint64
	if a.v4 {
		prefix, lo = a.lo>>(32-from), a.lo>>(32-to)&(1<<n-1)
	} else {
		prefix = a.hi >> (64 - from)
		hi, lo = shiftRight(a.hi, a.lo, 128-to)
		if n < 64 {
			hi, lo = 0, lo&(1<<n-1)
		} else {
			hi &= 1<<(n-64) - 1
		}
	}
	right := n / 2
	s.a[i], s.b[i] = 1<<(n-right), 1<<right
	_, s.l[i] = shiftRight(hi, lo, right)
	s.r[i] = lo & (1<<right - 1)
	// Which bits and which prefix choose the permutation: of a prefix of more than 48
	// bits there is only one, that of link-local addresses.
	s.tweak[i] = prefix&(1<<48-1)<<8 | uint64(to)<<1&0xff
	if a.v4 {
		s.tweak[i] |= 1
	}
	return true
}

// shiftRight returns 128 bits shifted by n.
func shiftRight(hi, lo uint64, n int) (uint64, uint64) {
	if n >= 64 {
		return 0, hi >> (n - 64)
	}
	return hi >> n, hi<<(64-n) | lo>>n
}

// shiftLeft is the inverse of shiftRight.
func shiftLeft(hi, lo uint64, n int) (uint64, uint64) {
	if n >= 64 {
		return lo << (n - 64), 0
	}
	return hi<<n | lo>>(64-n), lo << n
}

// get returns the address in lane i, and whether it has arrived: in the class of the
// one it came from, and a network only if that was one.
func (t *ipTransform) get(s *scratch, i int, was *address) (a address, arrived bool) {
	from, to := t.bitsOf(was)
	n := to - from
	right := n / 2
	hi, lo := shiftLeft(0, s.l[i], right)
	lo |= s.r[i]
	a = *was
	if a.v4 {
		a.lo = a.lo&^((1<<n-1)<<(32-to)) | lo<<(32-to)
	} else {
		maskHi, maskLo := shiftRight(math.MaxUint64, math.MaxUint64, 128-n)
		maskHi, maskLo = shiftLeft(maskHi, maskLo, 128-to)
		hi, lo = shiftLeft(hi, lo, 128-to)
		a.hi, a.lo = a.hi&^maskHi|hi, a.lo&^maskLo|lo
	}
	class, _ := was.class()
	now, _ := a.class()
	return a, class == now && a.network() == was.network()
}

func (t *ipTransform) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	out := newTextBuilder(mem, values.n, values.size())
	s := getScratch()
	defer s.free()
	var addresses [lanes]address
	var what [lanes]uint8
	for base := 0; base < values.n; base += lanes {
		rows := min(lanes, values.n-base)
		n := 0
		for i := range rows {
			what[i] = networkKept
			if values.null(base+i) || blank(values.value(base+i)) {
				continue
			}
			v := t.other.equality.unpadded(values.value(base + i))
			var ok bool
			if addresses[i], ok = parseAddress(v); !ok || t.strict && t.text && !t.plain(v, &addresses[i]) {
				if t.strict || !t.text {
					out.drop()
					return nil, &ValueError{Row: base + i, Reason: "not an IP address in its usual form", Help: "use token for a column of mixed texts"}
				}
				what[i] = networkOther
				continue
			}
			what[i] = networkAddress
			if !t.reserved && t.set(s, n, &addresses[i]) {
				s.row[n] = int32(i)
				n++
			}
		}
		if t.reserved {
			t.move(s, addresses[:rows], what[:rows])
		}
		t.walk(s, n, &addresses)
		for i := range rows {
			switch {
			case values.null(base + i):
				out.null()
			case what[i] == networkAddress:
				out.grow(mostAddress)
				from := len(out.buf)
				out.buf = addresses[i].append(out.buf)
				if t.text && len(out.buf)-from > t.maxChars {
					out.drop()
					return nil, &ValueError{Row: base + i, Reason: fmt.Sprintf("an address that masked has more than the %d characters of the column", t.maxChars), Help: "use token, or a column of 45 characters"}
				}
				out.end()
			case what[i] == networkOther:
				t.other.add(out, values.value(base+i), s)
			default:
				out.add(values.value(base + i))
			}
		}
	}
	return out.finish(), nil
}

// What a row of the batch is to a transform of addresses.
const (
	networkKept = iota // NULL, blank
	networkAddress
	networkOther
)

// plain reports whether v is the form that we write.
func (t *ipTransform) plain(v []byte, a *address) bool {
	var space [mostAddress]byte
	return string(a.append(space[:0])) == string(v)
}

// walk permutes the first n lanes until each has arrived, and writes by row.
func (t *ipTransform) walk(s *scratch, n int, addresses *[lanes]address) {
	for n > 0 {
		t.feistel.permute(s, n)
		on := 0
		for i := range n {
			row := s.row[i]
			if a, ok := t.get(s, i, &addresses[row]); ok {
				addresses[row] = a
				continue
			}
			s.move(on, i)
			on++
		}
		n = on
	}
}

// move moves addresses into the reserved ranges.
func (t *ipTransform) move(s *scratch, addresses []address, what []uint8) {
	s.text = s.text[:0]
	for i := range addresses {
		s.msg[i] = nil
		a := &addresses[i]
		if what[i] != networkAddress {
			continue
		}
		from := len(s.text)
		s.text = binary.LittleEndian.AppendUint64(s.text, a.lo)
		if !a.v4 {
			s.text = binary.LittleEndian.AppendUint64(s.text, a.hi)
		}
		s.msg[i] = s.text[from:len(s.text):len(s.text)]
	}
	t.prf.sums(s, len(addresses))
	for i := range addresses {
		a := &addresses[i]
		if class, _ := a.class(); what[i] != networkAddress || class == stays {
			continue
		}
		network := a.network()
		hi, lo := binary.LittleEndian.Uint64(s.block[i][:]), binary.LittleEndian.Uint64(s.block[i][8:])
		if a.v4 {
			a.lo = 198<<24 | 18<<16 | lo&(1<<17-1)
		} else {
			a.hi, a.lo = 0xfd<<56|hi>>8, lo
		}
		if network {
			a.cut()
		}
	}
}

// cut clears the bits behind the prefix length.
func (a *address) cut() {
	switch {
	case a.v4:
		a.lo &= math.MaxUint32 << (32 - a.v4Length()) & math.MaxUint32
	case a.length <= 64:
		a.hi, a.lo = a.hi&(math.MaxUint64<<(64-a.length)), 0
	default:
		a.lo &= math.MaxUint64 << (128 - a.length)
	}
}
