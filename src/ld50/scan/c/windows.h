/* Costs of windows of normalised text in 32 lanes, and the best segments of windows. */
#ifndef LD50_WINDOWS_H
#define LD50_WINDOWS_H

#include "kernels.h"
#include "normal.h"

enum { LANES = 32, NO_LANE = 255, WINDOW_MIN = 96, WINDOW_MAX = 128 };
enum { LEAD_BYTES_MAX = 4096, LEAD_WINDOWS = LEAD_BYTES_MAX / WINDOW_MIN + 2 };
#define SWITCH_LIMIT (1 << 30)
#define TRIGRAM_MULTIPLIER 0x9E3779B1u

typedef struct {
    int16_t cost[LANES]; /* 1/16 bits; at most 128 * 255 */
    uint32_t start, end; /* in the row */
    uint32_t bytes;      /* that were costed */
} Window;

typedef struct {
    const ProfileInput *input;
    int16_t other_lanes[LANES];  /* set where a lane is no language: too dear to win */
    BytesHash hash;
    uint32_t window_at, hash_at; /* in the normalised text: where the next window and block start */
    uint32_t passed, shift;      /* shifts that lie behind, and the last of them */
    uint64_t total[LANES]; /* once the lead is decided */
    uint64_t best_bits, bytes;
    int64_t noise_run;
    uint32_t noise_start;
    Segment noise;
    Window lead_windows[LEAD_WINDOWS];
    uint32_t lead_count, lead_size;
    int lead;              /* < 0: not decided */
    int longer;            /* there are windows after those that decided the lead */
    int active, ever_active; /* some lane has a positive run; had one in this row, and the rest is set */
    int32_t run[LANES], best[LANES];
    uint32_t run_start[LANES], best_start[LANES], best_end[LANES];
} Windows;

/* Where in the trigram table the lanes of each of `size` bytes are, of which two others stand before the
   first. Up to 31 more are written, from as many bytes more. */
static inline void trigram_places(const uint8_t *text, size_t size, int shift, uint32_t *out)
{
    size_t end = (size + 31) & ~(size_t)31; /* few different ends are easy to foresee */
#ifdef __AVX2__
    const __m128i by = _mm_cvtsi32_si128(shift);
    const __m256i spread = _mm256_setr_epi8(0, 1, 2, -1, 1, 2, 3, -1, 2, 3, 4, -1, 3, 4, 5, -1, /* */
                                            4, 5, 6, -1, 5, 6, 7, -1, 6, 7, 8, -1, 7, 8, 9, -1);
    for (size_t i = 0; i < end; i += 8) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(text + i - 2));
        __m256i code = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(bytes), spread);
        code = _mm256_mullo_epi32(code, _mm256_set1_epi32((int)TRIGRAM_MULTIPLIER));
        code = _mm256_slli_epi32(_mm256_srl_epi32(code, by), 5);
        _mm256_storeu_si256((__m256i *)(void *)(out + i), code);
    }
#else
    for (size_t i = 0; i < end; i++) {
        uint32_t code = (uint32_t)text[i - 2] | (uint32_t)text[i - 1] << 8 | (uint32_t)text[i] << 16;
        out[i] = (code * TRIGRAM_MULTIPLIER >> shift) * LANES;
    }
#endif
}

/* Adds the lanes of `size` <= 128 places; there is room for 16 more places. */
#if defined(LD50_EIGHT)
static inline __m512i lanes_at(const uint8_t *table, uint32_t place)
{
    return _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)(table + place)));
}

/* Sixteen at a time: where the sum ends is easier to foresee so, which gains more than is lost by the lanes
   of place 0, which fill the last sixteen and are taken off again. In four sums, so that no addition waits
   for the one before. */
static inline void sum_lanes(const uint8_t *table, uint32_t *places, size_t size, int16_t *cost)
{
    const size_t end = (size + 15) & ~(size_t)15;
    __m512i sums[4];
    for (int k = 0; k < 4; k++)
        sums[k] = _mm512_setzero_si512();
    _mm512_storeu_si512(places + size, sums[0]);
    for (size_t i = 0; i < end; i += 16)
#pragma GCC unroll 16
        for (int k = 0; k < 16; k++)
            sums[k & 3] = _mm512_add_epi16(sums[k & 3], lanes_at(table, places[i + k]));
    __m512i surplus = _mm512_mullo_epi16(lanes_at(table, 0), _mm512_set1_epi16((int16_t)(end - size)));
    __m512i all = _mm512_add_epi16(_mm512_add_epi16(sums[0], sums[1]), _mm512_add_epi16(sums[2], sums[3]));
    _mm512_storeu_si512(cost, _mm512_sub_epi16(all, surplus));
}
#elif defined(__AVX2__)
/* With bytes in 16 bits, the sum is even + 256 * odd, so that only the odd ones have to be summed once
   more. */
static inline void sum_lanes(const uint8_t *table, uint32_t *places, size_t size, int16_t *cost)
{
    __m256i all = _mm256_setzero_si256(), odd = all;
#pragma GCC unroll 4
    for (size_t i = 0; i < size; i++) {
        __m256i lanes = _mm256_loadu_si256((const __m256i *)(const void *)(table + places[i]));
        all = _mm256_add_epi16(all, lanes);
        odd = _mm256_add_epi16(odd, _mm256_srli_epi16(lanes, 8));
    }
    __m256i even = _mm256_sub_epi16(all, _mm256_slli_epi16(odd, 8));
    __m256i low = _mm256_unpacklo_epi16(even, odd), high = _mm256_unpackhi_epi16(even, odd);
    __m256i *out = (__m256i *)(void *)cost;
    _mm256_storeu_si256(out, _mm256_permute2x128_si256(low, high, 0x20));
    _mm256_storeu_si256(out + 1, _mm256_permute2x128_si256(low, high, 0x31));
}
#elif defined(LD50_SSE2)
static inline void sum_lanes(const uint8_t *table, uint32_t *places, size_t size, int16_t *cost)
{
    __m128i all[2], odd[2];
    for (int k = 0; k < 2; k++)
        all[k] = odd[k] = _mm_setzero_si128();
    for (size_t i = 0; i < size; i++) {
        const uint8_t *lanes = table + places[i];
        for (int k = 0; k < 2; k++) {
            __m128i values = _mm_loadu_si128((const __m128i *)(const void *)(lanes + 16 * k));
            all[k] = _mm_add_epi16(all[k], values);
            odd[k] = _mm_add_epi16(odd[k], _mm_srli_epi16(values, 8));
        }
    }
    for (int k = 0; k < 2; k++) {
        __m128i even = _mm_sub_epi16(all[k], _mm_slli_epi16(odd[k], 8));
        __m128i *out = (__m128i *)(void *)(cost + 16 * k);
        _mm_storeu_si128(out, _mm_unpacklo_epi16(even, odd[k]));
        _mm_storeu_si128(out + 1, _mm_unpackhi_epi16(even, odd[k]));
    }
}
#else
static inline void sum_lanes(const uint8_t *table, uint32_t *places, size_t size, int16_t *cost)
{
    memset(cost, 0, LANES * sizeof *cost);
    for (size_t i = 0; i < size; i++)
        for (int lane = 0; lane < LANES; lane++)
            cost[lane] = (int16_t)(cost[lane] + table[places[i] + (uint32_t)lane]);
}
#endif

/* The cost of `size` <= 128 bytes of normalised text in each lane. */
static inline void window_costs(const ProfileInput *input, const uint8_t *text, size_t size, int16_t *cost)
{
    uint32_t places[WINDOW_MAX + 16];
    trigram_places(text, size, 32 - input->trigram_bits, places);
    sum_lanes(input->trigrams, places, size, cost);
}

static inline void windows_tables(Windows *windows, const ProfileInput *input)
{
    windows->input = input;
    for (int lane = 0; lane < LANES; lane++)
        windows->other_lanes[lane] = lane < windows->input->languages ? 0 : INT16_MAX;
}

static inline void windows_start(Windows *windows)
{
    windows->hash = bytes_hash_start();
    windows->window_at = windows->hash_at = windows->passed = windows->shift = 0;
    windows->best_bits = windows->bytes = 0;
    windows->noise_run = 0;
    windows->noise_start = 0;
    memset(&windows->noise, 0, sizeof windows->noise);
    windows->lead_count = windows->lead_size = 0;
    windows->lead = -1;
    windows->longer = windows->active = windows->ever_active = 0;
}

static inline int cheapest(const uint64_t *total, int lanes)
{
    uint64_t least = total[0];
    uint32_t best = 0;
    for (int lane = 1; lane < lanes; lane++) {
        best = choose(total[lane] < least, (uint32_t)lane, best);
        least = total[lane] < least ? total[lane] : least;
    }
    return (int)best;
}

static inline int cheapest_cost(const int16_t *cost)
{
    int16_t best = cost[0];
    for (int lane = 0; lane < LANES; lane++)
        best = cost[lane] < best ? cost[lane] : best;
    return best;
}

static inline void switch_window(Windows *windows, const Window *window)
{
    int16_t cost[LANES];
    for (int lane = 0; lane < LANES; lane++)
        cost[lane] = window->cost[lane] | windows->other_lanes[lane];
    const int lead = cost[windows->lead];
    if (!windows->active && cheapest_cost(cost) >= lead)
        return;
    if (!windows->ever_active) {
        memset(windows->run, 0, sizeof windows->run);
        memset(windows->best, 0, sizeof windows->best);
        windows->ever_active = 1;
    }
    const uint32_t start = window->start, end = window->end;
    int32_t active = 0;
    for (int lane = 0; lane < LANES; lane++) {
        int32_t run = windows->run[lane], best = windows->best[lane];
        uint32_t run_start = choose(run <= 0, start, windows->run_start[lane]);
        run += lead - cost[lane];
        run = run > SWITCH_LIMIT ? SWITCH_LIMIT : run;
        run = run < 0 ? 0 : run;
        windows->run[lane] = run;
        windows->run_start[lane] = run_start;
        windows->best[lane] = run > best ? run : best;
        windows->best_start[lane] = choose(run > best, run_start, windows->best_start[lane]);
        windows->best_end[lane] = choose(run > best, end, windows->best_end[lane]);
        active |= run;
    }
    windows->active = active != 0;
}

static inline void decide_lead(Windows *windows)
{
    int32_t total[LANES] = {0}, least = INT32_MAX; /* totals are less than 2**21 */
    for (uint32_t i = 0; i < windows->lead_count; i++)
        for (int lane = 0; lane < LANES; lane++)
            total[lane] += windows->lead_windows[i].cost[lane];
    for (int lane = 0; lane < LANES; lane++) {
        int32_t ranked = total[lane] << 5 | lane | (int32_t)windows->other_lanes[lane] << 15;
        least = ranked < least ? ranked : least;
        windows->total[lane] = (uint64_t)total[lane];
    }
    windows->lead = least & 31;
    for (uint32_t i = 0; i < windows->lead_count; i++)
        switch_window(windows, &windows->lead_windows[i]);
}

static inline void add_window(Windows *windows, const Window *window, uint32_t size)
{
    int best = cheapest_cost(window->cost);
    int64_t excess = best - (int64_t)windows->input->threshold * window->bytes;
    windows->best_bits += (uint64_t)best;
    windows->bytes += window->bytes;
    if (windows->noise_run <= 0) {
        windows->noise_run = 0;
        windows->noise_start = window->start;
    }
    windows->noise_run += excess;
    if (windows->noise_run > windows->noise.score) {
        windows->noise.score = windows->noise_run;
        windows->noise.start = windows->noise_start;
        windows->noise.end = window->end;
    }
    if (windows->lead >= 0) {
        for (int lane = 0; lane < LANES; lane++)
            windows->total[lane] += (uint64_t)window->cost[lane];
        windows->longer = 1;
        switch_window(windows, window);
        return;
    }
    windows->lead_windows[windows->lead_count++] = *window;
    windows->lead_size += size;
    if (windows->lead_size >= windows->input->lead_bytes || windows->lead_count == LEAD_WINDOWS)
        decide_lead(windows);
}

/* The position in the row of a normalised byte; to be asked in rising order. */
static inline uint32_t raw_position(Windows *windows, const Normal *normal, uint32_t place)
{
    while (windows->passed < normal->shift_count && normal->shifts[windows->passed].place <= place)
        windows->shift = normal->shifts[windows->passed++].shift;
    return normal->base + place + windows->shift;
}

/* How long the window that starts at `text` is: to the first space from byte 96 on, or 128 bytes. */
static inline uint32_t window_size(const uint8_t *text, uint32_t left)
{
    uint32_t most = left < WINDOW_MAX ? left : WINDOW_MAX;
    if (left < WINDOW_MIN)
        return left;
    uint64_t spaces = 0;
#ifdef LD50_SSE2
    for (int i = 0; i < 2; i++) {
        const __m128i *from = (const __m128i *)(const void *)(text + WINDOW_MIN - 1 + 16 * i);
        spaces |= bits_of(_mm_cmpeq_epi8(_mm_loadu_si128(from), _mm_set1_epi8(' '))) << 16 * i;
    }
#else
    for (int i = 0; i < WINDOW_MAX - WINDOW_MIN; i++)
        spaces |= (uint64_t)(text[WINDOW_MIN - 1 + i] == ' ') << i;
#endif
    spaces |= (uint64_t)1 << (WINDOW_MAX - WINDOW_MIN);
    uint32_t size = WINDOW_MIN + (uint32_t)lowest(spaces);
    return size < most ? size : most;
}

/* Reads the normalised text as far as windows are sure; at the end of the row (`last`) all of it. */
static inline void read_windows(Windows *windows, Normal *normal, int last)
{
    if (last && normal->count && normal->text[normal->count - 1] == ' ')
        normal->count--;
    uint32_t count = normal->count;
    int too_short = normal->base == 0 && count < 3 && windows->window_at == 0;
    while (!too_short && (last ? windows->window_at < count : windows->window_at + WINDOW_MAX < count)) {
        Window window;
        uint32_t at = windows->window_at;
        uint32_t size = window_size(normal->text + at, count - at);
        uint32_t skipped = normal->base + at == 0 ? 2 : 0;
        skipped = skipped < size ? skipped : size;
        window.start = raw_position(windows, normal, at);
        window.end = raw_position(windows, normal, at + size - 1) + 1;
        window.bytes = size - skipped;
        window_costs(windows->input, normal->text + at + skipped, size - skipped, window.cost);
        add_window(windows, &window, size);
        windows->window_at += size;
    }
    if (last)
        return;
    if (count > windows->hash_at)
        windows->hash_at += (uint32_t)bytes_hash_blocks(
            &windows->hash, normal->text + windows->hash_at, count - 1 - windows->hash_at);
    uint32_t done = windows->window_at < 2 ? 0 : windows->window_at - 2;
    done = done < windows->hash_at ? done : windows->hash_at;
    normal_drop(normal, done, windows->passed);
    windows->window_at -= done;
    windows->hash_at -= done;
    windows->passed = 0;
}

#endif
