/* Splits rows into tokens: 64 bytes at a time into bit masks, then the edges of the masks. */
#ifndef LD50_TOKENS_H
#define LD50_TOKENS_H

#include "characters.h"
#include "hashes.h"
#include "hashes_v4.h"

enum { TOKEN_WORD = 1, TOKEN_SINGLE = 2, TOKEN_PUNCT = 4, TOKEN_CAPITAL = 8, TOKEN_ASCII_PUNCT = 16 };

#define CHUNK 512 /* tokens; small enough that all arrays stay in the first cache */
#define BLOCK 64
#define SCAN_ROOM (CHUNK + 3 * BLOCK)

/* 0, 1, 2 and so on. */
extern const uint8_t ld50_counting[BLOCK];

/* A part of a row. */
typedef struct {
    int64_t score;
    uint32_t start, end;
} Segment;

/* One bit a byte of a block. */
typedef struct {
    uint64_t word, space, high; /* ASCII letters and digits; ASCII space; not ASCII */
} Masks;

static inline int is_ascii_word(uint8_t byte)
{
    return (uint8_t)((byte | 0x20) - 'a') < 26 || (uint8_t)(byte - '0') < 10;
}

static inline int is_ascii_space(uint8_t byte)
{
    return byte == ' ' || (uint8_t)(byte - 9) < 5;
}

static inline int lowest(uint64_t bits)
{
#if defined(__GNUC__)
    return __builtin_ctzll(bits);
#else
    int at = 0;
    while (!(bits >> at & 1))
        at++;
    return at;
#endif
}

/* The same, and any number when there is no bit. */
static inline int lowest_if_any(uint64_t bits)
{
#ifdef __BMI__
    return (int)_tzcnt_u64(bits);
#else
    return lowest(bits | (uint64_t)1 << 63);
#endif
}

static inline unsigned popcount(uint64_t bits)
{
#ifdef __POPCNT__
    return (unsigned)__builtin_popcountll(bits);
#endif
    bits -= bits >> 1 & BYTES(0x55u);
    bits = (bits & BYTES(0x33u)) + (bits >> 2 & BYTES(0x33u));
    return (unsigned)(((bits + (bits >> 4)) & BYTES(0x0Fu)) * BYTES(1u) >> 56);
}

/* The first `count` bits. */
static inline uint64_t first_bits(size_t count)
{
    return count >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << count) - 1;
}

#ifdef LD50_SSE2
static inline __m128i in_range(__m128i bytes, char first, char width)
{
    __m128i above = _mm_sub_epi8(bytes, _mm_set1_epi8(first));
    return _mm_cmpeq_epi8(_mm_min_epu8(above, _mm_set1_epi8(width)), above);
}

static inline uint64_t bits_of(__m128i bytes)
{
    return (uint16_t)_mm_movemask_epi8(bytes);
}

#ifdef LD50_EIGHT
static inline uint64_t in_range_64(__m512i bytes, char first, char width)
{
    __m512i above = _mm512_sub_epi8(bytes, _mm512_set1_epi8(first));
    return _mm512_cmple_epu8_mask(above, _mm512_set1_epi8(width));
}

static inline Masks classify(const uint8_t *p)
{
    __m512i bytes = _mm512_loadu_si512(p), small = _mm512_or_si512(bytes, _mm512_set1_epi8(0x20));
    Masks masks;
    masks.word = in_range_64(small, 'a', 25) | in_range_64(bytes, '0', 9);
    masks.space = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(' ')) | in_range_64(bytes, 9, 4);
    masks.high = _mm512_movepi8_mask(bytes);
    return masks;
}
#elif defined(__AVX2__)
static inline __m256i in_range_32(__m256i bytes, char first, char width)
{
    __m256i above = _mm256_sub_epi8(bytes, _mm256_set1_epi8(first));
    return _mm256_cmpeq_epi8(_mm256_min_epu8(above, _mm256_set1_epi8(width)), above);
}

static inline uint64_t bits_of_32(__m256i bytes)
{
    return (uint32_t)_mm256_movemask_epi8(bytes);
}

static inline Masks classify(const uint8_t *p)
{
    Masks masks = {0, 0, 0};
    for (int i = 0; i < 2; i++) {
        __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32 * i));
        __m256i small = _mm256_or_si256(bytes, _mm256_set1_epi8(0x20));
        __m256i word = _mm256_or_si256(in_range_32(small, 'a', 25), in_range_32(bytes, '0', 9));
        __m256i space =
            _mm256_or_si256(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(' ')), in_range_32(bytes, 9, 4));
        masks.word |= bits_of_32(word) << 32 * i;
        masks.space |= bits_of_32(space) << 32 * i;
        masks.high |= bits_of_32(bytes) << 32 * i;
    }
    return masks;
}
#else
static inline Masks classify(const uint8_t *p)
{
    Masks masks = {0, 0, 0};
    for (int i = 0; i < 4; i++) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
        __m128i small = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
        __m128i word = _mm_or_si128(in_range(small, 'a', 25), in_range(bytes, '0', 9));
        __m128i space =
            _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(' ')), in_range(bytes, 9, 4));
        masks.word |= bits_of(word) << 16 * i;
        masks.space |= bits_of(space) << 16 * i;
        masks.high |= bits_of(bytes) << 16 * i;
    }
    return masks;
}
#endif
#else
static inline Masks classify(const uint8_t *p)
{
    Masks masks = {0, 0, 0};
    for (int i = 0; i < BLOCK; i++) {
        masks.word |= (uint64_t)is_ascii_word(p[i]) << i;
        masks.space |= (uint64_t)is_ascii_space(p[i]) << i;
        masks.high |= (uint64_t)(p[i] >> 7) << i;
    }
    return masks;
}
#endif

/* MARK_* of each ASCII byte; see normal.h. */
extern uint8_t ld50_ascii_marks[128];

/* The kind of a token that starts with this byte; 0 beyond ASCII. */
extern uint8_t ld50_ascii_kinds[256];

void ld50_tokens_init(void);

/* Tokens of a row as they are found. A token is complete when it has a stop. */
typedef struct {
    const uint8_t *row, *readable; /* bytes may be read up to `readable`, beyond the row */
    size_t at, end;                /* next block, end of the part that is read */
    uint64_t in_word, piece_ends;  /* of the byte before `at`: part of a word; last of PUNCT, SINGLE */
    unsigned carried;              /* bytes of a character that started before `at`, its class */
    int carried_class;
    uint32_t seen; /* flags of the characters that are not ASCII */
    size_t starts, stops;
    uint32_t start[SCAN_ROOM], stop[SCAN_ROOM];
    uint8_t kind[SCAN_ROOM]; /* see token_kind */
} Scan;

static inline void scan_start(Scan *scan, const uint8_t *row, size_t from, size_t end,
                              const uint8_t *readable)
{
    scan->row = row;
    scan->readable = readable;
    scan->at = from;
    scan->end = end;
    scan->in_word = scan->piece_ends = 0;
    scan->carried = 0;
    scan->carried_class = CLASS_SPACE;
    scan->seen = 0;
    scan->starts = scan->stops = 0;
}

/* What the bytes of a block belong to, beyond ASCII. */
typedef struct {
    uint64_t word;                /* bytes of words */
    uint64_t punct, single;       /* first bytes of such tokens */
    uint64_t last;                /* last bytes of either */
} Pieces;

static inline void add_character(Pieces *pieces, int class, uint64_t bytes, uint64_t first, uint64_t last)
{
    if (class == CLASS_WORD) {
        pieces->word |= bytes;
    } else if (class != CLASS_SPACE) {
        pieces->last |= last;
        if (class == CLASS_PUNCT)
            pieces->punct |= first;
        else
            pieces->single |= first;
    }
}

static inline void scan_high(Scan *scan, Pieces *pieces, uint64_t high, int surface)
{
    if (scan->carried) {
        uint64_t bytes = first_bits(scan->carried);
        add_character(pieces, scan->carried_class, bytes, 0, (uint64_t)1 << (scan->carried - 1));
        high &= ~bytes;
        scan->carried = 0;
    }
    while (high) {
        int place = lowest(high);
        uint32_t code;
        size_t size = decode(scan->row + scan->at + place, scan->end - scan->at - (size_t)place, &code);
        uint8_t found = character(code);
        int class = !surface && (found & 3) == CLASS_PUNCT ? CLASS_SPACE : found & 3;
        size_t end = (size_t)place + size;
        uint64_t bytes = first_bits(end) & ~first_bits((size_t)place);
        uint64_t last = end <= 64 ? (uint64_t)1 << (end - 1) : 0;
        add_character(pieces, class, bytes, (uint64_t)1 << place, last);
        scan->seen |= ld50_mark_flags[found >> 2];
        high &= ~bytes;
        if (end > 64) {
            scan->carried = (unsigned)(end - 64);
            scan->carried_class = class;
        }
    }
}

/* Writes the places of the bits, some at a time so that the branch is easy to foresee; up to 15 values
   too many are written. */
#ifdef LD50_EIGHT
static inline size_t places(uint32_t *out, size_t count, uint64_t bits, uint32_t base)
{
    size_t end = count + popcount(bits);
    __m512i found = _mm512_maskz_compress_epi8(bits, _mm512_loadu_si512(ld50_counting));
    const __m512i from = _mm512_set1_epi32((int)base);
    do {
        __m512i next = _mm512_cvtepu8_epi32(_mm512_castsi512_si128(found));
        _mm512_storeu_si512(out + count, _mm512_add_epi32(next, from));
        found = _mm512_shuffle_i64x2(found, found, 0x39); /* the next 16 */
        count += 16;
    } while (count < end);
    return end;
}
#else
static inline size_t places(uint32_t *out, size_t count, uint64_t bits, uint32_t base)
{
    unsigned found = popcount(bits), done = 0;
    uint32_t *to = out + count;
    do {
        for (int i = 0; i < 8; i++) {
            to[i] = base + (uint32_t)lowest_if_any(bits);
            bits &= bits - 1;
        }
        to += 8;
        done += 8;
    } while (done < found);
    return count + found;
}
#endif

/* Adds the tokens of one block whose bytes were classified; `surface`: PUNCT tokens as well. */
static inline void scan_masks(Scan *scan, Masks masks, int surface)
{
    size_t left = scan->end - scan->at;
    uint64_t valid = first_bits(left);
    Pieces pieces = {masks.word & valid, 0, 0, 0};
    if (surface) {
        pieces.punct = ~(masks.word | masks.space | masks.high) & valid;
        pieces.last = pieces.punct;
    }
    if (masks.high & valid)
        scan_high(scan, &pieces, masks.high & valid, surface);
    uint64_t before = pieces.word << 1 | scan->in_word;
    uint64_t starts = (pieces.word & ~before) | pieces.punct | pieces.single;
    uint64_t stops = (~pieces.word & before) | pieces.last << 1 | scan->piece_ends;
    uint32_t base = (uint32_t)scan->at;
    size_t first = scan->starts;
    scan->starts = places(scan->start, first, starts, base);
    scan->stops = places(scan->stop, scan->stops, stops, base);
    memset(scan->kind + first, 0, BLOCK);
    if (masks.high & valid) {
        for (size_t i = first; i < scan->starts; i++) {
            unsigned place = scan->start[i] - base;
            scan->kind[i] = (uint8_t)(TOKEN_WORD + 3 * (pieces.punct >> place & 1) +
                                      (pieces.single >> place & 1));
        }
    }
    scan->in_word = pieces.word >> 63;
    scan->piece_ends = pieces.last >> 63;
    scan->at += BLOCK;
}

/* Reads the block at `scan->at` where it lies, or from `room` where the buffer ends within it. What is
   beyond the row may be anything. */
static inline const uint8_t *scan_block(const Scan *scan, uint8_t room[BLOCK])
{
    const uint8_t *block = scan->row + scan->at;
    size_t left = (size_t)(scan->readable - block);
    if (left >= BLOCK)
        return block;
    memset(room, ' ', BLOCK);
    memcpy(room, block, left);
    return room;
}

/* After the last block: ends the token that reaches to the end. */
static inline void scan_end(Scan *scan)
{
    if (scan->in_word | scan->piece_ends) {
        scan->stop[scan->stops++] = (uint32_t)scan->end;
        scan->in_word = scan->piece_ends = 0;
    }
}

/* Finds the next tokens, about a chunk; `scan->stops` of them are complete. 0 when all were read. */
static inline int scan_tokens(Scan *scan, int surface)
{
    uint8_t room[BLOCK];
    while (scan->at < scan->end && scan->stops < CHUNK)
        scan_masks(scan, classify(scan_block(scan, room)), surface);
    if (scan->at < scan->end)
        return 1;
    scan_end(scan);
    return 0;
}

/* Drops the complete tokens; a token that has only started is kept. */
static inline void scan_drop(Scan *scan)
{
    if (scan->starts > scan->stops) {
        scan->start[0] = scan->start[scan->stops];
        scan->kind[0] = scan->kind[scan->stops];
    }
    scan->starts -= scan->stops;
    scan->stops = 0;
}

/* WORD, SINGLE or PUNCT, with ASCII_PUNCT where the byte is printed. The scan knows the kind of tokens
   that start with another than an ASCII byte, and of some others; ASCII bytes tell it themselves. */
static inline uint8_t token_kind(const Scan *scan, size_t i)
{
    return scan->kind[i] | ld50_ascii_kinds[scan->row[scan->start[i]]];
}

#ifdef LD50_EIGHT
/* Whether 16 bytes may be read of each of the complete tokens from `i` on, 8 at most. */
static inline int can_hash_eight(const Scan *scan, size_t i)
{
    size_t last = i + 7 < scan->stops ? i + 7 : scan->stops - 1;
    return (size_t)(scan->readable - scan->row) - scan->start[last] >= 16;
}
#endif

/* An ASCII byte outside words is a token boundary whatever stands around it. */
static inline int is_boundary(uint8_t byte)
{
    return byte < 0x80 && !is_ascii_word(byte);
}

/* Starts a scan that finds the same tokens within [from, end) as one of the whole row; it begins and
   stops at boundaries around it, so the tokens outside must be left out. */
static inline void scan_start_zone(Scan *scan, const uint8_t *row, size_t length, size_t from,
                                   size_t end, const uint8_t *readable)
{
    while (from > 0 && !is_boundary(row[from - 1]))
        from--;
    while (end < length && !is_boundary(row[end]))
        end++;
    scan_start(scan, row, from, end, readable);
}

#endif
