package main

import (
	"context"
	"database/sql"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/sanitize-db/sanitize/connectors"
)

//go:embed demo/shop.sql
var shopSchema string

//go:embed demo/shop.yaml
var shopPolicy []byte

// The customers that the demo shows: one plain, and the edge cases.
const (
	plainCustomer = iota + 1
	longCustomer  // an address of 254 bytes, a note of 70,000 characters, born on a leap day
	emptyCustomer // NULLs, empty and blank texts; referred by herself
	rightToLeft
	emojiCustomer
	firstRandomCustomer
)

// shop makes the demo's production database. Equal seeds and sizes make equal shops.
type shop struct {
	rng       *rand.Rand
	tx        *sql.Tx
	prepared  map[string]*sql.Stmt
	customers int
	clock     time.Time
	emails    []string
	names     []string
	rows      int64
}

// openSQLite opens a file with the driver that connectors/sqlite brings along.
func openSQLite(path, mode string) (*sql.DB, error) {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath(), RawQuery: "mode=" + mode}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// buildShop writes a shop of about so many rows to a new file, and returns how many there are.
func buildShop(ctx context.Context, path string, rows int, seed uint64) (n int64, err error) {
	db, err := openSQLite(path, "rwc")
	if err != nil {
		return 0, err
	}
	defer func() {
		if cerr := db.Close(); err == nil && cerr != nil {
			err = fmt.Errorf("close %s: %w", path, cerr)
		}
	}()
	if _, err := db.ExecContext(ctx, "PRAGMA journal_mode = off; PRAGMA synchronous = off; PRAGMA foreign_keys = on;"+shopSchema); err != nil {
		return 0, fmt.Errorf("create shop: %w", err)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return 0, fmt.Errorf("fill shop: %w", err)
	}
	defer tx.Rollback() // does nothing after Commit
	s := &shop{
		rng:       rand.New(rand.NewPCG(seed, 0)),
		tx:        tx,
		prepared:  map[string]*sql.Stmt{},
		customers: max(rows/rowsPerCustomer, firstRandomCustomer),
		clock:     time.Date(2019, 3, 1, 8, 0, 0, 0, time.UTC),
	}
	if err := s.fill(ctx); err != nil {
		return 0, fmt.Errorf("fill shop: %w", err)
	}
	for _, stmt := range s.prepared {
		stmt.Close()
	}
	if err := tx.Commit(); err != nil {
		return 0, fmt.Errorf("fill shop: %w", err)
	}
	// As production would have it: in this mode readers and writers do not wait for each other.
	if _, err := db.ExecContext(ctx, "PRAGMA journal_mode = wal"); err != nil {
		return 0, fmt.Errorf("fill shop: %w", err)
	}
	return s.rows, nil
}

// rowsPerCustomer is how many rows a customer has on average, in all tables.
const rowsPerCustomer = 13

func (s *shop) fill(ctx context.Context) error {
	for i, thing := range demoThings {
		for j, colour := range demoColours {
			if err := s.insert(ctx, "products", sku(i*len(demoColours)+j), colour+" "+thing, 500+137*(i+1)*(j+1)); err != nil {
				return err
			}
		}
	}
	for id := 1; id <= s.customers; id++ {
		if err := s.customer(ctx, id); err != nil {
			return err
		}
	}
	order, event := 0, 0
	for id := 1; id <= s.customers; id++ {
		if err := s.addresses(ctx, id); err != nil {
			return err
		}
		for range s.rng.IntN(4) {
			order++
			if err := s.order(ctx, order, id); err != nil {
				return err
			}
		}
		for range s.rng.IntN(9) {
			event++
			if err := s.event(ctx, event, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// insert adds a row; values are in the order of the table's columns that are not computed.
func (s *shop) insert(ctx context.Context, table string, values ...any) error {
	stmt := s.prepared[table]
	if stmt == nil {
		columns := ""
		if table == "items" {
			columns = " (order_id, line, sku, quantity, price_cents)"
		}
		marks := strings.TrimSuffix(strings.Repeat("?, ", len(values)), ", ")
		var err error
		if stmt, err = s.tx.PrepareContext(ctx, "INSERT INTO "+table+columns+" VALUES ("+marks+")"); err != nil {
			return err
		}
		s.prepared[table] = stmt
	}
	s.rows++
	_, err := stmt.ExecContext(ctx, values...)
	return err
}

func (s *shop) customer(ctx context.Context, id int) error {
	s.clock = s.clock.Add(time.Duration(1+s.rng.IntN(7200)) * time.Second)
	var (
		name       = s.person(id)
		email      = s.email(id, name)
		phone  any = s.phone(id)
		born   any = time.Date(1935+s.rng.IntN(72), 1, 1+s.rng.IntN(365), 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
		notes  any = s.notes(name, email, phone)
		prefs  any = s.prefs(email, phone)
		refers any = nil
		secret     = "$2b$12$" + s.hex(26)
		land   any = pick(s.rng, demoCountries)
		unruly     = s.rng.IntN(20) == 0
	)
	if id > 1 && s.rng.IntN(3) == 0 {
		refers = 1 + s.rng.IntN(id-1)
	}
	switch {
	case id == longCustomer:
		born = "2004-02-29"
		notes = strings.Repeat("Called again about the parcel. ", 70_000/31) + name + ", " + email
	case id == emptyCustomer:
		phone, born, prefs, notes, land, refers = nil, nil, nil, "", nil, id
	case id < firstRandomCustomer:
	case unruly:
		// What people type into forms, and what imports leave behind.
		phone = [...]any{nil, "", "   ", "none", "+49 (0) 7531 / 55-0199 x12"}[s.rng.IntN(5)]
		born = [...]any{nil, "2000-02-29", "1904-02-29", "1900-01-01"}[s.rng.IntN(4)]
		notes = [...]any{nil, "", " ", "👩‍👩‍👧 family account 🎉", "line one\nline two\ttabbed \\ backslash", "e\u0301 combining, \u202bright to left\u202c"}[s.rng.IntN(6)]
		prefs = [...]any{nil, "{}", `{"theme": null, "contact": {}}`, `{"theme":"a\u00e9\"b","contact":{"email":""},"extra":[1,2,{"x":true}]}`}[s.rng.IntN(4)]
	}
	s.emails = append(s.emails, email)
	s.names = append(s.names, name)
	return s.insert(ctx, "customers", id, email, name, phone, born, land, refers, secret, prefs, notes, s.clock.Format(time.DateTime))
}

// person returns a made-up name: mostly in Latin letters, some in each other script.
func (s *shop) person(id int) string {
	people := demoPeople[0]
	switch n := s.rng.IntN(10); {
	case id == rightToLeft:
		people = demoPeople[3]
	case id == emojiCustomer:
		people = demoPeople[len(demoPeople)-1]
	case id >= firstRandomCustomer && n == 0:
		people = demoPeople[1+s.rng.IntN(len(demoPeople)-1)]
	}
	given, family := pick(s.rng, people.given), pick(s.rng, people.family)
	name := given + people.join + family
	if people.surnameFirst {
		name = family + people.join + given
	}
	if id >= firstRandomCustomer && s.rng.IntN(40) == 0 {
		return strings.ToUpper(name)
	}
	return name
}

// email returns an address that no other customer has, at domains that cannot exist.
func (s *shop) email(id int, name string) string {
	if id == longCustomer {
		// 64 bytes before the @ and 189 after it, the most that the standards allow (RFC 5321).
		label := strings.Repeat("postkontor", 6) + "abc"
		return strings.Repeat("very.long.", 6) + "name@" + label + "." + label + "." + label[:53] + ".example"
	}
	var local strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z':
			local.WriteRune(r)
		case r == ' ' && local.Len() > 0 && !strings.HasSuffix(local.String(), "."):
			local.WriteByte('.')
		}
	}
	if local.Len() == 0 {
		local.WriteString("customer")
	}
	address := fmt.Sprintf("%s%d@%s.example", strings.Trim(local.String(), "."), id, pick(s.rng, []string{"post", "mail.norhaven", "inbox"}))
	if id >= firstRandomCustomer && s.rng.IntN(30) == 0 {
		return strings.ToUpper(address[:1]) + address[1:]
	}
	return address
}

func (s *shop) phone(id int) string {
	n := 1_000_000 + s.rng.IntN(9_000_000)
	if id < firstRandomCustomer || s.rng.IntN(2) == 0 {
		return fmt.Sprintf("+49 75%d %d-%02d", 30+id%10, n, s.rng.IntN(100))
	}
	return fmt.Sprintf("075%d%d", 30+id%10, n)
}

// notes are what a clerk types: names, numbers and addresses in the middle of a sentence.
func (s *shop) notes(name, email string, phone any) string {
	switch s.rng.IntN(4) {
	case 0:
		return fmt.Sprintf("Called %s on %v, will write to %s.", name, phone, email)
	case 1:
		return fmt.Sprintf("VIP. %s prefers letters.", name)
	case 2:
		return "Paid twice in error; refunded " + s.clock.Format(time.DateOnly) + ". Contact: " + email
	default:
		return "ok"
	}
}

func (s *shop) prefs(email string, phone any) string {
	b, err := json.Marshal(map[string]any{
		"theme":    pick(s.rng, []string{"light", "dark"}),
		"language": pick(s.rng, []string{"de", "fr", "he", "ja"}),
		"contact":  map[string]any{"email": email, "phone": phone},
		"device":   map[string]any{"id": s.hex(8), "name": "phone of " + email},
	})
	if err != nil {
		panic("demo: preferences: " + err.Error()) // plain texts always encode
	}
	return string(b)
}

func (s *shop) addresses(ctx context.Context, customer int) error {
	for i, kind := range []string{"home", "work", "other"} {
		if i > 0 && s.rng.IntN(4) > 0 {
			break
		}
		street := fmt.Sprintf("%s %d", pick(s.rng, demoStreets), 1+s.rng.IntN(200))
		if err := s.insert(ctx, "addresses", customer, kind, street, pick(s.rng, demoCities), fmt.Sprintf("%05d", s.rng.IntN(100_000))); err != nil {
			return err
		}
	}
	return nil
}

func (s *shop) order(ctx context.Context, order, customer int) error {
	placed := s.clock.Add(time.Duration(order) * time.Minute)
	var gift any
	if s.rng.IntN(8) == 0 {
		gift = "For " + s.names[s.rng.IntN(len(s.names))] + " 🎁 from " + s.names[customer-1]
	}
	if err := s.insert(ctx, "orders", order, customer, placed.Format(time.DateTime), pick(s.rng, demoStates), gift); err != nil {
		return err
	}
	total := 0
	lines := 1 + s.rng.IntN(4)
	for line := 1; line <= lines; line++ {
		product := s.rng.IntN(len(demoThings) * len(demoColours))
		price, quantity := 500+product*37, 1+s.rng.IntN(3)
		total += price * quantity
		if err := s.insert(ctx, "items", order, line, sku(product), quantity, price); err != nil {
			return err
		}
	}
	if s.rng.IntN(12) == 0 {
		reason := pick(s.rng, demoReasons)
		if strings.Contains(reason, "%s") {
			reason = fmt.Sprintf(reason, s.names[customer-1])
		}
		if err := s.insert(ctx, "returns", order, 1, order, reason); err != nil {
			return err
		}
	}
	if s.rng.IntN(10) == 0 {
		return nil // not paid yet
	}
	var payer any = s.emails[customer-1]
	if s.rng.IntN(15) == 0 {
		payer = nil // paid in the shop
	}
	account := fmt.Sprintf("DE%02d%018d", 10+s.rng.IntN(90), s.rng.Int64N(1e18))
	return s.insert(ctx, "payments", order, order, payer, account, total, placed.AddDate(0, 0, 3).Format(time.DateOnly))
}

func (s *shop) event(ctx context.Context, event, customer int) error {
	var who any = customer
	if s.rng.IntN(5) == 0 {
		who = nil // not logged in
	}
	payload := map[string]any{"page": pick(s.rng, demoPages), "tags": []string{pick(s.rng, demoColours)}, "agent": "browser/" + s.hex(3)}
	kind := "view"
	if s.rng.IntN(6) == 0 {
		kind, payload["email"] = "login", s.emails[customer-1]
	}
	b, err := json.Marshal(payload)
	if err != nil {
		panic("demo: event: " + err.Error()) // plain texts always encode
	}
	at := s.clock.Add(time.Duration(event) * time.Second).Format(time.DateTime)
	return s.insert(ctx, "events", event, who, s.hex(16), kind, at, string(b))
}

func (s *shop) hex(bytes int) string {
	b := make([]byte, bytes)
	for i := range b {
		b[i] = byte(s.rng.Uint32())
	}
	return hex.EncodeToString(b)
}

func sku(n int) string { return fmt.Sprintf("SKU-%04d", n) }

func pick[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }

// integrity makes a check that failed an error with its exit code.
func integrity(format string, args ...any) error {
	return &connectors.Error{Kind: connectors.KindIntegrity, Op: "check demo", Err: fmt.Errorf(format, args...)}
}
