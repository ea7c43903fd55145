package masking

import (
	"crypto/aes"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"testing"
)

// The statistics of the keyed function and of the permutations, with fixed keys:
// the same numbers every time, so that a bound either holds or the construction
// has changed. Each bound is five or six standard deviations of what chance gives,
// and the broken constructions that it is there for are hundreds away.

// isBetween checks a count against its mean and standard deviation.
func isBetween(t *testing.T, what string, got int, mean, deviation float64) {
	t.Helper()
	if z := (float64(got) - mean) / deviation; z < -6 || z > 6 {
		t.Errorf("%s: %d, %.0f are due: %.1f standard deviations", what, got, mean, z)
	}
}

// Any bit of the message flips any bit of the result in half of the cases: the strict
// avalanche criterion (Webster and Tavares 1985), for messages of one block, whole
// and padded, and of several.
func TestStrictAvalanche(t *testing.T) {
	p := newPRF([KeySize]byte{11})
	s := getScratch()
	defer s.free()
	var msgs [lanes][]byte
	for _, size := range []int{8, 16, 40} {
		for i := range msgs {
			msgs[i] = make([]byte, size)
			copy(msgs[i], fmt.Sprintf("%d of %d", i, size))
		}
		sums := func() [lanes][aes.BlockSize]byte {
			s.msg = msgs
			p.sums(s, lanes)
			return s.block
		}
		before := sums()
		for in := range 8 * size {
			var flips [8 * aes.BlockSize]int
			for i := range msgs {
				msgs[i][in/8] ^= 1 << (in % 8)
			}
			after := sums()
			for i := range msgs {
				msgs[i][in/8] ^= 1 << (in % 8)
				for out := range flips {
					flips[out] += int((before[i][out/8] ^ after[i][out/8]) >> (out % 8) & 1)
				}
			}
			for out, n := range flips {
				isBetween(t, fmt.Sprintf("%d bytes, bit %d to bit %d", size, in, out), n, lanes/2, math.Sqrt(lanes)/2)
			}
		}
	}
}

// A bit of either half flips half of the bits of both halves, and so does a bit of
// the tweak. The halves are of 2³², so that their bits are bits.
func TestFeistelAvalanche(t *testing.T) {
	f := newFeistel([KeySize]byte{12})
	s := getScratch()
	defer s.free()
	const rounds = 16
	type input struct{ l, r, tweak uint64 }
	permute := func(round int, flip input) (l, r [lanes]uint64) {
		for i := range lanes {
			x := uint64(round*lanes + i) // small and near to each other, as ids are
			s.l[i], s.r[i], s.tweak[i] = x>>8^flip.l, x^flip.r, 5^flip.tweak
			s.a[i], s.b[i] = 1<<32, 1<<32
		}
		f.permute(s, lanes)
		return s.l, s.r
	}
	flips := map[string]input{}
	for bit := range 32 {
		flips[fmt.Sprint("left bit ", bit)] = input{l: 1 << bit}
		flips[fmt.Sprint("right bit ", bit)] = input{r: 1 << bit}
		flips[fmt.Sprint("tweak bit ", bit)] = input{tweak: 1 << bit}
	}
	for name, flip := range flips {
		left, right := 0, 0
		for round := range rounds {
			l0, r0 := permute(round, input{})
			l1, r1 := permute(round, flip)
			for i := range lanes {
				left += bits.OnesCount64(l0[i] ^ l1[i])
				right += bits.OnesCount64(r0[i] ^ r1[i])
			}
		}
		const coins = rounds * lanes * 32
		isBetween(t, name+" to the left", left, coins/2, math.Sqrt(coins)/2)
		isBetween(t, name+" to the right", right, coins/2, math.Sqrt(coins)/2)
	}
}

// pseudonyms masks 0 to n−1 in the pinned range of n, in a domain of that number.
func pseudonyms(t *testing.T, n int64, domain int) []any {
	t.Helper()
	c := &lawCase{spec: ranged(int64(0), n-1), col: Column{Kind: Int, Bits: 32}}
	values := make([]any, n)
	for i := range values {
		values[i] = int64(i)
	}
	return c.mask(t, c.bind(t, fixedKey(t), fmt.Sprint("domain ", domain)), true, values, nil)
}

// Over many domains, each value of a small pinned range goes everywhere equally
// often: through the registry, the derivation of keys and the table together.
func TestSmallRangesAreEven(t *testing.T) {
	const domains = 2000
	for _, n := range []int64{2, 3, 7, 10, 100} {
		counts := make([]int, n*n)
		for d := range domains {
			for x, y := range pseudonyms(t, n, d) {
				counts[int64(x)*n+y.(int64)]++
			}
		}
		// The rows and columns of a permutation's matrix are fixed: (n−1)² degrees
		// of freedom of n²−1, and the statistic is larger by n/(n−1).
		due := domains / float64(n)
		sum := 0.0
		for _, c := range counts {
			sum += (float64(c) - due) * (float64(c) - due) / due
		}
		free := float64((n - 1) * (n - 1))
		sum *= float64(n-1) / float64(n)
		if z := (sum - free) / math.Sqrt(2*free); z > 6 || z < -6 {
			t.Errorf("%d values: chi-square %.0f of %.0f: %.1f standard deviations", n, sum, free, z)
		}
	}
}

// A random permutation leaves one value in its place, on average, with variance
// one. Neither the table nor the network has more of them, or fewer.
func TestFixedPoints(t *testing.T) {
	const n, permutations = 50, 3000
	s := getScratch()
	defer s.free()
	iv := split(n)
	table, network := 0, 0
	for k := range permutations {
		key := subkey([KeySize]byte{byte(k), byte(k >> 8), 13})
		for x, y := range shuffle(key.For("shuffle"), n) {
			if uint32(x) == y {
				table++
			}
		}
		f := newFeistel(key.For("permute"))
		for x := range uint64(n) {
			if iv.through(f, s, x) == x {
				network++
			}
		}
	}
	isBetween(t, "fixed points of tables", table, permutations, math.Sqrt(permutations))
	isBetween(t, "fixed points of networks", network, permutations, math.Sqrt(permutations))
}

// A permutation is even or odd equally often, whatever the size: a network of too
// few rounds, or one whose rounds cancel, is of one sort.
func TestParity(t *testing.T) {
	const n, permutations = 30, 2000
	s := getScratch()
	defer s.free()
	iv := split(n)
	even := 0
	for k := range permutations {
		f := newFeistel([KeySize]byte{byte(k), byte(k >> 8), 14})
		var image [n]uint64
		for x := range image {
			image[x] = iv.through(f, s, uint64(x))
		}
		inversions := 0
		for x := range image {
			for y := range x {
				if image[y] > image[x] {
					inversions++
				}
			}
		}
		even += 1 - inversions%2
	}
	isBetween(t, "even permutations", even, permutations/2, math.Sqrt(permutations)/2)
}

// scale maps blocks to each residue equally often, in the moduli where a division
// or too few bits would show: not a power of two, and near to the largest.
func TestScaleIsEven(t *testing.T) {
	p := newPRF([KeySize]byte{15})
	const draws, bins = 200_000, 100
	for _, m := range []uint64{bins, 3 * bins, 1e6, 3 << 31, 3 << 61} {
		counts := make([]int, bins)
		var msg [8]byte
		var block [aes.BlockSize]byte
		for i := range uint64(draws) {
			binary.LittleEndian.PutUint64(msg[:], i)
			p.sum(&block, msg[:])
			v := scale(&block, m)
			if v >= m {
				t.Fatalf("modulus %d: %d", m, v)
			}
			high, low := bits.Mul64(v, bins)
			bin, _ := bits.Div64(high, low, m)
			counts[bin]++
		}
		if z := chiSquare(counts); z > 6 || z < -6 {
			t.Errorf("modulus %d: %.1f standard deviations from even", m, z)
		}
	}
}

// below is exactly even. 3·2³⁰ is where the multiplication alone, without a second
// try, shows most: of three values that follow each other, one comes twice as often.
func TestDrawsAreEven(t *testing.T) {
	d := newDraws([KeySize]byte{16})
	const draws = 300_000
	for _, n := range []uint32{1, 2, 3, 10, 96, 3 << 30} {
		bins := min(n, 96)
		counts, residues := make([]int, bins), make([]int, 3)
		for range draws {
			v := d.below(n)
			if v >= n {
				t.Fatalf("%d is not below %d", v, n)
			}
			counts[uint64(v)*uint64(bins)/uint64(n)]++
			residues[v%3]++
		}
		if n == 1 {
			continue
		}
		if z := chiSquare(counts); z > 6 || z < -6 {
			t.Errorf("below %d: %.1f standard deviations from even", n, z)
		}
		if n%3 != 0 {
			continue
		}
		if z := chiSquare(residues); z > 6 || z < -6 {
			t.Errorf("below %d, by threes: %.1f standard deviations from even", n, z)
		}
	}
}
