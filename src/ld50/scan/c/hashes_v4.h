/* Hashes 8 tokens at a time, where the CPU multiplies 8 numbers of 64 bits at once. */
#ifndef LD50_HASHES_V4_H
#define LD50_HASHES_V4_H

#include "hashes.h"

#if defined(__AVX512VBMI2__) && defined(__AVX512DQ__)
#define LD50_EIGHT 1

typedef struct {
    __m512i folded, cases; /* as in TokenHash */
    __m128i bytes;         /* the first byte of each, in the lower half */
    __mmask8 digit, large; /* it has a digit; it is larger than 16 bytes, and the rest does not hold */
} EightHashes;

/* Four tokens of at most 16 bytes. */
typedef struct {
    __m512i bytes, folded;
    __mmask64 cases, digits; /* of the bytes */
} FourTokens;

static inline __m128i load_16(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static inline __m512i load_four(const uint8_t *a, const uint8_t *b, const uint8_t *c, const uint8_t *d)
{
    __m512i four = _mm512_castsi128_si512(load_16(a));
    four = _mm512_mask_broadcast_i64x2(four, 0x0C, load_16(b));
    four = _mm512_mask_broadcast_i64x2(four, 0x30, load_16(c));
    return _mm512_mask_broadcast_i64x2(four, 0xC0, load_16(d));
}

/* As fold_unit. `sizes`: that of its token at each byte. */
static inline FourTokens fold_four(__m512i bytes, __m512i sizes)
{
    const __m512i place = _mm512_broadcast_i32x4(
        _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    const __m512i bit = _mm512_set1_epi8(0x20);
    __mmask64 inside = _mm512_cmplt_epu8_mask(place, sizes);
    __m512i shifted = _mm512_srli_epi16(bytes, 2);
    FourTokens four;
    four.bytes = bytes;
    /* bytes | (~shifted & bit) */
    four.folded = _mm512_maskz_mov_epi8(inside, _mm512_ternarylogic_epi64(bytes, shifted, bit, 0xF2));
    four.cases = _mm512_mask_test_epi8_mask(inside, _mm512_xor_si512(four.folded, bytes), bit);
    /* From 0x01 to 0x3F; zeros become 0xFF. */
    four.digits =
        _mm512_cmplt_epu8_mask(_mm512_sub_epi8(four.folded, _mm512_set1_epi8(1)), _mm512_set1_epi8(0x3F));
    return four;
}

static inline __m512i mix_eight(__m512i value)
{
    value = _mm512_xor_si512(value, _mm512_srli_epi64(value, 32));
    value = _mm512_mullo_epi64(value, _mm512_set1_epi64((int64_t)HASH_M3));
    return _mm512_xor_si512(value, _mm512_srli_epi64(value, 29));
}

/* 16 bits for each of 8 tokens, in their order, from those with even and odd places. */
static inline __m128i bits_by_token(__mmask64 even, __mmask64 odd)
{
    __m128i e = _mm_cvtsi64_si128((int64_t)even), o = _mm_cvtsi64_si128((int64_t)odd);
    return _mm_unpacklo_epi16(e, o);
}

/* Hashes the tokens that start at 8 places, from each of which 16 bytes may be read. */
static inline EightHashes hash_eight(const uint8_t *row, __m256i starts, __m256i sizes)
{
    /* At each byte where the size of its token is, of those with even numbers. */
    const __m512i evens = _mm512_set_epi64(0x1818181818181818, 0x1818181818181818, 0x1010101010101010,
                                           0x1010101010101010, 0x0808080808080808, 0x0808080808080808, 0, 0);
    const __m512i odds = _mm512_or_si512(evens, _mm512_set1_epi8(4));
    const __m512i wide = _mm512_castsi256_si512(sizes);
    uint32_t at[8];
    _mm256_storeu_si256((__m256i *)(void *)at, starts);
    __m512i bytes = load_four(row + at[0], row + at[2], row + at[4], row + at[6]);
    FourTokens even = fold_four(bytes, _mm512_permutexvar_epi8(evens, wide));
    bytes = load_four(row + at[1], row + at[3], row + at[5], row + at[7]);
    FourTokens odd = fold_four(bytes, _mm512_permutexvar_epi8(odds, wide));
    __m512i first = _mm512_unpacklo_epi64(even.folded, odd.folded);
    __m512i second = _mm512_unpackhi_epi64(even.folded, odd.folded);
    __m128i digits = bits_by_token(even.digits, odd.digits);
    first = _mm512_xor_si512(first, _mm512_set1_epi64((int64_t)HASH_SEED));
    first = _mm512_mullo_epi64(first, _mm512_set1_epi64((int64_t)HASH_M1));
    second = _mm512_mullo_epi64(second, _mm512_set1_epi64((int64_t)HASH_M2));
    EightHashes hashes;
    hashes.folded = mix_eight(_mm512_xor_si512(first, _mm512_rol_epi64(second, 32)));
    hashes.cases = _mm512_cvtepu16_epi64(bits_by_token(even.cases, odd.cases));
    hashes.bytes = _mm512_cvtepi64_epi8(_mm512_unpacklo_epi64(even.bytes, odd.bytes));
    hashes.digit = _mm_test_epi16_mask(digits, digits);
    hashes.large = _mm256_cmpgt_epu32_mask(sizes, _mm256_set1_epi32(16));
    return hashes;
}

#endif
#endif
