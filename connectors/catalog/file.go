package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"unicode/utf8"
)

// FileVersion is the version of the format that Write writes and Read reads.
const FileVersion = 1

// mostBytes bounds a catalog file: some ten times what 5,000 wide tables need.
const mostBytes = 256 << 20

// plain is a Catalog without its methods, so that encoding/json sees the fields alone.
type plain Catalog

// file is a catalog file: the catalog's fields, and before them the version.
type file struct {
	Version int `json:"version"`
	*plain
}

// Write writes the catalog as a file that Read reads: definitions and estimates of
// sizes, no rows. It fails for a name that is not UTF-8, which JSON cannot hold.
func (c *Catalog) Write(w io.Writer) error {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(file{FileVersion, (*plain)(c)}); err != nil {
		return fmt.Errorf("write the catalog: %w", err)
	}
	if replaced(out.Bytes()) {
		return errors.New("write the catalog: a name or a definition is not UTF-8, which JSON cannot hold")
	}
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write the catalog: %w", err)
	}
	return nil
}

// replaced reports whether the encoder has written its escape for bytes that are no
// UTF-8. The character itself it writes as it is.
func replaced(b []byte) bool {
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' {
			continue
		}
		if bytes.HasPrefix(b[i:], []byte(`\ufffd`)) {
			return true
		}
		i++ // what an escape escapes begins none
	}
	return false
}

// Load reads a catalog file. Its errors are of type *FileError and name the path and
// the place in it.
func Load(path string) (*Catalog, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer f.Close() // read-only: what it says adds nothing
	c, err := Read(f)
	if err != nil {
		var fe *FileError
		if !errors.As(err, &fe) {
			return nil, unreadable(path, err)
		}
		fe.Path = path
		return nil, fe
	}
	return c, nil
}

// unreadable is a file that the system does not give; its own error names the path again.
func unreadable(path string, err error) error {
	reason := err
	var pe *fs.PathError
	if errors.As(err, &pe) {
		reason = pe.Err
	}
	return &FileError{Path: path, Reason: reason.Error(), Help: "name a file that sanitize inspect wrote", Err: err}
}

// FileError is a catalog file that cannot be read as one.
type FileError struct {
	Path   string // empty where it was no file
	Line   int    // 1-based; 0 where no line is to blame
	At     string // the place in the document: tables[3].columns[0].type
	Reason string
	Help   string // what a person can do; may be empty
	Err    error  // cause; may be nil
}

// Error returns path:line: place: reason.
func (e *FileError) Error() string {
	s := "catalog file"
	if e.Path != "" {
		s += " " + e.Path
	}
	if e.Line > 0 {
		s += fmt.Sprintf(":%d", e.Line)
	}
	if e.At != "" {
		s += ": " + e.At
	}
	return s + ": " + e.Reason
}

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }

// Hint returns what a person can do.
func (e *FileError) Hint() string { return e.Help }

// remake is the hint where a file is of no use.
const remake = "make the file anew: sanitize inspect --from SOURCE > shop.catalog.json"

// Read reads what Write wrote, strictly: a field that it does not know, a field twice,
// another version, two tables of one name, or a key to a table or column that is not
// there is an error with its place. What it returns equals the catalog that was written.
func Read(r io.Reader) (*Catalog, error) { return read(r, mostBytes) }

func read(r io.Reader, most int64) (*Catalog, error) {
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, fmt.Errorf("read the catalog: %w", err)
	}
	if int64(len(b)) > most {
		return nil, &FileError{Reason: fmt.Sprintf("it is larger than %d MiB", most>>20)}
	}
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(b) {
		reason := "it is not UTF-8"
		if bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff")) {
			reason = "it is UTF-16, as some shells write what they redirect"
		}
		return nil, &FileError{Reason: reason, Help: "write it as UTF-8"}
	}
	if err := checkShape(b); err != nil {
		return nil, err
	}
	f := file{plain: &plain{}}
	if err := json.Unmarshal(b, &f); err != nil {
		// The shape has been checked: what is left is a kind or a number that is none.
		return nil, &FileError{Reason: err.Error(), Help: remake}
	}
	c := (*Catalog)(f.plain)
	if err := c.check(); err != nil {
		return nil, err
	}
	c.index()
	return c, nil
}

// check refuses a catalog that no database can have, or that would lead its readers
// astray: they trust a catalog as they trust the server's.
func (c *Catalog) check() error {
	fail := func(at, format string, args ...any) error {
		return &FileError{At: at, Reason: fmt.Sprintf(format, args...), Help: remake}
	}
	if c.Connector == "" {
		return fail("connector", "it is missing")
	}
	byID := make(map[TableID]*Table, len(c.Tables))
	for i, t := range c.Tables {
		at := fmt.Sprintf("tables[%d]", i)
		if t == nil || t.ID.Name == "" {
			return fail(at, "a table without a name")
		}
		if byID[t.ID] != nil {
			return fail(at, "a second table %s", t.ID)
		}
		byID[t.ID] = t
	}
	for i, t := range c.Tables {
		at, reason := t.check(byID)
		if reason != "" {
			return fail(fmt.Sprintf("tables[%d]%s (%s)", i, at, t.ID), "%s", reason)
		}
	}
	// Above is walked until there is nothing above: a circle would never end.
	for i, t := range c.Tables {
		seen := map[TableID]bool{}
		for up := t; up != nil && up.IsPartition; up = byID[up.Parents[0]] {
			if seen[up.ID] {
				return fail(fmt.Sprintf("tables[%d].parents (%s)", i, t.ID), "a partition of itself")
			}
			seen[up.ID] = true
		}
	}
	for i, o := range c.Objects {
		if o.Kind == "" || o.Name == "" {
			return fail(fmt.Sprintf("objects[%d]", i), "an object without kind or name")
		}
		if !slices.Contains(fates, o.Fate) {
			return fail(fmt.Sprintf("objects[%d].fate", i), "there is no fate %q", o.Fate)
		}
	}
	return nil
}

// check returns where the table is not sound, and why; "" if it is.
func (t *Table) check(tables map[TableID]*Table) (at, reason string) {
	if t.Kind != Ordinary && t.Kind != Partitioned && t.Kind != Foreign {
		return ".kind", fmt.Sprintf("there is no kind of table %q", t.Kind)
	}
	if t.Rows < 0 || t.Bytes < 0 {
		return "", "a size below 0"
	}
	columns := make(map[string]bool, len(t.Columns))
	for i, c := range t.Columns {
		at := fmt.Sprintf(".columns[%d]", i)
		switch {
		case c.Name == "":
			return at, "a column without a name"
		case columns[c.Name]:
			return at, "a second column " + c.Name
		case !slices.Contains(generations, c.Generation):
			return at + ".generation", fmt.Sprintf("there is no generation %q", c.Generation)
		}
		if reason := c.Type.check(); reason != "" {
			return at + ".type", reason
		}
		columns[c.Name] = true
	}
	missing := func(names []string) string {
		for _, n := range names {
			if !columns[n] {
				return "there is no column " + n
			}
		}
		if len(names) == 0 {
			return "a key without columns"
		}
		return ""
	}
	if t.PrimaryKey != nil {
		if reason := missing(t.PrimaryKey.Columns); reason != "" {
			return ".primary_key", reason
		}
	}
	for i, k := range t.Unique {
		if reason := missing(k.Columns); reason != "" {
			return fmt.Sprintf(".unique[%d]", i), reason
		}
	}
	for i, r := range t.Rules {
		for _, p := range r.Parts {
			if p.Column != "" && !columns[p.Column] {
				return fmt.Sprintf(".rules[%d]", i), "there is no column " + p.Column
			}
		}
	}
	for i, k := range t.ForeignKeys {
		at := fmt.Sprintf(".foreign_keys[%d]", i)
		if reason := missing(k.Columns()); reason != "" {
			return at, reason
		}
		to := tables[k.References]
		if to == nil {
			if k.Validated { // SQLite lets a key point to nothing, and does not vouch for it
				return at, fmt.Sprintf("it points to %s, which is not in the file", k.References)
			}
			continue
		}
		for _, p := range k.Pairs {
			if k.Validated && to.Column(p.References) == nil {
				return at, fmt.Sprintf("it points to %s.%s, which is not in the file", k.References, p.References)
			}
		}
	}
	for _, p := range t.Parents {
		if tables[p] == nil {
			return ".parents", fmt.Sprintf("%s is not in the file", p)
		}
	}
	if t.IsPartition && len(t.Parents) == 0 {
		return ".is_partition", "a partition of nothing"
	}
	for _, name := range t.PartitionKey {
		if !columns[name] {
			return ".partition_key", "there is no column " + name
		}
	}
	return "", ""
}

var fates = []Fate{Comes, Stays, Neutralised, Noted, Stops}

var generations = []Generation{Plain, Stored, Virtual, IdentityAlways, IdentityByDefault}

// check returns why a type makes no sense; "" if it does.
func (t Type) check() string {
	switch {
	case t.Bits < 0 || t.Bits > 64:
		return fmt.Sprintf("a number of %d bits", t.Bits)
	case t.Length < 0 || t.MaxBytes < 0 || t.Precision < 0:
		return "a length below 0"
	case t.Element == nil && (t.Kind == Array || t.Kind == Range || t.Kind == Hstore):
		return fmt.Sprintf("of kind %s, without its element", t.Kind)
	}
	if t.Element != nil {
		if reason := t.Element.check(); reason != "" {
			return reason
		}
	}
	for _, f := range t.Fields {
		if reason := f.Type.check(); reason != "" {
			return reason
		}
	}
	return ""
}
