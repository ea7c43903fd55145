package masking

import "bytes"

// isPhone tells whether a number is one of a phone, and returns its bounds.
//
// With + or 00 before it, it has 7 to 15 digits (ITU-T E.164; 9 to 17 with the 00).
// Else too, and
//
//   - in one group of 7 or 8 digits it begins with 0, or a word such as Tel. stands
//     before it;
//   - it is no amount: no currency or percent sign beside it that does not belong to
//     another number, no decimals, no groups of thousands behind a single digit;
//   - at most one group is a single digit, so it is no ISBN and no list.
//
// Dates, times and IP addresses have been taken out before. Letters may not touch
// it, so it is no part of a hash or a UUID; but words such as Tel may. What is
// found too much becomes another number; what is not found would stay what it is.
//
// An extension (ext. 12, x12) belongs to the number.
func (n *digitRun) isPhone(text []byte, done int) (from, to int, is bool) {
	groups := n.all()
	first, last := &groups[0], &groups[len(groups)-1]
	total := last.at + last.n
	if total < 7 || total > 17 {
		return 0, 0, false
	}
	digits := n.digits[:total]
	abroad := n.plus
	switch {
	case n.plus && total > 15, !n.plus && digits[0] == 0 && digits[1] == 0 && total < 9:
		return 0, 0, false
	case !n.plus && digits[0] == 0 && digits[1] == 0:
		abroad = true
	case total > 15:
		return 0, 0, false
	}
	word := phoneWordBefore(text, n.from, done)
	if !n.plus && !word && wordBefore(text, n.from, done) {
		return 0, 0, false
	}
	to = last.to
	if ext := extension(text, to); ext > 0 {
		to = ext
	} else if wordAfter(text, to) || to < len(text) && text[to] == '_' {
		return 0, 0, false
	}
	if abroad {
		return n.from, to, true
	}
	if len(groups) == 1 && total < 9 && digits[0] != 0 && !word {
		return 0, 0, false
	}
	if n.isAmount(text, done) {
		return 0, 0, false
	}
	single := 0
	for i := range groups {
		if groups[i].n == 1 && (i == 0 || !groups[i].paren) {
			single++
		}
	}
	if single > 1 || first.n > 15 {
		return 0, 0, false
	}
	return n.from, to, true
}

// isAmount tells an amount from a phone number, see isPhone.
func (n *digitRun) isAmount(text []byte, done int) bool {
	groups := n.all()
	first, last := &groups[0], &groups[len(groups)-1]
	if i := first.from; first.n <= 3 && i-2 >= done && text[i-1] == ',' && text[i-2]-'0' <= 9 {
		return true
	}
	if decimalsAt(text, last.to) {
		return true
	}
	if isCurrency(bytes.TrimLeft(text[last.to:min(len(text), last.to+12)], " \u00a0")) || endsInCurrency(bytes.TrimRight(text[max(done, n.from-12):n.from], " \u00a0")) {
		return true
	}
	if len(groups) == 2 && last.joined('.') && (first.n < 3 || n.digits[first.at] != 0) && (last.n <= 2 || first.n <= 2) {
		return true
	}
	if len(groups) < 3 || first.n > 1 && !groups[1].joined('.') || first.n > 2 || n.digits[0] == 0 {
		return false
	}
	for i := range groups[1:] {
		if g := &groups[1+i]; g.n != 3 || g.mark != groups[1].mark || g.mark == '-' || g.mark == '/' || g.paren {
			return false
		}
	}
	return true
}

var currencies = []string{"$", "%", "€", "£", "¥", "₹", "₽", "₴", "₺", "₩", "EUR", "USD", "CHF", "GBP", "JPY"}

// decimalsAt reports whether a comma and one or two digits stand at text[i], and no more.
func decimalsAt(text []byte, i int) bool {
	if i >= len(text) || text[i] != ',' {
		return false
	}
	from := i + 1
	for i = from; i < len(text) && text[i]-'0' <= 9; i++ {
	}
	return i-from == 1 || i-from == 2
}

// isCurrency reports whether a text begins with a currency, and no number follows
// that it belongs to.
func isCurrency(text []byte) bool {
	for _, c := range currencies {
		if rest, is := bytes.CutPrefix(text, []byte(c)); is {
			rest = bytes.TrimLeft(rest, " ")
			return len(rest) == 0 || rest[0]-'0' > 9
		}
	}
	return false
}

// endsInCurrency is the same before a number.
func endsInCurrency(text []byte) bool {
	for _, c := range currencies {
		if rest, is := bytes.CutSuffix(text, []byte(c)); is {
			rest = bytes.TrimRight(rest, " ")
			return len(rest) == 0 || rest[len(rest)-1]-'0' > 9
		}
	}
	return false
}

// phoneWordBefore reports whether a word such as Tel. stands before text[i].
func phoneWordBefore(text []byte, i, done int) bool {
	for i > done && (text[i-1] == ' ' || text[i-1] == '.' || text[i-1] == ':' || text[i-1] == '(') {
		i--
	}
	var word [longestPhoneWord]byte
	at := len(word)
	for i > done && at > 0 && text[i-1]|0x20 >= 'a' && text[i-1]|0x20 <= 'z' {
		i--
		at--
		word[at] = text[i] | 0x20
	}
	if wordBefore(text, i, done) {
		return false
	}
	w := word[at:]
	return phoneWords[string(w)] || string(w) == "fon" || string(w) == "telefon" || string(w) == "call"
}

// extension returns where the extension behind a number ends that ends at text[i], or 0.
func extension(text []byte, i int) int {
	for blanks := 0; i < len(text) && (text[i] == ' ' || text[i] == ',') && blanks < 2; blanks++ {
		i++
	}
	from := i
	for i < len(text) && i-from < longestPhoneWord && text[i]|0x20 >= 'a' && text[i]|0x20 <= 'z' {
		i++
	}
	if w := text[from:i]; len(w) == 0 || !(equalASCII(w, "x") || equalASCII(w, "ext") || equalASCII(w, "extn") || equalASCII(w, "extension")) {
		return 0
	}
	for marks := 0; i < len(text) && (text[i] == ' ' || text[i] == '.' || text[i] == ':') && marks < 2; marks++ {
		i++
	}
	from = i
	for i < len(text) && i-from < 7 && text[i]-'0' <= 9 {
		i++
	}
	if n := i - from; n < 1 || n > 6 || wordAfter(text, i) {
		return 0
	}
	return i
}

// equalASCII reports whether b is the lower-case word, in any case.
func equalASCII(b []byte, word string) bool {
	if len(b) != len(word) {
		return false
	}
	for i, c := range b {
		if c|0x20 != word[i] {
			return false
		}
	}
	return true
}
