package postgres

import (
	"regexp"
	"slices"
	"strings"
)

// Code that is put together from pieces: literals between which values are filled in when it
// is run. They are read as one text, with a hole for each value.

// hole stands for a value. It is a letter to tokens, so that what is put together to one name
// is one name.
const hole = "\ufffc"

// isHole reports whether a token is nothing but values.
func (t token) isHole() bool { return t.kind == 'n' && strings.Trim(t.text, hole) == "" }

// formatted are the places that format() fills in.
var formatted = regexp.MustCompile(`%(\d+\$)?-?\d*[sIL]`)

// withHoles returns a literal with holes in the places that format() would fill in.
func withHoles(text string) string {
	if !strings.Contains(text, "%") {
		return text
	}
	return formatted.ReplaceAllLiteralString(text, hole)
}

// pieced returns the text that the literal at i begins, with what is joined to it by one of
// the signs, and where it ends.
func pieced(all []token, i int, joints []string) (text string, end int) {
	if i >= 2 && all[i-1] == (token{text: "("}) && all[i-2].kind == 'n' && (all[i-2].text == "concat" || all[i-2].text == "concat_ws") {
		joints = []string{","}
	}
	text, end = withHoles(all[i].text), i+1
	inBrackets := i > 0 && all[i-1] == token{text: "("}
	for end < len(all) {
		n := joint(all, end, joints)
		switch {
		case all[end].kind == 'l': // as standard SQL joins them
			text, end = text+withHoles(all[end].text), end+1
		case n > 0 && end+n < len(all) && all[end+n].kind == 'l':
			text, end = text+withHoles(all[end+n].text), end+n+1
		case n > 0:
			text += valueOf(all[end+n:])
			end = afterValue(all, end+n, joints)
		case inBrackets:
			// What stands behind the bracket may go on: format(…) || '…'.
			inBrackets, end = false, closing(all, i-1)+1
			joints = []string{"||"}
		default:
			return text, end
		}
	}
	return text, end
}

// valueOf is what is known of a value that is joined to a text.
func valueOf(rest []token) string {
	if len(rest) > 2 && rest[0] == (token{kind: 'n', text: "format"}) && rest[1] == (token{text: "("}) && rest[2].kind == 'l' {
		return withHoles(rest[2].text)
	}
	return hole
}

// joint returns how many tokens at i are a sign that joins texts.
func joint(all []token, i int, joints []string) int {
	for _, j := range joints {
		n := len(j)
		if i+n <= len(all) && !slices.ContainsFunc(all[i:i+n], func(t token) bool { return t != token{text: j[:1]} }) {
			return n
		}
	}
	return 0
}

// afterValue returns where a value ends that is joined to a text.
func afterValue(all []token, i int, joints []string) int {
	for ; i < len(all); i++ {
		switch t := all[i]; {
		case t == token{text: "("}:
			i = closing(all, i)
		case t == token{text: ")"}, t == token{text: ";"}, t == token{text: ","}, joint(all, i, joints) > 0:
			return i
		}
	}
	return i
}

// ofSQL are the languages that tokens reads.
var ofSQL = []string{"", "sql", "plpgsql"}

// languageBefore returns the language of a function whose body stands at i.
func languageBefore(all []token, i int) string {
	for i -= 2; i >= 0; i-- {
		if all[i].kind == 'n' && all[i].text == "language" && all[i+1].kind == 'n' {
			return all[i+1].text
		}
	}
	return ""
}

// unquoted takes the signs out of code of another language that are quotes there, and others
// in SQL: what stands between them may be run.
var unquoted = strings.NewReplacer(`"`, " ", "`", " ", "--", "  ")

// copiesInside says what a COPY, whose word has been read in code of another language, would do
// outside of the database. Its text may be put together by the means of that language.
func copiesInside(rest []token) string {
	for i, t := range rest {
		switch {
		case t == token{text: ";"}:
			return ""
		case t.kind == 'n' && (t.text == "from" || t.text == "to") && i+1 < len(rest):
			if why := copiesWith(rest[i+1:]); why != "" {
				return why
			}
			if next := rest[i+1]; next.kind == 0 && strings.Contains(`$.+\`, next.text) {
				return reachesFile
			}
		}
	}
	return ""
}
