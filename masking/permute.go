package masking

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
)

// feistelRounds is the number of rounds of the network. Ten give a margin over the
// attacks known on networks with few rounds over small halves (Patarin; Durak and
// Vaudenay 2017), with a round function that is a whole AES-256.
const feistelRounds = 10

// feistel is a keyed, tweakable permutation of Z_a × Z_b: the generalized
// Feistel network of Black and Rogaway, "Ciphers with Arbitrary Finite Domains"
// (2002), whose halves may differ in size (as in Morris, Rogaway and Stegers,
// "How to Encipher Messages on a Small Domain", 2009). It is immutable and safe
// for concurrent use.
type feistel struct {
	block *aes256
}

func newFeistel(key [KeySize]byte) *feistel { return &feistel{block: newBlock(key)} }

// permute replaces (s.l, s.r) of the first n lanes by their images. Each lane has
// its own moduli s.a and s.b, at most 2⁶³, and its own tweak of 56 bits.
func (f *feistel) permute(s *scratch, n int) {
	ask(s, &s.r, 0, n)
	for round := uint64(0); round < feistelRounds; round += 2 {
		f.round(s, &s.l, &s.a, round, n)
		f.round(s, &s.r, &s.b, round+1, n)
	}
}

// ask writes half, tweak and round of each lane to s.block: the keyed function's input.
func ask(s *scratch, half *[lanes]uint64, round uint64, n int) {
	blocks, halves, tweaks := s.block[:n], half[:n], s.tweak[:n]
	for i := range blocks {
		binary.LittleEndian.PutUint64(blocks[i][:8], halves[i])
		binary.LittleEndian.PutUint64(blocks[i][8:], tweaks[i]<<8|round)
	}
}

// round encrypts what is asked, adds it to a half, and asks the next round's
// blocks by that half: in one pass, since what a round costs is the walk over the
// lanes as much as the cipher.
func (f *feistel) round(s *scratch, half, mod *[lanes]uint64, round uint64, n int) {
	encrypt(f.block, s.block[:n])
	blocks, halves, mods, tweaks := s.block[:n], half[:n], mod[:n], s.tweak[:n]
	for i := range blocks {
		m := mods[i]
		v := halves[i] + scale(&blocks[i], m)
		if v >= m {
			v -= m
		}
		halves[i] = v
		binary.LittleEndian.PutUint64(blocks[i][:8], v)
		binary.LittleEndian.PutUint64(blocks[i][8:], tweaks[i]<<8|(round+1))
	}
}

// scale maps a block, taken as a fraction of 2¹²⁸, to [0, m). With 128 bits the
// result is uniform but for m/2¹²⁸, with no division and no second try.
func scale(b *[aes.BlockSize]byte, m uint64) uint64 {
	hi, lo := binary.LittleEndian.Uint64(b[:8]), binary.LittleEndian.Uint64(b[8:])
	low, _ := bits.Mul64(lo, m)
	high, mid := bits.Mul64(hi, m)
	_, carry := bits.Add64(mid, low, 0)
	return high + carry
}

// tableSize is the most values for which a permutation is a table in memory.
const tableSize = 1 << 20

// interval is a permutation of the n integers [0, n): by a table where that is
// small, else by a Feistel network over Z_a × Z_b with a·b just above n, and
// cycle walking: what falls outside is permuted again.
type interval struct {
	n     uint64 // 0 is 2⁶⁴
	a, b  uint64
	tweak uint64
	table []uint32

	inverse uint64 // 2⁶⁴/b, rounded down: x/b takes a multiplication
}

// newInterval returns the permutation of [0, n) under key; n = 0 is 2⁶⁴. Intervals under
// the same key tell themselves apart by the tweak.
func newInterval(key Subkey, n, tweak uint64) interval {
	if n != 0 && n <= tableSize {
		return interval{n: n, tweak: tweak, table: shuffle(key.For(fmt.Sprintf("shuffle|%d", tweak)), int(n))}
	}
	return newNetwork(n, tweak)
}

// newNetwork returns the same without a table, whatever n: for intervals of which
// there are too many to make tables.
func newNetwork(n, tweak uint64) interval {
	iv := interval{n: n, tweak: tweak}
	// a is the root of n, rounded up, so that a·b exceeds n by less than a and
	// next to nothing has to walk.
	iv.a = 1 << 32
	if n != 0 {
		iv.a = uint64(math.Sqrt(float64(n)))
		for iv.a*iv.a < n && iv.a < 1<<32 {
			iv.a++
		}
	}
	iv.b = iv.a
	if n != 0 {
		iv.b = (n-1)/iv.a + 1
	}
	iv.inverse = math.MaxUint64 / iv.b
	return iv
}

// set puts x into lane i.
func (iv *interval) set(s *scratch, i int, x uint64) {
	// The inverse is too small by less than one part: so is the quotient, by one or not at all.
	quotient, _ := bits.Mul64(x, iv.inverse)
	rest := x - quotient*iv.b
	if rest >= iv.b {
		quotient, rest = quotient+1, rest-iv.b
	}
	s.l[i], s.r[i] = quotient, rest
	s.a[i], s.b[i], s.tweak[i] = iv.a, iv.b, iv.tweak
}

// get returns the value in lane i, and whether it has arrived in the interval.
func (iv *interval) get(s *scratch, i int) (uint64, bool) {
	x := s.l[i]*iv.b + s.r[i]
	return x, iv.n == 0 || x < iv.n
}

// move puts lane from in the place of lane to: the lanes that walk on close up.
func (s *scratch) move(to, from int) {
	s.l[to], s.r[to], s.a[to], s.b[to], s.tweak[to] = s.l[from], s.r[from], s.a[from], s.b[from], s.tweak[from]
	s.row[to], s.which[to] = s.row[from], s.which[from]
}

// shuffle returns a keyed permutation of [0, n), n at most 2³²: Fisher and
// Yates' shuffle, fed from AES-256 in counter mode, with every draw exactly
// uniform (Lemire, "Fast Random Integer Generation in an Interval", 2019).
func shuffle(key [KeySize]byte, n int) []uint32 {
	table := make([]uint32, n)
	for i := range table {
		table[i] = uint32(i)
	}
	d := newDraws(key)
	for i := n - 1; i > 0; i-- {
		j := d.below(uint32(i + 1))
		table[i], table[j] = table[j], table[i]
	}
	return table
}

// draws gives uniform integers from a keyed stream.
type draws struct {
	stream cipher.Stream
	buf    [4096]byte
	used   int
}

func newDraws(key [KeySize]byte) *draws {
	d := &draws{stream: cipher.NewCTR(newBlock(key).portable, make([]byte, aes.BlockSize))}
	d.used = len(d.buf)
	return d
}

func (d *draws) next() uint32 {
	if d.used == len(d.buf) {
		clear(d.buf[:])
		d.stream.XORKeyStream(d.buf[:], d.buf[:])
		d.used = 0
	}
	v := binary.LittleEndian.Uint32(d.buf[d.used:])
	d.used += 4
	return v
}

// below returns a uniform integer in [0, n).
func (d *draws) below(n uint32) uint32 {
	for {
		product := uint64(d.next()) * uint64(n)
		if low := uint32(product); low >= n || low >= -n%n {
			return uint32(product >> 32)
		}
	}
}
