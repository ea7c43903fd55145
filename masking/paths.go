package masking

import (
	"fmt"
	"slices"
)

// pathKey is a step of a path.
type pathKey struct {
	step   pathStep
	member string
}

type pathStep uint8

const (
	toMember  pathStep = iota // into the member of that name
	toAny                     // into every member
	toElement                 // into each element
	toDeep                    // to every depth, which may be none
)

// pathNode is a place that paths lead to or through. It is immutable.
type pathNode struct {
	rule    *pathRule // nil if the paths only go through
	members []pathMember
	any     *pathNode // of the members that are not named
	element *pathNode
}

type pathMember struct {
	key  string
	node *pathNode
}

// find returns the node of a key, or nil.
func (n *pathNode) find(key []byte) *pathNode {
	for i := range n.members {
		if m := &n.members[i]; m.key == string(key) {
			return m.node
		}
	}
	return n.any
}

// goesOn reports whether a path goes on inside an object, or else an array.
func (n *pathNode) goesOn(object bool) bool {
	if object {
		return len(n.members) > 0 || n.any != nil
	}
	return n.element != nil
}

// pathSet makes nodes of paths. With wildcards several paths may lead through one
// place, so a node is a set of states, as in the construction of a
// deterministic automaton from one that is not (Rabin and Scott, 1959).
type pathSet struct {
	states []pathState // the first is the document
	nodes  map[string]*pathNode

	// attributes: members whose names begin with @ are the attributes of an element of
	// XML, and toElement leads to all of them.
	attributes bool
}

// pathState is how far a value is on one path. 0 is no state: nothing leads back to the document.
type pathState struct {
	path    string
	keys    []pathKey // that led here
	rule    *pathRule
	members []pathMemberState
	any     int
	element int
	below   int  // the state that stays at every depth
	deep    bool // it is such a state
}

type pathMemberState struct {
	key   string
	state int
}

// add adds a path.
func (p *pathSet) add(path string, keys []pathKey, rule *pathRule) error {
	if p.states == nil {
		p.states = make([]pathState, 1)
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
func (p *pathSet) step(from int, k pathKey) int {
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
		s.members = append(s.members, pathMemberState{k.member, next})
		p.states = append(p.states, pathState{})
		return next
	}
	if *slot != 0 {
		return *slot
	}
	*slot = next
	p.states = append(p.states, pathState{deep: k.step == toDeep})
	return next
}

// root returns the node of the document.
func (p *pathSet) root() (*pathNode, error) {
	if p.states == nil {
		p.states = make([]pathState, 1)
	}
	p.nodes = map[string]*pathNode{}
	root, err := p.node([]int{0})
	if err != nil {
		return nil, err
	}
	for _, n := range p.nodes {
		if n.rule != nil && n.rule.action != ruleMask && n.agrees(n.rule.action, map[*pathNode]bool{}) {
			defer n.cut() // when all are seen
		}
	}
	return root, nil
}

// agrees reports whether whatever paths lead to behind a node is kept or dropped as the node is.
func (n *pathNode) agrees(action pathAction, seen map[*pathNode]bool) bool {
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
func (n *pathNode) cut() { n.members, n.any, n.element = nil, nil, nil }

const maxPathNodes = 1 << 12

// node returns the node of a set of states; nil of none.
func (p *pathSet) node(set []int) (*pathNode, error) {
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
	if len(p.nodes) == maxPathNodes {
		return nil, &BindError{Reason: "the paths have too many wildcards", Help: "name the keys"}
	}
	n := new(pathNode)
	p.nodes[id] = n
	var err error
	if n.rule, err = p.ruleOf(set); err != nil {
		return nil, err
	}
	// behind returns the node behind the steps that each state of the set may take.
	behind := func(take func(s *pathState) [2]int) *pathNode {
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
	n.any = behind(func(s *pathState) [2]int { return [2]int{s.any} })
	n.element = behind(func(s *pathState) [2]int { return [2]int{s.element} })
	for _, i := range set {
		for _, m := range p.states[i].members {
			if slices.ContainsFunc(n.members, func(had pathMember) bool { return had.key == m.key }) {
				continue
			}
			node := behind(func(s *pathState) [2]int {
				if p.attributes && m.key[0] == '@' {
					return [2]int{s.element, s.member(m.key)}
				}
				return [2]int{s.any, s.member(m.key)}
			})
			n.members = append(n.members, pathMember{m.key, node})
		}
	}
	return n, err
}

// member returns the state behind the member of a name.
func (s *pathState) member(key string) int {
	for _, m := range s.members {
		if m.key == key {
			return m.state
		}
	}
	return 0
}

// ruleOf returns the rule of the path that decides, among those that end in a set of
// states; nil if none does.
func (p *pathSet) ruleOf(set []int) (*pathRule, error) {
	var ends []*pathState
	for _, i := range set {
		if s := &p.states[i]; s.rule != nil {
			ends = append(ends, s)
		}
	}
	if len(ends) == 0 {
		return nil, nil
	}
	for _, s := range ends {
		if !slices.ContainsFunc(ends, func(other *pathState) bool { return other != s && !s.nearer(other) }) {
			return s.rule, nil
		}
	}
	return nil, &BindError{
		Reason: fmt.Sprintf("the paths %s and %s lead to the same values, and neither is nearer", ends[0].path, ends[1].path),
		Help:   "write a path for these values that names the keys of both",
	}
}

// nearer reports whether a path decides before another one that leads to the same value.
func (s *pathState) nearer(other *pathState) bool {
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
		o := other.keys[i]
		if k.step == toMember && o.step != toMember {
			nearer = true
		}
		if k.step != toMember && o.step == toMember {
			return false
		}
	}
	return nearer
}

// wild reports whether a path has .. in it, and how many keys it names.
func (s *pathState) wild() (deep bool, named int) {
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

// attribute returns the node of an attribute, whose key begins with @, or nil.
func (n *pathNode) attribute(key []byte) *pathNode {
	for i := range n.members {
		if m := &n.members[i]; m.key == string(key) {
			return m.node
		}
	}
	return n.element
}
