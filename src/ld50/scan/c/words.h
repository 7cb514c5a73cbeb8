/* Looks the words of a row up, and finds the run of words with the most points. */
#ifndef LD50_WORDS_H
#define LD50_WORDS_H

#include "kernels.h"
#include "tokens.h"

enum { HEAD_WORDS = 8 };
/* What a word weighs by: its class, or one of these. */
enum { WEIGHT_NUMBER = 8, WEIGHT_SINGLE = 9 };
/* Words that were looked up are remembered in so many places, which fit into the first cache. */
enum { RECENT_BITS = 11, RECENT_KEY_BITS = 64 - RECENT_BITS };

/* The frequent words in little memory, so that it stays in the first cache, and to be looked up without
   branches: every other word is one of them, and no CPU foresees which. */
typedef struct {
    uint8_t at[FREQUENT_SLOTS]; /* which of the words below is in a slot; 0: none */
    uint64_t keys[FREQUENT + 1];
    uint8_t numbers[FREQUENT + 1], crowded[FREQUENT + 1]; /* `crowded`: the slot after it is taken too */
} Frequent;

typedef struct {
    const uint32_t *table; /* of words */
    size_t table_mask;
    int table_shift;
    const uint64_t *lines; /* of bigrams */
    int line_shift;
    uint64_t two_lines[16];
    Frequent known;
    const int8_t *frequent_points;
    /* Points of a word by what it is and what the word before is, each a class or 8 for what breaks the
       chain: before << 5 | word << 1 | pair known. */
    int16_t items[WEIGHINGS][9 * 32];
    int weighings;
} WordTables;

/* The run of words that ends here, and the best one so far. */
typedef struct {
    int64_t run;
    uint32_t run_start;
    Segment best;
} Salad;

/* The words of a row as they come. */
typedef struct {
    WordTables tables;
    uint64_t recent[1 << RECENT_BITS]; /* see recent_word */
    /* About the row so far. */
    uint64_t count, head;
    uint32_t flags;
    Salad salads[WEIGHINGS];
    /* Of the words at hand; those with one more begin with that of the word before. */
    uint64_t hash[1 + SCAN_ROOM];
    uint8_t weight[1 + SCAN_ROOM];   /* what it weighs by */
    uint8_t frequent[1 + SCAN_ROOM]; /* its number among the frequent words */
    uint8_t pair[SCAN_ROOM];         /* it and the word before are a known pair */
    uint32_t unknown[SCAN_ROOM];     /* the words that are not among the recent ones */
    uint16_t item[SCAN_ROOM], both[SCAN_ROOM]; /* where the points of a word are */
} Words;

/* One bit for each of four entries with this tag. */
static inline unsigned equal_tags(const uint32_t *entry, uint32_t tag)
{
#ifdef LD50_SSE2
    __m128i entries = _mm_loadu_si128((const __m128i *)(const void *)entry);
    __m128i equal = _mm_cmpeq_epi32(_mm_srli_epi32(entries, 8), _mm_set1_epi32((int)tag));
    return (unsigned)_mm_movemask_ps(_mm_castsi128_ps(equal));
#else
    unsigned found = 0;
    for (int i = 0; i < 4; i++)
        found |= (unsigned)(entry[i] >> 8 == tag) << i;
    return found;
#endif
}

static inline const uint32_t *bucket_of(const WordTables *tables, uint64_t hash)
{
    return tables->table + (hash >> tables->table_shift) * 4;
}

static inline const uint64_t *line_of(const WordTables *tables, uint64_t hash)
{
    return tables->lines + (hash >> tables->line_shift) * 8;
}

/* Buckets of four that are filled from the first; one with room ends the search. */
static inline unsigned word_zipf(const WordTables *tables, uint64_t hash)
{
    const uint32_t *entry = bucket_of(tables, hash), tag = (uint32_t)(hash >> 8) & 0xFFFFFF;
    unsigned found = equal_tags(entry, tag);
    for (size_t tried = 4; !(found | !entry[3]) && tried <= tables->table_mask; tried += 4) {
        entry = tables->table + ((size_t)(entry - tables->table + 4) & tables->table_mask);
        found = equal_tags(entry, tag);
    }
    return entry[lowest(found | 8)] & 0xFF & (0u - (unsigned)(found != 0));
}

static inline int has_bigram(const WordTables *tables, uint64_t hash)
{
    const uint64_t *line = line_of(tables, hash);
    return (int)(line[hash >> 9 & 7] >> (hash >> 3 & 63) & line[hash >> 18 & 7] >> (hash >> 12 & 63) & 1);
}

/* The number of a word among the frequent ones. Nearly all slots are empty, so one look ends most searches. */
static inline unsigned frequent_word(const Frequent *known, uint64_t hash)
{
    uint64_t key = hash & ~(uint64_t)7;
    size_t slot = hash >> (64 - FREQUENT_BITS);
    unsigned word = known->at[slot];
    while (known->crowded[word] & (known->keys[word] != key))
        word = known->at[slot = (slot + 1) & (FREQUENT_SLOTS - 1)];
    return choose(known->keys[word] == key, known->numbers[word], NOT_FREQUENT);
}

static void set_frequent(Frequent *known, const ProfileInput *input)
{
    unsigned count = 0;
    memset(known, 0, sizeof *known);
    known->keys[0] = 1; /* no key: those have no low bits */
    for (size_t slot = 0; input->frequent && slot < FREQUENT_SLOTS; slot++) {
        if (!input->frequent[slot])
            continue;
        known->at[slot] = (uint8_t)++count;
        known->keys[count] = input->frequent[slot];
        known->numbers[count] = input->frequent_number[slot];
        known->crowded[count] = input->frequent[(slot + 1) & (FREQUENT_SLOTS - 1)] != 0;
    }
}

static int bits_of_size(size_t size)
{
    int bits = 0;
    while ((size_t)1 << (bits + 1) <= size)
        bits++;
    return bits;
}

/* Sets up the tables; one that is missing becomes one in which nothing is found. */
static void words_tables(WordTables *tables, const ProfileInput *input)
{
    static const uint32_t no_words[8];
    static const int8_t no_points[FREQUENT * FREQUENT];
    size_t slots = input->word_slots ? input->word_slots : 8;
    size_t lines = input->bigram_words / 8;
    tables->table = input->word_slots ? input->words : no_words;
    tables->table_mask = slots - 1;
    tables->table_shift = 64 - bits_of_size(slots / 4);
    tables->lines = input->bigrams;
    if (lines < 2) { /* so that the shift is less than 64 */
        for (int i = 0; i < 16 && lines; i++)
            tables->two_lines[i] = input->bigrams[i & 7];
        tables->lines = tables->two_lines;
    }
    tables->line_shift = 64 - bits_of_size(lines < 2 ? 2 : lines);
    tables->weighings = input->weighings;
    for (int at = 0; at < 9 * 32; at++) {
        int before = at >> 5, word = at >> 1 & 15;
        int point = before < 8 ? before << 4 | (at & 15) : POINTS_FIRST + word;
        if (word >= 8)
            point = word == 8 ? POINTS_NUMBER : POINTS_NUMBER + 1;
        for (int k = 0; k < tables->weighings; k++)
            tables->items[k][at] = input->points[k * POINTS + point];
    }
    set_frequent(&tables->known, input);
    tables->frequent_points = input->frequent ? input->frequent_points : no_points;
}

static void words_start(Words *words)
{
    words->count = words->head = 0;
    words->flags = 0;
    memset(words->salads, 0, sizeof words->salads);
    words->hash[0] = 0;
    words->weight[0] = WEIGHT_NUMBER;
    words->frequent[0] = NOT_FREQUENT;
}

static uint32_t mixed_scripts(const uint8_t *word, size_t size)
{
    uint32_t seen = 0, code;
    for (size_t at = 0; at < size;) {
        at += decode(word + at, size - at, &code);
        if (code >= 0x80)
            seen |= ld50_mark_flags[character(code) >> 2];
        else if ((code | 0x20) - 'a' < 26)
            seen |= SEEN_LATIN;
    }
    if (!(seen & SEEN_LATIN))
        return 0;
    return (seen & SEEN_CYRILLIC ? FLAG_MIXED_CYRILLIC : 0) | (seen & SEEN_GREEK ? FLAG_MIXED_GREEK : 0);
}

static void find_mixed(Words *words, const Scan *scan)
{
    for (size_t i = 0; i < scan->stops; i++)
        if (!(token_kind(scan, i) & TOKEN_SINGLE))
            words->flags |= mixed_scripts(scan->row + scan->start[i], scan->stop[i] - scan->start[i]);
}

static inline void hash_word(Words *words, const Scan *scan, size_t i)
{
    uint32_t start = scan->start[i];
    TokenHash hash = hash_token(scan->row + start, scan->stop[i] - start, scan->readable);
    unsigned single = (scan->kind[i] & TOKEN_SINGLE) / TOKEN_SINGLE;
    words->hash[i + 1] = hash.folded;
    words->weight[i + 1] = (uint8_t)(single * WEIGHT_SINGLE | (unsigned)hash.digit * WEIGHT_NUMBER);
}

/* Hashes the words, and calls for the bits of the bigrams that they end: those are spread over more memory
   than the near caches hold. */
static inline void hash_words(Words *words, const Scan *scan)
{
    size_t i = 0;
#ifdef LD50_EIGHT
    for (; i < scan->stops && can_hash_eight(scan, i); i += 8) {
        __mmask8 valid = (__mmask8)first_bits(scan->stops - i), large;
        __m256i starts = _mm256_maskz_loadu_epi32(valid, scan->start + i);
        __m256i sizes = _mm256_sub_epi32(_mm256_maskz_loadu_epi32(valid, scan->stop + i), starts);
        EightHashes hashes = hash_eight(scan->row, starts, sizes);
        __m128i kinds = _mm_loadl_epi64((const __m128i *)(const void *)(scan->kind + i));
        __mmask16 single = _mm_test_epi8_mask(kinds, _mm_set1_epi8(TOKEN_SINGLE));
        __m128i weights = _mm_maskz_set1_epi8(hashes.digit, WEIGHT_NUMBER);
        weights = _mm_mask_mov_epi8(weights, single, _mm_set1_epi8(WEIGHT_SINGLE));
        _mm512_storeu_si512(words->hash + i + 1, hashes.folded);
        _mm_storel_epi64((__m128i *)(void *)(words->weight + i + 1), weights);
        for (large = hashes.large; large; large &= (__mmask8)(large - 1))
            hash_word(words, scan, i + (size_t)lowest(large));
    }
#endif
    for (; i < scan->stops; i++)
        hash_word(words, scan, i);
#ifndef LD50_EIGHT
    for (i = 0; i < scan->stops; i++)
        prefetch(line_of(&words->tables, words->hash[i] * HASH_STEP + words->hash[i + 1]));
#endif
}

/* A word that was looked up: the low bits of its hash (the others say where it is remembered), its class
   and its number among the frequent words, which is flipped so that none of them is 0 as a whole. */
static inline uint64_t recent_word(uint64_t hash, unsigned class, unsigned frequent)
{
    uint64_t found = class << 8 | (frequent ^ FREQUENT);
    return found << RECENT_KEY_BITS | hash << RECENT_BITS >> RECENT_BITS;
}

/* Takes what is known of the words that were looked up lately, seven of ten in English text, and lists the
   others. Numbers and SINGLEs are not looked up. */
#ifdef LD50_EIGHT
static inline size_t recall_words(Words *words, const Scan *scan)
{
    const size_t count = scan->stops;
    const __m256i counting = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    size_t unknown = 0;
    for (size_t i = 0; i < count; i += 8) {
        __m512i hash = _mm512_loadu_si512(words->hash + i + 1);
        __m512i recent = _mm512_i64gather_epi64(_mm512_srli_epi64(hash, RECENT_KEY_BITS), words->recent, 8);
        __m512i found = _mm512_srli_epi64(recent, RECENT_KEY_BITS);
        __m512i differ = _mm512_slli_epi64(_mm512_xor_si512(recent, hash), RECENT_BITS);
        __m128i weights = _mm_loadl_epi64((const __m128i *)(const void *)(words->weight + i + 1));
        __mmask16 odd = _mm_test_epi8_mask(weights, weights);
        unsigned unlike = _mm512_test_epi64_mask(differ, differ) | _mm512_testn_epi64_mask(found, found);
        unsigned missed = unlike & ~(unsigned)odd & (unsigned)first_bits(count - i);
        __m256i numbers = _mm256_add_epi32(counting, _mm256_set1_epi32((int)i));
        _mm256_storeu_si256((__m256i *)(void *)(words->unknown + unknown),
                            _mm256_maskz_compress_epi32((__mmask8)missed, numbers));
        unknown += popcount(missed);
        __m128i class = _mm512_cvtepi64_epi8(_mm512_srli_epi64(found, 8));
        __m128i frequent = _mm_xor_si128(_mm512_cvtepi64_epi8(found), _mm_set1_epi8((char)FREQUENT));
        frequent = _mm_mask_set1_epi8(frequent, odd, (char)NOT_FREQUENT);
        _mm_storel_epi64((__m128i *)(void *)(words->frequent + i + 1), frequent);
        _mm_storel_epi64((__m128i *)(void *)(words->weight + i + 1), _mm_mask_mov_epi8(class, odd, weights));
    }
    return unknown;
}
#else
static inline size_t recall_words(Words *words, const Scan *scan)
{
    const size_t count = scan->stops;
    size_t unknown = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t hash = words->hash[i + 1], recent = words->recent[hash >> RECENT_KEY_BITS];
        unsigned weight = words->weight[i + 1], found = (unsigned)(recent >> RECENT_KEY_BITS);
        words->unknown[unknown] = (uint32_t)i;
        unknown += (weight == 0) & ((found == 0) | (((recent ^ hash) << RECENT_BITS) != 0));
        words->frequent[i + 1] = (uint8_t)(weight ? NOT_FREQUENT : (found & 0xFF) ^ FREQUENT);
        words->weight[i + 1] = (uint8_t)(weight ? weight : found >> 8);
    }
    return unknown;
}
#endif

/* Whether the words' pairs are known. */
static inline void find_pairs(Words *words, const Scan *scan)
{
    const size_t count = scan->stops;
#ifdef LD50_EIGHT
    const __m128i shift = _mm_cvtsi32_si128(words->tables.line_shift);
    const __m512i step = _mm512_set1_epi64((int64_t)HASH_STEP), one = _mm512_set1_epi64(1);
    const __m512i seven = _mm512_set1_epi64(7), within = _mm512_set1_epi64(63);
    for (size_t i = 0; i < count; i += 8) {
        __m512i before = _mm512_loadu_si512(words->hash + i), hash = _mm512_loadu_si512(words->hash + i + 1);
        __m512i pair = _mm512_add_epi64(_mm512_mullo_epi64(before, step), hash);
        __m512i line = _mm512_slli_epi64(_mm512_srl_epi64(pair, shift), 3);
        __m512i first = _mm512_or_si512(line, _mm512_and_si512(_mm512_srli_epi64(pair, 9), seven));
        __m512i second = _mm512_or_si512(line, _mm512_and_si512(_mm512_srli_epi64(pair, 18), seven));
        first = _mm512_srlv_epi64(_mm512_i64gather_epi64(first, words->tables.lines, 8),
                                  _mm512_and_si512(_mm512_srli_epi64(pair, 3), within));
        second = _mm512_srlv_epi64(_mm512_i64gather_epi64(second, words->tables.lines, 8),
                                   _mm512_and_si512(_mm512_srli_epi64(pair, 12), within));
        __mmask8 known = _mm512_test_epi64_mask(_mm512_and_si512(first, second), one);
        _mm_storel_epi64((__m128i *)(void *)(words->pair + i), _mm_maskz_set1_epi8(known, 1));
    }
#else
    for (size_t i = 0; i < count; i++)
        words->pair[i] =
            (uint8_t)has_bigram(&words->tables, words->hash[i] * HASH_STEP + words->hash[i + 1]);
#endif
}

/* Looks up the words and the bigrams that they end. */
static inline void find_words(Words *words, const Scan *scan)
{
    const size_t unknown = recall_words(words, scan);
    for (size_t i = 0; i < unknown; i++)
        prefetch(bucket_of(&words->tables, words->hash[words->unknown[i] + 1]));
    find_pairs(words, scan);
    for (size_t i = 0; i < unknown; i++) {
        size_t word = words->unknown[i];
        uint64_t hash = words->hash[word + 1];
        unsigned class = word_zipf(&words->tables, hash) >> 4 & 7;
        unsigned frequent = frequent_word(&words->tables.known, hash);
        words->weight[word + 1] = (uint8_t)class;
        words->frequent[word + 1] = (uint8_t)frequent;
        words->recent[hash >> RECENT_KEY_BITS] = recent_word(hash, class, frequent);
    }
}

/* Goes on with the run of words with the most points. */
static inline void weigh_by(const Words *words, const Scan *scan, const int16_t *items, Salad *salad)
{
    const int8_t *frequent_points = words->tables.frequent_points;
    const uint8_t *frequent = words->frequent;
    int64_t run = salad->run;
    uint32_t run_start = salad->run_start;
    Segment best = salad->best;
    for (size_t i = 0; i < scan->stops; i++) {
        int item = items[words->item[i]], of_both = frequent_points[words->both[i]];
        item = (int)choose((frequent[i] | frequent[i + 1]) < FREQUENT, (uint32_t)of_both, (uint32_t)item);
        run_start = choose(run <= 0, scan->start[i], run_start);
        run = (run & -(int64_t)(run > 0)) + item;
        if (run > best.score)
            best = (Segment){run, run_start, scan->stop[i]};
    }
    *salad = (Salad){run, run_start, best};
}

/* Finds the run of words with the most points. A number or a SINGLE breaks the chain of bigrams. First come
   the places of all points, which compilers turn into vectors. */
static inline void weigh_words(Words *words, const Scan *scan)
{
    const size_t count = scan->stops;
    uint8_t *weight = words->weight, *frequent = words->frequent;
    for (size_t i = 0; i < count; i++) {
        unsigned before = weight[i] < WEIGHT_NUMBER ? weight[i] : WEIGHT_NUMBER;
        words->item[i] = (uint16_t)(before << 5 | (unsigned)weight[i + 1] << 1 | words->pair[i]);
        words->both[i] = (uint16_t)(frequent[i] % FREQUENT * FREQUENT + frequent[i + 1] % FREQUENT);
    }
    for (int k = 0; k < words->tables.weighings; k++)
        weigh_by(words, scan, words->tables.items[k], &words->salads[k]);
    words->hash[0] = words->hash[count];
    weight[0] = weight[count];
    frequent[0] = frequent[count];
}

static void read_words(Words *words, Scan *scan)
{
    hash_words(words, scan);
    find_words(words, scan);
    weigh_words(words, scan);
    for (size_t i = 0; i < scan->stops && words->count + i < HEAD_WORDS; i++)
        words->head = words->head * HASH_STEP + words->hash[i + 1];
    words->count += scan->stops;
    if (scan->seen & (SEEN_CYRILLIC | SEEN_GREEK))
        find_mixed(words, scan);
    scan_drop(scan);
}

#endif
