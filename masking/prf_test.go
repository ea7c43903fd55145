package masking

import (
	"bytes"
	"crypto/aes"
	"encoding/hex"
	"math/bits"
	"math/rand/v2"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The examples of NIST SP 800-38B, appendix D.3: AES-256.
const sp80038bKey = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"

var sp80038b = []struct{ msg, mac string }{
	{"", "028962f61b7bf89efc6b551f4667d983"},
	{"6bc1bee22e409f96e93d7e117393172a", "28a7023f452e8f82bd4bf28d8c37c35c"},
	{"6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411", "aaf3d8f1de5640c232f5b169b9c911e6"},
	{"6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710", "e1992190549f6ed5696a2c056c315410"},
}

func TestKeyedFunctionIsCMAC(t *testing.T) { withKernels(t, testKeyedFunction) }

func testKeyedFunction(t *testing.T) {
	p := newPRF([KeySize]byte(unhex(t, sp80038bKey)))
	if got := hex.EncodeToString(p.k1[:]); got != "cad1ed03299eedac2e9a99808621502f" {
		t.Errorf("K1 is %s", got)
	}
	if got := hex.EncodeToString(p.k2[:]); got != "95a3da06533ddb585d3533010c42a0d9" {
		t.Errorf("K2 is %s", got)
	}
	s := getScratch()
	defer s.free()
	for i, v := range sp80038b {
		var out [aes.BlockSize]byte
		p.sum(&out, unhex(t, v.msg))
		if got := hex.EncodeToString(out[:]); got != v.mac {
			t.Errorf("example %d: %s, want %s", i+1, got, v.mac)
		}
		s.msg[i] = unhex(t, v.msg)
	}
	p.sums(s, len(sp80038b))
	for i, v := range sp80038b {
		if got := hex.EncodeToString(s.block[i][:]); got != v.mac {
			t.Errorf("example %d in a batch: %s, want %s", i+1, got, v.mac)
		}
	}
}

func TestBatchesOfTheKeyedFunction(t *testing.T) { withKernels(t, testBatches) }

func testBatches(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	p := newPRF([KeySize]byte{1})
	for _, n := range []int{0, 1, 2, 17, lanes - 1, lanes} {
		s := getScratch()
		msgs := make([][]byte, n)
		for i := range n {
			msgs[i] = make([]byte, rnd.IntN(70))
			for j := range msgs[i] {
				msgs[i][j] = byte(rnd.Uint32())
			}
			s.msg[i] = msgs[i]
		}
		p.sums(s, n)
		for i, msg := range msgs {
			var want [aes.BlockSize]byte
			p.sum(&want, msg)
			if s.block[i] != want {
				t.Fatalf("lane %d of %d, %d bytes: not the sum of the message alone", i, n, len(msg))
			}
			if s.msg[i] != nil {
				t.Fatalf("lane %d keeps its message", i)
			}
		}
		s.free()
	}
}

// A message that comes in pieces has the sum that it has as a whole.
func TestKeyedFunctionOfPieces(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	p := newPRF([KeySize]byte{1})
	for range 2000 {
		msg := make([]byte, rnd.IntN(100))
		for i := range msg {
			msg[i] = byte(rnd.Uint32())
		}
		var want [aes.BlockSize]byte
		p.sum(&want, msg)
		c := chained{prf: p}
		for rest := msg; len(rest) > 0; {
			n := rnd.IntN(min(len(rest), 40) + 1)
			c.add(rest[:n])
			rest = rest[n:]
		}
		if c.end() != want {
			t.Fatalf("%d bytes in pieces: not the sum of the message", len(msg))
		}
	}
}

func TestScratchForgets(t *testing.T) {
	s := new(scratch)
	s.text = append(s.text, "a value"...)
	whole := s.text[:cap(s.text)]
	s.msg[3] = []byte("another")
	s.free()
	if len(s.text) != 0 || bytes.ContainsAny(whole, "value") || s.msg[3] != nil {
		t.Error("freed scratch space still knows a value")
	}
}

// Each bit of the message flips each bit of the result half of the time.
func TestAvalanche(t *testing.T) {
	p := newPRF([KeySize]byte{2})
	const rounds = 64
	var a, b [aes.BlockSize]byte
	flipped := 0
	for round := range rounds {
		msg := bytes.Repeat([]byte{byte(round)}, 24)
		p.sum(&a, msg)
		for bit := range 24 * 8 {
			msg[bit/8] ^= 1 << (bit % 8)
			p.sum(&b, msg)
			msg[bit/8] ^= 1 << (bit % 8)
			for i := range a {
				flipped += bits.OnesCount8(a[i] ^ b[i])
			}
		}
	}
	// 64·192·128 fair coins: the mean is half, the standard deviation 627.
	mean := rounds * 192 * 64
	if off := flipped - mean; off > 5*627 || off < -5*627 {
		t.Errorf("%d bits flipped, about %d are due", flipped, mean)
	}
}
