package policies

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/sanitize-db/sanitize/masking"
)

// doOf reads a transform as a policy spells it.
func doOf(t testing.TB, text string) Do {
	t.Helper()
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(text), &n); err != nil {
		t.Fatal(err)
	}
	r := &reader{p: &Policy{lines: strings.Split(text, "\n"), keyLines: make([]bool, 1)}}
	d, ok := r.do(n.Content[0], "test")
	if !ok || len(r.errs) > 0 {
		t.Fatalf("%s: %v", text, r.errs)
	}
	return d
}

// Each line is two transforms and how the second stands to the first.
var comparisons = []struct {
	before, now string
	want        Strength
}{
	{`keep`, `keep`, Same},
	{`{fake: email}`, `keep`, Weaker},
	{`{prefix: 3}`, `{prefix: 5}`, Weaker},
	{`{prefix: 5}`, `{prefix: 5}`, Same},
	{`{truncate: 8}`, `{truncate: 4}`, Stronger},
	{`{truncate: 4}`, `{prefix: 4}`, Stronger},
	{`{truncate: 4}`, `{prefix: 5}`, Changed},
	{`{noise: "10%"}`, `{noise: "5%"}`, Weaker},
	{`{noise: "5.5%"}`, `{noise: "10%"}`, Stronger},
	{`{noise: 10}`, `{noise: 5}`, Weaker},
	{`{noise: "10%"}`, `{noise: 5}`, Changed},
	{`{noise: "10%"}`, `{noise: "10%", by: id}`, Changed},
	{`{bucket: 100}`, `{bucket: 10}`, Weaker},
	{`{bucket: 0.5}`, `{bucket: 10}`, Stronger},
	{`{truncate_to: month}`, `{truncate_to: day}`, Weaker},
	{`{truncate_to: year}`, `{truncate_to: decade}`, Stronger},
	{`{day: permute}`, `{truncate_to: year}`, Stronger},
	{`{day: permute}`, `{truncate_to: month}`, Changed},
	{`{truncate_to: month}`, `{day: permute, within: month}`, Weaker},
	{`{day: permute}`, `{day: permute, within: month}`, Weaker},
	{`{day: permute, within: year}`, `{day: permute, within: decade}`, Stronger},
	{`{day: permute}`, `{day: permute, range: ["2020-01-01", "2024-12-31"]}`, Changed},
	{`{shift_days: 30}`, `{shift_days: 7}`, Weaker},
	{`{shift_days: 30}`, `{shift_days: 30, by: id}`, Stronger},
	{`{shift_days: 30, by: id}`, `{shift_days: 30, by: other}`, Changed},
	{`{shift_days: 30}`, `{shift_days: 30, within: same_year}`, Weaker},
	{`{shift_days: 30, within: same_year}`, `{shift_days: 60, within: same_year, by: id}`, Stronger},
	{`{shift_days: 30, by: id}`, `{shift_days: 60}`, Changed},
	{`{top_code: 80}`, `{top_code: 90}`, Weaker},
	{`{top_code: "2000-01-01"}`, `{top_code: "1990-06-30"}`, Stronger},
	{`{top_code: 80}`, `{top_code: "1990-06-30"}`, Changed},
	{`{bottom_code: 10}`, `{bottom_code: 20}`, Stronger},
	{`{bottom_code: 10}`, `{top_code: 20}`, Changed},
	{`{coordinates: point, within: 500}`, `{coordinates: point, within: 100}`, Weaker},
	{`{coordinates: point, grid: 0.01}`, `{coordinates: point, grid: 0.1}`, Stronger},
	{`{coordinates: point, grid: 0.01}`, `{coordinates: point, within: 100}`, Changed},
	{`{redact: [email, phone], else: shape}`, `{redact: [email], else: shape}`, Weaker},
	{`{redact: [email], else: keep}`, `{redact: [email, phone], else: keep}`, Stronger},
	{`{redact: [email], else: keep}`, `{redact: [phone], else: keep}`, Changed},
	{`{redact: [email], else: shape}`, `{redact: [email], else: keep}`, Weaker},
	{`{redact: [email], else: shape}`, `{redact: [email], else: lorem}`, Stronger},
	{`{redact: [email, phone], else: keep}`, `{redact: [email], else: lorem}`, Stronger},
	{`{redact: [email], else: keep}`, `{shape: text}`, Stronger},
	{`{shape: text}`, `{lorem: words}`, Stronger},
	{`{fake: person_name}`, `{shape: text}`, Weaker},
	{`{token: hex}`, `{shape: text}`, Weaker},
	{`{lorem: words}`, `{token: hex}`, Stronger},
	{`{fake: person_name}`, `{lorem: words}`, Changed},
	{`{fake: email}`, `{token: hex}`, Changed},
	{`{fake: email}`, `{fake: email, domain: shop.test}`, Changed},
	{`{fake: email}`, `{fake: email, unique: true}`, Changed},
	{`{fake: email, unique: true}`, `{fake: email, unique: strict}`, Changed},
	{`{fake: user_name}`, `{fake: user_name, unique: true}`, Weaker},
	{`{fake: first_name}`, `{fake: last_name}`, Changed},
	{`{fake: first_name}`, `{fake: first_name, script: latin}`, Stronger},
	{`{fake: first_name, script: latin}`, `{fake: first_name, script: greek}`, Changed},
	{`{fake: first_name}`, `{fake: first_name, script: keep}`, Same},
	{`{fake: phone, range: reserved}`, `{fake: phone}`, Weaker},
	{`{fake: mac}`, `{fake: mac, range: reserved}`, Stronger},
	{`{fake: account}`, `{fake: account, keep: 4}`, Weaker},
	{`{fake: account, keep: 4}`, `{fake: account, keep: 2}`, Stronger},
	{`{fake: ip}`, `{fake: ip, keep: 24}`, Weaker},
	{`{fake: ip}`, `{fake: ip, keep: 8}`, Stronger},
	{`{fake: ip}`, `{fake: ip, range: reserved}`, Stronger},
	{`{fake: pan, test_bin: true}`, `{fake: pan, test_bin: false}`, Weaker},
	{`{fake: pan}`, `{fake: pan, test_bin: true}`, Same},
	{`{person: email, of: id}`, `{person: email, of: other}`, Changed},
	{`{pseudonym: id}`, `{pseudonym: id, range: [1, 99]}`, Changed},
	{`{token: hex}`, `{token: hex, length: 8}`, Changed},
	{`{token: hex}`, `{pseudonym: code}`, Weaker},
	{`{pseudonym: code}`, `{prefix: 3}`, Weaker},
	{`{"null": true}`, `{constant: x}`, Weaker},
	{`{constant: x}`, `{constant: y}`, Changed},
	{`{constant: x}`, `{password: bcrypt, from: file}`, Changed},
	{`{fake: email}`, `{constant: x}`, Stronger},
	{`{shuffle: column}`, `{shuffle: column, by: id}`, Changed},
	{`{generalize: {"a*": x, "b*": y}, else: z}`, `{generalize: {"a*": x, "b*": x}, else: z}`, Stronger},
	{`{generalize: {"a*": x, "b*": x}, else: x}`, `{generalize: {"a*": x, "b*": x}, else: z}`, Weaker},
	{`{generalize: {"a*": x, "b*": y}}`, `{generalize: {"a*": x, "c*": y}}`, Changed},
	{`{generalize: {"a*": x, "b*": y}}`, `{generalize: {"a*": v, "b*": w}}`, Changed},
	{`{made_up: x}`, `{shape: text}`, Changed},
	{`{made_up: x}`, `{made_up: x}`, Same},
	// Documents, path by path.
	{`{json: {$.a: {class: c, do: {shape: text}, because: x}, "*": drop}}`, `{json: {$.a: keep, "*": drop}}`, Weaker},
	{`{json: {$.a: keep, "*": drop}}`, `{json: {$.a: keep, $.b: keep, "*": drop}}`, Weaker},
	{`{json: {$.a: keep, "*": drop}}`, `{json: {"*": drop}}`, Stronger},
	{`{json: {$.a: keep, "*": {class: c, do: {shape: text}, because: x}}}`, `{json: {"*": {class: c, do: {shape: text}, because: x}}}`, Stronger},
	{`{json: {$.a: keep, $.b: drop, "*": drop}}`, `{json: {$.a: drop, $.b: keep, "*": drop}}`, Changed},
	{`{json: {$.a: keep, "*": drop}}`, `{json: {$.a: keep, $.a.b: drop, "*": drop}}`, Stronger},
	{`{json: {$.a: keep, "*": drop}}`, `{json: {$.a: keep, $.a.b: keep, "*": drop}}`, Same},
	{`{json: {"$.l[*].x": keep, "*": drop}}`, `{json: {"$.l[*].x": keep, "$.l[*].y": keep, "*": drop}}`, Weaker},
	{`{json: {$.*.x: keep, "*": drop}}`, `{json: {$.*.x: keep, $.a.x: drop, "*": drop}}`, Stronger},
	{`{json: {$..x: drop, "*": keep}}`, `{json: {$..x: drop, $.a.x: keep, "*": keep}}`, Weaker},
	{`{json: {"*": drop}}`, `{json: {"*": drop}, malformed: "null"}`, Changed},
	{`{json: {$.a: keep, "*": drop}}`, `keep`, Weaker},
	{`keep`, `{json: {$.a: keep, "*": drop}}`, Stronger},
	{`{"null": true}`, `{json: {$.a: keep, "*": drop}}`, Changed}, // null told that there is a place; drop does not
	{`{xml: {/a/b: keep, "*": drop}}`, `{xml: {/a/b: keep, /a/@id: keep, "*": drop}}`, Weaker},
	{`{xml: {/a/@*: keep, "*": drop}}`, `{xml: {/a/@*: keep, /a/@id: drop, "*": drop}}`, Stronger},
	{`{xml: {//b: drop, "*": keep}}`, `{xml: {//b: drop, /a/b: keep, "*": keep}}`, Weaker},
	{`{xml: {"*": drop}}`, `{json: {"*": drop}}`, Changed},
	{`{fields: {a: {class: c, do: {shape: text}, because: x}, "*": drop}}`, `{fields: {a: {class: c, do: {shape: text}, because: x}, a/b: keep, "*": drop}}`, Weaker},
	{`{fields: {a: email}}`, `{fields: {a: email}}`, Same},
	{`{fields: {a: email}}`, `{fields: {a: name}}`, Changed},
	{`{each: {shape: text}}`, `{each: {prefix: 3}}`, Weaker},
	{`{each: {shape: text}}`, `{"null": true}`, Stronger},
	{`keep`, `{each: {shape: text}}`, Stronger},
}

func TestStrength(t *testing.T) {
	for _, c := range comparisons {
		before, now := doOf(t, c.before), doOf(t, c.now)
		if got := compareDo(before, now); got != c.want {
			t.Errorf("%s → %s is %s, want %s", c.before, c.now, got, c.want)
		}
		if got := compareDo(now, before); got != c.want.reversed() {
			t.Errorf("%s → %s is %s, and there is %s", c.now, c.before, got, c.want)
		}
	}
}

// A partial order: what is said one way is said the other, and of three in a row the
// last stands to the first as each to the one before it.
func TestStrengthIsAnOrder(t *testing.T) {
	var all []Do
	seen := map[string]bool{}
	for _, c := range comparisons {
		for _, text := range []string{c.before, c.now} {
			if !seen[text] {
				seen[text] = true
				all = append(all, doOf(t, text))
			}
		}
	}
	none := func(string) *Class { return nil }
	how := make([][]Strength, len(all))
	for i, a := range all {
		for _, b := range all {
			how[i] = append(how[i], compareDo(a, b))
		}
		if how[i][i] != Same {
			t.Errorf("%s beside itself is %s", a, how[i][i])
		}
	}
	for i := range all {
		for j := range all {
			if how[i][j] != how[j][i].reversed() {
				t.Errorf("%s → %s is %s, back it is %s", all[i], all[j], how[i][j], how[j][i])
			}
			for k := range all {
				if a, c := bareSpec(all[i], none, 0), bareSpec(all[k], none, 0); isDocument(a) && isDocument(c) && a.Name != c.Name {
					continue // of two languages
				}
				if how[i][j] == Stronger && how[j][k] == Stronger && how[i][k] != Stronger {
					t.Errorf("%s < %s < %s, but %s", all[i], all[j], all[k], how[i][k])
				}
			}
		}
	}
}

// What a transform says of itself bounds its rank: what the key turns back is not
// one-way, what gives nothing of the value away does not go by it.
func TestRanksFollowGuarantees(t *testing.T) {
	reg := masking.Standard()
	ranked := 0
	for _, name := range reg.Names() {
		d := reg.Factory(name).Describe()
		for _, s := range d.Samples {
			spec := s.Spec
			spec.Name, spec.Domain = name, "test/test"
			rank := rankOf(spec)
			if rank < 0 {
				t.Errorf("%s has no rank", DoOf(spec))
				continue
			}
			ranked++
			row := &masking.Row{File: func(path string) ([]byte, error) { return []byte(s.Files[path]), nil }}
			for _, b := range s.Beside {
				peer := masking.Peer{Column: b.Column, Spec: b.Spec}
				peer.Spec.Domain = spec.Domain
				row.Peers = append(row.Peers, peer)
			}
			row.Column = func(name string) (masking.Column, bool) {
				for _, p := range row.Peers {
					if p.Column.Name == name {
						return p.Column, true
					}
				}
				return masking.Column{}, false
			}
			row.Values = func(string) (*masking.Values, error) { return &masking.Values{}, nil }
			b, err := reg.Bind(testKey(t), s.Column, spec, row)
			if err != nil {
				t.Errorf("%s: %v", DoOf(spec), err)
				continue
			}
			if b.Guarantees.Reversible && rank > rankReversible {
				// A unique user name is permuted; of one that is not the policy asks by unique.
				if name == "fake" && spec.Variant == "user_name" {
					continue
				}
				t.Errorf("%s is reversible, and of rank %d", DoOf(spec), rank)
			}
			if d.Valueless != (rank >= rankConstant) && name != "each" {
				t.Errorf("%s: goes by the value: %t; rank %d", DoOf(spec), !d.Valueless, rank)
			}
		}
	}
	if ranked < 60 {
		t.Errorf("only %d samples were ranked", ranked)
	}
}

// A document's classes are those of its own policy.
func TestStrengthOfClasses(t *testing.T) {
	const text = "version: 1\nkeys: {k: {from: ephemeral}}\nclasses: {a: {kind: direct, do: %}, text: {kind: free_text, do: {redact: [a], else: shape}}}\n" +
		"tables: {t: {columns: {doc: {json: {$.a: a, \"*\": drop}}}}}\n"
	spec := func(do string) masking.Spec {
		p, err := Parse("p.yaml", []byte(strings.Replace(text, "%", do, 1)))
		if err != nil {
			t.Fatal(err)
		}
		return p.spec("doc", *p.Tables[0].Columns[0].Do)
	}
	if got := compareSpec(spec("{shape: text}"), spec("{prefix: 3}")); got != Weaker {
		t.Errorf("a path whose class became weaker is %s", got)
	}
	if got := compareSpec(spec("{shape: text}"), spec("{shape: text}")); got != Same {
		t.Errorf("the same is %s", got)
	}
}

func TestStrengthOfDomainsAndKinds(t *testing.T) {
	a := masking.Spec{Name: "token", Variant: "hex", Domain: "discovery/a"}
	b := a
	b.Domain = "discovery/b"
	if got := compareSpec(a, b); got != Changed {
		t.Errorf("another domain is %s", got)
	}
	b.Domain = "test/a"
	if got := compareSpec(a, b); got != Same {
		t.Errorf("another scope is %s: it is said once, of the key", got)
	}
	for _, c := range []struct {
		before, now string
		want        Strength
	}{
		{"special", "direct", Weaker}, {"direct", "quasi", Weaker}, {"quasi", "not_personal", Weaker}, {"not_personal", "pci", Stronger},
		{"special", "secret", Changed}, {"quasi", "pseudonym", Changed}, {"pci", "pci", Same},
	} {
		if got := compareKind(c.before, c.now); got != c.want {
			t.Errorf("%s → %s is %s, want %s", c.before, c.now, got, c.want)
		}
	}
	for _, k := range Kinds() {
		if rankOfKind(k) == 3 != (k == "special" || k == "pci" || k == "secret") {
			t.Errorf("kind %s has rank %d", k, rankOfKind(k))
		}
	}
}
