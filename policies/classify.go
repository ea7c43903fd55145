package policies

import (
	"fmt"
	"slices"
	"strings"

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
	derived    = "derived"

	// document is a JSON, XML or hstore of which nothing more is known. It is what the
	// data is; no policy has a class of that name, since the paths have to be decided.
	document = "document"
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
	{Name: "phone", Kind: "direct", Do: Do{Name: "fake", Variant: "phone", Params: map[string]any{"range": "reserved"}}},
	{Name: "user_name", Kind: "direct", Do: Do{Name: "fake", Variant: "user_name"}},
	{Name: "street", Kind: "direct", Do: Do{Name: "fake", Variant: "street"}},
	{Name: "place", Kind: "quasi", Do: Do{Name: "fake", Variant: "city"}},
	{Name: "postcode", Kind: "quasi", Do: Do{Name: "fake", Variant: "postcode"}},
	{Name: "coordinates", Kind: "quasi", Do: Do{Name: "bucket", Variant: 0.1}},
	{Name: "geo_point", Kind: "quasi", Do: Do{Name: "coordinates", Variant: "point", Params: map[string]any{"grid": 0.1}}},
	{Name: "company", Kind: "quasi", Do: Do{Name: "fake", Variant: "company"}},
	{Name: "job", Kind: "quasi", Do: Do{Name: "fake", Variant: "job"}},
	{Name: "salary", Kind: "quasi", Do: Do{Name: "noise", Variant: "10%"}},
	{Name: "age", Kind: "quasi", Do: Do{Name: "bucket", Variant: int64(5)}},
	{Name: "birth_date", Kind: "quasi", Do: Do{Name: "shift_days", Variant: int64(30), Params: map[string]any{"within": "same_year"}}},
	{Name: "ip", Kind: "quasi", Do: Do{Name: "fake", Variant: "ip"}},
	{Name: "mac", Kind: "quasi", Do: Do{Name: "fake", Variant: "mac"}},
	{Name: "host", Kind: "quasi", Do: Do{Name: "fake", Variant: "host"}},
	{Name: "url", Kind: "quasi", Do: Do{Name: "fake", Variant: "url"}},
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
	{Name: derived, Kind: "free_text", Do: Do{Name: deriveWord}},
	{Name: Public, Kind: "not_personal", Do: Do{Name: "keep"}},
}

func standardClass(name string) (Class, bool) {
	i := slices.IndexFunc(standardClasses, func(c Class) bool { return c.Name == name })
	if i < 0 {
		return Class{}, false
	}
	return standardClasses[i], true
}

// guess is what the detector makes of a column.
type guess struct {
	class  string  // for the policy; empty if there is no idea which
	sure   bool    // or else a person has to decide
	data   string  // what the data is, whatever its type takes: a class, or document
	score  float64 // how much speaks for personal data, 0 to 1
	reason string  // in words
}

// doubtful is the score from which a column counts as personal.
const doubtful = 0.5

// personal reports whether more speaks for personal data than against it.
func (g guess) personal() bool { return g.score >= doubtful }

// guesser classifies the columns of one catalog. It is not for concurrent use.
type guesser struct {
	people map[string]bool // nouns that are tables about people
	views  map[*catalog.Table]*reading
	seen   map[*catalog.Table][]evidence // what samples say, by column; nil without samples
}

// reading is a table as the detector reads it.
type reading struct {
	head     string            // the noun that it is about
	person   bool              // each row is a person
	address  bool              // it has parts of an address
	first    bool              // it has first names
	last     bool              // it has last names
	bare     bool              // it has parts of one address, and not of several
	contact  bool              // it has ways to reach somebody
	thing    bool              // it is reference data
	mailing  bool              // it lists addresses of email
	words    map[string][]word // by column
	language map[string]int    // words of each language
}

// personNouns are what tables about people are called.
var personNouns = words(`account actor admin administrator agent applicant artist attendee author beneficiary borrower buyer candidate
	cardholder client colleague contact customer courier dependent doctor donor driver employee guardian guest guide holder instructor
	investor kin learner lead lender manager member nurse owner parent participant passenger patient payee people person physician player
	practitioner professor profile prospect recipient rep representative resident respondent sailor seller sender shopper staff student
	subscriber supervisor supplier teacher tenant tutor user vendor visitor volunteer voter worker writer relative reporter assignee approver
	requester editor creator consignee shipper insured claimant subject technician operator cashier spouse child`)

// roles are nouns that are a person where they name a text: its value is the name.
var roles = words(`author recipient sender driver manager contact supervisor owner beneficiary payee guardian physician doctor
	employee customer teacher instructor passenger guest attendee holder applicant claimant consignee signatory witness spouse
	assignee approver requester reporter cashier operator technician editor courier nurse parent person representative rep tutor patient`)

// referenceNouns are what tables of plain reference data are called: a name or a
// title in them is nobody's.
var referenceNouns = words(`album airport article attribute bank book branch brand bucket building campaign carrier category channel city class code color
	colour country course currency department depot device drug event feature file film flag folder format genre group holiday industry item job
	language layer level list locale location market media menu metric model module movie office option organization page permission pipeline plan
	playlist plugin policy port priority product program project promotion property queue region report resource role room route school season series service
	setting shelf shop site size skill source stage state status step store street subject tag task tax team template test theme title topic track tool type unit
	variant version view territory ward warehouse website workflow workspace workbook webhook measurement metric test equipment machine asset document attachment invoice shipment contract procedure ingredient recipe room table column key bed carrier customs hub zone catalog repository branch label environment integration rule host tariff tarife`)

// valueOf are words for what has values of any sort, one a row.
var valueOf = words(`meta option setting attribute property field param parameter custom metadata answer form config old new`)

// aboutPerson reports whether a word of the name is a person.
func aboutPerson(words []word) bool {
	return slices.ContainsFunc(words, func(w word) bool { return personNouns[singular(w.plain)] })
}

// ships are words before a name and an address that things are sent to.
var ships = words(`ship shipping bill billing delivery deliver invoice receiver receiving pickup dispatch`)

// writings are tables of what people write, and ownWords what stands in tables of
// things that their owner wrote.
var (
	writings = words(`review post ticket thread message note comment question answer issue request complaint story article inquiry enquiry`)
	ownWords = words(`subject body content text caption summary excerpt instructions instruction details detail about`)
)

// mailingNouns are what lists of email addresses are called.
var mailingNouns = words(`newsletter mailing subscription mailinglist unsubscribe suppression`)

// newGuesser returns a guesser that knows which tables are about people.
func newGuesser(c *catalog.Catalog) *guesser {
	g := &guesser{people: map[string]bool{}, views: map[*catalog.Table]*reading{}}
	for _, t := range c.Tables {
		if v := g.view(t); v.person {
			g.people[v.head] = true
		}
	}
	return g
}

// view reads a table, once.
func (g *guesser) view(t *catalog.Table) *reading {
	if v := g.views[t]; v != nil {
		return v
	}
	v := &reading{words: make(map[string][]word, len(t.Columns)), language: map[string]int{}}
	g.views[t] = v
	countLanguages(v.language, tokens(t.ID.Name))
	for i := range t.Columns {
		countLanguages(v.language, tokens(t.Columns[i].Name))
	}
	name := readName(tokens(t.ID.Name), v.language)
	if len(name) > 0 {
		v.head = singular(name[len(name)-1].plain)
		// Where the noun comes first, as in Romance languages.
		if first := singular(name[0].plain); headFirst[name[0].language] && (personNouns[first] || referenceNouns[first]) {
			v.head = first
		}
	}
	v.thing, v.mailing = referenceNouns[v.head], mailingNouns[v.head]
	v.person = personNouns[v.head]
	birth, login, email, phone := false, false, false, false
	for i := range t.Columns {
		words := readName(tokens(t.Columns[i].Name), v.language)
		v.words[t.Columns[i].Name] = words
		switch class, _ := nameClass(words); class {
		case "first_name":
			v.first = true
		case "last_name":
			v.last = true
		case "street", "postcode", "place":
			v.address = true
			v.bare = v.bare || len(words) == 1
		case "birth_date":
			birth = true
		case "email":
			email = true
		case "phone":
			phone = true
		case "secret":
			login = login || has(words, "password")
		}
	}
	v.contact = email || phone || v.first || v.last
	v.person = v.person || v.first && v.last || birth && !v.thing || email && login
	if t.Comment != "" && !v.thing {
		about := readName(tokens(t.Comment), v.language)
		v.person = v.person || slices.ContainsFunc(about[:min(len(about), 4)], func(w word) bool { return personNouns[singular(w.plain)] }) && (v.address || v.contact || birth)
	}
	return v
}

// aboutPeople reports whether each row of the table is a person: by its name, or
// since it has what only people have.
func aboutPeople(t *catalog.Table) bool {
	return (&guesser{views: map[*catalog.Table]*reading{}}).view(t).person
}

// guess classifies one column: by its name, and by what its comment, its type, its
// labels and its values add to that.
func (g *guesser) guess(t *catalog.Table, c *catalog.Column) guess {
	v := g.view(t)
	words := v.words[c.Name]
	if words == nil {
		words = readName(tokens(c.Name), v.language)
	}
	var found guess
	if c.Type.Kind == catalog.Opaque && c.Type.Name == "tsvector" {
		found = g.searchText(t)
	} else {
		found = g.byName(t, c, v, words)
	}
	found = g.byComment(c, v, words, found)
	found = byLabels(c, found)
	found = g.byValues(t, c, found)
	return fit(found, t, c)
}

// searchText guesses about a text that is searched: it is as personal as the texts
// beside it, of which it is made.
func (g *guesser) searchText(t *catalog.Table) guess {
	found := unsure("", 0.35, "a text for searching, beside no text that looks personal")
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.Type.Kind != catalog.Text || len(c.Type.Labels) > 0 {
			continue
		}
		if beside := g.guess(t, c); beside.personal() && beside.score > found.score {
			found = of(freeText, beside.score, "a text for searching, perhaps made of %s", quoted(c.Name))
		}
	}
	return found
}

// of makes a guess by the name.
func of(class string, score float64, format string, args ...any) guess {
	return guess{class: class, sure: true, data: class, score: score, reason: fmt.Sprintf(format, args...)}
}

// unsure makes a guess that a person has to look at.
func unsure(class string, score float64, format string, args ...any) guess {
	g := of(class, score, format, args...)
	g.sure = false
	return g
}

// vague makes a guess that only the place of the column speaks for: what the data may
// be, and no class to propose.
func vague(data string, score float64, format string, args ...any) guess {
	g := unsure(data, score, format, args...)
	g.class = ""
	return g
}

// byName classifies by the name, its table and its type.
func (g *guesser) byName(t *catalog.Table, c *catalog.Column, v *reading, words []word) guess {
	class, at := nameClass(words)
	last, alone := lastWord(words), len(words) == 1
	timely := temporal(c.Type)
	text := c.Type.Kind == catalog.Text && len(c.Type.Labels) == 0
	if class == freeText && len(words) > 1 && at == words[0] {
		// The first word says which table it is, the last what it is: comment_author.
		if singular(at.plain) == v.head || roles[last] {
			class, at = nameClass(words[1:])
		}
	}
	switch {
	case class == "person_name" && v.thing && !v.contact && text && lastWord(words) != "fullname":
		class = ""
	case class == "street" && last == "address" && v.mailing:
		class = "email"
	case class == "pincode":
		class = "secret"
		if v.address {
			class = "postcode"
		}
	}
	switch {
	case class == "":
	case class == "place" && alone && (words[0].plain == v.head || at.from == v.head),
		class == "place" && len(words) == 2 && words[0].plain == v.head && !v.person && v.thing:
		return of(Public, 0.1, "it is the name of the %s itself, in a table of them", v.head) // a gazetteer
	case (class == "place" || class == "street" || class == "postcode" || class == "coordinates" || class == "phone") && v.thing && !v.person && !v.first && !v.last && placesOfThings[v.head]:
		return of(Public, 0.3, "it is the place of a %s, not of a person", v.head)
	case class == freeText && !v.person && at.plain == "description" && (v.thing || len(words) > 1 && referenceNouns[singular(words[0].plain)]):
		return of(class, doubtful, "its name holds %s, in a table of things", at)
	case class == freeText && v.thing && !v.person && ownWords[at.plain]:
		return unsure(class, 0.45, "its name holds %s, in a table of things", at)
	case class == suppressed && c.Type.Kind == catalog.Bytes && v.thing && !v.person && at.plain == "picture":
		return unsure(Public, 0.4, "a picture in a table of things")
	case (class == suppressed && c.Type.Kind == catalog.Text || class == "url") && !v.person && !aboutPerson(words):
		return of(Public, 0.3, "its name holds %s, in a table that is not of people", at)
	case c.Type.Kind == catalog.JSON || c.Type.Kind == catalog.XML || c.Type.Kind == catalog.Hstore:
		return guess{data: document, score: max(0.6, weight(class)), reason: "a document, whose name holds " + at.String()}
	case unlikely(class, c):
		return of(Public, 0.1, "its name holds %s, but its type %s takes none", at, c.Type.Name)
	case class == "job" && !v.person && !v.contact && (at.plain == "position" || strings.HasPrefix(at.from, "job")):
		class = ""
	default:
		return of(class, weight(class), "its name holds %s%s", at, inTable(v))
	}
	if k, isKey := g.key(t, c, v, words); isKey {
		return k
	}
	timeOrFlag := c.Type.Kind != catalog.Text || len(c.Type.Labels) > 0
	if class, at := nameClass(plainWords(words)); class != "" && !timeOrFlag && len(plainWords(words)) < len(words) {
		return unsure(class, 0.55, "its name holds %s, or a word about one", at) // verified_email
	}
	before := ""
	if len(words) > 1 {
		before = singular(words[len(words)-2].plain)
	}
	switch {
	case headFirst[firstWord(words).language] && words[0].plain == "name" && len(words) > 1 && referenceNouns[singular(words[1].plain)]:
		return of(Public, 0.1, "it is the name of a %s", words[1].plain)
	case last == "name" || headFirst[firstWord(words).language] && firstWord(words).plain == "name":
		return bareName(v, words, before, text)
	case last == "title" || last == "label":
		switch {
		case v.person && last == "title" && text && !v.thing:
			return unsure("job", 0.6, "a title in a table of people: of a job, or before a name")
		case referenceNouns[v.head], referenceNouns[before]:
			return of(Public, 0.1, "it is the title of a thing")
		case writings[v.head]:
			return unsure(freeText, 0.55, "the title of what people write")
		}
		return unsure("", 0.4, "the title of nobody knows what")
	case (last == "state" || last == "region" || last == "province" || last == "code" && before == "state") && !(placesOfThings[v.head] && !v.person) && v.address && text && (len(words) > 1 || v.person || v.bare):
		return of("place", 0.8, "a part of an address, beside others")
	case text && (roles[singular(last)] || last == "by" && len(words) > 1) && !v.thing && !harmless(words, false):
		return of("person_name", 0.65, "its name says that it is a person: %s", words[len(words)-1])
	case text && last == "user" && (v.thing || !v.person):
		return of("user_name", 0.65, "its name says that it is a user")
	case text && last == "extension" && alone && (v.person || v.contact):
		return of("phone", 0.7, "an extension, in a table of people")
	case text && roles[singular(last)] && alone:
		return of("person_name", 0.6, "its name says that it is a person: %s", words[0])
	}
	if (c.Type.Kind == catalog.Int || c.Type.Kind == catalog.UUID) && (roles[last] && last != "parent" || last == "user") &&
		!has(words, "count") && singular(words[len(words)-1].from) == words[len(words)-1].from { // several are counted
		return personKeyOf(c, 0.7, "its name says that it points to a person: %s", words[len(words)-1])
	}
	if c.Type.Kind == catalog.Text && last == "value" && (c.Type.Length == 0 || c.Type.Length >= 200) && (alone || valueOf[before]) {
		return vague(freeText, 0.55, "a value of whatever stands beside it: anything may be in it")
	}
	if len(words) > 0 && personNouns[singular(words[0].plain)] && last == "number" && len(words) <= 3 {
		return personKeyOf(c, 0.85, "it is the number of a %s", singular(words[0].plain))
	}
	if v.person && alone && last == "number" || last == "recordnumber" && v.person {
		return personKeyOf(c, 0.7, "it is a number in a table of people")
	}
	switch c.Type.Kind {
	case catalog.JSON, catalog.XML, catalog.Hstore:
		return guess{data: document, score: 0.6, reason: "a document: what is in it shows only inside"}
	}
	if len(c.Type.Labels) > 0 || c.Type.Kind == catalog.Bool || harmless(words, timeOrFlag) {
		g := of(Public, 0.05, "its name and its type, %s, tell nothing of a person", c.Type.Name)
		g.sure = c.Type.Kind != catalog.Bytes && (!nested(c.Type.Kind) || c.Type.Kind == catalog.Range)
		return g
	}
	switch c.Type.Kind {
	case catalog.Int, catalog.Float, catalog.Numeric, catalog.Timestamp, catalog.TimestampTZ, catalog.Date:
		if v.person && !timely {
			return unsure(Public, 0.3, "a number in a table of people, by a name that tells nothing")
		}
		g := of(Public, 0.1, "%s by a name that tells nothing of a person", article(c.Type.Kind))
		g.sure = !v.person
		return g
	case catalog.UUID:
		return unsure("", 0.3, "a UUID by a name that tells nothing")
	case catalog.Bytes:
		if v.person {
			return vague(suppressed, doubtful, "bytes in a table of people, by a name that tells nothing")
		}
		return unsure("", 0.45, "bytes by a name that tells nothing")
	case catalog.Text:
		if c.Type.Length > 0 && c.Type.Length < 4 {
			return unsure("", 0.2, "its name tells nothing; its values are short")
		}
		if v.person {
			return vague(freeText, doubtful, "a text in a table of people, by a name that tells nothing")
		}
	}
	return unsure("", 0.35, "its name tells nothing")
}

// bareName guesses about a name that does not say whose.
func bareName(v *reading, words []word, before string, text bool) guess {
	switch {
	case !text:
		return unsure(Public, 0.2, "a name that is no text")
	case personNouns[before] || before != "" && headFirst[words[0].language] && personNouns[singular(words[len(words)-1].plain)]:
		return of("person_name", 0.9, "it is the name of a person: %s", before)
	case ships[before] && (v.address || v.contact):
		return of("person_name", 0.85, "the name beside an address to ship or to bill to")
	case referenceNouns[before]:
		return of(Public, 0.1, "it is the name of a %s", before)
	case before == v.head && before != "" && !v.person:
		return unsure("", 0.3, "it is the name of what the table lists, which is no person")
	case len(words) > 1 && !v.person && !v.contact && !knownWords[before] && before != "":
		return vague("person_name", doubtful, "the name of something that no list has")
	case len(words) > 1 && !v.person && !v.contact:
		return unsure("", 0.4, "the name of nobody knows what")
	case v.person && before == "" && v.last && !v.first:
		return of("first_name", 0.9, "a name beside a last name")
	case v.person && before == "" && v.first && !v.last:
		return of("last_name", 0.9, "a name beside a first name")
	case v.person && (before == "" || len(words) <= 2):
		return of("person_name", 0.85, "a name in a table of people")
	case referenceNouns[v.head]:
		return of(Public, 0.1, "it is the name of a %s", v.head)
	case v.contact:
		return unsure("person_name", 0.6, "a name beside ways to reach somebody")
	}
	return unsure("", 0.4, "a name in a table of which nothing is known")
}

// key guesses about columns that identify a row, here or elsewhere.
func (g *guesser) key(t *catalog.Table, c *catalog.Column, v *reading, words []word) (guess, bool) {
	primary := t.PrimaryKey != nil && len(t.PrimaryKey.Columns) == 1 && t.PrimaryKey.Columns[0] == c.Name
	last := lastWord(words)
	isKey := map[string]bool{"id": true, "uuid": true, "key": true, "number": c.Type.Kind == catalog.Int || c.Type.Kind == catalog.UUID || primary}
	reference := len(words) > 1 && isKey[last]
	noun := ""
	if reference {
		noun = singular(words[len(words)-2].plain)
	}
	if len(words) > 1 && isKey[words[0].plain] && (headFirst[words[1].language] || personNouns[singular(words[1].plain)] && !reference) {
		reference, noun = true, singular(words[1].plain) // id_alumno
		if !personNouns[noun] && len(words) > 2 {
			noun = singular(words[len(words)-1].plain)
		}
	}
	by := len(words) > 1 && (last == "by" || reference && noun == "by" || last == "to" && words[len(words)-2].plain == "assigned") &&
		(c.Type.Kind == catalog.Int || c.Type.Kind == catalog.UUID) // created_by
	if !primary && !reference && !by {
		return guess{}, false
	}
	own := reference && noun == v.head
	foreign := by || reference && !own && (g.people[noun] || personNouns[noun])
	if foreign || own && v.person || primary && v.person && !reference {
		why := "it is the key of a table of people"
		if foreign {
			why = "its name says that it points to a person"
		}
		return personKeyOf(c, 0.85, "%s", why), true
	}
	if c.Type.Kind == catalog.Int || c.Type.Kind == catalog.UUID {
		foreignWord := slices.ContainsFunc(words, func(w word) bool {
			return w.plain == "external" || w.plain == "legacy" || w.plain == "remote" || w.plain == "device"
		})
		k := of(Public, 0.1, "it is a key of something that is no person")
		if k.sure = !foreignWord; foreignWord {
			k.score, k.reason = 0.4, "a key of another system: who has that can join"
		}
		return k, true
	}
	if reference && !foreign && (c.Type.Kind == catalog.Text) && !v.person {
		return unsure("", 0.3, "it is a key of something that is no person, as a text"), true
	}
	return guess{}, false
}

// personKeyOf is the guess about a key of a person, by its type.
func personKeyOf(c *catalog.Column, score float64, format string, args ...any) guess {
	switch c.Type.Kind {
	case catalog.Int:
		return of(personID, score, format, args...)
	case catalog.UUID:
		return of(personUUID, score, format, args...)
	case catalog.Text:
		return of(personKey, score, format, args...)
	}
	return unsure(personID, score, format, args...)
}

// fit says whether the class's usual transform takes the column; if not, the column
// can be nulled, or a person has to decide.
func fit(g guess, t *catalog.Table, c *catalog.Column) guess {
	if !g.sure || g.class == "" || g.class == Public || g.class == personID || g.class == personUUID || g.class == personKey {
		return g
	}
	unique := slices.ContainsFunc(t.UniqueKeys(), func(k catalog.Key) bool { return slices.Contains(k.Columns, c.Name) })
	class, kind := g.class, c.Type.Kind
	text := kind == catalog.Text && len(c.Type.Labels) == 0
	number := kind == catalog.Int || kind == catalog.Float || kind == catalog.Numeric
	takes := text || class == "ip" && kind == catalog.IP || class == "mac" && kind == catalog.MAC
	standard, _ := standardClass(class)
	switch {
	case class == "coordinates" && (kind == catalog.Point || text):
		g.class = "geo_point"
		g.sure = kind == catalog.Point && !unique
		return g
	case class == "place" && kind == catalog.Point: // location point
		g.class, g.sure = "geo_point", !unique
		return g
	case class == "coordinates" || class == "salary" || class == "age":
		takes = number || text && class != "coordinates"
	}
	switch {
	case class == "special" || class == suppressed:
		g.sure = !c.NotNull
	case class == "birth_date":
		g.sure = (temporal(c.Type)) && !unique
	case class == "secret" && unique:
		g.class, g.sure = "secret_token", text || kind == catalog.Bytes
	case class == "secret" && kind == catalog.Bytes:
	case takes && unique && (standard.Do.Name == "shape" || standard.Do.Name == "bucket" || standard.Do.Name == "noise" || standard.Do.Name == "fake" && class != "email" && class != "user_name"):
		g.sure = false
	case takes:
	case nested(kind):
		g.sure = false
	case !c.NotNull && kind != catalog.JSON:
		g.class = suppressed
	default:
		g.sure = false
	}
	return g
}

// nested reports whether values of the kind have parts that are masked one by one.
func nested(k catalog.Kind) bool {
	switch k {
	case catalog.Array, catalog.Composite, catalog.Range, catalog.Hstore, catalog.JSON, catalog.XML:
		return true
	}
	return false
}

// temporal reports whether a type is of days or instants.
func temporal(t catalog.Type) bool {
	switch t.Kind {
	case catalog.Date, catalog.Timestamp, catalog.TimestampTZ:
		return true
	case catalog.Range:
		return t.Element != nil && temporal(*t.Element)
	}
	return false
}
