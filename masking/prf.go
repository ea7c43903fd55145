package masking

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"sync"

	"golang.org/x/text/unicode/norm"
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
	p.last(out, msg)
	p.block.Encrypt(out[:], out[:])
}

// last adds the last block of a message, whole or padded, to the state.
func (p *prf) last(state *[aes.BlockSize]byte, msg []byte) {
	if len(msg) == aes.BlockSize {
		xor(state, msg)
		xor(state, p.k1[:])
		return
	}
	var padded [aes.BlockSize]byte
	copy(padded[:], msg)
	padded[len(msg)] = 0x80
	xor(state, padded[:])
	xor(state, p.k2[:])
}

func xor(a *[aes.BlockSize]byte, b []byte) {
	_ = b[aes.BlockSize-1]
	binary.LittleEndian.PutUint64(a[:8], binary.LittleEndian.Uint64(a[:8])^binary.LittleEndian.Uint64(b[:8]))
	binary.LittleEndian.PutUint64(a[8:], binary.LittleEndian.Uint64(a[8:])^binary.LittleEndian.Uint64(b[8:]))
}

// lanes is how many values are masked side by side. AES-256 takes 14 dependent
// rounds, so one value at a time waits for each round (16 ns a block, measured);
// independent blocks in a tight loop overlap inside the processor (5.6 ns). CBC
// decryption, whose blocks are independent too, was measured at 8.4 ns, since
// its second pass costs more than the interface calls that it saves. 256 lanes
// of scratch space fit the first-level cache.
const lanes = 256

// scratch is the working space of one batch of lanes. It holds nothing between
// calls that anybody reads: the results depend on what was written to it before.
type scratch struct {
	block [lanes][aes.BlockSize]byte // a keyed function's results, a Feistel round's blocks
	msg   [lanes][]byte              // messages of the keyed function
	row   [lanes]int32               // which row of the batch a lane belongs to

	// A Feistel network's halves, their moduli, and the tweak of each lane.
	l, r, a, b, tweak [lanes]uint64
	which             [lanes]uint8 // the caller's note on a lane, moved along with it

	long [lanes]uint8
	word [lanes][8]byte // space for integers as messages
	text []byte         // space for normalised messages, to append to
	iter norm.Iter      // of their decomposition; norm.Append would allocate one
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

func getScratch() *scratch { return scratches.Get().(*scratch) }

// free gives the space back, without what it knew of values.
func (s *scratch) free() {
	clear(s.msg[:])
	clear(s.text)
	s.text = s.text[:0]
	if cap(s.text) > 1<<20 {
		s.text = nil
	}
	scratches.Put(s)
}

// sums computes the CMAC of s.msg[:n] into s.block[:n], and forgets the messages.
func (p *prf) sums(s *scratch, n int) {
	long := s.long[:0]
	for i, msg := range s.msg[:n] {
		b := &s.block[i]
		*b = [aes.BlockSize]byte{}
		if len(msg) > aes.BlockSize {
			copy(b[:], msg)
			s.msg[i] = msg[aes.BlockSize:]
			long = append(long, uint8(i))
			continue
		}
		p.last(b, msg)
		s.msg[i] = nil
	}
	encrypt(p.block, s.block[:n])
	for len(long) > 0 {
		for _, i := range long {
			msg, b := s.msg[i], &s.block[i]
			if len(msg) > aes.BlockSize {
				xor(b, msg[:aes.BlockSize])
				s.msg[i] = msg[aes.BlockSize:]
				continue
			}
			p.last(b, msg)
			s.msg[i] = nil
		}
		// The blocks are written first and encrypted after: a load of 16 bytes
		// right behind two stores of 8 stalls the processor.
		for _, i := range long {
			p.block.Encrypt(s.block[i][:], s.block[i][:])
		}
		open := long[:0]
		for _, i := range long {
			if s.msg[i] != nil {
				open = append(open, i)
			}
		}
		long = open
	}
}

// encrypt encrypts each block for itself.
func encrypt(c cipher.Block, blocks [][aes.BlockSize]byte) {
	for i := range blocks {
		b := blocks[i][:]
		c.Encrypt(b, b)
	}
}
