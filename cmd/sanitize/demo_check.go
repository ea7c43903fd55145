package main

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// pair is a source and its masked copy, both SQLite files, opened for reading.
type pair struct {
	source, target *sql.DB
}

func openPair(source, target string) (*pair, error) {
	s, err := openSQLite(source, "ro")
	if err != nil {
		return nil, err
	}
	t, err := openSQLite(target, "ro")
	if err != nil {
		s.Close()
		return nil, err
	}
	return &pair{s, t}, nil
}

// Close closes both.
func (p *pair) Close() error { return errors.Join(p.source.Close(), p.target.Close()) }

var shownColumns = []string{"id", "email", "full_name", "phone", "born_on", "referred_by", "prefs", "notes", "password_hash"}

// customer returns the shown columns of one customer in both databases. The
// moment of creation is kept and unique, so it finds the same row in both.
func (p *pair) customer(ctx context.Context, id int) (before, after []any, err error) {
	var created string
	if err := p.source.QueryRowContext(ctx, "SELECT CAST(created_at AS TEXT) FROM customers WHERE id = ?", id).Scan(&created); err != nil {
		return nil, nil, fmt.Errorf("read demo: %w", err)
	}
	read := func(db *sql.DB) ([]any, error) {
		row := make([]any, len(shownColumns))
		into := make([]any, len(row))
		for i := range row {
			into[i] = &row[i]
		}
		// Each as text: the driver makes times of columns that are declared as such.
		query := "SELECT CAST(" + strings.Join(shownColumns, " AS TEXT), CAST(") + " AS TEXT) FROM customers WHERE CAST(created_at AS TEXT) = ?"
		if err := db.QueryRowContext(ctx, query, created).Scan(into...); err != nil {
			return nil, fmt.Errorf("read demo: %w", err)
		}
		return row, nil
	}
	if before, err = read(p.source); err != nil {
		return nil, nil, err
	}
	after, err = read(p.target)
	return before, after, err
}

// check proves on the two files what a run promises. It returns what holds, in
// words, or the first thing that does not.
func (p *pair) check(ctx context.Context) ([]string, error) {
	var held []string
	for _, c := range []func(context.Context) (string, error){p.checkRows, p.checkKeys, p.checkJoins, p.checkKept, p.checkLeaks} {
		words, err := c(ctx)
		if err != nil {
			return nil, err
		}
		held = append(held, words)
	}
	return held, nil
}

var shopTables = []string{"customers", "addresses", "products", "orders", "items", "returns", "payments", "events"}

// both runs a query for one number on both databases.
func (p *pair) both(ctx context.Context, query string) (source, target int64, err error) {
	if err = p.source.QueryRowContext(ctx, query).Scan(&source); err == nil {
		err = p.target.QueryRowContext(ctx, query).Scan(&target)
	}
	if err != nil {
		err = fmt.Errorf("check demo: %w", err)
	}
	return source, target, err
}

func (p *pair) checkRows(ctx context.Context) (string, error) {
	var all int64
	for _, t := range shopTables {
		s, d, err := p.both(ctx, "SELECT count(*) FROM "+t)
		if err != nil {
			return "", err
		}
		if s != d {
			return "", integrity("%s has %d rows in production and %d in discovery", t, s, d)
		}
		all += s
	}
	return fmt.Sprintf("rows are equal in all %d tables: %s", len(shopTables), count(all)), nil
}

func (p *pair) checkKeys(ctx context.Context) (string, error) {
	s, d, err := p.both(ctx, "SELECT count(*) FROM sqlite_schema m, pragma_foreign_key_list(m.name) k WHERE m.type = 'table' AND k.seq = 0")
	if err != nil {
		return "", err
	}
	if s != d || s == 0 {
		return "", integrity("production declares %d foreign keys and discovery %d", s, d)
	}
	_, broken, err := p.both(ctx, "SELECT count(*) FROM pragma_foreign_key_check")
	if err != nil {
		return "", err
	}
	if broken != 0 {
		return "", integrity("%d rows of discovery break a foreign key", broken)
	}
	return fmt.Sprintf("all %d foreign keys hold, among them a self reference, a composite one and one to an email", d), nil
}

func (p *pair) checkJoins(ctx context.Context) (string, error) {
	for _, join := range []string{
		"payments p JOIN customers c ON p.payer_email = c.email",
		"customers r JOIN customers c ON r.referred_by = c.id",
		"customers c JOIN orders o ON o.customer_id = c.id JOIN items i ON i.order_id = o.id JOIN returns r ON r.order_id = i.order_id AND r.line = i.line",
		"events e JOIN customers c ON e.customer_id = c.id AND json_extract(e.payload, '$.email') = c.email",
	} {
		s, d, err := p.both(ctx, "SELECT count(*) FROM "+join)
		if err != nil {
			return "", err
		}
		if s != d {
			return "", integrity("a join has %d rows in production and %d in discovery: %s", s, d, join)
		}
	}
	return "joins on masked keys and on emails inside JSON give the same rows", nil
}

func (p *pair) checkKept(ctx context.Context) (string, error) {
	for _, sum := range []string{
		"SELECT sum(total_cents) FROM items",
		"SELECT sum(amount_cents) FROM payments",
		"SELECT count(DISTINCT customer_id) FROM orders",
		"SELECT max(cents) FROM turnover",
	} {
		s, d, err := p.both(ctx, sum)
		if err != nil {
			return "", err
		}
		if s != d {
			return "", integrity("another answer in discovery to: %s", sum)
		}
	}
	return "turnover is what it was, in all and of the best customer", nil
}

// secretColumns are what no row of the target may hold.
var secretColumns = []string{"customers.email", "customers.full_name", "customers.phone", "payments.account", "customers.password_hash", "events.session"}

func (p *pair) checkLeaks(ctx context.Context) (string, error) {
	search := newSearch()
	for _, c := range secretColumns {
		table, column, _ := strings.Cut(c, ".")
		err := eachText(ctx, p.source, "SELECT DISTINCT CAST("+column+" AS TEXT) FROM "+table, func(v string) { search.Add(v) })
		if err != nil {
			return "", err
		}
	}
	var found, values int64
	for _, t := range shopTables {
		columns, err := columnNames(ctx, p.target, t)
		if err != nil {
			return "", err
		}
		for _, c := range columns {
			err := eachText(ctx, p.target, "SELECT CAST("+c+" AS TEXT) FROM "+t, func(v string) {
				values++
				found += int64(search.Count(v))
			})
			if err != nil {
				return "", err
			}
		}
	}
	if found > 0 {
		return "", integrity("%d values of production were found in discovery", found)
	}
	return fmt.Sprintf("none of %s emails, names, phones, accounts, passwords and sessions of production is anywhere in %s values of discovery",
		count(int64(search.Len())), count(values)), nil
}

func columnNames(ctx context.Context, db *sql.DB, table string) (names []string, err error) {
	err = eachText(ctx, db, "SELECT name FROM pragma_table_xinfo('"+table+"')", func(v string) { names = append(names, v) })
	return names, err
}

// eachText calls f with every text that a query of one column gives.
func eachText(ctx context.Context, db *sql.DB, query string, f func(string)) error {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return fmt.Errorf("check demo: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var v sql.NullString
		if err := rows.Scan(&v); err != nil {
			return fmt.Errorf("check demo: %w", err)
		}
		if v.Valid {
			f(v.String)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("check demo: %w", err)
	}
	return nil
}

// textOf returns a value of database/sql as text, and false for NULL.
func textOf(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", false
	case string:
		return v, true
	case []byte:
		return string(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case time.Time:
		return v.Format(time.DateTime), true
	default:
		return fmt.Sprint(v), true
	}
}

// search finds many texts in many texts, whatever their case: by the first eight
// bytes of each, which is all that has to be looked up at most places.
type search struct {
	byPrefix map[uint64][]string
	n        int
}

const prefix = 8

func newSearch() *search { return &search{byPrefix: map[uint64][]string{}} }

// Add adds a text to search for. One that is shorter than eight bytes says too
// little to be told from chance, and is left out.
func (s *search) Add(text string) {
	text = strings.ToLower(strings.TrimSpace(text))
	if len(text) < prefix {
		return
	}
	p := binary.LittleEndian.Uint64([]byte(text[:prefix]))
	s.byPrefix[p] = append(s.byPrefix[p], text)
	s.n++
}

// Len returns how many texts are searched for.
func (s *search) Len() int { return s.n }

// Count returns how often text contains one of them, at any place.
func (s *search) Count(text string) (found int) {
	s.Each(text, func(string) { found++ })
	return found
}

// Each calls f with each of them that text contains, in lower case, at every place.
func (s *search) Each(text string, f func(string)) {
	text = strings.ToLower(text)
	for i := 0; i+prefix <= len(text); i++ {
		for _, t := range s.byPrefix[binary.LittleEndian.Uint64([]byte(text[i:i+prefix]))] {
			if strings.HasPrefix(text[i:], t) {
				f(t)
			}
		}
	}
}
