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

/* Makes room for one more value in columns that grow together. */
static inline int grow(Grown *columns, int count)
{
    if (columns[0].count < columns[0].room)
        return 0;
    for (int i = 0; i < count; i++) {
        size_t room = columns[i].room ? columns[i].room * 2 : 256;
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

#define PUSH(grown, type, value) (((type *)(void *)(grown).data)[(grown).count++] = (type)(value))

/* Kernels return 0, or -1 when memory ran out. */

/* Points of a word: by the class before it, its own and whether the pair is known; then by its class where
   there is none before it; of a number; of a SINGLE. */
enum { POINTS_FIRST = 128, POINTS_NUMBER = 136, POINTS = 138 };
/* Words that have points of their own for each pair of them, and the slots that they are looked up in. */
enum { FREQUENT = 128, FREQUENT_BITS = 11, FREQUENT_SLOTS = 1 << FREQUENT_BITS, NOT_FREQUENT = 255 };

typedef struct {
    const uint8_t *trigrams; /* (1 << trigram_bits) x 32 */
    int trigram_bits, languages;
    const uint32_t *words;
    size_t word_slots;
    const uint64_t *bigrams;
    size_t bigram_words;
    int16_t points[POINTS];
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

/* Whether the code for newer CPUs is left alone; for tests. */
void ld50_plain_only(int yes);

int ld50_phrase_hashes(const Column *column, int stream, uint64_t *out);
void ld50_bytes_hashes(const Column *column, uint64_t *out);

/* For each value its place among `sorted` (rising, no repeats), or `count` where it is none of them. */
int ld50_places(const uint64_t *sorted, size_t count, const uint64_t *values, size_t value_count, int64_t *out);

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
} NgramInput;

enum { NGRAM_ROW, NGRAM_HASH, NGRAM_START, NGRAM_END, NGRAM_N, NGRAM_STREAM, NGRAM_COLUMNS };
int ld50_ngrams(const Column *column, const NgramInput *input, Grown out[NGRAM_COLUMNS]);

typedef struct {
    const uint64_t *hashes;
    const uint32_t *listed; /* a row is listed while the count, it included, is at most this */
    const uint32_t *filter, *slots;
    size_t candidates;
    int filter_bits, slot_bits; /* log2 of their sizes */
    uint32_t kinds, head_bytes, tail_bytes;
    uint32_t *counts, *joint;
    const uint64_t *masks;
    uint32_t bits;
} CountInput;

enum { COUNT_ROW, COUNT_CANDIDATE, COUNT_START, COUNT_END, COUNT_COLUMNS };
int ld50_count(const Column *column, const CountInput *input, Grown out[COUNT_COLUMNS]);
int ld50_count_plain(const Column *column, const CountInput *input, Grown out[COUNT_COLUMNS]);
int ld50_count_v3(const Column *column, const CountInput *input, Grown out[COUNT_COLUMNS]);

enum { SENTENCE_ROW, SENTENCE_HASH, SENTENCE_START, SENTENCE_END, SENTENCE_WORDS, SENTENCE_COLUMNS };
int ld50_sentences(const Column *column, uint32_t min_words, uint32_t max_words,
                   Grown out[SENTENCE_COLUMNS]);

enum { FRAGMENT_ROW, FRAGMENT_HASH, FRAGMENT_START, FRAGMENT_END, FRAGMENT_KIND, FRAGMENT_COLUMNS };
int ld50_fragments(const Column *column, Grown out[FRAGMENT_COLUMNS]);

#endif
