package masking

import (
	"math"
	"strconv"
)

// address is an IP address as it is written.
type address struct {
	hi, lo uint64 // an IPv4 address stands in the low 32 bits of lo
	v4     bool
	mapped bool   // the v4 address stands in ::ffff:0:0/96
	length int    // of the prefix behind a slash; −1 if there is none
	zone   []byte // behind a %, with it
}

// parseAddress reads an IPv4 or IPv6 address (RFC 4291, and RFC 4007 for the zone),
// perhaps with a prefix length, as inet and cidr have it.
func parseAddress(v []byte) (a address, ok bool) {
	a.length = -1
	for i := len(v) - 1; i >= 0 && i >= len(v)-4; i-- {
		if v[i] != '/' {
			continue
		}
		digits := v[i+1:]
		if len(digits) == 0 || len(digits) > 3 || digits[0] == '0' && len(digits) > 1 {
			return a, false
		}
		a.length = 0
		for _, c := range digits {
			if c -= '0'; c > 9 {
				return a, false
			}
			a.length = a.length*10 + int(c)
		}
		v = v[:i]
		break
	}
	if x, is := parseIPv4(v); is {
		a.v4, a.lo = true, x
		return a, a.length <= 32
	}
	for i, c := range v {
		if c != '%' {
			continue
		}
		if a.zone = v[i:]; len(a.zone) < 2 || len(a.zone) > 16 || a.length >= 0 {
			return a, false
		}
		for _, z := range a.zone[1:] {
			if letter := z | 0x20; (letter < 'a' || letter > 'z') && (z < '0' || z > '9') && z != '.' && z != '-' && z != '_' {
				return a, false
			}
		}
		v = v[:i]
		break
	}
	if !a.parseIPv6(v) || a.length > 128 {
		return a, false
	}
	if a.hi == 0 && a.lo>>32 == 0xffff {
		a.mapped, a.v4, a.lo = true, true, a.lo&math.MaxUint32
	}
	return a, true
}

func parseIPv4(v []byte) (x uint64, ok bool) {
	parts, part, digits := 0, uint64(0), 0
	for _, c := range v {
		switch {
		case c == '.' && digits > 0 && parts < 3:
			x, part, digits = x<<8|part, 0, 0
			parts++
		case c-'0' <= 9 && digits < 3 && (digits == 0 || part > 0): // no zeros in front
			part = part*10 + uint64(c-'0')
			if digits++; part > 255 {
				return 0, false
			}
		default:
			return 0, false
		}
	}
	return x<<8 | part, parts == 3 && digits > 0
}

func (a *address) parseIPv6(v []byte) bool {
	var groups [8]uint16
	n, gap := 0, -1
	if len(v) >= 2 && v[0] == ':' && v[1] == ':' {
		gap, v = 0, v[2:]
	}
	for len(v) > 0 {
		if n == 8 {
			return false
		}
		g, digits := uint16(0), 0
		for digits < len(v) && digits < 4 {
			d := hexValue[v[digits]]
			if d&notHex != 0 {
				break
			}
			g = g<<4 | uint16(d&0xf)
			digits++
		}
		if digits < len(v) && v[digits] == '.' {
			x, is := parseIPv4(v)
			if !is || n > 6 {
				return false
			}
			groups[n], groups[n+1] = uint16(x>>16), uint16(x)
			n, v = n+2, nil
			break
		}
		if digits == 0 {
			return false
		}
		groups[n] = g
		n++
		if v = v[digits:]; len(v) == 0 {
			break
		}
		if v[0] != ':' || len(v) == 1 {
			return false
		}
		if v = v[1:]; v[0] == ':' {
			if gap >= 0 {
				return false
			}
			gap, v = n, v[1:]
		}
	}
	if n < 8 {
		if gap < 0 {
			return false
		}
		copy(groups[8-(n-gap):], groups[gap:n])
		clear(groups[gap : 8-(n-gap)])
	} else if gap >= 0 {
		return false
	}
	for i, g := range groups {
		if i < 4 {
			a.hi = a.hi<<16 | uint64(g)
		} else {
			a.lo = a.lo<<16 | uint64(g)
		}
	}
	return true
}

// mostAddress is how many bytes append writes at most.
const mostAddress = len("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff") + len("/128") + 16

// append writes an address in the form of RFC 5952: lower case, without zeros in
// front, the longest run of groups of zero shortened.
func (a *address) append(dst []byte) []byte {
	if a.v4 {
		if a.mapped {
			dst = append(dst, "::ffff:"...)
		}
		for shift := 24; shift >= 0; shift -= 8 {
			dst = strconv.AppendUint(dst, a.lo>>shift&0xff, 10)
			if shift > 0 {
				dst = append(dst, '.')
			}
		}
	} else {
		dst = a.appendIPv6(dst)
	}
	dst = append(dst, a.zone...)
	if a.length >= 0 {
		dst = append(dst, '/')
		dst = strconv.AppendInt(dst, int64(a.length), 10)
	}
	return dst
}

func (a *address) appendIPv6(dst []byte) []byte {
	group := func(i int) uint64 {
		if i < 4 {
			return a.hi >> (48 - 16*i) & 0xffff
		}
		return a.lo >> (48 - 16*(i-4)) & 0xffff
	}
	gap, long := -1, 1 // one group alone is not shortened
	for i := 0; i < 8; i++ {
		n := 0
		for i+n < 8 && group(i+n) == 0 {
			n++
		}
		if n > long {
			gap, long = i, n
		}
		i += n
	}
	for i := 0; i < 8; i++ {
		if i == gap {
			dst = append(dst, "::"...)
			i += long - 1
			continue
		}
		if i > 0 && i != gap+long {
			dst = append(dst, ':')
		}
		dst = strconv.AppendUint(dst, group(i), 16)
	}
	return dst
}

// addressClass is a range of addresses that are masked among themselves.
type addressClass uint8

const (
	publicClass addressClass = iota
	stays                    // unspecified, loopback, and above 240.0.0.0: nobody's
	private10                // RFC 1918
	private172               //
	private192               //
	sharedClass              // RFC 6598
	linkLocal                // RFC 3927, RFC 4291
	multicast                // RFC 5771
	mappedClass              // IPv4 within IPv6
	uniqueLocal              // RFC 4193
)

// class returns the class of an address, and the length of its prefix.
func (a *address) class() (c addressClass, prefix int) {
	if a.v4 {
		switch x := a.lo; {
		case x>>24 == 0 || x>>24 == 127 || x>>28 == 15:
			return stays, 32
		case x>>24 == 10:
			return private10, 8
		case x>>20 == 0xac1:
			return private172, 12
		case x>>16 == 0xc0a8:
			return private192, 16
		case x>>22 == 0x191:
			return sharedClass, 10
		case x>>16 == 0xa9fe:
			return linkLocal, 16
		case x>>28 == 14:
			return multicast, 4
		}
		return publicClass, 0
	}
	switch {
	case a.hi == 0 && a.lo <= 1:
		return stays, 128
	case a.hi == 0 && a.lo>>32 == 0xffff:
		return mappedClass, 128
	case a.hi == 0xfe80<<48:
		return linkLocal, 64
	case a.hi>>57 == 0xfc>>1:
		return uniqueLocal, 7
	}
	return publicClass, 0
}

// network reports whether no bit behind the prefix length is set: 10.1.0.0/16.
func (a *address) network() bool {
	if a.length < 0 {
		return false
	}
	if a.v4 {
		n := a.v4Length()
		return 0 <= n && n < 32 && a.lo<<(32+n) == 0
	}
	switch {
	case a.length >= 128:
		return false
	case a.length >= 64:
		return a.length == 64 && a.lo == 0 || a.length > 64 && a.lo<<(a.length-64) == 0
	}
	return a.lo == 0 && a.hi<<a.length == 0
}

// v4Length returns the length of the prefix within the 32 bits; negative if that of a
// mapped address ends before them.
func (a *address) v4Length() int {
	if a.mapped {
		return a.length - 96
	}
	return a.length
}
