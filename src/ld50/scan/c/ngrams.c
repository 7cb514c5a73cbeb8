/* Lists the n-grams of zones of rows, and hashes rows as phrases or bytes. */
#include "kernels.h"
#include "tokens.h"

enum { WORDS_N = 5, SURFACE_N = 3, HISTORY = WORDS_N - 1, STREAM_ROOM = HISTORY + SCAN_ROOM };
enum { WAITING = 512, A_TOKEN = WORDS_N + SURFACE_N };

/* The tokens of one stream in a chunk, after the last ones of the chunk before. */
typedef struct {
    uint64_t hash[STREAM_ROOM];
    uint32_t start[STREAM_ROOM];
    uint8_t kind[STREAM_ROOM];
    size_t first, end; /* those of the zone; at most HISTORY are from before */
} Stream;

static void stream_start(Stream *stream)
{
    stream->first = stream->end = HISTORY;
}

static void stream_next(Stream *stream)
{
    size_t dropped = stream->end - HISTORY;
    memmove(stream->hash, stream->hash + dropped, HISTORY * sizeof stream->hash[0]);
    memmove(stream->start, stream->start + dropped, HISTORY * sizeof stream->start[0]);
    memmove(stream->kind, stream->kind + dropped, HISTORY);
    stream->first = stream->first > dropped ? stream->first - dropped : 0;
    stream->end = HISTORY;
}

static inline void stream_add(Stream *stream, uint64_t hash, uint32_t start, uint8_t kind)
{
    stream->hash[stream->end] = hash;
    stream->start[stream->end] = start;
    stream->kind[stream->end++] = kind;
}

/* Hashes met in one entry: open addressing, emptied by a new epoch. */
typedef struct {
    uint64_t hash;
    uint32_t epoch;
} SeenSlot;

typedef struct {
    SeenSlot *slots;
    size_t room, count;
    uint32_t epoch;
} Seen;

static int seen_room(Seen *seen, size_t room)
{
    SeenSlot *slots = calloc(room, sizeof *slots);
    if (!slots)
        return -1;
    for (size_t i = 0; i < seen->room; i++) {
        if (seen->slots[i].epoch != seen->epoch)
            continue;
        size_t slot = (size_t)(seen->slots[i].hash >> 16) & (room - 1);
        while (slots[slot].epoch)
            slot = (slot + 1) & (room - 1);
        slots[slot] = seen->slots[i];
    }
    free(seen->slots);
    seen->slots = slots;
    seen->room = room;
    return 0;
}

static int seen_next(Seen *seen)
{
    seen->count = 0;
    if (++seen->epoch == 0) {
        memset(seen->slots, 0, seen->room * sizeof *seen->slots);
        seen->epoch = 1;
    }
    return seen->room ? 0 : seen_room(seen, 1024);
}

/* 1 when the hash was met before, 0 when it is new, -1 when memory ran out. */
static inline int seen_before(Seen *seen, uint64_t hash)
{
    size_t slot = (size_t)(hash >> 16) & (seen->room - 1);
    for (; seen->slots[slot].epoch == seen->epoch; slot = (slot + 1) & (seen->room - 1))
        if (seen->slots[slot].hash == hash)
            return 1;
    seen->slots[slot].hash = hash;
    seen->slots[slot].epoch = seen->epoch;
    return ++seen->count * 2 > seen->room ? seen_room(seen, seen->room * 2) : 0;
}

typedef struct {
    uint64_t hash;
    uint32_t start, end;
} Found;

typedef struct {
    const NgramInput *input;
    Grown *out;
    Seen seen;
    Scan scan;
    Stream words, surface;
    uint32_t row, taken;
    size_t waiting;
    Found found[WAITING]; /* called for from memory: the buckets are spread over more than caches hold */
} Lister;

static inline uint8_t *bucket_of(const NgramInput *input, uint64_t hash)
{
    return input->buckets + (hash >> (64 - input->bucket_bits));
}

/* Leaves of those that wait the ones in a full enough bucket. */
static size_t of_full_buckets(Lister *lister, size_t waiting)
{
    const NgramInput *input = lister->input;
    size_t kept = 0;
    for (size_t i = 0; i < waiting; i++) {
        lister->found[kept] = lister->found[i];
        kept += *bucket_of(input, lister->found[i].hash) >= input->least;
    }
    return kept;
}

/* Leaves those that the entry did not have before; more than waited when memory ran out. */
static size_t of_new(Lister *lister, size_t waiting)
{
    size_t kept = 0;
    for (size_t i = 0; i < waiting; i++) {
        lister->found[kept] = lister->found[i];
        int before = seen_before(&lister->seen, lister->found[i].hash);
        if (before < 0)
            return WAITING + 1;
        kept += !before;
    }
    return kept;
}

static void tally(Lister *lister, size_t waiting)
{
    for (size_t i = 0; i < waiting; i++) {
        uint8_t *bucket = bucket_of(lister->input, lister->found[i].hash);
        *bucket = (uint8_t)(*bucket + (*bucket < 255));
    }
}

static int put_out(Lister *lister, size_t waiting)
{
    Grown *out = lister->out;
    const int columns = lister->input->placed ? NGRAM_COLUMNS : NGRAM_START;
    if (grow_by(out, columns, waiting))
        return -1;
    uint32_t *rows = (uint32_t *)(void *)out[NGRAM_ROW].data + out[NGRAM_ROW].count;
    uint64_t *hashes = (uint64_t *)(void *)out[NGRAM_HASH].data + out[NGRAM_HASH].count;
    for (size_t i = 0; i < waiting; i++) {
        rows[i] = lister->row;
        hashes[i] = lister->found[i].hash;
    }
    if (lister->input->placed) {
        uint32_t *starts = (uint32_t *)(void *)out[NGRAM_START].data + out[NGRAM_START].count;
        uint32_t *ends = (uint32_t *)(void *)out[NGRAM_END].data + out[NGRAM_END].count;
        for (size_t i = 0; i < waiting; i++) {
            starts[i] = lister->found[i].start;
            ends[i] = lister->found[i].end;
        }
    }
    for (int column = 0; column < columns; column++)
        out[column].count += waiting;
    return 0;
}

/* Takes those that wait, in the order in which they were found: 1 when the entry is full, 0 to go on, -1
   when memory ran out. */
static int take_waiting(Lister *lister)
{
    const NgramInput *input = lister->input;
    size_t waiting = lister->waiting;
    lister->waiting = 0;
    if (input->buckets && !input->tally)
        waiting = of_full_buckets(lister, waiting);
    if (input->distinct)
        waiting = of_new(lister, waiting);
    if (waiting > WAITING)
        return -1;
    const size_t most = input->max_per_row - lister->taken;
    const int full = waiting > most;
    if (full)
        waiting = most;
    lister->taken += (uint32_t)waiting;
    if (input->tally)
        tally(lister, waiting);
    else if (put_out(lister, waiting))
        return -1;
    return full;
}

/* Lists an n-gram, if it is one of those asked for. */
static inline void list(Lister *lister, int yes, uint64_t hash, uint32_t start, uint32_t end)
{
    const NgramInput *input = lister->input;
    Found found = {hash, start, end};
    lister->found[lister->waiting] = found;
    lister->waiting += (size_t)yes & (input->kinds >> (hash & 7) & 1);
    if (input->buckets)
        prefetch(bucket_of(input, hash));
}

/* Lists the n-grams that end in the last word. */
static inline void list_words(Lister *lister, uint32_t end)
{
    const Stream *words = &lister->words;
    const size_t last = words->end - 1, there = words->end - words->first;
    const int most = there < WORDS_N ? (int)there : WORDS_N;
    uint64_t value = 0, power = 1;
    for (int n = 0; n < most; n++) {
        value += words->hash[last - (size_t)n] * power;
        power *= HASH_STEP;
        list(lister, 1, (value & ~(uint64_t)7) | (uint64_t)n, words->start[last - (size_t)n], end);
    }
}

static inline void list_surface(Lister *lister, uint32_t end)
{
    const Stream *surface = &lister->surface;
    const size_t last = surface->end - 1, there = surface->end - surface->first;
    const int most = there < SURFACE_N ? (int)there : SURFACE_N;
    uint64_t value = 0, power = 1;
    int any = 0, all = TOKEN_ASCII_PUNCT;
    for (int n = 0; n < most; n++) {
        value += surface->hash[last - (size_t)n] * power;
        power *= HASH_STEP;
        any |= surface->kind[last - (size_t)n] & (TOKEN_PUNCT | TOKEN_CAPITAL);
        all &= surface->kind[last - (size_t)n];
        uint32_t start = surface->start[last - (size_t)n];
        int as_one = n > 0 && surface->start[last] - start == (uint32_t)n;
        uint64_t hash = (value & ~(uint64_t)7) | (uint64_t)(n + WORDS_N);
        list(lister, any && (!all || as_one), hash, start, end);
    }
}

static int list_zone(Lister *lister, size_t from, size_t end, int with_surface)
{
    Scan *scan = &lister->scan;
    int more;
    stream_start(&lister->words);
    stream_start(&lister->surface);
    do {
        more = scan_tokens(scan, with_surface);
        for (size_t i = 0; i < scan->stops; i++) {
            uint32_t start = scan->start[i], stop = scan->stop[i];
            if (start < from || stop > end)
                continue;
            TokenHash hash = hash_token(scan->row + start, stop - start, scan->readable);
            uint8_t kind = token_kind(scan, i);
            if (!(kind & TOKEN_PUNCT)) {
                stream_add(&lister->words, hash.folded, start, 0);
                list_words(lister, stop);
            }
            if (with_surface) {
                kind |= hash.cases ? TOKEN_CAPITAL : 0;
                stream_add(&lister->surface, exact_hash(&hash), start, kind);
                list_surface(lister, stop);
            }
            if (lister->waiting + A_TOKEN > WAITING) {
                int done = take_waiting(lister);
                if (done)
                    return done;
            }
        }
        scan_drop(scan);
        stream_next(&lister->words);
        stream_next(&lister->surface);
    } while (more);
    return take_waiting(lister);
}

int ld50_ngrams(const Column *column, const NgramInput *input, Grown out[NGRAM_COLUMNS])
{
    Lister *lister = calloc(1, sizeof *lister);
    if (!lister)
        return -1;
    lister->input = input;
    lister->out = out;
    int failed = 0;
    for (size_t i = 0; i < input->count && failed >= 0; i++) {
        size_t length, from = input->starts[i], end = input->ends[i];
        const uint8_t *row = row_at(column, input->rows[i], &length);
        end = end < length ? end : length;
        if (from >= end)
            continue;
        lister->row = input->rows[i];
        lister->taken = 0;
        lister->waiting = 0;
        if (input->distinct && seen_next(&lister->seen)) {
            failed = -1;
            break;
        }
        scan_start_zone(&lister->scan, row, length, from, end, column->data + column->size);
        failed = list_zone(lister, from, end, (input->kinds & 0xE0) != 0);
    }
    free(lister->seen.slots);
    free(lister);
    return failed < 0 ? -1 : 0;
}

int ld50_phrase_hashes(const Column *column, int stream, uint64_t *out)
{
    Scan *scan = malloc(sizeof *scan);
    if (!scan)
        return -1;
    const size_t most = stream ? SURFACE_N : WORDS_N;
    const uint64_t base = stream ? WORDS_N : 0;
    for (size_t i = 0; i < column->rows; i++) {
        size_t length, count = 0;
        const uint8_t *row = row_at(column, i, &length);
        uint64_t value = 0;
        int more;
        scan_start(scan, row, 0, length, column->data + column->size);
        do {
            more = scan_tokens(scan, stream);
            for (size_t k = 0; k < scan->stops && count <= most; k++, count++) {
                TokenHash hash =
                    hash_token(row + scan->start[k], scan->stop[k] - scan->start[k], scan->readable);
                value = value * HASH_STEP + (stream ? exact_hash(&hash) : hash.folded);
            }
            scan_drop(scan);
        } while (more && count <= most);
        out[i] = count && count <= most ? (value & ~(uint64_t)7) | (base + count - 1) : 0;
    }
    free(scan);
    return 0;
}

void ld50_bytes_hashes(const Column *column, uint64_t *out)
{
    for (size_t i = 0; i < column->rows; i++) {
        size_t length;
        const uint8_t *row = row_at(column, i, &length);
        out[i] = bytes_hash(row, length);
    }
}
