-- What a server shares with its standbys, and not with one that was promoted.
SELECT s.system_identifier || ' ' || c.timeline_id
FROM pg_catalog.pg_control_system() s, pg_catalog.pg_control_checkpoint() c
