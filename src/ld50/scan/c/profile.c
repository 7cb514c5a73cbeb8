/* Profiles each row: counts, hashes, marks, and its oddest segments. */
#include "variant.h"

#include "kernels.h"
#include "normal.h"
#include "tokens.h"
#include "windows.h"
#include "words.h"

typedef struct {
    const ProfileInput *input;
    Scan scan;
    Normal normal;
    Windows windows;
    Words words;
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
    uint32_t flags = normal_flags(&profiler->normal) | profiler->words.flags;
    return flags | (profiler->scan.seen & ~SEEN_SCRIPTS) | edge_flags(profiler->scan.row, length);
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
    words_start(&profiler->words);
    while (scan->at < length) {
        const uint8_t *block = row + scan->at;
        size_t size = length - scan->at < BLOCK ? length - scan->at : BLOCK;
        if (size < BLOCK) { /* bytes beyond the row must leave no mark */
            memset(room, ' ', BLOCK);
            block = memcpy(room, block, size);
        }
        Masks masks = classify(block);
        high |= masks.high;
        normal_block(&profiler->normal, block, masks, size);
        scan_masks(scan, masks, 0);
        if (scan->stops >= CHUNK)
            read_words(&profiler->words, scan);
        if (profiler->normal.count > NORMAL_ROOM - BLOCK)
            read_windows(&profiler->windows, &profiler->normal, 0);
    }
    scan_end(scan);
    read_words(&profiler->words, scan);
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
    Segment salad = words->salads[0].best;
    if (salad.score > 0) {
        out->salad_score[at] = (float)salad.score;
        out->salad_start[at] = salad.start;
        out->salad_end[at] = salad.end;
    }
    write_windows(profiler, out, at, length);
}

int VARIANT(ld50_profile)(const Column *column, const ProfileInput *input, uint8_t *out)
{
    Profiler *profiler = calloc(1, sizeof *profiler);
    if (!profiler)
        return -1;
    Columns columns = columns_of(out, column->rows);
    profiler->input = input;
    windows_tables(&profiler->windows, input);
    words_tables(&profiler->words.tables, input);
    for (size_t i = 0; i < column->rows; i++) {
        size_t length;
        const uint8_t *row = row_at(column, i, &length);
        read_row(profiler, row, length, column->data + column->size);
        write_row(profiler, &columns, i, length);
    }
    free(profiler);
    return 0;
}
