// SPDX-License-Identifier: Apache-2.0
// The memory's limit: out[i] = a[i] + b[i] (reads two, writes one), or out[i] = a[i] + 1 (reads one, writes one). And a
// loss fused by hand, which reads two and writes one as well: Huber's gradient and, in double, its sum.
// Arrays lie as JavaScript's do, 16 bytes past a cache line: that is where glibc puts large ones.
// A request is a line "kind bytes threads nontemporal seconds", kind being the arrays that are read or 3 for Huber; its
// answer is "median min calls" in microseconds.
#define _GNU_SOURCE
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__SSE2__)
#include <immintrin.h>
#define PAUSE() _mm_pause()
#else
#define PAUSE() atomic_thread_fence(memory_order_seq_cst)
#endif

enum { kMostThreads = 64, kMostCalls = 400000, kHuber = 3 };

static double Now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec * 1e-3;
}

static void Plain(float* restrict out, const float* restrict a, const float* restrict b, size_t n) {
  if (b) {
    for (size_t i = 0; i < n; i++) out[i] = a[i] + b[i];
  } else {
    for (size_t i = 0; i < n; i++) out[i] = a[i] + 1.0f;
  }
}

// Stores that go past the caches, where the processor has them.
static void NonTemporal(float* restrict out, const float* restrict a, const float* restrict b, size_t n) {
  size_t i = -(uintptr_t)out / sizeof(float) % 16;
  if (i > n) i = n;
  Plain(out, a, b, i);
#if defined(__AVX512F__)
  const __m512 one = _mm512_set1_ps(1.0f);
  for (; i + 16 <= n; i += 16) {
    _mm512_stream_ps(out + i, _mm512_add_ps(_mm512_loadu_ps(a + i), b ? _mm512_loadu_ps(b + i) : one));
  }
  _mm_sfence();
#elif defined(__AVX__)
  const __m256 one = _mm256_set1_ps(1.0f);
  for (; i + 8 <= n; i += 8) {
    _mm256_stream_ps(out + i, _mm256_add_ps(_mm256_loadu_ps(a + i), b ? _mm256_loadu_ps(b + i) : one));
  }
  _mm_sfence();
#elif defined(__SSE2__)
  const __m128 one = _mm_set1_ps(1.0f);
  for (; i + 4 <= n; i += 4) _mm_stream_ps(out + i, _mm_add_ps(_mm_loadu_ps(a + i), b ? _mm_loadu_ps(b + i) : one));
  _mm_sfence();
#endif
  Plain(out + i, a + i, b ? b + i : NULL, n - i);
}

// The Huber loss of a - b, delta 1: 0.5 q^2 + |e| - q, q = min(|e|, 1), and its slope, e within [-1, 1]. Sums of vectors
// in float, over blocks short enough for it, go on in double.
static double Huber(float* restrict out, const float* restrict a, const float* restrict b, size_t n) {
  double sum = 0;
  size_t i = 0;
#if defined(__AVX__)
  enum { kBlock = 256 };
  const __m256 one = _mm256_set1_ps(1.0f), half = _mm256_set1_ps(0.5f), sign = _mm256_set1_ps(-0.0f);
  for (; i + kBlock <= n;) {
    __m256 low = _mm256_setzero_ps(), high = low;
    for (const size_t end = i + kBlock; i < end; i += 16) {
      const __m256 e0 = _mm256_sub_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i));
      const __m256 e1 = _mm256_sub_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8));
      const __m256 s0 = _mm256_andnot_ps(sign, e0), s1 = _mm256_andnot_ps(sign, e1);
      const __m256 q0 = _mm256_min_ps(s0, one), q1 = _mm256_min_ps(s1, one);
      const __m256 t0 = _mm256_mul_ps(_mm256_mul_ps(half, q0), q0), t1 = _mm256_mul_ps(_mm256_mul_ps(half, q1), q1);
      low = _mm256_add_ps(low, _mm256_add_ps(t0, _mm256_sub_ps(s0, q0)));
      high = _mm256_add_ps(high, _mm256_add_ps(t1, _mm256_sub_ps(s1, q1)));
      _mm256_storeu_ps(out + i, _mm256_or_ps(q0, _mm256_and_ps(sign, e0)));
      _mm256_storeu_ps(out + i + 8, _mm256_or_ps(q1, _mm256_and_ps(sign, e1)));
    }
    float lanes[8];
    _mm256_storeu_ps(lanes, _mm256_add_ps(low, high));
    for (size_t j = 0; j < 8; j++) sum += lanes[j];
  }
#endif
  for (; i < n; i++) {
    const float e = a[i] - b[i], size = fabsf(e), q = size < 1.0f ? size : 1.0f;
    sum += 0.5f * q * q + (size - q);
    out[i] = copysignf(q, e);
  }
  return sum;
}

static struct {
  float *a, *b, *out;
  size_t total;
  int kind, threads, nontemporal;
} job;
static atomic_int go, done, quit;
static volatile double sums[kMostThreads];

static void Part(int index) {
  // Whole cache lines for each thread.
  const size_t share = (job.total / job.threads + 15) / 16 * 16;
  const size_t from = share * index < job.total ? share * index : job.total;
  const size_t to = index == job.threads - 1 || from + share > job.total ? job.total : from + share;
  if (job.kind == kHuber) {
    sums[index] = Huber(job.out + from, job.a + from, job.b + from, to - from);
    return;
  }
  (job.nontemporal ? NonTemporal : Plain)(job.out + from, job.a + from, job.kind == 2 ? job.b + from : NULL,
                                          to - from);
}

// Waits by spinning: no wake-up time in the figures. Gives way where there are more threads than free cores.
static void Spin(int* spins) {
  PAUSE();
  if (++*spins > 5000) sched_yield();
}

static void* Helper(void* index) {
  for (int seen = 0;; seen++) {
    int spins = 0;
    while (atomic_load(&go) == seen) {
      if (atomic_load(&quit)) return NULL;
      Spin(&spins);
    }
    Part((int)(size_t)index);
    atomic_fetch_add(&done, 1);
  }
}

enum { kPastLine = 16 };

static float* Allocate(size_t bytes) {
  const size_t room = (bytes + kPastLine + 63) / 64 * 64;
  char* const memory = aligned_alloc(64, room);
  return memory == NULL ? NULL : (float*)((char*)memset(memory, 1, room) + kPastLine);
}

static void Free(float* array) { free((char*)array - kPastLine); }

static int Compare(const void* a, const void* b) {
  const double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

int main(void) {
  size_t bytes;
  double seconds;
  static double times[kMostCalls];
  while (scanf("%d %zu %d %d %lf", &job.kind, &bytes, &job.threads, &job.nontemporal, &seconds) == 5) {
    if (job.threads > kMostThreads) job.threads = kMostThreads;
    job.total = bytes / sizeof(float);
    if (!(job.a = Allocate(bytes)) || !(job.b = Allocate(bytes)) || !(job.out = Allocate(bytes))) return 1;
    atomic_store(&go, 0);
    atomic_store(&done, 0);
    atomic_store(&quit, 0);
    pthread_t helpers[kMostThreads];
    for (int i = 1; i < job.threads; i++) pthread_create(&helpers[i], NULL, Helper, (void*)(size_t)i);
    // Small problems in groups of at least 100 us.
    size_t group = 1 + (size_t)(100e3 / (1 + bytes * 0.02));
    if (job.threads > 1 && group > 1000) group = 1000;
    if (bytes > 1000000) group = 1;
    int calls = 0, round = 0;
    const double start = Now();
    while ((Now() - start < seconds * 1e6 || calls < 5) && calls < kMostCalls) {
      const double begin = Now();
      for (size_t k = 0; k < group; k++) {
        if (job.threads > 1) atomic_fetch_add(&go, 1);
        Part(0);
        round += job.threads - 1;
        int spins = 0;
        while (atomic_load(&done) != round) Spin(&spins);
        __asm__ volatile("" ::: "memory");
      }
      // The first fifth warms up.
      if (Now() - start > seconds * 2e5) times[calls++] = (Now() - begin) / group;
    }
    atomic_store(&quit, 1);
    for (int i = 1; i < job.threads; i++) pthread_join(helpers[i], NULL);
    qsort(times, calls, sizeof *times, Compare);
    printf("%.4f %.4f %zu\n", times[calls / 2], times[0], calls * group);
    fflush(stdout);
    Free(job.a);
    Free(job.b);
    Free(job.out);
  }
}
