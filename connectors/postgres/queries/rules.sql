-- Unique indexes over expressions, unique indexes that may compare by another
-- collation than the column's, and exclusion constraints: part by part, in order.
SELECT i.indrelid, c.relname, o.oid IS NOT NULL, coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false),
       coalesce(a.attname::text, ''),
       pg_catalog.pg_get_indexdef(i.indexrelid, k + 1, true),
       coalesce(a.attcollation, 0), i.indcollation[k],
       coalesce(p.oprname::text, ''),
       -- The server writes the column that a variable stands for into its tree.
       ARRAY(SELECT r.attname::text FROM pg_catalog.pg_attribute r
             WHERE a.attname IS NULL AND r.attrelid = i.indrelid AND r.attnum > 0
               AND (i.indexprs::text ~ (':varattno ' || r.attnum || ' ') OR i.indexprs::text ~ ':varattno 0 ')
             ORDER BY r.attnum),
       ARRAY(SELECT r.attname::text FROM pg_catalog.pg_attribute r
             WHERE r.attrelid = i.indrelid AND r.attnum > 0
               AND (i.indpred::text ~ (':varattno ' || r.attnum || ' ') OR i.indpred::text ~ ':varattno 0 ')
             ORDER BY r.attnum),
       -- How the collation of each column that an expression reads folds the case: of a to z alone,
       -- letter by letter, or in full, by which a sharp s is ss. A function goes by that of its argument, and
       -- not by the one that the index compares by.
       ARRAY(SELECT CASE WHEN f.provider = 'i' OR f.locale = 'PG_UNICODE_FAST' THEN 'full' WHEN f.locale IN ('C', 'POSIX') THEN 'a to z' ELSE 'letters' END
             FROM pg_catalog.pg_attribute r
             LEFT JOIN pg_catalog.pg_collation l ON l.oid = r.attcollation
             JOIN pg_catalog.pg_database d ON d.datname = current_database()
             CROSS JOIN LATERAL (SELECT CASE l.collprovider WHEN 'd' THEN coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') ELSE l.collprovider::text END AS provider,
                                        CASE l.collprovider WHEN 'd' THEN coalesce(to_jsonb(d) ->> 'datlocale', d.datctype) ELSE coalesce(to_jsonb(l) ->> 'colllocale', l.collctype) END AS locale) f
             WHERE a.attname IS NULL AND r.attrelid = i.indrelid AND r.attnum > 0
               AND (i.indexprs::text ~ (':varattno ' || r.attnum || ' ') OR i.indexprs::text ~ ':varattno 0 ')
             ORDER BY r.attnum)
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
CROSS JOIN LATERAL generate_series(0, i.indnkeyatts - 1) k
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k] AND i.indkey[k] <> 0
LEFT JOIN pg_catalog.pg_constraint o ON o.conindid = i.indexrelid AND o.conrelid = i.indrelid AND o.conexclop IS NOT NULL
LEFT JOIN pg_catalog.pg_operator p ON p.oid = o.conexclop[k + 1]
WHERE i.indrelid = ANY ($1::oid[]) AND i.indislive AND (i.indisunique AND i.indisvalid OR o.oid IS NOT NULL)
  AND (o.oid IS NOT NULL
       OR EXISTS (SELECT FROM generate_series(0, i.indnkeyatts - 1) e WHERE i.indkey[e] = 0)
       OR EXISTS (SELECT FROM generate_series(0, i.indnkeyatts - 1) e
                  JOIN pg_catalog.pg_attribute x ON x.attrelid = i.indrelid AND x.attnum = i.indkey[e]
                  WHERE x.attcollation <> i.indcollation[e]))
ORDER BY i.indrelid, c.relname, k
