package masking

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// knownNames says in which columns of the row known names stand, and what masks them.
type knownNames struct {
	inputs []string // of the group: the text's own column first
	peers  []namePeer
}

// namePeer is a column whose values are looked for. Its mask is computed by what the
// plan masks it with, from what was there: so text and column agree.
type namePeer struct {
	column string
	input  int // among the inputs
	one    Transform
	group  GroupTransform
	in     []int // among the inputs
	out    int   // among the group's outputs
	person bool  // a name, of which each word counts
}

// isPersonal reports whether a transform masks names of people, of which each word tells.
func isPersonal(s Spec) bool {
	switch s.Name {
	case "person":
		return s.Variant != "email" && s.Variant != "phone"
	case "fake":
		switch s.Variant {
		case "first_name", "last_name", "person_name", "user_name":
			return true
		}
	}
	return false
}

// isLookedFor reports whether the values of a column are looked for in a text: those
// of every masked column of texts, but for texts that are free themselves or
// documents, passwords, fixed sets of labels, and masks that are made of other rows.
func isLookedFor(p Peer) bool {
	if p.Column.Kind != Text || p.Column.Labels != nil {
		return false
	}
	switch p.Spec.Name {
	case "", "keep", "drop", "redact", "lorem", "json", "xml", "each", "fields", "shuffle", "password":
		return false
	}
	return true
}

// bindNames binds the columns that known names stand in.
func (t *redactTransform) bindNames(req Request, b *Binding) (pinned []string, err error) {
	if req.Row == nil {
		return nil, &BindError{
			Reason: "redact: known_names looks for the values of the row, and inside a document there is no row",
			Help:   "leave known_names out, or use else: shape",
		}
	}
	k := &knownNames{inputs: []string{req.Column.Name}}
	at := func(name string) int {
		i := slices.Index(k.inputs, name)
		if i < 0 {
			i = len(k.inputs)
			k.inputs = append(k.inputs, name)
		}
		return i
	}
	for _, peer := range req.Row.Peers {
		if peer.Column.Name == req.Column.Name || !isLookedFor(peer) {
			continue
		}
		child, err := req.BindPeer(peer)
		var complaint *BindError
		if errors.As(err, &complaint) {
			return nil, &BindError{Reason: fmt.Sprintf("redact, known_names in %s: %s", peer.Column.Name, complaint.Reason), Help: complaint.Help}
		} else if err != nil {
			return nil, fmt.Errorf("redact, known_names in %s: %w", peer.Column.Name, err)
		}
		p := namePeer{column: peer.Column.Name, input: at(peer.Column.Name), one: child.Transform, group: child.Group, person: isPersonal(peer.Spec)}
		if p.group != nil {
			for _, in := range child.Inputs {
				p.in = append(p.in, at(in))
			}
			if p.out = slices.Index(child.Outputs, peer.Column.Name); p.out < 0 {
				return nil, &BindError{Reason: fmt.Sprintf("redact, known_names: what masks %s does not give that column", peer.Column.Name), Help: "leave known_names out"}
			}
		}
		k.peers = append(k.peers, p)
		b.Guarantees.Deterministic = b.Guarantees.Deterministic && child.Guarantees.Deterministic
		pinned = append(pinned, fmt.Sprintf("known_names of %s %s", peer.Column.Name, child.Pinned))
	}
	if k.peers == nil {
		b.Warnings = append(b.Warnings, "known_names: no other column of the table holds masked texts")
		return nil, nil
	}
	t.names = k
	return pinned, nil
}

// peerMasks are the masks of the peers' values, an array for each.
type peerMasks []arrow.Array

func (m peerMasks) release() {
	for _, a := range m {
		a.Release()
	}
}

func (k *knownNames) mask(mem memory.Allocator, row []arrow.Array) (masks peerMasks, err error) {
	for _, p := range k.peers {
		var a arrow.Array
		if p.one != nil {
			a, err = p.one.Apply(mem, row[p.input])
		} else {
			in := make([]arrow.Array, len(p.in))
			for i, at := range p.in {
				in[i] = row[at]
			}
			var outs []arrow.Array
			if outs, err = p.group.ApplyGroup(mem, in); err == nil {
				a = outs[p.out]
				for i, o := range outs {
					if i != p.out {
						o.Release()
					}
				}
			}
		}
		if err != nil {
			masks.release()
			var ve *ValueError
			if errors.As(err, &ve) && ve.Column == "" {
				ve.Column = p.column
			}
			return nil, err
		}
		masks = append(masks, a)
	}
	return masks, nil
}

// nameFinder finds the values of a row in a text.
//
// A value is found whole. Of a name (fake or person: first_name, last_name,
// person_name, user_name, …) each word of three letters or more is found too, and
// each half of a double name. Word i becomes word i of the mask if both have as many
// words; else the first becomes the first, and all others the last. Other values
// are found from four characters on.
//
// Only whole words are hits: no letter, mark or digit stands beside them. Scripts
// that do not part words (Han, Kana, Hangul with its endings, Thai and its
// neighbours) are found anywhere, from two characters on. Case, accents and the
// kind of white space make no difference: Jose, JOSÉ and josé are all found for
// José, since people write so. Values of two letters are only found with a capital,
// and those of one never.
//
// The mask of a name takes the case of what it replaces: ANNA, anna, Anna.
type nameFinder struct {
	entries []nameEntry // longest first
	chars   []rune      // of the entries
	first   uint64      // a bit for each first character, modulo 64
	free    bool        // an entry may stand anywhere
	charset Charset     // that masks stay within
	masks   []byte      // of the hits
}

type nameEntry struct {
	chars   []rune // base letters, in lower case
	raw     []byte // of those that may stand anywhere; else nil
	next    int    // where raw stands next in the text; −1 is not known
	mask    []byte
	person  bool
	capital bool // only with a capital
}

const mostName = 256 // bytes of a value that is looked for

// forget lets go of what the finder knows of values.
func (f *nameFinder) forget() {
	clear(f.entries[:cap(f.entries)])
	clear(f.chars)
	clear(f.masks)
	f.entries, f.chars, f.masks = f.entries[:0], f.chars[:0], f.masks[:0]
}

// addNames finds the known names between the hits of the patterns. It returns all
// hits, and moves the ends of the rows.
func (s *redactScratch) addNames(k *knownNames, values *texts, row []arrow.Array, masks peerMasks) []textHit {
	peers, masked := make([]texts, len(k.peers)), make([]texts, len(k.peers))
	for j, p := range k.peers {
		peers[j], masked[j] = textsOf(row[p.input]), textsOf(masks[j])
	}
	f := &s.finder
	first := 0
	for i := range values.n {
		found := s.found[first:s.ends[i]]
		first = int(s.ends[i])
		if !values.null(i) {
			f.entries, f.chars, f.first, f.free = f.entries[:0], f.chars[:0], 0, false
			for j, p := range k.peers {
				if peers[j].null(i) {
					continue
				}
				var mask []byte
				if !masked[j].null(i) {
					mask = masked[j].value(i)
				}
				f.add(peers[j].value(i), mask, p.person)
			}
			text := values.value(i)
			if len(f.entries) == 0 {
				s.hits = append(s.hits, found...)
			} else {
				at := 0
				for _, h := range found {
					s.hits = f.find(s.hits, text, at, int(h.from))
					s.hits = append(s.hits, h)
					at = int(h.to)
				}
				s.hits = f.find(s.hits, text, at, len(text))
			}
		}
		s.ends[i] = int32(len(s.hits))
	}
	return s.hits
}

// add notes a value, its words if it is a name, and their masks.
func (f *nameFinder) add(value, mask []byte, person bool) {
	value = bytes.TrimSpace(value)
	if len(value) == 0 || len(value) > mostName {
		return
	}
	f.addEntry(value, mask, person, true)
	if !person {
		return
	}
	words, maskWords := countNameWords(value), countNameWords(mask)
	rest := value
	for i := range words {
		var w []byte
		w, rest = nextNameWord(rest)
		var m []byte
		switch {
		case words == maskWords:
			m = nameWordAt(mask, i)
		case i == 0:
			m = nameWordAt(mask, 0)
		default:
			m = nameWordAt(mask, max(maskWords-1, 0))
		}
		if words > 1 {
			f.addEntry(trimSigns(w), m, true, false)
		}
		if bytes.IndexByte(w, '-') < 0 {
			continue
		}
		for len(w) > 0 {
			var half []byte
			half, w, _ = bytes.Cut(w, []byte{'-'})
			f.addEntry(trimSigns(half), m, true, false)
		}
	}
}

// addEntry notes what is looked for, if it is long enough. Signs around it stay in the
// text: of @ann, ann is looked for.
func (f *nameFinder) addEntry(text, mask []byte, person, whole bool) {
	if bare := trimSigns(text); len(bare) < len(text) {
		text, mask = bare, trimSigns(mask)
	}
	if len(text) == 0 {
		return
	}
	r, _ := utf8.DecodeRune(text)
	from := len(f.chars)
	e := nameEntry{mask: mask, person: person}
	if unparted(r) {
		if runeCount(text) < 2 {
			return
		}
		e.raw = text
		f.free = true
	}
	f.chars = appendBases(f.chars, text)
	e.chars = f.chars[from:len(f.chars):len(f.chars)]
	least := 3
	switch {
	case e.raw != nil:
		least = 1
	case person && whole:
		least = 2
		e.capital = len(e.chars) < 3
	case !person:
		least = 4
	}
	if len(e.chars) < least || e.raw == nil && !isWord(e.chars[0]) {
		f.chars = f.chars[:from]
		return
	}
	at := len(f.entries)
	for at > 0 && len(f.entries[at-1].chars) < len(e.chars) {
		at--
	}
	f.entries = slices.Insert(f.entries, at, e)
	if e.raw == nil {
		f.first |= 1 << (e.chars[0] & 63)
	}
}

// unparted reports whether r is of a script whose words are not parted by blanks,
// or have endings that are not.
func unparted(r rune) bool {
	switch {
	case r < 0x0E00:
		return false
	case r < 0x1000, r >= 0x1780 && r < 0x1800: // Thai, Lao, Tibetan, Khmer
		return true
	}
	return caseless(r) || unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Myanmar)
}

func countNameWords(text []byte) (n int) {
	for {
		var w []byte
		if w, text = nextNameWord(text); len(w) == 0 {
			return n
		}
		n++
	}
}

func nextNameWord(text []byte) (word, rest []byte) {
	text = bytes.TrimLeftFunc(text, separates)
	if end := bytes.IndexFunc(text, separates); end >= 0 {
		return text[:end], text[end:]
	}
	return text, nil
}

func nameWordAt(text []byte, i int) (word []byte) {
	for ; i >= 0; i-- {
		word, text = nextNameWord(text)
	}
	return word
}

// trimSigns returns a word without signs at its ends.
func trimSigns(word []byte) []byte {
	return bytes.TrimFunc(word, func(r rune) bool { return !isWord(r) })
}
