/* Which n-grams stand in which rows: numbers them, counts them in sets of rows, takes some out. */
#include "hashes.h"
#include "kernels.h"

enum { AHEAD = 64, LEAST_BITS = 12 };

static size_t slot_of(const Gatherer *gatherer, uint64_t hash)
{
    return (size_t)(hash * gatherer->key >> (64 - gatherer->bits));
}

static GatherEntry *entries_of(const Gatherer *gatherer)
{
    return (GatherEntry *)(void *)gatherer->entries.data;
}

static int widen(Gatherer *gatherer, int bits)
{
    const size_t room = (size_t)1 << bits;
    uint32_t *slots = calloc(room, sizeof *slots);
    if (!slots)
        return -1;
    free(gatherer->slots);
    gatherer->slots = slots;
    gatherer->bits = bits;
    for (size_t number = 0; number < gatherer->entries.count; number++) {
        size_t slot = slot_of(gatherer, entries_of(gatherer)[number].hash);
        while (slots[slot])
            slot = (slot + 1) & (room - 1);
        slots[slot] = (uint32_t)(number + 1);
    }
    return 0;
}

/* The number of a hash, or -1 when memory ran out. */
static int64_t number_of(Gatherer *gatherer, uint64_t hash)
{
    Grown *entries = &gatherer->entries;
    if (entries->count * 2 >= (size_t)1 << gatherer->bits && widen(gatherer, gatherer->bits + 1))
        return -1;
    size_t slot = slot_of(gatherer, hash);
    for (; gatherer->slots[slot]; slot = (slot + 1) & (((size_t)1 << gatherer->bits) - 1)) {
        uint32_t number = gatherer->slots[slot] - 1;
        if (entries_of(gatherer)[number].hash == hash)
            return number;
    }
    if (entries->count == UINT32_MAX - 1 || grow(entries, 1))
        return -1;
    GatherEntry entry = {hash, 0, 0, 0};
    entries_of(gatherer)[entries->count] = entry;
    gatherer->slots[slot] = (uint32_t)++entries->count;
    return (int64_t)entries->count - 1;
}

/* Lists the hashes of a part of a row that the row did not have before. What is looked up is spread over
   more memory than the near caches hold, so it is called for some hashes ahead. */
static int gather_part(Gatherer *gatherer, const uint64_t *hashes, size_t count, uint32_t row, uint32_t **out)
{
    const uint64_t mark = mix(row * HASH_M1);
    for (size_t i = 0; i < count; i++)
        prefetch(gatherer->slots + slot_of(gatherer, hashes[i]));
    for (size_t i = 0; i < count; i++) {
        uint32_t found = gatherer->slots[slot_of(gatherer, hashes[i])];
        prefetch(gatherer->entries.data + (found ? found - 1 : 0) * sizeof(GatherEntry));
    }
    for (size_t i = 0; i < count; i++) {
        int64_t number = number_of(gatherer, hashes[i]);
        if (number < 0)
            return -1;
        GatherEntry *entry = entries_of(gatherer) + number;
        if (entry->last == row)
            continue;
        entry->last = row;
        entry->count++;
        entry->row_set += mark;
        *(*out)++ = (uint32_t)number;
    }
    return 0;
}

int ld50_gather(Gatherer *gatherer, const GatherInput *input)
{
    uint32_t *out = input->numbers;
    int failed = gatherer->slots ? 0 : widen(gatherer, LEAST_BITS);
    size_t row = 0;
    input->starts[0] = 0;
    for (size_t run = 0; run < input->runs && !failed; run++) {
        for (; row < input->rows[run]; row++)
            input->starts[row + 1] = out - input->numbers;
        size_t at = (size_t)input->begins[run], end = (size_t)input->ends[run];
        for (; at < end && !failed; at += AHEAD) {
            size_t count = end - at < AHEAD ? end - at : AHEAD;
            failed = gather_part(gatherer, input->hashes + at, count, (uint32_t)(gatherer->rows + row + 1), &out);
        }
    }
    for (; row < input->row_count; row++)
        input->starts[row + 1] = out - input->numbers;
    gatherer->rows += input->row_count;
    return failed;
}

int64_t ld50_renumber(const Incidence *incidence, const uint32_t *renumber, uint32_t *out, int64_t *out_starts)
{
    size_t kept = 0;
    out_starts[0] = 0;
    for (size_t row = 0; row < incidence->rows; row++) {
        for (int64_t i = incidence->begins[row]; i < incidence->ends[row]; i++) {
            uint32_t number = incidence->numbers[i];
            if (number >= incidence->candidates)
                return -1;
            out[kept] = renumber[number];
            kept += out[kept] != UINT32_MAX;
        }
        out_starts[row + 1] = (int64_t)kept;
    }
    return (int64_t)kept;
}

int64_t ld50_tally(const Incidence *incidence, uint32_t *counts, uint32_t *met)
{
    size_t found = 0;
    for (size_t row = 0; row < incidence->rows; row++) {
        for (int64_t i = incidence->begins[row]; i < incidence->ends[row]; i++) {
            uint32_t number = incidence->numbers[i];
            if (number >= incidence->candidates)
                return -1;
            met[found] = number;
            found += !counts[number]++;
        }
    }
    return (int64_t)found;
}
