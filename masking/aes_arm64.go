//go:build !purego

package masking

import (
	"crypto/aes"

	"golang.org/x/sys/cpu"
)

// kernels returns what this processor has, the best first. GODEBUG=cpu.aes=off
// takes it away, as golang.org/x/sys/cpu says.
func kernels() (all []kernel) {
	if cpu.ARM64.HasAES {
		all = append(all, armv8)
	}
	return all
}

func (kernel) encrypt(keys *roundKeys, blocks [][aes.BlockSize]byte) {
	if len(blocks) > 0 {
		encryptARMv8(keys, &blocks[0], len(blocks))
	}
}

// encryptARMv8 encrypts n blocks in place.
//
//go:noescape
func encryptARMv8(keys *roundKeys, blocks *[aes.BlockSize]byte, n int)
