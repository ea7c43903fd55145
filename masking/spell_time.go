package masking

import (
	"math"
	"strconv"
)

// parseDateText reads a date as days since 1970-01-01: 2024-02-29, 0044-03-15 BC,
// and the infinities.
func parseDateText(text []byte) (int32, bool) {
	switch string(text) {
	case "infinity":
		return math.MaxInt32, true
	case "-infinity":
		return math.MinInt32, true
	}
	text, bc := cutBC(text)
	day, rest, ok := parseCivil(text, bc)
	if !ok || len(rest) > 0 || day < pgDates.first || day > pgDates.last {
		return 0, false
	}
	return int32(day), true
}

// appendDateText is the inverse of parseDateText.
func appendDateText(dst []byte, day int32) []byte {
	switch day {
	case math.MaxInt32:
		return append(dst, "infinity"...)
	case math.MinInt32:
		return append(dst, "-infinity"...)
	}
	dst, bc := appendCivil(dst, int64(day))
	if bc {
		dst = append(dst, " BC"...)
	}
	return dst
}

// instantForm is how an instant is spelled: what its microseconds do not tell. The
// zero form is that of a timestamp in PostgreSQL.
type instantForm struct {
	mark   byte // between date and time; 0 is a blank
	point  byte // before the fraction of a second; 0 is a point
	digits int8 // of the fraction, or asNeeded
	short  bool // no seconds
	zone   zoneForm
	minus  bool  // the zone's sign
	gap    bool  // a blank before the zone
	offset int32 // of the zone, in seconds east of Greenwich
}

const asNeeded = 0 // no zeros at the end of a fraction

// zoneForm is how a zone is spelled.
type zoneForm uint8

const (
	zoneNone    zoneForm = iota
	zoneZ                // Z
	zoneSmallZ           // z
	zoneHours            // +02
	zoneColon            // +02:30
	zoneDigits           // +0230
	zoneSeconds          // +00:19:32
)

// parseInstant reads date and time as microseconds since 2000-01-01 UTC, as
// PostgreSQL prints them (2024-02-29 10:00:00.5+02 BC, infinity), and as RFC 3339 and
// ISO 8601 spell them (2024-02-29T10:00Z). Digits behind the microseconds are read
// over. Without a zone it is UTC.
func parseInstant(text []byte) (micros int64, form instantForm, ok bool) {
	switch string(text) {
	case "infinity":
		return math.MaxInt64, form, true
	case "-infinity":
		return math.MinInt64, form, true
	}
	text, bc := cutBC(text)
	day, text, ok := parseCivil(text, bc)
	if !ok || day < pgTimestamps.first-1 || day > pgTimestamps.last+1 {
		return 0, form, false
	}
	micros, text, ok = form.parseTime(text)
	if !ok || !form.parseZone(text) {
		return 0, form, false
	}
	micros += (day-days2000)*dayMicros - int64(form.offset)*1_000_000
	day = floorDiv(micros, dayMicros) + days2000
	return micros, form, day >= pgTimestamps.first && day <= pgTimestamps.last
}

// parseTime reads the mark and the time of day, and returns the rest.
func (f *instantForm) parseTime(text []byte) (micros int64, rest []byte, ok bool) {
	if len(text) < len(" 10:00") || text[0] != ' ' && text[0]|0x20 != 't' || text[3] != ':' {
		return 0, nil, false
	}
	f.mark = text[0]
	hour, ok1 := twoDigits(text[1:], 24)
	minute, ok2 := twoDigits(text[4:], 59)
	second, fraction := int64(0), int64(0)
	ok = ok1 && ok2
	if text = text[6:]; len(text) == 0 || text[0] != ':' {
		f.short = true
	} else {
		var ok3 bool
		if second, ok3 = twoDigits(text[1:], 60); !ok3 {
			return 0, nil, false
		}
		if text = text[3:]; len(text) > 0 && (text[0] == '.' || text[0] == ',') {
			f.point = text[0]
			n, unit := 1, int64(100_000)
			for ; n < len(text) && text[n]-'0' <= 9; n++ {
				fraction += int64(text[n]-'0') * unit
				unit /= 10
			}
			const most = 9 // nanoseconds
			if n == 1 || n > 1+most {
				return 0, nil, false
			}
			f.digits = int8(n - 1)
			text = text[n:]
		}
	}
	micros = hour*3_600_000_000 + minute*60_000_000 + second*1_000_000 + fraction
	return micros, text, ok && (hour < 24 || micros == dayMicros)
}

// parseZone reads the zone, which may be none.
func (f *instantForm) parseZone(text []byte) bool {
	if len(text) == 0 {
		return true
	}
	switch string(text) {
	case "Z":
		f.zone = zoneZ
		return true
	case "z":
		f.zone = zoneSmallZ
		return true
	}
	if text[0] == ' ' {
		f.gap = true
		text = text[1:]
	}
	if len(text) < 3 || text[0] != '+' && text[0] != '-' {
		return false
	}
	f.minus = text[0] == '-'
	text = text[1:]
	f.zone = zoneHours
	switch len(text) {
	case 2:
	case 4:
		f.zone = zoneDigits
	case 5:
		f.zone = zoneColon
	case 8:
		f.zone = zoneSeconds
	default:
		return false
	}
	var part [3]int64
	for i := range part {
		if len(text) == 0 {
			break
		}
		if i > 0 && f.zone != zoneDigits {
			if text[0] != ':' {
				return false
			}
			text = text[1:]
		}
		var ok bool
		if part[i], ok = twoDigits(text, 59); !ok || i == 0 && part[i] > 23 {
			return false
		}
		text = text[2:]
	}
	f.offset = int32(part[0]*3600 + part[1]*60 + part[2])
	if f.minus {
		f.offset = -f.offset
	}
	return true
}

// appendInstant is the inverse of parseInstant.
func appendInstant(dst []byte, micros int64, f instantForm) []byte {
	switch micros {
	case math.MaxInt64:
		return append(dst, "infinity"...)
	case math.MinInt64:
		return append(dst, "-infinity"...)
	}
	micros += int64(f.offset) * 1_000_000
	day := floorDiv(micros, dayMicros)
	rest := micros - day*dayMicros
	dst, bc := appendCivil(dst, day+days2000)
	if f.mark == 0 {
		f.mark = ' '
	}
	dst = appendTwo(append(dst, f.mark), rest/3_600_000_000)
	dst = appendTwo(append(dst, ':'), rest/60_000_000%60)
	if !f.short {
		dst = appendTwo(append(dst, ':'), rest/1_000_000%60)
		dst = f.appendFraction(dst, rest%1_000_000)
	}
	dst = f.appendZone(dst)
	if bc {
		dst = append(dst, " BC"...)
	}
	return dst
}

func (f *instantForm) appendFraction(dst []byte, micros int64) []byte {
	if f.digits == asNeeded && micros == 0 {
		return dst
	}
	if f.point == 0 {
		f.point = '.'
	}
	dst = append(dst, f.point)
	digits := [9]byte{'0', '0', '0', '0', '0', '0', '0', '0', '0'}
	n := 0
	for i := 5; i >= 0; i-- {
		digits[i] = byte('0' + micros%10)
		if n == 0 && digits[i] != '0' {
			n = i + 1
		}
		micros /= 10
	}
	if f.digits != asNeeded {
		n = int(f.digits)
	}
	return append(dst, digits[:n]...)
}

func (f *instantForm) appendZone(dst []byte) []byte {
	if f.gap {
		dst = append(dst, ' ')
	}
	switch f.zone {
	case zoneNone:
		return dst
	case zoneZ:
		return append(dst, 'Z')
	case zoneSmallZ:
		return append(dst, 'z')
	}
	sign, offset := byte('+'), int64(f.offset)
	if f.minus {
		sign, offset = '-', -offset
	}
	dst = appendTwo(append(dst, sign), offset/3600)
	if f.zone == zoneHours {
		return dst
	}
	if f.zone != zoneDigits {
		dst = append(dst, ':')
	}
	dst = appendTwo(dst, offset/60%60)
	if f.zone == zoneSeconds {
		dst = appendTwo(append(dst, ':'), offset%60)
	}
	return dst
}

// cutBC cuts the era off a date.
func cutBC(text []byte) (_ []byte, bc bool) {
	if n := len(text) - len(" BC"); n > 0 && string(text[n:]) == " BC" {
		return text[:n], true
	}
	return text, false
}

// parseCivil reads year, month and day as days since 1970-01-01, and returns the
// rest. A year has four digits or, beyond 9999, as many as it needs.
func parseCivil(text []byte, bc bool) (day int64, rest []byte, ok bool) {
	y, n := int64(0), 0
	for n < len(text) && n < 8 && text[n]-'0' <= 9 {
		y = 10*y + int64(text[n]-'0')
		n++
	}
	if n < 4 || n > 7 || n > 4 && text[0] == '0' || y == 0 || len(text) < n+len("-02-29") || text[n] != '-' || text[n+3] != '-' {
		return 0, nil, false
	}
	m, ok1 := twoDigits(text[n+1:], 12)
	d, ok2 := twoDigits(text[n+4:], 31)
	if bc {
		y = 1 - y
	}
	if !ok1 || !ok2 || m < 1 || d < 1 || d > daysOfMonth(y, m) {
		return 0, nil, false
	}
	return daysFromCivil(y, m, d), text[n+6:], true
}

// daysOfMonth returns how many days a month has.
func daysOfMonth(y, m int64) int64 {
	switch m {
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// appendCivil appends the date of a day since 1970-01-01, and reports that it is of
// the years before 1, which are written as they are counted: BC.
func appendCivil(dst []byte, day int64) (_ []byte, bc bool) {
	y := yearOf(day)
	m, d := monthAndDay(day)
	if bc = y <= 0; bc {
		y = 1 - y
	}
	for limit := int64(1000); limit > 1 && y < limit; limit /= 10 {
		dst = append(dst, '0')
	}
	dst = strconv.AppendInt(dst, y, 10)
	dst = appendTwo(append(dst, '-'), m)
	return appendTwo(append(dst, '-'), d), bc
}

// monthAndDay returns the month and its day of a day since 1970-01-01; see yearOf
// and daysFromCivil.
func monthAndDay(day int64) (m, d int64) {
	y := yearOf(day)
	if day < daysFromCivil(y, 3, 1) {
		if day -= daysFromCivil(y, 1, 1); day < 31 {
			return 1, day + 1
		}
		return 2, day - 31 + 1
	}
	day -= daysFromCivil(y, 3, 1)
	m = (5*day + 2) / 153 // counted from March
	return m + 3, day - (153*m+2)/5 + 1
}

// twoDigits reads two digits, whose number is at most most.
func twoDigits(text []byte, most int64) (int64, bool) {
	if len(text) < 2 || text[0]-'0' > 9 || text[1]-'0' > 9 {
		return 0, false
	}
	n := int64(text[0]-'0')*10 + int64(text[1]-'0')
	return n, n <= most
}

func appendTwo(dst []byte, n int64) []byte {
	return append(dst, byte('0'+n/10), byte('0'+n%10))
}
