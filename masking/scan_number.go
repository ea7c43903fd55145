package masking

import (
	"bytes"
	"unicode/utf8"
)

const (
	mostGroups = 24
	mostDigits = 48
)

// digitGroup is a run of digits in a number, and what stands before it.
type digitGroup struct {
	from, to int
	at, n    int  // its digits in digitRun.digits
	mark     byte // one of - . / before it; 0 is none
	blank    bool // white space before it
	paren    bool // ( or ) before it
}

// joined reports whether nothing but mark stands before the group.
func (g *digitGroup) joined(mark byte) bool { return g.mark == mark && !g.blank && !g.paren }

// digitRun is digits in groups, as they stand in a text: 030 / 12 34-56.
type digitRun struct {
	plus   bool // a + stands before the first digit
	from   int  // of the first digit, or of the + and the parenthesis before it
	groups [mostGroups]digitGroup
	n      int
	digits [mostDigits]byte
	cut    bool // it may go on: there was no more room
}

func (n *digitRun) all() []digitGroup { return n.groups[:n.n] }

// between returns what may stand between two groups at text[i]: at most one mark,
// two blanks and a parenthesis of each kind. 0 bytes is nothing.
func (g *digitGroup) between(text []byte, i int) int {
	from := i
	blanks, opened, closed := 0, false, false
	for i < len(text) {
		size := 1
		switch c := text[i]; {
		case c == ' ':
			blanks++
		case (c == '-' || c == '.' || c == '/') && g.mark == 0:
			g.mark = c
		case c == '(' && !opened:
			opened = true
		case c == ')' && !closed:
			closed = true
		case c == 0xc2 && i+1 < len(text) && text[i+1] == 0xa0: // no-break space
			blanks++
			size = 2
		case c == 0xe2 && i+2 < len(text) && text[i+1] == 0x80:
			switch d := text[i+2]; {
			case d == 0x89 || d == 0xaf: // thin spaces
				blanks++
			case d >= 0x90 && d <= 0x94 && g.mark == 0: // hyphens and dashes
				g.mark = '-'
			default:
				return 0
			}
			size = 3
		default:
			g.blank, g.paren = blanks > 0, opened || closed
			return i - from
		}
		if blanks > 2 {
			return 0
		}
		i += size
	}
	return 0
}

// read reads the number whose first digit is at text[at], and returns where it
// ends. What has more digits than any pattern is read to its end and cut short.
func (n *digitRun) read(text []byte, at, done int) (end int) {
	n.n, n.from, n.plus, n.cut = 0, at, false, false
	total, i := 0, at
	var g digitGroup
	for {
		g.from, g.at = i, total
		for i < len(text) {
			d, size := digitAt(text, i)
			if size == 0 {
				break
			}
			if total < mostDigits {
				n.digits[total] = d
				total++
			}
			i += size
		}
		g.to, g.n = i, total-g.at
		n.groups[n.n] = g
		n.n++
		end = i
		if n.n == mostGroups || total == mostDigits {
			n.cut = true
			break
		}
		g = digitGroup{}
		size := g.between(text, i)
		if size == 0 {
			break
		}
		if _, digit := digitAt(text, i+size); digit == 0 {
			break
		}
		i += size
	}
	if n.from > done && text[n.from-1] == '+' {
		n.plus = true
		n.from--
	}
	if n.from > done && text[n.from-1] == '(' {
		for _, g := range n.groups[1:n.n] {
			if g.paren {
				n.from--
				break
			}
		}
		if n.from > done && text[n.from-1] == '+' {
			n.plus = true
			n.from--
		}
	}
	return end
}

// number looks for what begins with the digit at text[at], or around it. next is
// where to go on if nothing was found.
func (s scanner) number(n *digitRun, text []byte, at, done int) (h textHit, found bool, next int) {
	if s.wants(patternIBAN) && at-2 >= done && text[at-1]|0x20 >= 'a' && text[at-1]|0x20 <= 'z' {
		if to := ibanAt(text, at-2); to > 0 && !wordBefore(text, at-2, done) {
			return textHit{from: int32(at - 2), to: int32(to), what: patternIBAN}, true, to
		}
	}
	if s.wants(patternMAC) {
		if from, to := hyphenMAC(text, at, done); to > 0 {
			return textHit{from: int32(from), to: int32(to), what: patternMAC}, true, to
		}
	}
	end := n.read(text, at, done)
	resume := n.resume(end)
	if last := &n.groups[n.n-1]; n.n < 4 && last.at+last.n < 7 {
		return h, false, end // too little for anything but an address of four numbers
	}
	if h, found, next = s.strong(n, text, end, done); found {
		return s.notInEmail(n, h, found, text, at, done, next)
	}
	if next == end {
		next = resume
	}
	if n.n == 0 || !s.wants(patternPhone) {
		return h, false, next
	}
	n.before(next)
	if skip := n.touchedBefore(text, done); skip > 0 {
		return h, false, skip
	}
	if drop := n.touchedAfter(text); drop > 0 {
		next = drop
		n.before(next)
	}
	if part := n.tooLong(); part > 0 {
		next = part
		n.before(next)
	}
	if from, to, is := n.isPhone(text, done); is {
		return s.notInEmail(n, textHit{from: int32(from), to: int32(to), what: patternPhone}, true, text, at, done, to)
	}
	return h, false, next
}

// resume returns where to go on behind a number in which nothing was found: at its
// end, or, if there was no room to read on, early enough to find what straddles it. The
// longest pattern has 19 digits, and that of the most groups fewer than eight.
func (n *digitRun) resume(end int) int {
	if !n.cut {
		return end
	}
	last := &n.groups[n.n-1]
	for k := 1; k < n.n; k++ {
		if g := &n.groups[k]; last.at+last.n-g.at < 20 && n.n-k <= 8 {
			return g.from
		}
	}
	return end
}

// before drops the groups from text[next] on.
func (n *digitRun) before(next int) {
	for n.n > 1 && n.groups[n.n-1].from >= next {
		n.n--
	}
}

// touchedBefore returns where the second group begins if the first belongs to what
// stands before it: A12 030 1234567, 10:15 030 1234567, 2,50 030 1234567. 0 is no.
func (n *digitRun) touchedBefore(text []byte, done int) int {
	i := n.groups[0].from
	if n.n < 2 || n.plus || !n.groups[1].blank || i-1 < done {
		return 0
	}
	if c := text[i-1]; (c == ':' || c == ',') && n.groups[0].n <= 3 && i-2 >= done && text[i-2]-'0' <= 9 || wordBefore(text, i, done) && !phoneWordBefore(text, i, done) {
		return n.groups[1].from
	}
	return 0
}

// touchedAfter returns where the last group begins if it belongs to what follows:
// 030 1234567 2nd, 030 1234567 10:15, 030 1234567 2,50, 030 1234567 20 EUR. 0 is no.
func (n *digitRun) touchedAfter(text []byte) int {
	last := &n.groups[n.n-1]
	if n.n < 2 || !last.blank {
		return 0
	}
	i := last.to
	if i < len(text) {
		if text[i] == ':' && last.n <= 2 && i+1 < len(text) && text[i+1]-'0' <= 9 || decimalsAt(text, i) || wordAfter(text, i) && extension(text, i) == 0 {
			return last.from
		}
	}
	if isCurrency(bytes.TrimLeft(text[i:min(len(text), i+12)], " \u00a0")) && !n.thousands() {
		return last.from
	}
	return 0
}

// thousands reports whether all groups but the first have three digits.
func (n *digitRun) thousands() bool {
	for i := range n.groups[1:n.n] {
		if n.groups[1+i].n != 3 {
			return false
		}
	}
	return n.groups[0].n <= 3
}

// tooLong returns where the second number begins if there are two in a row: at a
// mark between blanks, or at a group that begins with 0; else at a blank, or at any
// group, that leaves a number on both sides. 0 is no.
func (n *digitRun) tooLong() int {
	last := &n.groups[n.n-1]
	total := last.at + last.n
	if total <= 15 || n.fours() {
		return 0
	}
	for _, parts := range []func(g *digitGroup) bool{
		func(g *digitGroup) bool { return g.blank && (g.mark != 0 || n.digits[g.at] == 0) },
		func(g *digitGroup) bool { return g.blank && total-g.at >= 7 },
		func(g *digitGroup) bool { return total-g.at >= 7 },
	} {
		for i := range n.groups[1:n.n] {
			if g := &n.groups[1+i]; g.at >= 7 && g.at <= 17 && parts(g) {
				return g.from
			}
		}
	}
	return 0
}

// fours reports whether all groups have four digits: a card number, if a wrong one.
func (n *digitRun) fours() bool {
	for i := range n.groups[:n.n] {
		if n.groups[i].n != 4 {
			return false
		}
	}
	return true
}

// notInEmail returns the hit, unless an email reaches into it: then what stands
// before the email, if that is still a hit; the email is found by its @.
func (s scanner) notInEmail(n *digitRun, h textHit, found bool, text []byte, at, done, next int) (textHit, bool, int) {
	if !found || !s.wants(patternEmail) {
		return h, found, next
	}
	i := int(h.to)
	for i < len(text) && i < int(h.to)+mostLocal && text[i] != '@' && (text[i] >= utf8.RuneSelf || isMailSign[text[i]]) {
		i++
	}
	if i == len(text) || text[i] != '@' {
		return h, found, next
	}
	e, is := s.email(text, i, 1, done)
	if !is || e.from >= h.to {
		return h, found, next
	}
	if int(e.from) <= at {
		return e, true, int(e.to)
	}
	h, found, _ = s.number(n, text[:e.from], at, done)
	return h, found, int(e.from)
}

// strong looks for what a number is beyond doubt: a card, an address, a social
// security number, a date. If it begins with one that is wanted it is a hit; next is
// where the part ends that has been decided: before the first of these, behind a
// date at the start, or at the end.
func (s scanner) strong(n *digitRun, text []byte, end, done int) (h textHit, found bool, next int) {
	groups := n.all()
	for k := range groups {
		g := &groups[k]
		what, used := patterns, 0
		if s.wants(patternPAN) && !(n.plus && k == 0) {
			if used = n.isPAN(k, text, done); used > 0 {
				what = patternPAN
			}
		}
		if used == 0 && n.isIPv4(k, text, done) {
			what, used = patternIP, 4
			if !s.wants(patternIP) {
				what = patterns // and no phone number either
			}
		}
		if used == 0 && s.wants(patternSSN) && n.isSSN(k, text, done) {
			what, used = patternSSN, 3
		}
		if used == 0 && !n.plus {
			used = n.isDate(k, text, end)
		}
		if used == 0 {
			continue
		}
		to := groups[k+used-1].to
		switch {
		case k > 0:
			return h, false, g.from // first what stands before it
		case what == patterns:
			// Nothing to mask. What remains is another number.
			n.n = 0
			return h, false, to
		}
		return textHit{from: int32(g.from), to: int32(to), what: what}, true, to
	}
	return h, false, end
}

// isPAN returns how many groups from k on are a card number; the most, if several are.
func (n *digitRun) isPAN(k int, text []byte, done int) (used int) {
	groups := n.all()
	total := 0
	for j := k; j < len(groups); j++ {
		g := &groups[j]
		if j > k && (g.paren || g.mark == '/') {
			break
		}
		if total += g.n; total > 19 {
			break
		}
		if j > k && min(groups[k].n, g.n) < 3 {
			break
		}
		if total >= 13 && n.digits[groups[k].at] != 0 && luhn(n.digits[groups[k].at:][:total]) &&
			!wordAfter(text, g.to) && (j == k || !wordBefore(text, groups[k].from, done)) {
			used = j - k + 1
		}
	}
	return used
}

// isIPv4 reports whether four groups from k on are an address, and no more of it.
func (n *digitRun) isIPv4(k int, text []byte, done int) bool {
	groups := n.all()
	if k+4 > len(groups) || k > 0 && groups[k].joined('.') || n.plus && k == 0 ||
		k+4 < len(groups) && groups[k+4].joined('.') || wordBefore(text, groups[k].from, done) {
		return false
	}
	for j := k; j < k+4; j++ {
		g := &groups[j]
		if g.n > 3 || j > k && !g.joined('.') || g.to-g.from != g.n || readDigits(n.digits[g.at:][:g.n]) > 255 {
			return false
		}
	}
	return true
}

// isSSN reports whether three groups from k on are a social security number of the
// United States: areas 000, 666 and from 900 on were never issued, nor group 00,
// nor serial 0000.
func (n *digitRun) isSSN(k int, text []byte, done int) bool {
	groups := n.all()
	if k+3 > len(groups) || n.plus && k == 0 || k > 0 && groups[k].joined('-') || k+3 < len(groups) && groups[k+3].joined('-') {
		return false
	}
	a, b, c := &groups[k], &groups[k+1], &groups[k+2]
	if a.n != 3 || b.n != 2 || c.n != 4 || !b.joined('-') || !c.joined('-') || wordBefore(text, a.from, done) || wordAfter(text, c.to) {
		return false
	}
	area := readDigits(n.digits[a.at:][:3])
	return area != 0 && area != 666 && area < 900 && readDigits(n.digits[b.at:][:2]) != 0 && readDigits(n.digits[c.at:][:4]) != 0
}

// isDate returns how many groups from k on are a date: three with one mark between,
// a year of 1800 to 2199 or of two digits, a month, a day; one of eight digits; two
// years. And a time behind it.
func (n *digitRun) isDate(k int, text []byte, end int) (used int) {
	groups := n.all()
	alone := func(j int) bool { // nothing but white space parts group j from the date before it
		return j == len(groups) || groups[j].blank
	}
	if k > 0 && !alone(k) {
		return 0
	}
	value := func(j int) uint64 { return readDigits(n.digits[groups[j].at:][:groups[j].n]) }
	year := func(v uint64) bool { return v >= 1800 && v < 2200 }
	day := func(v, w uint64) bool { return v >= 1 && w >= 1 && v <= 31 && w <= 31 && (v <= 12 || w <= 12) }
	g := groups[k]
	switch {
	case g.n == 8 && alone(k+1) && year(value(k)/10000) && day(value(k)/100%100, value(k)%100) && value(k)/100%100 <= 12:
		used = 1
	case k+2 < len(groups) && alone(k+3) && groups[k+1].mark != 0 && groups[k+2].mark == groups[k+1].mark:
		a, b, c := value(k), value(k+1), value(k+2)
		sizes := [3]int{g.n, groups[k+1].n, groups[k+2].n}
		switch {
		case sizes[0] == 4 && sizes[1] <= 2 && sizes[2] <= 2 && year(a) && day(b, c),
			sizes[0] <= 2 && sizes[1] <= 2 && sizes[2] == 4 && year(c) && day(a, b),
			sizes[0] <= 2 && sizes[1] <= 2 && sizes[2] == 2 && day(a, b):
			used = 3
		}
	case k+1 < len(groups) && alone(k+2) && groups[k+1].mark != 0 && g.n == 4 && groups[k+1].n == 4 && year(value(k)) && year(value(k+1)):
		return 2
	}
	// 2024-02-29 10:15: the hour is the last group.
	if j := k + used; used > 0 && j == len(groups)-1 && groups[j].n <= 2 && end+1 < len(text) && text[end] == ':' && text[end+1]-'0' <= 9 {
		used++
	}
	return used
}
