-- read a range
SELECT +"id", +"say ""hi""", +"naïve 🙂", +"select" FROM "the ""table""" WHERE rowid >= ? AND rowid < ? ORDER BY rowid
-- read the last range
SELECT +"id", +"say ""hi""", +"naïve 🙂", +"select" FROM "the ""table""" WHERE _rowid_ >= ? ORDER BY _rowid_
-- read all rows
SELECT +"id", +"say ""hi""", +"naïve 🙂", +"select" FROM "the ""table"""
-- step over rowids
SELECT oid FROM "the ""table""" WHERE oid >= ? ORDER BY oid LIMIT 1 OFFSET ?
-- insert three rows
INSERT INTO "the ""table""" ("id", "say ""hi""", "naïve 🙂", "select") VALUES (?, ?, ?, ?), (?, ?, ?, ?), (?, ?, ?, ?)
-- quote text
'it''s'
