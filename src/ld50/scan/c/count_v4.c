#define LD50_V4
#include "variant.h"
#if LD50_HAS_V3
#include "count.c"
#else
typedef int nothing_to_compile;
#endif
