-- libc, before 15
CREATE DATABASE "my ""db""__building_r1" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' ALLOW_CONNECTIONS false CONNECTION LIMIT 7215571;

-- libc
CREATE DATABASE "my ""db""__building_r1" TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'de_DE.iso88591' LC_CTYPE 'de_DE.iso88591' LOCALE_PROVIDER libc ALLOW_CONNECTIONS false CONNECTION LIMIT 7215571;

-- ICU
CREATE DATABASE "my ""db""__building_r1" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'de-u-co-phonebk' ALLOW_CONNECTIONS false CONNECTION LIMIT 7215571;

-- ICU with rules
CREATE DATABASE "my ""db""__building_r1" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'und' ICU_RULES '&a < ''g''' ALLOW_CONNECTIONS false CONNECTION LIMIT 7215571;

-- ICU, too old
-- create database "my ""db""__building_r1": the source's database has an ICU collation, which PostgreSQL 14 does not know
-- hint: use a target of version 15 or later

-- built in
CREATE DATABASE "my ""db""__building_r1" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' ALLOW_CONNECTIONS false CONNECTION LIMIT 7215571;

-- built in, too old for its locale
-- create database "my ""db""__building_r1": the source's database has the collation PG_UNICODE_FAST, which PostgreSQL 17 does not know
-- hint: use a target of version 18 or later

-- built in, too old
-- create database "my ""db""__building_r1": the source's database has a built-in collation, which PostgreSQL 16 does not know
-- hint: use a target of version 17 or later

