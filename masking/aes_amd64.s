//go:build !purego

#include "textflag.h"

// AES-256 encryption of blocks that do not depend on each other, in place.
//
// One AESENC is one round of FIPS 197: ShiftRows, SubBytes, MixColumns and
// AddRoundKey; AESENCLAST leaves MixColumns out (Gueron, "Intel Advanced Encryption
// Standard (AES) New Instructions Set", 2010). Its result is there some cycles
// after, while one or two more may begin in every cycle: hence several blocks side
// by side. No instruction here takes a time that depends on data.

// ROUND is one round of the eight blocks X0 to X7, by the key at this offset.
#define ROUND(offset) \
	MOVUPS offset(AX), X8; \
	AESENC X8, X0; \
	AESENC X8, X1; \
	AESENC X8, X2; \
	AESENC X8, X3; \
	AESENC X8, X4; \
	AESENC X8, X5; \
	AESENC X8, X6; \
	AESENC X8, X7

// ONE is one round of the block X0.
#define ONE(offset) \
	MOVUPS offset(AX), X8; \
	AESENC X8, X0

// func encryptNI(keys *roundKeys, blocks *[16]byte, n int)
TEXT ·encryptNI(SB), NOSPLIT, $0-24
	MOVQ keys+0(FP), AX
	MOVQ blocks+8(FP), BX
	MOVQ n+16(FP), CX
	SUBQ $8, CX
	JLT  few

eight:
	MOVUPS 0(AX), X8
	MOVUPS 0(BX), X0
	MOVUPS 16(BX), X1
	MOVUPS 32(BX), X2
	MOVUPS 48(BX), X3
	MOVUPS 64(BX), X4
	MOVUPS 80(BX), X5
	MOVUPS 96(BX), X6
	MOVUPS 112(BX), X7
	PXOR X8, X0
	PXOR X8, X1
	PXOR X8, X2
	PXOR X8, X3
	PXOR X8, X4
	PXOR X8, X5
	PXOR X8, X6
	PXOR X8, X7
	ROUND(16)
	ROUND(32)
	ROUND(48)
	ROUND(64)
	ROUND(80)
	ROUND(96)
	ROUND(112)
	ROUND(128)
	ROUND(144)
	ROUND(160)
	ROUND(176)
	ROUND(192)
	ROUND(208)
	MOVUPS 224(AX), X8
	AESENCLAST X8, X0
	AESENCLAST X8, X1
	AESENCLAST X8, X2
	AESENCLAST X8, X3
	AESENCLAST X8, X4
	AESENCLAST X8, X5
	AESENCLAST X8, X6
	AESENCLAST X8, X7
	MOVUPS X0, 0(BX)
	MOVUPS X1, 16(BX)
	MOVUPS X2, 32(BX)
	MOVUPS X3, 48(BX)
	MOVUPS X4, 64(BX)
	MOVUPS X5, 80(BX)
	MOVUPS X6, 96(BX)
	MOVUPS X7, 112(BX)
	ADDQ $128, BX
	SUBQ $8, CX
	JGE  eight

few:
	ADDQ $8, CX
	JZ   done

one:
	// One after the other as written; the processor runs ahead into the next.
	MOVUPS 0(AX), X8
	MOVUPS 0(BX), X0
	PXOR X8, X0
	ONE(16)
	ONE(32)
	ONE(48)
	ONE(64)
	ONE(80)
	ONE(96)
	ONE(112)
	ONE(128)
	ONE(144)
	ONE(160)
	ONE(176)
	ONE(192)
	ONE(208)
	MOVUPS 224(AX), X8
	AESENCLAST X8, X0
	MOVUPS X0, 0(BX)
	ADDQ $16, BX
	DECQ CX
	JNZ  one

done:
	RET

// WIDE is one round of the 32 blocks in Z0 to Z7.
#define WIDE(key) \
	VAESENC key, Z0, Z0; \
	VAESENC key, Z1, Z1; \
	VAESENC key, Z2, Z2; \
	VAESENC key, Z3, Z3; \
	VAESENC key, Z4, Z4; \
	VAESENC key, Z5, Z5; \
	VAESENC key, Z6, Z6; \
	VAESENC key, Z7, Z7

// func encryptVAES(keys *roundKeys, blocks *[16]byte, n int)
//
// A register holds four blocks, and the fifteen keys, four times each, stay in
// Z16 to Z30.
TEXT ·encryptVAES(SB), NOSPLIT, $0-24
	MOVQ keys+0(FP), AX
	MOVQ blocks+8(FP), BX
	MOVQ n+16(FP), CX
	VBROADCASTI32X4 0(AX), Z16
	VBROADCASTI32X4 16(AX), Z17
	VBROADCASTI32X4 32(AX), Z18
	VBROADCASTI32X4 48(AX), Z19
	VBROADCASTI32X4 64(AX), Z20
	VBROADCASTI32X4 80(AX), Z21
	VBROADCASTI32X4 96(AX), Z22
	VBROADCASTI32X4 112(AX), Z23
	VBROADCASTI32X4 128(AX), Z24
	VBROADCASTI32X4 144(AX), Z25
	VBROADCASTI32X4 160(AX), Z26
	VBROADCASTI32X4 176(AX), Z27
	VBROADCASTI32X4 192(AX), Z28
	VBROADCASTI32X4 208(AX), Z29
	VBROADCASTI32X4 224(AX), Z30
	SUBQ $32, CX
	JLT  few

many:
	VPXORQ 0(BX), Z16, Z0
	VPXORQ 64(BX), Z16, Z1
	VPXORQ 128(BX), Z16, Z2
	VPXORQ 192(BX), Z16, Z3
	VPXORQ 256(BX), Z16, Z4
	VPXORQ 320(BX), Z16, Z5
	VPXORQ 384(BX), Z16, Z6
	VPXORQ 448(BX), Z16, Z7
	WIDE(Z17)
	WIDE(Z18)
	WIDE(Z19)
	WIDE(Z20)
	WIDE(Z21)
	WIDE(Z22)
	WIDE(Z23)
	WIDE(Z24)
	WIDE(Z25)
	WIDE(Z26)
	WIDE(Z27)
	WIDE(Z28)
	WIDE(Z29)
	VAESENCLAST Z30, Z0, Z0
	VAESENCLAST Z30, Z1, Z1
	VAESENCLAST Z30, Z2, Z2
	VAESENCLAST Z30, Z3, Z3
	VAESENCLAST Z30, Z4, Z4
	VAESENCLAST Z30, Z5, Z5
	VAESENCLAST Z30, Z6, Z6
	VAESENCLAST Z30, Z7, Z7
	VMOVDQU64 Z0, 0(BX)
	VMOVDQU64 Z1, 64(BX)
	VMOVDQU64 Z2, 128(BX)
	VMOVDQU64 Z3, 192(BX)
	VMOVDQU64 Z4, 256(BX)
	VMOVDQU64 Z5, 320(BX)
	VMOVDQU64 Z6, 384(BX)
	VMOVDQU64 Z7, 448(BX)
	ADDQ $512, BX
	SUBQ $32, CX
	JGE  many

few:
	ADDQ $32, CX
	JZ   done

four:
	VPXORQ 0(BX), Z16, Z0
	VAESENC Z17, Z0, Z0
	VAESENC Z18, Z0, Z0
	VAESENC Z19, Z0, Z0
	VAESENC Z20, Z0, Z0
	VAESENC Z21, Z0, Z0
	VAESENC Z22, Z0, Z0
	VAESENC Z23, Z0, Z0
	VAESENC Z24, Z0, Z0
	VAESENC Z25, Z0, Z0
	VAESENC Z26, Z0, Z0
	VAESENC Z27, Z0, Z0
	VAESENC Z28, Z0, Z0
	VAESENC Z29, Z0, Z0
	VAESENCLAST Z30, Z0, Z0
	VMOVDQU64 Z0, 0(BX)
	ADDQ $64, BX
	SUBQ $4, CX
	JNZ  four

done:
	VZEROUPPER
	RET
