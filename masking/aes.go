package masking

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/fips140"
	"encoding/binary"
	"math/bits"
)

// aes256 is AES-256 (FIPS 197) under one key, for many blocks that do not depend
// on each other. It is a cipher.Block too. It is immutable and safe for concurrent use.
//
// The work is crypto/aes's: one block at a time, through an interface and its
// checks. Where the processor has instructions for AES, a kernel encrypts the same
// blocks several at a time instead. Its output is that of crypto/aes bit by bit,
// and the tests hold the two against each other.
type aes256 struct {
	portable cipher.Block
	keys     roundKeys
}

// roundKeys is the key schedule as the kernels read it: 15 keys of 16 bytes, in the byte order of FIPS 197.
type roundKeys [15][aes.BlockSize]byte

// kernel is a way to encrypt blocks.
type kernel uint8

const (
	portable kernel = iota // crypto/aes
	aesNI                  // amd64, AESENC: 8 blocks in flight
	vaes                   // amd64, VAESENC on 512 bits: 32 blocks in flight
	armv8                  // arm64, AESE and AESMC: 8 blocks in flight
)

func (k kernel) String() string {
	return [...]string{portable: "crypto/aes", aesNI: "AES-NI", vaes: "AVX-512 VAES", armv8: "ARMv8 AES"}[k]
}

// aesKernel is the way that all of the package goes: the best that the processor
// has. It is set once, before anybody reads it; tests set it to go each way.
//
// Under GODEBUG=fips140=on it stays crypto/aes, which is the validated module's.
var aesKernel = bestKernel()

func bestKernel() kernel {
	if all := kernels(); len(all) > 0 && !fips140.Enabled() {
		return all[0]
	}
	return portable
}

// newBlock returns AES-256 under key.
func newBlock(key [KeySize]byte) *aes256 {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("masking: aes: " + err.Error()) // only for key sizes that are not ours
	}
	return &aes256{portable: block, keys: expandKey(key)}
}

// encrypt encrypts each block for itself.
func encrypt(c *aes256, blocks [][aes.BlockSize]byte) {
	if aesKernel != portable {
		aesKernel.encrypt(&c.keys, blocks)
		return
	}
	for i := range blocks {
		b := blocks[i][:]
		c.portable.Encrypt(b, b)
	}
}

// BlockSize returns 16.
func (c *aes256) BlockSize() int { return aes.BlockSize }

// Encrypt encrypts one block of src to dst, as cipher.Block says. Whoever has more
// than one calls encrypt.
func (c *aes256) Encrypt(dst, src []byte) { c.portable.Encrypt(dst, src) }

// Decrypt is the inverse of Encrypt.
func (c *aes256) Decrypt(dst, src []byte) { c.portable.Decrypt(dst, src) }

// expandKey is the key schedule of FIPS 197, section 5.2, for 256 bits. It is
// written in Go since it runs once for a binding: ten microseconds, and nobody
// waits. It reads no table at a place that the key tells, and has no branch that
// the key takes: what shares the processor learns nothing from its caches.
func expandKey(key [KeySize]byte) (keys roundKeys) {
	const nk = KeySize / 4
	var w [4 * len(keys)]uint32
	for i := range nk {
		w[i] = binary.BigEndian.Uint32(key[4*i:])
	}
	rcon := uint32(1) << 24
	for i := nk; i < len(w); i++ {
		t := w[i-1]
		switch i % nk {
		case 0:
			t = subWord(bits.RotateLeft32(t, 8)) ^ rcon
			rcon <<= 1 // seven of them: none leaves the byte
		case 4:
			t = subWord(t)
		}
		w[i] = w[i-nk] ^ t
	}
	for i, word := range w {
		binary.BigEndian.PutUint32(keys[i/4][i%4*4:], word)
	}
	return keys
}

func subWord(w uint32) uint32 {
	return uint32(subByte(byte(w>>24)))<<24 | uint32(subByte(byte(w>>16)))<<16 |
		uint32(subByte(byte(w>>8)))<<8 | uint32(subByte(byte(w)))
}

// subByte is the S-box of FIPS 197, section 5.1.1, as it is defined: the inverse in
// GF(2⁸), which is the 254th power, and an affine map.
func subByte(b byte) byte {
	power, inverse := b, byte(1)
	for range 7 { // 254 is 2 + 4 + … + 128
		power = times(power, power)
		inverse = times(inverse, power)
	}
	s := inverse
	for n := 1; n <= 4; n++ {
		s ^= bits.RotateLeft8(inverse, n)
	}
	return s ^ 0x63
}

// times multiplies in GF(2⁸) modulo x⁸ + x⁴ + x³ + x + 1.
func times(a, b byte) (product byte) {
	for range 8 {
		product ^= a & -(b & 1)
		a = a<<1 ^ 0x1b&-(a>>7)
		b >>= 1
	}
	return product
}
