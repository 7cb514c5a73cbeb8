/* Counts in how many rows each candidate n-gram occurs. */
#include "variant.h"

#include "kernels.h"
#include "tokens.h"

enum { WORDS_N = 5, SURFACE_N = 3, HISTORY = WORDS_N - 1, STREAM_ROOM = HISTORY + SCAN_ROOM };

/* The n-grams of a row are remembered in so many places, which fit into the first cache. */
enum { RECENT_LEAST = 16, RECENT_MOST = 2048 };

/* One stream of a chunk, after the last tokens of the chunk before. */
typedef struct {
    uint64_t hash[STREAM_ROOM];
    uint32_t key[STREAM_ROOM]; /* the low half of the hash */
    uint32_t start[STREAM_ROOM], stop[STREAM_ROOM];
    uint8_t kind[STREAM_ROOM];
    size_t count; /* new ones, after HISTORY */
    size_t first; /* the first token of the zone, at most HISTORY */
} Stream;

typedef struct {
    const CountInput *input;
    Grown *out;
    uint32_t row, *met; /* met[id] = row + 1: counted for this row */
    Scan scan;
    Stream words, surface;
    uint64_t recent[RECENT_MOST]; /* hashes of n-grams of this row, each where its bits choose */
    uint64_t recent_mask;
    uint32_t hits[STREAM_ROOM * WORDS_N + 16]; /* n-grams that passed the filter: last token * 8 + n - 1 */
    uint64_t hashes[STREAM_ROOM * WORDS_N]; /* of those */
    uint32_t ids[STREAM_ROOM * WORDS_N];    /* and what they may be: id + 1 */
    size_t found;
} Counter;

static void stream_start(Stream *stream)
{
    stream->count = 0;
    stream->first = HISTORY;
    memset(stream->key, 0, HISTORY * sizeof stream->key[0]);
    memset(stream->kind, 0, HISTORY);
}

static void stream_next(Stream *stream)
{
    size_t count = stream->count, first = stream->first;
    memmove(stream->hash, stream->hash + count, HISTORY * sizeof stream->hash[0]);
    memmove(stream->key, stream->key + count, HISTORY * sizeof stream->key[0]);
    memmove(stream->start, stream->start + count, HISTORY * sizeof stream->start[0]);
    memmove(stream->kind, stream->kind + count, HISTORY);
    stream->first = first > count ? first - count : 0;
    stream->count = 0;
}

/* Where the next token of a stream goes. */
typedef struct {
    size_t word, run;
} Next;

/* Adds one token to the streams it belongs to. */
static inline void take_token(Counter *counter, Next *next, size_t i, int surface)
{
    const Scan *scan = &counter->scan;
    uint32_t start = scan->start[i], stop = scan->stop[i];
    TokenHash hash = hash_token(scan->row + start, stop - start, scan->readable);
    Stream *words = &counter->words, *runs = &counter->surface;
    words->hash[next->word] = hash.folded;
    words->key[next->word] = (uint32_t)hash.folded;
    words->start[next->word] = start;
    words->stop[next->word] = stop;
    if (!surface) {
        next->word++;
        return;
    }
    uint64_t exact = exact_hash(&hash);
    uint8_t kind = token_kind(scan, i);
    runs->hash[next->run] = exact;
    runs->key[next->run] = (uint32_t)exact;
    runs->kind[next->run++] = (uint8_t)(kind | (hash.cases != 0) * TOKEN_CAPITAL);
    next->word += !(kind & TOKEN_PUNCT);
}

#ifdef LD50_EIGHT
/* The kinds of 8 tokens, as token_kind. */
static inline __m128i kinds_of(const Scan *scan, size_t i, __m128i first)
{
    __m512i low = _mm512_loadu_si512(ld50_ascii_kinds), high = _mm512_loadu_si512(ld50_ascii_kinds + 64);
    __m512i found = _mm512_permutex2var_epi8(low, _mm512_castsi128_si512(first), high);
    __m128i ascii = _mm_maskz_mov_epi8((__mmask16)~_mm_movepi8_mask(first), _mm512_castsi512_si128(found));
    return _mm_or_si128(ascii, _mm_loadl_epi64((const __m128i *)(const void *)(scan->kind + i)));
}

/* Adds up to 8 tokens; the first that is larger than 16 bytes, and all after it, are left. */
static inline size_t take_eight(Counter *counter, Next *next, size_t i, size_t last, int surface)
{
    const Scan *scan = &counter->scan;
    Stream *words = &counter->words, *runs = &counter->surface;
    __mmask8 taken = (__mmask8)first_bits(last - i);
    __m256i starts = _mm256_maskz_loadu_epi32(taken, scan->start + i);
    __m256i stops = _mm256_maskz_loadu_epi32(taken, scan->stop + i);
    EightHashes hashes = hash_eight(scan->row, starts, _mm256_sub_epi32(stops, starts));
    __m128i kinds = kinds_of(scan, i, hashes.bytes);
    taken &= (__mmask8)(hashes.large - 1) & (__mmask8)~hashes.large;
    __mmask8 word = taken;
    if (surface) {
        __mmask8 capital = _mm512_test_epi64_mask(hashes.cases, hashes.cases);
        __m512i cases = _mm512_mullo_epi64(hashes.cases, _mm512_set1_epi64((int64_t)HASH_M5));
        __m512i exact = _mm512_add_epi64(hashes.folded, cases);
        _mm512_storeu_si512(runs->hash + next->run, exact);
        _mm256_storeu_si256((__m256i *)(void *)(runs->key + next->run), _mm512_cvtepi64_epi32(exact));
        _mm_storel_epi64((__m128i *)(void *)(runs->kind + next->run),
                         _mm_or_si128(kinds, _mm_maskz_set1_epi8(capital, TOKEN_CAPITAL)));
        next->run += popcount(taken);
        word &= (__mmask8)_mm_testn_epi8_mask(kinds, _mm_set1_epi8(TOKEN_PUNCT));
    }
    __m512i folded = _mm512_maskz_compress_epi64(word, hashes.folded);
    _mm512_storeu_si512(words->hash + next->word, folded);
    _mm256_storeu_si256((__m256i *)(void *)(words->key + next->word), _mm512_cvtepi64_epi32(folded));
    starts = _mm256_maskz_compress_epi32(word, starts);
    stops = _mm256_maskz_compress_epi32(word, stops);
    _mm256_storeu_si256((__m256i *)(void *)(words->start + next->word), starts);
    _mm256_storeu_si256((__m256i *)(void *)(words->stop + next->word), stops);
    next->word += popcount(word);
    return popcount(taken);
}
#endif

/* Hashes the complete tokens of the scan into the two streams. */
static inline void take_tokens(Counter *counter, int surface)
{
    const Scan *scan = &counter->scan;
    Stream *words = &counter->words, *runs = &counter->surface;
    Next next = {HISTORY, HISTORY};
    const size_t count = scan->stops;
    size_t i = 0;
#ifdef LD50_EIGHT
    while (i < count && can_hash_eight(scan, i)) {
        size_t taken = take_eight(counter, &next, i, count, surface);
        i += taken;
        if (taken < 8 && i < count)
            take_token(counter, &next, i++, surface);
    }
#endif
    for (; i < count; i++)
        take_token(counter, &next, i, surface);
    if (surface && counter->input->placed)
        memcpy(runs->stop + HISTORY, scan->stop, count * sizeof runs->stop[0]);
    if (surface) { /* otherwise only what the next chunk asks for, as the near cache is full */
        size_t from = counter->input->placed || count < HISTORY ? 0 : count - HISTORY;
        memcpy(runs->start + HISTORY + from, scan->start + from, (count - from) * sizeof runs->start[0]);
    }
    words->count = next.word - HISTORY;
    runs->count = next.run - HISTORY;
}

/* The powers of the step that n-grams are hashed with; the low halves suffice for the filter. */
static const uint32_t powers[WORDS_N] = {
    1,
    (uint32_t)HASH_STEP,
    (uint32_t)(HASH_STEP * HASH_STEP),
    (uint32_t)(HASH_STEP * HASH_STEP * HASH_STEP),
    (uint32_t)(HASH_STEP * HASH_STEP * HASH_STEP * HASH_STEP),
};

#ifdef __AVX2__
/* What one instruction does too, which takes longer than these. */
static inline __m256i gather(const uint32_t *from, __m256i places)
{
    const int *table = (const int *)(const void *)from;
    uint64_t a = (uint64_t)_mm256_extract_epi64(places, 0), b = (uint64_t)_mm256_extract_epi64(places, 1);
    uint64_t c = (uint64_t)_mm256_extract_epi64(places, 2), d = (uint64_t)_mm256_extract_epi64(places, 3);
    return _mm256_setr_epi32(table[(uint32_t)a], table[a >> 32], table[(uint32_t)b], table[b >> 32],
                             table[(uint32_t)c], table[c >> 32], table[(uint32_t)d], table[d >> 32]);
}
#endif

/* Probes 8 tokens at a time: bit k of `out[n - 1]` says that the n-gram which ends in token k may be a
   candidate. By the low half of its hash: the top bits choose a word, and two bits of it must be set. */
#ifdef __AVX2__
static inline void probe(const CountInput *input, const uint32_t *key, int longest, unsigned *out)
{
    const __m128i shift = _mm_cvtsi32_si128(32 - input->filter_bits);
    const __m256i within = _mm256_set1_epi32(31);
    __m256i value = _mm256_setzero_si256();
    for (int n = 1; n <= longest; n++) {
        __m256i keys = _mm256_loadu_si256((const __m256i *)(const void *)(key - (n - 1)));
        value = _mm256_add_epi32(value, _mm256_mullo_epi32(keys, _mm256_set1_epi32((int)powers[n - 1])));
        __m256i word = gather(input->filter, _mm256_srl_epi32(value, shift));
        __m256i first = _mm256_srlv_epi32(word, _mm256_and_si256(_mm256_srli_epi32(value, 3), within));
        __m256i second = _mm256_srlv_epi32(word, _mm256_and_si256(_mm256_srli_epi32(value, 8), within));
        __m256i both = _mm256_slli_epi32(_mm256_and_si256(first, second), 31);
        out[n - 1] = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(both));
    }
}
#else
static inline void probe(const CountInput *input, const uint32_t *key, int longest, unsigned *out)
{
    const int shift = 32 - input->filter_bits;
    uint32_t value[8] = {0};
    for (int n = 1; n <= longest; n++) {
        unsigned found = 0;
        for (int k = 0; k < 8; k++)
            value[k] += key[k - (n - 1)] * powers[n - 1];
        for (int k = 0; k < 8; k++) {
            uint32_t word = input->filter[value[k] >> shift];
            found |= (word >> (value[k] >> 3 & 31) & word >> (value[k] >> 8 & 31) & 1) << k;
        }
        out[n - 1] = found;
    }
}
#endif

/* Lists the n-grams found; 8 bits for each n. A few at a time without branches, as no CPU foresees how many
   there are; what is listed too much is written over. */
#ifdef LD50_EIGHT
static inline void keep_hits(Counter *counter, size_t at, uint64_t found)
{
    /* Place of a bit: n - 1, then token. Of a hit: token, then n - 1. */
    static const uint64_t by_token[8] = {
        0x3830282018100800, 0x3931292119110901, 0x3A322A221A120A02, 0x3B332B231B130B03,
        0x3C342C241C140C04, 0x3D352D251D150D05, 0x3E362E261E160E06, 0x3F372F271F170F07,
    };
    uint32_t *to = counter->hits + counter->found;
    __m512i hits = _mm512_maskz_compress_epi8(found, _mm512_loadu_si512(by_token));
    const __m512i from = _mm512_set1_epi32((int)(at * 8));
    counter->found += popcount(found);
    for (const uint32_t *end = counter->hits + counter->found; to < end; to += 16) {
        _mm512_storeu_si512(to, _mm512_add_epi32(_mm512_cvtepu8_epi32(_mm512_castsi512_si128(hits)), from));
        hits = _mm512_shuffle_i64x2(hits, hits, 0x39); /* the next 16 */
    }
}
#else
static inline void keep_hits(Counter *counter, size_t at, uint64_t found)
{
    uint32_t *to = counter->hits + counter->found;
    counter->found += popcount(found);
    while (found) {
        for (int i = 0; i < 4; i++) {
            unsigned place = (unsigned)lowest_if_any(found);
            to[i] = (uint32_t)((at + (place & 7)) * 8 + (place >> 3));
            found &= found - 1;
        }
        to += 4;
    }
}
#endif

static inline void probe_words(Counter *counter, int longest)
{
    const size_t end = HISTORY + counter->words.count;
    counter->found = 0;
    for (size_t i = HISTORY; i < end; i += 8) {
        unsigned found[WORDS_N] = {0}, inside = (unsigned)first_bits(end - i) & 0xFF;
        probe(counter->input, counter->words.key + i, longest, found);
        uint64_t all = 0;
        for (int n = 1; n <= longest; n++)
            all |= (uint64_t)(found[n - 1] & inside) << 8 * (n - 1);
        keep_hits(counter, i, all);
    }
}

/* Bit k: the run of n kinds that ends in token k has punctuation or a capital, and is no lone ASCII mark. */
static inline void admit(const uint8_t *kind, unsigned *out)
{
    uint64_t any = 0, left_out = load64(kind) >> 4;
    for (int n = 1; n <= SURFACE_N; n++, left_out = 0) {
        any |= load64(kind - (n - 1));
        uint64_t bits = (any >> 2 | any >> 3) & ~left_out & BYTES(1u);
        out[n - 1] = (unsigned)(bits * 0x0102040810204080u >> 56);
    }
}

/* Of the runs of n tokens found, by the last of each, those of ASCII marks with space between them. */
static unsigned spaced_marks(const Counter *counter, size_t at, unsigned found, int n)
{
    const Stream *surface = &counter->surface;
    const uint32_t *starts = counter->scan.start;
    unsigned spaced = 0;
    for (; found; found &= found - 1) {
        size_t last = at + (size_t)lowest(found), first = last - (size_t)(n - 1);
        int marks = surface->kind[first] & surface->kind[first + 1] & surface->kind[last] & TOKEN_ASCII_PUNCT;
        uint32_t start = first < HISTORY ? surface->start[first] : starts[first - HISTORY];
        int apart = starts[last - HISTORY] - start != (uint32_t)(n - 1);
        spaced |= (unsigned)(marks && apart) << (last - at);
    }
    return spaced;
}

static inline void probe_surface(Counter *counter)
{
    const Stream *surface = &counter->surface;
    const size_t end = HISTORY + surface->count;
    counter->found = 0;
    for (size_t i = HISTORY; i < end; i += 8) {
        unsigned found[SURFACE_N], admitted[SURFACE_N], inside = (unsigned)first_bits(end - i) & 0xFF;
        admit(surface->kind + i, admitted);
        probe(counter->input, surface->key + i, SURFACE_N, found);
        for (int n = 1; n <= SURFACE_N; n++)
            found[n - 1] &= admitted[n - 1] & inside;
        uint64_t pairs = load64(surface->kind + i) & load64(surface->kind + i - 1);
        if ((found[1] | found[2]) && (pairs & BYTES(TOKEN_ASCII_PUNCT)))
            for (int n = 2; n <= SURFACE_N; n++)
                found[n - 1] &= ~spaced_marks(counter, i, found[n - 1], n);
        uint64_t all = 0;
        for (int n = 1; n <= SURFACE_N; n++)
            all |= (uint64_t)found[n - 1] << 8 * (n - 1);
        keep_hits(counter, i, all);
    }
}

/* The candidate with this hash, or -1. */
static int64_t candidate_of(const CountInput *input, uint64_t hash)
{
    size_t room = (size_t)1 << input->slot_bits;
    size_t slot = (size_t)(hash >> (64 - input->slot_bits));
    for (size_t tried = 0; tried < room; tried++, slot = (slot + 1) & (room - 1)) {
        uint32_t entry = input->slots[slot];
        if (!entry || entry > input->candidates)
            return -1;
        if (input->hashes[entry - 1] == hash)
            return entry - 1;
    }
    return -1;
}

/* Of the n tokens up to the last of WORDS_N. In as many steps for any n, as no CPU foresees it: the tokens
   before them count as 0, and leave 0. */
static inline uint64_t ngram_hash(const uint64_t hashes[WORDS_N], size_t n, size_t base)
{
    uint64_t value = 0;
    for (size_t i = 0; i < WORDS_N; i++)
        value = value * HASH_STEP + (hashes[i] & (0u - (uint64_t)(i + n >= WORDS_N)));
    return (value & ~(uint64_t)7) | (base + n - 1);
}

/* Forgets the n-grams of the row before. */
static void forget_recent(Counter *counter, size_t length)
{
    size_t places = RECENT_LEAST;
    while (places < RECENT_MOST && places < length / 16)
        places *= 2;
    counter->recent_mask = places - 1;
    memset(counter->recent, 0, places * sizeof counter->recent[0]);
    counter->recent[0] = (uint64_t)1 << 32; /* 0 itself belongs there, this in another place */
}

/* Hashes the n-grams found and leaves out those that this row was seen to have: four of five are some
   that it repeats, and to look one up costs much more. Then calls for what they are looked up in step by
   step: it is spread over more memory than the near caches hold. */
static void look_up(Counter *counter, const Stream *stream, size_t base)
{
    const CountInput *input = counter->input;
    const int shift = 64 - input->slot_bits;
    size_t kept = 0;
    for (size_t i = 0; i < counter->found; i++) {
        size_t last = counter->hits[i] >> 3, n = (counter->hits[i] & 7) + 1;
        counter->hashes[i] = ngram_hash(stream->hash + last - HISTORY, n, base);
    }
    for (size_t i = 0; i < counter->found; i++) {
        uint32_t hit = counter->hits[i];
        uint64_t hash = counter->hashes[i];
        uint64_t *recent = counter->recent + (hash >> 32 & counter->recent_mask), before = *recent;
        int inside = (hit >> 3) >= stream->first + (hit & 7); /* or it reaches back before the zone */
        counter->hits[kept] = hit;
        counter->hashes[kept] = hash;
        *recent = inside ? hash : before;
        kept += (size_t)(inside & (before != hash));
    }
    counter->found = kept;
    for (size_t i = 0; i < kept; i++)
        prefetch(input->slots + (counter->hashes[i] >> shift));
    for (size_t i = 0; i < kept; i++) {
        uint32_t entry = input->slots[counter->hashes[i] >> shift];
        entry = entry <= input->candidates ? entry : 0;
        counter->ids[i] = entry;
        prefetch(input->hashes + (entry ? entry - 1 : 0));
        prefetch(counter->met + (entry ? entry - 1 : 0));
    }
}

static int count_hits(Counter *counter, const Stream *stream, size_t base)
{
    const CountInput *input = counter->input;
    const int columns = input->placed ? COUNT_COLUMNS : COUNT_START;
    look_up(counter, stream, base);
    for (size_t i = 0; i < counter->found; i++) {
        size_t last = counter->hits[i] >> 3, n = (counter->hits[i] & 7) + 1;
        uint64_t hash = counter->hashes[i];
        int64_t id = (int64_t)counter->ids[i] - 1;
        if (id < 0)
            continue;
        if (input->hashes[id] != hash)
            id = candidate_of(input, hash);
        if (id < 0 || counter->met[id] == counter->row + 1)
            continue;
        counter->met[id] = counter->row + 1;
        input->counts[id]++;
        if (input->counts[id] > input->listed[id])
            continue;
        if (grow(counter->out, columns))
            return -1;
        PUSH(counter->out[COUNT_ROW], uint32_t, counter->row);
        PUSH(counter->out[COUNT_CANDIDATE], uint32_t, id);
        if (!input->placed)
            continue;
        PUSH(counter->out[COUNT_START], uint32_t, stream->start[last + 1 - n]);
        PUSH(counter->out[COUNT_END], uint32_t, stream->stop[last]);
    }
    return 0;
}

static int longest_words(uint32_t kinds)
{
    int longest = WORDS_N;
    while (longest && !(kinds >> (longest - 1) & 1))
        longest--;
    return longest;
}

static int count_row(Counter *counter, const uint8_t *row, size_t length, const uint8_t *readable)
{
    int surface = (counter->input->kinds & 0xE0) != 0, longest = longest_words(counter->input->kinds);
    int more;
    forget_recent(counter, length);
    scan_start(&counter->scan, row, 0, length, readable);
    stream_start(&counter->words);
    stream_start(&counter->surface);
    do {
        more = scan_tokens(&counter->scan, surface);
        if (surface)
            take_tokens(counter, 1);
        else
            take_tokens(counter, 0);
        if (longest) {
            if (longest == WORDS_N)
                probe_words(counter, WORDS_N);
            else
                probe_words(counter, longest);
            if (count_hits(counter, &counter->words, 0))
                return -1;
        }
        if (surface) {
            probe_surface(counter);
            if (count_hits(counter, &counter->surface, WORDS_N))
                return -1;
        }
        scan_drop(&counter->scan);
        if (more) {
            stream_next(&counter->words);
            stream_next(&counter->surface);
        }
    } while (more);
    return 0;
}

int VARIANT(ld50_count)(const Column *column, const CountInput *input, Grown out[COUNT_COLUMNS])
{
    if (!input->candidates)
        return 0;
    Counter *counter = calloc(1, sizeof *counter);
    uint32_t *met = calloc(input->candidates, sizeof *met);
    int failed = !counter || !met ? -1 : 0;
    for (size_t i = 0; i < column->rows && !failed; i++) {
        size_t length;
        const uint8_t *row = row_at(column, i, &length);
        counter->input = input;
        counter->out = out;
        counter->met = met;
        counter->row = (uint32_t)i;
        failed = count_row(counter, row, length, column->data + column->size);
    }
    free(met);
    free(counter);
    return failed;
}
