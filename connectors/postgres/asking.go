package postgres

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// A condition that chooses rows means what it means to whoever asks the source: where a day begins,
// and whether 01/02/03 is in January, is said by the database. Rows and keys are printed alike
// whatever the database says. Where the two cannot be had by one statement, the places of the rows
// are asked for first.

// asking is how a condition is asked: by the settings of the database.
type asking struct {
	begin, end string // make them, and those of our sessions again
	prints     bool   // values are printed otherwise under them
}

// askingBy returns how a condition is asked at a source with these settings; nil where it is no
// matter.
func (c *config) askingBy(session [][2]string) *asking {
	a := &asking{}
	for _, ours := range c.settings() {
		i := slices.IndexFunc(session, func(kv [2]string) bool { return kv[0] == ours[0] })
		if i < 0 || session[i][1] == ours[1] {
			continue
		}
		its := session[i][1]
		switch ours[0] {
		case "TimeZone":
			if its == "Etc/UTC" {
				continue
			}
			a.prints = true
		case "DateStyle": // the order of day and month is none of printing's in ISO
			a.prints = a.prints || !strings.HasPrefix(strings.ToUpper(its), "ISO")
		case "IntervalStyle":
			a.prints = true
		default:
			continue
		}
		a.begin += "SET LOCAL " + ours[0] + " = " + literal(its) + "; "
		a.end += "; SET LOCAL " + ours[0] + " = " + literal(ours[1])
	}
	if a.begin == "" {
		return nil
	}
	a.begin, a.end = strings.TrimSuffix(a.begin, "; "), strings.TrimPrefix(a.end, "; ")
	return a
}

// around asks a statement so.
func (a *asking) around(sql string) string {
	if a == nil {
		return sql
	}
	return a.begin + "; " + sql + "; " + a.end
}

// printsApart reports whether rows, as they travel, are printed otherwise than the condition is asked.
func (c *choice) printsApart(layout *connectors.Layout) bool {
	return c != nil && c.by != nil && c.by.prints && layout.Format == Text
}

// placed reports whether what is asked of the rows is asked of their places.
func (c *choice) placed() bool { return c.hashed() || c != nil && c.by != nil }

// met returns, for the rows of a table within a range that meet the condition, what stands behind FROM
// in statements that read them one after the other.
func (c *choice) met(ctx context.Context, conn *pgx.Conn, id catalog.TableID, within string) ([]string, error) {
	p := rowPlaces{of: id}
	err := rowsOfAll(ctx, conn, c.by.around("SELECT ctid::text FROM "+c.from(id)+c.and(within)), func(row [][]byte) { p.add(row[0]) })
	return p.all(), err
}

// rowPlaces gathers the places of rows of a table.
type rowPlaces struct {
	of   catalog.TableID
	tids []string
	from []string
}

func (p *rowPlaces) add(tid []byte) {
	if p.tids = append(p.tids, string(tid)); len(p.tids) == mostTIDs {
		p.from = append(p.from, placesFrom(p.of, p.tids))
		p.tids = p.tids[:0]
	}
}

// all returns what stands behind FROM for the rows, of so many at a time.
func (p *rowPlaces) all() []string {
	switch {
	case len(p.tids) > 0:
		return append(p.from, placesFrom(p.of, p.tids))
	case len(p.from) == 0:
		return []string{"ONLY " + table(p.of) + " WHERE false"}
	}
	return p.from
}

// rowsOfAll hands over the rows of statements, as text.
func rowsOfAll(ctx context.Context, conn *pgx.Conn, sql string, row func([][]byte)) error {
	results := conn.PgConn().Exec(ctx, sql)
	for results.NextResult() {
		for r := results.ResultReader(); r.NextRow(); {
			row(r.Values())
		}
	}
	return results.Close()
}
