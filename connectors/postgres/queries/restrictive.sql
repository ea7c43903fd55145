-- Policies of row security that restrict, each as one that lets nobody through: for the same
-- command and the same roles.
SELECT p.oid, pg_catalog.format('CREATE POLICY %I ON %I.%I AS RESTRICTIVE FOR %s', p.polname, n.nspname, c.relname,
                                CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END)
       || coalesce(' TO ' || (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(r.rolname), ', ' ORDER BY r.rolname)
                              FROM pg_catalog.pg_roles r WHERE r.oid = ANY (p.polroles)), '')
       || CASE WHEN p.polcmd = 'a' THEN '' ELSE ' USING (false)' END
       || CASE WHEN p.polcmd IN ('r', 'd') THEN '' ELSE ' WITH CHECK (false)' END || ';'
FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT p.polpermissive
