package policies

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sanitize-db/sanitize/masking"
)

// Strength says how one decision about a column protects beside another.
type Strength int

// The strengths. Changed is another protection that is neither more nor less.
const (
	Same Strength = iota
	Weaker
	Stronger
	Changed
)

// String returns WEAKER, STRONGER, CHANGED or "same".
func (s Strength) String() string {
	return [...]string{"same", "WEAKER", "STRONGER", "CHANGED"}[s]
}

// MarshalText writes the strength in lower case.
func (s Strength) MarshalText() ([]byte, error) { return []byte(strings.ToLower(s.String())), nil }

// UnmarshalText reads what MarshalText wrote.
func (s *Strength) UnmarshalText(b []byte) error {
	for _, t := range []Strength{Same, Weaker, Stronger, Changed} {
		if strings.EqualFold(string(b), t.String()) {
			*s = t
			return nil
		}
	}
	return strconv.ErrSyntax
}

// compareDo says whether now protects a column less or more than before did. It is
// compareSpec for transforms whose classes are not at hand: a path that names a class
// is as strong as the same class, and incomparable with another.
func compareDo(before, now Do) Strength {
	none := func(string) *Class { return nil }
	return compareSpec(bareSpec(before, none, 0), bareSpec(now, none, 0))
}

// compareClass is compareDo where each side's classes are at hand: the class of a path
// is what it does.
func compareClass(before, now Do, classes, nowClasses func(string) *Class) Strength {
	return compareSpec(bareSpec(before, classes, 0), bareSpec(now, nowClasses, 0))
}

// mostInside is how many classes deep bareSpec looks. A document within a document is
// refused, so that only the elements of arrays nest.
const mostInside = 8

// unknownClass is the name of the transform of a class that is not at hand.
const unknownClass = "class"

func bareSpec(d Do, classes func(string) *Class, depth int) masking.Spec {
	s := masking.Spec{Name: d.Name, Variant: d.Variant, Params: d.Params}
	part := func(r PathRule) masking.Spec {
		switch {
		case r.Do != nil:
			return bareSpec(*r.Do, classes, depth)
		case r.Class == "keep" || r.Class == "drop":
			return masking.Spec{Name: r.Class}
		}
		if c := classes(r.Class); c != nil && depth < mostInside {
			return bareSpec(c.Do, classes, depth+1)
		}
		return masking.Spec{Name: unknownClass, Variant: r.Class}
	}
	for _, r := range d.Paths {
		s.Paths = append(s.Paths, masking.PathSpec{Path: r.Path, Spec: part(r)})
	}
	if d.Inner != nil {
		inner := part(*d.Inner)
		s.Inner = &inner
	}
	return s
}

// The ranks, by what whoever sees the output without the key learns of the value.
// The first in the list gives most away.
const (
	rankKeep       = iota // all of it
	rankPart              // a part of it, or its neighbourhood
	rankReversible        // what is equal, and with the key all of it
	rankOneWay            // what is equal, and with the key what can be guessed
	rankConstant          // that there is a value
	rankNull              // that there is a place for one
	rankGone              // nothing
)

// rankOf ranks a transform; a document has the rank of its least part, and what is not
// known has -1, which compares with nothing.
func rankOf(s masking.Spec) int {
	switch s.Name {
	case "keep":
		return rankKeep
	case "drop":
		return rankGone
	case "null":
		return rankNull
	case "constant", "password":
		return rankConstant
	case "prefix", "truncate", "truncate_to", "noise", "bucket", "top_code", "bottom_code", "shift_days", "day", "coordinates", "generalize", "shuffle":
		return rankPart
	case "pseudonym", "number":
		return rankReversible
	case deriveWord: // as much as the masked values that it is made of
		return rankOneWay
	case "token", "person", "place", "lorem", "shape":
		return rankOneWay
	case "fake":
		return rankOfFake(s)
	case "redact":
		if s.Params["else"] != "shape" && s.Params["else"] != "lorem" {
			return rankPart // a name that no pattern knows stands there in clear
		}
		least := rankOneWay
		for _, hit := range s.Classes {
			least = min(least, rankOf(hit))
		}
		return least
	case "json", "xml", "fields", "each":
		least := rankGone
		for _, p := range s.Paths {
			least = min(least, rankOf(p.Spec))
		}
		if s.Inner != nil {
			least = min(least, rankOf(*s.Inner))
		}
		return least
	}
	return -1
}

// rankOfFake ranks a variant of fake. Numbers in their own form are permuted, which
// the key undoes, unless they are moved into a smaller range; what stays in front of
// them stays in clear.
func rankOfFake(s masking.Spec) int {
	reserved := s.Params["range"] == "reserved"
	switch variant, _ := s.Variant.(string); {
	case kept(s) > 0, variant == "pan" && s.Params["test_bin"] == false:
		return rankPart
	case slices.Contains([]string{"phone", "account", "iban", "ssn", "national_id", "mac", "postcode"}, variant) && !reserved,
		variant == "user_name" && s.Params["unique"] == true:
		return rankReversible
	}
	return rankOneWay
}

// kept is how much of a value stays in front of a fake one, in characters or bits.
func kept(s masking.Spec) int64 {
	if n, given := s.Params["keep"].(int64); given {
		return n
	}
	if s.Variant == "ip" && s.Params["range"] != "reserved" {
		return 16 // as package masking has it, without the parameter
	}
	return 0
}

// compareSpec says whether now protects a column less or more than before did. It is a
// partial order: Weaker one way is Stronger the other, and both are transitive (save
// between documents of two languages, which never compare).
//
//   - Ranks come first: what is left to whoever sees the output and has no key.
//     keep < a part or a neighbourhood (prefix, noise, bucket, shift_days, redact with
//     else: keep, …) < what the key turns back (pseudonym) < what it does not
//     (token, fake names, shape, …) < constant < null < drop. A constant is weaker than
//     null: it leaves NULL where it was, and so tells who had a value.
//   - Within one transform its own measure counts: prefix 3 is stronger than 5, noise
//     10% than 5%, bucket 100 than 10, month than day, shift_days 30 than 7, a lower
//     top_code, more patterns of redact, range: reserved, test_bin. Several measures
//     have to agree; a percentage and an amount, or two columns of `by`, do not compare.
//   - Between two transforms of one rank the output of the stronger one can be made of
//     the weaker one's: truncate_to of day within the same period, prefix of truncate,
//     lorem of shape; or the weaker one tells the form of the value beside what is equal:
//     shape beside token and fake, lorem beside token. Others do not compare.
//   - A document is as strong as its parts: each path, and `*`, has to be as strong or
//     stronger. One that is listed on one side only is compared with what decides about
//     it on the other: the path around it, one with wildcards, `*`, or the transform of
//     the whole.
//
// A value that goes into another domain no longer joins: that is Changed.
func compareSpec(before, now masking.Spec) Strength {
	if isDocument(before) || isDocument(now) {
		return compareDocuments(before, now)
	}
	if before.Name == unknownClass || now.Name == unknownClass {
		if reflect.DeepEqual(before, now) {
			return Same
		}
		return Changed
	}
	a, b := rankOf(before), rankOf(now)
	switch {
	case a < 0 || b < 0:
		if sameMask(before, now) {
			return Same
		}
		return Changed
	case a != b:
		return byOrder(a, b)
	case sameMask(before, now):
		if a > rankKeep && a < rankConstant && withinScope(before.Domain) != withinScope(now.Domain) {
			return Changed
		}
		return Same
	case before.Name != now.Name:
		return compareAcross(before, now)
	}
	return compareMeasures(before, now)
}

// byOrder is how now stands to before where more is stronger.
func byOrder[T cmp.Ordered](before, now T) Strength {
	switch c := cmp.Compare(before, now); {
	case c < 0:
		return Stronger
	case c > 0:
		return Weaker
	}
	return Same
}

// reversed is how before stands to now.
func (s Strength) reversed() Strength {
	switch s {
	case Weaker:
		return Stronger
	case Stronger:
		return Weaker
	}
	return s
}

// product is the strength of a whole whose parts all have to agree.
func product(parts ...Strength) Strength {
	all := Same
	for _, s := range parts {
		switch {
		case s == Same || s == all:
		case all == Same:
			all = s
		default:
			return Changed
		}
	}
	return all
}

// sameMask reports whether both write the same for each value of one domain.
func sameMask(a, b masking.Spec) bool {
	if a.Name != b.Name || !reflect.DeepEqual(a.Variant, b.Variant) || !maps.EqualFunc(a.Params, b.Params, func(x, y any) bool { return reflect.DeepEqual(x, y) }) {
		return false
	}
	return maps.EqualFunc(a.Classes, b.Classes, sameMask)
}

// withinScope is a domain without the scope of its key, whose change is said once.
func withinScope(domain string) string {
	_, class, _ := strings.Cut(domain, "/")
	return class
}

// compareAcross compares two transforms of the same rank.
func compareAcross(before, now masking.Spec) Strength {
	if before.Name > now.Name {
		return compareAcross(now, before).reversed()
	}
	switch before.Name + " " + now.Name {
	case "fake shape", "lorem shape", "person shape", "place shape": // the shape tells the length, and where words and digits stood
		return Weaker
	case "shape token", "lorem token": // and the length alone tells something
		return Stronger
	case "prefix truncate":
		// What is short comes through truncate whole, and through prefix never.
		if n, m, ok := numbers(before.Variant, now.Variant); ok && n <= m {
			return Weaker
		}
	case "day truncate_to":
		within, given := before.Params["within"].(string)
		if !given && before.Params["range"] == nil {
			within = "year"
		}
		w, u := slices.Index(periods, within), slices.Index(periods, asText(now.Variant))
		if w >= 0 && u >= w && within != "week" {
			return Stronger
		}
	}
	return Changed
}

// periods are the units of truncate_to and day, the finest first.
var periods = []string{"hour", "day", "week", "month", "quarter", "year", "decade"}

// compareMeasures compares two spellings of one transform of the same rank.
func compareMeasures(before, now masking.Spec) Strength {
	if before.Name == "fake" || before.Name == "person" || before.Name == "place" || before.Name == "redact" || before.Name == "generalize" {
		return compareChoices(before, now)
	}
	variant := Changed
	if reflect.DeepEqual(before.Variant, now.Variant) {
		variant = Same
	}
	switch before.Name {
	case "prefix", "truncate":
		variant = lessIsStronger(before.Variant, now.Variant)
	case "bucket", "shift_days":
		variant = lessIsStronger(before.Variant, now.Variant).reversed()
	case "top_code":
		variant = lessIsStronger(before.Variant, now.Variant)
	case "bottom_code":
		variant = lessIsStronger(before.Variant, now.Variant).reversed()
	case "noise":
		variant = compareNoise(before.Variant, now.Variant)
	case "truncate_to":
		variant = byOrder(slices.Index(periods, asText(before.Variant)), slices.Index(periods, asText(now.Variant)))
	}
	parts := []Strength{variant}
	for _, name := range parameters(before, now) {
		parts = append(parts, compareParameter(before, now, name))
	}
	return product(parts...)
}

// parameters are the names of the parameters that either has.
func parameters(before, now masking.Spec) []string {
	names := slices.AppendSeq(slices.Collect(maps.Keys(before.Params)), maps.Keys(now.Params))
	slices.Sort(names)
	return slices.Compact(names)
}

// compareParameter compares one parameter of the transforms that are measured.
func compareParameter(before, now masking.Spec, name string) Strength {
	a, b := before.Params[name], now.Params[name]
	if reflect.DeepEqual(a, b) {
		return Same
	}
	switch before.Name + " " + name {
	case "shift_days by":
		// Without it all dates of the domain move alike: one that is known gives all.
		if a == nil || b == nil {
			return byOrder(isGiven(a), isGiven(b))
		}
	case "shift_days within":
		return byOrder(isGiven(b), isGiven(a)) // the year stays
	case "day within":
		if before.Params["range"] == nil && now.Params["range"] == nil {
			return byOrder(slices.Index(periods, orYear(a)), slices.Index(periods, orYear(b)))
		}
	case "coordinates within", "coordinates grid":
		if a != nil && b != nil {
			return lessIsStronger(a, b).reversed()
		}
	}
	return Changed
}

func orYear(v any) string {
	if v == nil {
		return "year"
	}
	return asText(v)
}

// compareNoise compares the bounds of two noises of one sort.
func compareNoise(before, now any) Strength {
	a, percent := strings.CutSuffix(asText(before), "%")
	b, alsoPercent := strings.CutSuffix(asText(now), "%")
	if percent != alsoPercent {
		return Changed
	}
	if percent {
		x, err := strconv.ParseFloat(strings.TrimSpace(a), 64)
		y, err2 := strconv.ParseFloat(strings.TrimSpace(b), 64)
		if err != nil || err2 != nil {
			return Changed
		}
		return byOrder(x, y)
	}
	return lessIsStronger(before, now).reversed()
}

// compareChoices compares two spellings of a transform that chooses or finds.
func compareChoices(before, now masking.Spec) Strength {
	switch before.Name {
	case "redact":
		return compareRedact(before, now)
	case "generalize":
		return compareGroups(before, now)
	}
	if !reflect.DeepEqual(before.Variant, now.Variant) {
		return Changed
	}
	var parts []Strength
	for _, name := range parameters(before, now) {
		a, b := before.Params[name], now.Params[name]
		switch {
		case reflect.DeepEqual(a, b):
		case name == "keep":
			parts = append(parts, byOrder(kept(now), kept(before)))
		case name == "test_bin":
			parts = append(parts, byOrder(notFalse(a), notFalse(b)))
		case name == "range" && before.Name == "fake":
			parts = append(parts, byOrder(isGiven(a), isGiven(b))) // reserved: it reaches nobody
		case name == "script":
			// That of the input tells where its bearer is from.
			parts = append(parts, compareScript(a, b))
		default:
			// domain and country are other words of the same strength, and unique adds
			// nothing to an output that is as good as never equal by chance.
			parts = append(parts, Changed)
		}
	}
	return product(parts...)
}

func compareScript(before, now any) Strength {
	open := func(v any) bool { return v == nil || v == "keep" }
	switch {
	case open(before) && open(now):
		return Same
	case open(before):
		return Stronger
	case open(now):
		return Weaker
	}
	return Changed
}

// compareRedact compares what is found, what becomes of a hit, and of the rest.
func compareRedact(before, now masking.Spec) Strength {
	a, b := Do{Name: "redact", Variant: before.Variant}.patterns(), Do{Name: "redact", Variant: now.Variant}.patterns()
	has := func(list []string) func(string) bool { return func(s string) bool { return slices.Contains(list, s) } }
	lost := slices.ContainsFunc(a, func(s string) bool { return !has(b)(s) })
	won := slices.ContainsFunc(b, func(s string) bool { return !has(a)(s) })
	parts := []Strength{Same}
	switch {
	case lost && won:
		return Changed
	case lost:
		parts = append(parts, Weaker)
	case won:
		parts = append(parts, Stronger)
	}
	rest := []any{"keep", "shape", "lorem"}
	parts = append(parts, byOrder(slices.Index(rest, before.Params["else"]), slices.Index(rest, now.Params["else"])))
	for _, pattern := range a {
		x, known := before.Classes[pattern]
		y, alsoKnown := now.Classes[pattern]
		switch {
		case !has(b)(pattern):
		case known != alsoKnown:
			parts = append(parts, Changed)
		case known:
			parts = append(parts, compareSpec(x, y))
		}
	}
	return product(parts...)
}

// compareGroups compares two generalisations of the same values: what was in one group
// and still is, is at least as coarse.
func compareGroups(before, now masking.Spec) Strength {
	groups := func(s masking.Spec) map[string]any {
		all := map[string]any{}
		if m, ok := s.Variant.(map[string]any); ok {
			maps.Copy(all, m)
		}
		if rest, given := s.Params["else"]; given {
			all["else "] = rest // no value: it ends in a blank that a policy cannot mean
		}
		return all
	}
	a, b := groups(before), groups(now)
	names := slices.Sorted(maps.Keys(a))
	if !slices.Equal(names, slices.Sorted(maps.Keys(b))) {
		return Changed
	}
	split, joined := false, false
	for i, x := range names {
		for _, y := range names[:i] {
			was, is := reflect.DeepEqual(a[x], a[y]), reflect.DeepEqual(b[x], b[y])
			split, joined = split || was && !is, joined || !was && is
		}
	}
	switch {
	case split == joined:
		return Changed // other words for the same groups, or other groups
	case split:
		return Weaker
	}
	return Stronger
}

// lessIsStronger compares two numbers, or two dates; others do not compare.
func lessIsStronger(before, now any) Strength {
	if x, y, ok := numbers(before, now); ok {
		return byOrder(y, x)
	}
	x, err := time.Parse(time.DateOnly, asText(before))
	y, err2 := time.Parse(time.DateOnly, asText(now))
	if err == nil && err2 == nil {
		return byOrder(y.Unix(), x.Unix())
	}
	return Changed
}

func numbers(a, b any) (x, y float64, ok bool) {
	x, first := asNumber(a)
	y, second := asNumber(b)
	return x, y, first && second
}

func asNumber(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func asText(v any) string {
	s, _ := v.(string)
	return s
}

func isGiven(v any) int {
	if v == nil {
		return 0
	}
	return 1
}

func notFalse(v any) int {
	if v == false {
		return 0
	}
	return 1
}

// rankOfKind orders the kinds of classes by how much the audit asks of them.
func rankOfKind(kind string) int {
	switch kind {
	case "not_personal":
		return 0
	case "pseudonym", "quasi", "free_text":
		return 1
	case "direct":
		return 2
	}
	return 3 // special, pci, secret
}

// compareKind says whether a class of kind now is held to less or more than before.
func compareKind(before, now string) Strength {
	switch {
	case before == now:
		return Same
	case rankOfKind(before) == rankOfKind(now):
		return Changed
	}
	return byOrder(rankOfKind(before), rankOfKind(now))
}
