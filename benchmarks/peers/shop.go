package main

import (
	"context"
	_ "embed"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"
)

var (
	//go:embed shop.sql
	tablesSQL string
	//go:embed keys.sql
	keysSQL string
)

// tables of the shop, what takes longest to copy first.
var tables = []string{"order_lines", "orders", "events", "customers", "products", "countries"}

// perGB are the rows of 10^9 bytes of tables.
var perGB = map[string]int64{"products": 20_000, "customers": 400_000, "orders": 1_100_000, "order_lines": 3_300_000, "events": 950_000}

// stages returns the statements of keys.sql, in the groups that wait for each other.
func stages() (list [][]string) {
	for _, stage := range strings.Split(keysSQL, "\n\n") {
		var statements []string
		for line := range strings.Lines(stage) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "--") {
				statements = append(statements, line)
			}
		}
		list = append(list, statements)
	}
	return list
}

// words fills texts. The same row always gets the same piece of it.
const words = `please leave the parcel with a neighbour if nobody answers the bell and call before noon thank you very much ` +
	`the second door on the left behind the bakery ring twice and wait a moment the dog is friendly but loud and does not bite `

// names of people and places, as SQL over the row's number i.
func pick(list, seed string) string {
	n := len(strings.Fields(list))
	return fmt.Sprintf("(ARRAY['%s'])[1 + (%s) %% %d]", strings.Join(strings.Fields(list), "','"), seed, n)
}

// fills returns statements that fill the tables with gb·10^9 bytes of rows, each a part
// of a table. Every customer, order and product that a row refers to is there.
func fills(gb float64) []string {
	rows := map[string]int64{"countries": 250}
	for t, n := range perGB {
		rows[t] = max(int64(float64(n)*gb), 1000)
	}
	const given = "Ada Grace Alan Barbara Edsger Frances Donald Radia Ken Shafi Niklaus Lynn"
	const family = "Lovelace Hopper Turing Liskov Dijkstra Allen Knuth Perlman Thompson Goldwasser Wirth Conway Kaya Wang"
	const street = "Harbour Station Church Mill Victoria Garden Bridge Market Castle Orchard"
	first, last := pick(given, "i * 7919"), pick(family, "i / 13 + i")
	name := first + " || ' ' || " + last
	mail := "lower(" + first + ") || '.' || lower(" + last + ") || i || '@mail.example'"
	road := pick(street, "i * 31") + " || ' Street ' || 1 + i % 220"
	text := func(n int, seed string) string {
		return fmt.Sprintf("substr('%s', (1 + %s %% 120)::int, %d)", words, seed, n)
	}
	when := "timestamptz '2020-01-01 00:00+00' + i * interval '41 seconds'"
	// Who a row belongs to is scattered over all of them, as it is in a real shop.
	one := func(of, prime string) string { return fmt.Sprintf("1 + i * %s %% %d", prime, rows[of]) }
	columns := map[string]string{
		"countries": "i, 'C' || i, 'Country ' || i",
		"products":  "i, 'SKU-' || lpad(i::text, 9, '0'), " + text(24, "i * 7") + ", (i % 9000) / 100.0, " + text(118, "i * 3"),
		"customers": "i, 1 + i % 250, " + mail + ", " + first + ", " + last + ", '+49 30 ' || lpad((i * 104729 % 10000000)::text, 7, '0'), " + road + ", " +
			pick("Lisbon Utrecht Gdansk Tampere Bergen Leipzig Toulouse Bologna Aarhus Graz", "i") + ", lpad((i * 7919 % 100000)::text, 5, '0'), " +
			"date '1940-01-01' + (i * 17 % 25000)::int, " + when,
		"orders": "i, " + one("customers", "7919") + ", 'O-' || lpad((i * 48271 % 2147483647)::text, 10, '0'), " + pick("new paid packed shipped delivered returned", "i") +
			", (i % 90000) / 100.0, " + when + ", " + name + ", " + road + ", " + text(52, "i"),
		"order_lines": fmt.Sprintf("i, 1 + (i - 1) / 3 %% %d, %s, (i - 1) / (3 * %d::bigint) * 3 + (i - 1) %% 3 + 1, 1 + i %% 9, (i %% 9000) / 100.0, %s, %s, %s",
			rows["orders"], one("products", "104729"), rows["orders"], name, mail, text(28, "i")),
		"events": "i, " + one("customers", "15485863") + ", " + when + ", '10.0.0.0'::inet + i % 16000000, " +
			"jsonb_build_object('page', '/products/' || i % 20000, 'seconds', i % 600, 'agent', " + text(60, "i * 11") + ", 'cart', jsonb_build_array(i % 97, i % 89))",
	}
	var list []string
	for _, t := range tables {
		const part = 500_000
		for lo := int64(1); lo <= rows[t]; lo += part {
			list = append(list, fmt.Sprintf("INSERT INTO %s SELECT %s FROM generate_series(%d::bigint, %d) i", t, columns[t], lo, min(lo+part-1, rows[t])))
		}
	}
	return list
}

// makeShop fills an empty database, and leaves it as one that has stood for long.
func makeShop(ctx context.Context, dsn string, gb float64) error {
	var vacuum []string
	for _, t := range tables {
		vacuum = append(vacuum, "VACUUM (FREEZE, ANALYZE) "+t)
	}
	for _, stage := range append([][]string{{tablesSQL}, fills(gb), vacuum}, stages()...) {
		if err := onTwo(ctx, dsn, stage); err != nil {
			return err
		}
	}
	return nil
}

// onTwo runs statements on two connections, each the next of the list.
func onTwo(ctx context.Context, dsn string, statements []string) error {
	next := make(chan string, len(statements))
	for _, s := range statements {
		next <- s
	}
	close(next)
	g, ctx := errgroup.WithContext(ctx)
	for range min(connections, len(statements)) {
		g.Go(func() error {
			conn, err := pgconn.Connect(ctx, dsn)
			if err != nil {
				return err
			}
			defer conn.Close(context.WithoutCancel(ctx))
			for s := range next {
				if _, err := conn.Exec(ctx, s).ReadAll(); err != nil {
					return fmt.Errorf("%.60s…: %w", s, err)
				}
			}
			return nil
		})
	}
	return g.Wait()
}
