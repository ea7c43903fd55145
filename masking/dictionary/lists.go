package dictionary

import (
	"strings"
	"sync"
)

// Cities returns the names of towns in a script, sorted by code point, in
// Unicode's form C. Some are of several words. The list is "city".
func Cities(s Script) []string { return cities()[s] }

// Streets returns the names of streets in a script, without house numbers, as
// Cities does. The list is "street".
func Streets(s Script) []string { return streets()[s] }

// StreetPattern returns how a street and a house number are written together in a
// script, with {street} and {number} for the two: "{number} {street}" in Latin.
// It is part of the list "street".
func StreetPattern(s Script) string { return streetPatterns()[s] }

// CompanyStems returns names of companies in a script without their legal form, as
// Cities does: put together from neutral words. The list is "company".
func CompanyStems(s Script) []string { return companies()[s] }

// CompanyForms returns how companies of a script write their legal form, with
// {name} for the stem: "{name} Ltd", "ООО «{name}»". The list is "form".
func CompanyForms(s Script) []string { return forms()[s] }

// Jobs returns job titles in a script, as Cities does. The list is "job".
func Jobs(s Script) []string { return jobs()[s] }

// UserAgents returns what browsers say that they are, in ASCII, sorted. The list
// is "useragents".
func UserAgents() []string { return userAgents() }

// Words returns plain English words of the letters a to z, in lower case, sorted:
// for the parts of URLs and of host names. The list is "words".
func Words() []string { return words() }

var (
	cities         = perScript("city")
	streets        = perScript("street")
	companies      = perScript("company")
	forms          = perScript("form")
	jobs           = perScript("job")
	userAgents     = sync.OnceValue(func() []string { return readList("useragents") })
	words          = sync.OnceValue(func() []string { return readList("words") })
	streetPatterns = sync.OnceValue(func() (patterns [scripts]string) {
		for _, line := range readList("street_patterns") {
			script, pattern, _ := strings.Cut(line, " ")
			if s, ok := ParseScript(script); ok {
				patterns[s] = pattern
			}
		}
		return patterns
	})
)
