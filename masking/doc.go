// Package masking turns the values of columns into others that tell nothing by
// themselves and still join. It knows no SQL and no policy file: it takes Arrow
// arrays and gives Arrow arrays.
//
// # What makes a masked value
//
// Three things: the key, the domain, and the original value. Not the row, the
// batch, the worker, the clock or the library's version. So joins survive, any
// chunk can be masked again anywhere, and tonight's pseudonyms are last night's.
// What shapes a value beside these – a pinned range, the dictionary, the width of a
// short column – stands in Binding.Pinned, and thereby in the fingerprint. One
// transform, shuffle, is made of the column's values, and moves with them.
//
// A Factory describes a transform and binds it to a column; all complaints happen
// there, as a BindError. A bound Transform has one method and no decisions left;
// the only error that it knows is a ValueError, which names a row and never a
// value. What a binding guarantees is data (Guarantees): the compiler proves
// uniqueness by it, the audit reads it, and one law test proves it for every
// transform of Standard.
//
// NULL stays NULL with every transform. A text that is empty or blank stays as it is
// with all that say so (Guarantees.KeepsEmpty), which is all but null. NULLs are made by
// null, by malformed: null for a document that cannot be read, and by drop for a field
// of a composite; by nothing else.
//
// # What stands inside a value
//
// Documents (json, xml) are masked path by path, arrays, ranges, hstores and
// composites (each, fields) part by part. What stands inside is bound as a column of its
// kind would be, so that a key in an array or a document joins with the key in a
// column. What no path names goes, or stays by somebody's word; a value that
// cannot be read is an error.
//
// # What it protects against, and what not
//
// The transforms that take a key protect against somebody who sees all of the
// output and can guess inputs: without the key a guess cannot be tried out, which
// is how unkeyed hashes of phone numbers and addresses fall. Keys of different
// domains and of different transforms are derived apart, so what is not linked by
// the policy cannot be joined, and one broken transform gives nothing of another.
//
// What a keyed mask cannot hide, because it is the same tonight as last night:
//
//   - Equality and frequency. Equal values have equal masks. Where there are few
//     values, an outside table of frequencies tells them apart: a column of
//     countries is not protected by a permutation of countries.
//   - What it keeps on purpose: the sign and the size class of a pseudonym, the
//     prefix of a phone number, the length of a text, the interval between two
//     dates of one subject.
//   - The order in which rows are stored, which a copy keeps. In a table that only
//     grows the 17th row has the 17th serial key, whatever its pseudonym.
//   - What a text says in words that no pattern finds, with redact and else: keep.
//   - Values from somebody who can write to production before the snapshot is
//     taken. Such a person puts in inputs, reads the outputs, and has a codebook
//     for these.
//   - Anything from whoever holds the key. Permutations can be run backwards: pseudonym;
//     number and day: permute; of fake: phone, account, postcode, pan, iban, ssn,
//     national_id, ip, mac, user_name where it is unique, and short emails with unique: strict. Keyed functions (token, the rest of fake)
//     can be tried out. The masked data is pseudonymous, not anonymous, as long as the
//     key exists. An ephemeral key that is forgotten after the run takes this way back out.
//
// A constant and null hide the value altogether, and not whether there was one.
//
// # How
//
// One master key of 256 bits. Sub-keys by HKDF-SHA256 (RFC 5869) from domain,
// transform and version; from each a key for every use.
//
// The keyed function is AES-256-CMAC (NIST SP 800-38B; RFC 4493 for its form). Where 16
// bytes do not suffice (a long token, a text of many letters, a point that is drawn
// again), more are the encryptions of its result with 1, 2, … added by exclusive or,
// under the same key. CMAC encrypts its last block with a secret sub-key added, so an
// input of the one is an input of the other by chance alone, about once in 2⁶⁴ blocks.
//
// AES is that of crypto/aes. Where the processor has instructions for it (AES-NI and
// VAES on amd64, the cryptographic extension on arm64), kernels in assembly encrypt
// many blocks side by side; their output is the same, and the tests hold each of
// them against crypto/aes. The build tag purego leaves them out, and so does
// GODEBUG=fips140=on.
//
// The permutations are generalized Feistel networks over Z_a × Z_b with ten
// rounds of AES-256, and cycle walking onto the exact range (Black and Rogaway,
// "Ciphers with Arbitrary Finite Domains", CT-RSA 2002; Morris, Rogaway and
// Stegers, "How to Encipher Messages on a Small Domain", CRYPTO 2009). Up to
// 2²⁰ values a table takes their place: a Fisher–Yates shuffle with exactly
// uniform draws from AES-256 in counter mode. FF1 and FF3-1 (SP 800-38G) are not
// used: the one is encumbered, the other withdrawn. Tables that many prefixes share
// are made tweakable by keyed offsets (Liskov, Rivest and Wagner, CRYPTO 2002).
//
// All work is done 256 values at a time, in scratch space from a pool: a batch
// costs a handful of allocations and a value none.
package masking
