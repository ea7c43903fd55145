//go:build !purego

package masking

import (
	"crypto/aes"

	"golang.org/x/sys/cpu"
)

// kernels returns what this processor has, the best first. GODEBUG=cpu.aes=off and
// cpu.avx512vaes=off take them away, as golang.org/x/sys/cpu says.
func kernels() (all []kernel) {
	// The flags of AVX-512 are set only where the system keeps the wide registers.
	if cpu.X86.HasAES && cpu.X86.HasAVX512F && cpu.X86.HasAVX512VAES {
		all = append(all, vaes)
	}
	if cpu.X86.HasAES {
		all = append(all, aesNI)
	}
	return all
}

func (k kernel) encrypt(keys *roundKeys, blocks [][aes.BlockSize]byte) {
	if k == vaes {
		if wide := len(blocks) &^ 3; wide > 0 {
			encryptVAES(keys, &blocks[0], wide)
			blocks = blocks[wide:]
		}
	}
	if len(blocks) > 0 {
		encryptNI(keys, &blocks[0], len(blocks))
	}
}

// encryptNI encrypts n blocks in place.
//
//go:noescape
func encryptNI(keys *roundKeys, blocks *[aes.BlockSize]byte, n int)

// encryptVAES encrypts n blocks in place; n is a multiple of 4.
//
//go:noescape
func encryptVAES(keys *roundKeys, blocks *[aes.BlockSize]byte, n int)
