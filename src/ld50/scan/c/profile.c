/* Profiles each row: counts, hashes, marks, and its oddest segments. */
#include "variant.h"

#include "kernels.h"
#include "normal.h"
#include "tokens.h"
#include "windows.h"

enum { HEAD_WORDS = 8 };
/* What a word weighs by: its class, or one of these and whatever its class is. */
enum { WEIGHT_NUMBER = 8, WEIGHT_SINGLE = 16 };

/* The words of a row as they come. */
typedef struct {
    uint64_t count, head;
    uint64_t before; /* hash of the word before */
    unsigned last;   /* class of the word before; 8: no pair begins with it */
    unsigned last_frequent; /* its number among the frequent words, or NOT_FREQUENT */
    uint32_t flags;
    int64_t run;
    uint32_t run_start;
    Segment salad;
} Words;

typedef struct {
    const ProfileInput *input;
    const uint32_t *table; /* of words */
    size_t table_mask;
    int table_shift;
    const uint64_t *lines; /* of bigrams */
    int line_shift;
    uint64_t two_lines[16];
    const uint64_t *frequent_slots;
    const int8_t *frequent_points;
    /* Points of a word by what it is and what the word before is, each a class or 8 for what breaks the
       chain: before << 5 | word << 1 | pair known. */
    int16_t items[9 * 32];
    Scan scan;
    Normal normal;
    Windows windows;
    Words words;
    uint64_t hash[SCAN_ROOM];
    uint8_t weight[SCAN_ROOM], pair[SCAN_ROOM], frequent[SCAN_ROOM];
} Profiler;

/* The columns of the result. */
typedef struct {
    uint64_t *hash, *head_hash;
    uint32_t *words, *flags;
    float *bits_per_byte, *noise_score;
    uint32_t *noise_start, *noise_end;
    float *salad_score;
    uint32_t *salad_start, *salad_end;
    float *switch_score;
    uint32_t *switch_start, *switch_end;
    uint8_t *lead_lane, *document_lane, *switch_lane;
} Columns;

static Columns columns_of(uint8_t *out, size_t rows)
{
    Columns columns;
    uint64_t *wide = (uint64_t *)(void *)out;
    uint32_t *plain = (uint32_t *)(void *)(wide + 2 * rows);
    uint8_t *narrow = (uint8_t *)(plain + 12 * rows);
    columns.hash = wide;
    columns.head_hash = wide + rows;
    columns.words = plain;
    columns.flags = plain + rows;
    columns.bits_per_byte = (float *)(void *)(plain + 2 * rows);
    columns.noise_score = (float *)(void *)(plain + 3 * rows);
    columns.noise_start = plain + 4 * rows;
    columns.noise_end = plain + 5 * rows;
    columns.salad_score = (float *)(void *)(plain + 6 * rows);
    columns.salad_start = plain + 7 * rows;
    columns.salad_end = plain + 8 * rows;
    columns.switch_score = (float *)(void *)(plain + 9 * rows);
    columns.switch_start = plain + 10 * rows;
    columns.switch_end = plain + 11 * rows;
    columns.lead_lane = narrow;
    columns.document_lane = narrow + rows;
    columns.switch_lane = narrow + 2 * rows;
    return columns;
}

/* Words */

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

static inline const uint32_t *bucket_of(const Profiler *profiler, uint64_t hash)
{
    return profiler->table + (hash >> profiler->table_shift) * 4;
}

static inline const uint64_t *line_of(const Profiler *profiler, uint64_t hash)
{
    return profiler->lines + (hash >> profiler->line_shift) * 8;
}

/* Buckets of four that are filled from the first; one with room ends the search. */
static inline unsigned word_zipf(const Profiler *profiler, uint64_t hash)
{
    const uint32_t *entry = bucket_of(profiler, hash), tag = (uint32_t)(hash >> 8) & 0xFFFFFF;
    unsigned found = equal_tags(entry, tag);
    for (size_t tried = 4; !(found | !entry[3]) && tried <= profiler->table_mask; tried += 4) {
        entry = profiler->table + ((size_t)(entry - profiler->table + 4) & profiler->table_mask);
        found = equal_tags(entry, tag);
    }
    return entry[lowest(found | 8)] & 0xFF & (0u - (unsigned)(found != 0));
}

static inline int has_bigram(const Profiler *profiler, uint64_t hash)
{
    const uint64_t *line = line_of(profiler, hash);
    return (int)(line[hash >> 9 & 7] >> (hash >> 3 & 63) & line[hash >> 18 & 7] >> (hash >> 12 & 63) & 1);
}

/* The number of a word among the frequent ones. Nearly all slots are empty, so one look ends most searches. */
static inline unsigned frequent_word(const Profiler *profiler, uint64_t hash)
{
    const uint64_t *slots = profiler->frequent_slots;
    uint64_t key = hash & ~(uint64_t)7;
    size_t slot = hash >> (64 - FREQUENT_BITS);
    while (slots[slot] && slots[slot] != key)
        slot = (slot + 1) & (FREQUENT_SLOTS - 1);
    return slots[slot] ? profiler->input->frequent_number[slot] : NOT_FREQUENT;
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

static void find_mixed(Profiler *profiler)
{
    const Scan *scan = &profiler->scan;
    for (size_t i = 0; i < scan->stops; i++)
        if (!(token_kind(scan, i) & TOKEN_SINGLE))
            profiler->words.flags |= mixed_scripts(scan->row + scan->start[i], scan->stop[i] - scan->start[i]);
}

/* Hashes the words, and calls for the table entries that they will be looked up in: those are spread over
   more memory than the near caches hold. */
static inline void hash_words(Profiler *profiler)
{
    const Scan *scan = &profiler->scan;
    const uint8_t *row = scan->row, *readable = scan->readable;
    uint64_t before = profiler->words.before;
    for (size_t i = 0; i < scan->stops; i++) {
        uint32_t start = scan->start[i];
        TokenHash hash = hash_token(row + start, scan->stop[i] - start, readable);
        profiler->hash[i] = hash.folded;
        profiler->weight[i] = (uint8_t)((scan->kind[i] & TOKEN_SINGLE) * (WEIGHT_SINGLE / TOKEN_SINGLE) |
                                        hash.digit * WEIGHT_NUMBER);
        prefetch(bucket_of(profiler, hash.folded));
        prefetch(line_of(profiler, before * HASH_STEP + hash.folded));
        before = hash.folded;
    }
}

/* Looks up the words and the bigrams that they end. */
static inline void find_words(Profiler *profiler)
{
    const size_t count = profiler->scan.stops;
    uint64_t before = profiler->words.before;
    for (size_t i = 0; i < count; i++)
        profiler->weight[i] |= (uint8_t)(word_zipf(profiler, profiler->hash[i]) >> 4 & 7);
    for (size_t i = 0; i < count; i++) {
        uint64_t hash = profiler->hash[i];
        profiler->pair[i] = (uint8_t)has_bigram(profiler, before * HASH_STEP + hash);
        before = hash;
    }
    profiler->words.before = before;
    for (size_t i = 0; i < count; i++)
        profiler->frequent[i] = (uint8_t)frequent_word(profiler, profiler->hash[i]);
}

/* Finds the run of words with the most points. A number or a SINGLE breaks the chain of bigrams. */
static inline void weigh_words(Profiler *profiler)
{
    const Scan *scan = &profiler->scan;
    Words *words = &profiler->words;
    int64_t run = words->run;
    uint32_t run_start = words->run_start;
    unsigned last = words->last, last_frequent = words->last_frequent;
    const int8_t *frequent_points = profiler->frequent_points;
    Segment best = words->salad;
    for (size_t i = 0; i < scan->stops; i++) {
        unsigned weight = profiler->weight[i];
        /* 8: a number, 9: a SINGLE. */
        unsigned word = choose(weight < WEIGHT_NUMBER, weight, 8 + (weight >= WEIGHT_SINGLE));
        int item = profiler->items[last << 5 | word << 1 | profiler->pair[i]];
        unsigned frequent = word < 8 ? profiler->frequent[i] : NOT_FREQUENT;
        int of_both = frequent_points[(last_frequent % FREQUENT) * FREQUENT + frequent % FREQUENT];
        item = choose((last_frequent | frequent) < FREQUENT, of_both, item);
        last_frequent = frequent;
        last = word < 8 ? word : 8;
        run_start = choose(run <= 0, scan->start[i], run_start);
        run = (run & -(int64_t)(run > 0)) + item;
        if (run > best.score)
            best = (Segment){run, run_start, scan->stop[i]};
    }
    words->last = last;
    words->last_frequent = last_frequent;
    words->run = run;
    words->run_start = run_start;
    words->salad = best;
}

static void read_words(Profiler *profiler)
{
    hash_words(profiler);
    find_words(profiler);
    weigh_words(profiler);
    Words *words = &profiler->words;
    for (size_t i = 0; i < profiler->scan.stops && words->count + i < HEAD_WORDS; i++)
        words->head = words->head * HASH_STEP + profiler->hash[i];
    words->count += profiler->scan.stops;
    if (profiler->scan.seen & (SEEN_CYRILLIC | SEEN_GREEK))
        find_mixed(profiler);
    scan_drop(&profiler->scan);
}

/* Marks */

static int ends_with_terminal(const uint8_t *row, size_t length)
{
    static const char *const terminals[] = {
        "\xE2\x80\xA6", /* ellipsis */
        "\xE2\x80\x9D", "\xE2\x80\x99", /* closing double and single quotes */
        "\xC2\xBB",                     /* closing guillemet */
        "\xE3\x80\x82", "\xEF\xBC\x81", "\xEF\xBC\x9F", /* wide . ! ? */
        "\xEF\xBC\x9B", "\xEF\xBC\x9A",                 /* wide ; : */
        "\xEF\xBC\x89", "\xE3\x80\x91", "\xE3\x80\x8D", "\xE3\x80\x8F", /* wide ) and brackets */
    };
    switch (row[length - 1]) {
    case '.': case '!': case '?': case ':': case ';': case ')': case ']': case '}': case '>': case '"': case '\'':
        return 1;
    }
    if (row[length - 1] < 0x80)
        return 0;
    for (size_t i = 0; i < sizeof terminals / sizeof *terminals; i++) {
        size_t size = strlen(terminals[i]);
        if (length >= size && !memcmp(row + length - size, terminals[i], size))
            return 1;
    }
    return 0;
}

static uint32_t edge_flags(const uint8_t *row, size_t length)
{
    uint32_t flags = 0;
    size_t first = 0, end = length;
    while (first < end && is_ascii_space(row[first]))
        first++;
    while (end > first && is_ascii_space(row[end - 1]))
        end--;
    if (first > 0)
        flags |= FLAG_LEADING_SPACE;
    if (length && is_ascii_space(row[length - 1]))
        flags |= FLAG_TRAILING_SPACE;
    if (first == end)
        return flags;
    if ((uint8_t)(row[first] - 'a') < 26)
        flags |= FLAG_STARTS_LOWERCASE;
    if (!ends_with_terminal(row + first, end - first))
        flags |= FLAG_NO_TERMINAL;
    return flags;
}

static uint32_t row_flags(const Profiler *profiler, size_t length)
{
    const Normal *normal = &profiler->normal;
    uint32_t flags = normal->flags | profiler->words.flags | (profiler->scan.seen & ~SEEN_SCRIPTS);
    if (normal->lower && !normal->upper)
        flags |= FLAG_NO_UPPERCASE;
    if (normal->upper && !normal->lower)
        flags |= FLAG_ALL_UPPERCASE;
    return flags | edge_flags(profiler->scan.row, length);
}

/* Rows */

/* Widens a span so that it cuts no UTF-8 sequence. */
static Segment whole_characters(const uint8_t *row, size_t length, Segment segment)
{
    for (int i = 0; i < 3; i++) {
        if (segment.start > 0 && (row[segment.start] & 0xC0) == 0x80)
            segment.start--;
        if (segment.end < length && (row[segment.end] & 0xC0) == 0x80)
            segment.end++;
    }
    return segment;
}

static void write_windows(const Profiler *profiler, const Columns *out, size_t at, size_t length)
{
    const Windows *windows = &profiler->windows;
    const uint8_t *row = profiler->scan.row;
    out->lead_lane[at] = out->document_lane[at] = out->switch_lane[at] = NO_LANE;
    if (windows->lead < 0)
        return;
    out->bits_per_byte[at] = (float)((double)windows->best_bits / 16.0 / (double)windows->bytes);
    out->lead_lane[at] = (uint8_t)windows->lead;
    out->document_lane[at] = (uint8_t)windows->lead;
    if (windows->longer)
        out->document_lane[at] = (uint8_t)cheapest(windows->total, profiler->input->languages);
    if (windows->noise.score > 0) {
        Segment noise = whole_characters(row, length, windows->noise);
        out->noise_score[at] = (float)((double)noise.score / 16.0);
        out->noise_start[at] = noise.start;
        out->noise_end[at] = noise.end;
    }
    if (!windows->ever_active)
        return;
    int best = 0;
    for (int lane = 1; lane < LANES; lane++)
        if (windows->best[lane] > windows->best[best])
            best = lane;
    if (windows->best[best] > 0) {
        Segment found = {windows->best[best], windows->best_start[best], windows->best_end[best]};
        found = whole_characters(row, length, found);
        out->switch_lane[at] = (uint8_t)best;
        out->switch_score[at] = (float)((double)found.score / 16.0);
        out->switch_start[at] = found.start;
        out->switch_end[at] = found.end;
    }
}

static void read_row(Profiler *profiler, const uint8_t *row, size_t length, const uint8_t *readable)
{
    Scan *scan = &profiler->scan;
    uint8_t room[BLOCK];
    uint64_t high = 0;
    scan_start(scan, row, 0, length, readable);
    normal_start(&profiler->normal);
    windows_start(&profiler->windows);
    memset(&profiler->words, 0, sizeof profiler->words);
    profiler->words.last = 8;
    profiler->words.last_frequent = NOT_FREQUENT;
    while (scan->at < length) {
        const uint8_t *block = scan_block(scan, room);
        Masks masks = classify(block);
        size_t size = length - scan->at < BLOCK ? length - scan->at : BLOCK;
        high |= masks.high & first_bits(size);
        normal_block(&profiler->normal, block, masks, size);
        scan_masks(scan, masks, 0);
        if (scan->stops >= CHUNK)
            read_words(profiler);
        if (profiler->normal.count > NORMAL_ROOM - BLOCK)
            read_windows(&profiler->windows, &profiler->normal, 0);
    }
    scan_end(scan);
    read_words(profiler);
    read_windows(&profiler->windows, &profiler->normal, 1);
    if (profiler->windows.lead < 0 && profiler->windows.lead_count)
        decide_lead(&profiler->windows);
    profiler->words.flags |= high ? FLAG_NON_ASCII : 0;
}

static void write_row(Profiler *profiler, const Columns *out, size_t at, size_t length)
{
    const Words *words = &profiler->words;
    const Normal *normal = &profiler->normal;
    Windows *windows = &profiler->windows;
    uint64_t head_words = words->count < HEAD_WORDS ? words->count : HEAD_WORDS;
    out->hash[at] = bytes_hash_end(&windows->hash, normal->text + windows->hash_at,
                                   normal->count - windows->hash_at);
    out->head_hash[at] = head_words ? mix(words->head + head_words * HASH_M1) : 0;
    out->words[at] = (uint32_t)words->count;
    out->flags[at] = row_flags(profiler, length);
    if (words->salad.score > 0) {
        out->salad_score[at] = (float)words->salad.score;
        out->salad_start[at] = words->salad.start;
        out->salad_end[at] = words->salad.end;
    }
    write_windows(profiler, out, at, length);
}

static int bits_of_size(size_t size)
{
    int bits = 0;
    while ((size_t)1 << (bits + 1) <= size)
        bits++;
    return bits;
}

/* Sets up the tables; one that is missing becomes one in which nothing is found. */
static void set_tables(Profiler *profiler, const ProfileInput *input)
{
    static const uint32_t no_words[8];
    static const uint64_t no_slots[FREQUENT_SLOTS];
    static const int8_t no_points[FREQUENT * FREQUENT];
    size_t slots = input->word_slots ? input->word_slots : 8;
    size_t lines = input->bigram_words / 8;
    profiler->input = profiler->windows.input = input;
    profiler->table = input->word_slots ? input->words : no_words;
    profiler->table_mask = slots - 1;
    profiler->table_shift = 64 - bits_of_size(slots / 4);
    profiler->lines = input->bigrams;
    if (lines < 2) { /* so that the shift is less than 64 */
        for (int i = 0; i < 16 && lines; i++)
            profiler->two_lines[i] = input->bigrams[i & 7];
        profiler->lines = profiler->two_lines;
    }
    profiler->line_shift = 64 - bits_of_size(lines < 2 ? 2 : lines);
    for (int at = 0; at < 9 * 32; at++) {
        int before = at >> 5, word = at >> 1 & 15;
        int point = before < 8 ? before << 4 | (at & 15) : POINTS_FIRST + word;
        if (word >= 8)
            point = word == 8 ? POINTS_NUMBER : POINTS_NUMBER + 1;
        profiler->items[at] = input->points[point];
    }
    profiler->frequent_slots = input->frequent ? input->frequent : no_slots;
    profiler->frequent_points = input->frequent ? input->frequent_points : no_points;
    windows_tables(&profiler->windows);
}

int VARIANT(ld50_profile)(const Column *column, const ProfileInput *input, uint8_t *out)
{
    Profiler *profiler = calloc(1, sizeof *profiler);
    if (!profiler)
        return -1;
    Columns columns = columns_of(out, column->rows);
    set_tables(profiler, input);
    for (size_t i = 0; i < column->rows; i++) {
        size_t length;
        const uint8_t *row = row_at(column, i, &length);
        read_row(profiler, row, length, column->data + column->size);
        write_row(profiler, &columns, i, length);
    }
    free(profiler);
    return 0;
}
