package mysql

import (
	"slices"
	"strings"
	"testing"
)

func TestModeFor(t *testing.T) {
	old, now, maria := server{version: 50744}, server{version: 90700}, server{mariadb: true, version: 101106}
	mode := "STRICT_TRANS_TABLES,NO_AUTO_CREATE_USER,EMPTY_STRING_IS_NULL,TIME_TRUNCATE_FRACTIONAL"
	for s, want := range map[server]string{
		old: "STRICT_TRANS_TABLES,NO_AUTO_CREATE_USER", now: "STRICT_TRANS_TABLES,TIME_TRUNCATE_FRACTIONAL", maria: "STRICT_TRANS_TABLES,NO_AUTO_CREATE_USER,EMPTY_STRING_IS_NULL",
	} {
		if got := modeFor(mode, s); got != want {
			t.Errorf("%s: %s, want %s", s, got, want)
		}
	}
	if modeFor("", now) != "" {
		t.Error("no mode is some")
	}
}

func TestCompatible(t *testing.T) {
	table := func(column, rest string) tableDefinition {
		return tableDefinition{Name: "t", Create: "CREATE TABLE `t` (\n  `a` " + column + "\n) " + rest}
	}
	my := func(v int) server { return server{version: v} }
	maria := func(v int) server { return server{mariadb: true, version: v} }
	index := func(clause string) tableDefinition {
		d := table("int", "ENGINE=InnoDB")
		d.Indexes = []string{"ADD " + clause}
		return d
	}
	for sql, want := range map[string][]need{
		"CREATE VIEW `v` AS with recursive c as (select 1) select * from c":                         {needsWith},
		"CREATE VIEW `v` AS with `c`(`n`) as (select 1) select row_number() over (order by 1) r":    {needsWith, needsWindow},
		"CREATE VIEW `v` AS select sum(`n`) over `w` from `t` window `w` as (partition by `n`)":     {needsWindow},
		"CREATE VIEW `v` AS select `with`, `over` from `t` group by 1 with rollup":                  nil,
		"CREATE VIEW `v` AS select 1 from `t` where match (`a`) against ('x' with query expansion)": nil,
		"CREATE VIEW `v` AS select `a` from `t` where `a` > 0 WITH CASCADED CHECK OPTION":           nil,
	} {
		if got := objectNeeds(object{Kind: "view", Name: "v", Create: sql}); !slices.Equal(got, want) {
			t.Errorf("%s needs %v, want %v", sql, got, want)
		}
	}
	for _, c := range []struct {
		from, to server
		table    tableDefinition
		want     string // within the reason; empty for none
	}{
		{my(90700), my(90700), table("vector(3)", ""), ""},
		{my(80400), my(90700), table("json DEFAULT (json_array())", ""), ""},
		{my(90700), my(80400), table("vector(3)", ""), "a vector, which MySQL 8.4.0 lacks"},
		{my(90700), my(80012), table("int DEFAULT (1 + 1)", ""), "an expression as default"},
		{my(90700), my(80022), table("int /*!80023 INVISIBLE */", ""), "an invisible column"},
		{my(90700), my(80015), table("int,\n  CONSTRAINT `c` CHECK ((`a` > 0))", ""), "a CHECK"},
		{my(90700), my(50744), index("KEY `k` (`a` DESC)"), "a descending index"},
		{my(50744), my(50744), table("varchar(9) GENERATED ALWAYS AS (concat(`a`,'é')) STORED", ""), "beyond ASCII in a computed column, which MySQL 5.7.44 lacks"},
		{my(50744), my(80000), table("varchar(9) GENERATED ALWAYS AS (concat(`a`,'é')) STORED", ""), ""},
		{my(90700), my(50744), table("varchar(1)", "DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci"), "a collation of Unicode 9"},
		{my(90700), maria(101106), table("varchar(1) COLLATE utf8mb4_0900_as_cs", ""), "a collation of Unicode 9"},
		{my(90700), maria(110405), table("varchar(1) COLLATE utf8mb4_0900_as_cs", ""), ""},
		{my(90700), maria(101106), table("varchar(1) COMMENT 'COLLATE utf8mb4_0900_as_cs'", "COMMENT='COLLATE=utf8mb4_0900_ai_ci'"), ""},
		{my(90700), maria(101106), index("KEY `k` ((`a` + 1))"), "an index over an expression"},
		{my(90700), maria(101106), index("KEY `k` (`a`) /*!80000 INVISIBLE */"), "an invisible index"},
		{my(90700), maria(101106), table("int,\n  CONSTRAINT `c` CHECK ((`a` > 0)) /*!80016 NOT ENFORCED */", ""), "a CHECK that is not enforced"},
		{my(90700), maria(101106), table("point NOT NULL /*!80003 SRID 4326 */", ""), "a column's reference system"},
		{my(90700), maria(101106), table("json DEFAULT NULL", ""), ""},
		{maria(101106), my(90700), table("uuid DEFAULT NULL", ""), "the type uuid"},
		{maria(101106), my(90700), table("inet6 DEFAULT NULL", ""), "the type inet6"},
		{maria(101106), my(90700), table("int DEFAULT nextval(`s`)", ""), "a default that is a call"},
		{maria(101106), my(90700), table("datetime DEFAULT current_timestamp() ON UPDATE current_timestamp()", ""), ""},
		{maria(101106), my(90700), table("text DEFAULT 'x'", ""), "a long text"},
		{maria(101106), my(90700), table("int", "ENGINE=InnoDB WITH SYSTEM VERSIONING"), "system versioning"},
		{maria(101106), my(90700), table("int", "ENGINE=Aria"), "the storage engine Aria"},
		{maria(101106), my(90700), table("int", "ENGINE=InnoDB `PAGE_COMPRESSED`=1"), "an option of MariaDB's"},
		{maria(101106), my(90700), index("KEY `k` (`a`) IGNORED"), "an ignored index"},
		{maria(101106), my(90700), table("varchar(1) COLLATE utf8mb4_uca1400_ai_ci", ""), "a collation of Unicode 14"},
		{maria(110800), my(90700), index("VECTOR KEY `k` (`a`) `M`='8'"), "a vector index"},
		{maria(110800), my(90700), table("vector(3) DEFAULT NULL", ""), ""},
		{maria(101106), maria(100500), table("uuid DEFAULT NULL", ""), "the type uuid, which MariaDB 10.5.0 lacks"},
	} {
		refused := compatible(c.from, c.to, definitions{Collation: "utf8mb4_bin", Tables: []tableDefinition{c.table}})
		if c.want == "" {
			if len(refused) > 0 {
				t.Errorf("%s → %s: %s: %+v", c.from, c.to, c.table.Create, refused)
			}
			continue
		}
		if len(refused) != 1 || refused[0].Object != "table t" || !strings.Contains(refused[0].Reason, c.want) || refused[0].Hint == "" {
			t.Errorf("%s → %s: %s: %+v, want %s", c.from, c.to, c.table.Create, refused, c.want)
		}
	}
	objects := definitions{Collation: "utf8mb4_uca1400_ai_ci", First: []object{{Kind: "sequence", Name: "s", Create: "CREATE SEQUENCE `s`"}}, Rest: []object{
		{Kind: "package", Name: "p", Mode: "ORACLE", Create: "CREATE PACKAGE \"p\" AS x; END"},
		{Kind: "function", Name: "f", Create: "CREATE AGGREGATE FUNCTION `f`(x int) RETURNS int RETURN 1"},
		{Kind: "procedure", Name: "d", Create: "CREATE PROCEDURE `d`(a int DEFAULT 5) SELECT DEFAULT(x) FROM t"},
		{Kind: "procedure", Name: "n", Create: "CREATE PROCEDURE `n`(a decimal(5,2)) SELECT DEFAULT(x) FROM t"},
		{Kind: "view", Name: "v", Create: "CREATE VIEW `v` AS select 'a' collate utf8mb4_uca1400_ai_ci"},
	}}
	var got []string
	for _, r := range compatible(maria(101106), my(90700), objects) {
		got = append(got, r.Object)
	}
	if want := []string{"database ", "sequence s", "package p", "function f", "procedure d", "view v"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestRespelt(t *testing.T) {
	made := func(kind, name, create string) object { return object{Kind: kind, Name: name, Create: create} }
	got := respelt(definitions{Tables: []tableDefinition{{Name: "orders"}, {Name: "people"}}, Rest: []object{
		made("function", "f", "CREATE FUNCTION `f`() RETURNS int RETURN (SELECT COUNT(*) FROM Orders o JOIN people p ON o.People = p.id)"),
		made("function", "plain", "CREATE FUNCTION `plain`() RETURNS int RETURN (SELECT People FROM orders JOIN `people` /* FROM Orders */ WHERE v <> 'FROM Orders')"),
		made("procedure", "p", "CREATE PROCEDURE `p`() UPDATE `shop`.`PEOPLE` SET v = 1"),
		made("trigger", "t", "CREATE TRIGGER `t` BEFORE INSERT ON Orders FOR EACH ROW SET NEW.Orders = 1"),
		made("view", "BUSY", "CREATE VIEW `busy` AS select 1 from `Orders`"),
		made("event", "e", "CREATE EVENT `e` ON SCHEDULE EVERY 1 DAY DISABLE DO INSERT INTO people SELECT * FROM Busy"),
	}})
	want := []string{"function f names orders as Orders", "procedure p names people as PEOPLE", "trigger t names orders as Orders", "event e names BUSY as Busy"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
