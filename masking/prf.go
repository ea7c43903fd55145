package masking

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
)

// prf is the keyed function: AES-256-CMAC (NIST SP 800-38B, RFC 4493 with a
// 256-bit key). It is immutable and safe for concurrent use.
type prf struct {
	block  cipher.Block
	k1, k2 [aes.BlockSize]byte
}

func newPRF(key [KeySize]byte) *prf {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("masking: aes: " + err.Error()) // only for key sizes that are not ours
	}
	p := &prf{block: block}
	var l [aes.BlockSize]byte
	block.Encrypt(l[:], l[:])
	p.k1 = double(l)
	p.k2 = double(p.k1)
	return p
}

// double multiplies by x in GF(2¹²⁸), as SP 800-38B section 6.1 makes its sub-keys.
func double(b [aes.BlockSize]byte) (d [aes.BlockSize]byte) {
	hi, lo := binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])
	carry := hi >> 63
	binary.BigEndian.PutUint64(d[:8], hi<<1|lo>>63)
	binary.BigEndian.PutUint64(d[8:], lo<<1^carry*0x87)
	return d
}

// sum writes the 16-byte CMAC of msg to out. It allocates nothing as long as out
// and msg do not escape; callers that care keep both in scratch space of their own.
func (p *prf) sum(out *[aes.BlockSize]byte, msg []byte) {
	*out = [aes.BlockSize]byte{}
	for len(msg) > aes.BlockSize {
		xor(out, msg[:aes.BlockSize])
		p.block.Encrypt(out[:], out[:])
		msg = msg[aes.BlockSize:]
	}
	if len(msg) == aes.BlockSize {
		xor(out, msg)
		xor(out, p.k1[:])
	} else {
		for i, b := range msg {
			out[i] ^= b
		}
		out[len(msg)] ^= 0x80
		xor(out, p.k2[:])
	}
	p.block.Encrypt(out[:], out[:])
}

func xor(a *[aes.BlockSize]byte, b []byte) {
	_ = b[aes.BlockSize-1]
	binary.LittleEndian.PutUint64(a[:8], binary.LittleEndian.Uint64(a[:8])^binary.LittleEndian.Uint64(b[:8]))
	binary.LittleEndian.PutUint64(a[8:], binary.LittleEndian.Uint64(a[8:])^binary.LittleEndian.Uint64(b[8:]))
}
