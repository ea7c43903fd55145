-- read a range
SELECT +"id", +"say ""hi""", +"naïve 🙂", +"select" FROM "the ""table""" WHERE rowid >= ? AND rowid < ? ORDER BY rowid
-- read the last range
SELECT +"id", +"say ""hi""", +"naïve 🙂", +"select" FROM "the ""table""" WHERE _rowid_ >= ? ORDER BY _rowid_
-- read all rows
SELECT +"id", +"say ""hi""", +"naïve 🙂", +"select" FROM "the ""table"""
-- read the chosen rows of a range
SELECT +"id", +"say ""hi""", +"naïve 🙂", +"select", CAST("a ""b""" AS TEXT), CAST("c" AS TEXT) FROM "the ""table""" WHERE rowid >= ? AND rowid < ? AND (
a > 1 OR b
) ORDER BY rowid
-- read the keys of all rows
SELECT CAST("a ""b""" AS TEXT), CAST("c" AS TEXT) FROM "the ""table""" WHERE (
a > 1 OR b
)
-- sample rows
SELECT CASE typeof("id") WHEN 'blob' THEN NULL ELSE substr(CAST("id" AS TEXT), 1, 4096) END, CASE typeof("say ""hi""") WHEN 'blob' THEN NULL ELSE substr(CAST("say ""hi""" AS TEXT), 1, 4096) END, CASE typeof("naïve 🙂") WHEN 'blob' THEN NULL ELSE substr(CAST("naïve 🙂" AS TEXT), 1, 4096) END, CASE typeof("select") WHEN 'blob' THEN NULL ELSE substr(CAST("select" AS TEXT), 1, 4096) END, NULL, rowid FROM "the ""table""" WHERE rowid BETWEEN ? AND ? ORDER BY rowid LIMIT 10
-- step over rowids
SELECT oid FROM "the ""table""" WHERE oid >= ? ORDER BY oid LIMIT 1 OFFSET ?
-- insert three rows
INSERT INTO "the ""table""" ("id", "say ""hi""", "naïve 🙂", "select") VALUES (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?)
-- quote text
'it''s'
