package rows

import (
	"database/sql/driver"

	"github.com/sanitize-db/sanitize/connectors"
)

// Choice is which rows of a table a reader gives out, as Filterer.Filter has prepared it. A
// nil Choice is all of them. Keeper's function is for one goroutine.
type Choice struct {
	Filter connectors.Filter // with its key
	Most   *connectors.RowHash
}

// Condition returns the condition in parentheses, on lines of its own, or "".
func (c *Choice) Condition() string {
	if c == nil || c.Filter.Where == "" {
		return ""
	}
	return "(\n" + c.Filter.Where + "\n)"
}

// Keys returns the columns by whose text rows are chosen.
func (c *Choice) Keys() []string {
	if c == nil || c.Filter.Chooser(nil) == nil {
		return nil
	}
	return c.Filter.Key
}

// Keeper returns the function that says by the texts of a row's keys whether it stays, or nil
// if all do.
func (c *Choice) Keeper() func(key ...[]byte) bool {
	if len(c.Keys()) == 0 {
		return nil
	}
	chooser := c.Filter.Chooser(c.Most)
	return func(key ...[]byte) bool { return chooser.Keeps(chooser.Hash(key...)) }
}

// KeyOf returns the texts of a row's keys, as drivers have them.
func KeyOf(values []driver.Value) [][]byte {
	key := make([][]byte, len(values))
	for i, v := range values {
		switch v := v.(type) {
		case []byte:
			key[i] = v
		case string:
			key[i] = []byte(v)
		}
	}
	return key
}
