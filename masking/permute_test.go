package masking

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// invert is the inverse of permute: its existence proves that permute is a
// bijection of Z_a × Z_b, whatever the keyed function.
func (f *feistel) invert(s *scratch, n int) {
	for round := feistelRounds - 2; round >= 0; round -= 2 {
		f.unround(s, &s.r, &s.l, &s.b, uint64(round+1), n)
		f.unround(s, &s.l, &s.r, &s.a, uint64(round), n)
	}
}

func (f *feistel) unround(s *scratch, to, from, mod *[lanes]uint64, round uint64, n int) {
	ask(s, from, round, n)
	encrypt(f.block, s.block[:n])
	for i := range n {
		v := to[i] - scale(&s.block[i], mod[i])
		if v >= mod[i] { // below zero
			v += mod[i]
		}
		to[i] = v
	}
}

func TestFeistelHasAnInverse(t *testing.T) {
	f := newFeistel([KeySize]byte{3})
	rnd := rand.New(rand.NewPCG(3, 4))
	s := getScratch()
	defer s.free()
	var l, r [lanes]uint64
	for range 100 {
		for i := range lanes {
			s.a[i] = 1 + rnd.Uint64()>>(1+rnd.IntN(62))
			s.b[i] = 1 + rnd.Uint64()>>(1+rnd.IntN(62))
			s.l[i], s.r[i] = rnd.Uint64N(s.a[i]), rnd.Uint64N(s.b[i])
			s.tweak[i] = rnd.Uint64() >> 8
		}
		l, r = s.l, s.r
		f.permute(s, lanes)
		for i := range lanes {
			if s.l[i] >= s.a[i] || s.r[i] >= s.b[i] {
				t.Fatalf("lane %d left Z_%d × Z_%d", i, s.a[i], s.b[i])
			}
		}
		f.invert(s, lanes)
		if s.l != l || s.r != r {
			t.Fatal("the inverse does not give back what was permuted")
		}
	}
}

// through sends x through an interval by the network, even if it has a table.
func (iv *interval) through(f *feistel, s *scratch, x uint64) uint64 {
	iv.set(s, 0, x)
	for {
		f.permute(s, 1)
		if y, ok := iv.get(s, 0); ok {
			return y
		}
	}
}

// split gives a small interval the network that newInterval gives a large one.
func split(n uint64) interval {
	iv := interval{n: n, a: uint64(math.Ceil(math.Sqrt(float64(n))))}
	iv.b = (n-1)/iv.a + 1
	iv.inverse = math.MaxUint64 / iv.b
	return iv
}

func TestSetDivides(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	s := getScratch()
	defer s.free()
	for range 200_000 {
		b := 1 + rnd.Uint64()>>(32+rnd.IntN(32))
		if rnd.IntN(4) == 0 {
			b = 1 << rnd.IntN(33)
		}
		iv := interval{b: b, inverse: math.MaxUint64 / b}
		x := rnd.Uint64() >> rnd.IntN(64)
		switch rnd.IntN(4) {
		case 0:
			x -= x % b // the least of its quotient
		case 1:
			x -= x%b + 1 // the largest, or 2⁶⁴−1
		}
		iv.set(s, 0, x)
		if s.l[0] != x/b || s.r[0] != x%b {
			t.Fatalf("%d by %d: %d and %d", x, b, s.l[0], s.r[0])
		}
	}
}

func TestCycleWalkingIsABijection(t *testing.T) {
	f := newFeistel([KeySize]byte{5})
	s := getScratch()
	defer s.free()
	for n := uint64(1); n <= 600; n++ {
		iv := split(n)
		seen := make([]bool, n)
		for x := range n {
			y := iv.through(f, s, x)
			if y >= n || seen[y] {
				t.Fatalf("[0, %d): %d is met twice or outside", n, y)
			}
			seen[y] = true
		}
	}
}

func TestIntervalsWasteLittle(t *testing.T) {
	key := subkey([KeySize]byte{6})
	for _, n := range []uint64{tableSize + 1, 1<<30 - 1, 1 << 30, 1<<31 + 1, 1e10, 1<<53 - 1, 1<<63 - 1, 1<<64 - 1<<32, 1<<64 - 2, 1<<64 - 1, 0} {
		iv := newInterval(key, n, 0)
		if iv.table != nil {
			t.Errorf("%d: a table", n)
		}
		if iv.a > 1<<32 || iv.b > 1<<32 {
			t.Errorf("%d: halves of %d and %d", n, iv.a, iv.b)
		}
		if n == 0 {
			if iv.a != 1<<32 || iv.b != 1<<32 {
				t.Errorf("2⁶⁴: halves of %d and %d", iv.a, iv.b)
			}
			continue
		}
		if waste := iv.a*iv.b - n; waste >= iv.a { // wraps for products of 2⁶⁴
			t.Errorf("%d: %d × %d wastes %d", n, iv.a, iv.b, waste)
		}
	}
}

func TestShuffleIsABijection(t *testing.T) {
	for _, n := range []int{1, 2, 3, 255, 1000, 1 << 14, tableSize} {
		seen := make([]bool, n)
		for _, y := range shuffle([KeySize]byte{7}, n) {
			if seen[y] {
				t.Fatalf("%d values: %d is met twice", n, y)
			}
			seen[y] = true
		}
	}
}

// chiSquare returns how many standard deviations the counts lie from even.
func chiSquare(counts []int) float64 {
	total := 0
	for _, c := range counts {
		total += c
	}
	due := float64(total) / float64(len(counts))
	sum := 0.0
	for _, c := range counts {
		sum += (float64(c) - due) * (float64(c) - due) / due
	}
	free := float64(len(counts) - 1)
	return (sum - free) / math.Sqrt(2*free)
}

// Over many keys, every value goes everywhere equally often, by table and by network.
func TestPermutationsAreEven(t *testing.T) {
	const n, keys = 20, 4000
	s := getScratch()
	defer s.free()
	iv := split(n)
	table, network, pairs := make([]int, n*n), make([]int, n*n), make([]int, n*n)
	for k := range keys {
		key := subkey([KeySize]byte{byte(k), byte(k >> 8), 1})
		shuffled := shuffle(key.For("shuffle"), n)
		f := newFeistel(key.For("permute"))
		var images [n]uint64
		for x := range uint64(n) {
			table[x*n+uint64(shuffled[x])]++
			images[x] = iv.through(f, s, x)
			network[x*n+images[x]]++
		}
		pairs[images[0]*n+images[1]]++
	}
	for name, counts := range map[string][]int{"table": table, "network": network} {
		if z := chiSquare(counts); z > 6 || z < -6 {
			t.Errorf("%s: %.1f standard deviations from even", name, z)
		}
	}
	// Two values together: all n·(n−1) pairs of images.
	var met []int
	for i, c := range pairs {
		if i/n == i%n {
			if c != 0 {
				t.Error("two values have one image")
			}
			continue
		}
		met = append(met, c)
	}
	if z := chiSquare(met); z > 6 || z < -6 {
		t.Errorf("pairs: %.1f standard deviations from even", z)
	}
}

func TestTweaksSeparate(t *testing.T) {
	f := newFeistel([KeySize]byte{8})
	s := getScratch()
	defer s.free()
	iv := split(1_000_000)
	same := 0
	for x := range uint64(1000) {
		iv.tweak = 1
		a := iv.through(f, s, x)
		iv.tweak = 2
		if iv.through(f, s, x) == a {
			same++
		}
	}
	if same > 3 {
		t.Errorf("two tweaks agree on %d of 1000 values of a million", same)
	}
}

func TestScaleReachesBothEnds(t *testing.T) {
	var zero, ones [16]byte
	for i := range ones {
		ones[i] = 0xff
	}
	for _, m := range []uint64{1, 2, 3, 10, 1 << 32, 1e18, 1 << 63} {
		if lo, hi := scale(&zero, m), scale(&ones, m); lo != 0 || hi != m-1 {
			t.Errorf("modulus %d: %d to %d", m, lo, hi)
		}
	}
}

func FuzzPermute(f *testing.F) {
	f.Add(uint64(20), uint64(7), uint64(0), byte(1))
	f.Add(uint64(1_000_003), uint64(999_999), uint64(77), byte(2))
	f.Add(uint64(1)<<63, uint64(1), uint64(1)<<56-1, byte(3))
	f.Add(uint64(0), ^uint64(0), uint64(5), byte(4))
	f.Fuzz(func(t *testing.T, n, x, tweak uint64, key byte) {
		if n != 0 {
			x %= n
		}
		if n == 1 {
			return
		}
		network := newFeistel([KeySize]byte{key})
		var iv interval
		if n != 0 && n <= tableSize {
			iv = split(n)
		} else {
			iv = newInterval(Subkey{}, n, 0)
		}
		iv.tweak = tweak & (1<<56 - 1)
		s := getScratch()
		defer s.free()
		y := iv.through(network, s, x)
		if n != 0 && y >= n {
			t.Fatalf("%d is outside [0, %d)", y, n)
		}
		// Walking back, by the inverse, must come to x first of all in the interval.
		iv.set(s, 0, y)
		for {
			network.invert(s, 1)
			back, ok := iv.get(s, 0)
			if !ok {
				continue
			}
			if back != x {
				t.Fatalf("%d goes to %d, which comes from %d", x, y, back)
			}
			return
		}
	})
}

func BenchmarkKeyedFunction(b *testing.B) {
	p := newPRF([KeySize]byte{1})
	s := getScratch()
	defer s.free()
	for _, size := range []int{8, 24, 64} {
		b.Run(fmt.Sprintf("bytes=%d", size), func(b *testing.B) {
			msg := make([]byte, size)
			for i := 0; i < b.N; i += lanes {
				for j := range lanes {
					s.msg[j] = msg
				}
				p.sums(s, lanes)
			}
		})
	}
}

func BenchmarkFeistel(b *testing.B) {
	f := newFeistel([KeySize]byte{1})
	s := getScratch()
	defer s.free()
	iv := newInterval(Subkey{}, 1<<30-1, 0)
	for i := range lanes {
		iv.set(s, i, uint64(i))
	}
	for i := 0; i < b.N; i += lanes {
		f.permute(s, lanes)
	}
}

func BenchmarkShuffleTable(b *testing.B) {
	for b.Loop() {
		shuffle([KeySize]byte{1}, 1_000_000)
	}
}
