// Package policies reads the policy file and compiles it, together with a
// catalog and a key, into a plan that decides about every column before a row
// is read.
//
// # Reading
//
// A policy is one YAML file without hosts, connections or secrets. Load reads it
// strictly: an unknown field, a duplicate key, an alias, an anchor, a merge key,
// a tag, a second document or a value of the wrong type is an error with line,
// column and an excerpt, so that an auditor can read each line on its own. All
// errors are reported, not only the first. The digest of a policy is the SHA-256
// of the exact bytes.
//
// # Bases
//
// A policy may build on others, each pinned by the digest of its exact bytes. A base
// says how data is masked and knows no database: it has classes, defaults, risk,
// edge_cases, environments, waivers and the profiles of the header, and neither keys nor
// tables nor links; so it can name no command either. Of two bases the stronger counts,
// in whatever order they stand; where neither is, the policy has to define the class.
// The policy itself may add and strengthen. To weaken a class or its kind, a default, a k
// or a bound of environments wants a waiver of SAN-P08 in the same file, which names
// the class, defaults.NAME, the table of risk, or environments.NAME, and has not expired.
// Builtin returns the bases of this program.
//
// # Resolution
//
// Each column of each table that stores rows, or is partitioned, gets exactly one
// decision. The first of these that exists decides:
//
//  1. the line that lists the column, in `columns` or in `keep`,
//  2. a foreign key: the column shares the decision of the column that it
//     references, by the key's real pairs, along chains and cycles,
//  3. a link: relations that the database does not declare,
//  4. the column of the same name in the table that this one is a partition
//     of, or inherits from.
//
// What is left is undecided, and stops the run. Where two relations disagree the
// policy does not compile, and the message names both lines. The one deviation
// that harms no key is to null the referencing column.
//
// A value that the database computes from others is never copied, so that there
// is nothing to decide about it.
//
// What a trigger computes is copied unless somebody says otherwise: {do: derive} leaves the
// column out of the copy and lets the table's own trigger fill it from the masked values.
// Of tsvector_update_trigger it is known what it reads; another trigger has to be named,
// {derive: TRIGGER}. A tsvector that is kept, and made of masked columns, does not compile,
// nor does a column that a trigger makes of one masked column alone, with nothing lost.
//
// # Domains
//
// A domain is the namespace of consistent masking. Its name is the scope of the
// key, a slash, and the class: `discovery/email`. So the same value under the
// same class masks alike in every table, in JSON paths, and on every engine, as
// foreign keys, links and logical relations that nobody has declared need it;
// and a value under another class, or in another scope, masks differently, so
// that what the policy holds apart cannot be joined. The transform and its
// version separate the keys further (see masking.Key.Subkey).
//
// What is drawn for a subject, as {person: …, of: COLUMN} does, is in the domain of
// that column: its class's if it is masked; if it is kept, one that is named for the
// column at the end of its keys and links. So all that references one customer agrees.
//
// The elements of an array ({each: …}), the fields of a composite ({fields: …}) and the
// paths of a document ({json: …}, {xml: …}) name classes of their own, whose domains
// they are in; a transform that is spelled out there, without a class, is in the
// domain of the whole. {redact: [email, …]} masks each hit as the class of the
// pattern's name does (of pan, the class card will do), so that text and column agree.
// A pattern without such a class is masked in the domain of the text.
//
// What a transform fits to is the narrowest column of the group that keys and links
// tie together: the fewest bits of its integers, the fewest characters of its
// texts; and what is equal for one of them is equal for all (citext, a collation,
// char(n)). So both ends of a key come out equal though their types differ. Where
// columns of one class that nothing ties together are masked differently by that,
// Compile warns.
//
// A link may lead to another database, engine:database.table.column. What joins there is
// the domain: the other policy needs a class of the same name that does the same, and the
// same key under the same scope.
//
// # Rows
//
// A table's rows may be cut to those that meet a condition, to a sample, or to a limit.
// Sample and limit go by a hash of what identifies a row, keyed by the domain
// `discovery/rows`: the same rows every night, and in every table that has the same key.
//
// # Uniqueness
//
// A unique column gets a bijection, or a mask with so many output bits that two
// values meet with probability below 2^−30; otherwise the policy does not
// compile. A unique key of several columns stays unique if each of its masked
// columns does, or if it contains another unique key that stays. A unique index over
// lower(email) compares without regard to case, and so does the transform. Where a key tells
// apart what such an index, or a linked column, does not – `email text unique` beside an index on
// lower(email) for some rows – equal masks are what values get that only the key tells apart. If
// no other key proves that there are none, a plan says so, and a run looks for them in the source
// before it copies a row, if they are not too many: a single column that has such does not compile
// then. Where rows move between partitions, it does, and is warned of.
//
// An index over a digest (md5(url)), or over a coalesce to the empty text, is judged as the column is. What
// other expressions make of masked values nobody knows: that is a warning, and if they break
// the index the run fails when it is made. Dates that all move alike (shift_days without within,
// and without by or by a column of the key) stay apart and overlap as they did, save at the
// earliest and the latest that a shift makes: a warning too. Where a mask does not keep what an
// operator of an exclusion constraint asks of a column, the policy does not compile.
//
// # Discovery
//
// One detector says of a column what sort of data it seems to hold: Discover reports
// it, Init proposes by it, Compile's hints come from it, and Doubts holds it against
// what a policy keeps. It reads, in this order, the name (in tokens of snake_case,
// camelCase and glued words; in ten languages and their abbreviations, each word
// turned into plain English that the rules are about), the table as context, the type
// and the keys, the comment, the labels of an enum and, where samples are at hand, the
// values: check digits, forms, common names, the spread of days, sentences, documents.
//
// A score says how much speaks for personal data; from 0.5 a column counts as personal.
// It is an opinion in steps of 0.05, measured on labelled schemas (benchmarks/README.md),
// and no probability. A text of which nothing is known, in a table of people, scores
// 0.5: closed by default. Values that are something else lower the score of a name and
// do not acquit the column.
//
// Of values nothing leaves the detector: no value, and no share of fewer than 20; larger
// ones are said in steps of 5 %. A key of a document is shown only if many documents
// have it and it looks like a name that somebody gave a field. What is held of a sample
// is bounded: 10,000 rows and 16 MiB of a table, 4 KiB of a value, 200 paths of a
// column's documents; of values themselves nothing is held.
//
// # Strength, locks and signatures
//
// Transforms are in a partial order of what they leave to whoever sees the output and
// has no key (see compareSpec): keep, a part or a neighbourhood, what the key turns
// back, what it does not, a constant, NULL, nothing. Within one transform its own
// measure counts, a document path by path. Where neither is stronger the order says
// Changed. Diff compares two policies by it, and kinds of classes, rows, keys, risk,
// environments and waivers by what each bounds. A weakening is accepted by a waiver
// {rule: SAN-P08, at: OBJECT} of the new policy, for 366 days at most; one that the old
// policy does not have is itself weaker, until somebody accepts it.
//
// A Lock is a policy that has met a catalog, written down: each column's decision, and
// what shapes the output beside it. It is the same bytes each time, is read strictly,
// and holds no row, no text of the catalog that may quote one, and nothing of a key
// but its check value. CheckLock finds what has drifted since: every change of a
// table, column, key, index or trigger is an error with the line to add; with
// `schema_drift: warn` those pass by which no value can come through that the lock did
// not foresee: a text that may be longer, a column that became NOT NULL, an index,
// a CHECK or a comment that is gone, and a partition, new or gone, that is what its table is, or
// another of its partitions, and that no line of the policy is about.
//
// Signatures are detached: DSSE envelopes (Sign), whose payload is the file's exact
// bytes and whose type tells a policy from a lock, or SSH signatures in the namespace
// `sanitize`. Both are ed25519. The ids of keys in them decide nothing; a signer
// counts once.
//
// # Use
//
//	policy, err := policies.Load("shop.yaml")
//	key, err := policy.Key()
//	compiled, err := policies.Compile(policy, catalog, key, masking.Standard())
//
// A transform that is made of its column's values reads them by WithRows; without it
// the plan says that the run makes it.
//
// Schema is the JSON Schema of the language for editors, and SchemaFor one that knows
// a database. What is declared for the audit alone, as risk and edge_cases, Compile
// says as a warning.
//
// Errors are of type Errors. Its Drift method tells an undecided column, or a
// catalog that has changed, from a policy that is wrong in itself.
package policies
