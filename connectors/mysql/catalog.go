package mysql

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/catalog"
)

// schema is what a database holds beside what a catalog says of it.
type schema struct {
	server    server
	database  string
	charset   string // of the database
	collation string
	fold      bool // the names of tables do not differ by case
	tables    map[string]*sourceTable
	names     []string // of the tables, in order
	objects   []*sourceObject
	beside    []catalog.Object // what is no object of the database, and has a fate all the same
	loaded    map[string]bool  // functions of loaded libraries, in lower case
}

// sourceTable is a table of the source.
type sourceTable struct {
	name, engine, create, comment string
	collation                     string
	versioned                     bool // WITH SYSTEM VERSIONING
	rows, bytes                   int64
	next                          int64 // of AUTO_INCREMENT; 0 for none
	text                          tableText
	described                     []describedColumn
	columns                       map[string]columnFacts
}

// describedColumn is a row of information_schema.COLUMNS.
type describedColumn struct {
	described
	name, comment, extra string
	notNull, readable    bool
}

// sourceObject is an object beside tables.
type sourceObject struct {
	object
	// unread says why the account cannot have its words; empty if it has.
	unread   string
	comment  string
	invalid  bool // a view that the server cannot run
	over     bool // an event whose time has passed, and that no server makes any more
	definer  bool // it runs with the rights of who made it
	position connectors.Sequence
}

// column returns facts about a column that exists.
func (sc *schema) column(table, column string) columnFacts {
	if t := sc.tables[table]; t != nil {
		return t.columns[column]
	}
	return columnFacts{}
}

// facts returns those of all columns, by table and column.
func (sc *schema) facts() map[string]map[string]columnFacts {
	all := make(map[string]map[string]columnFacts, len(sc.tables))
	for name, t := range sc.tables {
		all[name] = t.columns
	}
	return all
}

// own reports whether a name is that of the database.
func (sc *schema) own(name string) bool { return sc.same(name, sc.database) }

// same compares two names of tables or databases.
func (sc *schema) same(a, b string) bool { return a == b || sc.fold && strings.EqualFold(a, b) }

// ours reports whether a table is a mark, a ledger or a list of what to make again.
func ours(table string) bool { return table == markTable || table == ledgerTable || table == restTable }

// foreignEngines lists the storage engines whose tables hold no rows of their own, and why.
var foreignEngines = map[string]string{
	"FEDERATED": elsewhere, "CONNECT": elsewhere, "SPIDER": elsewhere, "S3": "has its rows in a store of the network", "BLACKHOLE": "keeps no rows",
	"MRG_MYISAM": "has its rows in other tables", "SPHINX": elsewhere, "OQGRAPH": "has its rows in other tables", "NDBINFO": elsewhere, "VIDEX": elsewhere,
}

const elsewhere = "has its rows on another server or in files"

// versionedEngines lists the engines that a consistent snapshot is of.
var versionedEngines = []string{"INNODB", "ROCKSDB", "TOKUDB"}

// transactional reports whether a table's engine knows transactions, and with them
// snapshots: what a transaction has loaded goes when it ends without a commit.
func (t *sourceTable) transactional() bool {
	return t.engine == "" || slices.Contains(versionedEngines, strings.ToUpper(t.engine))
}

// readCatalog reads the definitions of a database: few queries for all of it, and SHOW
// CREATE for each object, which alone says everything. It takes no lock that outlives the
// call, and is best called outside of a transaction. Information_schema hides what the account may not see; what can be hidden is an
// object of the catalog that says so, and a table that cannot be read whole is an error.
func readCatalog(ctx context.Context, s *session, database string) (*catalog.Catalog, *schema, error) {
	sc := &schema{server: s.server, database: database, tables: map[string]*sourceTable{}}
	for _, read := range []func(context.Context, *session) error{sc.readDatabase, sc.readTables, sc.readColumns, sc.readCreates, sc.readObjects, sc.readRights, sc.readBeside} {
		if err := read(ctx, s); err != nil {
			return nil, nil, err
		}
	}
	return sc.catalog(), sc, nil
}

// catalog makes a catalog of what has been read, and decides the fates.
func (sc *schema) catalog() *catalog.Catalog {
	var tables []*catalog.Table
	for _, n := range sc.names {
		tables = append(tables, sc.tableOf(sc.tables[n]))
	}
	resolve(sc, tables)
	objects := sc.objectsOf(tables)
	for _, t := range tables {
		sc.addTriggers(t)
	}
	sc.decideFates(tables, objects)
	objects = append(objects, sc.beside...)
	connectors.RedactDefinitions(tables, objects)
	c := catalog.New("mysql", sc.server.String(), "", tables, objects)
	// Each column has a character set of its own; the database's is only what new ones get.
	c.Encoding = sc.charset
	return c
}

// readDatabase looks at the database itself, and makes it the session's.
func (sc *schema) readDatabase(ctx context.Context, s *session) error {
	found := false
	err := s.query(ctx, "SELECT SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME, @@lower_case_table_names FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = "+literal(sc.database), func(r row) error {
		fold := r.number(3) != 0
		if r.text(0) == sc.database || fold && strings.EqualFold(r.text(0), sc.database) {
			sc.charset, sc.collation, sc.fold, found = r.text(1), r.text(2), fold, true
			sc.database = r.text(0)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !found {
		return &connectors.Error{Kind: connectors.KindUnavailable, Side: s.side, Op: "read the database " + sc.database,
			Err: errors.New("there is none of that name, or the account may not see it"), Hint: "check the name, and what the account may do"}
	}
	if !s.server.mariadb && s.server.version >= 80030 {
		// Else a primary key that the server has made would be hidden.
		if err := s.exec(ctx, "SET SESSION show_gipk_in_create_table_and_information_schema = ON"); err != nil {
			return err
		}
	}
	// The server leaves out the database in what it prints for the session's own.
	return s.exec(ctx, "USE "+ident(sc.database))
}

// readTables lists tables, views and sequences. Rows and bytes are asked for apart: a server
// opens each table to tell them, which a table of another server takes for a reason to
// connect to it.
func (sc *schema) readTables(ctx context.Context, s *session) error {
	foreign := false
	err := s.query(ctx, "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_COLLATION, TABLE_COMMENT "+
		"FROM information_schema.TABLES WHERE TABLE_SCHEMA = "+literal(sc.database)+" ORDER BY TABLE_NAME", func(r row) error {
		name := r.text(1)
		if r.text(0) != sc.database || ours(name) {
			return nil
		}
		switch r.text(2) {
		case "BASE TABLE", "SYSTEM VERSIONED":
			sc.tables[name] = &sourceTable{name: name, engine: r.text(3), versioned: r.text(2) != "BASE TABLE", collation: r.text(4), comment: r.text(5), columns: map[string]columnFacts{}}
			sc.names = append(sc.names, name)
			foreign = foreign || foreignEngines[strings.ToUpper(r.text(3))] != ""
		case "VIEW":
			sc.objects = append(sc.objects, &sourceObject{object: object{Kind: "view", Name: name}})
		case "SEQUENCE":
			sc.objects = append(sc.objects, &sourceObject{object: object{Kind: "sequence", Name: name}, comment: r.text(5)})
		}
		return nil
	})
	if err != nil {
		return err
	}
	const statement = "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_ROWS, DATA_LENGTH, AUTO_INCREMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = "
	sizes := func(r row) error {
		if t := sc.tables[r.text(1)]; t != nil && r.text(0) == sc.database {
			t.rows, t.bytes, t.next = r.number(2), r.number(3), r.number(4)
		}
		return nil
	}
	if !foreign {
		return s.query(ctx, statement+literal(sc.database), sizes)
	}
	for _, n := range sc.names {
		if foreignEngines[strings.ToUpper(sc.tables[n].engine)] != "" {
			continue
		}
		if err := s.query(ctx, statement+literal(sc.database)+" AND TABLE_NAME = "+literal(n), sizes); err != nil {
			return err
		}
	}
	return nil
}

func (sc *schema) readColumns(ctx context.Context, s *session) error {
	err := s.query(ctx, "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, IS_NULLABLE, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE, "+
		"CHARACTER_SET_NAME, COLLATION_NAME, COLUMN_TYPE, EXTRA, PRIVILEGES, COLUMN_COMMENT "+
		"FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = "+literal(sc.database)+" ORDER BY TABLE_NAME, ORDINAL_POSITION", func(r row) error {
		t := sc.tables[r.text(1)]
		if t == nil || r.text(0) != sc.database {
			return nil
		}
		c := describedColumn{name: r.text(2), notNull: r.text(3) == "NO", extra: strings.ToUpper(r.text(11)), comment: r.text(13)}
		c.dataType, c.length, c.precision, c.scale = strings.ToLower(r.text(4)), r.number(5), r.number(6), r.number(7)
		c.charset, c.collation = r.text(8), r.text(9)
		c.columnType, _, _ = strings.Cut(r.text(10), " /*")
		c.unsigned = strings.Contains(strings.ToLower(c.columnType), " unsigned")
		c.readable = slices.Contains(strings.Split(strings.ToLower(r.text(12)), ","), "select")
		t.described = append(t.described, c)
		t.columns[c.name] = c.columnFacts
		return nil
	})
	if err != nil {
		return err
	}
	var closed []string
	for _, n := range sc.names {
		for _, c := range sc.tables[n].described {
			if !c.readable {
				closed = append(closed, n+"."+c.name)
			}
		}
		if len(sc.tables[n].described) == 0 {
			closed = append(closed, n)
		}
	}
	return unreadable(s, closed)
}

// unreadable is the error of an account that may not read what it has to.
func unreadable(s *session, closed []string) error {
	if len(closed) == 0 {
		return nil
	}
	const most = 5
	more := ""
	if len(closed) > most {
		more = fmt.Sprintf(" and %d more", len(closed)-most)
		closed = closed[:most]
	}
	return &connectors.Error{Kind: connectors.KindUnavailable, Side: s.side, Op: "read " + strings.Join(closed, ", ") + more,
		Err: errors.New("missing right on a table or a column"), Hint: "GRANT SELECT on the database to the account"}
}

// readCreates reads how each table was made. The statements come as the bytes that the
// server has: MySQL mixes character sets in them, and would put question marks for what it
// cannot convert.
func (sc *schema) readCreates(ctx context.Context, s *session) error {
	if err := s.exec(ctx, "SET character_set_results = NULL"); err != nil {
		return err
	}
	err := sc.readTexts(ctx, s)
	if back := s.exec(ctx, "SET character_set_results = utf8mb4"); err == nil {
		err = back
	}
	return err
}

func (sc *schema) readTexts(ctx context.Context, s *session) error {
	for _, n := range sc.names {
		t := sc.tables[n]
		err := s.query(ctx, "SHOW CREATE TABLE "+within(sc.database, n), func(r row) error {
			t.create = hexed(r.text(1))
			return nil
		})
		if n := numberOf(err); n == 1142 || n == 1143 {
			return unreadable(s, []string{t.name})
		}
		if err != nil {
			return err
		}
		if err := sc.mendKeys(ctx, s, t); err != nil {
			return err
		}
		var ok bool
		if t.text, ok = parseTable(t.create); !ok {
			return &connectors.Error{Kind: connectors.KindUnsupported, Side: s.side, Op: "read the definition of " + n, Err: errors.New("what SHOW CREATE TABLE prints is not understood")}
		}
		var hidden []string
		for _, p := range t.text.parts {
			if _, seen := t.columns[p.name]; p.piece == columnPiece && !seen {
				hidden = append(hidden, n+"."+p.name)
			}
		}
		if err := unreadable(s, hidden); err != nil {
			return err
		}
		if s.server.mariadb {
			if err := sc.readDefaults(ctx, s, t); err != nil {
				return err
			}
		}
	}
	return nil
}

var (
	keyLine  = regexp.MustCompile("(?m)^  CONSTRAINT `.*` FOREIGN KEY \\(`.*$")
	plainKey = regexp.MustCompile("^  CONSTRAINT `[^`]+` FOREIGN KEY \\(`[^`]+`(, `[^`]+`)*\\) REFERENCES (`[^`]+`\\.)?`[^`]+` \\(`[^`]+`(, `[^`]+`)*\\)[ A-Z]*,?$")
)

// mendKeys puts the foreign keys of a table right whose names have a backtick. MariaDB up to
// 10.11.18 does not escape it (10.11.19 and 11.8.9 do), so that nothing tells where the name
// ends: then the catalog tells.
func (sc *schema) mendKeys(ctx context.Context, s *session, t *sourceTable) error {
	odd := slices.ContainsFunc(keyLine.FindAllString(t.create, -1), func(line string) bool { return !plainKey.MatchString(line) })
	if !odd || !s.server.mariadb {
		return nil
	}
	quoted := func(column string) string {
		return "GROUP_CONCAT('`', REPLACE(" + column + ", '`', '``'), '`' ORDER BY k.ORDINAL_POSITION SEPARATOR ', ')"
	}
	return s.query(ctx, "SELECT k.CONSTRAINT_NAME, "+quoted("k.COLUMN_NAME")+", k.REFERENCED_TABLE_SCHEMA, k.REFERENCED_TABLE_NAME, "+quoted("k.REFERENCED_COLUMN_NAME")+", r.DELETE_RULE, r.UPDATE_RULE "+
		"FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME "+
		"WHERE k.TABLE_SCHEMA = "+literal(sc.database)+" AND r.CONSTRAINT_SCHEMA = "+literal(sc.database)+" AND k.TABLE_NAME = "+literal(t.name)+" AND k.REFERENCED_TABLE_NAME IS NOT NULL GROUP BY k.CONSTRAINT_NAME", func(r row) error {
		name, to := r.text(0), ident(r.text(3))
		if !sc.own(r.text(2)) {
			to = within(r.text(2), r.text(3))
		}
		text := "  CONSTRAINT " + ident(name) + " FOREIGN KEY (" + r.text(1) + ") REFERENCES " + to + " (" + r.text(4) + ")"
		for i, on := range []string{" ON DELETE ", " ON UPDATE "} {
			if rule := r.text(5 + i); rule != "RESTRICT" {
				text += on + rule
			}
		}
		t.create = keyLine.ReplaceAllStringFunc(t.create, func(line string) string {
			if !strings.HasPrefix(line, "  CONSTRAINT `"+name+"` FOREIGN KEY (") && !strings.HasPrefix(line, "  CONSTRAINT "+ident(name)+" FOREIGN KEY (") {
				return line
			}
			if strings.HasSuffix(line, ",") {
				return text + ","
			}
			return text
		})
		return nil
	})
}

// readDefaults reads the defaults that MariaDB prints as question marks: what is above
// U+FFFF.
func (sc *schema) readDefaults(ctx context.Context, s *session, t *sourceTable) error {
	for i, p := range t.text.parts {
		at := slices.IndexFunc(t.described, func(c describedColumn) bool { return c.name == p.name })
		if p.piece != columnPiece || at < 0 || charsetOf(t.described[at].charset) != catalog.Unicode || t.described[at].charset == "" {
			continue
		}
		d := p.column().fallback
		if !strings.HasPrefix(d, "'") || !strings.Contains(d, "?") {
			continue
		}
		value, err := s.word(ctx, "SELECT hex(DEFAULT("+ident(p.name)+")) FROM (SELECT 1) AS one LEFT JOIN "+within(sc.database, t.name)+" ON false")
		if err != nil {
			return err
		}
		text := strings.Replace(p.text, " DEFAULT "+d, " DEFAULT _"+t.described[at].charset+" X'"+strings.ToLower(value)+"'", 1)
		t.text.parts[i] = parsePart(text, quoting{}.tokens(text))
	}
	return nil
}

// part returns the part of a table that defines a column.
func (t *sourceTable) part(column string) tablePart {
	for _, p := range t.text.parts {
		if p.piece == columnPiece && p.name == column {
			return p
		}
	}
	return tablePart{}
}

// tableOf makes a catalog's table.
func (sc *schema) tableOf(from *sourceTable) *catalog.Table {
	t := &catalog.Table{ID: catalog.TableID{Name: from.name}, Kind: catalog.Ordinary, Rows: from.rows, Bytes: from.bytes, Comment: from.comment}
	if foreignEngines[strings.ToUpper(from.engine)] != "" {
		t.Kind, t.Rows, t.Bytes = catalog.Foreign, 0, 0
	}
	for _, d := range from.described {
		p := from.part(d.name)
		written := p.column()
		for _, w := range p.tokens {
			if (d.dataType == "enum" || d.dataType == "set") && w.sort == textToken {
				d.labels = append(d.labels, quoting{}.unquoteText(w.text))
			}
			if w.is(")") {
				break
			}
		}
		d.json = d.dataType == "longtext" && strings.EqualFold(written.check, "(json_valid("+ident(d.name)+"))")
		c := catalog.Column{Name: d.name, Type: typeOf(d.described), NotNull: d.notNull, Default: written.fallback, Computation: written.computed, Comment: d.comment}
		if d.collation != sc.collation {
			c.Collation = d.collation
		}
		switch {
		case strings.Contains(d.extra, "VIRTUAL GENERATED"):
			c.Generation = catalog.Virtual
		case strings.Contains(d.extra, "STORED GENERATED"), strings.Contains(d.extra, "PERSISTENT"), written.computed != "":
			c.Generation = catalog.Stored
		case written.counts:
			c.Generation = catalog.IdentityByDefault
		}
		t.Columns = append(t.Columns, c)
		if written.check != "" && !d.json {
			t.Checks = append(t.Checks, catalog.Definition{Name: d.name, Text: "CHECK " + written.check, Reads: columnsIn(t, p.tokens)})
		}
	}
	for i, c := range t.Checks {
		// Now all columns are there.
		t.Checks[i].Reads = columnsIn(t, quoting{}.tokens(c.Text))
	}
	for _, p := range from.text.parts {
		sc.addPart(t, p)
	}
	addPartitions(t, from)
	return t
}

// addPartitions adds by what columns a table's partitions are chosen, and where they begin
// and end. Those of MySQL are no tables of their own.
func addPartitions(t *catalog.Table, from *sourceTable) {
	bounds, _ := bareOptions(from.text.partitions)
	all := quoting{}.tokens(bounds)
	by := slices.IndexFunc(all, func(w token) bool { return w.is("BY") })
	if by < 0 {
		return
	}
	var key []token // what stands in brackets: words outside of them are no columns
	depth, byKey := 0, false
	for _, w := range all[by:] {
		if w.is("PARTITION") && depth == 1 {
			break // the list of partitions
		}
		switch {
		case w.is("("):
			depth++
		case w.is(")"):
			depth--
		case depth > 0:
			key = append(key, w)
		case w.is("KEY"):
			byKey = true
		}
	}
	if t.PartitionKey = columnsIn(t, key); t.PartitionKey == nil && t.PrimaryKey != nil && byKey {
		t.PartitionKey = slices.Clone(t.PrimaryKey.Columns) // PARTITION BY KEY ()
	}
	if slices.ContainsFunc(all, func(w token) bool { return w.is("VALUES") }) {
		t.Bounds = bounds
	}
}

// addPart adds a key, a foreign key or a check to a table.
func (sc *schema) addPart(t *catalog.Table, p tablePart) {
	switch p.piece {
	case primaryPiece, uniquePiece:
		k := catalog.Key{Name: p.name}
		rule := catalog.Rule{Name: p.name}
		plain := true
		for _, kp := range p.keys {
			plain = plain && kp.column != "" && kp.length == 0 && !kp.overlaps
			k.Columns = append(k.Columns, spelling(t, kp.column))
			rule.Parts = append(rule.Parts, ruledPart(t, kp))
		}
		switch {
		case p.piece == primaryPiece && plain:
			t.PrimaryKey = &k
		case plain:
			t.Unique = append(t.Unique, k)
		default:
			t.Rules = append(t.Rules, rule)
		}
		fallthrough
	case indexPiece:
		if slices.ContainsFunc(p.keys, func(k keyPart) bool { return k.column == "" }) {
			t.Indexes = append(t.Indexes, catalog.Definition{Name: p.name, Text: p.text, Reads: columnsIn(t, p.tokens[1:])})
		}
	case checkPiece:
		if !slices.ContainsFunc(p.tokens, func(w token) bool { return w.is("ENFORCED") }) {
			t.Checks = append(t.Checks, catalog.Definition{Name: p.name, Text: "CHECK " + p.check, Reads: columnsIn(t, quoting{}.tokens(p.check))})
		}
	case foreignPiece:
		if p.database != "" && !sc.own(p.database) {
			return // it stays behind; see tether.go
		}
		k := catalog.ForeignKey{Name: p.name, References: catalog.TableID{Name: p.references}, Validated: true}
		for i := range min(len(p.columns), len(p.pointed)) {
			k.Pairs = append(k.Pairs, catalog.Pair{Column: spelling(t, p.columns[i]), References: p.pointed[i]})
		}
		t.ForeignKeys = append(t.ForeignKeys, k)
	}
}

// ruledPart says what a part of a unique key compares, that is more than a column.
func ruledPart(t *catalog.Table, k keyPart) catalog.Part {
	switch {
	case k.column != "" && k.length > 0:
		return catalog.Part{Expression: fmt.Sprintf("left(%s, %d)", ident(k.column), k.length), Reads: []string{spelling(t, k.column)}}
	case k.overlaps:
		return catalog.Part{Expression: "period " + ident(k.column), Reads: columnNames(t)}
	case k.column != "":
		return catalog.Part{Column: spelling(t, k.column)}
	}
	all := quoting{}.tokens(k.expression)
	for len(all) > 2 && all[0].is("(") && closing(all) == len(all)-1 {
		all = all[1 : len(all)-1]
	}
	if len(all) == 4 && (all[0].is("lower") || all[0].is("upper") || all[0].is("lcase") || all[0].is("ucase")) && all[2].sort == nameToken {
		return catalog.Part{Column: spelling(t, all[2].text), Equality: catalog.FoldCase}
	}
	return catalog.Part{Expression: k.expression, Reads: columnsIn(t, all)}
}

// resolve gives each reference the spelling of the table and the columns that it means. A
// key to a table that is missing, which a server lets be where it does not check keys,
// holds for no row.
func resolve(sc *schema, tables []*catalog.Table) {
	byName := map[string]*catalog.Table{}
	for _, t := range tables {
		byName[t.ID.Name] = t
	}
	for _, t := range tables {
		for i := range t.ForeignKeys {
			k := &t.ForeignKeys[i]
			to := byName[k.References.Name]
			if to == nil && sc.fold {
				if at := slices.IndexFunc(tables, func(to *catalog.Table) bool { return strings.EqualFold(to.ID.Name, k.References.Name) }); at >= 0 {
					to = tables[at]
				}
			}
			if to == nil {
				k.Validated = false
				continue
			}
			k.References = to.ID
			for p := range k.Pairs {
				k.Pairs[p].References = spelling(to, k.Pairs[p].References)
				k.Validated = k.Validated && to.Column(k.Pairs[p].References) != nil
			}
		}
	}
}

// spelling returns a column's name as the table spells it; case makes no difference.
func spelling(t *catalog.Table, column string) string {
	for _, c := range t.Columns {
		if strings.EqualFold(c.Name, column) {
			return c.Name
		}
	}
	return column
}

func columnNames(t *catalog.Table) (all []string) {
	for _, c := range t.Columns {
		all = append(all, c.Name)
	}
	return all
}

// columnsIn returns the columns of a table whose names stand among the words: all that an
// expression can read, and perhaps one more.
func columnsIn(t *catalog.Table, all []token) (found []string) {
	seen := map[string]bool{}
	for _, w := range all {
		if w.names() {
			seen[strings.ToLower(w.text)] = true
		}
	}
	for _, c := range t.Columns {
		if seen[strings.ToLower(c.Name)] {
			found = append(found, c.Name)
		}
	}
	return found
}
