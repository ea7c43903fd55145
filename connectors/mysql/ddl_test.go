package mysql

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTokens(t *testing.T) {
	for _, c := range []struct {
		mode, sql string
		want      []string // text, with the first letter of its sort
	}{
		{"", "a `b``c` 'd''e\\'f' \"g\"", []string{"wa", "nb`c", "t'd''e\\'f'", `t"g"`}},
		{"ANSI_QUOTES", `"a""b" 'c'`, []string{`na"b`, "t'c'"}},
		{"NO_BACKSLASH_ESCAPES", `'a\' b`, []string{`t'a\'`, "wb"}},
		{"ORACLE", `"a"`, []string{"na"}},
		{"", "1 1.5 .5 1e5 0xFF 1a t.1 -2", []string{"#1", "#1.5", "#.5", "#1e5", "#0xFF", "w1a", "wt", "m.", "#1", "m-", "#2"}},
		{"", "a -- b\nc # d\n/* e */ f --g", []string{"wa", "wc", "wf", "m-", "m-", "wg"}},
		{"", "a /*!80016 NOT ENFORCED */ b", []string{"wa", "o/*!80016", "wNOT", "wENFORCED", "c*/", "wb"}},
		{"", "a /*M!100301 COMPRESSED*/, b", []string{"wa", "o/*M!100301", "wCOMPRESSED", "c*/", "m,", "wb"}},
		{"", "/*! a /* b */ c */ d", []string{"o/*!", "wa", "wc", "c*/", "wd"}},
		{"", "a * b / c", []string{"wa", "m*", "wb", "m/", "wc"}},
		{"", "_latin1'x' b'01' é", []string{"w_latin1", "t'x'", "wb", "t'01'", "wé"}},
		{"", "'open", []string{"t'open"}},
		{"", "`open", []string{"nopen"}},
		{"", "/* open", nil},
		{"", "'a\\", []string{"t'a\\"}},
	} {
		var got []string
		for _, w := range quotingOf(c.mode).tokens(c.sql) {
			got = append(got, string("wnt#moc"[w.sort])+w.text)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.sql, got, c.want)
		}
	}
}

func TestUnquoteText(t *testing.T) {
	for in, want := range map[string]string{`'a''b'`: "a'b", `'\\ \n \0 \Z \' \% \q'`: "\\ \n \x00 \x1a ' \\% q", `""`: "", `'`: "", `'\'`: `\`} {
		if got := (quoting{}).unquoteText(in); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
	if got := (quoting{plain: true}).unquoteText(`'\n'`); got != `\n` {
		t.Errorf("%q", got)
	}
}

const shown = "CREATE TABLE `t``1` (\n" +
	"  `id` bigint unsigned NOT NULL AUTO_INCREMENT,\n" +
	"  `a` varchar(10) CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT 'it''s, \\\\ )' COMMENT 'DEFAULT 1, (',\n" +
	"  `e` enum('a,b','(') DEFAULT NULL,\n" +
	"  `g` int GENERATED ALWAYS AS ((`id` + 1)) VIRTUAL,\n" +
	"  `j` longtext DEFAULT json_array(1,'x') CHECK (json_valid(`j`)),\n" +
	"  `h` int DEFAULT '3' /*!80023 INVISIBLE */,\n" +
	"  `c` timestamp(6) GENERATED ALWAYS AS ROW START INVISIBLE,\n" +
	"  PRIMARY KEY (`id`),\n" +
	"  UNIQUE KEY `u` ((lower(`a`)),`e` DESC),\n" +
	"  KEY `p` (`a`(5)) /*!80000 INVISIBLE */,\n" +
	"  FULLTEXT KEY `ft` (`a`) /*!50100 WITH PARSER `ngram` */ ,\n" +
	"  UNIQUE KEY `o` (`e`,`app` WITHOUT OVERLAPS),\n" +
	"  PERIOD FOR SYSTEM_TIME (`c`, `d`),\n" +
	"  CONSTRAINT `f``k` FOREIGN KEY (`a`,`e`) REFERENCES `other`.`t2` (`y`,`x`) ON DELETE CASCADE,\n" +
	"  CONSTRAINT `ck` CHECK ((`a` <> _utf8mb4')')) /*!80016 NOT ENFORCED */\n" +
	") ENGINE=InnoDB AUTO_INCREMENT=5 DEFAULT CHARSET=utf8mb4 COMMENT='PARTITION BY (x)'\n" +
	"/*!50100 PARTITION BY RANGE (`id`)\n(PARTITION p0 VALUES LESS THAN (5) COMMENT = ')' ENGINE = InnoDB) */"

func TestParseTable(t *testing.T) {
	got, ok := parseTable(shown)
	if !ok || got.head != "CREATE TABLE `t``1`" {
		t.Fatalf("%v, %q", ok, got.head)
	}
	type piecemeal struct {
		piece piece
		name  string
		keys  []keyPart
	}
	var pieces []piecemeal
	for _, p := range got.parts {
		pieces = append(pieces, piecemeal{p.piece, p.name, p.keys})
	}
	want := []piecemeal{
		{columnPiece, "id", nil}, {columnPiece, "a", nil}, {columnPiece, "e", nil}, {columnPiece, "g", nil}, {columnPiece, "j", nil}, {columnPiece, "h", nil}, {columnPiece, "c", nil},
		{primaryPiece, "PRIMARY", []keyPart{{column: "id"}}},
		{uniquePiece, "u", []keyPart{{expression: "(lower(`a`))"}, {column: "e", descending: true}}},
		{indexPiece, "p", []keyPart{{column: "a", length: 5}}},
		{indexPiece, "ft", []keyPart{{column: "a"}}},
		{uniquePiece, "o", []keyPart{{column: "e"}, {column: "app", overlaps: true}}},
		{otherPiece, "", nil}, {foreignPiece, "f`k", nil}, {checkPiece, "ck", nil},
	}
	if !reflect.DeepEqual(pieces, want) {
		t.Errorf("%+v, want %+v", pieces, want)
	}
	fk, check := got.parts[13], got.parts[14]
	if !slices.Equal(fk.columns, []string{"a", "e"}) || fk.database != "other" || fk.references != "t2" || !slices.Equal(fk.pointed, []string{"y", "x"}) {
		t.Errorf("foreign key: %+v", fk)
	}
	if check.check != "((`a` <> _utf8mb4')'))" {
		t.Errorf("check: %s", check.check)
	}
	for i, want := range []columnText{
		{counts: true}, {fallback: `'it''s, \\ )'`}, {}, {computed: "(`id` + 1)"}, {fallback: "json_array(1,'x')", check: "(json_valid(`j`))"},
		{fallback: "'3'", invisible: true}, {computed: "ROW START", invisible: true},
	} {
		if c := got.parts[i].column(); c != want {
			t.Errorf("column %s: %+v, want %+v", got.parts[i].name, c, want)
		}
	}
	if got.options != "ENGINE=InnoDB AUTO_INCREMENT=5 DEFAULT CHARSET=utf8mb4 COMMENT='PARTITION BY (x)'" || !strings.HasPrefix(got.partitions, "/*!50100 PARTITION BY RANGE") {
		t.Errorf("%s\n%s", got.options, got.partitions)
	}
	for _, sql := range []string{"", "CREATE", "CREATE TABLE t", "CREATE TABLE t (", "CREATE TABLE t (a int", "SELECT (1)"} {
		if _, ok := parseTable(sql); ok {
			t.Errorf("%q is taken for a table", sql)
		}
	}
}

func TestBareOptions(t *testing.T) {
	for _, c := range []struct {
		sql, want string
		left      []string
	}{
		{"ENGINE=InnoDB AUTO_INCREMENT=5 DEFAULT CHARSET=utf8mb4 COMMENT='AUTO_INCREMENT=7 DATA DIRECTORY=''x'''", "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='AUTO_INCREMENT=7 DATA DIRECTORY=''x'''", nil},
		{"ENGINE=InnoDB DATA DIRECTORY='/a b/' INDEX DIRECTORY='/c' ROW_FORMAT=DYNAMIC", "ENGINE=InnoDB ROW_FORMAT=DYNAMIC", []string{"DATA DIRECTORY", "INDEX DIRECTORY"}},
		{"/*!50100 TABLESPACE `ts` */ ENGINE=InnoDB /*!80016 ENCRYPTION='Y' */", "ENGINE=InnoDB", []string{"TABLESPACE", "ENCRYPTION"}},
		{"/*!50100 TABLESPACE `ts` STORAGE DISK */ ENGINE=NDB", "/*!50100 */ ENGINE=NDB", []string{"TABLESPACE", "STORAGE"}},
		{"ENGINE=InnoDB `ENCRYPTED`=YES `ENCRYPTION_KEY_ID`=3 `PAGE_COMPRESSED`=1", "ENGINE=InnoDB `PAGE_COMPRESSED`=1", []string{"ENCRYPTED", "ENCRYPTION_KEY_ID"}},
		{"ENGINE=FEDERATED CONNECTION='mysql://u:p@h/d/t'", "ENGINE=FEDERATED", []string{"CONNECTION"}},
		{"PARTITION BY HASH (`tablespace`) (PARTITION `encryption` DATA DIRECTORY = '/x' ENGINE = InnoDB)", "PARTITION BY HASH (`tablespace`) (PARTITION `encryption` ENGINE = InnoDB)", []string{"DATA DIRECTORY"}},
		{"", "", nil},
	} {
		got, left := bareOptions(c.sql)
		if got != c.want || !slices.Equal(left, c.left) {
			t.Errorf("%s:\n%s %q, want\n%s %q", c.sql, got, left, c.want, c.left)
		}
	}
}

func TestHexed(t *testing.T) {
	for in, want := range map[string]string{
		"a 'é' _utf8mb4'é' _latin1'abc'":     "a 'é' _utf8mb4'é' _latin1'abc'",
		"(concat(`a`,_latin1' \xe9\\''))":    "(concat(`a`,_latin1 X'20e927'))",
		"DEFAULT 'A\xff\\0' COMMENT 'é'":     "DEFAULT  X'41ff00' COMMENT 'é'",
		"_koi8r'\xd0\x96' 'x' `\xff` _x 'é'": "_koi8r X'd096' 'x' `\xff` _x 'é'",
	} {
		if got := hexed(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// TestObjects takes the ties out of objects: who made them, whose rights they have, when
// they act, and the database's own name.
func TestObjects(t *testing.T) {
	sc := &schema{database: "shop", tables: map[string]*sourceTable{"t": {name: "t"}, "shop": {name: "shop"}}}
	for _, c := range []struct{ kind, mode, sql, want string }{
		{"view", "", "CREATE ALGORITHM=UNDEFINED DEFINER=`a`@`%` SQL SECURITY DEFINER VIEW `v` AS select `shop`.`f`(1),'DEFINER=`a`@`b`' from `t`",
			"CREATE ALGORITHM=UNDEFINED SQL SECURITY INVOKER VIEW `v` AS select `f`(1),'DEFINER=`a`@`b`' from `t`"},
		{"view", "", "CREATE DEFINER=`a`@`%` SQL SECURITY DEFINER VIEW `v` AS select `shop`.`t`.`c` from `shop`.`t`", "CREATE SQL SECURITY INVOKER VIEW `v` AS select `t`.`c` from `t`"},
		{"procedure", "", "CREATE DEFINER=`a`@`%` PROCEDURE `p`(IN x enum('(',')'))\nSELECT 1", "CREATE PROCEDURE `p`(IN x enum('(',')'))\n    SQL SECURITY INVOKER\nSELECT 1"},
		{"procedure", "", "CREATE PROCEDURE `p`()\n    COMMENT 'SQL SECURITY INVOKER'\nSELECT 1", "CREATE PROCEDURE `p`()\n    SQL SECURITY INVOKER\n    COMMENT 'SQL SECURITY INVOKER'\nSELECT 1"},
		{"function", "", "CREATE DEFINER=CURRENT_USER FUNCTION `f`(a int) RETURNS varchar(20) CHARSET utf8mb4\n    DETERMINISTIC\n    SQL SECURITY INVOKER\nreturn a", "CREATE FUNCTION `f`(a int) RETURNS varchar(20) CHARSET utf8mb4\n    DETERMINISTIC\n    SQL SECURITY INVOKER\nreturn a"},
		{"function", "ANSI_QUOTES", "CREATE DEFINER=\"r\"@\"%\" FUNCTION \"f\"() RETURNS int(11)\n    DETERMINISTIC\nreturn \"shop\".\"t\"()", "CREATE FUNCTION \"f\"() RETURNS int(11)\n    SQL SECURITY INVOKER\n    DETERMINISTIC\nreturn \"t\"()"},
		{"package body", "ORACLE", "CREATE DEFINER=\"r\"@\"%\" PACKAGE BODY \"p\" AS x; END", "CREATE PACKAGE BODY \"p\" SQL SECURITY INVOKER AS x; END"},
		{"trigger", "", "CREATE DEFINER=`a`@`%` trigger shop.tr before insert on shop.t for each row set new.shop = shop.t.x", "CREATE trigger tr before insert on t for each row set new.shop = t.x"},
		{"event", "", "CREATE DEFINER=`a`@`%` EVENT `e` ON SCHEDULE EVERY 1 DAY ENABLE COMMENT 'ENABLE' DO select 'ENABLE'", "CREATE EVENT `e` ON SCHEDULE EVERY 1 DAY DISABLE COMMENT 'ENABLE' DO select 'ENABLE'"},
		{"event", "", "CREATE EVENT `enable` ON SCHEDULE AT '2030-01-01' DISABLE ON SLAVE DO select 1", "CREATE EVENT `enable` ON SCHEDULE AT '2030-01-01' DISABLE DO select 1"},
		{"procedure", "", "CREATE PROCEDURE `p`()\nSELECT shop.c, shop.t.c FROM shop.t, shop.shop", "CREATE PROCEDURE `p`()\n    SQL SECURITY INVOKER\nSELECT shop.c, t.c FROM t, shop"},
	} {
		o := &sourceObject{object: object{Kind: c.kind, Name: "x", Create: c.sql, Mode: c.mode}}
		if got := sc.bareObject(o, false); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.kind, got, c.want)
		}
	}
}

func TestOtherDatabase(t *testing.T) {
	sc := &schema{database: "shop", tables: map[string]*sourceTable{}, objects: []*sourceObject{{object: object{Kind: "package", Name: "pkg"}}, {object: object{Kind: "sequence", Name: "ids"}}}}
	for sql, want := range map[string]string{
		"SELECT p.a FROM t p WHERE p.a = 1":                                         "",
		"SELECT other.t.a FROM other.t":                                             "other",
		"SELECT o.a FROM other.t o":                                                 "other",
		"SELECT t.a FROM shop.t":                                                    "",
		"SELECT shop.t.a FROM shop.t":                                               "",
		"SET NEW.a = OLD.b, @@session.x = 1, @@global.y = 2":                        "",
		"SELECT x FROM information_schema.tables":                                   "",
		"CALL other.p()":                                                            "other",
		"BEGIN pkg.x(); SELECT ids.nextval; END":                                    "",
		"DECLARE other int; SELECT a FROM t JOIN other.u ON other = 1":              "other",
		"SELECT extract(YEAR FROM p.d) FROM payments AS p":                          "",
		"FOR rec IN (SELECT a FROM t) DO SET x = rec.a; END FOR":                    "",
		"SELECT 'other.t' /* other.t */ -- other.t":                                 "",
		"CREATE DEFINER=root@localhost TRIGGER x BEFORE INSERT ON t FOR EACH ROW 1": "",
	} {
		if got := sc.otherDatabase(quoting{}.tokens(sql)); got != want {
			t.Errorf("%s: %q, want %q", sql, got, want)
		}
	}
}

func TestRightsOn(t *testing.T) {
	for _, c := range []struct {
		lines []string
		has   string
		want  bool
	}{
		{[]string{"GRANT ALL PRIVILEGES ON *.* TO `a`@`%` WITH GRANT OPTION"}, "TRIGGER", true},
		{[]string{"GRANT SELECT, TRIGGER ON `shop`.* TO `a`@`%`"}, "TRIGGER", true},
		{[]string{"GRANT SELECT ON `shop`.* TO `a`@`%`"}, "SELECT ON *.*", false},
		{[]string{"GRANT SELECT ON *.* TO `a`@`%`"}, "SELECT ON *.*", true},
		{[]string{"GRANT SELECT ON `sh%`.* TO `a`@`%`"}, "SELECT", true},
		{[]string{"GRANT SELECT ON `sh_p`.* TO `a`@`%`"}, "SELECT", true},
		{[]string{"GRANT SELECT ON `sh\\_p`.* TO `a`@`%`"}, "SELECT", false},
		{[]string{"GRANT SELECT ON `%o%p%%`.* TO `a`@`%`"}, "SELECT", true},
		{[]string{"GRANT SELECT ON `%o%q`.* TO `a`@`%`"}, "SELECT", false},
		{[]string{"GRANT SELECT ON `shop`.`t` TO `a`@`%`"}, "SELECT", false},
		{[]string{"GRANT SELECT (`a`, `b`) ON `shop`.`t` TO `a`@`%`"}, "SELECT", false},
		{[]string{"GRANT `r`@`%` TO `a`@`%`", "GRANT USAGE ON *.* TO `a`@`%`"}, "SELECT", false},
		{[]string{"GRANT SHOW_ROUTINE,BACKUP_ADMIN ON *.* TO `a`@`%`"}, "SHOW_ROUTINE", true},
		{[]string{"GRANT SELECT, EVENT ON *.* TO `a`@`%`", "REVOKE SELECT ON `shop`.* FROM `a`@`%`"}, "SELECT", false},
	} {
		if got := rightsOn(c.lines, "shop")[c.has]; got != c.want {
			t.Errorf("%q: %s is %v, want %v", c.lines, c.has, got, c.want)
		}
	}
}

func FuzzDDL(f *testing.F) {
	f.Add(shown, "")
	f.Add("CREATE DEFINER=`a`@`b` FUNCTION `f`(a enum('x)')) RETURNS int\n    DETERMINISTIC\nreturn `shop`.`t`(a)", "ANSI_QUOTES")
	f.Add("CREATE EVENT `e` ON SCHEDULE EVERY 1 DAY ENABLE DO select 1", "NO_BACKSLASH_ESCAPES")
	f.Add("CREATE VIEW `v` AS select _latin1'\xe9'", "")
	f.Add("/*!/*M!*/*/'\\", "ORACLE")
	f.Fuzz(func(t *testing.T, sql, mode string) {
		q := quotingOf(mode)
		last := 0
		for _, w := range q.tokens(sql) {
			if w.start < last || w.end <= w.start || w.end > len(sql) {
				t.Fatalf("token %+v behind %d of %d bytes", w, last, len(sql))
			}
			last = w.end
		}
		if table, ok := parseTable(sql); ok {
			for _, p := range table.parts {
				if !strings.Contains(sql, p.text) {
					t.Fatalf("%q is no part of it", p.text)
				}
				p.column()
			}
			if bare, _ := bareOptions(table.options); len(bare) > len(table.options) {
				t.Fatalf("%q is longer than %q", bare, table.options)
			}
			withCollation(table.options, "utf8mb4_bin")
			tableNeeds(tableDefinition{Create: sql, Indexes: []string{"ADD " + sql}})
		}
		if utf8.ValidString(sql) {
			// What was hexadecimal once stays as it is.
			if once := hexed(sql); hexed(once) != once {
				t.Fatalf("%q, then %q", once, hexed(once))
			}
		}
		sc := &schema{database: "shop", fold: true, tables: map[string]*sourceTable{"t": {name: "t"}}}
		for _, kind := range []string{"view", "function", "procedure", "package body", "trigger", "event", "sequence"} {
			o := &sourceObject{object: object{Kind: kind, Name: "x", Create: sql, Mode: mode}}
			sc.bareObject(o, false)
			sc.reaches(o, sc.wordsOf(o))
			objectNeeds(o.object)
		}
		relations(q.tokens(sql))
		rightsOn([]string{sql}, "shop")
	})
}
