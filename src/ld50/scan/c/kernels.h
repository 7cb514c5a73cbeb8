/* The kernels, free of Python: they read buffers, may run without the GIL, and never read outside. */
#ifndef LD50_KERNELS_H
#define LD50_KERNELS_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A text column; the offsets were checked: rising, within the data, rows under 4 GiB. */
typedef struct {
    const int64_t *offsets;
    const uint8_t *data;
    size_t rows, size;
} Column;

static inline const uint8_t *row_at(const Column *column, size_t row, size_t *length)
{
    *length = (size_t)(column->offsets[row + 1] - column->offsets[row]);
    return column->data + column->offsets[row];
}

/* A column that grows. `item` is the bytes of a value. */
typedef struct {
    uint8_t *data;
    size_t count, room, item;
} Grown;

/* Makes room for more values in columns that grow together. */
static inline int grow_by(Grown *columns, int count, size_t more)
{
    if (columns[0].count + more <= columns[0].room)
        return 0;
    size_t room = columns[0].room ? columns[0].room * 2 : 256;
    while (room < columns[0].count + more)
        room *= 2;
    for (int i = 0; i < count; i++) {
        uint8_t *data = realloc(columns[i].data, room * columns[i].item);
        if (!data) {
            columns[0].room = columns[0].count; /* so that none of them is written to */
            return -1;
        }
        columns[i].data = data;
        columns[i].room = room;
    }
    return 0;
}

static inline int grow(Grown *columns, int count)
{
    return grow_by(columns, count, 1);
}

#define PUSH(grown, type, value) (((type *)(void *)(grown).data)[(grown).count++] = (type)(value))

/* Kernels return 0, or -1 when memory ran out. */

/* Points of a word: by the class before it, its own and whether the pair is known; then by its class where
   there is none before it; of a number; of a SINGLE. */
enum { POINTS_FIRST = 128, POINTS_NUMBER = 136, POINTS = 138 };
/* Ways to weigh the same words. */
enum { WEIGHINGS = 2 };
/* Words that have points of their own for each pair of them, and the slots that they are looked up in. */
enum { FREQUENT = 128, FREQUENT_BITS = 11, FREQUENT_SLOTS = 1 << FREQUENT_BITS, NOT_FREQUENT = 255 };

typedef struct {
    const uint8_t *trigrams; /* (1 << trigram_bits) x 32 */
    int trigram_bits, languages;
    const uint32_t *words;
    size_t word_slots;
    const uint64_t *bigrams;
    size_t bigram_words;
    const int16_t *points; /* POINTS for each weighing */
    int weighings;
    const uint64_t *frequent;       /* FREQUENT_SLOTS hashes, 0 where there is none; NULL: no such words */
    const uint8_t *frequent_number; /* of the word in each slot, below FREQUENT */
    const int8_t *frequent_points;  /* FREQUENT x FREQUENT: of a word (column) after a word */
    int threshold; /* 1/16 bits a byte */
    uint32_t lead_bytes;
} ProfileInput;

/* `out` holds the columns of kernels_types.PROFILE_COLUMNS, one after the other. */
int ld50_profile(const Column *column, const ProfileInput *input, uint8_t *out);
int ld50_profile_plain(const Column *column, const ProfileInput *input, uint8_t *out);
int ld50_profile_v3(const Column *column, const ProfileInput *input, uint8_t *out);
int ld50_profile_v4(const Column *column, const ProfileInput *input, uint8_t *out);

/* The salad in the last `most` bytes of each row, by each weighing one after the other: `out` holds the
   scores of all rows (float), then the starts and the ends (uint32), in bytes of the row. */
int ld50_tail_salads(const Column *column, const ProfileInput *input, size_t most, uint32_t *out);
int ld50_tail_salads_plain(const Column *column, const ProfileInput *input, size_t most, uint32_t *out);
int ld50_tail_salads_v3(const Column *column, const ProfileInput *input, size_t most, uint32_t *out);
int ld50_tail_salads_v4(const Column *column, const ProfileInput *input, size_t most, uint32_t *out);

/* Lets no code run that needs more than x86-64-v`most`, from 1 for any CPU to 4; for tests. */
void ld50_limit_variant(int most);

int ld50_phrase_hashes(const Column *column, int stream, uint64_t *out);
void ld50_bytes_hashes(const Column *column, uint64_t *out);

/* The different n-grams of rows that were gathered so far. */
typedef struct {
    uint64_t hash, row_set; /* row_set: a sum over the rows that have it, the same for the same rows */
    uint32_t count, last;   /* rows that have it, and the last of them + 1 */
} GatherEntry;

typedef struct {
    Grown entries;
    uint32_t *slots; /* where hashes are looked for: the number of the entry + 1, or 0; at most half full */
    int bits;
    uint64_t key;  /* odd, and not known to who wrote the text */
    uint64_t rows; /* gathered so far */
} Gatherer;

/* N-grams of further rows as runs of hashes; several runs may be of one row. */
typedef struct {
    const uint64_t *hashes;
    const int64_t *begins, *ends; /* of each run */
    const uint32_t *rows;         /* the row of each run, rising, below row_count */
    size_t runs, row_count;
    uint32_t *numbers; /* room for all hashes */
    int64_t *starts;   /* room for row_count + 1 */
} GatherInput;

/* Numbers the n-grams in the order in which they come, and lists the numbers of each row, each once. */
int ld50_gather(Gatherer *gatherer, const GatherInput *input);

/* Numbers of candidates in ranges, one a row; the ranges lie within the numbers. */
typedef struct {
    const uint32_t *numbers;
    const int64_t *begins, *ends;
    size_t rows, candidates;
} Incidence;

/* Both return how much they wrote, or -1 for a number that is no candidate's.
   Other numbers instead, in the same order; what has UINT32_MAX instead is left out. */
int64_t ld50_renumber(const Incidence *incidence, const uint32_t *renumber, uint32_t *out, int64_t *out_starts);
/* Counts, and lists those met whose count was 0; `met` has room for all candidates and one more. */
int64_t ld50_tally(const Incidence *incidence, uint32_t *counts, uint32_t *met);

/* Pieces of the data one after the other; `out` has room for all of them. */
void ld50_slices(const uint8_t *data, const int64_t *starts, const int64_t *ends, size_t count, uint8_t *out);

/* How many bytes of each row are of each of 8 classes: `out` has rows x 8, `classes` one for each byte. */
void ld50_byte_classes(const Column *column, const uint8_t classes[256], int64_t *out);

typedef struct {
    const uint32_t *rows, *starts, *ends;
    size_t count;
    uint32_t kinds, max_per_row;
    int distinct;
    uint8_t *buckets; /* how often the n-grams of each bucket were met, up to 255; or NULL */
    int bucket_bits;
    int tally;        /* 1: counts into the buckets and lists nothing */
    unsigned least;   /* lists only what is in a bucket with so many */
    int placed;       /* 0: without the columns that say where they are */
} NgramInput;

enum { NGRAM_ROW, NGRAM_HASH, NGRAM_START, NGRAM_END, NGRAM_COLUMNS };
int ld50_ngrams(const Column *column, const NgramInput *input, Grown out[NGRAM_COLUMNS]);

typedef struct {
    const uint64_t *hashes;
    const uint32_t *listed; /* a row is listed while the count, it included, is at most this */
    const uint32_t *filter, *slots;
    size_t candidates;
    int filter_bits, slot_bits; /* log2 of their sizes */
    uint32_t kinds;
    int placed; /* 0: without the columns that say where they are */
    uint32_t *counts;
} CountInput;

enum { COUNT_ROW, COUNT_CANDIDATE, COUNT_START, COUNT_END, COUNT_COLUMNS };
int ld50_count(const Column *column, const CountInput *input, Grown out[COUNT_COLUMNS]);
int ld50_count_plain(const Column *column, const CountInput *input, Grown out[COUNT_COLUMNS]);
int ld50_count_v3(const Column *column, const CountInput *input, Grown out[COUNT_COLUMNS]);
int ld50_count_v4(const Column *column, const CountInput *input, Grown out[COUNT_COLUMNS]);

enum { SENTENCE_ROW, SENTENCE_HASH, SENTENCE_START, SENTENCE_END, SENTENCE_WORDS, SENTENCE_COLUMNS };
int ld50_sentences(const Column *column, uint32_t min_words, uint32_t max_words,
                   Grown out[SENTENCE_COLUMNS]);

enum { FRAGMENT_ROW, FRAGMENT_HASH, FRAGMENT_START, FRAGMENT_END, FRAGMENT_KIND, FRAGMENT_COLUMNS };
int ld50_fragments(const Column *column, Grown out[FRAGMENT_COLUMNS]);

#endif
