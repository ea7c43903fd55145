package masking

import (
	"fmt"
	"strings"
)

// parseJSONPath returns the steps of a path.
func parseJSONPath(path string) (keys []pathKey, err error) {
	bad := func(reason string) ([]pathKey, error) {
		return nil, &BindError{Reason: fmt.Sprintf("the path %q %s", path, reason), Help: `write paths as $.contact.email, $.items[*].name, $.labels.*, $..email or $['odd key'], and * for the rest`}
	}
	rest, rooted := strings.CutPrefix(path, "$")
	if !rooted {
		return bad("does not begin with $")
	}
	for rest != "" {
		if after, deep := strings.CutPrefix(rest, ".."); deep {
			keys = append(keys, pathKey{step: toDeep})
			if rest = after; !strings.HasPrefix(rest, "[") {
				rest = "." + rest
			}
		}
		switch {
		case strings.HasPrefix(rest, "[*]"):
			keys = append(keys, pathKey{step: toElement})
			rest = rest[len("[*]"):]
		case strings.HasPrefix(rest, "['"), strings.HasPrefix(rest, `["`):
			key, after, ok := parseQuotedKey(rest[1:])
			if !ok {
				return bad("has a key whose quotes or bracket are not closed")
			}
			keys = append(keys, pathKey{member: key})
			rest = after
		case rest[0] == '[':
			return bad("has a bracket with neither a quoted key nor * in it")
		case rest[0] == '.':
			end := strings.IndexAny(rest[1:], ".[") + 1
			if end == 0 {
				end = len(rest)
			}
			key := rest[1:end]
			rest = rest[end:]
			if key == "*" {
				keys = append(keys, pathKey{step: toAny})
				continue
			}
			if key == "" {
				return bad("has a key of no characters")
			}
			if strings.ContainsAny(key, "*]'\"\\ \t\r\n") {
				return bad("has a key that wants brackets and quotes")
			}
			keys = append(keys, pathKey{member: key})
		default:
			return bad("has neither a dot nor a bracket before a key")
		}
	}
	return keys, nil
}

// parseQuotedKey reads a key in quotes and the bracket behind it.
func parseQuotedKey(text string) (key, rest string, ok bool) {
	var b strings.Builder
	quote := text[0]
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			if i++; i == len(text) || text[i] != '\\' && text[i] != '\'' && text[i] != '"' {
				return "", "", false
			}
			b.WriteByte(text[i])
		case c == quote:
			rest, ok = strings.CutPrefix(text[i+1:], "]")
			return b.String(), rest, ok
		default:
			b.WriteByte(c)
		}
	}
	return "", "", false
}
