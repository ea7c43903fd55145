package policies

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sanitize-db/sanitize/connectors/catalog"
	"github.com/sanitize-db/sanitize/masking"
)

// The check digits are computed here by nobody: the numbers are those that authorities
// and standards print as examples, and ones of which one digit is wrong.
func TestRecognisers(t *testing.T) {
	for _, c := range []struct {
		name  string
		is    func(string) bool
		yes   []string
		other []string
	}{
		{"IBAN", isIBAN, []string{"GB82 WEST 1234 5698 7654 32", "DE89370400440532013000", "FR1420041010050500013M02606"}, []string{"GB82 WEST 1234 5698 7654 33", "DE89", "", "1234567890123456"}},
		{"card", isCard, []string{"4111 1111 1111 1111", "5555555555554444", "378282246310005"}, []string{"4111111111111112", "1111111111111117", "411111", "0000000000000000"}},
		{"national id", isNationalID, []string{"529.982.247-25", "44051401359", "10000000146", "12345678Z", "X1234567L", "RSSMRA85T10A562S", "111222333", "943 476 5919", "112-233-445 95", "86095742719", "811228-9874", "234123412346", "AB123456C"},
			[]string{"529.982.247-26", "44051401358", "12345678A", "RSSMRA85T10A562T", "943 476 5918", "00000000000", "abc", "", "234123412345"}},
		{"email", isEmail, []string{"a.b+c@mail.example.com"}, []string{"a@b", "@x.org", "a b@x.org", "Name <a@x.org>", "a@b@x.org", ""}},
		{"phone", isPhone, []string{"+49 30 901820", "(202) 555-0143", "020 7946 0958", "+12025550143"}, []string{"2024-01-31", "12.50", "1234567", "555-01", "31.12.2024", "a123 456 789", "1234567890"}},
		{"IP", isIP, []string{"192.0.2.7", "2001:db8::1", "10.0.0.0/8"}, []string{"1.2.3", "12:30:00x", "", "999.1.1.1"}},
		{"MAC", isMAC, []string{"00:00:5e:00:53:01", "00-00-5E-00-53-01"}, []string{"00:00:5e", "hello world here!"}},
		{"hash", isPasswordHash, []string{"$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234", "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaA"}, []string{"$5", "$2 a month"}},
		{"full name", isFullName, []string{"Mary Smith", "Hans Peter Müller", "GARCIA, Maria"}, []string{"mary smith went home to sleep", "Acme Ltd", "Mary", "Route 66"}},
		{"street", isStreet, []string{"12 Baker Street", "Hauptstraße 7", "Rue de la Paix 5", "Kerkstraat 12a"}, []string{"Chapter 7", "12 apples", "street food"}},
	} {
		for _, s := range c.yes {
			if !c.is(s) {
				t.Errorf("%s: %q is none", c.name, s)
			}
		}
		for _, s := range c.other {
			if c.is(s) {
				t.Errorf("%s: %q is one", c.name, s)
			}
		}
	}
}

// rowsOf makes samples of a table out of rows, each value of a column by its number.
func rowsOf(n int, columns ...func(i int) string) Samples {
	return func(t *catalog.Table, see func([][]byte) error) error {
		for i := range n {
			row := make([][]byte, len(t.Columns))
			for j := range row {
				if v := columns[j](i); v != "NULL" {
					row[j] = []byte(v)
				}
			}
			if err := see(row); err != nil {
				return err
			}
		}
		return nil
	}
}

// luhnNumber makes a card number of a test range.
func luhnNumber(i int) string {
	for d := range 10 {
		if s := fmt.Sprintf("411111%09d%d", i*7919, d); isLuhn(s) {
			return s
		}
	}
	return ""
}

func given(i int) string  { return strings.Fields("Mary John Xavia Linda Zorro Peter Susan Kwame")[i%8] }
func family(i int) string { return strings.Fields("Smith Okonkwo Brown Garcia Vexler Wilson")[i%6] }

// What names do not tell, values do: one column of a table that has none that speak,
// for each sort of value.
func TestDiscoverValues(t *testing.T) {
	for _, c := range []struct {
		name, typ, table string
		value            func(i int) string
		want             string
		least            float64
	}{
		{"emails", "text", "things", func(i int) string { return fmt.Sprintf("q%d@mail.example", i) }, "email", 0.9},
		{"a few emails among blanks", "text", "things", func(i int) string {
			if i%4 > 0 {
				return "NULL"
			}
			return fmt.Sprintf("q%d@mail.example", i)
		}, "email", 0.9},
		{"cards", "text", "things", luhnNumber, "card", 0.9},
		{"card numbers that are integers", "int8", "things", luhnNumber, "card", 0.9},
		{"counters are no cards", "int8", "things", func(i int) string { return fmt.Sprint(4000000000000000 + i) }, Public, 0},
		{"IPs", "text", "things", func(i int) string { return fmt.Sprintf("192.0.2.%d", i%250) }, "ip", 0.9},
		{"MACs", "text", "things", func(i int) string { return fmt.Sprintf("00:00:5e:00:53:%02x", i%250) }, "mac", 0.9},
		{"phones", "text", "things", func(i int) string { return fmt.Sprintf("+1 202 555 %04d", i) }, "phone", 0.8},
		{"first names", "text", "things", given, "first_name", 0.8},
		{"last names", "text", "things", family, "last_name", 0.8},
		{"full names", "text", "things", func(i int) string { return given(i) + " " + family(i) }, "person_name", 0.8},
		{"password hashes", "text", "things", func(i int) string { return fmt.Sprintf("$2b$12$%022d%031d", i, i*31) }, "secret", 0.9},
		{"digests", "text", "things", func(i int) string { return fmt.Sprintf("%064x", i+1) }, "secret", 0.6},
		{"sexes", "text", "things", func(i int) string { return []string{"male", "female"}[i%2] }, "special", 0.7},
		{"blood groups", "text", "things", func(i int) string { return []string{"A+", "0-", "AB+"}[i%3] }, "special", 0.7},
		{"births", "date", "people", func(i int) string { return fmt.Sprintf("%d-%02d-03", 1940+i%60, i%12+1) }, "birth_date", 0.7},
		{"days of this decade", "date", "people", func(i int) string { return fmt.Sprintf("%d-%02d-03", 2018+i%6, i%12+1) }, Public, 0},
		{"releases", "date", "films", func(i int) string { return fmt.Sprintf("%d-%02d-03", 1940+i%60, i%12+1) }, Public, 0},
		{"notes with numbers in them", "text", "things", func(i int) string {
			return fmt.Sprintf("please call back on +1 202 555 %04d about the order", i)
		}, freeText, 0.8},
		{"sentences", "text", "things", func(i int) string { return fmt.Sprintf("it came late and was broken in place %d", i) }, freeText, 0.6},
		{"documents", "text", "things", func(i int) string { return fmt.Sprintf(`{"a": %d}`, i) }, document, 0.6},
		{"pairs of coordinates", "text", "things", func(i int) string { return fmt.Sprintf("52.5%03d, 13.4%03d", i, i) }, "coordinates", 0.8},
		{"codes", "text", "people", func(i int) string { return []string{"A", "B", "C"}[i%3] }, Public, 0},
		{"nothing", "text", "things", func(int) string { return "NULL" }, Public, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			cat := parseCatalog(t, "table "+c.table+"\nzzz "+c.typ)
			const rows = 200
			found, err := Discover(cat, rowsOf(rows, c.value))
			if err != nil {
				t.Fatal(err)
			}
			d := found[0]
			if d.Class != c.want || d.Score < c.least {
				t.Errorf("%s (%.2f: %s), want %s, %.2f", d.Class, d.Score, d.Reason, c.want, c.least)
			}
			if d.FreeText != (d.Class == freeText) {
				t.Error("the flag of free text is wrong")
			}
			secretive(t, found, rows, c.value)
		})
	}
}

// secretive fails if a value of three characters and more is in what the detector says.
func secretive(t *testing.T, found []Detected, rows int, value func(int) string) {
	t.Helper()
	text, err := json.Marshal(found)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		if v := value(i); v != "NULL" && len(v) > 2 && strings.Contains(strings.ToLower(string(text)), strings.ToLower(v)) {
			t.Fatalf("value %d is in what was said", i)
		}
	}
}

// A name is a promise: values that are something else lower its score and ask a person.
func TestDiscoverContradiction(t *testing.T) {
	c := parseCatalog(t, "table settings\nemail text\nip text")
	found, err := Discover(c, rowsOf(100, func(i int) string { return []string{"daily", "weekly"}[i%2] }, func(i int) string { return fmt.Sprintf("192.0.2.%d", i) }))
	if err != nil {
		t.Fatal(err)
	}
	if d := found[0]; d.Class != "email" || d.Score > 0.65 || !d.Unsure || !strings.Contains(d.Reason, "hardly any") {
		t.Errorf("%+v", d)
	}
	if d := found[1]; d.Class != "ip" || d.Score < 0.9 || d.Unsure {
		t.Errorf("%+v", d)
	}
}

// No share of a few rows is said, and none that tells one row of many.
func TestDiscoverPortions(t *testing.T) {
	for _, c := range []struct {
		seen, n int
		want    string
	}{
		{3, 3, "most of the sampled values"}, {19, 10, "most of the sampled values"}, {19, 1, "some of the sampled values"},
		{200, 1, "some of the sampled values"}, {200, 199, "nearly all of the sampled values"}, {200, 101, "50 % of the sampled values"},
	} {
		e := evidence{seen: c.seen}
		if got := e.portion(c.n); got != c.want {
			t.Errorf("%d of %d: %s, want %s", c.n, c.seen, got, c.want)
		}
	}
}

func contactDocument(i int) string {
	return fmt.Sprintf(`{"theme":"dark","contact":{"email":"q%d@mail.example","name":"%s %s"},"tags":["a"],"by":{"u%d@mail.example":1},"items":[{"sku":"x","note":"leave it at the door"}],"%s":1,"dob":"1980-01-0%d"}`,
		i, given(i), family(i), i, given(0), i%9+1)
}

// The paths of documents are proposed; a key that may be a value is not shown.
func TestDiscoverDocuments(t *testing.T) {
	c := parseCatalog(t, "table orders\nid int4 pk\nprefs json")
	samples := rowsOf(50, func(i int) string { return fmt.Sprint(i) }, contactDocument)
	found, err := Discover(c, samples)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, p := range found[1].Paths {
		got[p.Path] = p.Class
	}
	for path, class := range map[string]string{"$.contact.email": "email", "$.contact.name": "person_name", "$.items[*].note": freeText, "$.dob": "birth_date"} {
		if got[path] != class {
			t.Errorf("%s: %s, want %s", path, got[path], class)
		}
	}
	text, _ := json.Marshal(found)
	for _, forbidden := range []string{"mail.example", "Mary", "mary", "dark", "leave it"} {
		if strings.Contains(string(text), forbidden) {
			t.Errorf("%s is in what was said: %s", forbidden, text)
		}
	}
	// What init makes of it compiles, and drops what it does not name.
	policy, err := InitFrom(c, samples, "x")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(policy), `$.contact.email: email`) || !strings.Contains(string(policy), `"*": drop`) {
		t.Errorf("%s", policy)
	}
	compiles(t, c, policy)
}

// answered is the policy with each question answered by keep.
func answered(text []byte) []byte {
	return []byte(strings.ReplaceAll(string(text), ": TODO #", ": public #"))
}

func compiles(t *testing.T, c *catalog.Catalog, text []byte) {
	t.Helper()
	p, err := Parse("p.yaml", answered(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if _, err := Compile(p, c, testKey(t), masking.Standard()); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}

// A sample is bounded whatever the source gives, and its errors come through.
func TestDiscoverBounds(t *testing.T) {
	c := parseCatalog(t, "table things\nzzz text")
	rows := 0
	big := []byte(strings.Repeat("x", 1<<20))
	_, err := Discover(c, func(_ *catalog.Table, see func([][]byte) error) error {
		for ; ; rows++ {
			if err := see([][]byte{big}); err != nil {
				return fmt.Errorf("sampler: %w", err)
			}
		}
	})
	if err != nil || rows > maxSampleRows {
		t.Errorf("%v after %d rows", err, rows)
	}
	broken := errors.New("gone")
	if _, err := Discover(c, func(*catalog.Table, func([][]byte) error) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	if _, err := Discover(c, func(_ *catalog.Table, see func([][]byte) error) error { return see(nil) }); err == nil {
		t.Error("a row without values is taken")
	}
}

// Columns inherit along keys, self references and cycles; the end decides.
func TestDiscoverInherits(t *testing.T) {
	c := parseCatalog(t, `table people
code text pk
boss text
fk (boss) -> people (code)
table a
id int4 pk
fk (id) -> b (id)
table b
id int4 pk
fk (id) -> a (id)
table visits
who text
fk (who) -> people (boss)`)
	found, err := Discover(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]Detected{}
	for _, d := range found {
		by[d.Table.Name+"."+d.Column] = d
	}
	for at, end := range map[string]string{"people.boss": "people.code", "visits.who": "people.code", "b.id": "a.id"} {
		if by[at].Inherits != end || by[at].Class != by[end].Class || by[at].Score != by[end].Score {
			t.Errorf("%s: %+v, want what %s is: %+v", at, by[at], end, by[end])
		}
	}
	if by["people.code"].Class != personKey || by["people.code"].Inherits != "" {
		t.Errorf("%+v", by["people.code"])
	}
}

// The policy's keeps are doubted with line and reason, path by path, until they are waived.
func TestDoubts(t *testing.T) {
	c := parseCatalog(t, `schema public
table people
id int4 notnull pk
email text
phone text
nick text
prefs json
raw json
created_at timestamptz
table orders
who int4
fk (who) -> people (id)
table logs
ip text`)
	text := `version: 1
keys: {k: {from: ephemeral}}
classes:
  plain: {kind: not_personal, do: {shape: text}}
  public: {kind: not_personal, do: keep}
tables:
  people:
    columns:
      phone: plain
      prefs: {json: {$.theme: keep, $.contact.email: keep, $.first_name: public, "*": drop}}
      raw: {json: {"*": keep}}
    keep: [id, email, created_at]
  logs: drop
`
	p, err := Parse("shop.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	found, err := Discover(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	var all []string
	for _, d := range Doubts(p, c, found, now) {
		if d.Code != Doubted || d.Help == "" || d.Excerpt == "" || d.Message == "" {
			t.Errorf("%+v", d)
		}
		all = append(all, fmt.Sprintf("%d %s", d.Line, d.At))
	}
	want := []string{"9 public.people.phone", "10 public.people.prefs $.contact.email", "10 public.people.prefs $.first_name", "11 public.people.raw *", "12 public.people.id", "12 public.people.email"}
	if !slices.Equal(all, want) {
		t.Errorf("doubts %q, want %q", all, want)
	}
	p.Waivers = []Waiver{
		{Rule: "SAN-C05", Object: "people.email", Expires: "2026-01-15"},
		{Rule: "SAN-C05", Object: "public.people.phone", Expires: "2026-01-14"},
		{Rule: "SAN-Q01", Object: "people.id", Expires: "2027-01-01"},
	}
	if n := len(Doubts(p, c, found, now)); n != len(want)-1 {
		t.Errorf("%d doubts with one good waiver, want %d", n, len(want)-1)
	}
}

// Half a thousand tables are read by their names in well under a second.
func BenchmarkDiscover(b *testing.B) {
	c := largeCatalog(500, 20)
	for b.Loop() {
		if _, err := Discover(c, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func largeCatalog(tables, columns int) *catalog.Catalog {
	names := strings.Fields("id customer_id firstName Nachname emailadresse PHONE_NO created_at total_cents shipping_line1 postleitzahl is_active prefs note kundennummer fecha_nacimiento dateofbirth billing_city status_code GNDR lastUpdatedByUserWorkflow")
	var all []*catalog.Table
	for i := range tables {
		t := &catalog.Table{ID: catalog.TableID{Schema: "public", Name: fmt.Sprintf("entity_%d_record", i)}, Kind: catalog.Ordinary}
		for j := range columns {
			t.Columns = append(t.Columns, catalog.Column{Name: names[j%len(names)], Type: catalog.Type{Name: "text", Kind: catalog.Text}})
		}
		t.PrimaryKey = &catalog.Key{Name: "pk", Columns: []string{"id"}}
		if i > 0 {
			t.ForeignKeys = []catalog.ForeignKey{{Name: "fk", References: all[i-1].ID, Pairs: []catalog.Pair{{Column: "customer_id", References: "id"}}}}
		}
		all = append(all, t)
	}
	return catalog.New("postgres", "17", "public", all, nil)
}

// No value, however odd, breaks the detector, or comes out of it.
func FuzzDiscover(f *testing.F) {
	for _, s := range []string{"", "GB82WEST12345698765432", "4111111111111111", `{"a":{"b":[1,"x",{"c":null}]}}`, `[[[[[[[[[[[[1]]]]]]]]]]]]`, "\xff\xfe", "a@b.example",
		"12345678Z", "RSSMRA85T10A562S", "111222333", "1987-05-04 00:00:00", "::1", "+1 202 555 0143", `{"é": "x", "": {"": 1}}`} {
		f.Add(s)
	}
	c := parseCatalog(f, "table people\nid int4 pk\nzzz text\ndoc json\nborn date\namount numeric\nraw bytea")
	f.Fuzz(func(t *testing.T, s string) {
		all := func(int) string { return s }
		found, err := Discover(c, rowsOf(4, all, all, all, all, all, all))
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range found {
			if d.Score < 0 || d.Score > 1 || d.Reason == "" || d.Class == "" || (d.Score < doubtful) != (d.Class == Public) {
				t.Errorf("%+v", d)
			}
			for _, p := range d.Paths {
				if _, err := Parse("p.yaml", []byte("version: 1\nkeys: {k: {from: ephemeral}}\nclasses: {public: {kind: not_personal, do: keep}}\ntables: {t: {columns: {c: {json: {"+spell(p.Path)+": keep, \"*\": drop}}}}}\n")); err != nil {
					t.Errorf("path %q: %v", p.Path, err)
				}
			}
		}
	})
}
