package connectors

import (
	"net/url"
	"regexp"
	"strings"
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
