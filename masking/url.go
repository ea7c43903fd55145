package masking

import (
	"bytes"
	"crypto/aes"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// bindURL binds {fake: url}: the parts of a URL (RFC 3986) are masked each for itself.
//
//	scheme    stays
//	user      becomes a code
//	host      as {fake: host} of the same domain masks it; the port stays
//	path      letters and digits of each segment become others; so do those of
//	query     each value, and of what is no plain key; keys stay
//	fragment  as a segment
//	mailto:   an address as {fake: email} of the same domain masks it
//
// Usual endings of file names (.html, .jpg) stay. An escape that stands for a sign or
// a blank stays, and one that stands for anything else becomes a letter, as does each character
// beyond ASCII. Equal segments have equal masks, in whichever URL. What comes out is
// always a URL, even if what came in was none. One that would be too long is cut
// behind its host.
func bindURL(req Request) (Binding, error) {
	col := req.Column
	if err := refuseLabels("fake url", col); err != nil {
		return Binding{}, err
	}
	if err := refuseUnique("fake url", col, "{token: base32}"); err != nil {
		return Binding{}, err
	}
	const least = 40
	if most := room(col); most < least {
		return Binding{}, &BindError{Reason: fmt.Sprintf("fake url needs %d characters, the column holds %d", least, most), Help: "use token"}
	}
	inner := req
	inner.Column, inner.Spec.Params = Column{Kind: Text}, nil
	email, err := bindEmail(inner)
	if err != nil {
		return Binding{}, err
	}
	t := &urlTransform{
		host: newHostMask(req), email: email.Transform.(*emailTransform), parts: newShape(req.Key, "url"), equality: col.Equality,
		user: newPRF(req.Key.For("url user")), most: room(col),
	}
	return Binding{
		Transform:  t,
		Guarantees: Guarantees{Deterministic: true, KeepsNull: true, KeepsEmpty: true},
		Pinned:     "at " + reservedTLD + ", " + wordsHash() + ", email " + email.Pinned,
	}, nil
}

type urlTransform struct {
	host     *hostMask
	email    *emailTransform
	parts    *shapeTransform
	user     *prf
	equality Equality
	most     int
}

type urlScratch struct {
	shape shapeScratch
	block [aes.BlockSize]byte
	plain []byte
	out   []byte
}

var urlScratches = sync.Pool{New: func() any { return new(urlScratch) }}

func (t *urlTransform) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	us := urlScratches.Get().(*urlScratch)
	defer func() {
		clear(us.plain[:cap(us.plain)])
		clear(us.out[:cap(us.out)])
		urlScratches.Put(us)
	}()
	return eachText(mem, in, func(out *textBuilder, v []byte, s *scratch) {
		us.out = us.out[:0]
		t.mask(us, bytes.TrimSpace(v), s)
		out.grow(len(us.out))
		out.buf = append(out.buf, us.out...)
	}), nil
}

// opaqueSchemes are those that may stand without a host.
var opaqueSchemes = map[string]bool{
	"about": true, "blob": true, "callto": true, "cid": true, "data": true, "facetime": true, "geo": true, "javascript": true,
	"magnet": true, "mid": true, "news": true, "sip": true, "sips": true, "skype": true, "sms": true, "tel": true, "urn": true,
	"view-source": true, "xmpp": true,
}

// cutScheme returns the scheme of a URL without its colon, and what stands behind
// that. There is none where the word before the colon may be anything: a host
// before its port, a name before a password.
func cutScheme(v []byte) (scheme, rest []byte) {
	for i, c := range v {
		switch {
		case c|0x20 >= 'a' && c|0x20 <= 'z', i > 0 && (c-'0' <= 9 || c == '+' || c == '-' || c == '.'):
		case c == ':' && i > 0 && i <= 12:
			var space [12]byte
			word := append(space[:0], v[:i]...)
			for j := range word {
				word[j] |= 0x20 // signs and digits have the bit already
			}
			if bytes.HasPrefix(v[i+1:], []byte("//")) || string(word) == "mailto" || opaqueSchemes[string(word)] {
				return v[:i], v[i+1:]
			}
			return nil, v
		default:
			return nil, v
		}
	}
	return nil, v
}

// mask writes the mask of a URL to us.out.
func (t *urlTransform) mask(us *urlScratch, v []byte, s *scratch) {
	scheme, rest := cutScheme(v)
	if scheme != nil {
		us.out = append(append(us.out, scheme...), ':')
	}
	rest, fragment, hasFragment := bytes.Cut(rest, []byte("#"))
	rest, query, hasQuery := bytes.Cut(rest, []byte("?"))
	fixed := 0 // what is not cut off
	switch {
	case bytes.HasPrefix(rest, []byte("//")):
		end := 2 + indexOr(rest[2:], '/')
		us.out = append(us.out, "//"...)
		t.authority(us, rest[2:end], s)
		fixed = len(us.out)
		t.path(us, rest[end:], s)
	case bytes.EqualFold(scheme, []byte("mailto")):
		t.addresses(us, rest, s)
		fixed = len(us.out)
	case scheme != nil:
		t.part(us, rest, ':', s)
	case looksLikeHost(rest):
		end := indexOr(rest, '/')
		t.authority(us, rest[:end], s)
		if bytes.IndexByte(us.out, ':') >= 0 { // a port without a scheme is none to a URL
			us.out = us.out[:bytes.IndexByte(us.out, ':')]
		}
		fixed = len(us.out)
		t.path(us, rest[end:], s)
	default:
		t.path(us, rest, s)
		if end := indexOr(us.out, '/'); bytes.IndexByte(us.out[:end], ':') >= 0 { // else it would be a scheme
			for i, c := range us.out[:end] {
				if c == ':' {
					us.out[i] = '-'
				}
			}
		}
	}
	if hasQuery {
		us.out = append(us.out, '?')
		t.query(us, query, s)
	}
	if hasFragment {
		us.out = append(us.out, '#')
		t.part(us, fragment, '/', s)
	}
	if len(us.out) > t.most {
		us.out = us.out[:max(t.most, fixed)]
		for i := 1; i <= 2 && i <= len(us.out); i++ { // half an escape
			if us.out[len(us.out)-i] == '%' {
				us.out = us.out[:len(us.out)-i]
				break
			}
		}
	}
}

func indexOr(v []byte, c byte) int {
	if i := bytes.IndexByte(v, c); i >= 0 {
		return i
	}
	return len(v)
}

// looksLikeHost reports whether what has no scheme begins with a host: a word with a
// dot in it that is not the end of a file's name, or one with a port.
func looksLikeHost(v []byte) bool {
	first := v[:indexOr(v, '/')]
	if len(first) == 0 || first[0] == '.' || bytes.IndexByte(first, ' ') >= 0 {
		return false
	}
	name, port := cutPort(first)
	return port != nil || bytes.IndexByte(name, '.') > 0 && ending(name) == len(name)
}

// authority writes user, host and port.
func (t *urlTransform) authority(us *urlScratch, v []byte, s *scratch) {
	if at := bytes.LastIndexByte(v, '@'); at >= 0 {
		s.text = s.text[:0]
		t.user.sum(&us.block, s.canonical(v[:at], t.equality))
		hi, lo := binary.BigEndian.Uint64(us.block[:8]), binary.BigEndian.Uint64(us.block[8:])
		if us.out = appendBase32(us.out, hi, lo, 8); t.most < 80 {
			us.out = us.out[:len(us.out)-8]
		} else {
			us.out = append(us.out, '@')
		}
		v = v[at+1:]
	}
	if len(v) == 0 || string(v) == ":" {
		return
	}
	us.out = t.host.append(us.out, v, max(t.most-len(us.out), shortestHost), s, &us.block)
}

// addresses writes the addresses of mailto.
func (t *urlTransform) addresses(us *urlScratch, v []byte, s *scratch) {
	for i := 0; len(v) > 0; i++ {
		one, rest, _ := bytes.Cut(v, []byte(","))
		v = rest
		if blank(one) {
			continue
		}
		before := len(us.out)
		if us.out[before-1] != ':' {
			us.out = append(us.out, ',')
		}
		s.text = s.text[:0]
		t.email.prf.sum(&us.block, s.normalUnder(one, t.equality))
		us.out = slices.Grow(us.out, emailRoom+longestHost) // more than an address has
		if us.out = t.email.append(us.out, &us.block); len(us.out) > t.most {
			us.out = us.out[:before]
			return
		}
	}
}

// path writes segments.
func (t *urlTransform) path(us *urlScratch, v []byte, s *scratch) {
	for {
		end := indexOr(v, '/')
		segment := v[:end]
		if end == len(v) {
			name := ending(segment)
			t.part(us, segment[:name], ':', s)
			us.out = append(us.out, segment[name:]...)
			return
		}
		t.part(us, segment, ':', s)
		us.out = append(us.out, '/')
		v = v[end+1:]
	}
}

// endings are those of file names that stay.
var endings = map[string]bool{
	"asp": true, "aspx": true, "avi": true, "bmp": true, "cgi": true, "css": true, "csv": true, "do": true, "doc": true, "docx": true,
	"gif": true, "gz": true, "htm": true, "html": true, "ico": true, "jpeg": true, "jpg": true, "js": true, "json": true, "jsp": true,
	"mov": true, "mp3": true, "mp4": true, "pdf": true, "php": true, "png": true, "ppt": true, "pptx": true, "rss": true, "svg": true,
	"tar": true, "tif": true, "tiff": true, "txt": true, "wav": true, "webm": true, "webp": true, "xhtml": true, "xls": true,
	"xlsx": true, "xml": true, "zip": true,
}

// ending returns where the ending of a file's name begins: its length if there is none.
func ending(name []byte) int {
	dot := bytes.LastIndexByte(name, '.')
	if dot < 1 || len(name)-dot > 6 {
		return len(name)
	}
	var space [6]byte
	word := append(space[:0], name[dot+1:]...)
	for i := range word {
		word[i] |= 0x20
	}
	if endings[string(word)] && !bytes.ContainsAny(name[dot:], "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f") {
		return dot
	}
	return len(name)
}

// query writes pairs of keys and values.
func (t *urlTransform) query(us *urlScratch, v []byte, s *scratch) {
	for {
		end := bytes.IndexAny(v, "&;")
		pair := v
		if end >= 0 {
			pair = v[:end]
		}
		key, value, has := bytes.Cut(pair, []byte("="))
		if has && plainKey(key) {
			us.out = append(us.out, key...)
		} else {
			t.part(us, key, '/', s)
		}
		if has {
			us.out = append(us.out, '=')
			t.part(us, value, '/', s)
		}
		if end < 0 {
			return
		}
		us.out = append(us.out, v[end])
		v = v[end+1:]
	}
}

// plainKey reports whether the key of a query is the name of a field: letters and
// signs, few digits, none of them an address or a number.
func plainKey(key []byte) bool {
	digits := 0
	for _, c := range key {
		switch {
		case c-'0' <= 9:
			digits++
		case c|0x20 >= 'a' && c|0x20 <= 'z', c == '_', c == '-', c == '.', c == '[', c == ']':
		default:
			return false
		}
	}
	return len(key) <= 32 && digits <= 2
}

// part writes a segment, a value or a fragment. also is a sign that stays there,
// besides those that stand for nothing anywhere.
func (t *urlTransform) part(us *urlScratch, v []byte, also byte, s *scratch) {
	if len(v) == 0 {
		return
	}
	s.text = s.text[:0]
	t.parts.prf.sum(&us.block, s.canonical(v, t.equality))
	// In plain, an escape that stays is one byte of 1, which shape leaves alone.
	us.plain = us.plain[:0]
	for i := 0; i < len(v); {
		c := v[i]
		step := 1
		switch {
		case isHexEscape(v[i:]):
			step = 3
			sign := hexValue[v[i+1]]&0xf<<4 | hexValue[v[i+2]]&0xf
			if c = 'a'; keptEscape(sign) {
				c = 1
			}
		case c >= 0x80:
			for c = 'a'; i+step < len(v) && v[i+step]&0xc0 == 0x80; step++ {
			}
		case c-'0' <= 9, c|0x20 >= 'a' && c|0x20 <= 'z', c == also, bytes.IndexByte([]byte("-._~!$&'()*+,;=@/?:"), c) >= 0:
		default:
			c = '-'
		}
		us.plain = append(us.plain, c)
		i += step
	}
	from := len(us.out)
	us.out = append(us.out, us.plain...)
	t.parts.shape(us.out[from:], us.plain, &us.block, &us.shape)
	if bytes.IndexByte(us.plain, 1) < 0 {
		return
	}
	us.plain = append(us.plain[:0], us.out[from:]...)
	us.out = us.out[:from]
	at := 0
	for _, c := range us.plain {
		if c != 1 {
			us.out = append(us.out, c)
			continue
		}
		for !isHexEscape(v[at:]) || !keptEscape(hexValue[v[at+1]]&0xf<<4|hexValue[v[at+2]]&0xf) {
			at++
		}
		us.out = append(us.out, v[at:at+3]...)
		at += 3
	}
}

func isHexEscape(v []byte) bool {
	return len(v) > 2 && v[0] == '%' && (hexValue[v[1]]|hexValue[v[2]])&notHex == 0
}

// keptEscape reports whether an escaped byte is a blank or a sign.
func keptEscape(c byte) bool {
	return c == ' ' || c > ' ' && c < 0x7f && c-'0' > 9 && (c|0x20 < 'a' || c|0x20 > 'z')
}
