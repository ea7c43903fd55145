-- database: utf8mb4 utf8mb4_general_ci

-- sequence ids []   
CREATE SEQUENCE `ids` start with 1 minvalue 1 maxvalue 9223372036854775806 increment by 1 cache 1000 nocycle ENGINE=InnoDB;

-- sequence se`q []   
CREATE SEQUENCE `se``q` start with 5 minvalue -10 maxvalue 1000 increment by 3 cache 10 cycle ENGINE=InnoDB;

CREATE TABLE `Case` (
  `Id` int(11) NOT NULL,
  `VALUE` int(11) DEFAULT NULL,
  PRIMARY KEY (`Id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
ALTER TABLE `Case`
  ADD KEY `v` (`VALUE`);

CREATE TABLE `by_both` (
  `id` int(11) NOT NULL,
  `d` date NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci
PARTITION BY RANGE (to_days(`d`))
SUBPARTITION BY HASH (`id`)
(PARTITION `p0` VALUES LESS THAN (700000)
 (SUBPARTITION `s0` ENGINE = InnoDB,
  SUBPARTITION `s1` COMMENT = 'x' ENGINE = InnoDB),
 PARTITION `p1` VALUES LESS THAN MAXVALUE
 (SUBPARTITION `s2` ENGINE = InnoDB,
  SUBPARTITION `s3` ENGINE = InnoDB));

CREATE TABLE `by_columns` (
  `a` int(11) DEFAULT NULL,
  `b` varchar(20) DEFAULT NULL,
  `c` date DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci
PARTITION BY RANGE  COLUMNS(`a`,`b`,`c`)
(PARTITION `p0` VALUES LESS THAN (1,'it''s','2000-01-01') ENGINE = InnoDB,
 PARTITION `p1` VALUES LESS THAN (MAXVALUE,MAXVALUE,MAXVALUE) ENGINE = InnoDB);

CREATE TABLE `by_default` (
  `a` int(11) DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci
PARTITION BY LIST (`a`)
(PARTITION `p0` VALUES IN (1) ENGINE = InnoDB,
 PARTITION `pd` DEFAULT ENGINE = InnoDB);

CREATE TABLE `by_hash` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci
PARTITION BY HASH (`id`)
PARTITIONS 3;

CREATE TABLE `by_linear_key` (
  `id` int(11) NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci
PARTITION BY LINEAR KEY (`id`)
PARTITIONS 4;

CREATE TABLE `by_list` (
  `id` int(11) DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci
PARTITION BY LIST (`id`)
(PARTITION `p0` VALUES IN (NULL,1,2) ENGINE = InnoDB,
 PARTITION `p1` VALUES IN (3) ENGINE = InnoDB);

CREATE TABLE `by_list_columns` (
  `a` varchar(5) DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci
PARTITION BY LIST  COLUMNS(`a`)
(PARTITION `p0` VALUES IN ('a','b)') ENGINE = InnoDB,
 PARTITION `p1` VALUES IN ('c') ENGINE = InnoDB);

CREATE TABLE `by_range` (
  `id` int(11) NOT NULL,
  `d` date NOT NULL,
  `v` varchar(20) DEFAULT NULL,
  PRIMARY KEY (`id`,`d`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci
PARTITION BY RANGE (year(`d`))
(PARTITION `p0` VALUES LESS THAN (2000) COMMENT = 'old, ) "x"' ENGINE = InnoDB,
 PARTITION `p ``1` VALUES LESS THAN (2020) ENGINE = InnoDB,
 PARTITION `pmax` VALUES LESS THAN MAXVALUE ENGINE = InnoDB);
ALTER TABLE `by_range`
  ADD KEY `v` (`v`);

CREATE TABLE `child` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `a` int(11) DEFAULT NULL,
  `b` int(11) DEFAULT NULL,
  `code` varchar(60) CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT NULL,
  `pid` int(11) DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
ALTER TABLE `child`
  ADD KEY `pairs` (`b`,`a`),
  ADD KEY `natural ``key` (`code`),
  ADD KEY `pid` (`pid`);
ALTER TABLE `child`
  ADD CONSTRAINT `child_ibfk_1` FOREIGN KEY (`pid`) REFERENCES `parent` (`id`) ON UPDATE NO ACTION,
  ADD CONSTRAINT `natural ``key` FOREIGN KEY (`code`) REFERENCES `parent` (`code`),
  ADD CONSTRAINT `pairs` FOREIGN KEY (`b`, `a`) REFERENCES `parent` (`x`, `y`) ON DELETE CASCADE ON UPDATE CASCADE;

CREATE TABLE `commented` (
  `a` int(11) DEFAULT NULL COMMENT 'a',
  `b` int(11) DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8;
ALTER TABLE `commented`
  ADD KEY `kb` (`b`) USING BTREE COMMENT 'it''s (b), "c"\n',
  ADD KEY `ks` (`a`) KEY_BLOCK_SIZE=4 COMMENT 'x';

CREATE TABLE `composite` (
  `a` int(11) NOT NULL,
  `b` varchar(40) NOT NULL,
  `c` date NOT NULL,
  `d` int(11) DEFAULT NULL,
  PRIMARY KEY (`b`,`a` DESC,`c`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
ALTER TABLE `composite`
  ADD UNIQUE KEY `ud` (`d` DESC,`a`),
  ADD KEY `mixed` (`c` DESC,`d`,`b`(5) DESC);

CREATE TABLE `counted_by_index` (
  `a` int(11) DEFAULT NULL,
  `id` int(11) NOT NULL AUTO_INCREMENT,
  UNIQUE KEY `ua` (`a`),
  KEY `on_a` (`a`),
  KEY `on_id` (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
ALTER TABLE `counted_by_index`
  ADD KEY `on_both` (`a`,`id`);

CREATE TABLE `cycle_a` (
  `id` int(11) NOT NULL,
  `b` int(11) DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
ALTER TABLE `cycle_a`
  ADD KEY `a_b` (`b`);
ALTER TABLE `cycle_a`
  ADD CONSTRAINT `a_b` FOREIGN KEY (`b`) REFERENCES `cycle_c` (`id`);

CREATE TABLE `cycle_b` (
  `id` int(11) NOT NULL,
  `c` int(11) DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
ALTER TABLE `cycle_b`
  ADD KEY `b_c` (`c`);
ALTER TABLE `cycle_b`
  ADD CONSTRAINT `b_c` FOREIGN KEY (`c`) REFERENCES `cycle_a` (`id`);

CREATE TABLE `cycle_c` (
  `id` int(11) NOT NULL,
  `a` int(11) NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
ALTER TABLE `cycle_c`
  ADD KEY `c_a` (`a`);
ALTER TABLE `cycle_c`
  ADD CONSTRAINT `c_a` FOREIGN KEY (`a`) REFERENCES `cycle_b` (`id`);

CREATE TABLE `e_aria` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `v` varchar(20) DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=Aria DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci PAGE_CHECKSUM=1 TRANSACTIONAL=1;

CREATE TABLE `e_memory` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `v` varchar(20) DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=MEMORY DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
ALTER TABLE `e_memory`
  ADD KEY `h` (`v`) USING HASH,
  ADD KEY `b` (`v`) USING BTREE;

CREATE TABLE `e_merged` (
  `a` int(11) NOT NULL
) ENGINE=MyISAM DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `e_myisam` (
  `a` int(11) NOT NULL,
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `t` text DEFAULT NULL,
  PRIMARY KEY (`a`,`id`)
) ENGINE=MyISAM DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci MAX_ROWS=1000 AVG_ROW_LENGTH=50 PACK_KEYS=1 CHECKSUM=1 DELAY_KEY_WRITE=1;
ALTER TABLE `e_myisam`
  ADD FULLTEXT KEY `t` (`t`);

CREATE TABLE `f_compact` (
  `a` int(11) DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci ROW_FORMAT=COMPACT;

CREATE TABLE `f_dynamic` (
  `a` int(11) DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci ROW_FORMAT=DYNAMIC;

CREATE TABLE `f_redundant` (
  `a` int(11) DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci STATS_PERSISTENT=0 STATS_AUTO_RECALC=1 STATS_SAMPLE_PAGES=25 ROW_FORMAT=REDUNDANT;

CREATE TABLE `f_utf8mb3` (
  `a` varchar(10) DEFAULT NULL,
  `b` varchar(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_unicode_ci;

CREATE TABLE `integers` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `a` tinyint(4) DEFAULT -128,
  `au` tinyint(3) unsigned DEFAULT 255,
  `b1` tinyint(1) DEFAULT 1,
  `b` smallint(6) DEFAULT NULL,
  `bu` smallint(5) unsigned DEFAULT NULL,
  `c` mediumint(9) DEFAULT NULL,
  `cu` mediumint(8) unsigned DEFAULT NULL,
  `d` int(11) DEFAULT NULL,
  `du` int(10) unsigned DEFAULT NULL,
  `e` bigint(20) DEFAULT NULL,
  `eu` bigint(20) unsigned DEFAULT 18446744073709551615,
  `z` int(7) unsigned zerofill DEFAULT 0000042,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `it's "a" ``name``; DROP é表 -- # /*` (
  `order` int(11) NOT NULL,
  `it's` int(11) DEFAULT NULL,
  `"` int(11) DEFAULT NULL,
  `````` int(11) DEFAULT NULL,
  `a.b` int(11) DEFAULT NULL,
  ` a  b` int(11) DEFAULT NULL,
  `表é` int(11) DEFAULT NULL,
  `1e5` int(11) DEFAULT NULL,
  `0x41` varchar(9) DEFAULT NULL,
  `1st` int(11) DEFAULT NULL,
  `SELECT` int(11) DEFAULT NULL,
  `%s?` int(11) DEFAULT NULL,
  `a,b)` int(11) DEFAULT NULL,
  PRIMARY KEY (`order`),
  CONSTRAINT `chk ``"'` CHECK (`表é` > 0 and `0x41` <> 'it\'s')
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
ALTER TABLE `it's "a" ``name``; DROP é表 -- # /*`
  ADD UNIQUE KEY `key ``1``` (`it's`,`"`),
  ADD KEY `(` (``````),
  ADD KEY `a,b` (`a.b`,` a  b`,`a,b)`);

CREATE TABLE `nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn` (
  `cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc` int(11) NOT NULL,
  PRIMARY KEY (`cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
ALTER TABLE `nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn`
  ADD KEY `kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk` (`cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc`);

CREATE TABLE `no_key` (
  `a` int(11) DEFAULT NULL,
  `b` varchar(20) DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `no_key_but_unique` (
  `b` varchar(20) DEFAULT NULL,
  `a` int(11) NOT NULL,
  `c` int(11) NOT NULL,
  UNIQUE KEY `later` (`c`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
ALTER TABLE `no_key_but_unique`
  ADD UNIQUE KEY `first` (`a`,`c`),
  ADD UNIQUE KEY `maybe` (`b`),
  ADD KEY `b` (`b`);

CREATE TABLE `numbers` (
  `id` bigint(20) unsigned NOT NULL,
  `f` float DEFAULT NULL,
  `fp` float(7,3) DEFAULT NULL,
  `d` double DEFAULT NULL,
  `dp` double(20,5) DEFAULT NULL,
  `n` decimal(65,30) DEFAULT NULL,
  `n0` decimal(10,0) DEFAULT NULL,
  `nu` decimal(5,2) unsigned DEFAULT 9.99,
  `bit1` bit(1) DEFAULT b'1',
  `bit7` bit(7) DEFAULT b'1010101',
  `bit64` bit(64) DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `only mariadb` (
  `id` bigint(20) unsigned NOT NULL DEFAULT nextval(`ids`),
  `u` uuid DEFAULT uuid(),
  `i4` inet4 DEFAULT NULL,
  `i6` inet6 DEFAULT '::1',
  `j` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT json_array(1,'é') CHECK (json_valid(`j`)),
  `t` text DEFAULT 'it\'s',
  `n` int(11) DEFAULT NULL,
  `m` int(11) DEFAULT (`n` + 1),
  `name` varchar(40) CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT NULL,
  `packed` varchar(200) /*M!100301 COMPRESSED*/ DEFAULT 'x',
  `packed_blob` blob /*M!100301 COMPRESSED*/ DEFAULT NULL,
  `hid ``den` int(11) INVISIBLE DEFAULT 3,
  `checked` int(11) DEFAULT 7 COMMENT 'c' CHECK (`checked` > 5 and 'a)' <> 'b'),
  `virt` int(11) GENERATED ALWAYS AS (`n` + 1) VIRTUAL,
  `stor` varchar(60) GENERATED ALWAYS AS (concat(`name`,' é','\\\'')) STORED COMMENT 'computed',
  `inv` int(11) GENERATED ALWAYS AS (`n` * 2) STORED INVISIBLE,
  PRIMARY KEY (`id`),
  CONSTRAINT `enforced` CHECK (`n` > 0 and `name` <> 'é('),
  CONSTRAINT `CONSTRAINT_1` CHECK (`name` like 'it\'s%')
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci `PAGE_COMPRESSED`='1';
ALTER TABLE `only mariadb`
  ADD UNIQUE KEY `long_unique` (`t`) USING HASH,
  ADD KEY `unseen` (`n`) IGNORED,
  ADD KEY `on_virt` (`virt`),
  ADD KEY `down` (`name` DESC,`n`);

CREATE TABLE `parent` (
  `id` int(11) NOT NULL,
  `code` varchar(20) CHARACTER SET latin1 COLLATE latin1_swedish_ci NOT NULL,
  `x` int(11) NOT NULL,
  `y` int(11) NOT NULL,
  `up` int(11) DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
ALTER TABLE `parent`
  ADD UNIQUE KEY `code` (`code`),
  ADD UNIQUE KEY `xy` (`x`,`y`),
  ADD KEY `itself` (`up`);
ALTER TABLE `parent`
  ADD CONSTRAINT `itself` FOREIGN KEY (`up`) REFERENCES `parent` (`id`) ON DELETE SET NULL;

CREATE TABLE `periods` (
  `a` int(11) DEFAULT NULL,
  `s` date NOT NULL,
  `e` date NOT NULL,
  PERIOD FOR `app` (`s`, `e`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
ALTER TABLE `periods`
  ADD UNIQUE KEY `a` (`a`,`app` WITHOUT OVERLAPS);

CREATE TABLE `points_elsewhere` (
  `a` int(11) DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
ALTER TABLE `points_elsewhere`
  ADD KEY `a` (`a`);
ALTER TABLE `points_elsewhere`
  ADD CONSTRAINT `in_here` FOREIGN KEY (`a`) REFERENCES `parent` (`id`);

CREATE TABLE `prefix_key` (
  `bl` blob NOT NULL,
  `n` int(11) DEFAULT NULL,
  PRIMARY KEY (`bl`(20))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `prefixes` (
  `id` int(11) NOT NULL,
  `t` text DEFAULT NULL,
  `bl` blob DEFAULT NULL,
  `v` varchar(100) DEFAULT NULL,
  PRIMARY KEY (`id`),
  FULLTEXT KEY `ft` (`t`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
ALTER TABLE `prefixes`
  ADD UNIQUE KEY `ut` (`t`(10)),
  ADD UNIQUE KEY `ub` (`bl`(7),`v`),
  ADD KEY `kv` (`v`(3)),
  ADD FULLTEXT KEY `ftv` (`t`,`v`);

CREATE TABLE `select` (
  `from` int(11) NOT NULL,
  `table` varchar(20) DEFAULT NULL,
  PRIMARY KEY (`from`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `shapes` (
  `g` geometry NOT NULL,
  `p` point NOT NULL,
  `l` linestring DEFAULT NULL,
  `y` polygon DEFAULT NULL,
  `mp` multipoint DEFAULT NULL,
  `ml` multilinestring DEFAULT NULL,
  `my` multipolygon DEFAULT NULL,
  `gc` geometrycollection DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
ALTER TABLE `shapes`
  ADD SPATIAL KEY `on_g` (`g`),
  ADD SPATIAL KEY `on_p` (`p`);

CREATE TABLE `texts` (
  `c` char(10) DEFAULT NULL,
  `c0` char(0) DEFAULT NULL,
  `v` varchar(20) NOT NULL DEFAULT '',
  `vl` varchar(5000) DEFAULT NULL,
  `tt` tinytext DEFAULT NULL,
  `t` text DEFAULT NULL,
  `mt` mediumtext DEFAULT NULL,
  `lt` longtext DEFAULT NULL,
  `l1` varchar(20) CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT 'Zoë',
  `l1b` varchar(20) CHARACTER SET latin1 COLLATE latin1_bin DEFAULT NULL,
  `l1c` varchar(20) CHARACTER SET latin1 COLLATE latin1_general_cs DEFAULT NULL,
  `u3` varchar(20) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci DEFAULT '表',
  `u2` varchar(20) CHARACTER SET ucs2 COLLATE ucs2_general_ci DEFAULT NULL,
  `u16` char(5) CHARACTER SET utf16 COLLATE utf16_general_ci DEFAULT NULL,
  `a` varchar(20) CHARACTER SET ascii COLLATE ascii_general_ci DEFAULT NULL,
  `k` varchar(20) CHARACTER SET koi8r COLLATE koi8r_general_ci DEFAULT 'Жук',
  `sj` varchar(20) CHARACTER SET sjis COLLATE sjis_japanese_ci DEFAULT '表',
  `bin4` varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT '?',
  `gen` varchar(20) DEFAULT NULL,
  `uni` varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci DEFAULT NULL,
  `ger` varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_german2_ci DEFAULT NULL,
  `b` binary(16) DEFAULT NULL,
  `vb` varbinary(10) DEFAULT NULL,
  `vb2` varbinary(255) DEFAULT  X'41ff',
  `tb` tinyblob DEFAULT NULL,
  `bl` blob DEFAULT NULL,
  `mb` mediumblob DEFAULT NULL,
  `lb` longblob DEFAULT NULL,
  `e` enum('','a''b','c,d','x\\y','é','(') DEFAULT '',
  `s` set('a','b"c','d)e','`') DEFAULT 'a,`',
  `quoted` varchar(40) DEFAULT 'it''s "\\" \n /* no */ -- no # no' COMMENT 'it''s "\\" \n /* no */ -- no # no, )'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci COMMENT='line 1\nline 2: it''s "x" \\ ) ENGINE=x AUTO_INCREMENT=9 DEFAULT CHARSET=none';

CREATE TABLE `times` (
  `d` date NOT NULL DEFAULT '0000-00-00',
  `t` time DEFAULT NULL,
  `t6` time(6) DEFAULT '-838:59:59.000000',
  `dt` datetime DEFAULT '0000-00-00 00:00:00',
  `dt6` datetime(6) DEFAULT current_timestamp(6) ON UPDATE current_timestamp(6),
  `ts` timestamp NOT NULL DEFAULT current_timestamp(),
  `ts3` timestamp(3) NULL DEFAULT NULL ON UPDATE current_timestamp(3),
  `ts0` timestamp NOT NULL DEFAULT '0000-00-00 00:00:00',
  `y` year(4) DEFAULT 2155
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `uca` (
  `a` varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_ai_ci DEFAULT NULL,
  `b` varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_nopad_as_cs DEFAULT NULL,
  `c` varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin DEFAULT NULL,
  `d` varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_thai_520_w2 DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;

CREATE TABLE `versioned` (
  `id` int(11) NOT NULL,
  `v` varchar(20) DEFAULT NULL,
  `w` int(11) DEFAULT NULL WITHOUT SYSTEM VERSIONING,
  PRIMARY KEY (`id`),
  UNIQUE KEY `w` (`w`),
  KEY `v` (`v`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci WITH SYSTEM VERSIONING;

CREATE TABLE `versioned_child` (
  `id` int(11) NOT NULL,
  `p` int(11) DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `of_parent` (`p`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci WITH SYSTEM VERSIONING;
ALTER TABLE `versioned_child`
  ADD CONSTRAINT `of_parent` FOREIGN KEY (`p`) REFERENCES `parent` (`id`);

CREATE TABLE `versioned_parts` (
  `x` int(11) DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci WITH SYSTEM VERSIONING
PARTITION BY SYSTEM_TIME LIMIT 1000
(PARTITION `p0` HISTORY ENGINE = InnoDB,
 PARTITION `pc` CURRENT ENGINE = InnoDB);

CREATE TABLE `versioned_plainly` (
  `x` int(11) DEFAULT NULL,
  `s` timestamp(6) GENERATED ALWAYS AS ROW START,
  `e` timestamp(6) GENERATED ALWAYS AS ROW END INVISIBLE,
  PERIOD FOR SYSTEM_TIME (`s`, `e`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci WITH SYSTEM VERSIONING;

-- package pkg [PIPES_AS_CONCAT,ANSI_QUOTES,IGNORE_SPACE,ORACLE,NO_KEY_OPTIONS,NO_TABLE_OPTIONS,NO_FIELD_OPTIONS,NO_AUTO_CREATE_USER,SIMULTANEOUS_ASSIGNMENT] utf8mb4 utf8mb4_general_ci 
CREATE PACKAGE "pkg" SQL SECURITY INVOKER AS PROCEDURE x; FUNCTION y RETURN int; END;

-- package body pkg [PIPES_AS_CONCAT,ANSI_QUOTES,IGNORE_SPACE,ORACLE,NO_KEY_OPTIONS,NO_TABLE_OPTIONS,NO_FIELD_OPTIONS,NO_AUTO_CREATE_USER,SIMULTANEOUS_ASSIGNMENT] utf8mb4 utf8mb4_general_ci 
CREATE PACKAGE BODY "pkg" SQL SECURITY INVOKER AS PROCEDURE x AS BEGIN NULL; END; FUNCTION y RETURN int AS BEGIN RETURN 1; END; END;

-- function ansi " name [PIPES_AS_CONCAT,ANSI_QUOTES,NO_BACKSLASH_ESCAPES] utf8mb4 utf8mb4_general_ci 
CREATE FUNCTION "ansi "" name"("x y" int) RETURNS varchar(20) CHARSET utf8mb4 COLLATE utf8mb4_general_ci
    SQL SECURITY INVOKER
    DETERMINISTIC
RETURN 'a\\' || "x y";

-- function labelled [] utf8mb4 utf8mb4_general_ci 
CREATE FUNCTION `labelled`() RETURNS enum('a\nb','RETURNS') CHARSET latin1 COLLATE latin1_swedish_ci
    NO SQL
    SQL SECURITY INVOKER
RETURN 'RETURNS';

-- function old_client [] latin1 latin1_swedish_ci 
CREATE FUNCTION `old_client`() RETURNS varchar(20) CHARSET utf8mb4 COLLATE utf8mb4_general_ci
    SQL SECURITY INVOKER
    DETERMINISTIC
RETURN 'abc';

-- function ora_f [PIPES_AS_CONCAT,ANSI_QUOTES,IGNORE_SPACE,ORACLE,NO_KEY_OPTIONS,NO_TABLE_OPTIONS,NO_FIELD_OPTIONS,NO_AUTO_CREATE_USER,SIMULTANEOUS_ASSIGNMENT] utf8mb4 utf8mb4_general_ci 
CREATE FUNCTION "ora_f"(a int) RETURN int(11)
    SQL SECURITY INVOKER
    DETERMINISTIC
AS BEGIN RETURN a; END;

-- function plain [] utf8mb4 utf8mb4_general_ci 
CREATE FUNCTION `plain`(a varchar(10), b enum('x','(y')) RETURNS varchar(30) CHARSET utf8mb4 COLLATE utf8mb4_general_ci
    SQL SECURITY INVOKER
    DETERMINISTIC
    COMMENT 'it''s "x" \\'
RETURN concat(a, 'é\\', b);

-- function total [] utf8mb4 utf8mb4_general_ci 
CREATE AGGREGATE FUNCTION `total`(x int) RETURNS int(11)
    SQL SECURITY INVOKER
    DETERMINISTIC
BEGIN DECLARE s int DEFAULT 0; DECLARE CONTINUE HANDLER FOR NOT FOUND RETURN s; LOOP FETCH GROUP NEXT ROW; SET s = s + x; END LOOP; END;

-- procedure bare [] utf8mb4 utf8mb4_general_ci 
CREATE PROCEDURE `bare`()
    SQL SECURITY INVOKER
SELECT 1;

-- procedure it's `a` [] utf8mb4 utf8mb4_general_ci 
CREATE PROCEDURE `it's ``a```(IN `a b` int, OUT c decimal(10,2), INOUT d text)
    SQL SECURITY INVOKER
    MODIFIES SQL DATA
BEGIN
  -- a comment: DEFINER=`x`@`y` SQL SECURITY DEFINER
  DECLARE r int DEFAULT 0; /* no name */
  DECLARE CONTINUE HANDLER FOR NOT FOUND SET r = 1;
  WHILE r < 1 DO SET r = r + 1; END WHILE;
  INSERT INTO no_key (a) SELECT p.id FROM parent p WHERE p.id = `a b`;
END;

-- procedure ora [PIPES_AS_CONCAT,ANSI_QUOTES,IGNORE_SPACE,ORACLE,NO_KEY_OPTIONS,NO_TABLE_OPTIONS,NO_FIELD_OPTIONS,NO_AUTO_CREATE_USER,SIMULTANEOUS_ASSIGNMENT] utf8mb4 utf8mb4_general_ci 
CREATE PROCEDURE "ora"()
    SQL SECURITY INVOKER
AS BEGIN NULL; END;

-- procedure puts_together [] utf8mb4 utf8mb4_general_ci 
CREATE PROCEDURE `puts_together`(IN t varchar(64))
    SQL SECURITY INVOKER
BEGIN SET @q = concat('SELECT * FROM ', t); PREPARE s FROM @q; EXECUTE s; END;

-- procedure uses_pkg [PIPES_AS_CONCAT,ANSI_QUOTES,IGNORE_SPACE,ORACLE,NO_KEY_OPTIONS,NO_TABLE_OPTIONS,NO_FIELD_OPTIONS,NO_AUTO_CREATE_USER,SIMULTANEOUS_ASSIGNMENT] utf8mb4 utf8mb4_general_ci 
CREATE PROCEDURE "uses_pkg"()
    SQL SECURITY INVOKER
AS a int; BEGIN pkg.x; a := pkg.y(); END;

-- view z_base [] utf8mb4 utf8mb4_general_ci 
CREATE ALGORITHM=UNDEFINED SQL SECURITY INVOKER VIEW `z_base` AS select `parent`.`id` AS `id`,`parent`.`code` AS `co``de`,`parent`.`x` + `parent`.`y` AS `xy` from `parent`;

-- view a_over_z [] utf8mb4 utf8mb4_general_ci 
CREATE ALGORITHM=MERGE SQL SECURITY INVOKER VIEW `a_over_z` AS select `z_base`.`id` AS `id`,`z_base`.`co``de` AS `co``de`,`z_base`.`xy` AS `xy` from `z_base` where `z_base`.`id` > 0 WITH CASCADED CHECK OPTION;

-- view grouped [] utf8mb4 utf8mb4_general_ci 
CREATE ALGORITHM=TEMPTABLE SQL SECURITY INVOKER VIEW `grouped` AS select `parent`.`up` AS `up`,count(0) AS `n`,group_concat(`parent`.`code` order by `parent`.`code` ASC separator ', ') AS `codes` from `parent` group by `parent`.`up` having `n` > 1;

-- view literals [] utf8mb4 utf8mb4_general_ci 
CREATE ALGORITHM=UNDEFINED SQL SECURITY INVOKER VIEW `literals` AS select _latin1 X'e9' AS `l`,_utf8mb3'é' AS `u`,'é' AS `n`,X'41ff' AS `b`,'😀' AS `e`,'é' collate utf8mb4_bin AS `c`;

-- view m `view [] utf8mb4 utf8mb4_general_ci 
CREATE ALGORITHM=UNDEFINED SQL SECURITY INVOKER VIEW `m ``view` AS select `p`.`id` AS `a b`,`plain`('a','x') AS `c` from (`a_over_z` `p` join `z_base` `z` on(`p`.`id` = `z`.`id`)) union all select 1 AS `1`,`plain`('it\'s "é" \\','x') AS `plain('it''s "é" \\', 'x')`;

-- view over_sequence [] utf8mb4 utf8mb4_general_ci 
CREATE ALGORITHM=UNDEFINED SQL SECURITY INVOKER VIEW `over_sequence` AS select nextval(`ids`) AS `n`;

-- view with_cte [] utf8mb4 utf8mb4_general_ci 
CREATE ALGORITHM=UNDEFINED SQL SECURITY INVOKER VIEW `with_cte` AS with recursive c(`n`) as (select 1 AS `n` union all select `c`.`n` + 1 AS `n + 1` from `c` where `c`.`n` < 5)select `c`.`n` AS `n`,row_number() over ( order by `c`.`n`) AS `r` from `c`;

-- trigger zeroth [] utf8mb4 utf8mb4_general_ci 
CREATE TRIGGER zeroth BEFORE INSERT ON no_key FOR EACH ROW BEGIN SET NEW.a = 2; END;

-- trigger first_one [] utf8mb4 utf8mb4_general_ci 
CREATE TRIGGER first_one BEFORE INSERT ON no_key FOR EACH ROW SET NEW.a = 1;

-- trigger third [] utf8mb4 utf8mb4_general_ci 
CREATE TRIGGER third BEFORE INSERT ON no_key FOR EACH ROW BEGIN SET NEW.a = 3; END;

-- trigger ansi [PIPES_AS_CONCAT,ANSI_QUOTES,NO_BACKSLASH_ESCAPES] utf8mb4 utf8mb4_general_ci 
CREATE TRIGGER "ansi" BEFORE UPDATE ON "no_key" FOR EACH ROW SET NEW."b" = '\\' || NEW."b";

-- trigger after_delete [] utf8mb4 utf8mb4_general_ci 
CREATE TRIGGER after_delete AFTER DELETE ON `select` FOR EACH ROW CALL `it's ``a```(OLD.`from`, @c, @d);

-- trigger before_delete [] utf8mb4 utf8mb4_general_ci 
CREATE TRIGGER before_delete BEFORE DELETE ON `select` FOR EACH ROW DELETE FROM no_key WHERE a = OLD.`from`;

-- trigger after_insert [] utf8mb4 utf8mb4_general_ci 
CREATE TRIGGER after_insert AFTER INSERT ON `select` FOR EACH ROW INSERT INTO no_key (a, b) VALUES (NEW.`from`, NEW.`table`);

-- trigger after_update [] utf8mb4 utf8mb4_general_ci 
CREATE TRIGGER after_update AFTER UPDATE ON `select` FOR EACH ROW BEGIN IF OLD.`table` <> NEW.`table` THEN INSERT INTO no_key (a) VALUES (OLD.`from`); END IF; END;

-- event daily [] utf8mb4 utf8mb4_general_ci +00:00
CREATE EVENT `daily` ON SCHEDULE EVERY 1 DAY STARTS '2020-01-01 03:00:00' ON COMPLETION NOT PRESERVE DISABLE COMMENT 'ENABLE it''s' DO DELETE FROM no_key WHERE a IS NULL;

-- event elsewhere [] utf8mb4 utf8mb4_general_ci +05:30
CREATE EVENT `elsewhere` ON SCHEDULE EVERY 1 HOUR STARTS '2020-01-01 00:00:00' ON COMPLETION NOT PRESERVE DISABLE DO SELECT 1;

-- event off [] utf8mb4 utf8mb4_general_ci +00:00
CREATE EVENT `off` ON SCHEDULE EVERY '1:30' HOUR_MINUTE STARTS '2020-01-01 00:00:00' ENDS '2037-01-01 00:00:00' ON COMPLETION NOT PRESERVE DISABLE DO SELECT 1;

-- event once `more [] utf8mb4 utf8mb4_general_ci +00:00
CREATE EVENT `once ``more` ON SCHEDULE AT '2037-01-01 01:00:00' ON COMPLETION PRESERVE DISABLE DO BEGIN SELECT 'DISABLE'; END;

-- sequences
-- by_hash: 1 by 1, 1 to 2147483647, fills by_hash.id
-- child: 1 by 1, 1 to 2147483647, fills child.id
-- counted_by_index: 1 by 1, 1 to 2147483647, fills counted_by_index.id
-- e_aria: 1 by 1, 1 to 2147483647, fills e_aria.id
-- e_memory: 1 by 1, 1 to 2147483647, fills e_memory.id
-- e_myisam: 1 by 1, 1 to 2147483647, fills e_myisam.id
-- integers: 4711 by 1, 1 to 2147483647, fills integers.id
-- ids: 1001 by 1, 1 to 9223372036854775806, fills only mariadb.id
-- se`q: 5 by 3, -10 to 1000, fills nothing

-- fates
-- definers 40: left behind, would be accounts of the source's server: views and routines run with the rights of who uses them, triggers and events with those of the target's account
-- event daily: neutralised, would act by itself, at its time; it is made disabled
-- event elsewhere: neutralised, would act by itself, at its time; it is made disabled
-- event once `more: neutralised, would act by itself, at its time; it is made disabled
-- foreign key points_elsewhere.out_there: left behind, points to another database, elsewhere_db
-- foreign table e_merge: left behind, has its rows in other tables (MRG_MyISAM)
-- function reads_file: left behind, would read or write files of the server's machine
-- history versioned: left behind, is made of former rows; those of now are copied
-- history versioned_child: left behind, is made of former rows; those of now are copied
-- history versioned_parts: left behind, is made of former rows; those of now are copied
-- history versioned_plainly: left behind, is made of former rows; those of now are copied
-- procedure puts_together: noted, puts statements together when it runs, which cannot be looked at before
-- procedure reaches_database: left behind, names another database, elsewhere_db
-- procedure reaches_file: left behind, would read or write files of the server's machine
-- storage engine Aria: noted, has no snapshot: of what is written during a run, some may arrive (tables e_aria)
-- storage engine MEMORY: noted, has no snapshot: of what is written during a run, some may arrive; and no rows any more once the target's server has started anew (tables e_memory)
-- storage engine MyISAM: noted, has no snapshot: of what is written during a run, some may arrive (tables e_merged, e_myisam)
-- trigger calls_file: left behind, needs function reads_file, which stays behind
-- view over_elsewhere: left behind, needs view reads_elsewhere, which stays behind
-- view over_gone: left behind, does not work at the source: something that it reads, or a right, is missing
-- view over_merge: left behind, needs foreign table e_merge, which stays behind
-- view reads_elsewhere: left behind, names another database, elsewhere_db
