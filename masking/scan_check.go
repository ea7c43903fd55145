package masking

import "unicode/utf8"

// ibanLengths holds the countries of the IBAN registry and how long theirs are.
const ibanLengths = "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27" +
	"GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27" +
	"MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24" +
	"XK20YE30"

const (
	shortestIBAN = 15
	longestIBAN  = 34
)

// ibanAt returns where the IBAN at text[i] ends, or 0. Of a country that is not in
// the registry, the longest that holds counts.
func ibanAt(text []byte, i int) int {
	if text[i]|0x20 < 'a' || text[i]|0x20 > 'z' || i+3 >= len(text) || text[i+3]-'0' > 9 {
		return 0
	}
	var chars [longestIBAN]byte
	country := [2]byte{text[i] &^ 0x20, text[i+1] &^ 0x20}
	exact := 0
	for at := 0; at < len(ibanLengths); at += 4 {
		if ibanLengths[at:at+2] == string(country[:]) {
			exact = int(ibanLengths[at+2]-'0')*10 + int(ibanLengths[at+3]-'0')
		}
	}
	n, end := 0, 0
	for i < len(text) && n < longestIBAN {
		c := text[i]
		if !isAlnum(c) {
			size := ibanGap(text[i:])
			if size == 0 || i+size == len(text) || !isAlnum(text[i+size]) {
				break
			}
			i += size
			continue
		}
		if c > '9' {
			c &^= 0x20
		}
		chars[n] = c
		n++
		i++
		whole := n >= shortestIBAN && !wordAfter(text, i)
		if whole && (exact == 0 || n == exact) && mod97(chars[:n]) {
			end = i
		}
		if n == exact {
			break
		}
	}
	return end
}

// ibanGap returns how many bytes of text stand between two groups of an IBAN: up to
// three blanks of any width, tabs, or hyphens.
func ibanGap(text []byte) (n int) {
	for range 3 {
		r, size := utf8.DecodeRune(text[n:])
		if r != ' ' && r != '-' && r != '\t' && r != 0xa0 && (r < 0x2007 || r > 0x2011) && r != 0x202f && !isInvisible(r) {
			break
		}
		n += size
	}
	return n
}

// mod97 reports whether the check digits hold (ISO 7064, MOD 97-10).
func mod97(chars []byte) bool {
	rest := 0
	for i := range chars {
		c := chars[(i+4)%len(chars)]
		if c <= '9' {
			rest = (rest*10 + int(c-'0')) % 97
		} else {
			rest = (rest*100 + int(c-'A') + 10) % 97
		}
	}
	return rest == 1
}

// luhn reports whether the check digit of Luhn holds.
func luhn(digits []byte) bool {
	sum := 0
	for i, d := range digits {
		if (len(digits)-i)%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += int(d)
	}
	return sum%10 == 0
}
