/* Normalises a row (ASCII lower case, each whitespace run one space) block by block, and gathers the
   marks of its ASCII characters on the way. */
#ifndef LD50_NORMAL_H
#define LD50_NORMAL_H

#include "tokens.h"

enum { NORMAL_ROOM = 4096, NORMAL_SLACK = 128 };

/* From byte `place` of the normalised text on, positions in the row are `shift` further. */
typedef struct {
    uint32_t place;
    uint32_t shift;
} Shift;

typedef struct {
    uint8_t text[NORMAL_ROOM + NORMAL_SLACK]; /* normalised bytes that are still needed */
    uint32_t count;
    uint32_t base;            /* normalised bytes before text[0] */
    Shift shifts[NORMAL_ROOM + NORMAL_SLACK]; /* rising places */
    uint32_t shift_count, dropped; /* `dropped`: the shift after the last one */
    /* About the row so far. */
    uint8_t marks[BLOCK]; /* MARK_* of its bytes, spread as they came; see marks_of */
    uint64_t space_before, blank_before; /* of the byte before: ASCII whitespace (or the start), 0x20 */
    uint64_t return_before;              /* carriage return */
    uint64_t doubled, spaced; /* bits of blanks after a blank, and of punctuation after one */
    uint32_t flags;
} Normal;

/* What ASCII bytes tell about a row. */
enum {
    MARK_CONTROL = 1, /* below 0x20 but for whitespace, and 0x7F */
    MARK_NEWLINE = 2,
    MARK_TAB = 4,
    MARK_QUOTE = 8, /* straight */
    MARK_UPPER = 0x20, /* of a letter the bit that makes it small, where it has not got it */
    MARK_LOWER = 0x40
};

static inline void normal_start(Normal *normal)
{
    normal->count = normal->base = normal->shift_count = normal->dropped = 0;
    memset(normal->marks, 0, sizeof normal->marks);
    normal->space_before = 1;
    normal->blank_before = normal->return_before = normal->doubled = normal->spaced = 0;
    normal->flags = 0;
}

/* All marks of the row. */
static inline unsigned marks_of(const Normal *normal)
{
    uint64_t marks = 0;
    for (int i = 0; i < BLOCK; i += 8)
        marks |= load64(normal->marks + i);
    marks |= marks >> 32;
    marks |= marks >> 16;
    return (unsigned)(marks | marks >> 8) & 0xFF;
}

/* Where in a block some bytes are. */
typedef struct {
    uint64_t blanks, returns; /* 0x20; carriage return */
} Breaks;

/* Writes the block in ASCII lower case, its whitespace as blanks, and adds its marks. */
#if defined(LD50_EIGHT)
static inline Breaks lower_block(const uint8_t *p, uint8_t *out, uint8_t *marks)
{
    const __m512i bit = _mm512_set1_epi8(0x20);
    __m512i bytes = _mm512_loadu_si512(p);
    __mmask64 letters = in_range_64(_mm512_or_si512(bytes, bit), 'a', 25);
    __m512i folded = _mm512_or_si512(bytes, _mm512_maskz_mov_epi8(letters, bit));
    _mm512_storeu_si512(out, _mm512_mask_mov_epi8(folded, in_range_64(bytes, 9, 4), bit));
    __m512i known = _mm512_permutex2var_epi8(_mm512_loadu_si512(ld50_ascii_marks), bytes,
                                             _mm512_loadu_si512(ld50_ascii_marks + 64));
    known = _mm512_maskz_mov_epi8(~_mm512_movepi8_mask(bytes), known);
    _mm512_storeu_si512(marks, _mm512_or_si512(_mm512_loadu_si512(marks), known));
    Breaks breaks = {_mm512_cmpeq_epi8_mask(bytes, bit), _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('\r'))};
    return breaks;
}
#else
/* One bit for each byte of a block that is this one. */
static inline uint64_t equal_bits(const uint8_t *p, uint8_t byte)
{
    uint64_t bits = 0;
#ifdef LD50_SSE2
    for (int i = 0; i < 4; i++) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
        bits |= bits_of(_mm_cmpeq_epi8(bytes, _mm_set1_epi8((char)byte))) << 16 * i;
    }
#else
    for (int i = 0; i < BLOCK; i++)
        bits |= (uint64_t)(p[i] == byte) << i;
#endif
    return bits;
}

/* 0xFF or 0, as compilers make vectors of it. */
static inline uint8_t all_ones(int yes)
{
    return yes ? 0xFF : 0;
}

static inline Breaks lower_block(const uint8_t *p, uint8_t *out, uint8_t *marks)
{
    uint8_t lowered[BLOCK], known[BLOCK];
    for (int i = 0; i < BLOCK; i++) {
        uint8_t byte = p[i], letter = all_ones((uint8_t)((byte | 0x20) - 'a') < 26) & 0x20;
        uint8_t small = byte & letter, space = all_ones((uint8_t)(byte - 9) < 5);
        uint8_t control = (all_ones(byte < 0x20) & (uint8_t)~space) | all_ones(byte == 0x7F);
        uint8_t quote = all_ones(byte == '"') | all_ones(byte == '\'');
        uint8_t line = (all_ones(byte == '\n') & MARK_NEWLINE) | (all_ones(byte == '\t') & MARK_TAB);
        known[i] = (uint8_t)((letter ^ small) | (small + small) | line | (control & MARK_CONTROL) |
                             (quote & MARK_QUOTE));
        lowered[i] = (uint8_t)(((byte | letter) & (uint8_t)~space) | (space & 0x20));
    }
    for (int i = 0; i < BLOCK; i++)
        marks[i] |= known[i];
    memcpy(out, lowered, BLOCK);
    Breaks breaks = {equal_bits(p, ' '), equal_bits(p, '\r')};
    return breaks;
}
#endif

/* Bits of . , ; : ! ? among the `few` of a block. */
static inline uint64_t spaced_punctuation(const uint8_t *block, uint64_t few)
{
#ifdef __AVX2__
    /* Each has another low half, which chooses what the byte must be. */
    const __m128i mark = _mm_setr_epi8(1, '!', 0, 0, 0, 0, 0, 0, 0, 0, ':', ';', ',', 0, '.', '?');
#endif
#if defined(LD50_EIGHT)
    __m512i bytes = _mm512_loadu_si512(block);
    return few & _mm512_cmpeq_epi8_mask(bytes, _mm512_shuffle_epi8(_mm512_broadcast_i32x4(mark), bytes));
#elif defined(__AVX2__)
    uint64_t found = 0;
    for (int i = 0; i < 2; i++) {
        __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)(block + 32 * i));
        __m256i marks = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(mark), bytes);
        found |= bits_of_32(_mm256_cmpeq_epi8(bytes, marks)) << 32 * i;
    }
    return few & found;
#else
    for (uint64_t left = few; left; left &= left - 1) {
        uint8_t byte = block[lowest(left)];
        if (byte == '.' || byte == ',' || byte == ';' || byte == ':' || byte == '!' || byte == '?')
            return left;
    }
    return 0;
#endif
}

static inline void note_block(Normal *normal, const uint8_t *block, Breaks breaks, Masks masks)
{
    uint64_t after_blank = breaks.blanks << 1 | normal->blank_before;
    normal->doubled |= after_blank & breaks.blanks;
    normal->spaced |= spaced_punctuation(block, after_blank & ~(masks.word | masks.space | masks.high));
    for (uint64_t after = breaks.returns << 1 | normal->return_before; after; after &= after - 1)
        if (block[lowest(after)] == '\n')
            normal->flags |= FLAG_CRLF;
    normal->blank_before = breaks.blanks >> 63;
    normal->return_before = breaks.returns >> 63;
}

/* The flags of the row; beyond its end its last block was padded with blanks. */
static inline uint32_t normal_flags(const Normal *normal)
{
    unsigned marks = marks_of(normal);
    uint32_t flags = normal->flags;
    flags |= marks & MARK_CONTROL ? FLAG_CONTROL : 0;
    flags |= marks & MARK_NEWLINE ? FLAG_NEWLINE : 0;
    flags |= marks & MARK_TAB ? FLAG_TAB : 0;
    flags |= marks & MARK_QUOTE ? FLAG_STRAIGHT_QUOTES : 0;
    flags |= (marks & MARK_LOWER) && !(marks & MARK_UPPER) ? FLAG_NO_UPPERCASE : 0;
    flags |= (marks & MARK_UPPER) && !(marks & MARK_LOWER) ? FLAG_ALL_UPPERCASE : 0;
    flags |= normal->doubled ? FLAG_DOUBLE_SPACE : 0;
    return flags | (normal->spaced ? FLAG_SPACE_BEFORE_PUNCTUATION : 0);
}

static inline void add_shift(Normal *normal, unsigned dropped)
{
    normal->dropped += dropped;
    if (normal->shift_count && normal->shifts[normal->shift_count - 1].place == normal->count) {
        normal->shifts[normal->shift_count - 1].shift = normal->dropped;
        return;
    }
    normal->shifts[normal->shift_count].place = normal->count;
    normal->shifts[normal->shift_count++].shift = normal->dropped;
}

/* Appends what is left of a block of which some whitespace is dropped. */
static inline void append_collapsed(Normal *normal, const uint8_t *block, uint64_t drop, size_t size)
{
    size_t at = 0;
    while (at < size) {
        uint64_t ahead = drop >> at;
        size_t keep = ahead ? (size_t)lowest(ahead) : size - at;
        memcpy(normal->text + normal->count, block + at, BLOCK);
        keep = keep < size - at ? keep : size - at;
        normal->count += (uint32_t)keep;
        at += keep;
        if (at >= size)
            break;
        uint64_t rest = ~(drop >> at);
        size_t gone = rest ? (size_t)lowest(rest) : BLOCK - at;
        gone = gone < size - at ? gone : size - at;
        add_shift(normal, (unsigned)gone);
        at += gone;
    }
}

/* Adds the next block of the row, of which `size` bytes are the row's, and the others are blanks. */
static inline void normal_block(Normal *normal, const uint8_t *block, Masks masks, size_t size)
{
    uint8_t lowered[2 * BLOCK]; /* what is kept of it is copied in whole blocks */
    uint64_t valid = first_bits(size), space = masks.space & valid;
    uint64_t drop = space & (space << 1 | normal->space_before);
    Breaks breaks = lower_block(block, drop ? lowered : normal->text + normal->count, normal->marks);
    breaks.blanks &= valid;
    note_block(normal, block, breaks, masks);
    if (!drop)
        normal->count += (uint32_t)size;
    else
        append_collapsed(normal, lowered, drop, size);
    normal->space_before = space >> (size - 1) & 1;
}

/* Forgets the first `count` bytes of the text; `passed` shifts lie before them. */
static inline void normal_drop(Normal *normal, uint32_t count, uint32_t passed)
{
    memmove(normal->text, normal->text + count, normal->count - count);
    normal->count -= count;
    normal->base += count;
    for (uint32_t i = passed; i < normal->shift_count; i++) {
        normal->shifts[i - passed].place = normal->shifts[i].place - count;
        normal->shifts[i - passed].shift = normal->shifts[i].shift;
    }
    normal->shift_count -= passed;
}

#endif
