package masking

import (
	"bytes"
	"crypto/aes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/sanitize-db/sanitize/masking/dictionary"
)

const (
	reservedTLD  = ".test" // RFC 2606
	hostCode     = 13      // base32 characters of a label, beside a word
	longestHost  = 253     // RFC 1035
	shortestHost = len("a") + len(reservedTLD)
)

// room returns how many characters of ASCII a column holds.
func room(col Column) int {
	most := math.MaxInt32
	if col.MaxChars > 0 {
		most = col.MaxChars
	}
	if col.MaxBytes > 0 {
		most = min(most, col.MaxBytes)
	}
	return most
}

// bindHost binds {fake: host}: every label of a host name becomes a word and a code,
// and the last one .test, which nobody can register. Upper and lower case make no
// difference, as in the DNS.
//
// A label is made of itself and of what stands behind it. So hosts of one domain have
// one domain, as deep as it was, and equal labels of two domains tell nothing.
// www, a port and a dot at the end stay; so does localhost. An address masks as
// {fake: ip} of the same domain masks it. A host that would not fit becomes
// a code alone.
func bindHost(req Request) (Binding, error) {
	col := req.Column
	if err := refuseLabels("fake host", col); err != nil {
		return Binding{}, err
	}
	// Ports go, addresses become one another's, and long names are cut.
	if err := refuseUnique("fake host", col, "{token: base32}"); err != nil {
		return Binding{}, err
	}
	most := min(room(col), longestHost)
	if most < shortestHost {
		return Binding{}, &BindError{Reason: fmt.Sprintf("fake host needs %d characters, the column holds %d", shortestHost, most), Help: "use token"}
	}
	h := newHostMask(req)
	b := Binding{
		Transform:  &hostTransform{mask: h, most: most},
		Guarantees: Guarantees{Deterministic: true, KeepsNull: true, KeepsEmpty: true},
		Pinned:     "at " + reservedTLD + ", " + wordsHash(),
	}
	return b, nil
}

// hostMask masks host names, one at a time.
type hostMask struct {
	prf      *prf
	ip       *ipTransform
	words    []string
	equality Equality
}

func newHostMask(req Request) *hostMask {
	return &hostMask{
		prf:      newPRF(req.Key.For("host")),
		ip:       &ipTransform{feistel: newFeistel(req.Key.For("ip permute")), keep: 16},
		words:    hostWords(),
		equality: req.Column.Equality | FoldCase,
	}
}

// hostWords are the words that a label may begin with.
var hostWords = sync.OnceValue(func() []string {
	words := slices.Clone(dictionary.Words())
	return slices.DeleteFunc(words, func(w string) bool { return len(w) > 10 })
})

// append writes the mask of a host with an optional port, in at most so many
// characters, which are at least shortestHost. It uses s, and block.
func (h *hostMask) append(dst, host []byte, most int, s *scratch, block *[aes.BlockSize]byte) []byte {
	host, port := cutPort(host)
	if a, ok := parseAddress(bytes.TrimSuffix(bytes.TrimPrefix(host, []byte("[")), []byte("]"))); ok && a.length < 0 && len(a.zone) == 0 {
		return h.address(dst, a, port, most, s)
	}
	s.text = s.text[:0]
	name := s.canonical(bytes.TrimSpace(host), h.equality)
	dot := len(name) > 1 && name[len(name)-1] == '.'
	if dot {
		name = name[:len(name)-1]
	}
	from := len(dst)
	if string(name) == "localhost" {
		dst = append(dst, name...)
	} else {
		dst = h.labels(dst, name, min(most, longestHost), block)
	}
	if len(dst) == from { // it did not fit
		h.prf.sum(block, name)
		hi, lo := binary.BigEndian.Uint64(block[:8]), binary.BigEndian.Uint64(block[8:])
		dst = appendBase32(dst, hi<<4|lo>>60, lo, min(24, most-len(reservedTLD)))
		dst = append(dst, reservedTLD...)
	}
	if dot && len(dst)-from < most {
		dst = append(dst, '.')
	}
	if len(dst)-from+len(port) <= most {
		dst = append(dst, port...)
	}
	return dst
}

// labels writes the labels of a name, or nothing if they do not fit.
func (h *hostMask) labels(dst, name []byte, most int, block *[aes.BlockSize]byte) []byte {
	from := len(dst)
	for first, rest := true, name; ; first = false {
		next := bytes.IndexByte(rest, '.')
		switch {
		case next < 0 && !first:
			dst = append(dst, reservedTLD[1:]...)
		case first && next == 3 && string(rest[:3]) == "www" && bytes.IndexByte(rest[4:], '.') >= 0:
			dst = append(dst, "www"...)
		default:
			h.prf.sum(block, rest)
			hi, lo := binary.BigEndian.Uint64(block[:8]), binary.BigEndian.Uint64(block[8:])
			dst = append(dst, h.words[hi>>32*uint64(len(h.words))>>32]...)
			dst = append(dst, '-')
			dst = appendBase32(dst, hi<<4|lo>>60, lo, hostCode)
		}
		if len(dst)-from > most {
			return dst[:from]
		}
		if next < 0 {
			return dst
		}
		dst = append(dst, '.')
		rest = rest[next+1:]
	}
}

// address writes the mask of an address, in brackets if it is one of IPv6.
func (h *hostMask) address(dst []byte, a address, port []byte, most int, s *scratch) []byte {
	was := a
	for arrived := !h.ip.set(s, 0, &was); !arrived; {
		h.ip.feistel.permute(s, 1)
		a, arrived = h.ip.get(s, 0, &was)
	}
	from := len(dst)
	brackets := !a.v4 || a.mapped
	if brackets {
		dst = append(dst, '[')
	}
	if dst = a.append(dst); brackets {
		dst = append(dst, ']')
	}
	if dst = append(dst, port...); len(dst)-from > most {
		return append(dst[:from], "a"+reservedTLD...)
	}
	return dst
}

// cutPort cuts :8080 from the end of a host. Of an address of IPv6 without brackets
// it cuts nothing.
func cutPort(host []byte) (name, port []byte) {
	at := bytes.LastIndexByte(host, ':')
	if at < 0 || bytes.IndexByte(host[:at], ':') >= 0 && host[at-1] != ']' {
		return host, nil
	}
	port = host[at:]
	for _, c := range port[1:] {
		if c-'0' > 9 {
			return host, nil
		}
	}
	if len(port) < 2 || len(port) > 6 {
		return host[:at], nil
	}
	return host[:at], port
}

// mostHost returns how many characters a mask of a host may have before it is found not to fit.
func mostHost(host []byte) int {
	return mostAddress + longestHost + 40 + len(host)
}

type hostTransform struct {
	mask *hostMask
	most int
}

func (t *hostTransform) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	return eachText(mem, in, func(out *textBuilder, v []byte, s *scratch) {
		out.grow(mostHost(v))
		out.buf = t.mask.append(out.buf, v, t.most, s, &s.block[1])
	}), nil
}

// eachText masks texts one by one; what is NULL or blank stays. mask appends to
// out.buf, for which it makes room.
func eachText(mem memory.Allocator, in arrow.Array, mask func(out *textBuilder, v []byte, s *scratch)) arrow.Array {
	if out, is := allNull(in); is {
		return out
	}
	values := textsOf(in)
	out := newTextBuilder(mem, values.n, 2*values.size())
	s := getScratch()
	defer s.free()
	for i := range values.n {
		switch {
		case values.null(i):
			out.null()
		case blank(values.value(i)):
			out.add(values.value(i))
		default:
			mask(out, values.value(i), s)
			out.end()
		}
	}
	return out.finish()
}

func wordsHash() string { return "dictionary " + dictionary.HashOf("words") }

// bindUserAgent binds {fake: user_agent}: what a browser says that it is becomes what
// one of a list says. What is rare in the wild tells one person from all others,
// and the list has nothing rare.
func bindUserAgent(req Request) (Binding, error) {
	col := req.Column
	if err := refuseLabels("fake user_agent", col); err != nil {
		return Binding{}, err
	}
	if err := refuseUnique("fake user_agent", col, "{token: base32}"); err != nil {
		return Binding{}, err
	}
	t := &agentTransform{prf: newPRF(req.Key.For("user agent")), equality: col.Equality}
	list := dictionary.UserAgents()
	for _, a := range list {
		if len(a) <= room(col) {
			t.agents = append(t.agents, a)
		}
	}
	if len(t.agents) == 0 {
		return Binding{}, &BindError{Reason: fmt.Sprintf("no user agent fits the %d characters of the column", room(col)), Help: "use token or a constant"}
	}
	b := Binding{
		Transform:  t,
		Guarantees: Guarantees{Deterministic: true, KeepsNull: true, KeepsEmpty: true},
		Pinned:     "dictionary " + dictionary.HashOf("useragents"),
	}
	if len(t.agents) < len(list) {
		b.Pinned += fmt.Sprintf(", %d characters", room(col))
		b.Warnings = append(b.Warnings, fmt.Sprintf("only %d of %d user agents fit the column", len(t.agents), len(list)))
	}
	return b, nil
}

type agentTransform struct {
	prf      *prf
	equality Equality
	agents   []string
}

func (t *agentTransform) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	out := newTextBuilder(mem, values.n, 120*values.n)
	s := getScratch()
	defer s.free()
	for base := 0; base < values.n; base += lanes {
		rows := min(lanes, values.n-base)
		s.text = s.text[:0]
		n := gather(s, &values, base, rows)
		for i, v := range s.msg[:n] {
			s.msg[i] = s.canonical(v, t.equality)
		}
		t.prf.sums(s, n)
		lane := 0
		for i := range rows {
			switch {
			case lane < n && int(s.row[lane]) == i:
				agent := t.agents[pick(s.block[lane][:], len(t.agents))]
				out.grow(len(agent))
				out.buf = append(out.buf, agent...)
				out.end()
				lane++
			case values.null(base + i):
				out.null()
			default:
				out.add(values.value(base + i))
			}
		}
	}
	return out.finish(), nil
}
