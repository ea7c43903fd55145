//go:build purego || !(amd64 || arm64)

package masking

import "crypto/aes"

// kernels returns none: this is the portable build.
func kernels() []kernel { return nil }

func (kernel) encrypt(*roundKeys, [][aes.BlockSize]byte) {
	panic("masking: aes: a kernel that there is not")
}
