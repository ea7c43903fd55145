-- What connectors/mysql has to read and make again on MySQL from 5.7 to 9, what a version lacks in comments that it skips: every type, hard names, keys,
-- foreign keys, partitions, formats, routines, triggers, events and views, those that stay
-- behind among them. DATABASE. stands for the database's own name and a point; a second
-- database, elsewhere_db, has a table t (a int NOT NULL PRIMARY KEY).

SET NAMES utf8mb4;
SET sql_mode = '';
SET time_zone = '+00:00';

CREATE TABLE integers (
  id int NOT NULL AUTO_INCREMENT,
  a tinyint DEFAULT '-128', au tinyint unsigned DEFAULT '255', b1 tinyint(1) DEFAULT '1',
  b smallint, bu smallint unsigned, c mediumint, cu mediumint unsigned, d int, du int unsigned, e bigint, eu bigint unsigned DEFAULT '18446744073709551615',
  z int(7) unsigned zerofill DEFAULT '0000042',
  PRIMARY KEY (id)
) AUTO_INCREMENT=4711;

CREATE TABLE numbers (
  id bigint unsigned NOT NULL, f float, fp float(7,3), d double, dp double(20,5), n decimal(65,30), n0 decimal(10,0), nu decimal(5,2) unsigned DEFAULT '9.99',
  bit1 bit(1) DEFAULT b'1', bit7 bit(7) DEFAULT b'1010101', bit64 bit(64),
  PRIMARY KEY (id)
);

CREATE TABLE times (
  d date NOT NULL DEFAULT '0000-00-00', t time, t6 time(6) DEFAULT '-838:59:59.000000', dt datetime DEFAULT '0000-00-00 00:00:00', dt6 datetime(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  ts timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP, ts3 timestamp(3) NULL DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP(3), ts0 timestamp NOT NULL DEFAULT '0000-00-00 00:00:00', y year DEFAULT '2155'
);

CREATE TABLE texts (
  c char(10), c0 char(0), v varchar(20) NOT NULL DEFAULT '', vl varchar(5000), tt tinytext, t text, mt mediumtext, lt longtext,
  l1 varchar(20) CHARACTER SET latin1 DEFAULT 'Zoë', l1b varchar(20) CHARACTER SET latin1 COLLATE latin1_bin, l1c varchar(20) CHARACTER SET latin1 COLLATE latin1_general_cs,
  u3 varchar(20) CHARACTER SET utf8mb3 DEFAULT '表', u2 varchar(20) CHARACTER SET ucs2, u16 char(5) CHARACTER SET utf16, a varchar(20) CHARACTER SET ascii, k varchar(20) CHARACTER SET koi8r DEFAULT 'Жук', sj varchar(20) CHARACTER SET sjis DEFAULT '表',
  bin4 varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT '😀', gen varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, uni varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci, ger varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_german2_ci,
  b binary(16), vb varchar(10) CHARACTER SET binary, vb2 varbinary(255) DEFAULT 0x41FF, tb tinyblob, bl blob, mb mediumblob, lb longblob,
  e enum('', 'a''b', 'c,d', 'x\\y', 'é', '(') DEFAULT '', s set('a', 'b"c', 'd)e', '`') DEFAULT 'a,`',
  quoted varchar(40) DEFAULT 'it''s "\\" \n /* no */ -- no # no' COMMENT 'it''s "\\" \n /* no */ -- no # no, )'
) COMMENT='line 1\nline 2: it''s "x" \\ ) ENGINE=x AUTO_INCREMENT=9 DEFAULT CHARSET=none';

CREATE TABLE shapes (g geometry NOT NULL, p point NOT NULL, l linestring, y polygon, mp multipoint, ml multilinestring, my multipolygon, gc geometrycollection, SPATIAL KEY on_g (g), SPATIAL KEY on_p (p)) ENGINE=InnoDB;

-- Names.
CREATE TABLE `it's "a" ``name``; DROP é表 -- # /*` (
  `order` int NOT NULL, `it's` int, `"` int, `````` int, `a.b` int, ` a  b` int, `表é` int, `1e5` int, `0x41` varchar(9), `1st` int, `SELECT` int, `%s?` int, `a,b)` int,
  PRIMARY KEY (`order`), UNIQUE KEY `key ``1``` (`it's`,`"`), KEY `(` (``````), KEY `a,b` (`a.b`,` a  b`,`a,b)`), CONSTRAINT `chk ``"'` CHECK (`表é` > 0 AND `0x41` <> 'it''s')
) COMMENT='';
CREATE TABLE nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn (cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc int NOT NULL, PRIMARY KEY (cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc), KEY kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk (cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc));
CREATE TABLE `Case` (`Id` int NOT NULL, `VALUE` int, PRIMARY KEY (`id`), KEY `v` (`value`));
CREATE TABLE `select` (`from` int NOT NULL PRIMARY KEY, `table` varchar(20));

-- Keys.
CREATE TABLE no_key (a int, b varchar(20));
CREATE TABLE no_key_but_unique (b varchar(20), a int NOT NULL, c int NOT NULL, KEY (b), UNIQUE KEY later (c), UNIQUE KEY first (a, c), UNIQUE KEY maybe (b));
CREATE TABLE counted_by_index (a int, id int NOT NULL AUTO_INCREMENT, KEY on_a (a), KEY on_id (id), KEY on_both (a, id), UNIQUE KEY ua (a));
CREATE TABLE composite (a int NOT NULL, b varchar(40) NOT NULL, c date NOT NULL, d int, PRIMARY KEY (b, a DESC, c), UNIQUE KEY ud (d DESC, a), KEY mixed (c DESC, d, b(5) DESC));
CREATE TABLE prefixes (id int NOT NULL, t text, bl blob, v varchar(100), PRIMARY KEY (id), UNIQUE KEY ut (t(10)), UNIQUE KEY ub (bl(7), v), KEY kv (v(3)), FULLTEXT KEY ft (t), FULLTEXT KEY ftv (t, v)) ENGINE=InnoDB;
CREATE TABLE prefix_key (bl blob NOT NULL, n int, PRIMARY KEY (bl(20)));
CREATE TABLE commented (a int COMMENT 'a', b int, KEY kb (b) USING BTREE COMMENT 'it''s (b), "c"\n', KEY ks (a) KEY_BLOCK_SIZE=4 COMMENT 'x') ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8;

-- Foreign keys.
CREATE TABLE parent (id int NOT NULL PRIMARY KEY, code varchar(20) CHARACTER SET latin1 NOT NULL, x int NOT NULL, y int NOT NULL, up int, UNIQUE KEY (code), UNIQUE KEY xy (x, y), CONSTRAINT itself FOREIGN KEY (up) REFERENCES parent (id) ON DELETE SET NULL);
CREATE TABLE child (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, a int, b int, code varchar(60) CHARACTER SET latin1, pid int,
  CONSTRAINT pairs FOREIGN KEY (b, a) REFERENCES parent (x, y) ON DELETE CASCADE ON UPDATE CASCADE,
  CONSTRAINT `natural ``key` FOREIGN KEY (code) REFERENCES parent (code),
  FOREIGN KEY (pid) REFERENCES parent (id) ON UPDATE NO ACTION);
CREATE TABLE cycle_a (id int NOT NULL PRIMARY KEY, b int);
CREATE TABLE cycle_b (id int NOT NULL PRIMARY KEY, c int, CONSTRAINT b_c FOREIGN KEY (c) REFERENCES cycle_a (id));
CREATE TABLE cycle_c (id int NOT NULL PRIMARY KEY, a int NOT NULL, CONSTRAINT c_a FOREIGN KEY (a) REFERENCES cycle_b (id));
ALTER TABLE cycle_a ADD CONSTRAINT a_b FOREIGN KEY (b) REFERENCES cycle_c (id);

-- Partitions.
CREATE TABLE by_range (id int NOT NULL, d date NOT NULL, v varchar(20), PRIMARY KEY (id, d), KEY (v)) PARTITION BY RANGE (year(d)) (PARTITION p0 VALUES LESS THAN (2000) COMMENT = 'old, ) "x"', PARTITION `p ``1` VALUES LESS THAN (2020), PARTITION pmax VALUES LESS THAN MAXVALUE);
CREATE TABLE by_columns (a int, b varchar(20), c date) PARTITION BY RANGE COLUMNS (a, b, c) (PARTITION p0 VALUES LESS THAN (1, 'it''s', '2000-01-01'), PARTITION p1 VALUES LESS THAN (MAXVALUE, MAXVALUE, MAXVALUE));
CREATE TABLE by_list (id int) PARTITION BY LIST (id) (PARTITION p0 VALUES IN (1, 2, NULL), PARTITION p1 VALUES IN (3));
CREATE TABLE by_list_columns (a varchar(5)) PARTITION BY LIST COLUMNS (a) (PARTITION p0 VALUES IN ('a', 'b)'), PARTITION p1 VALUES IN ('c'));
CREATE TABLE by_hash (id int NOT NULL AUTO_INCREMENT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 3;
CREATE TABLE by_linear_key (id int NOT NULL PRIMARY KEY) PARTITION BY LINEAR KEY (id) PARTITIONS 4;
CREATE TABLE by_both (id int NOT NULL, d date NOT NULL) PARTITION BY RANGE (to_days(d)) SUBPARTITION BY HASH (id) (PARTITION p0 VALUES LESS THAN (700000) (SUBPARTITION s0, SUBPARTITION s1 COMMENT = 'x'), PARTITION p1 VALUES LESS THAN MAXVALUE (SUBPARTITION s2, SUBPARTITION s3));

-- Formats.
CREATE TABLE f_compact (a int) ROW_FORMAT=COMPACT;
CREATE TABLE f_redundant (a int) ROW_FORMAT=REDUNDANT STATS_PERSISTENT=0 STATS_AUTO_RECALC=1 STATS_SAMPLE_PAGES=25;
CREATE TABLE f_dynamic (a int) ROW_FORMAT=DYNAMIC DEFAULT CHARSET=latin1;
CREATE TABLE f_utf8mb3 (a varchar(10), b varchar(10) CHARACTER SET utf8mb4) DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;
CREATE TABLE e_myisam (a int NOT NULL, id int NOT NULL AUTO_INCREMENT, t text, PRIMARY KEY (a, id), FULLTEXT KEY (t)) ENGINE=MyISAM CHECKSUM=1 DELAY_KEY_WRITE=1 MAX_ROWS=1000 AVG_ROW_LENGTH=50 PACK_KEYS=1;
CREATE TABLE e_memory (id int NOT NULL AUTO_INCREMENT, v varchar(20), PRIMARY KEY (id), KEY h (v) USING HASH, KEY b (v) USING BTREE) ENGINE=MEMORY;
CREATE TABLE e_merged (a int NOT NULL) ENGINE=MyISAM;
CREATE TABLE e_merge (a int NOT NULL) ENGINE=MRG_MyISAM UNION=(e_merged) INSERT_METHOD=LAST;

-- Only here.
CREATE TABLE `only mysql` (
  id bigint unsigned NOT NULL AUTO_INCREMENT, j json, /*!80013 ja json DEFAULT (json_array(1, 'é', 'it''s')), u varchar(36) DEFAULT (uuid()), */ /*!90000 v vector(3), */ g point NOT NULL /*!80003 SRID 4326 */,
  `hid ``den` int DEFAULT '3' /*!80023 INVISIBLE */, n int, name varchar(40) CHARACTER SET latin1,
  virt int GENERATED ALWAYS AS (n + 1) VIRTUAL, stor varchar(60) GENERATED ALWAYS AS (concat(name, /*!80000 ' é', */ '\\''')) STORED NOT NULL COMMENT 'computed', jv varchar(20) GENERATED ALWAYS AS (json_unquote(json_extract(j, '$.a'))) VIRTUAL,
  PRIMARY KEY (id), /*!80013 UNIQUE KEY low ((lower(name)), n DESC), KEY fx ((n + 1), (concat(name, 'é)')) DESC), */ /*!80017 KEY mv ((cast(j -> '$.list' AS unsigned array))), */ KEY unseen (n) /*!80000 INVISIBLE */, KEY on_virt (virt), SPATIAL KEY sp (g)
  /*!80016 , CONSTRAINT enforced CHECK (n > 0 AND name <> 'é('), CONSTRAINT unenforced CHECK (n < 100) NOT ENFORCED, CHECK (name LIKE 'it''s%') */
) COMMENT='only' /*!80000 COLLATE=utf8mb4_0900_as_cs */ COMPRESSION='ZLIB';
CREATE TABLE c0900 (a varchar(20) /*!80000 COLLATE utf8mb4_0900_ai_ci */, b varchar(20) /*!80017 COLLATE utf8mb4_0900_bin */, c varchar(20) /*!80000 COLLATE utf8mb4_de_pb_0900_ai_ci */, d varchar(20) /*!80000 COLLATE utf8mb4_ja_0900_as_cs_ks */, e varchar(20) CHARACTER SET gb18030, gc geometrycollection, gi geometry /*!80003 SRID 0 */);
CREATE TABLE by_key_algorithm (id int NOT NULL PRIMARY KEY) PARTITION BY KEY ALGORITHM = 1 (id) PARTITIONS 2;

-- Routines, triggers, events.
DELIMITER //
CREATE FUNCTION plain(a varchar(10), b enum('x','(y')) RETURNS varchar(30) DETERMINISTIC COMMENT 'it''s "x" \\' RETURN concat(a, 'é\\', b)//
CREATE FUNCTION labelled() RETURNS enum('a\nb', 'RETURNS') CHARSET latin1 NO SQL SQL SECURITY INVOKER RETURN 'RETURNS'//
CREATE PROCEDURE bare() SELECT 1//
CREATE PROCEDURE `it's ``a``` (IN `a b` int, OUT c decimal(10,2), INOUT d text) MODIFIES SQL DATA SQL SECURITY DEFINER
BEGIN
  -- a comment: DEFINER=`x`@`y` SQL SECURITY DEFINER
  DECLARE r int DEFAULT 0; /* no name */
  DECLARE CONTINUE HANDLER FOR NOT FOUND SET r = 1;
  WHILE r < 1 DO SET r = r + 1; END WHILE;
  INSERT INTO DATABASE.no_key (a) SELECT p.id FROM DATABASE.parent p WHERE p.id = `a b`;
END//
SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES'//
CREATE FUNCTION "ansi "" name"("x y" int) RETURNS varchar(20) DETERMINISTIC RETURN 'a\\' || "x y"//
CREATE TRIGGER "ansi" BEFORE UPDATE ON "no_key" FOR EACH ROW SET NEW."b" = '\\' || NEW."b"//
SET sql_mode = ''//
SET NAMES latin1//
CREATE FUNCTION old_client() RETURNS varchar(20) CHARSET utf8mb4 DETERMINISTIC RETURN 'abc'//
SET NAMES utf8mb4//
CREATE TRIGGER first_one BEFORE INSERT ON no_key FOR EACH ROW SET NEW.a = 1//
CREATE TRIGGER zeroth BEFORE INSERT ON no_key FOR EACH ROW PRECEDES first_one BEGIN SET NEW.a = 2; END//
CREATE TRIGGER DATABASE.third BEFORE INSERT ON DATABASE.no_key FOR EACH ROW FOLLOWS first_one BEGIN SET NEW.a = 3; END//
CREATE TRIGGER after_insert AFTER INSERT ON `select` FOR EACH ROW INSERT INTO no_key (a, b) VALUES (NEW.`from`, NEW.`table`)//
CREATE TRIGGER after_update AFTER UPDATE ON `select` FOR EACH ROW BEGIN IF OLD.`table` <> NEW.`table` THEN INSERT INTO no_key (a) VALUES (OLD.`from`); END IF; END//
CREATE TRIGGER before_delete BEFORE DELETE ON `select` FOR EACH ROW DELETE FROM no_key WHERE a = OLD.`from`//
CREATE TRIGGER after_delete AFTER DELETE ON `select` FOR EACH ROW CALL `it's ``a```(OLD.`from`, @c, @d)//
CREATE EVENT daily ON SCHEDULE EVERY 1 DAY STARTS '2020-01-01 03:00:00' ON COMPLETION NOT PRESERVE ENABLE COMMENT 'ENABLE it''s' DO DELETE FROM no_key WHERE a IS NULL//
CREATE EVENT `once ``more` ON SCHEDULE AT '2037-01-01 00:00:00' + INTERVAL 1 HOUR ON COMPLETION PRESERVE DISABLE ON SLAVE DO BEGIN SELECT 'DISABLE'; END//
CREATE EVENT off ON SCHEDULE EVERY '1:30' HOUR_MINUTE STARTS '2020-01-01 00:00:00' ENDS '2037-01-01 00:00:00' DISABLE DO SELECT 1//
SET time_zone = '+05:30'//
CREATE EVENT elsewhere ON SCHEDULE EVERY 1 HOUR STARTS '2020-01-01 00:00:00' DO SELECT 1//
SET time_zone = '+00:00'//
-- What reaches out stays behind.
CREATE PROCEDURE reaches_database() SELECT * FROM elsewhere_db.t//
CREATE PROCEDURE reaches_file() SELECT 1 INTO OUTFILE '/tmp/never'//
CREATE FUNCTION reads_file() RETURNS longblob NO SQL RETURN load_file('/etc/hostname')//
CREATE PROCEDURE puts_together(IN t varchar(64)) BEGIN SET @q = concat('SELECT * FROM ', t); PREPARE s FROM @q; EXECUTE s; END//
CREATE TRIGGER calls_file BEFORE INSERT ON texts FOR EACH ROW SET NEW.bl = reads_file()//
DELIMITER ;

-- Views.
CREATE VIEW literals AS SELECT _latin1 X'E9' AS l, _utf8mb3 'é' AS u, N'é' AS n, X'41FF' AS b, '😀' AS e, 'é' COLLATE utf8mb4_bin AS c;
CREATE VIEW z_base AS SELECT id, code AS `co``de`, x + y AS xy FROM parent;
CREATE ALGORITHM=MERGE SQL SECURITY INVOKER VIEW a_over_z AS SELECT * FROM z_base WHERE id > 0 WITH CASCADED CHECK OPTION;
CREATE VIEW `m ``view` (`a b`, c) AS SELECT p.id, plain('a', 'x') FROM a_over_z p JOIN z_base z ON p.id = z.id UNION ALL SELECT 1, plain('it''s "é" \\', 'x');
CREATE ALGORITHM=TEMPTABLE VIEW grouped AS SELECT up, count(*) n, group_concat(code ORDER BY code SEPARATOR ', ') codes FROM parent GROUP BY up HAVING n > 1;
CREATE VIEW with_cte AS /*!80001 WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 5) */ SELECT /*!80001 n, row_number() OVER (ORDER BY n) r FROM c WHERE */ 1 = 1;
CREATE VIEW reads_elsewhere AS SELECT o.a FROM elsewhere_db.t o JOIN parent p ON o.a = p.id;
CREATE VIEW over_elsewhere AS SELECT a FROM reads_elsewhere;
CREATE VIEW over_merge AS SELECT a FROM e_merge;
CREATE TABLE gone (a int);
CREATE VIEW over_gone AS SELECT a FROM gone;
DROP TABLE gone;
CREATE TABLE points_elsewhere (a int, KEY (a), CONSTRAINT out_there FOREIGN KEY (a) REFERENCES elsewhere_db.t (a), CONSTRAINT in_here FOREIGN KEY (a) REFERENCES parent (id));
