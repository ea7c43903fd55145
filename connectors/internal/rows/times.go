package rows

import (
	"bytes"
	"math"
	"strconv"
)

// The instants of the contract: days since 1970-01-01, and microseconds since
// 2000-01-01 00:00 UTC.
const (
	dayMicros    = 86_400_000_000
	epochDays    = 10_957 // from 1970-01-01 to 2000-01-01
	epochSeconds = epochDays * 86_400
	julianEpoch  = 2451544.5 // Julian day number of 2000-01-01 00:00
	// The days from 2000-01-01 whose microseconds, in any zone, fit into an int64
	// without reaching the infinities: to the end of the year 294276.
	maxDays = 106_751_989
)

// moment is a date, or a date and time, as text: what it means, and how it is
// written, so that another moment can be written alike.
type moment struct {
	days    int64 // since 1970-01-01, of the date as written
	micros  int64 // of the day, as written
	offset  int64 // seconds east of UTC, as written
	infinit int   // −1, 1 for −infinity, infinity

	sep      byte // between date and time; 0 without a time
	seconds  bool // the time has seconds
	point    byte // before the fraction
	digits   int  // of the fraction
	beyond   []byte
	zone     []byte // all that follows the time
	timePart []byte // all that follows the date
}

// instant returns the microseconds since 2000-01-01 00:00 UTC.
func (m *moment) instant() int64 {
	switch {
	case m.infinit < 0:
		return math.MinInt64
	case m.infinit > 0:
		return math.MaxInt64
	}
	return (m.days-epochDays)*dayMicros + m.micros - m.offset*1_000_000
}

// parseMoment reads what ISO 8601 and SQLite's date functions write, with or
// without a zone, and the form of Go's time.Time.String, which the driver writes:
//
//	2021-01-02   2021-01-02 03:04   2021-01-02T03:04:05.123Z
//	2021-01-02 03:04:05.123456789 +0100 CET
//
// Years have four to six digits, and a sign before year 0.
func parseMoment(b []byte) (m moment, ok bool) {
	if string(b) == "infinity" || string(b) == "-infinity" {
		m.infinit = 1
		if b[0] == '-' {
			m.infinit = -1
		}
		return m, true
	}
	if zeroDate(b) {
		m.infinit = -1
		return m, true
	}
	i, sign := 0, int64(1)
	if len(b) > 0 && b[0] == '-' {
		i, sign = 1, -1
	}
	year, n := digits(b[i:], 6)
	if n < 4 {
		return m, false
	}
	i += n
	month, okMonth := two(b, i+1)
	day, okDay := two(b, i+4)
	if !okMonth || !okDay || b[i] != '-' || b[i+3] != '-' || month < 1 || month > 12 || day < 1 || day > daysIn(sign*year, month) {
		return m, false
	}
	i += 6
	m.days = daysOf(sign*year, month, day)
	m.timePart = b[i:]
	if m.days-epochDays > maxDays || m.days-epochDays < -maxDays {
		return m, false
	}
	if i == len(b) {
		return m, true
	}
	if m.sep = b[i]; m.sep != ' ' && m.sep != 'T' && m.sep != 't' {
		return m, false
	}
	hour, okHour := two(b, i+1)
	minute, okMinute := two(b, i+4)
	if !okHour || !okMinute || b[i+3] != ':' || hour > 23 || minute > 59 {
		return m, false
	}
	i += 6
	m.micros = (hour*3600 + minute*60) * 1_000_000
	if i < len(b) && b[i] == ':' {
		second, okSecond := two(b, i+1)
		if !okSecond || second > 60 { // 60 is a leap second
			return m, false
		}
		m.seconds = true
		m.micros += second * 1_000_000
		i += 3
		if i < len(b) && (b[i] == '.' || b[i] == ',') {
			m.point = b[i]
			start := i + 1
			micros, n := digits(b[start:], 6)
			for k := n; k < 6; k++ {
				micros *= 10
			}
			m.micros += micros
			i = start + n
			for i < len(b) && b[i] >= '0' && b[i] <= '9' {
				i++
			}
			m.digits = i - start
			if m.digits == 0 {
				return m, false
			}
			if m.digits > 6 {
				m.beyond = b[start+6 : i]
			}
		}
	}
	m.zone = b[i:]
	m.offset, ok = parseZone(m.zone)
	return m, ok
}

// zeroDate reports whether b is the date that MySQL has for none, with or without a time:
// 0000-00-00 00:00:00. It stands before all others, and no mask has anything to hide in it.
func zeroDate(b []byte) bool {
	rest, ok := bytes.CutPrefix(b, []byte("0000-00-00"))
	return ok && len(bytes.Trim(rest, " 0:.")) == 0
}

// parseZone reads "", Z, ±hh, ±hh:mm, ±hhmm, ±hh:mm:ss, a blank before them, and
// a zone's name after them, which says nothing more.
func parseZone(b []byte) (seconds int64, ok bool) {
	if len(b) == 0 || len(b) == 1 && (b[0] == 'Z' || b[0] == 'z') {
		return 0, true
	}
	if b[0] == ' ' {
		b = b[1:]
	}
	if string(b) == "UTC" {
		return 0, true
	}
	if len(b) < 3 || b[0] != '+' && b[0] != '-' {
		return 0, false
	}
	negative := b[0] == '-'
	h, okHour := two(b, 1)
	if !okHour || h > 23 {
		return 0, false
	}
	seconds = h * 3600
	b = b[3:]
	for _, unit := range []int64{60, 1} {
		at := 0
		if len(b) > 0 && b[0] == ':' {
			at = 1
		}
		n, okPart := two(b, at)
		if !okPart {
			break
		}
		if n > 59 {
			return 0, false
		}
		seconds += n * unit
		b = b[at+2:]
	}
	if negative {
		seconds = -seconds
	}
	if len(b) == 0 {
		return seconds, true
	}
	if b[0] != ' ' || len(b) < 2 || len(b) > 8 {
		return 0, false
	}
	for _, c := range b[1:] {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '+' && c != '-' {
			return 0, false
		}
	}
	return seconds, true
}

// appendInstant writes an instant as m is written. Where m has no room for a
// part that is not zero (seconds, say), the part is added.
func appendInstant(dst []byte, instant int64, m *moment) []byte {
	switch instant {
	case math.MinInt64:
		return append(dst, "-infinity"...)
	case math.MaxInt64:
		return append(dst, "infinity"...)
	}
	local := instant + m.offset*1_000_000
	days, micros := floorDiv(local, dayMicros)
	dst = appendDate(dst, days+epochDays)
	if m.sep == 0 && micros == 0 {
		return append(dst, m.zone...)
	}
	sep := m.sep
	if sep == 0 {
		sep = ' '
	}
	minutes, rest := micros/60_000_000, micros%60_000_000
	dst = appendTwo(append(dst, sep), minutes/60)
	dst = appendTwo(append(dst, ':'), minutes%60)
	if m.seconds || rest != 0 || m.sep == 0 {
		dst = appendTwo(append(dst, ':'), rest/1_000_000)
	}
	fraction := rest % 1_000_000
	want := min(m.digits, 6)
	for need, f := 6, fraction; f != 0 && want < 6; need-- {
		if f%10 != 0 {
			want = max(want, need)
			break
		}
		f /= 10
	}
	if want > 0 {
		point := m.point
		if point == 0 {
			point = '.'
		}
		dst = append(dst, point)
		for k, f := 0, fraction; k < want; k++ {
			dst = append(dst, '0'+byte(f/100_000))
			f = f % 100_000 * 10
		}
		dst = append(dst, m.beyond...)
	}
	return append(dst, m.zone...)
}

// appendDate writes a day as yyyy-mm-dd.
func appendDate(dst []byte, days int64) []byte {
	switch days {
	case math.MinInt32:
		return append(dst, "-infinity"...)
	case math.MaxInt32:
		return append(dst, "infinity"...)
	}
	y, m, d := civil(days)
	if y < 0 {
		dst, y = append(dst, '-'), -y
	}
	for limit := int64(1000); limit > 1 && y < limit; limit /= 10 {
		dst = append(dst, '0')
	}
	dst = strconv.AppendInt(dst, y, 10)
	dst = appendTwo(append(dst, '-'), m)
	return appendTwo(append(dst, '-'), d)
}

func appendTwo(dst []byte, v int64) []byte {
	return append(dst, '0'+byte(v/10), '0'+byte(v%10))
}

func digits(b []byte, most int) (v int64, n int) {
	for n < len(b) && n < most && b[n] >= '0' && b[n] <= '9' {
		v = v*10 + int64(b[n]-'0')
		n++
	}
	return v, n
}

func two(b []byte, at int) (int64, bool) {
	if at+2 > len(b) {
		return 0, false
	}
	v, n := digits(b[at:], 2)
	return v, n == 2
}

func floorDiv(a, b int64) (q, r int64) {
	q, r = a/b, a%b
	if r < 0 {
		q, r = q-1, r+b
	}
	return q, r
}

func daysIn(year, month int64) int64 {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// daysOf and civil convert between a day of the proleptic Gregorian calendar
// and days since 1970-01-01, by Howard Hinnant's algorithms ("chrono-Compatible
// Low-Level Date Algorithms"), with years that begin in March.
func daysOf(y, m, d int64) int64 {
	if m <= 2 {
		y--
	}
	era, yoe := floorDiv(y, 400)
	doy := (153*((m+9)%12)+2)/5 + d - 1
	return era*146_097 + yoe*365 + yoe/4 - yoe/100 + doy - 719_468
}

func civil(days int64) (y, m, d int64) {
	era, doe := floorDiv(days+719_468, 146_097)
	yoe := (doe - doe/1460 + doe/36_524 - doe/146_096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d = doy - (153*mp+2)/5 + 1
	m = (mp+2)%12 + 1
	y = yoe + era*400
	if m <= 2 {
		y++
	}
	return y, m, d
}

// Seconds from year 0 to year 9999: what is outside counts finer units.
const (
	minSeconds = -62_167_219_200
	maxSeconds = 253_402_300_799
)

// epochUnit returns how many of the units that v counts make a second: an
// integer is a Unix time in seconds, or, where that is no year of four digits,
// in milli-, micro- or nanoseconds.
func epochUnit(v int64) int64 {
	for unit := int64(1); unit < 1_000_000_000; unit *= 1000 {
		if s, _ := floorDiv(v, unit); s >= minSeconds && s <= maxSeconds {
			return unit
		}
	}
	return 1_000_000_000
}

// epochInstant returns the instant of a Unix time in units, and what is left
// below a microsecond.
func epochInstant(v, unit int64) (micros, below int64) {
	if unit == 1_000_000_000 {
		micros, below = floorDiv(v, 1000)
	} else {
		micros = v * (1_000_000 / unit)
	}
	return micros - epochSeconds*1_000_000, below
}

// instantEpoch is the inverse of epochInstant; what units cannot hold is dropped.
func instantEpoch(micros, unit, below int64) int64 {
	micros += epochSeconds * 1_000_000
	if unit == 1_000_000_000 {
		return micros*1000 + below
	}
	q, _ := floorDiv(micros, 1_000_000/unit)
	return q
}

// floatInstant reads a float as SQLite's date functions do with 'auto': a
// Julian day number, or, where that cannot be, a Unix time in seconds.
func floatInstant(v float64) (micros int64, julian, ok bool) {
	switch {
	case v >= 0 && v < 5373484.5:
		return int64(math.Round((v - julianEpoch) * dayMicros)), true, true
	case v >= minSeconds && v <= maxSeconds+1:
		return int64(math.Round((v - epochSeconds) * 1e6)), false, true
	}
	return 0, false, false
}

func instantFloat(micros int64, julian bool) float64 {
	if julian {
		return float64(micros)/dayMicros + julianEpoch
	}
	return float64(micros)/1e6 + epochSeconds
}
