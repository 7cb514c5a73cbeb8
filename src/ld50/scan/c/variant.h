/* The kernels that a newer instruction set helps are compiled for any CPU, and, where the compiler can,
   for x86-64-v3 (AVX2, BMI2) and for x86-64-v4 with what Intel has had since 2019 and AMD since 2022
   (AVX-512 with VBMI2). Which one runs is decided by the CPU at run time. Include this before anything
   else. */
#ifndef LD50_VARIANT_H
#define LD50_VARIANT_H

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__)
#define LD50_HAS_V3 1
#else
#define LD50_HAS_V3 0
#endif

#if defined(LD50_V4)
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,avx2,bmi,bmi2,popcnt")
#define VARIANT(name) name##_v4
#elif defined(LD50_V3)
#pragma GCC target("avx2,bmi,bmi2,popcnt")
#define VARIANT(name) name##_v3
#else
#define VARIANT(name) name##_plain
#endif

#endif
