/* Copies pieces of a buffer, one after the other. */
#include "kernels.h"

void ld50_slices(const uint8_t *data, const int64_t *starts, const int64_t *ends, size_t count, uint8_t *out)
{
    for (size_t i = 0; i < count; i++) {
        size_t size = (size_t)(ends[i] - starts[i]);
        memcpy(out, data + starts[i], size);
        out += size;
    }
}
