package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sanitize-db/sanitize/connectors"
	"github.com/sanitize-db/sanitize/connectors/connectortest"
	"github.com/sanitize-db/sanitize/connectors/postgres"
)

// spelling is how the torture schema is written for databases of an encoding: what that
// cannot hold, in other letters.
type spelling struct {
	database string // as CREATE DATABASE has it
	client   string // the encoding of a client that gets every byte as it is
	respell  func(text string) string
}

var spellings = map[string]spelling{
	"LATIN1": {inLatin1, "UTF8", func(text string) string {
		return inOneByte(noUnicodeCollations(noUnicodeEscapes(text)))
	}},
	// Any bytes: those of UTF-8 as well. Of no collation of ICU, which would have to know them.
	"SQL_ASCII": {inASCII, "SQL_ASCII", func(text string) string {
		text = noUnicodeCollations(noUnicodeEscapes(text))
		text = icuCollation.ReplaceAllString(text, "(LOCALE = 'C')")
		return text
	}},
}

var (
	unicodeEscape  = regexp.MustCompile(`U&'(\\[0-9A-F]{4})+'`)
	icuCollation   = regexp.MustCompile(`\(PROVIDER = icu, [^)]*\)`)
	ownCollation   = regexp.MustCompile(`\(PROVIDER = builtin, [^)]*\)`)
	documentEscape = `[null, "\u00e9\\ \ud83d\ude00"`
)

// noUnicodeEscapes writes letters that only UTF-8 has, and that stand as escapes, in others.
func noUnicodeEscapes(text string) string {
	return unicodeEscape.ReplaceAllString(strings.ReplaceAll(text, documentEscape, `[null, "é\\ ¤"`), "'¤'")
}

// noUnicodeCollations makes collations that only databases in UTF-8 take of another kind.
func noUnicodeCollations(text string) string {
	return ownCollation.ReplaceAllString(text, "(LOCALE = 'C')")
}

// inOneByte writes a sign for each letter that LATIN1 does not have.
func inOneByte(text string) string {
	return strings.Map(func(r rune) rune {
		if r > 0xff {
			return '¤'
		}
		return r
	}, text)
}

// latin1 writes a text with a byte for each letter.
func latin1(t *testing.T, text string) string {
	t.Helper()
	b := make([]byte, 0, len(text))
	for _, r := range text {
		if r > 0xff {
			t.Fatalf("%q is not in LATIN1", r)
		}
		b = append(b, byte(r))
	}
	return string(b)
}

// TestTortureEncodings copies databases in LATIN1 and SQL_ASCII, whose bytes are not UTF-8,
// and compares both sides object by object and row by row: the letters of
// torture-latin1.sql, and for make test-matrix the whole torture schema beside them.
func TestTortureEncodings(t *testing.T) {
	t.Parallel()
	for encoding, s := range spellings {
		t.Run(encoding, func(t *testing.T) {
			policy := "version: 1\nkeys:\n  discovery: {from: \"file:discovery.key\"}\nclasses:\n  text: {kind: free_text, do: {shape: text}}\ntables: {}\n"
			var stayed, kinds []string
			least := 30 // objects
			var p tortured
			if matrix() {
				p = torture(t, &s)
				text := strings.ReplaceAll(p.policy(t), "\ntables:\n", "\ntables:\n  letters: {columns: {name: name, note: text}}\n")
				policy, stayed, kinds = s.respell(text), stays, staysOf
				least = 400
			} else {
				a, b := connectortest.PostgresPair(t)
				p = tortured{postgresPair{a, b, caseSource(t, a, s.database), b.DSN(b.Name(t))}, majorOf(t, a), majorOf(t, b)}
				policy = strings.ReplaceAll(policy, "tables: {}", "tables: {letters: {columns: {name: text, note: text}}}")
			}
			text, err := os.ReadFile(filepath.Join(repository(t), "testdata", "schemas", "postgres", "torture-latin1.sql"))
			if err != nil {
				t.Fatal(err)
			}
			if err := connectortest.LoadPostgres(p.source, strings.NewReader(fmt.Sprintf("\\encoding %s\n\\o /dev/null\n%s", encoding, latin1(t, string(text))))); err != nil {
				t.Fatal(err)
			}
			p.source, p.target = p.source+"&client_encoding="+s.client, p.target+"&client_encoding="+s.client
			source, err := postgres.Connector{}.OpenSource(t.Context(), p.source, connectors.Options{}) // inspect writes JSON, which cannot hold all names
			if err != nil {
				t.Fatal(err)
			}
			defer source.Close()
			c, err := source.Catalog(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			rules, masked := completed(t, c, policy)
			args := []string{"run", "--policy", writePolicy(t, rules), "--from", p.source, "--to", p.target, "--quiet", "--chunk-size", "64KiB", "--workers", "3"}
			if matrix() {
				args = append(args, "--keep-object", ownLanguage)
			}
			sanitize(t, args...)
			if n := p.sameObjectsBut(t, stayed, kinds); n < least {
				t.Errorf("only %d objects in the source", n)
			}
			p.sameStates(t)
			p.sameValues(t, masked)
			if matrix() {
				p.sameJoins(t)
				p.rightPartitions(t)
			}
		})
	}
}
