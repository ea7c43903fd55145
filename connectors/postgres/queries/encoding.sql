-- The encoding of the database, and whether it knows the cases of a to z only.
SELECT pg_catalog.pg_encoding_to_char(d.encoding),
       CASE coalesce(to_jsonb(d) ->> 'datlocprovider', 'c')
            WHEN 'c' THEN d.datctype IN ('C', 'POSIX')
            WHEN 'b' THEN to_jsonb(d) ->> 'datlocale' = 'C'
            ELSE false END
FROM pg_catalog.pg_database d
WHERE d.datname = current_database()
