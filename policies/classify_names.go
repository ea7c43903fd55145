package policies

import (
	"slices"
	"strings"
	"unicode"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// word is a word of a name.
type word struct {
	plain    string // what it means, as one plain word of English
	from     string // as the name has it, in lower case without accents
	language string // of the lexicon; empty for what it does not know
}

// String shows the word and, if it is of another language, what it means.
func (w word) String() string {
	if w.language == "" || w.language == "en" || w.plain == w.from {
		return quoted(w.from)
	}
	return quoted(w.from) + " (" + languages[w.language] + ")"
}

// headFirst are the languages in which the noun comes before what tells more of it:
// a tipo_telefono is a type.
var headFirst = map[string]bool{"fr": true, "es": true, "it": true, "pt": true, "pl": true, "ru": true}

// joins are words between others that mean nothing here.
var joins = words(`de di del della dello da do das dos du la le les el los des van der den het the a e et y en und and d l`)

// countLanguages counts the words that can only be of certain languages.
func countLanguages(count map[string]int, names []string) {
	for _, w := range names {
		seen := map[string]bool{}
		for _, m := range meanings[fold(w)] {
			if m.language != "en" && !m.doubtful && !seen[m.language] {
				seen[m.language] = true
				count[m.language]++
			}
		}
	}
}

// readName turns the tokens of a name into plain words, given how many words of each
// language stand around it.
func readName(tokens []string, around map[string]int) []word {
	out := make([]word, 0, len(tokens)+2)
	for _, t := range tokens {
		t = fold(t)
		if joins[t] && len(tokens) > 1 {
			continue
		}
		out = appendMeaning(out, t, around, true)
	}
	// Pairs of words that mean one thing.
	for i := 0; i+1 < len(out); {
		j := i + 1
		if out[j].plain == "of" && j+1 < len(out) {
			j++
		}
		means, found := pairings[[2]string{out[i].plain, out[j].plain}]
		if !found {
			i++
			continue
		}
		language := out[i].language
		if language == "" || language == "en" {
			language = out[j].language
		}
		out[i] = word{means, out[i].from + " " + out[j].from, language}
		out = slices.Delete(out, i+1, j+1)
		i = max(i-1, 0)
	}
	return out
}

// appendMeaning appends what a token stands for. A token that no list has may be one
// that is glued of several, or carry a number.
func appendMeaning(out []word, t string, around map[string]int, split bool) []word {
	if m, found := lookup(t, around); found {
		for _, plain := range m.words {
			out = append(out, word{plain, t, m.language})
		}
		return out
	}
	if knownWords[t] || !split {
		return append(out, word{plain: t, from: t})
	}
	if bare := strings.TrimRightFunc(t, unicode.IsDigit); bare != t && bare != "" {
		out = appendMeaning(out, bare, around, true)
		return append(out, word{plain: t[len(bare):], from: t[len(bare):]})
	}
	if one := singular(t); one != t {
		if m, found := lookup(one, around); found {
			return append(out, word{m.words[0], t, m.language})
		}
		if knownWords[one] {
			return append(out, word{plain: one, from: t})
		}
	}
	whole := glued(t)
	if len(whole) == 1 {
		if m, found := stems[stemOf(t)]; found && len(t) >= 4 && (m.language == "en" || around[m.language] > 0) {
			for _, plain := range m.words {
				out = append(out, word{plain, t, m.language})
			}
			return out
		}
	}
	for _, p := range whole {
		out = appendMeaning(out, p, around, false)
	}
	return out
}

// knownWords are the English words that the rules know.
var knownWords = func() map[string]bool {
	all := map[string]bool{}
	for _, set := range []map[string]bool{personNouns, roles, referenceNouns, mailingNouns, harmlessWords, heads, aside} {
		for w := range set {
			all[w] = true
		}
	}
	for pair := range pairings {
		all[pair[0]], all[pair[1]] = true, true
	}
	return all
}()

// lookup finds what a token means among the languages around it.
func lookup(t string, around map[string]int) (best meaning, found bool) {
	most := -1
	for _, m := range meanings[t] {
		n := around[m.language]
		if m.doubtful && n < 2 {
			continue
		}
		if m.language == "en" {
			n++
		}
		if n > most {
			best, most, found = m, n, true
		}
	}
	return best, found
}

// longestGlued is the longest token that is taken apart, in bytes.
const longestGlued = 40

// glued takes a token apart into the fewest words that are known, or returns it
// whole: emailaddress, kundennummer. Between two may stand what German joins by.
func glued(t string) []string {
	if len(t) < 6 || len(t) > longestGlued {
		return []string{t}
	}
	best := make([][]string, len(t)+1) // best[i] makes t[:i]
	best[0] = []string{}
	for i := range t {
		if best[i] == nil {
			continue
		}
		for j := i + 2; j <= len(t); j++ {
			part := t[i:j]
			if !parts[part] && !(i > 0 && j == len(t) && endings[part]) {
				continue
			}
			for _, link := range []string{"", "s", "n", "en", "es", "_"} {
				end := j + len(link)
				if link != "" && (end >= len(t) || !strings.HasPrefix(t[j:], link)) {
					continue
				}
				if best[end] == nil || len(best[end]) > len(best[i])+1 {
					best[end] = append(slices.Clone(best[i]), part)
				}
			}
		}
	}
	if best[len(t)] == nil {
		return []string{t}
	}
	return best[len(t)]
}

// endings are short words that end glued ones.
var endings = words(`nr no num id nm dt cd ts ip at on tel nbr nachn`)

// fold makes a lower-case word of the letters a to z, where there is a custom for it.
func fold(w string) string {
	if !strings.ContainsFunc(w, func(r rune) bool { return r >= 0x80 }) {
		return w
	}
	return folding.Replace(w)
}

var folding = strings.NewReplacer(append(strings.Fields(`ä a ö o ü u ß ss á a à a â a ã a å a ą a ă a æ ae ç c ć c č c ď d é e è e ê e ë e ę e ě e ğ g
	í i ì i î i ï i ı i i̇ i ł l ñ n ń n ň n ó o ò o ô o õ o ø o œ oe ř r ś s š s ş s ș s ť t ț t ú u ù u û u ů u ý y ÿ y ź z ż z ž z
	а a б b в v г g д d е e ё e ж zh з z и i й y к k л l м m н n о o п p р r с s т t у u ф f х kh ц ts ч ch ш sh щ shch ы y э e ю yu я ya`), "ъ", "", "ь", "")...)

// classOf is the class of a plain word, and how sure it is. Order does not matter
// here: the first of nameClass's groups that a name has decides.
var classOf = map[string]string{
	"password": "secret", "secret": "secret", "token": "secret", "signature": "secret",
	"governmentid": "government_id", "license": "government_id", "plate": "government_id", "deviceid": "device",
	"email": "email", "card": "card", "iban": "iban", "ssn": "ssn", "bankaccount": "account",
	"delicate": "special", "race": "special", "disabled": "special", "orientation": "special", "drug": "special", "complaint": "special",
	"phone": "phone", "firstname": "first_name", "lastname": "last_name", "ip": "ip", "mac": "mac", "useragent": "user_agent",
	"hostname": "host", "username": "user_name", "fullname": "person_name", "holder": "person_name", "postcode": "postcode", "pincode": "pincode",
	"birthplace": "place", "coordinates": "coordinates", "salary": "salary", "city": "place", "location": "place", "street": "street", "address": "street",
	"company": "company", "organization": "company", "job": "job", "url": "url", "picture": suppressed,
	"resume": freeText, "note": freeText, "comment": freeText, "remark": freeText, "description": freeText, "message": freeText, "body": freeText, "text": freeText,
	"biography": freeText, "about": freeText, "content": freeText, "feedback": freeText, "review": freeText, "subject": freeText, "reason": freeText,
	"detail": freeText, "details": freeText, "question": freeText, "answer": freeText, "instructions": freeText, "instruction": freeText, "transcript": freeText,
	"justification": freeText, "excerpt": freeText, "caption": freeText, "memo": freeText, "testimonial": freeText, "resolution": freeText, "narrative": freeText,
	"birth": "birth_date", "age": "age", "birthyear": "age",
}

// ranking is the order in which classes claim a name that holds words of several.
var ranking = strings.Fields(`secret government_id device email card iban ssn account special phone first_name last_name ip mac user_agent host
	user_name person_name postcode pincode coordinates salary place url street company job suppressed free_text`)

// weight is how much a name that speaks of a class says by itself.
func weight(class string) float64 {
	switch class {
	case "email", "first_name", "last_name", "iban", "ssn", "birth_date", "phone", "secret", "government_id", "card":
		return 0.95
	case "street", "postcode", "person_name", "user_name", "ip", "mac", "special", "account":
		return 0.9
	case "place", "coordinates", "salary", "user_agent", "device", "age":
		return 0.85
	case freeText, "url", "host", "company":
		return 0.7
	}
	return 0.75
}

// nameClass is the class that a name speaks of by itself, or "", and the word that does.
func nameClass(words []word) (string, word) {
	if len(words) == 0 {
		return "", word{}
	}
	find := func(plain ...string) (word, bool) {
		i := slices.IndexFunc(words, func(w word) bool { return slices.Contains(plain, w.plain) })
		if i < 0 {
			return word{}, false
		}
		return words[i], true
	}
	first, last := words[0].plain, lastWord(words)
	if w, found := find("birth"); found && last != "country" && last != "certificate" {
		if last == "year" {
			return "age", w
		}
		return "birth_date", w
	}
	if w, found := find("birthyear"); found {
		return "age", w
	}
	if w, found := find("age"); found && (len(words) == 1 || len(words) == 2 && (personNouns[first] || last == "age" && personNouns[singular(first)])) {
		return "age", w
	}
	if w, found := find("delicate", "disabled"); found && (flags[first] || w.plain == "delicate" && kindsOf[last] && len(words) > 1) {
		return "special", w // has_allergies: the flag is what nobody should know
	}
	// Times and flags about personal data are not personal data: email_verified, password_changed_at.
	if aside[last] && (last != "disabled" && last != "valid") || aside[first] && len(words) > 1 {
		return "", word{}
	}
	if i := slices.IndexFunc(words, func(w word) bool { return w.plain == "of" || w.plain == "per" }); i > 0 && i+1 < len(words) {
		// What is of a thing is no person's: first_name_of_day.
		if owner := singular(lastWord(words)); heads[owner] || referenceNouns[owner] {
			return "", word{}
		}
	}
	if heads[last] && len(words) > 1 || len(words) > 1 && headFirst[words[0].language] && heads[first] && first != "number" && first != "code" && first != "date" {
		return "", word{}
	}
	if headFirst[words[0].language] && first == "date" && len(words) > 1 {
		return "", word{}
	}
	if last == "code" && len(words) > 1 {
		if w, found := find("delicate", "race", "password", "secret", "pincode"); found {
			return classOf[w.plain], w
		}
		if _, found := find("city", "phone", "address", "location", "street", "company", "email", "country", "job", "text", "message", "reason", "drug", "complaint", "note", "comment"); found {
			return "", word{}
		}
	}
	if w, found := find("email"); found && last == "id" {
		return "email", w // an email_id is an address, in India
	}
	key := last == "id" || last == "uuid" || last == "key" && len(words) > 1
	best, rank := word{}, len(ranking)
	for _, w := range words {
		class, known := classOf[w.plain]
		if !known || uses(w, words) {
			continue
		}
		if r := slices.Index(ranking, class); r >= 0 && r < rank {
			best, rank = w, r
		}
	}
	if rank == len(ranking) {
		return "", word{}
	}
	class := ranking[rank]
	if key && class != "device" && class != "secret" && class != "government_id" && class != "ssn" {
		return "", word{} // a key, whatever it is the key of
	}
	if key && class == "secret" && (best.plain == "token" || best.plain == "password") {
		return "", word{}
	}
	return class, best
}

// uses reports whether a word means something else by the words beside it.
func uses(w word, words []word) bool {
	first := words[0].plain
	switch w.plain {
	case "age", "birth", "birthyear":
		return true // decided before
	case "race", "orientation", "complaint", "drug":
		return len(words) > 1 && w.plain != "race" && lastWord(words) != "name" || w.plain == "race" && len(words) > 1 && first != "person" && !personNouns[first]
	case "disabled":
		return len(words) > 1
	case "license":
		return len(words) > 1 && slices.ContainsFunc(words, func(o word) bool { return o.plain == "software" || o.plain == "type" })
	case "holder":
		return len(words) > 1 && first == "place"
	case "location":
		return len(words) > 1 && (first == "file" || first == "storage" || first == "shelf" || first == "bin")
	}
	return false
}

// unlikely reports whether a column's type has no room for what its name speaks of.
func unlikely(class string, c *catalog.Column) bool {
	kind := c.Type.Kind
	if kind == catalog.Text && len(c.Type.Labels) > 0 {
		return class != "special" && class != "place"
	}
	short := func(n int) bool { return kind == catalog.Text && c.Type.Length > 0 && c.Type.Length < n }
	switch class {
	case "special":
		return false
	case "birth_date":
		return kind == catalog.Bool
	}
	if kind == catalog.Bool {
		return true
	}
	if temporal(c.Type) {
		return class != suppressed || kind != catalog.Bytes
	}
	switch kind {
	case catalog.Int:
		return slices.Contains(notIntegers, class)
	case catalog.Float, catalog.Numeric:
		return class != "salary" && class != "age" && class != "coordinates" && class != "phone" && class != "ssn" && class != "card" && class != "government_id" && class != "account" && class != "postcode"
	}
	switch class {
	case "email", "phone", "user_agent", "url", "iban":
		return short(6)
	case "street", "first_name", "last_name", "person_name", freeText:
		return short(4)
	}
	return false
}

// notIntegers are the classes that no whole number is of: a message that is an
// integer counts messages, or points to one.
var notIntegers = []string{"email", "street", "place", "user_agent", "host", "url", "iban", "first_name", "last_name", "person_name", "user_name",
	"company", "job", freeText, suppressed, "mac", "coordinates"}

// placesOfThings are things whose address is not a person's.
var placesOfThings = words(`warehouse store depot shop branch office airport station port department site location hotel campus building school hospital region
	facility terminal hub venue zone`)

// The dictionary of plain words.
var (
	aside = words(`at on verified confirmed enabled disabled count is has can allows allow expires expiry changed
		opted optin optout sent bounced valid created updated attempts tries`)
	flags = words(`is has`)
	// kindsOf are nouns that say of a special thing what it is: an hiv_status tells.
	kindsOf = words(`flag status code type level category degree group indicator grade stage class value`)
	// heads are nouns that make of what stands before them something that is no
	// person's: an email_template, a card_brand.
	heads = words(`count type kind status format brand bucket limit size length version policy template level rate cost fee total amount
		price category group provider source language locale timezone currency country priority order index mode score time date day
		month hour minute second duration sequence flag method channel setting settings preferences domain visibility unit algorithm
		rank ratio percent percentage quota threshold scope queue required reminder frequency interval digest consent opt result config
		schema period tier ttl timeout strategy feature model stage step year years week field column table prefix enabled expiration
		requirement requirements weight width height number_format validator provider events event list class`)
	harmlessWords = words(`active activebool amount archived available balance bytes code color colour cost count country create created
		currency date day deleted discount duration enabled end ended expires expiry flag format height hour inserted
		kind language length level locale milliseconds minute modified month number order paid percent placed
		position price priority published quantity qty rank rate rating release rented returned revision second
		seq sequence shipped size sku sort start started state status stock subtotal sum tax timestamp
		timezone total type unit update updated version visible weight width year
		barcode isbn ean upc hash checksum etag slug method mode stage step phase period category group role tier frequency interval
		currency mime encoding algorithm scope permission threshold limit quota priority weight volume capacity mileage grade credits plan
		department model brand manufacturer icon theme template feature channel provider severity environment region zone platform protocol branch
		opening hours specialty service carrier incoterm port gate shift schedule calendar strength ward bed delivery billing shipping tariff tariffs valid service`)
)

// plainWords returns the words without those that set a name aside.
func plainWords(words []word) []word {
	return slices.DeleteFunc(slices.Clone(words), func(w word) bool { return aside[w.plain] })
}

// joining are words that join harmless ones; those that are true make one of a time or a flag.
var joining = map[string]bool{"at": true, "on": true, "is": true, "by": false, "in": false, "of": false, "last": false, "has": true, "per": false, "cents": false, "min": false, "max": false,
	"unit": false, "billing": false, "shipping": false, "delivery": false, "home": false, "from": false, "to": false, "first": false, "next": false, "new": false, "old": false}

// harmless reports whether every word of the name is one that tells nothing of a
// person, or joins such words. Any name will do for a time or a flag; a text called
// lives_at is neither.
func harmless(names []word, timeOrFlag bool) bool {
	found := false
	last := lastWord(names)
	for i, w := range names {
		makes, joining := joining[w.plain]
		switch {
		case w.plain == "legacy" || w.plain == "external" || w.plain == "remote":
			return false // what another system calls it
		case harmlessWords[w.plain] || harmlessWords[singular(w.plain)]:
			found = true
		case joining:
			found = found || makes
		case i < len(names)-1 && harmlessWords[last] && (referenceNouns[singular(w.plain)] || !personNouns[singular(w.plain)] && last != "number" && last != "balance"):
			// service_level: the last word says what it is.
		case timeOrFlag && (last == "at" || last == "on" || aside[names[0].plain] || aside[last]):
			found = true // verified_at, email_verified, is_admin
		default:
			return false
		}
	}
	return found
}

func words(list string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(list) {
		set[w] = true
	}
	return set
}

// tokens splits a name into lower-case words: at case changes, digits that follow
// a break, and everything that is neither letter nor digit.
func tokens(name string) []string {
	var out []string
	var word []rune
	flush := func() {
		if len(word) > 0 {
			out = append(out, strings.ToLower(string(word)))
			word = nil
		}
	}
	runes := []rune(name)
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			flush()
			continue
		case unicode.IsUpper(r) && i > 0 && (unicode.IsLower(runes[i-1]) || unicode.IsDigit(runes[i-1])):
			flush() // postalCode
		case unicode.IsUpper(r) && i > 0 && unicode.IsUpper(runes[i-1]) && i+1 < len(runes) && unicode.IsLower(runes[i+1]):
			flush() // IPAddress
		}
		word = append(word, r)
	}
	flush()
	return out
}

func lastOf(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return words[len(words)-1]
}

func lastWord(words []word) string {
	if len(words) == 0 {
		return ""
	}
	return words[len(words)-1].plain
}

func firstWord(words []word) word {
	if len(words) == 0 {
		return word{}
	}
	return words[0]
}

func has(words []word, plain string) bool {
	return slices.ContainsFunc(words, func(w word) bool { return w.plain == plain })
}

// singular undoes the common English plurals.
func singular(w string) string {
	switch {
	case w == "people" || w == "staff" || w == "status" || w == "series" || w == "tax" || w == "address":
		return w
	case strings.HasSuffix(w, "ies") && len(w) > 4 && w != "movies":
		return w[:len(w)-3] + "y"
	case strings.HasSuffix(w, "sses") || strings.HasSuffix(w, "xes") || strings.HasSuffix(w, "ches"):
		return w[:len(w)-2]
	case strings.HasSuffix(w, "s") && !strings.HasSuffix(w, "ss") && !strings.HasSuffix(w, "us") && len(w) > 2:
		return w[:len(w)-1]
	}
	return w
}

// inTable says which table a name stands in, where that counts.
func inTable(v *reading) string {
	if v.person {
		return ", in a table of people"
	}
	return ""
}

// article names a kind of value in a sentence.
func article(k catalog.Kind) string {
	switch {
	case k == catalog.Date:
		return "a day"
	case k == catalog.Timestamp || k == catalog.TimestampTZ:
		return "a time"
	}
	return "a number"
}
