package policies

import (
	"slices"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

func TestTokens(t *testing.T) {
	for name, want := range map[string]string{
		"first_name": "first name", "FirstName": "first name", "IPAddress": "ip address", "postalCode2": "postal code2",
		"E-Mail": "e mail", "": "", "straße": "straße", "zip code": "zip code", "customerID": "customer id",
	} {
		if got := strings.Join(tokens(name), " "); got != want {
			t.Errorf("tokens(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestSingular(t *testing.T) {
	for plural, want := range map[string]string{
		"customers": "customer", "people": "people", "staff": "staff", "cities": "city", "status": "status",
		"addresses": "address", "address": "address", "boxes": "box", "countries": "country", "bus": "bus",
	} {
		if got := singular(plural); got != want {
			t.Errorf("singular(%q) = %q, want %q", plural, got, want)
		}
	}
}

// A guess is written table.column type: class, and a question mark if it is not sure.
func TestGuess(t *testing.T) {
	for _, line := range strings.Split(strings.TrimSpace(`
customers.email text: email
customers.EMail text: email
customers.email_verified bool: public
customers.password_changed_at timestamptz: public
customers.verified_email text: email?
customers.confirmed_phone text: phone?
customers.email_confirmed_at text: email?
customers.lives_at text: ?
customers.special_price numeric: public
items.special_features texts: public?
customers.hiv_status text: special
events.first_name_of_day text: public
events.token_bucket int4: public
messages.address_count int4: public
cards.card_brand text: public
races.race_time int4: public
customers.dob_year int2: age
customers.ssn_last4 char(4): ssn
customers.percentage numeric: public?
customers.job_id int4: public
posts.post_author int8: person_id
posts.post_parent int8: public
metrics.active_users int4: public
comments.comment_approved text: ?
settings.meta_value text: ?
Benutzer.Passwort text: secret
clientes.apellidos text: last_name
Kunden.Straßenname text: street
clients.telephone_portable text: phone
Пациенты.Фамилия text: last_name
customers.is_pregnant bool: special
customers.has_allergies bool notnull: special?
customers.firstName text: first_name
customers.SURNAME text: last_name
customers.name text: person_name
products.name text: public
things.name text: ?
customers.dob date: birth_date
customers.born_on date: birth_date
customers.date_of_birth text: birth_date?
customers.mobile text: phone
customers.phone int8: suppressed
customers.street text: street
customers.address_line1 text: street
customers.zip text: postcode
customers.city text: place
cities.city text: public
customers.ip inet: ip
customers.last_login_ip text: ip
customers.iban text: iban
customers.card_number text: card
customers.ssn text: ssn
customers.gender text: special
customers.password_hash text: secret
customers.api_key text: secret
customers.notes text: free_text
customers.avatar bytea: suppressed
customers.created_at timestamptz: public
customers.is_active bool: public
customers.weird date: public?
customers.id int4 pk: person_id
customers.customer_id uuid pk: person_uuid
customers.code text pk: person_key
orders.id int4 pk: public
orders.customer_id int4: person_id
orders.created_by_user_id int8: person_id
orders.external_id int8: public?
orders.total_cents int8: public
orders.state enum(a,b): public
orders.prefs json: ?
films.fulltext tsvector: ?
invoices.billing_country text: public
invoices.billing_city text: place
employees.title text: job?
newsletter.address text: email
`), "\n") {
		where, want, _ := strings.Cut(line, ": ")
		id, rest, _ := strings.Cut(where, " ")
		tableName, name, _ := strings.Cut(id, ".")
		table := &catalog.Table{ID: catalog.TableID{Name: tableName}, Kind: catalog.Ordinary}
		parseColumn(t, table, name, rest)
		c := catalog.New("postgres", "", "", []*catalog.Table{table}, nil)
		g := newGuesser(c).guess(table, &table.Columns[0])
		got := g.class
		if !g.sure {
			got += "?"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", where, got, want)
		}
	}
}

// Each class that the detector may propose can be written down.
func TestStandardClasses(t *testing.T) {
	for _, c := range standardClasses {
		if !slices.Contains(Kinds(), c.Kind) {
			t.Errorf("class %s: kind %q", c.Name, c.Kind)
		}
		text := strings.Replace(minimal, "tables:", "classes: {"+c.Name+": {kind: "+c.Kind+", do: "+c.Do.String()+"}}\ntables:", 1)
		p, err := Parse("p.yaml", []byte(text))
		if err != nil {
			t.Errorf("class %s: %v", c.Name, err)
			continue
		}
		if got := p.Classes[0].Do.String(); got != c.Do.String() {
			t.Errorf("class %s: written %s, read %s", c.Name, c.Do, got)
		}
	}
}
