package masking

import (
	"bytes"
	"crypto/aes"
	"encoding/binary"
	"strings"
	"sync"
	"unicode"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// loremFactory makes {lorem: words}: every line of a text becomes words of Latin
// look, in sentences, with as many characters as before.
//
// The words are not where the words stood: of the text remain how many lines it
// has, how long each is, and the white space at both ends of each. Which words come
// is decided by the whole value. All is ASCII, so it fits whatever held the text
// before. Bytes that are not UTF-8 count as a character each.
type loremFactory struct{}

func (loremFactory) Describe() Description {
	return Description{
		Name:     "lorem",
		Version:  1,
		Summary:  "Replaces every line of a text by other words, with as many characters as before.",
		Kinds:    []Kind{Text},
		Variants: []string{"words"},
		Samples: []Sample{{
			Spec:   Spec{Variant: "words"},
			Column: Column{Name: "note", Kind: Text},
			Values: []string{"Customer called about order 4711; refund agreed.", "Zoë", "Send to:\n12 Elm Street"},
		}},
	}
}

func (loremFactory) Bind(req Request) (Binding, error) {
	if err := refuseLabels("lorem", req.Column); err != nil {
		return Binding{}, err
	}
	if err := refuseUnique("lorem", req.Column, "{token: hex} or {token: base32}"); err != nil {
		return Binding{}, err
	}
	t := newLorem(req.Key, "lorem")
	t.equality = req.Column.Equality
	return Binding{
		Transform:  t,
		Guarantees: Guarantees{Deterministic: true, KeepsLength: true, KeepsNull: true, KeepsEmpty: true},
		Pinned:     loremPinned,
	}, nil
}

// loremText is where the words are from: Cicero, De finibus bonorum et malorum
// 1.10.32–33, in the order of the text, each once.
const loremText = "a e o ad an at de di eo et ex id in ne se si ut aut cum eos est hic iis nam non quo qui rem sed sit sunt vel vero " +
	"amet aute enim fuga ipsa ipsum irure lorem quia quas quis esse eius elit nemo nisi odit odio modi illo illum nihil animi " +
	"aliqua aliquam aliquid aperiam beatae culpa cillum cumque debitis dicta dolor dolore dolorem eaque earum error eveniet " +
	"facere facilis fugiat harum impedit incidunt inventore itaque iure iusto labore laborum libero magna magnam maiores maxime " +
	"minima minim minus mollit mollitia natus nesciunt nostrud nostrum nulla numquam obcaecati officia officiis omnis optio " +
	"pariatur perferendis perspiciatis placeat porro possimus praesentium proident quaerat quasi quibusdam quidem quisquam quod " +
	"ratione recusandae reiciendis repellat repellendus reprehenderit repudiandae rerum saepe sapiente sequi similique sint " +
	"soluta tempor tempora tempore temporibus tenetur totam ullam ullamco unde vel velit veniam veritatis vitae voluptas " +
	"voluptate voluptatem voluptates voluptatibus voluptatum accusamus accusantium adipisci adipisicing architecto asperiores " +
	"assumenda atque autem blanditiis commodi commodo consectetur consequat consequatur corporis corrupti cupidatat deleniti " +
	"deserunt dignissimos distinctio doloremque doloribus ducimus eiusmod eligendi excepteur exercitation exercitationem " +
	"expedita explicabo laboriosam laudantium necessitatibus occaecat provident quam sanctus suscipit tempus vivamus"

const loremPinned = "lorem words 1"

// longestLorem is the length of the longest word.
const longestLorem = 14

// loremWords holds the words by their length.
var loremWords = func() (w [longestLorem + 1][]string) {
	seen := map[string]bool{}
	for _, word := range strings.Fields(loremText) {
		if n := len(word); n <= longestLorem && !seen[word] {
			seen[word] = true
			w[n] = append(w[n], word)
		}
	}
	return w
}()

type loremTransform struct {
	prf      *prf
	stream   *aes256
	equality Equality
}

func newLorem(key Subkey, use string) *loremTransform {
	return &loremTransform{prf: newPRF(key.For(use)), stream: newBlock(key.For(use + " stream"))}
}

func (t *loremTransform) Apply(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
	if out, is := allNull(in); is {
		return out, nil
	}
	values := textsOf(in)
	out := newTextBuilder(mem, values.n, bytesOf(&values))
	s, stream := getScratch(), loremStreams.Get().(*loremStream)
	defer s.free()
	defer loremStreams.Put(stream)
	for base := 0; base < values.n; base += lanes {
		rows := min(lanes, values.n-base)
		s.text = s.text[:0]
		n := gather(s, &values, base, rows)
		t.prf.sumsUnder(s, n, t.equality)
		lane := 0
		for i := range rows {
			switch {
			case lane < n && int(s.row[lane]) == i:
				v := values.value(base + i)
				out.grow(len(v))
				stream.begin(t, &s.block[lane])
				from := len(out.buf)
				out.buf = stream.write(out.buf, v)
				if bytes.Equal(out.buf[from:], v) {
					bumpASCII(out.buf[from:])
				}
				out.end()
				lane++
			case values.null(base + i):
				out.null()
			default:
				out.add(values.value(base + i))
			}
		}
	}
	return out.finish(), nil
}

// bumpASCII moves the first letter to the next one.
func bumpASCII(text []byte) {
	for i, c := range text {
		if c|0x20 >= 'a' && c|0x20 <= 'z' {
			text[i] = c&0x20 | ('A' + (c&^0x20-'A'+1)%26)
			return
		}
	}
}

// loremBlocks is how many blocks of draws are made at once: enough for a line or two.
const loremBlocks = 4

// loremStream is where the writing of one value stands. Its draws are the
// encryption of the seed with 1, 2, … added by exclusive or.
type loremStream struct {
	t     *loremTransform
	seed  [aes.BlockSize]byte
	draws [loremBlocks * aes.BlockSize]byte
	n     int // blocks that were made
	used  int // bytes of the draws
	left  int // words of the sentence; 0 is its start
}

var loremStreams = sync.Pool{New: func() any { return new(loremStream) }}

// start begins a value.
func (s *loremStream) start(t *loremTransform, value []byte) {
	t.prf.sum(&s.seed, value)
	s.begin(t, &s.seed)
}

// begin begins the value whose keyed function is seed.
func (s *loremStream) begin(t *loremTransform, seed *[aes.BlockSize]byte) {
	s.t, s.seed = t, *seed
	s.n, s.used, s.left = 0, len(s.draws), 0
}

// draw returns a number below n, which is small.
func (s *loremStream) draw(n int) int {
	if s.used == len(s.draws) {
		count(s.draws[:], &s.seed, s.n+1)
		encrypt(s.t.stream, blocksOf(s.draws[:]))
		s.n += loremBlocks
		s.used = 0
	}
	v := int(binary.LittleEndian.Uint16(s.draws[s.used:]))
	s.used += 2
	return v * n >> 16
}

// write appends words in place of text, line by line; dst has room for text.
func (s *loremStream) write(dst, text []byte) []byte {
	for len(text) > 0 {
		line := text
		if end := bytes.IndexByte(text, '\n'); end >= 0 {
			line = text[:end]
		}
		body := bytes.TrimLeftFunc(line, unicode.IsSpace)
		dst = append(dst, line[:len(line)-len(body)]...)
		words := bytes.TrimRightFunc(body, unicode.IsSpace)
		dst = s.words(dst, runeCount(words))
		dst = append(dst, body[len(words):]...)
		if text = text[len(line):]; len(text) > 0 {
			dst = append(dst, '\n')
			text = text[1:]
		}
	}
	return dst
}

// words appends n characters of words. A line that has room for a sentence ends
// with a full stop.
func (s *loremStream) words(dst []byte, n int) []byte {
	stop := n >= 12
	if stop {
		n--
	}
	for n > 0 {
		begin := s.left == 0
		if begin {
			s.left = 4 + s.draw(9)
		}
		size := 2 + s.draw(9)
		if n <= size+2 && n <= longestLorem {
			size = n // what would remain is too short for a blank and a word
		}
		list := loremWords[size]
		at := len(dst)
		dst = append(dst, list[s.draw(len(list))]...)
		if begin {
			dst[at] -= 'a' - 'A'
		}
		s.left--
		if n -= size; n == 0 {
			break
		}
		if s.left == 0 && n > 3 {
			dst = append(dst, '.')
			n--
		}
		dst = append(dst, ' ')
		n--
	}
	if stop {
		dst = append(dst, '.')
		s.left = 0
	}
	return dst
}
