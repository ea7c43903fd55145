-- What the server makes of each character of its encoding in UTF-8, in hexadecimal; nothing where
-- there is none, or none that it would take back for the same. Nothing but a block catches an error.
DO $$
DECLARE
    own name := pg_catalog.getdatabaseencoding();
    code bytea;
    seen bytea;
    found text[] := '{}';
BEGIN
    FOR code IN $codes LOOP
        BEGIN
            seen := pg_catalog.convert(code, own, 'UTF8');
            IF pg_catalog.convert(seen, 'UTF8', own) <> code THEN
                seen := '';
            END IF;
        EXCEPTION WHEN OTHERS THEN
            seen := '';
        END;
        found := found || pg_catalog.encode(seen, 'hex');
    END LOOP;
    PERFORM pg_catalog.set_config('sanitize.charset', pg_catalog.array_to_string(found, ','), true);
END $$
