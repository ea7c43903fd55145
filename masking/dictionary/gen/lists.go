package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/brianvoe/gofakeit/v7/data"
	"golang.org/x/text/unicode/norm"

	"github.com/sanitize-db/sanitize/masking/dictionary"
)

// kind is one kind of list: how its sources are read and what an entry may be.
type kind struct {
	name     string
	alone    bool                             // one list, not one for each script
	words    bool                             // the sources have many entries a line, between blanks
	gofakeit func() []string                  // its part of the Latin list; what does not pass is left out
	made     func() []string                  // entries that no source has
	check    func(entry, script string) error // what an entry may be
}

var kinds = []kind{
	{name: "given", words: true, check: checkName, gofakeit: func() []string { return slices.Concat(data.Person["first"], data.Person["middle"]) }},
	{name: "family", words: true, check: checkName, gofakeit: func() []string { return data.Person["last"] }},
	{name: "city", check: checkPhrase, gofakeit: func() []string { return data.Address["city"] }},
	{name: "street", check: checkPhrase},
	{name: "street_patterns", alone: true, check: checkPattern},
	{name: "company", check: checkPhrase},
	{name: "form", check: checkForm},
	{name: "job", check: checkPhrase, gofakeit: func() []string { return data.Job["title"] }},
	{name: "useragents", alone: true, made: userAgents, check: checkASCII},
	{name: "words", alone: true, words: true, check: checkWord},
}

// collect returns the entries of one list, each once, sorted.
func collect(k kind, name, script string) ([]string, error) {
	var entries []string
	if k.gofakeit != nil && script == "latin" {
		entries = slices.DeleteFunc(slices.Clone(k.gofakeit()), func(e string) bool { return k.check(e, script) != nil })
	}
	if k.made != nil {
		entries = append(entries, k.made()...)
	}
	files, err := ours.ReadDir("ours")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		// given_latin.txt and given_latin_diacritics.txt both are lists of given_latin.
		if base := strings.TrimSuffix(f.Name(), ".txt"); base == name || strings.HasPrefix(base, name+"_") {
			text, err := ours.ReadFile("ours/" + f.Name())
			if err != nil {
				return nil, err
			}
			if k.words {
				entries = append(entries, strings.Fields(string(text))...)
				continue
			}
			for line := range strings.Lines(string(text)) {
				entries = append(entries, product(strings.TrimSpace(line))...)
			}
		}
	}
	for i, e := range entries {
		e = norm.NFC.String(e)
		if err := k.check(e, script); err != nil {
			return nil, err
		}
		entries[i] = e
	}
	return sortedOnce(entries), nil
}

func sortedOnce(entries []string) []string {
	slices.Sort(entries)
	return slices.Compact(entries)
}

// product returns what a line stands for: itself; the entries between bars; or for
// "Elm|Oak * _Road|_Lane" each of the left with each of the right. An underscore
// is a blank.
func product(line string) []string {
	left, right, _ := strings.Cut(line, " * ")
	var all []string
	for l := range strings.SplitSeq(left, "|") {
		for r := range strings.SplitSeq(right, "|") {
			all = append(all, strings.ReplaceAll(l+r, "_", " "))
		}
	}
	return all
}

// letterTables returns the letters that a script's entries are made of.
func letterTables(script string) []*unicode.RangeTable {
	if script == "kana" {
		return []*unicode.RangeTable{unicode.Inherited, unicode.Katakana}
	}
	return []*unicode.RangeTable{unicode.Inherited, unicode.Scripts[strings.ToUpper(script[:1])+script[1:]]}
}

// checkName makes sure that a name is one word of letters of its script.
func checkName(name, script string) error {
	tables := letterTables(script)
	for i, r := range name {
		inside := i > 0 && (r == '-' || r == '\'')
		if !inside && !(unicode.In(r, tables...) && (unicode.IsLetter(r) || unicode.IsMark(r))) {
			return fmt.Errorf("%q is not one word in that script", name)
		}
	}
	return nil
}

// checkPhrase makes sure that an entry is words of letters of its script, with one
// blank between them, or what stands inside a word.
func checkPhrase(entry, script string) error {
	return checkLetters(entry, script, " -'.ー")
}

func checkLetters(entry, script, inside string) error {
	tables := letterTables(script)
	for i, r := range entry {
		letter := unicode.In(r, tables...) && (unicode.IsLetter(r) || unicode.IsMark(r))
		if !letter && (i == 0 || !strings.ContainsRune(inside, r)) {
			return fmt.Errorf("%q has %q, which is no letter of that script", entry, r)
		}
	}
	if entry == "" || strings.TrimSpace(entry) != entry || strings.Contains(entry, "  ") {
		return fmt.Errorf("%q is empty, or has a blank too many", entry)
	}
	return nil
}

// checkForm makes sure that a legal form has the place for the name once, and
// beside it letters of its script.
func checkForm(entry, script string) error {
	before, after, ok := strings.Cut(entry, "{name}")
	if !ok || strings.Contains(after, "{") {
		return fmt.Errorf("%q does not have {name} once", entry)
	}
	// What is left of the form is letters and blanks; brackets open it, if anything does.
	for _, part := range []string{before, after} {
		part = strings.TrimLeft(strings.TrimSpace(part), "(»«")
		if part == "" {
			continue
		}
		if err := checkLetters(part, script, " .()«»״׳"); err != nil {
			return err
		}
	}
	return nil
}

// checkPattern makes sure that a line has a script, a street and a number.
func checkPattern(line, _ string) error {
	script, pattern, ok := strings.Cut(line, " ")
	if _, known := dictionary.ParseScript(script); !ok || !known || strings.Count(pattern, "{street}") != 1 || strings.Count(pattern, "{number}") != 1 {
		return fmt.Errorf("%q is not a script and its pattern", line)
	}
	return nil
}

// checkASCII makes sure that an entry is printable ASCII.
func checkASCII(entry, _ string) error {
	for _, r := range entry {
		if r < ' ' || r > '~' {
			return fmt.Errorf("%q is not printable ASCII", entry)
		}
	}
	return nil
}

// checkWord makes sure that an entry is of the letters a to z.
func checkWord(entry, _ string) error {
	if entry == "" || strings.Trim(entry, "abcdefghijklmnopqrstuvwxyz") != "" {
		return fmt.Errorf("%q is not a word of a–z", entry)
	}
	return nil
}

// userAgents returns what browsers of a few years say that they are. Since their
// makers froze most of these strings, the version of the browser is nearly all
// that differs; none is promised to exist.
func userAgents() []string {
	const mozilla, webkit = "Mozilla/5.0 ", "AppleWebKit/537.36 (KHTML, like Gecko) "
	var all []string
	add := func(format string, args ...any) { all = append(all, mozilla+fmt.Sprintf(format, args...)) }
	desktops := []string{"Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "X11; Linux x86_64"}
	for version := 116; version <= 139; version++ {
		for _, system := range desktops {
			add("(%s) %sChrome/%d.0.0.0 Safari/537.36", system, webkit, version)
		}
		for _, system := range desktops[:2] {
			add("(%s) %sChrome/%d.0.0.0 Safari/537.36 Edg/%d.0.0.0", system, webkit, version, version)
		}
		add("(Linux; Android 10; K) %sChrome/%d.0.0.0 Mobile Safari/537.36", webkit, version)
		for _, system := range []string{"Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10.15", "X11; Linux x86_64", "Android 13; Mobile"} {
			gecko := "20100101"
			if strings.HasPrefix(system, "Android") {
				gecko = fmt.Sprintf("%d.0", version)
			}
			add("(%s; rv:%d.0) Gecko/%s Firefox/%d.0", system, version, gecko, version)
		}
	}
	for _, version := range []string{"16.5", "16.6", "17.0", "17.1", "17.2", "17.3", "17.4", "17.5", "17.6", "18.0", "18.1", "18.2", "18.3", "18.4", "18.5"} {
		const safari = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/"
		system := strings.ReplaceAll(version, ".", "_")
		add("(Macintosh; Intel Mac OS X 10_15_7) %s%s Safari/605.1.15", safari, version)
		add("(iPhone; CPU iPhone OS %s like Mac OS X) %s%s Mobile/15E148 Safari/604.1", system, safari, version)
		add("(iPad; CPU OS %s like Mac OS X) %s%s Mobile/15E148 Safari/604.1", system, safari, version)
	}
	return all
}
