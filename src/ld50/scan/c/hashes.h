/* Hashes of tokens, n-grams and bytes. kernels_py_tokens.py says the same in words. */
#ifndef LD50_HASHES_H
#define LD50_HASHES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) || defined(_M_X64)
#define LD50_SSE2 1
#include <immintrin.h>
#endif

#define HASH_SEED 0x243F6A8885A308D3u
#define HASH_M1 0x9E3779B97F4A7C15u
#define HASH_M2 0xD6E8FEB86659FD93u
#define HASH_M3 0xBF58476D1CE4E5B9u
#define HASH_M4 0x94D049BB133111EBu
#define HASH_M5 0xFF51AFD7ED558CCDu
#define HASH_STEP 0xC2B2AE3D27D4EB4Fu

/* A choice that compilers do not turn into a branch. */
static inline uint32_t choose(int yes, uint32_t then, uint32_t otherwise)
{
    uint32_t mask = 0u - (uint32_t)(yes != 0);
    return (then & mask) | (otherwise & ~mask);
}

static inline void prefetch(const void *p)
{
#if defined(__GNUC__)
    __builtin_prefetch(p);
#else
    (void)p;
#endif
}

static inline uint64_t rotate(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

static inline uint64_t mix(uint64_t value)
{
    value ^= value >> 32;
    value *= HASH_M3;
    return value ^ value >> 29;
}

static inline uint64_t load64(const uint8_t *p)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--)
        value = value << 8 | p[i];
    return value;
#else
    uint64_t value;
    memcpy(&value, p, 8);
    return value;
#endif
}

typedef struct {
    uint64_t folded; /* without ASCII case */
    uint64_t cases;  /* which bytes were folded; 0: none */
    int digit;       /* of a word: it has an ASCII digit */
} TokenHash;

/* The hash with case. */
static inline uint64_t exact_hash(const TokenHash *hash)
{
    return hash->folded + hash->cases * HASH_M5;
}

#define BYTES(byte) (0x0101010101010101u * (byte))

/* 16 bytes of a token, those beyond its end zero. ASCII bytes get the bit that makes letters small;
   digits have it already, and for punctuation the case bits keep `[` apart from `{`. */
typedef struct {
    uint64_t first, second; /* folded */
    unsigned cases;         /* one bit a byte: it was folded */
    int digit;
} Unit;

/* Bytes of all ones, then of zeros: a mask of the first n of 16 bytes is 16 - n from the start. */
extern const uint8_t ld50_inside[32];

#ifdef LD50_SSE2
static inline Unit fold_unit(const uint8_t *p, size_t size)
{
    __m128i inside = _mm_loadu_si128((const __m128i *)(const void *)(ld50_inside + 16 - size));
    __m128i bytes = _mm_and_si128(_mm_loadu_si128((const __m128i *)(const void *)p), inside);
    __m128i bit = _mm_and_si128(_mm_set1_epi8(0x20), inside);
    __m128i folded = _mm_or_si128(bytes, _mm_andnot_si128(_mm_srli_epi16(bytes, 2), bit));
    __m128i changed = _mm_slli_epi16(_mm_xor_si128(folded, bytes), 2);
    /* Printed characters below 0x40 are digits where a word is; bytes beyond ASCII are negative. */
    __m128i digit =
        _mm_and_si128(_mm_cmpgt_epi8(folded, _mm_setzero_si128()), _mm_cmplt_epi8(folded, _mm_set1_epi8(0x40)));
    Unit unit;
    unit.first = (uint64_t)_mm_cvtsi128_si64(folded);
    unit.second = (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(folded, folded));
    unit.cases = (unsigned)_mm_movemask_epi8(changed);
    unit.digit = _mm_movemask_epi8(digit) != 0;
    return unit;
}
#else
static inline uint64_t fold_word(uint64_t word, uint64_t inside)
{
    return (word | (~(word >> 2) & BYTES(0x20u))) & inside;
}

/* Bit 5 of each byte, the lowest byte first. */
static inline unsigned case_bits(uint64_t changed)
{
    return (unsigned)((changed >> 5 & BYTES(1u)) * 0x0102040810204080u >> 56);
}

static inline uint64_t digit_bits(uint64_t folded)
{
    return folded << 1 & ~folded & ~(folded >> 1) & BYTES(0x40u);
}

static inline Unit fold_unit(const uint8_t *p, size_t size)
{
    uint64_t inside_first = load64(ld50_inside + 16 - size), inside_second = load64(ld50_inside + 24 - size);
    uint64_t first = load64(p) & inside_first, second = load64(p + 8) & inside_second;
    Unit unit;
    unit.first = fold_word(first, inside_first);
    unit.second = fold_word(second, inside_second);
    unit.cases = case_bits(unit.first ^ first) | case_bits(unit.second ^ second) << 8;
    unit.digit = (digit_bits(unit.first) | digit_bits(unit.second)) != 0;
    return unit;
}
#endif

static inline void hash_unit(TokenHash *hash, Unit unit)
{
    hash->folded = mix(((unit.first ^ hash->folded) * HASH_M1) ^ rotate(unit.second * HASH_M2, 32));
    hash->cases = hash->cases * HASH_M4 + unit.cases;
    hash->digit |= unit.digit;
}

static inline TokenHash hash_long_token(const uint8_t *token, size_t size)
{
    TokenHash hash = {HASH_SEED, 0, 0};
    for (size_t at = 0; at < size; at += 16) {
        uint8_t room[16] = {0};
        size_t taken = size - at < 16 ? size - at : 16;
        memcpy(room, token + at, taken);
        hash_unit(&hash, fold_unit(room, taken));
    }
    return hash;
}

/* Hashes a token of `size` > 0 bytes; bytes up to `readable` may be read, none beyond it. */
static inline TokenHash hash_token(const uint8_t *token, size_t size, const uint8_t *readable)
{
    if (size > 16 || (size_t)(readable - token) < 16)
        return hash_long_token(token, size);
    TokenHash hash = {HASH_SEED, 0, 0};
    hash_unit(&hash, fold_unit(token, size));
    return hash;
}

/* The state of a hash over bytes: four lanes, 32 bytes at a time. */
typedef struct {
    uint64_t lanes[4];
    uint64_t size;
} BytesHash;

static inline BytesHash bytes_hash_start(void)
{
    BytesHash hash = {{HASH_SEED, HASH_SEED ^ HASH_M1, HASH_SEED ^ HASH_M2, HASH_SEED ^ HASH_M3}, 0};
    return hash;
}

/* One lane is one general register: compilers would put the four into one vector, but AVX2 has no
   multiplication of 64 bits, and what stands for it takes three times as long. */
static inline uint64_t bytes_hash_lane(uint64_t lane, const uint8_t *p)
{
    lane = rotate(lane + load64(p) * HASH_M2, 31) * HASH_M1;
#if defined(__GNUC__)
    __asm__("" : "+r"(lane));
#endif
    return lane;
}

static inline void bytes_hash_block(BytesHash *hash, const uint8_t *p)
{
    for (int lane = 0; lane < 4; lane++)
        hash->lanes[lane] = bytes_hash_lane(hash->lanes[lane], p + 8 * lane);
}

/* Adds whole blocks; gives how many bytes were taken. */
static inline size_t bytes_hash_blocks(BytesHash *hash, const uint8_t *p, size_t size)
{
    BytesHash local = *hash;
    size_t at = 0;
    for (; at + 32 <= size; at += 32)
        bytes_hash_block(&local, p + at);
    local.size += at;
    *hash = local;
    return at;
}

static inline uint64_t bytes_hash_end(BytesHash *hash, const uint8_t *p, size_t size)
{
    size_t at = bytes_hash_blocks(hash, p, size);
    if (at < size) {
        uint8_t block[32] = {0};
        memcpy(block, p + at, size - at);
        bytes_hash_block(hash, block);
        hash->size += size - at;
    }
    uint64_t value = hash->lanes[0] + hash->size * HASH_M4;
    for (int lane = 1; lane < 4; lane++)
        value = mix(value) ^ hash->lanes[lane];
    return mix(value);
}

static inline uint64_t bytes_hash(const uint8_t *p, size_t size)
{
    BytesHash hash = bytes_hash_start();
    return bytes_hash_end(&hash, p, size);
}

#endif
