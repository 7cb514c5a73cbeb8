#define LD50_V4
#include "variant.h"
#if LD50_HAS_V3
#include "salads.c"
#else
typedef int nothing_to_compile;
#endif
