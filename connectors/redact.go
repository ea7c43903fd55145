package connectors

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/sanitize-db/sanitize/connectors/catalog"
)

var (
	keyword  = regexp.MustCompile(`(?i)\b(password|passfile|sslpassword|sslkey)\s*=\s*('(?:[^'\\]|\\.)*'|"[^"]*"|[^\s&;]*)`)
	userinfo = regexp.MustCompile(`(?s)//.*@`)
)

// RedactURL returns a connection string without its password, whatever its form:
// a URL, one that net/url cannot parse, or keywords and values. What cannot be
// understood loses everything that could be a password.
func RedactURL(dsn string) string {
	if strings.Contains(dsn, "://") {
		// An @ behind what was understood as the host may end a password that holds a
		// slash, a question mark or an @ of its own.
		if u, err := url.Parse(dsn); err == nil && !strings.Contains(u.Host+u.Path+u.RawQuery+u.Fragment, "@") {
			if u.User != nil {
				if _, has := u.User.Password(); has {
					u.User = url.UserPassword(u.User.Username(), "xxxxx")
				}
			}
			return keyword.ReplaceAllString(u.String(), "$1=xxxxx")
		}
		dsn = userinfo.ReplaceAllStringFunc(dsn, func(s string) string {
			user, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSuffix(s, "@"), "//"), ":")
			return "//" + user + ":xxxxx@"
		})
	}
	return keyword.ReplaceAllString(dsn, "$1=xxxxx")
}

// AmbiguousURL reports whether a URL has an @ behind the one that ends the account:
// where a password holds a bare @, /, ? or #, its rest is read as a host, a port or
// a database, and messages name those.
func AmbiguousURL(dsn string) bool {
	_, rest, ok := strings.Cut(dsn, "://")
	if !ok {
		return false
	}
	authority, tail := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, tail = rest[:i], rest[i:]
	}
	// Parameters have names, and their values may be accounts: user=ann@corp.
	if path, query, ok := strings.Cut(tail, "?"); ok && !strings.Contains(query, "#") {
		name, _, _ := strings.Cut(query, "=")
		tail = path + name
	}
	return strings.Count(authority, "@") > 1 || strings.Contains(tail, "@")
}

// What a secret looks like inside a definition. It need not be right about SQL: what it
// takes too much of is still a definition, what it misses would be in a file.
var (
	// literal is a literal behind a name like password: = 'x', => 'x', : "x", PASSWORD 'x'.
	literal = regexp.MustCompile(`(?i)((?:passw|passphrase|passfile|pwd|secret|token|api_?key|access_?key|sslkey|credential)\w*["'\])]?(?:::\w+)?\s*(?:=>|:=|<>|!=|=|:|,|(?:not\s+)?(?:i?like|in|similar\s+to)\b|!?~~?\*?)?\s*(?:any|some|all)?\s*\(?\s*(?:array\s*\[)?\s*E?)(''[^'\s]+''|'(?:[^'\\]|\\.|'')*'?|"(?:[^"\\]|\\.)*"|\$\w*\$[^$]*\$\w*\$)`)
	// bareword is a value without quotes, as in a connection string.
	bareword = regexp.MustCompile(`(?i)(\w*(?:password|passwd|passphrase|passfile|pwd|sslkey)\s*=\s*)([^\s'"();,&]+)(\()?`)
	// address is a URL with an account. A password may hold whatever is no blank or quote.
	address = regexp.MustCompile(`(?i)\b([a-z][a-z0-9+.-]*://[^\s'":/@]*):[^\s'"]*@`)
	// account is a URL with a name that may itself be the key.
	account = regexp.MustCompile(`(?i)\b(https?://)[^\s'":/@?#]+@`)
	query   = regexp.MustCompile(`(?i)([?&](?:[a-z_-]*(?:token|secret|passw|pwd|key|sig)[a-z_-]*)=)[^\s'"&#]+`)
	bearer  = regexp.MustCompile(`(?i)(\bbearer\s+)[a-z0-9._~+/=-]{3,}`)
	// turned is a literal before such a name.
	turned = regexp.MustCompile(`(?i)('(?:[^']|'')*')(\s*(?:=|<>|!=)\s*["\[]?\w*\.?["\[]?\w*(?:passw|passphrase|pwd|secret|token|api_?key|access_?key|credential))`)
	// inserted is an INSERT that names such a column: any of its literals may be the one.
	inserted = regexp.MustCompile(`(?is)\binsert\s+into\b[^;]*?\([^;)]*(?:passw|passphrase|pwd|secret|token|api_?key|access_?key|credential)[^;)]*\)[^;]*`)
	quoted   = regexp.MustCompile(`'(?:[^']|'')*'`)
	// comments would stand between a name and its literal.
	comments = regexp.MustCompile(`(?s)/\*.*?\*/|--[^\n]*`)
	by       = regexp.MustCompile(`(?i)(\bidentified\s+by\s+)('(?:[^']|'')*'?|"[^"]*"|\S+)`)
)

const redacted = "xxxxx"

// suspicions are the words of which one stands in every text that an expression above
// matches: most definitions hold none of them, and are not looked at again.
var suspicions = []string{"passw", "passphrase", "passfile", "pwd", "secret", "token", "apikey", "api_key", "accesskey", "access_key", "sslkey",
	"credential", "identified", "bearer", "://"}

func suspicious(s string) bool {
	s = strings.ToLower(s)
	return slices.ContainsFunc(suspicions, func(word string) bool { return strings.Contains(s, word) })
}

// RedactText returns a definition, a comment or a command without the passwords in it:
// those of URLs and connection strings, and the literals behind names like password.
// An expression, such as password = crypt($1, password), stays.
func RedactText(s string) string {
	if !suspicious(s) {
		return s
	}
	if comments.MatchString(s) && !strings.Contains(s, "://") {
		if bare := comments.ReplaceAllString(s, " "); literal.MatchString(bare) && !literal.MatchString(s) {
			s = bare
		}
	}
	s = address.ReplaceAllString(s, "$1:"+redacted+"@")
	s = account.ReplaceAllString(s, "${1}"+redacted+"@")
	s = query.ReplaceAllString(s, "${1}"+redacted)
	s = inserted.ReplaceAllStringFunc(s, func(found string) string { return quoted.ReplaceAllString(found, "'"+redacted+"'") })
	s = turned.ReplaceAllString(s, "'"+redacted+"'$2")
	s = by.ReplaceAllString(s, "$1'"+redacted+"'")
	s = bearer.ReplaceAllString(s, "${1}"+redacted)
	s = literal.ReplaceAllStringFunc(s, func(found string) string {
		m := literal.FindStringSubmatch(found)
		q := m[2][:1]
		switch {
		case m[2] == "''":
			return found
		case q == "$":
			q = "'"
		case strings.HasPrefix(m[2], "''"): // within a literal
			q = "''"
		}
		return m[1] + q + redacted + q
	})
	return bareword.ReplaceAllStringFunc(s, func(found string) string {
		m := bareword.FindStringSubmatch(found)
		value := strings.ToLower(m[2])
		if m[3] != "" || strings.HasPrefix(value, "new.") || strings.HasPrefix(value, "old.") || strings.HasPrefix(value, "$") {
			return found // a call, a row of a trigger, a parameter
		}
		return m[1] + redacted
	})
}

// RedactDefinitions takes the passwords out of everything in a catalog that people
// write: expressions, bodies, comments. Connectors call it before catalog.New.
func RedactDefinitions(tables []*catalog.Table, objects []catalog.Object) {
	clean := func(texts ...*string) {
		for _, t := range texts {
			*t = RedactText(*t)
		}
	}
	for _, t := range tables {
		clean(&t.Comment, &t.Bounds)
		for i := range t.Columns {
			c := &t.Columns[i]
			clean(&c.Comment, &c.Default, &c.Computation)
			// The name is what makes a literal a password here.
			if c.Default != "" && suspicious(c.Name) {
				c.Default = strings.TrimPrefix(RedactText(c.Name+"="+c.Default), c.Name+"=")
			}
		}
		for _, list := range [][]catalog.Definition{t.Checks, t.Indexes, t.Triggers} {
			for i := range list {
				clean(&list[i].Text)
			}
		}
	}
	for i := range objects {
		clean(&objects[i].Definition, &objects[i].Comment)
	}
}
