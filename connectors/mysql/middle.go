package mysql

import (
	"encoding/hex"
	"math/big"
	"strings"
	"time"
)

// middle returns a value about halfway between two values of a key's column, a < b, as
// they are printed. It need not exist; it is above a, and at most b, by whatever order
// people would expect: the server's own is asked for afterwards.
func (p keyColumn) middle(a, b string) (m string, ok bool) {
	switch p.how {
	case keyNumber:
		return middleNumber(a, b)
	case keyDecimal:
		return middleDecimal(a, b)
	case keyTime:
		return middleTime(a, b)
	case keyBytes:
		return middleBytes(a, b)
	case keyText:
		return p.middleText(a, b)
	}
	return "", false
}

func middleNumber(a, b string) (string, bool) {
	lo, ok1 := new(big.Int).SetString(a, 10)
	hi, ok2 := new(big.Int).SetString(b, 10)
	if !ok1 || !ok2 || lo.Cmp(hi) >= 0 {
		return "", false
	}
	sum := new(big.Int).Add(lo, hi)
	sum.Add(sum, big.NewInt(1))
	return sum.Rsh(sum, 1).String(), true // rounds up, below zero too
}

func middleDecimal(a, b string) (string, bool) {
	_, places, _ := strings.Cut(a, ".")
	_, other, _ := strings.Cut(b, ".")
	if len(places) != len(other) {
		return "", false
	}
	m, ok := middleNumber(strings.Replace(a, ".", "", 1), strings.Replace(b, ".", "", 1))
	if !ok || len(places) == 0 {
		return m, ok
	}
	sign := ""
	if m[0] == '-' {
		sign, m = "-", m[1:]
	}
	for len(m) <= len(places) {
		m = "0" + m
	}
	at := len(m) - len(places)
	return sign + m[:at] + "." + m[at:], true
}

func middleTime(a, b string) (string, bool) {
	layout := time.DateTime
	if len(a) == len(time.DateOnly) {
		layout = time.DateOnly
	} else if len(a) > len(time.DateTime) {
		layout += ".000000"[:len(a)-len(time.DateTime)]
	}
	lo, err1 := time.Parse(layout, a) // zero dates fail
	hi, err2 := time.Parse(layout, b)
	if err1 != nil || err2 != nil || !lo.Before(hi) {
		return "", false
	}
	// By seconds: a duration holds 292 years.
	half := (hi.Unix() - lo.Unix() + 1) / 2
	m := lo.Add(time.Duration(half) * time.Second)
	if half > 1<<32 {
		m = time.Unix(lo.Unix()+half, int64(lo.Nanosecond())).UTC()
	}
	if layout == time.DateOnly {
		m = time.Date(m.Year(), m.Month(), m.Day(), 0, 0, 0, 0, time.UTC)
		if !m.After(lo) {
			m = hi
		}
	}
	if half == 0 || m.After(hi) {
		m = hi
	}
	return m.Format(layout), true
}

// middleBytes halves what follows the beginning that both share.
func middleBytes(a, b string) (string, bool) {
	lo, err1 := hex.DecodeString(a)
	hi, err2 := hex.DecodeString(b)
	if err1 != nil || err2 != nil {
		return "", false
	}
	const most = 8
	n := 0
	for n < len(lo) && n < len(hi) && lo[n] == hi[n] {
		n++
	}
	digits := func(v []byte) *big.Int {
		var d [most]byte
		copy(d[:], v[min(n, len(v)):])
		return new(big.Int).SetBytes(d[:])
	}
	x, y := digits(lo), digits(hi)
	if x.Cmp(y) >= 0 {
		return "", false
	}
	x.Add(x, y).Add(x, big.NewInt(1)).Rsh(x, 1)
	var d [most]byte
	x.FillBytes(d[:])
	return strings.ToUpper(hex.EncodeToString(append(lo[:n:n], d[:]...))), true
}

// alphabet is what the first character that differs is halved by. Every collation that
// people use has digits before letters, and letters in this order, whatever their case.
const alphabet = "0123456789abcdefghijklmnopqrstuvwxyz"

// middleText is for character sets that extend ASCII.
func (p keyColumn) middleText(a, b string) (string, bool) {
	switch p.facts.charset {
	case "utf8mb4", "utf8mb3", "utf8", "latin1", "ascii", "latin2", "latin5", "latin7", "cp1250", "cp1251", "cp1256", "cp1257", "greek", "hebrew":
	default:
		return "", false
	}
	lo, err1 := hex.DecodeString(a)
	hi, err2 := hex.DecodeString(b)
	if err1 != nil || err2 != nil {
		return "", false
	}
	lower := func(c byte) byte {
		if c >= 'A' && c <= 'Z' {
			return c + 'a' - 'A'
		}
		return c
	}
	n := 0
	for n < len(lo) && n < len(hi) && lower(lo[n]) == lower(hi[n]) {
		n++
	}
	if n == len(hi) || n > 0 && hi[n-1] >= 0x80 { // within a character of several bytes
		return "", false
	}
	rank := func(v []byte) int {
		switch {
		case n == len(v):
			return -1
		case lower(v[n]) < '0':
			return -1
		case v[n] >= 0x80:
			return len(alphabet)
		}
		return strings.IndexByte(alphabet, lower(v[n])) // −1 for what stands between: below all
	}
	x, y := rank(lo), rank(hi)
	if y <= x {
		return "", false
	}
	m := (x + y + 1) / 2
	if m >= len(alphabet) {
		m = len(alphabet) - 1
	}
	if m < 0 || m <= x {
		return "", false
	}
	return strings.ToUpper(hex.EncodeToString(append(lo[:n:n], alphabet[m]))), true
}

// between returns the number at i of n equal steps from a to b.
func between(a, b string, i, n int64) (string, bool) {
	lo, ok1 := new(big.Int).SetString(a, 10)
	hi, ok2 := new(big.Int).SetString(b, 10)
	if !ok1 || !ok2 {
		return "", false
	}
	hi.Sub(hi, lo).Mul(hi, big.NewInt(i)).Quo(hi, big.NewInt(n))
	return lo.Add(lo, hi).String(), true
}
