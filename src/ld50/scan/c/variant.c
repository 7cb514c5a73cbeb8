#include "variant.h"

#include "kernels.h"

static int limit = 4;

void ld50_limit_variant(int most)
{
    limit = most;
}

#if LD50_HAS_V3
static int is_v3(void)
{
    return limit >= 3 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}

static int is_v4(void)
{
    return limit >= 4 && is_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2");
}
#endif

int ld50_profile(const Column *column, const ProfileInput *input, uint8_t *out)
{
#if LD50_HAS_V3
    if (is_v4())
        return ld50_profile_v4(column, input, out);
    if (is_v3())
        return ld50_profile_v3(column, input, out);
#endif
    return ld50_profile_plain(column, input, out);
}

int ld50_tail_salads(const Column *column, const ProfileInput *input, size_t most, uint32_t *out)
{
#if LD50_HAS_V3
    if (is_v4())
        return ld50_tail_salads_v4(column, input, most, out);
    if (is_v3())
        return ld50_tail_salads_v3(column, input, most, out);
#endif
    return ld50_tail_salads_plain(column, input, most, out);
}

int ld50_count(const Column *column, const CountInput *input, Grown out[COUNT_COLUMNS])
{
#if LD50_HAS_V3
    if (is_v4())
        return ld50_count_v4(column, input, out);
    if (is_v3())
        return ld50_count_v3(column, input, out);
#endif
    return ld50_count_plain(column, input, out);
}
