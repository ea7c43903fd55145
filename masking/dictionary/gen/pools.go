package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/brianvoe/gofakeit/v7"
	"golang.org/x/text/unicode/norm"
)

const (
	poolSize  = 512 // values of a pool, at most
	poolDraws = poolSize * 24
	poolValue = 512 // bytes of a value, at most
)

// leftOut holds the generators that there is no pool of, and why.
var leftOut = map[string]string{
	"address":          "a record",
	"book":             "a record",
	"car":              "a record",
	"creditcard":       "a record",
	"currency":         "a record",
	"job":              "a record",
	"movie":            "a record",
	"person":           "a record",
	"product":          "a record",
	"song":             "a record",
	"map":              "a record",
	"teams":            "a record, and needs parameters",
	"nicecolors":       "a list",
	"productaudience":  "a list",
	"rgbcolor":         "a list",
	"hslcolor":         "a list",
	"dice":             "a list",
	"shuffleints":      "a list, and needs parameters",
	"shufflestrings":   "a list, and needs parameters",
	"imagejpeg":        "an image",
	"imagepng":         "an image",
	"svg":              "an image",
	"csv":              "a file",
	"json":             "a file",
	"xml":              "a file",
	"fixed_width":      "a file",
	"sql":              "statements",
	"email_text":       "several lines",
	"markdown":         "several lines",
	"creditcardexp":    "asks the clock",
	"date":             "asks the clock",
	"daterange":        "asks the clock",
	"emojisentence":    "asks the clock now and then",
	"firefoxuseragent": "asks the clock",
	"futuredate":       "asks the clock",
	"pastdate":         "asks the clock",
	"useragent":        "asks the clock for one in four; fake: user_agent does not",
	"year":             "asks the clock",
	"digitn":           "needs parameters",
	"float32range":     "needs parameters",
	"float64range":     "needs parameters",
	"generate":         "needs parameters",
	"intrange":         "needs parameters",
	"lettern":          "needs parameters",
	"lexify":           "needs parameters",
	"numerify":         "needs parameters",
	"randomint":        "needs parameters",
	"randomstring":     "needs parameters",
	"randomuint":       "needs parameters",
	"regex":            "needs parameters",
	"template":         "needs parameters",
	"weighted":         "needs parameters",
}

// pools returns the text of the pools: for each of gofakeit's generators a line
// of its name and of how many values follow, one a line, sorted. Every generator
// draws from a source of its own, whose seed is its name: one that joins gofakeit
// changes no other's pool.
func pools() ([]byte, error) {
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(gofakeit.FuncLookups)) {
		if _, out := leftOut[name]; out {
			continue
		}
		values, err := pool(name)
		if err != nil {
			return nil, fmt.Errorf("gofakeit %s: %w: give the reason in leftOut", name, err)
		}
		fmt.Fprintf(&b, "%s %d\n", name, len(values))
		for _, v := range values {
			b.WriteString(v + "\n")
		}
	}
	return b.Bytes(), nil
}

// pool draws from one generator until there are enough values, or until it seems
// to have no others.
func pool(name string) ([]string, error) {
	seed := fnv.New64a()
	seed.Write([]byte(name))
	f := gofakeit.New(seed.Sum64())
	info := gofakeit.GetFuncLookup(name)
	seen := map[string]bool{}
	for range poolDraws {
		v, err := info.Generate(f, gofakeit.NewMapParams(), info)
		if err != nil {
			return nil, err
		}
		text, err := printed(v)
		if err != nil {
			return nil, err
		}
		if text = reserve(norm.NFC.String(text)); fit(text) {
			seen[text] = true
		}
		if len(seen) == poolSize {
			break
		}
	}
	if len(seen) == 0 {
		return nil, fmt.Errorf("no value is one line of text")
	}
	return slices.Sorted(maps.Keys(seen)), nil
}

// printed returns a value as text, if it is a single one.
func printed(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case error:
		return v.Error(), nil
	case bool, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		return fmt.Sprint(v), nil
	case float32:
		return strconv.FormatFloat(float64(v), 'f', -1, 32), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	}
	return "", fmt.Errorf("a %T is not a line of text", v)
}

// reserve moves every host of an email, a URL or a domain name to a reserved
// domain (RFC 2606): what is behind an @ to example.com, and any other host's last
// label to test.
func reserve(text string) string {
	words := strings.Split(text, " ")
	for i, w := range words {
		if local, host, is := strings.Cut(w, "@"); is && local != "" && isDomain(strings.ToLower(strings.TrimRight(host, ".,;"))) {
			words[i] = local + "@example.com"
			continue
		}
		scheme, rest, isURL := strings.Cut(w, "://")
		if !isURL {
			if isDomain(w) {
				words[i] = w[:strings.LastIndexByte(w, '.')] + ".test"
			}
			continue
		}
		host, path, hasPath := strings.Cut(rest, "/")
		if dot := strings.LastIndexByte(host, '.'); dot > 0 {
			host = host[:dot]
		}
		words[i] = scheme + "://" + host + ".test"
		if hasPath {
			words[i] += "/" + path
		}
	}
	return strings.Join(words, " ")
}

// isDomain reports whether a word is lower-case labels and a suffix of letters.
func isDomain(word string) bool {
	if strings.Contains(word, "..") {
		return false
	}
	dot := strings.LastIndexByte(word, '.')
	if dot < 1 || len(word)-dot < 3 || strings.Trim(word[dot+1:], "abcdefghijklmnopqrstuvwxyz") != "" {
		return false
	}
	return strings.Trim(word, "abcdefghijklmnopqrstuvwxyz0123456789-.") == "" && strings.ContainsAny(word[:dot], "abcdefghijklmnopqrstuvwxyz")
}

// fit reports whether a value is one line of text, and no longer than most columns.
func fit(text string) bool {
	return text != "" && len(text) <= poolValue && utf8.ValidString(text) && strings.TrimSpace(text) == text &&
		!strings.ContainsFunc(text, func(r rune) bool {
			return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == utf8.RuneError
		})
}

// pack compresses the pools. The bytes depend on Go's compressor as well: what is
// compared is the text inside.
func pack(text []byte) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(text); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// unpack returns the text inside of what pack made.
func unpack(packed []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}
