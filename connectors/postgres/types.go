package postgres

import (
	"encoding/binary"
	"errors"
	"math"
	"strconv"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// The ids of built-in types; they never change (pg_type.dat).
const (
	oidBool        = 16
	oidBytea       = 17
	oidChar        = 18
	oidName        = 19
	oidInt8        = 20
	oidInt2        = 21
	oidInt4        = 23
	oidText        = 25
	oidJSON        = 114
	oidXML         = 142
	oidPoint       = 600
	oidCIDR        = 650
	oidFloat4      = 700
	oidFloat8      = 701
	oidMACAddr8    = 774
	oidMACAddr     = 829
	oidInet        = 869
	oidACLItem     = 1033
	oidBPChar      = 1042
	oidVarchar     = 1043
	oidDate        = 1082
	oidTimestamp   = 1114
	oidTimestampTZ = 1184
	oidInterval    = 1186
	oidNumeric     = 1700
	oidUUID        = 2950
	oidJSONB       = 3802

	// firstUserOID is where the ids of what users define begin.
	firstUserOID = 16384
)

// builtin gives the meaning of a built-in base type.
var builtin = map[uint32]catalog.Type{
	oidBool:        {Kind: catalog.Bool},
	oidBytea:       {Kind: catalog.Bytes},
	oidChar:        {Kind: catalog.Text, Length: 1, MaxBytes: 1},
	oidName:        {Kind: catalog.Text, Length: 63, MaxBytes: 63},
	oidInt8:        {Kind: catalog.Int, Bits: 64},
	oidInt2:        {Kind: catalog.Int, Bits: 16},
	oidInt4:        {Kind: catalog.Int, Bits: 32},
	oidText:        {Kind: catalog.Text},
	oidJSON:        {Kind: catalog.JSON},
	oidFloat4:      {Kind: catalog.Float, Bits: 32},
	oidFloat8:      {Kind: catalog.Float, Bits: 64},
	oidBPChar:      {Kind: catalog.Text, Equality: catalog.PadSpace},
	oidVarchar:     {Kind: catalog.Text},
	oidDate:        {Kind: catalog.Date},
	oidTimestamp:   {Kind: catalog.Timestamp},
	oidTimestampTZ: {Kind: catalog.TimestampTZ},
	oidNumeric:     {Kind: catalog.Numeric},
	oidUUID:        {Kind: catalog.UUID},
	oidJSONB:       {Kind: catalog.JSON},
	oidXML:         {Kind: catalog.XML},
	oidPoint:       {Kind: catalog.Point},
	oidCIDR:        {Kind: catalog.IP},
	oidInet:        {Kind: catalog.IP},
	oidMACAddr:     {Kind: catalog.MAC},
	oidMACAddr8:    {Kind: catalog.MAC},
}

// modified applies a type modifier (atttypmod, or a domain's typtypmod).
func modified(t catalog.Type, mod int32) catalog.Type {
	if mod < 4 {
		return t
	}
	switch t.OID {
	case oidBPChar, oidVarchar:
		t.Length = int(mod - 4)
	case oidNumeric:
		// The scale is an 11-bit signed number since PostgreSQL 15, and was a
		// small positive one before, which reads the same.
		t.Scale = int(((mod-4)&0x7ff)^1024) - 1024
		t.Precision = int((mod-4)>>16) & 0xffff
	}
	return t
}

// The signs of the binary form of numeric (utils/adt/numeric.c).
const (
	numericPos  = 0x0000
	numericNeg  = 0x4000
	numericNaN  = 0xC000
	numericPInf = 0xD000
	numericNInf = 0xF000
)

var errNumeric = errors.New("malformed number")

// appendNumericText appends the decimal text of a binary numeric: exactly what
// the server would print.
func appendNumericText(dst, b []byte) ([]byte, error) {
	if len(b) < 8 {
		return dst, errNumeric
	}
	n := int(binary.BigEndian.Uint16(b))
	weight := int(int16(binary.BigEndian.Uint16(b[2:])))
	sign := binary.BigEndian.Uint16(b[4:])
	scale := int(binary.BigEndian.Uint16(b[6:]))
	switch sign {
	case numericNaN:
		return append(dst, "NaN"...), nil
	case numericPInf:
		return append(dst, "Infinity"...), nil
	case numericNInf:
		return append(dst, "-Infinity"...), nil
	case numericNeg:
		dst = append(dst, '-')
	case numericPos:
	default:
		return dst, errNumeric
	}
	digits := b[8:]
	if len(digits) != 2*n || scale > 0x3fff {
		return dst, errNumeric
	}
	digit := func(i int) (uint16, bool) {
		if i < 0 || i >= n {
			return 0, true
		}
		d := binary.BigEndian.Uint16(digits[2*i:])
		return d, d < 10000
	}
	if weight < 0 {
		dst = append(dst, '0')
	}
	for i := 0; i <= weight; i++ {
		d, ok := digit(i)
		if !ok {
			return dst, errNumeric
		}
		if i == 0 {
			dst = strconv.AppendUint(dst, uint64(d), 10)
		} else {
			dst = append(dst, byte('0'+d/1000), byte('0'+d/100%10), byte('0'+d/10%10), byte('0'+d%10))
		}
	}
	if scale == 0 {
		return dst, nil
	}
	dst = append(dst, '.')
	end := len(dst) + scale
	for i := weight + 1; len(dst) < end; i++ {
		d, ok := digit(i)
		if !ok {
			return dst, errNumeric
		}
		dst = append(dst, byte('0'+d/1000), byte('0'+d/100%10), byte('0'+d/10%10), byte('0'+d%10))
	}
	return dst[:end], nil
}

// appendNumericBinary appends the binary form of decimal text: a sign, digits, a
// point, digits, and an exponent, of which all but some digits may be left out;
// or NaN, Infinity, -Infinity.
func appendNumericBinary(dst []byte, s []byte) ([]byte, error) {
	switch string(s) {
	case "NaN":
		return append(dst, 0, 0, 0, 0, 0xC0, 0, 0, 0), nil
	case "Infinity":
		return append(dst, 0, 0, 0, 0, 0xD0, 0, 0, 0), nil
	case "-Infinity":
		return append(dst, 0, 0, 0, 0, 0xF0, 0, 0, 0), nil
	}
	sign := uint16(numericPos)
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		if s[0] == '-' {
			sign = numericNeg
		}
		s = s[1:]
	}
	// whole and part are the digits before and after the point.
	var whole, part []byte
	i := 0
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	whole, s = s[:i], s[i:]
	if len(s) > 0 && s[0] == '.' {
		i = 1
		for i < len(s) && isDigit(s[i]) {
			i++
		}
		part, s = s[1:i], s[i:]
	}
	if len(whole)+len(part) == 0 {
		return dst, errNumeric
	}
	scale := len(part)
	if len(s) > 0 {
		if s[0] != 'e' && s[0] != 'E' {
			return dst, errNumeric
		}
		exp, err := strconv.Atoi(string(s[1:]))
		if err != nil || exp < -16383 || exp > 131072 {
			return dst, errNumeric
		}
		// Rare enough to pay for: write the digits out with the point moved.
		all := append(append([]byte(nil), whole...), part...)
		point := len(whole) + exp
		for ; point < 0; point++ {
			all = append([]byte{'0'}, all...)
		}
		for len(all) < point {
			all = append(all, '0')
		}
		whole, part = all[:point], all[point:]
		scale = len(part)
	}
	for len(whole) > 0 && whole[0] == '0' {
		whole = whole[1:]
	}
	if len(whole) > 131072 || scale > 16383 {
		return dst, errNumeric
	}
	head := len(dst)
	dst = append(dst, 0, 0, 0, 0, 0, 0, 0, 0)
	weight := (len(whole)+3)/4 - 1
	for len(whole) > 0 {
		k := len(whole) % 4
		if k == 0 {
			k = 4
		}
		dst = appendDigit(dst, whole[:k], 0)
		whole = whole[k:]
	}
	for len(part) > 0 {
		k := min(4, len(part))
		dst = appendDigit(dst, part[:k], 4-k)
		part = part[k:]
	}
	first, last := head+8, len(dst)
	for first < last && dst[first] == 0 && dst[first+1] == 0 {
		first += 2
		weight--
	}
	for last > first && dst[last-1] == 0 && dst[last-2] == 0 {
		last -= 2
	}
	n := copy(dst[head+8:], dst[first:last])
	dst = dst[:head+8+n]
	if n == 0 {
		weight, sign = 0, numericPos
	}
	binary.BigEndian.PutUint16(dst[head:], uint16(n/2))
	binary.BigEndian.PutUint16(dst[head+2:], uint16(int16(weight)))
	binary.BigEndian.PutUint16(dst[head+4:], sign)
	binary.BigEndian.PutUint16(dst[head+6:], uint16(scale))
	return dst, nil
}

// appendDigit appends one base-10000 digit: the decimal digits, and zeros after them.
func appendDigit(dst, digits []byte, zeros int) []byte {
	d := uint16(0)
	for _, c := range digits {
		d = d*10 + uint16(c-'0')
	}
	for range zeros {
		d *= 10
	}
	return append(dst, byte(d>>8), byte(d))
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

const (
	// epochDays is 2000-01-01, PostgreSQL's epoch, in days since 1970-01-01.
	epochDays     = 10957
	microsPerDay  = 86400 * 1e6
	dateInfinity  = math.MaxInt32
	dateNegInf    = math.MinInt32
	stampInfinity = math.MaxInt64
	stampNegInf   = math.MinInt64
)

var errDate = errors.New("malformed date or time")

// daysFromCivil returns the days since 1970-01-01 of a day of the proleptic
// Gregorian calendar. Year 0 is 1 BC. (H. Hinnant, "chrono-Compatible
// Low-Level Date Algorithms".)
func daysFromCivil(y, m, d int64) int64 {
	if m <= 2 {
		y--
	}
	era := floorDiv(y, 400)
	yoe := y - era*400
	mp := (m + 9) % 12
	doy := (153*mp+2)/5 + d - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return era*146097 + doe - 719468
}

// civilFromDays is the inverse of daysFromCivil.
func civilFromDays(z int64) (y, m, d int64) {
	z += 719468
	era := floorDiv(z, 146097)
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d = doy - (153*mp+2)/5 + 1
	m = mp + 3
	if m > 12 {
		m -= 12
	}
	y = yoe + era*400
	if m <= 2 {
		y++
	}
	return y, m, d
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// appendDateText appends a day (since 1970-01-01) as DateStyle ISO prints it.
func appendDateText(dst []byte, days int32) []byte {
	switch days {
	case dateInfinity:
		return append(dst, "infinity"...)
	case dateNegInf:
		return append(dst, "-infinity"...)
	}
	dst, bc := appendDay(dst, int64(days))
	if bc {
		dst = append(dst, " BC"...)
	}
	return dst
}

func appendDay(dst []byte, days int64) (_ []byte, bc bool) {
	y, m, d := civilFromDays(days)
	if bc = y <= 0; bc {
		y = 1 - y
	}
	dst = appendPadded(dst, y, 4)
	dst = append(dst, '-')
	dst = appendPadded(dst, m, 2)
	dst = append(dst, '-')
	return appendPadded(dst, d, 2), bc
}

// appendPadded appends a number that is not negative, with zeros before it.
func appendPadded(dst []byte, n int64, width int) []byte {
	for limit := int64(10); width > 1; width-- {
		if n < limit {
			for range width - 1 {
				dst = append(dst, '0')
			}
			break
		}
		limit *= 10
	}
	return strconv.AppendInt(dst, n, 10)
}

// appendStampText appends microseconds since 2000-01-01 as DateStyle ISO prints
// them in UTC, with the zone if the type has one.
func appendStampText(dst []byte, micros int64, zone bool) []byte {
	switch micros {
	case stampInfinity:
		return append(dst, "infinity"...)
	case stampNegInf:
		return append(dst, "-infinity"...)
	}
	day := floorDiv(micros, microsPerDay)
	rest := micros - day*microsPerDay
	dst, bc := appendDay(dst, day+epochDays)
	dst = append(dst, ' ')
	dst = appendPadded(dst, rest/3600e6, 2)
	dst = append(dst, ':')
	dst = appendPadded(dst, rest/60e6%60, 2)
	dst = append(dst, ':')
	dst = appendPadded(dst, rest/1e6%60, 2)
	if frac := rest % 1e6; frac != 0 {
		dst = append(dst, '.')
		dst = appendPadded(dst, frac, 6)
		for dst[len(dst)-1] == '0' {
			dst = dst[:len(dst)-1]
		}
	}
	if zone {
		dst = append(dst, "+00"...)
	}
	if bc {
		dst = append(dst, " BC"...)
	}
	return dst
}

// parseDateText reads what the server prints for a date, in days since 1970-01-01.
func parseDateText(s []byte) (int32, error) {
	switch string(s) {
	case "infinity":
		return dateInfinity, nil
	case "-infinity":
		return dateNegInf, nil
	}
	s, bc := cutBC(s)
	days, rest, err := parseDay(s, bc)
	if err != nil || len(rest) != 0 || days > math.MaxInt32-1 {
		return 0, errDate
	}
	return int32(days), nil
}

// parseStampText reads what the server prints for a timestamp in UTC.
func parseStampText(s []byte) (int64, error) {
	switch string(s) {
	case "infinity":
		return stampInfinity, nil
	case "-infinity":
		return stampNegInf, nil
	}
	s, bc := cutBC(s)
	days, s, err := parseDay(s, bc)
	if err != nil || len(s) < 9 || s[0] != ' ' || s[3] != ':' || s[6] != ':' {
		return 0, errDate
	}
	var part [3]int64
	for i := range part {
		n, err := strconv.ParseUint(string(s[1+3*i:3+3*i]), 10, 8)
		if err != nil {
			return 0, errDate
		}
		part[i] = int64(n)
	}
	micros := part[0]*3600e6 + part[1]*60e6 + part[2]*1e6
	s = s[9:]
	if len(s) > 0 && s[0] == '.' {
		scale := int64(100000)
		for s = s[1:]; len(s) > 0 && isDigit(s[0]); s = s[1:] {
			micros += int64(s[0]-'0') * scale
			scale /= 10
		}
	}
	if len(s) != 0 && string(s) != "+00" {
		return 0, errDate
	}
	return (days-epochDays)*microsPerDay + micros, nil
}

func cutBC(s []byte) ([]byte, bool) {
	if n := len(s) - 3; n > 0 && string(s[n:]) == " BC" {
		return s[:n], true
	}
	return s, false
}

func parseDay(s []byte, bc bool) (days int64, rest []byte, err error) {
	i := 0
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	if i < 4 || i > 7 || len(s) < i+6 || s[i] != '-' || s[i+3] != '-' {
		return 0, nil, errDate
	}
	y, err1 := strconv.ParseInt(string(s[:i]), 10, 64)
	m, err2 := strconv.ParseUint(string(s[i+1:i+3]), 10, 8)
	d, err3 := strconv.ParseUint(string(s[i+4:i+6]), 10, 8)
	if err1 != nil || err2 != nil || err3 != nil || m < 1 || m > 12 || d < 1 || d > 31 {
		return 0, nil, errDate
	}
	if bc {
		y = 1 - y
	}
	return daysFromCivil(y, int64(m), int64(d)), s[i+6:], nil
}
