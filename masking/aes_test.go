package masking

import (
	"bytes"
	"crypto/aes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// withKernels runs a test on crypto/aes and on every kernel that this processor has.
func withKernels(t *testing.T, test func(*testing.T)) {
	best := aesKernel
	defer func() { aesKernel = best }()
	for _, k := range append(kernels(), portable) {
		aesKernel = k
		t.Run(k.String(), test)
	}
}

func TestBestKernelIsUsed(t *testing.T) {
	t.Logf("kernels: %v; in use: %v", kernels(), aesKernel)
	if all := kernels(); len(all) > 0 && aesKernel != all[0] || len(all) == 0 && aesKernel != portable {
		t.Errorf("%v is in use, of %v", aesKernel, all)
	}
}

// FIPS 197, appendix A.3: the key schedule's last round; appendix C.3: a block.
func TestAESVectors(t *testing.T) {
	keys := expandKey([KeySize]byte(unhex(t, sp80038bKey)))
	if got := hex.EncodeToString(keys[14][:]); got != "fe4890d1e6188d0b046df344706c631e" {
		t.Errorf("the last round key is %s", got)
	}
	if got := subByte(0x53); got != 0xed {
		t.Errorf("the S-box gives %#x for 0x53", got)
	}
	withKernels(t, func(t *testing.T) {
		c := newBlock([KeySize]byte(unhex(t, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")))
		var blocks [lanes][aes.BlockSize]byte
		for i := range blocks {
			blocks[i] = [aes.BlockSize]byte(unhex(t, "00112233445566778899aabbccddeeff"))
		}
		encrypt(c, blocks[:])
		for i := range blocks {
			if got := hex.EncodeToString(blocks[i][:]); got != "8ea2b7ca516745bfeafc49904b496089" {
				t.Fatalf("lane %d: %s", i, got)
			}
		}
	})
}

// Every kernel is crypto/aes, whatever the number of blocks, and touches no block
// before or behind.
func TestAESKernelsAgree(t *testing.T) {
	withKernels(t, func(t *testing.T) {
		rnd := rand.NewChaCha8([32]byte{1})
		for n := range lanes + 1 {
			var key [KeySize]byte
			rnd.Read(key[:])
			compareAES(t, key, n, rnd)
		}
	})
}

// compareAES encrypts n blocks amid others by the kernel and by crypto/aes.
func compareAES(t *testing.T, key [KeySize]byte, n int, rnd *rand.ChaCha8) {
	t.Helper()
	const guard = 3
	blocks := make([][aes.BlockSize]byte, guard+n+guard)
	for i := range blocks {
		rnd.Read(blocks[i][:])
	}
	want := slices.Clone(blocks)
	oracle, err := aes.NewCipher(key[:])
	if err != nil {
		t.Fatal(err)
	}
	for i := range want[guard : guard+n] {
		b := want[guard+i][:]
		oracle.Encrypt(b, b)
	}
	encrypt(newBlock(key), blocks[guard:guard+n])
	for i := range blocks {
		if blocks[i] != want[i] {
			t.Fatalf("%d blocks: block %d is not what crypto/aes makes of it", n, i-guard)
		}
	}
}

// FuzzAES holds every kernel against crypto/aes: key and blocks are the input's bytes.
func FuzzAES(f *testing.F) {
	f.Add([]byte{})
	f.Add(make([]byte, KeySize+aes.BlockSize))
	f.Add(bytes.Repeat([]byte{0xff}, KeySize+37*aes.BlockSize))
	f.Add([]byte("a key of thirty-two bytes, as is and a text of some blocks behind"))
	f.Fuzz(func(t *testing.T, in []byte) {
		var key [KeySize]byte
		in = in[copy(key[:], in):]
		blocks := make([][aes.BlockSize]byte, len(in)/aes.BlockSize)
		for i := range blocks {
			blocks[i] = [aes.BlockSize]byte(in[i*aes.BlockSize:])
		}
		c := newBlock(key)
		want := slices.Clone(blocks)
		for i := range want {
			c.portable.Encrypt(want[i][:], want[i][:])
		}
		for _, k := range kernels() {
			got := slices.Clone(blocks)
			k.encrypt(&c.keys, got)
			if !slices.Equal(got, want) {
				t.Fatalf("%v is not crypto/aes", k)
			}
		}
	})
}

// The examples of RFC 4493, section 4, are of AES-128. They prove the mode, around
// crypto/aes; those of SP 800-38B prove it around AES-256, by each kernel.
func TestModeIsThatOfRFC4493(t *testing.T) {
	best := aesKernel
	defer func() { aesKernel = best }()
	aesKernel = portable
	block, err := aes.NewCipher(unhex(t, "2b7e151628aed2a6abf7158809cf4f3c"))
	if err != nil {
		t.Fatal(err)
	}
	p := newCMAC(&aes256{portable: block})
	if got := hex.EncodeToString(p.k1[:]); got != "fbeed618357133667c85e08f7236a8de" {
		t.Errorf("K1 is %s", got)
	}
	if got := hex.EncodeToString(p.k2[:]); got != "f7ddac306ae266ccf90bc11ee46d513b" {
		t.Errorf("K2 is %s", got)
	}
	macs := []string{
		"bb1d6929e95937287fa37d129b756746", "070a16b46b4d4144f79bdd9dd04a287c",
		"dfa66747de9ae63030ca32611497c827", "51f0bebf7e3b9d92fc49741779363cfe",
	}
	s := getScratch()
	defer s.free()
	for i, v := range sp80038b { // the same messages
		s.msg[i] = unhex(t, v.msg)
	}
	p.sums(s, len(macs))
	for i, mac := range macs {
		var alone [aes.BlockSize]byte
		p.sum(&alone, unhex(t, sp80038b[i].msg))
		if got := hex.EncodeToString(s.block[i][:]); got != mac || alone != s.block[i] {
			t.Errorf("example %d: %s, want %s; alone %x", i+1, got, mac, alone)
		}
	}
}

// Each kernel masks every case of the laws as crypto/aes does, and gives every vector.
func TestKernelsMaskAlike(t *testing.T) {
	want := map[string][]any{}
	run := func(t *testing.T) {
		for _, c := range lawCases {
			values, subjects := c.take(0, 2*lanes+37)
			got := c.mask(t, c.bind(t, fixedKey(t), "d"), true, values, subjects)
			if want[c.name] == nil {
				want[c.name] = got
			} else if !slices.Equal(want[c.name], got) {
				t.Errorf("%s: another output", c.name)
			}
		}
		t.Run("vectors", TestVectors)
	}
	withKernels(t, run)
}

func BenchmarkAES(b *testing.B) {
	c := newBlock([KeySize]byte{1})
	var blocks [lanes][aes.BlockSize]byte
	best := aesKernel
	defer func() { aesKernel = best }()
	for _, k := range append(kernels(), portable) {
		aesKernel = k
		for _, n := range []int{1, 8, lanes} {
			b.Run(fmt.Sprintf("%v/blocks=%d", k, n), func(b *testing.B) {
				b.SetBytes(aes.BlockSize)
				for i := 0; i < b.N; i += n {
					encrypt(c, blocks[:n])
				}
			})
		}
	}
}
