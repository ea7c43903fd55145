package policies

import (
	"slices"
	"strings"
	"unicode"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// The names of the classes that the detector proposes. Their transforms are in
// standardClasses; a policy may define them as it likes.
const (
	personID   = "person_id"
	personUUID = "person_uuid"
	personKey  = "person_key"
	freeText   = "free_text"
	suppressed = "suppressed"
)

// standardClasses are the classes that sanitize init writes, in this order.
var standardClasses = []Class{
	{Name: personID, Kind: "pseudonym", Do: Do{Name: "pseudonym", Variant: "id"}},
	{Name: personUUID, Kind: "pseudonym", Do: Do{Name: "pseudonym", Variant: "uuid"}},
	{Name: personKey, Kind: "pseudonym", Do: Do{Name: "token", Variant: "base32"}},
	{Name: "first_name", Kind: "direct", Do: Do{Name: "fake", Variant: "first_name"}},
	{Name: "last_name", Kind: "direct", Do: Do{Name: "fake", Variant: "last_name"}},
	{Name: "person_name", Kind: "direct", Do: Do{Name: "fake", Variant: "person_name"}},
	{Name: "email", Kind: "direct", Do: Do{Name: "fake", Variant: "email"}},
	{Name: "phone", Kind: "direct", Do: Do{Name: "fake", Variant: "phone"}},
	{Name: "user_name", Kind: "direct", Do: Do{Name: "fake", Variant: "user_name"}},
	{Name: "street", Kind: "direct", Do: Do{Name: "fake", Variant: "street"}},
	{Name: "place", Kind: "quasi", Do: Do{Name: "fake", Variant: "city"}},
	{Name: "postcode", Kind: "quasi", Do: Do{Name: "fake", Variant: "postcode"}},
	{Name: "company", Kind: "quasi", Do: Do{Name: "fake", Variant: "company"}},
	{Name: "birth_date", Kind: "quasi", Do: Do{Name: "shift_days", Variant: int64(30), Params: map[string]any{"within": "same_year"}}},
	{Name: "ip", Kind: "quasi", Do: Do{Name: "fake", Variant: "ip"}},
	{Name: "mac", Kind: "quasi", Do: Do{Name: "fake", Variant: "mac"}},
	{Name: "host", Kind: "quasi", Do: Do{Name: "fake", Variant: "host"}},
	{Name: "user_agent", Kind: "quasi", Do: Do{Name: "fake", Variant: "user_agent"}},
	{Name: "device", Kind: "direct", Do: Do{Name: "fake", Variant: "account"}},
	{Name: "account", Kind: "direct", Do: Do{Name: "fake", Variant: "account"}},
	{Name: "iban", Kind: "direct", Do: Do{Name: "fake", Variant: "iban"}},
	{Name: "ssn", Kind: "direct", Do: Do{Name: "fake", Variant: "ssn"}},
	{Name: "card", Kind: "pci", Do: Do{Name: "fake", Variant: "pan"}},
	{Name: "government_id", Kind: "direct", Do: Do{Name: "fake", Variant: "account"}},
	{Name: "special", Kind: "special", Do: Do{Name: "null", Variant: true}},
	{Name: "secret", Kind: "secret", Do: Do{Name: "constant", Variant: "!disabled"}},
	{Name: "secret_token", Kind: "secret", Do: Do{Name: "token", Variant: "base32"}},
	{Name: freeText, Kind: "free_text", Do: Do{Name: "shape", Variant: "text"}},
	{Name: suppressed, Kind: "direct", Do: Do{Name: "null", Variant: true}},
	{Name: Public, Kind: "not_personal", Do: Do{Name: "keep"}},
}

func standardClass(name string) (Class, bool) {
	i := slices.IndexFunc(standardClasses, func(c Class) bool { return c.Name == name })
	if i < 0 {
		return Class{}, false
	}
	return standardClasses[i], true
}

// guess is what the detector makes of a column: by its name, its type and its
// table's name. It never sees a value. Class is empty if it has no idea; a guess
// that is not sure is left to a person.
type guess struct {
	class string
	sure  bool
}

// guesser classifies the columns of one catalog.
type guesser struct {
	people map[string]bool // nouns that are tables about people
}

// personNouns are what tables about people are called.
var personNouns = words(`account actor admin administrator agent applicant artist author borrower buyer candidate
	client colleague contact customer donor driver employee guest guide instructor investor learner lead lender
	manager member nurse owner participant passenger patient people person physician player professor profile
	prospect recipient rep representative resident respondent sailor seller sender staff student subscriber
	supplier teacher tenant tutor user vendor visitor volunteer voter worker writer`)

// referenceNouns are what tables of plain reference data are called: a name or a
// title in them is nobody's.
var referenceNouns = words(`album brand category channel color colour country currency department film genre item
	language locale media menu model movie permission playlist plan priority product region role season series
	service setting size status tag tax track type unit warehouse`)

// mailingNouns are what lists of email addresses are called.
var mailingNouns = words(`newsletter mailing subscription mailinglist unsubscribe suppression`)

// newGuesser returns a guesser that knows which tables are about people.
func newGuesser(c *catalog.Catalog) *guesser {
	g := &guesser{people: map[string]bool{}}
	for _, t := range c.Tables {
		if aboutPeople(t) {
			g.people[head(t.ID.Name)] = true
		}
	}
	return g
}

// aboutPeople reports whether each row of the table is a person: by its name, or
// since it has a first and a last name.
func aboutPeople(t *catalog.Table) bool {
	if personNouns[head(t.ID.Name)] {
		return true
	}
	first, last := false, false
	for _, c := range t.Columns {
		switch nameClass(tokens(c.Name)) {
		case "first_name":
			first = true
		case "last_name":
			last = true
		}
	}
	return first && last
}

// guess classifies one column.
func (g *guesser) guess(t *catalog.Table, c *catalog.Column) guess {
	words := tokens(c.Name)
	person := aboutPeople(t)
	if class := nameClass(words); class != "" {
		if class == "place" && len(words) == 1 && words[0] == head(t.ID.Name) {
			return guess{Public, true} // a table of cities is a gazetteer
		}
		if class == "street" && lastOf(words) == "address" && mailingNouns[head(t.ID.Name)] {
			class = "email"
		}
		return fit(class, t, c)
	}
	if k, isKey := g.key(t, c, words, person); isKey {
		return k
	}
	timeOrFlag := c.Type.Kind != catalog.Text || len(c.Type.Labels) > 0
	if class := nameClass(plainWords(words)); class != "" && !timeOrFlag {
		return guess{class, false} // verified_email holds an address, or a word about one
	}
	switch last := lastOf(words); {
	case last == "name" || last == "title" || last == "label":
		if person && last == "name" {
			return fit("person_name", t, c)
		}
		if referenceNouns[head(t.ID.Name)] || len(words) > 1 && referenceNouns[words[len(words)-2]] {
			return guess{Public, true}
		}
		return guess{"", false}
	case last == "state" && hasAddress(t):
		return fit("place", t, c)
	}
	if len(c.Type.Labels) > 0 || c.Type.Kind == catalog.Bool || harmless(words, timeOrFlag) {
		return guess{Public, c.Type.Kind != catalog.JSON && c.Type.Kind != catalog.Bytes}
	}
	switch c.Type.Kind {
	case catalog.Int, catalog.Float, catalog.Numeric, catalog.Timestamp, catalog.TimestampTZ, catalog.Date:
		return guess{Public, !person}
	default:
		return guess{"", false}
	}
}

// key guesses about columns that identify a row, here or elsewhere.
func (g *guesser) key(t *catalog.Table, c *catalog.Column, words []string, person bool) (guess, bool) {
	primary := t.PrimaryKey != nil && len(t.PrimaryKey.Columns) == 1 && t.PrimaryKey.Columns[0] == c.Name
	last := lastOf(words)
	reference := len(words) > 1 && (last == "id" || last == "uuid" || last == "guid" || last == "key")
	foreign := reference && (g.people[words[len(words)-2]] || personNouns[words[len(words)-2]])
	if !primary && !reference {
		return guess{}, false
	}
	own := reference && words[len(words)-2] == head(t.ID.Name)
	if foreign || primary && person && (own || !reference) {
		switch c.Type.Kind {
		case catalog.Int:
			return guess{personID, true}, true
		case catalog.UUID:
			return guess{personUUID, true}, true
		case catalog.Text:
			return guess{personKey, true}, true
		}
		return guess{personID, false}, true
	}
	if c.Type.Kind == catalog.Int || c.Type.Kind == catalog.UUID {
		foreignWord := slices.ContainsFunc(words, func(w string) bool { return w == "external" || w == "legacy" || w == "remote" || w == "device" })
		return guess{Public, !foreignWord}, true
	}
	return guess{}, false
}

// hasAddress reports whether the table has other parts of an address.
func hasAddress(t *catalog.Table) bool {
	return slices.ContainsFunc(t.Columns, func(c catalog.Column) bool {
		class := nameClass(tokens(c.Name))
		return class == "street" || class == "postcode" || class == "place"
	})
}

// fit says whether the class's usual transform takes the column; if not, the column
// can be nulled, or a person has to decide.
func fit(class string, t *catalog.Table, c *catalog.Column) guess {
	unique := slices.ContainsFunc(t.UniqueKeys(), func(k catalog.Key) bool { return slices.Contains(k.Columns, c.Name) })
	text := c.Type.Kind == catalog.Text && len(c.Type.Labels) == 0 || class == "ip" && c.Type.Kind == catalog.IP || class == "mac" && c.Type.Kind == catalog.MAC
	standard, _ := standardClass(class)
	switch {
	case class == "special" || class == suppressed:
		return guess{class, !c.NotNull}
	case class == "birth_date":
		switch c.Type.Kind {
		case catalog.Date, catalog.Timestamp, catalog.TimestampTZ:
			return guess{class, !unique}
		}
		return guess{class, false}
	case class == "secret" && unique:
		return guess{"secret_token", text || c.Type.Kind == catalog.Bytes}
	case class == "secret" && c.Type.Kind == catalog.Bytes:
		return guess{class, true}
	case text && unique && (standard.Do.Name == "shape" || standard.Do.Name == "fake" && class != "email" && class != "user_name"):
		return guess{class, false}
	case text:
		return guess{class, true}
	case !c.NotNull && c.Type.Kind != catalog.JSON:
		return guess{suppressed, true}
	default:
		return guess{class, false}
	}
}

// nameClass is the class that a name speaks of by itself, or "".
func nameClass(words []string) string {
	if len(words) == 0 {
		return ""
	}
	has := func(set map[string]bool) bool {
		return slices.ContainsFunc(words, func(w string) bool { return set[w] })
	}
	pair := func(first, second string) bool {
		for i := 0; i+1 < len(words); i++ {
			if words[i] == first && words[i+1] == second {
				return true
			}
		}
		return false
	}
	last := lastOf(words)
	// Times and flags about personal data are not personal data: email_verified, password_changed_at.
	if has(birthWords) {
		return "birth_date" // born_on
	}
	if flags[words[0]] && has(specialWords) {
		return "special" // has_allergies: the flag is what nobody should know
	}
	if aside[last] || aside[words[0]] {
		return ""
	}
	switch {
	case has(secretWords), pair("api", "key"), pair("private", "key"), pair("access", "key"), pair("session", "key"), pair("pass", "word"):
		return "secret"
	case pair("national", "id"), pair("tax", "id"):
		return "government_id"
	case pair("device", "id"), has(deviceWords):
		return "device"
	case last == "id" || last == "uuid" || last == "guid":
		return "" // a key, whatever it is the key of
	case has(emailWords), pair("e", "mail"):
		return "email"
	case has(cardWords), pair("card", "number"), pair("card", "no"), pair("credit", "card"), pair("debit", "card"):
		return "card"
	case has(ibanWords):
		return "iban"
	case has(ssnWords), pair("social", "security"):
		return "ssn"
	case has(accountWords), pair("account", "number"), pair("account", "no"), pair("bank", "account"), pair("routing", "number"):
		return "account"
	case has(governmentWords), pair("passport", "number"), pair("driver", "license"), pair("license", "number"):
		return "government_id"
	case has(specialWords), pair("sexual", "orientation"), pair("blood", "type"):
		return "special"
	case has(phoneWords):
		return "phone"
	case has(firstNameWords), pair("first", "name"), pair("given", "name"), pair("middle", "name"), pair("fore", "name"):
		return "first_name"
	case has(lastNameWords), pair("last", "name"), pair("family", "name"), pair("maiden", "name"), pair("sur", "name"):
		return "last_name"
	case has(ipWords):
		return "ip"
	case has(macWords):
		return "mac"
	case has(agentWords), pair("user", "agent"):
		return "user_agent"
	case has(hostWords), pair("host", "name"):
		return "host"
	case has(loginWords), pair("user", "name"), pair("login", "name"), pair("screen", "name"):
		return "user_name"
	case has(fullNameWords), pair("full", "name"), pair("display", "name"), pair("contact", "name"), pair("customer", "name"),
		pair("nick", "name"), pair("account", "holder"), pair("card", "holder"), pair("recipient", "name"), pair("billing", "name"), pair("shipping", "name"):
		return "person_name"
	case has(postcodeWords), pair("postal", "code"), pair("zip", "code"), pair("post", "code"):
		return "postcode"
	case has(placeWords):
		return "place"
	case has(streetWords), last == "to" && words[0] == "ship":
		return "street"
	case (last == "company" || last == "employer") || pair("company", "name"):
		return "company"
	case has(pictureWords):
		return suppressed
	case has(textWords):
		return freeText
	}
	return ""
}

// The dictionary. A word stands for a column whose name holds it, as a token of
// snake_case or camelCase.
var (
	aside = words(`at on verified confirmed enabled disabled count is has can allows allow expires expiry changed
		opted optin optout sent bounced valid created updated attempts tries`)
	flags       = words(`is has`)
	secretWords = words(`password passwd pwd passphrase passcode secret token apikey otp totp mfa salt credential
		credentials pin cvv cvc cvv2 signature privatekey passwordhash`)
	emailWords      = words(`email emails mail emailaddress mailaddress`)
	phoneWords      = words(`phone phones telephone tel mobile cell cellphone fax msisdn phonenumber phoneno mobilephone whatsapp`)
	cardWords       = words(`pan ccnumber creditcard cardnumber`)
	ibanWords       = words(`iban ibannumber`)
	ssnWords        = words(`ssn socialsecurity`)
	accountWords    = words(`bic swift accountnumber bankaccount`)
	governmentWords = words(`nin nino passport taxid vatid nationalid cpf bsn pesel`)
	specialWords    = words(`gender sex religion ethnicity race nationality diagnosis disability allergy allergies medication
		pregnant biometric fingerprint genetic orientation bloodtype`)
	birthWords     = words(`dob birth birthday birthdate born dateofbirth`)
	firstNameWords = words(`firstname forename givenname fname middlename`)
	lastNameWords  = words(`lastname surname familyname lname maidenname`)
	fullNameWords  = words(`fullname displayname nickname contactname cardholder cardholdername personname composer`)
	loginWords     = words(`username login userid handle screenname loginname`)
	ipWords        = words(`ip ipaddress ipaddr ipv4 ipv6`)
	macWords       = words(`mac macaddress macaddr`)
	agentWords     = words(`useragent`)
	hostWords      = words(`hostname`)
	deviceWords    = words(`imei imsi`)
	postcodeWords  = words(`postcode postalcode zip zipcode plz`)
	placeWords     = words(`city town district suburb county village neighborhood neighbourhood latitude longitude lat lng lon geo
		location`)
	streetWords  = words(`address address1 address2 address3 addr street streetname housenumber addressline apartment`)
	pictureWords = words(`picture photo avatar image portrait selfie scan`)
	textWords    = words(`note notes comment comments remark remarks description message messages body text bio biography about
		memo content feedback review subject reason details question answer instructions`)
	harmlessWords = words(`active activebool amount archived available balance bytes code color colour cost count country create created
		currency date day deleted discount duration enabled end ended expires expiry flag format height hour inserted
		kind language length level locale milliseconds minute modified month number order paid percent placed
		position price priority published quantity qty rank rate rating release rented returned revision second
		seq sequence shipped size sku sort start started state status stock subtotal sum tax timestamp
		timezone total type unit update updated version visible weight width year`)
)

// plainWords returns the words without those that set a name aside.
func plainWords(words []string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(w string) bool { return aside[w] })
}

// harmless reports whether every word of the name is one that tells nothing of a
// person, or joins such words. Any name will do for a time or a flag; a text called
// lives_at is neither.
func harmless(names []string, timeOrFlag bool) bool {
	joins := map[string]bool{"at": true, "on": true, "is": true, "by": false, "in": true, "of": true, "last": true, "has": true, "per": true, "cents": true, "min": true, "max": true, "unit": true,
		"billing": true, "shipping": true, "delivery": true, "home": true}
	found := false
	for _, w := range names {
		switch {
		case harmlessWords[w] || harmlessWords[singular(w)]:
			found = true
		case joins[w]:
			found = found || w == "at" || w == "on" || w == "is" || w == "has"
		default:
			// verified_at, email_verified, is_admin: a time or a flag.
			if last := lastOf(names); timeOrFlag && (last == "at" || last == "on" || aside[names[0]] || aside[last]) {
				found = true
				continue
			}
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

// head returns the noun that a table's name is about: customer_orders is about orders.
func head(table string) string { return singular(lastOf(tokens(table))) }

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
