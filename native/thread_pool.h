// SPDX-License-Identifier: Apache-2.0
// The process's threads: started when first needed, kept, shared by every environment (worker_threads). What is
// computed never depends on them: callers cut their work by its size alone and put the pieces together in order.
#ifndef SIMDLOSS_NATIVE_THREAD_POOL_H_
#define SIMDLOSS_NATIVE_THREAD_POOL_H_

#include <cstddef>
#include <utility>

namespace simdloss {

// Threads that work on one call, the caller's included; 0 until set, which counts as 1.
size_t ThreadCount();
void SetThreadCount(size_t count);

// Cores that this process may run on, two threads of one core counted once; 1 where that can't be told.
size_t PhysicalCores();

// Runs body(argument) on a thread of its own, which ends with it; false where there can be none.
bool StartThread(void (*body)(void*), void* argument);

// While one lives, calls of its thread leave one of the cores free: for the event loop they keep off, which copies for
// them and must not wait for a core.
class LeaveOneCore {
 public:
  LeaveOneCore();
  ~LeaveOneCore();
  LeaveOneCore(const LeaveOneCore&) = delete;
  LeaveOneCore& operator=(const LeaveOneCore&) = delete;
};

// Calls piece(context, i) once for each i < count, in any order, on the caller's and idle threads; returns when all are
// done. May be called from several threads at once, and from a piece.
using Piece = void (*)(void* context, size_t i);
void RunPieces(size_t count, Piece piece, void* context);

// As RunPieces, for anything callable with an index.
template <class F>
void ForEachPiece(size_t count, F&& f) {
  if (count == 1) {
    f(size_t{0});
    return;
  }
  RunPieces(
      count, [](void* context, size_t i) { (*static_cast<F*>(context))(i); },
      const_cast<void*>(static_cast<const void*>(&f)));
}

// The same where `threaded`, else on the caller's thread.
template <class F>
void ForEachPieceIf(bool threaded, size_t count, F&& f) {
  if (threaded) {
    ForEachPiece(count, std::forward<F>(f));
  } else {
    for (size_t i = 0; i < count; ++i) f(i);
  }
}

}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_THREAD_POOL_H_
