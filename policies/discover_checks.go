package policies

import (
	"net"
	"net/netip"
	"regexp"
	"strings"
	"unicode"
)

// recogniser tells whether one value is of a sort. It looks at the value alone, in
// time linear in its length, and keeps nothing.
type recogniser struct {
	class string // of values that it knows
	words string // for the reason: "97 % of the sampled values are …"
	least float64
	score float64
	is    func(s string) bool
}

// recognisers are asked in this order about each value of a column: the first whose
// share is large enough decides. Those with check digits come first, since a number
// that passes by chance is one in ten, or in a hundred.
var recognisers = []recogniser{
	{"secret", "hashes of passwords", 0.3, 0.98, isPasswordHash},
	{"secret", "keys or tokens of a known form", 0.3, 0.97, isKnownToken},
	{"email", "addresses of email", 0.5, 0.97, isEmail},
	{"iban", "valid IBANs", 0.6, 0.98, isIBAN},
	{"card", "card numbers with a valid check digit", 0.7, 0.95, isCard},
	{"government_id", "national identity numbers with valid check digits", 0.8, 0.9, isNationalID},
	{"ssn", "of the form of social security numbers", 0.8, 0.85, func(s string) bool { return formSSN.MatchString(s) }},
	{"mac", "hardware addresses", 0.8, 0.95, isMAC},
	{"ip", "internet addresses", 0.8, 0.9, isIP},
	{"user_agent", "user agents of browsers", 0.5, 0.9, func(s string) bool { return strings.HasPrefix(s, "Mozilla/") }},
	{"coordinates", "pairs of coordinates", 0.8, 0.85, func(s string) bool { return formPair.MatchString(s) }},
	{"phone", "telephone numbers", 0.7, 0.85, isPhone},
	{"special", "blood groups", 0.9, 0.8, func(s string) bool { return formBlood.MatchString(s) }},
	{"special", "codes of diagnoses", 0.9, 0.7, func(s string) bool { return formICD.MatchString(s) }},
	{"special", "words for sex", 0.9, 0.75, func(s string) bool { return sensitiveLabels[0].labels[fold(strings.ToLower(s))] && len(s) > 1 }},
	{"special", "words for marital status", 0.9, 0.75, func(s string) bool { return sensitiveLabels[1].labels[fold(strings.ToLower(s))] }},
	{"special", "words for a religion", 0.9, 0.75, func(s string) bool { return sensitiveLabels[2].labels[fold(strings.ToLower(s))] }},
	{"special", "words for an ethnic group", 0.9, 0.7, func(s string) bool { return sensitiveLabels[3].labels[fold(strings.ToLower(s))] }},
	{"postcode", "of the form of postcodes", 0.8, 0.7, func(s string) bool { return formPostcode.MatchString(s) }},
	{"first_name", "first names that are common", 0.3, 0.85, isGivenName},
	{"last_name", "last names that are common", 0.2, 0.8, isFamilyName},
	{"person_name", "names of people, by their first word", 0.3, 0.85, isFullName},
	{"street", "streets with house numbers", 0.5, 0.8, isStreet},
}

var (
	formSSN      = regexp.MustCompile(`^\d{3}-\d{2}-\d{4}$`)
	formPair     = regexp.MustCompile(`^\(?-?\d{1,3}\.\d{3,}[,; ]\s*-?\d{1,3}\.\d{3,}\)?$`)
	formBlood    = regexp.MustCompile(`^(?i:A|B|AB|0|O)\s?(Rh)?[+-]$`)
	formICD      = regexp.MustCompile(`^[A-TV-Z]\d[0-9A-Z]\.[0-9A-Z]{1,4}$`)
	formPostcode = regexp.MustCompile(`^(?:[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|\d{4} ?[A-Z]{2}|[A-Z]\d[A-Z] ?\d[A-Z]\d|\d{2}-\d{3}|\d{5}-\d{3,4}|\d{3} \d{2})$`)
	formFiscal   = regexp.MustCompile(`^[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]$`)
	formNINO     = regexp.MustCompile(`^[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]$`)
	formHash     = regexp.MustCompile(`^(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128}|[0-9A-F]{32}|[0-9A-F]{40}|[0-9A-F]{64})$`)
	formUUID     = regexp.MustCompile(`^(?i:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)
	formStreet   = regexp.MustCompile(`(?i)^\d+[a-z]?,? \p{L}.*|.*\p{L}\.? \d{1,4} ?[a-z]?$`)
	streetWord   = regexp.MustCompile(`(?i)(?:\b(?:street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|way|court|parkway|pkwy|rue|via|viale|piazza|calle|avenida|rua|ulica|ul|sokak|cadde|strada|plaza)\b|stra(?:ß|ss)e\b|str\.|straat\b|weg\b|gasse\b|laan\b|platz\b|allee\b|gatan\b|vej\b)`)
)

var hashPrefixes = []string{"$2a$", "$2b$", "$2y$", "$argon2", "$pbkdf2", "$scrypt", "$1$", "$5$", "$6$", "$y$", "pbkdf2_", "pbkdf2:", "scrypt:", "argon2$", "{SSHA", "{SHA", "{BCRYPT}", "{bcrypt}", "bcrypt_sha256$", "bcrypt$", "sha1$", "$P$", "$H$", "md5$"}

func isPasswordHash(s string) bool { return hasPrefix(s, hashPrefixes) && len(s) > 20 }

var tokenPrefixes = []string{"sk_live_", "sk_test_", "pk_live_", "rk_live_", "whsec_", "ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "AKIA", "ASIA", "AIza", "ya29.", "SG.", "npm_", "dop_v1_", "-----BEGIN", "eyJhbGciOi", "eyJ0eXAi", "otpauth://"}

func isKnownToken(s string) bool { return hasPrefix(s, tokenPrefixes) && len(s) > 15 }

func hasPrefix(s string, all []string) bool {
	for _, p := range all {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

func isEmail(s string) bool {
	local, domain, found := strings.Cut(s, "@")
	if !found || local == "" || len(s) > 254 || strings.ContainsAny(s, " \t\r\n,;<>") || strings.Contains(domain, "@") {
		return false
	}
	dot := strings.LastIndexByte(domain, '.')
	return dot > 0 && len(domain)-dot > 2
}

// hasEmail reports whether an address of email stands somewhere in a text.
func hasEmail(s string) bool {
	if !strings.Contains(s, "@") {
		return false
	}
	for _, w := range strings.Fields(s) {
		if isEmail(strings.Trim(w, `.,;:!?()<>[]"'`)) {
			return true
		}
	}
	return false
}

// hasPhone reports whether a text has a number with a plus, or one in groups, in it.
func hasPhone(s string) bool {
	i := strings.IndexByte(s, '+')
	return i >= 0 && digitsOf(s[i:min(len(s), i+20)], " -()/.+") >= 9
}

// digitsOf counts the digits before the first character that is neither one nor between.
func digitsOf(s, between string) (n int) {
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			n++
		case !strings.ContainsRune(between, r):
			return n
		}
	}
	return n
}

func isPhone(s string) bool {
	s, _, _ = strings.Cut(s, " ext")
	s, _, _ = strings.Cut(s, " x")
	n := digitsOf(s, "+ -()/.")
	if n < 7 || n > 15 || len(s) > 25 || strings.Count(s, ".") == 1 {
		return false
	}
	for _, r := range s {
		if (r < '0' || r > '9') && !strings.ContainsRune("+ -()/.", r) {
			return false
		}
	}
	marked := strings.ContainsAny(s, "+( )/") || strings.Count(s, "-") >= 1 && !dateLike.MatchString(s)
	return marked && !dateLike.MatchString(s)
}

var dateLike = regexp.MustCompile(`^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|^\d{1,2}[-/.]\d{1,2}[-/.]\d{4}`)

func isMAC(s string) bool {
	if len(s) != 17 && len(s) != 14 {
		return false
	}
	_, err := net.ParseMAC(s)
	return err == nil
}

func isIP(s string) bool {
	if len(s) < 7 || strings.Count(s, ".") != 3 && strings.Count(s, ":") < 2 {
		return false
	}
	s, _, _ = strings.Cut(s, "/")
	a, err := netip.ParseAddr(s)
	return err == nil && !a.IsUnspecified()
}

// compact takes blanks and separators out of a number.
func compact(s string) string {
	if !strings.ContainsAny(s, " -./") {
		return s
	}
	return strings.NewReplacer(" ", "", "-", "", ".", "", "/", "").Replace(s)
}

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// isIBAN checks the form and the remainder by 97 (ISO 13616).
func isIBAN(s string) bool {
	s = strings.ToUpper(compact(s))
	if len(s) < 15 || len(s) > 34 {
		return false
	}
	letters := func(a byte) bool { return a >= 'A' && a <= 'Z' }
	return isMod97(s) && letters(s[0]) && letters(s[1]) && allDigits(s[2:4])
}

// isMod97 checks the digits behind the country of an IBAN in capitals and digits (ISO 7064).
func isMod97(s string) bool {
	rest := 0
	for i := range len(s) {
		c := s[(i+4)%len(s)]
		switch {
		case c >= '0' && c <= '9':
			rest = (rest*10 + int(c-'0')) % 97
		case c >= 'A' && c <= 'Z':
			rest = (rest*100 + int(c-'A') + 10) % 97
		default:
			return false
		}
	}
	return rest == 1
}

// isCard checks the length, the first digit and the check digit (ISO/IEC 7812).
func isCard(s string) bool {
	s = compact(s)
	return len(s) >= 13 && len(s) <= 19 && allDigits(s) && s[0] >= '2' && s[0] <= '6' && isLuhn(s)
}

func isLuhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// weighted is the sum of the first digits times their weights.
func weighted(s string, weights ...int) (sum int) {
	for i, w := range weights {
		sum += int(s[i]-'0') * w
	}
	return sum
}

// isNationalID checks the numbers of persons that carry check digits: of Brazil (CPF),
// Poland (PESEL), Turkey, Spain (DNI, NIE), Italy, the Netherlands, France, India,
// England, Russia (SNILS, INN), Sweden and Germany.
func isNationalID(s string) bool {
	up := strings.ToUpper(compact(s))
	if formFiscal.MatchString(up) {
		return fiscalCode(up)
	}
	if formNINO.MatchString(s) {
		return true
	}
	if len(up) == 9 && up[8] >= 'A' && up[8] <= 'Z' {
		return spanishID(up)
	}
	if !allDigits(up) || strings.Count(up, up[:1]) == len(up) {
		return false
	}
	digit := func(i int) int { return int(up[i] - '0') }
	switch len(up) {
	case 9:
		return weighted(up, 9, 8, 7, 6, 5, 4, 3, 2, -1)%11 == 0 // the Netherlands
	case 10:
		if check := (11 - weighted(up, 10, 9, 8, 7, 6, 5, 4, 3, 2)%11) % 11; check == digit(9) {
			return true // England
		}
		return isLuhn(up) && plausibleDay(up[2:4], up[4:6]) // Sweden
	case 11:
		return cpf(up) || (10-weighted(up, 1, 3, 7, 9, 1, 3, 7, 9, 1, 3)%10)%10 == digit(10) && peselDay(up) || turkishID(up) || snils(up) || germanTaxID(up)
	case 12:
		return verhoeff(up) && up[0] > '1' || weighted(up, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)%11%10 == digit(10) && weighted(up, 3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)%11%10 == digit(11) ||
			isLuhn(up[2:]) && (up[:2] == "19" || up[:2] == "20") && plausibleDay(up[4:6], up[6:8])
	case 15:
		rest := 0
		for i := range 13 {
			rest = (rest*10 + digit(i)) % 97
		}
		return (up[0] == '1' || up[0] == '2') && 97-rest == digit(13)*10+digit(14) // France
	}
	return false
}

func plausibleDay(month, day string) bool {
	return month >= "01" && month <= "12" && day >= "01" && day <= "31"
}

func peselDay(s string) bool {
	month := int(s[2]-'0')*10 + int(s[3]-'0')
	return month%20 >= 1 && month%20 <= 12 && s[4:6] >= "01" && s[4:6] <= "31"
}

func cpf(s string) bool {
	check := func(sum int) int {
		if r := sum * 10 % 11; r < 10 {
			return r
		}
		return 0
	}
	return check(weighted(s, 10, 9, 8, 7, 6, 5, 4, 3, 2)) == int(s[9]-'0') && check(weighted(s, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2)) == int(s[10]-'0')
}

func turkishID(s string) bool {
	odd, even := weighted(s, 1, 0, 1, 0, 1, 0, 1, 0, 1), weighted(s, 0, 1, 0, 1, 0, 1, 0, 1)
	return s[0] != '0' && ((odd*7-even)%10+10)%10 == int(s[9]-'0') && (odd+even+int(s[9]-'0'))%10 == int(s[10]-'0')
}

func snils(s string) bool {
	return weighted(s, 9, 8, 7, 6, 5, 4, 3, 2, 1)%101%100 == int(s[9]-'0')*10+int(s[10]-'0')
}

func germanTaxID(s string) bool {
	product := 10
	for i := range 10 {
		sum := (int(s[i]-'0') + product) % 10
		if sum == 0 {
			sum = 10
		}
		product = sum * 2 % 11
	}
	return s[0] != '0' && (11-product)%10 == int(s[10]-'0')
}

func spanishID(s string) bool {
	digits := s[:8]
	if i := strings.IndexByte("XYZ", s[0]); i >= 0 {
		digits = string(rune('0'+i)) + s[1:8]
	}
	if !allDigits(digits) {
		return false
	}
	n := 0
	for _, d := range digits {
		n = n*10 + int(d-'0')
	}
	return "TRWAGMYFPDXBNJZSQVHLCKE"[n%23] == s[8]
}

// fiscalCode checks the letter at the end of an Italian codice fiscale.
func fiscalCode(s string) bool {
	odd := [...]int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23}
	sum := 0
	for i := range 15 {
		v := int(s[i] - 'A')
		if s[i] <= '9' {
			v = int(s[i] - '0')
		}
		if i%2 == 0 {
			v = odd[v]
		}
		sum += v
	}
	return byte('A'+sum%26) == s[15]
}

// verhoeff checks by the dihedral group of ten, as India's numbers do.
func verhoeff(s string) bool {
	c := 0
	for i := range len(s) {
		d := int(s[len(s)-1-i] - '0')
		for range i % 8 {
			d = [...]int{1, 5, 7, 6, 2, 8, 3, 0, 9, 4}[d]
		}
		c = dihedral(c, d)
	}
	return c == 0
}

func dihedral(a, b int) int {
	switch {
	case a < 5 && b < 5:
		return (a + b) % 5
	case a < 5:
		return 5 + (a+b-5)%5
	case b < 5:
		return 5 + (a-5-b+10)%5
	}
	return (a - b + 5) % 5
}

func isGivenName(s string) bool {
	return !strings.ContainsAny(s, " \t") && commonGiven[fold(strings.ToLower(s))]
}

func isFamilyName(s string) bool {
	return !strings.ContainsAny(s, " \t") && commonFamily[fold(strings.ToLower(s))]
}

func isFullName(s string) bool {
	if len(s) > 60 || strings.ContainsAny(s, "0123456789@/") {
		return false
	}
	parts := strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == ',' })
	if len(parts) < 2 || len(parts) > 5 {
		return false
	}
	for _, p := range parts {
		if r := []rune(p)[0]; !unicode.IsUpper(r) && len(p) > 3 {
			return false
		}
	}
	first, last := fold(strings.ToLower(parts[0])), fold(strings.ToLower(parts[len(parts)-1]))
	return commonGiven[first] || commonGiven[last] || commonFamily[last] && len(parts) <= 3
}

func isStreet(s string) bool {
	return len(s) <= 120 && formStreet.MatchString(s) && streetWord.MatchString(s)
}

// Common names, of the languages that the lexicon knows. A column of names holds some
// of them; a column of other words hardly any.
var (
	commonGiven = words(`james john robert michael william david richard joseph thomas charles christopher daniel matthew anthony mark donald steven paul andrew joshua
		kenneth kevin brian george edward ronald timothy jason jeffrey ryan jacob gary nicholas eric jonathan stephen larry justin scott brandon benjamin samuel frank
		mary patricia jennifer linda elizabeth barbara susan jessica sarah karen nancy lisa betty margaret sandra ashley kimberly emily donna michelle carol amanda
		dorothy melissa deborah stephanie rebecca sharon laura cynthia kathleen amy angela shirley anna brenda pamela emma nicole helen samantha katherine christine
		maria julia olivia sophia isabella mia charlotte amelia harper evelyn oliver liam noah elijah lucas mason logan ethan jack henry leo max adam peter alex
		hans klaus jurgen juergen wolfgang uwe dieter stefan andreas markus sebastian jan lukas felix jonas sabine petra monika ursula claudia heike birgit anja katrin
		jean pierre michel philippe alain nicolas christophe laurent marie nathalie isabelle sylvie catherine francoise monique valerie sophie camille lea chloe
		jose juan antonio manuel francisco javier carlos luis miguel pedro jorge carmen ana isabel dolores pilar teresa rosa cristina lucia elena paula
		giuseppe giovanni mario luigi francesco marco andrea alessandro roberto stefano giulia chiara francesca sara martina valentina
		joao paulo ricardo tiago ines beatriz mariana fernanda
		johannes willem pieter hendrik kees daan sem lotte sanne anouk
		piotr krzysztof andrzej tomasz pawel marcin jakub agnieszka katarzyna malgorzata ewa zofia
		mehmet mustafa ahmet ali huseyin hasan ibrahim fatma ayse emine hatice zeynep elif
		aleksandr sergey dmitry andrey alexey ivan mikhail vladimir olga natalia tatiana irina svetlana ekaterina`)
	commonFamily = words(`smith johnson williams brown jones garcia miller davis rodriguez martinez hernandez lopez gonzalez wilson anderson thomas taylor moore jackson
		martin lee perez thompson white harris sanchez clark ramirez lewis robinson walker young allen king wright scott torres nguyen hill flores green adams nelson baker
		hall rivera campbell mitchell carter roberts phillips evans turner parker collins edwards stewart morris murphy cook rogers morgan peterson cooper reed bailey bell
		kelly howard ward cox diaz richardson wood watson brooks bennett gray james reyes cruz hughes price myers long foster sanders ross
		muller mueller schmidt schneider fischer weber meyer wagner becker schulz hoffmann schafer koch bauer richter klein wolf schroder neumann schwarz zimmermann braun
		bernard dubois durand robert richard petit leroy moreau simon laurent lefebvre michel bertrand roux fournier girard bonnet dupont lambert
		fernandez gomez ruiz diaz moreno munoz alvarez romero alonso gutierrez navarro
		rossi russo ferrari esposito bianchi romano colombo ricci marino greco bruno gallo conti costa
		silva santos oliveira souza pereira ferreira rodrigues almeida carvalho
		jansen bakker visser smit meijer mulder bos vos peters hendriks dekker
		nowak kowalski wisniewski wojcik kowalczyk kaminski lewandowski zielinski szymanski
		yilmaz kaya demir celik sahin yildiz yildirim ozturk aydin
		ivanov smirnov kuznetsov popov vasiliev petrov sokolov mikhailov novikov`)
)
