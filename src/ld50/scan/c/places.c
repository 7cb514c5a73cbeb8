/* Numbers values by their place in a sorted list. */
#include "hashes.h"
#include "kernels.h"

enum { MOST_BITS = 24 };

/* The first place in [low, high) whose value is not below `value`. */
static size_t search(const uint64_t *sorted, size_t low, size_t high, uint64_t value)
{
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sorted[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Hashes are spread evenly, so the top bits say nearly where one is; where somebody made them so that
   they are not, the search within one part is still no longer than one in the whole list. */
int ld50_places(const uint64_t *sorted, size_t count, const uint64_t *values, size_t value_count, int64_t *out)
{
    int bits = 1;
    while (bits < MOST_BITS && (size_t)1 << bits < count)
        bits++;
    const size_t parts = (size_t)1 << bits;
    const int shift = 64 - bits;
    size_t *begin = malloc((parts + 1) * sizeof *begin);
    if (!begin)
        return -1;
    for (size_t part = 0, at = 0; part < parts; part++) {
        while (at < count && sorted[at] >> shift < part)
            at++;
        begin[part] = at;
    }
    begin[parts] = count;
    for (size_t i = 0; i < value_count; i++) {
        size_t part = (size_t)(values[i] >> shift);
        size_t place = search(sorted, begin[part], begin[part + 1], values[i]);
        out[i] = (int64_t)(place < count && sorted[place] == values[i] ? place : count);
    }
    free(begin);
    return 0;
}
