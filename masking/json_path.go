package masking

import (
	"fmt"
	"slices"
	"strings"
)

// jsonKey is a step of a path.
type jsonKey struct {
	step   jsonStep
	member string
}

type jsonStep uint8

const (
	toMember  jsonStep = iota // into the member of that name
	toAny                     // into every member
	toElement                 // into each element
	toDeep                    // to every depth, which may be none
)

// parseJSONPath returns the steps of a path; those of * are none.
func parseJSONPath(path string) (keys []jsonKey, err error) {
	bad := func(reason string) ([]jsonKey, error) {
		return nil, &BindError{Reason: fmt.Sprintf("the path %q %s", path, reason), Help: `write paths as $.contact.email, $.items[*].name, $.labels.*, $..email or $['odd key'], and * for the rest`}
	}
	if path == "*" {
		return nil, nil
	}
	rest, rooted := strings.CutPrefix(path, "$")
	if !rooted {
		return bad("does not begin with $")
	}
	for rest != "" {
		if after, deep := strings.CutPrefix(rest, ".."); deep {
			keys = append(keys, jsonKey{step: toDeep})
			if rest = after; !strings.HasPrefix(rest, "[") {
				rest = "." + rest
			}
		}
		switch {
		case strings.HasPrefix(rest, "[*]"):
			keys = append(keys, jsonKey{step: toElement})
			rest = rest[len("[*]"):]
		case strings.HasPrefix(rest, "['"), strings.HasPrefix(rest, `["`):
			key, after, ok := parseQuotedKey(rest[1:])
			if !ok {
				return bad("has a key whose quotes or bracket are not closed")
			}
			keys = append(keys, jsonKey{member: key})
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
				keys = append(keys, jsonKey{step: toAny})
				continue
			}
			if key == "" {
				return bad("has a key of no characters")
			}
			if strings.ContainsAny(key, "*]'\"\\ \t\r\n") {
				return bad("has a key that wants brackets and quotes")
			}
			keys = append(keys, jsonKey{member: key})
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

// jsonNode is a place that paths lead to or through. It is immutable.
type jsonNode struct {
	rule    *jsonRule // nil if the paths only go through
	members []jsonMember
	any     *jsonNode // of the members that are not named
	element *jsonNode
}

type jsonMember struct {
	key  string
	node *jsonNode
}

// find returns the node of a key, or nil.
func (n *jsonNode) find(key []byte) *jsonNode {
	for i := range n.members {
		if m := &n.members[i]; m.key == string(key) {
			return m.node
		}
	}
	return n.any
}

// goesOn reports whether a path goes on inside an object, or else an array.
func (n *jsonNode) goesOn(object bool) bool {
	if object {
		return len(n.members) > 0 || n.any != nil
	}
	return n.element != nil
}

// jsonPaths makes nodes of paths. With wildcards several paths may lead through one
// place, so a node is a set of states, as in the construction of a
// deterministic automaton from one that is not (Rabin and Scott, 1959).
type jsonPaths struct {
	states []jsonState // the first is the document
	nodes  map[string]*jsonNode
}

// jsonState is how far a value is on one path. 0 is no state: nothing leads back to the document.
type jsonState struct {
	path    string
	keys    []jsonKey // that led here
	rule    *jsonRule
	members []jsonMemberState
	any     int
	element int
	below   int  // the state that stays at every depth
	deep    bool // it is such a state
}

type jsonMemberState struct {
	key   string
	state int
}

// add adds a path.
func (p *jsonPaths) add(path string, keys []jsonKey, rule *jsonRule) error {
	if p.states == nil {
		p.states = make([]jsonState, 1)
	}
	at := 0
	for i, k := range keys {
		at = p.step(at, k)
		p.states[at].keys = keys[:i+1]
	}
	s := &p.states[at]
	if s.rule != nil {
		return &BindError{Reason: fmt.Sprintf("the path %s stands twice", path)}
	}
	s.path, s.rule = path, rule
	return nil
}

// step returns the state behind a key.
func (p *jsonPaths) step(from int, k jsonKey) int {
	next := len(p.states)
	s := &p.states[from]
	var slot *int
	switch k.step {
	case toAny:
		slot = &s.any
	case toElement:
		slot = &s.element
	case toDeep:
		slot = &s.below
	default:
		for _, m := range s.members {
			if m.key == k.member {
				return m.state
			}
		}
		s.members = append(s.members, jsonMemberState{k.member, next})
		p.states = append(p.states, jsonState{})
		return next
	}
	if *slot != 0 {
		return *slot
	}
	*slot = next
	p.states = append(p.states, jsonState{deep: k.step == toDeep})
	return next
}

// root returns the node of the document.
func (p *jsonPaths) root() (*jsonNode, error) {
	if p.states == nil {
		p.states = make([]jsonState, 1)
	}
	p.nodes = map[string]*jsonNode{}
	root, err := p.node([]int{0})
	if err != nil {
		return nil, err
	}
	for _, n := range p.nodes {
		if n.rule != nil && n.rule.action != jsonMask && n.agrees(n.rule.action, map[*jsonNode]bool{}) {
			defer n.cut() // when all are seen
		}
	}
	return root, nil
}

// agrees reports whether whatever paths lead to behind a node is kept or dropped as the node is.
func (n *jsonNode) agrees(action jsonAction, seen map[*jsonNode]bool) bool {
	if n == nil || seen[n] {
		return true
	}
	seen[n] = true
	if n.rule != nil && n.rule.action != action {
		return false
	}
	for _, m := range n.members {
		if !m.node.agrees(action, seen) {
			return false
		}
	}
	return n.any.agrees(action, seen) && n.element.agrees(action, seen)
}

// cut ends the paths at a node: what is behind it is decided already.
func (n *jsonNode) cut() { n.members, n.any, n.element = nil, nil, nil }

const maxJSONNodes = 1 << 12

// node returns the node of a set of states; nil of none.
func (p *jsonPaths) node(set []int) (*jsonNode, error) {
	if len(set) == 0 {
		return nil, nil
	}
	for i := 0; i < len(set); i++ { // set grows
		if below := p.states[set[i]].below; below != 0 {
			set = append(set, below)
		}
	}
	slices.Sort(set)
	set = slices.Compact(set)
	id := fmt.Sprint(set)
	if n := p.nodes[id]; n != nil {
		return n, nil
	}
	if len(p.nodes) == maxJSONNodes {
		return nil, &BindError{Reason: "the paths have too many wildcards", Help: "name the keys"}
	}
	n := new(jsonNode)
	p.nodes[id] = n
	var err error
	if n.rule, err = p.ruleOf(set); err != nil {
		return nil, err
	}
	// behind returns the node behind the steps that each state of the set may take.
	behind := func(take func(s *jsonState) [2]int) *jsonNode {
		var next []int
		for _, i := range set {
			s := &p.states[i]
			if s.deep {
				next = append(next, i)
			}
			for _, to := range take(s) {
				if to != 0 {
					next = append(next, to)
				}
			}
		}
		node, failed := p.node(next)
		if err == nil {
			err = failed
		}
		return node
	}
	n.any = behind(func(s *jsonState) [2]int { return [2]int{s.any} })
	n.element = behind(func(s *jsonState) [2]int { return [2]int{s.element} })
	for _, i := range set {
		for _, m := range p.states[i].members {
			if slices.ContainsFunc(n.members, func(had jsonMember) bool { return had.key == m.key }) {
				continue
			}
			node := behind(func(s *jsonState) [2]int { return [2]int{s.any, s.member(m.key)} })
			n.members = append(n.members, jsonMember{m.key, node})
		}
	}
	return n, err
}

// member returns the state behind the member of a name.
func (s *jsonState) member(key string) int {
	for _, m := range s.members {
		if m.key == key {
			return m.state
		}
	}
	return 0
}

// ruleOf returns the rule of the path that decides, among those that end in a set of
// states; nil if none does.
func (p *jsonPaths) ruleOf(set []int) (*jsonRule, error) {
	var ends []*jsonState
	for _, i := range set {
		if s := &p.states[i]; s.rule != nil {
			ends = append(ends, s)
		}
	}
	if len(ends) == 0 {
		return nil, nil
	}
	for _, s := range ends {
		if !slices.ContainsFunc(ends, func(other *jsonState) bool { return other != s && !s.nearer(other) }) {
			return s.rule, nil
		}
	}
	return nil, &BindError{
		Reason: fmt.Sprintf("the paths %s and %s lead to the same values, and neither is nearer", ends[0].path, ends[1].path),
		Help:   "write a path for these values that names the keys of both",
	}
}

// nearer reports whether a path decides before another one that leads to the same value.
func (s *jsonState) nearer(other *jsonState) bool {
	deep, named := s.wild()
	otherDeep, otherNamed := other.wild()
	switch {
	case deep != otherDeep:
		return otherDeep
	case deep:
		return named > otherNamed
	}
	nearer := false
	for i, k := range s.keys { // paths without .. to one value have as many steps
		switch o := other.keys[i]; {
		case k.step == toMember && o.step == toAny:
			nearer = true
		case k.step == toAny && o.step == toMember:
			return false
		}
	}
	return nearer
}

// wild reports whether a path has .. in it, and how many keys it names.
func (s *jsonState) wild() (deep bool, named int) {
	for _, k := range s.keys {
		switch k.step {
		case toDeep:
			deep = true
		case toMember:
			named++
		}
	}
	return deep, named
}
