/* Lists the n-grams of zones of rows, and hashes rows as phrases or bytes. */
#include "kernels.h"
#include "tokens.h"

enum { WORDS_N = 5, SURFACE_N = 3 };

/* The last tokens of a stream, the newest first. */
typedef struct {
    uint64_t hash[WORDS_N];
    uint32_t start[WORDS_N];
    uint8_t kind[WORDS_N];
    int count;
} Recent;

static void remember(Recent *recent, int most, uint64_t hash, uint32_t start, uint8_t kind)
{
    for (int i = most - 1; i > 0; i--) {
        recent->hash[i] = recent->hash[i - 1];
        recent->start[i] = recent->start[i - 1];
        recent->kind[i] = recent->kind[i - 1];
    }
    recent->hash[0] = hash;
    recent->start[0] = start;
    recent->kind[0] = kind;
    recent->count += recent->count < most;
}

/* Hashes met in one entry: open addressing, emptied by a new epoch. */
typedef struct {
    uint64_t *keys;
    uint32_t *epochs;
    size_t room, count;
    uint32_t epoch;
} Seen;

static int seen_room(Seen *seen, size_t room)
{
    uint64_t *keys = malloc(room * sizeof *keys);
    uint32_t *epochs = calloc(room, sizeof *epochs);
    if (!keys || !epochs) {
        free(keys);
        free(epochs);
        return -1;
    }
    for (size_t i = 0; i < seen->room; i++) {
        if (seen->epochs[i] != seen->epoch)
            continue;
        size_t slot = (size_t)(seen->keys[i] >> 16) & (room - 1);
        while (epochs[slot])
            slot = (slot + 1) & (room - 1);
        keys[slot] = seen->keys[i];
        epochs[slot] = seen->epoch;
    }
    free(seen->keys);
    free(seen->epochs);
    seen->keys = keys;
    seen->epochs = epochs;
    seen->room = room;
    return 0;
}

static int seen_next(Seen *seen)
{
    seen->count = 0;
    if (++seen->epoch == 0) {
        memset(seen->epochs, 0, seen->room * sizeof *seen->epochs);
        seen->epoch = 1;
    }
    return seen->room ? 0 : seen_room(seen, 1024);
}

/* 1 when the hash was met before, 0 when it is new, -1 when memory ran out. */
static int seen_before(Seen *seen, uint64_t hash)
{
    size_t slot = (size_t)(hash >> 16) & (seen->room - 1);
    for (; seen->epochs[slot] == seen->epoch; slot = (slot + 1) & (seen->room - 1))
        if (seen->keys[slot] == hash)
            return 1;
    seen->keys[slot] = hash;
    seen->epochs[slot] = seen->epoch;
    return ++seen->count * 2 > seen->room ? seen_room(seen, seen->room * 2) : 0;
}

typedef struct {
    uint64_t hash;
    uint32_t start, end;
    uint8_t n, stream;
} Found;

enum { WAITING = 512 };

typedef struct {
    const NgramInput *input;
    Grown *out;
    Seen seen;
    uint32_t row, taken;
    size_t waiting;
    Found found[WAITING]; /* called for from memory: the buckets are spread over more than caches hold */
} Lister;

static uint8_t *bucket_of(const NgramInput *input, uint64_t hash)
{
    return input->buckets + (hash >> (64 - input->bucket_bits));
}

/* 1 when the entry is full, 0 to go on, -1 when memory ran out. */
static int take(Lister *lister, const Found *found)
{
    const NgramInput *input = lister->input;
    if (lister->taken == input->max_per_row)
        return 1;
    if (input->distinct) {
        int before = seen_before(&lister->seen, found->hash);
        if (before)
            return before < 0 ? -1 : 0;
    }
    lister->taken++;
    if (input->tally) {
        uint8_t *bucket = bucket_of(input, found->hash);
        *bucket += *bucket < 255;
        return 0;
    }
    Grown *out = lister->out;
    if (grow(out, NGRAM_COLUMNS))
        return -1;
    PUSH(out[NGRAM_ROW], uint32_t, lister->row);
    PUSH(out[NGRAM_HASH], uint64_t, found->hash);
    PUSH(out[NGRAM_START], uint32_t, found->start);
    PUSH(out[NGRAM_END], uint32_t, found->end);
    PUSH(out[NGRAM_N], uint8_t, found->n);
    PUSH(out[NGRAM_STREAM], uint8_t, found->stream);
    return 0;
}

/* Takes those that waited for their buckets, in the order in which they were found. */
static int take_waiting(Lister *lister)
{
    const NgramInput *input = lister->input;
    size_t waiting = lister->waiting;
    lister->waiting = 0;
    for (size_t i = 0; i < waiting; i++) {
        const Found *found = lister->found + i;
        if (!input->tally && *bucket_of(input, found->hash) < input->least)
            continue;
        int done = take(lister, found);
        if (done)
            return done;
    }
    return 0;
}

static inline int list(Lister *lister, uint64_t hash, uint32_t start, uint32_t end, int n, int stream)
{
    const NgramInput *input = lister->input;
    if (!(input->kinds >> (hash & 7) & 1))
        return 0;
    Found found = {hash, start, end, (uint8_t)n, (uint8_t)stream};
    if (!input->buckets)
        return take(lister, &found);
    prefetch(bucket_of(input, hash));
    lister->found[lister->waiting++] = found;
    return lister->waiting == WAITING ? take_waiting(lister) : 0;
}

static int list_words(Lister *lister, const Recent *words, uint32_t end)
{
    uint64_t value = 0, power = 1;
    for (int n = 1; n <= words->count; n++) {
        value += words->hash[n - 1] * power;
        power *= HASH_STEP;
        int done = list(lister, (value & ~(uint64_t)7) | (uint64_t)(n - 1), words->start[n - 1], end, n, 0);
        if (done)
            return done;
    }
    return 0;
}

static int list_surface(Lister *lister, const Recent *surface, uint32_t end)
{
    uint64_t value = 0, power = 1;
    int any = 0, all = TOKEN_ASCII_PUNCT;
    for (int n = 1; n <= surface->count; n++) {
        value += surface->hash[n - 1] * power;
        power *= HASH_STEP;
        any |= surface->kind[n - 1] & (TOKEN_PUNCT | TOKEN_CAPITAL);
        all &= surface->kind[n - 1];
        if (!any || all)
            continue;
        uint64_t hash = (value & ~(uint64_t)7) | (uint64_t)(n - 1 + WORDS_N);
        int done = list(lister, hash, surface->start[n - 1], end, n, 1);
        if (done)
            return done;
    }
    return 0;
}

static int list_zone(Lister *lister, Scan *scan, size_t from, size_t end, int surface)
{
    Recent words = {.count = 0}, runs = {.count = 0};
    int more;
    do {
        more = scan_tokens(scan, surface);
        for (size_t i = 0; i < scan->stops; i++) {
            uint32_t start = scan->start[i], stop = scan->stop[i];
            if (start < from || stop > end)
                continue;
            TokenHash hash = hash_token(scan->row + start, stop - start, scan->readable);
            int done = 0;
            uint8_t kind = token_kind(scan, i);
            if (!(kind & TOKEN_PUNCT)) {
                remember(&words, WORDS_N, hash.folded, start, 0);
                done = list_words(lister, &words, stop);
            }
            if (surface && !done) {
                kind |= hash.cases ? TOKEN_CAPITAL : 0;
                remember(&runs, SURFACE_N, exact_hash(&hash), start, kind);
                done = list_surface(lister, &runs, stop);
            }
            if (done)
                return done;
        }
        scan_drop(scan);
    } while (more);
    return take_waiting(lister);
}

int ld50_ngrams(const Column *column, const NgramInput *input, Grown out[NGRAM_COLUMNS])
{
    Scan *scan = malloc(sizeof *scan);
    if (!scan)
        return -1;
    Lister lister = {.input = input, .out = out};
    int failed = 0;
    for (size_t i = 0; i < input->count && failed >= 0; i++) {
        size_t length, from = input->starts[i], end = input->ends[i];
        const uint8_t *row = row_at(column, input->rows[i], &length);
        end = end < length ? end : length;
        if (from >= end)
            continue;
        lister.row = input->rows[i];
        lister.taken = 0;
        lister.waiting = 0;
        if (input->distinct && seen_next(&lister.seen)) {
            failed = -1;
            break;
        }
        scan_start_zone(scan, row, length, from, end, column->data + column->size);
        failed = list_zone(&lister, scan, from, end, (input->kinds & 0xE0) != 0);
    }
    free(lister.seen.keys);
    free(lister.seen.epochs);
    free(scan);
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
