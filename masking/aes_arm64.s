//go:build !purego

#include "textflag.h"

// AES-256 encryption of blocks that do not depend on each other, in place.
//
// AESE is AddRoundKey, SubBytes and ShiftRows, AESMC is MixColumns (Arm Architecture
// Reference Manual for A-profile, C7.2): so the keys shift by one against the
// rounds of FIPS 197, and the last key is added by itself. The two stand next to
// each other, since many cores run such a pair as one. No instruction here takes a
// time that depends on data.

// STEP is one round of one block.
#define STEP(key, block) \
	AESE  key.B16, block.B16; \
	AESMC block.B16, block.B16

// ROUND is one round of the eight blocks V0 to V7.
#define ROUND(key) \
	STEP(key, V0); \
	STEP(key, V1); \
	STEP(key, V2); \
	STEP(key, V3); \
	STEP(key, V4); \
	STEP(key, V5); \
	STEP(key, V6); \
	STEP(key, V7)

// LAST is the last round of one block, which has no MixColumns, and the last key.
#define LAST(block) \
	AESE V29.B16, block.B16; \
	VEOR V30.B16, block.B16, block.B16

// func encryptARMv8(keys *roundKeys, blocks *[16]byte, n int)
//
// The fifteen keys stay in V16 to V30.
TEXT ·encryptARMv8(SB), NOSPLIT, $0-24
	MOVD keys+0(FP), R0
	MOVD blocks+8(FP), R1
	MOVD n+16(FP), R2
	VLD1.P 64(R0), [V16.B16, V17.B16, V18.B16, V19.B16]
	VLD1.P 64(R0), [V20.B16, V21.B16, V22.B16, V23.B16]
	VLD1.P 64(R0), [V24.B16, V25.B16, V26.B16, V27.B16]
	VLD1   (R0), [V28.B16, V29.B16, V30.B16]
	SUBS $8, R2, R2
	BLT  few

eight:
	ADD  $64, R1, R3
	VLD1 (R1), [V0.B16, V1.B16, V2.B16, V3.B16]
	VLD1 (R3), [V4.B16, V5.B16, V6.B16, V7.B16]
	ROUND(V16)
	ROUND(V17)
	ROUND(V18)
	ROUND(V19)
	ROUND(V20)
	ROUND(V21)
	ROUND(V22)
	ROUND(V23)
	ROUND(V24)
	ROUND(V25)
	ROUND(V26)
	ROUND(V27)
	ROUND(V28)
	LAST(V0)
	LAST(V1)
	LAST(V2)
	LAST(V3)
	LAST(V4)
	LAST(V5)
	LAST(V6)
	LAST(V7)
	VST1.P [V0.B16, V1.B16, V2.B16, V3.B16], 64(R1)
	VST1.P [V4.B16, V5.B16, V6.B16, V7.B16], 64(R1)
	SUBS $8, R2, R2
	BGE  eight

few:
	ADDS $8, R2, R2
	BEQ  done

one:
	// One after the other as written; the processor runs ahead into the next.
	VLD1 (R1), [V0.B16]
	STEP(V16, V0)
	STEP(V17, V0)
	STEP(V18, V0)
	STEP(V19, V0)
	STEP(V20, V0)
	STEP(V21, V0)
	STEP(V22, V0)
	STEP(V23, V0)
	STEP(V24, V0)
	STEP(V25, V0)
	STEP(V26, V0)
	STEP(V27, V0)
	STEP(V28, V0)
	LAST(V0)
	VST1.P [V0.B16], 16(R1)
	SUBS $1, R2, R2
	BNE  one

done:
	RET
