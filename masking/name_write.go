package masking

import (
	"bytes"
	"crypto/aes"
	"unicode"
	"unicode/utf8"
)

// The names that take the place of others.

// noBudget lets every name through.
const noBudget = len(nameList{}.upTo) - 1

// choose writes the mask of the parsed name to n.out. The first word is chosen by
// the seed itself, the next ones by the encryption of the seed with 1, 2, … added by
// exclusive or; second is the first of these, if it is a person's name.
func (t *nameTransform) choose(n *nameScratch, seed, second *[aes.BlockSize]byte) {
	blocks := n.blocks[:n.n]
	for i := range blocks {
		blocks[i] = *seed
		blocks[i][0] ^= byte(i)
	}
	made := 1
	if t.variant == personName && n.n > 1 {
		blocks[1] = *second
		made = 2
	}
	if n.n > made {
		encrypt(t.stream, blocks[made:])
	}
	t.write(n, n.n, noBudget)
	if t.fits(n.out) {
		return
	}
	widest := 1 // bytes of a character
	for i := range n.n {
		widest = max(widest, poolBytes(n.words[i].pool))
	}
	for words := n.n; words > 0; words-- {
		between := words - 1
		if n.before > 0 && n.before < words {
			between++ // the comma
		}
		budget := noBudget
		if t.maxChars > 0 {
			budget = min(budget, (t.maxChars-between)/words)
		}
		if t.maxBytes > 0 {
			budget = min(budget, (t.maxBytes-between)/words/widest)
		}
		if budget < 1 {
			continue
		}
		t.write(n, words, budget)
		if t.fits(n.out) {
			return
		}
	}
	// Not one name is short enough.
	t.write(n, 1, noBudget)
	n.out = cutText(n.out, t.maxChars, t.maxBytes)
	if bytes.HasPrefix(n.text, n.out) {
		t.shape.letters.bump(n.out)
	}
}

func cutRunes(text []byte, limit int) []byte {
	for i := 0; i < len(text); limit-- {
		if limit == 0 {
			return text[:i]
		}
		_, size := utf8.DecodeRune(text[i:])
		i += size
	}
	return text
}

// write writes the first words of the name, each of at most budget characters if there are such names.
func (t *nameTransform) write(n *nameScratch, words, budget int) {
	n.out = n.out[:0]
	for i := range words {
		if i > 0 {
			if i == n.before {
				n.out = append(n.out, ',')
			}
			if i != n.before || !n.tight {
				n.out = append(n.out, ' ')
			}
		}
		t.writeWord(n, &n.words[i], &n.blocks[i], budget)
	}
}

func (t *nameTransform) writeWord(n *nameScratch, w *nameWord, block *[aes.BlockSize]byte, budget int) {
	from := len(n.out)
	if w.pool == poolNone {
		if t.equality.folds() {
			n.out = t.shape.appendEqual(n.out, w.text, block, &n.shape)
		} else {
			n.out = append(n.out, w.text...)
			t.shape.shape(n.out[from:], w.text, block, &n.shape)
		}
		if !bytes.Equal(n.out[from:], w.text) {
			return
		}
		n.out, w.pool = n.out[:from], poolASCII // there is nothing to exchange
	}
	if w.initial {
		budget = noBudget // an initial is short, whatever name it is of
	}
	pool := &t.pools[w.pool]
	list := &pool.given
	if w.role != givenRole {
		list = &pool.family
	}
	own := budget
	if w.role == bothRole {
		own = max(budget-1, 1)
	}
	one := list.choose(block[:8], own)
	for range list.names { // seldom goes round more than once
		n.out = n.out[:from]
		n.out = w.render(n.out, list.names[one], t.charset)
		if w.role == bothRole {
			left := max(budget-runeCount(n.out[from:]), 1)
			n.out = w.render(n.out, pool.given.names[pool.given.choose(block[8:], left)], t.charset)
		}
		if !t.same(n.out[from:], w.text) {
			return
		}
		one = list.next(one, own)
	}
}

// equalFold is bytes.EqualFold, quick to say no.
func equalFold(a, b []byte) bool {
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	if x, y := a[0]|0x20, b[0]|0x20; x != y && x < utf8.RuneSelf && y < utf8.RuneSelf {
		return false
	}
	return bytes.EqualFold(a, b)
}

// render appends a name in the style of the word.
func (w *nameWord) render(dst []byte, name string, charset Charset) []byte {
	if w.style == asListed && !w.initial && !w.hiragana {
		return append(dst, name...)
	}
	for _, r := range name {
		switch {
		case w.style == allUpper:
			if upper := unicode.ToUpper(r); charset.Holds(upper) { // that of ÿ is beyond Latin-1
				r = upper
			}
		case w.style == allLower:
			r = unicode.ToLower(r)
		case w.hiragana && r >= '\u30A1' && r <= '\u30F6':
			r -= '\u30A1' - '\u3041'
		}
		dst = utf8.AppendRune(dst, r)
		if w.initial {
			break
		}
	}
	if w.dotted {
		dst = append(dst, '.')
	}
	return dst
}
