// SPDX-License-Identifier: Apache-2.0
#include "native/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <memory>

#if !defined(__wasi__)
#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(_WIN32)
#define NOMINMAX
#include <windows.h>
#else
#include <pthread.h>
#endif
#if defined(__linux__)
#include <sched.h>

#include <cstdio>
#include <cstring>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#endif
#endif

namespace simdloss {
namespace {

std::atomic<size_t> thread_count{0};

void RunHere(size_t count, Piece piece, void* context) {
  for (size_t i = 0; i < count; ++i) piece(context, i);
}

#if !defined(__wasi__)

// After its last piece a thread looks out for the next for this long before it sleeps: a sleeping thread takes about
// 50 us to wake, calls in a loop follow each other within a few.
constexpr std::chrono::microseconds kLookOut{50};

inline void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// Until `done` or too long.
template <class F>
void Watch(F&& done) {
  const auto end = std::chrono::steady_clock::now() + kLookOut;
  while (!done() && std::chrono::steady_clock::now() < end) Pause();
}

// One RunPieces. Lives on its caller's stack: helpers are counted in and out under the pool's mutex.
struct Job {
  Job(size_t n, Piece f, void* with, size_t most) : piece(f), context(with), count(n), room(most) {}

  const Piece piece;
  void* const context;
  const size_t count;
  size_t room;                        // helpers that may still join
  std::atomic<size_t> next{0};        // the first piece that nobody has taken
  std::atomic<size_t> helpers{0};     // at work on it
  std::condition_variable last_left;  // helpers is 0
  Job* after = nullptr;

  void Work() {
    for (size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < count;) piece(context, i);
  }
};

class Pool {
 public:
  void Run(size_t threads, size_t count, Piece piece, void* context) {
    Job job(count, piece, context, std::min(threads, count) - 1);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      while (workers_ < threads - 1 && Start()) ++workers_;
      Append(&job);
      if (job.room == 1) {
        wake_.notify_one();
      } else {
        wake_.notify_all();
      }
    }
    job.Work();
    std::unique_lock<std::mutex> lock(mutex_);
    Remove(&job);
    // Helpers are at their last pieces.
    lock.unlock();
    Watch([&] { return job.helpers.load(std::memory_order_acquire) == 0; });
    lock.lock();
    job.last_left.wait(lock, [&] { return job.helpers == 0; });
  }

 private:
  // The threads never end: at the process's end they are asleep, and nothing of theirs is destroyed.
  void Serve() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      Job* job = FirstOpen();
      if (job == nullptr) {
        LookOut(&lock);
        wake_.wait(lock, [&] { return (job = FirstOpen()) != nullptr; });
      }
      --job->room;
      ++job->helpers;
      lock.unlock();
      job->Work();
      lock.lock();
      // The caller can't leave before it has the mutex.
      if (--job->helpers == 0) job->last_left.notify_one();
    }
  }

  // Watches, without the mutex, for work to come in.
  void LookOut(std::unique_lock<std::mutex>* lock) {
    const size_t seen = arrivals_.load(std::memory_order_relaxed);
    lock->unlock();
    Watch([&] { return arrivals_.load(std::memory_order_relaxed) != seen; });
    lock->lock();
  }

  Job* FirstOpen() const {
    for (Job* job = first_; job != nullptr; job = job->after) {
      if (job->room != 0 && job->next.load(std::memory_order_relaxed) < job->count) return job;
    }
    return nullptr;
  }

  void Append(Job* job) {
    Job** end = &first_;
    while (*end != nullptr) end = &(*end)->after;
    *end = job;
    arrivals_.fetch_add(1, std::memory_order_relaxed);
  }

  void Remove(Job* job) {
    Job** at = &first_;
    while (*at != job) at = &(*at)->after;
    *at = job->after;
  }

  bool Start() {
    return StartThread([](void* pool) { static_cast<Pool*>(pool)->Serve(); }, this);
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<size_t> arrivals_{0};
  Job* first_ = nullptr;
  size_t workers_ = 0;
};

Pool& SharedPool() {
  static Pool* const pool = new Pool;
  return *pool;
}

thread_local size_t leaving_one_core = 0;  // LeaveOneCores of the thread

size_t ThreadsOfThisCall() {
  static const size_t all_but_one = std::max<size_t>(PhysicalCores(), 2) - 1;
  return leaving_one_core == 0 ? ThreadCount() : std::min(ThreadCount(), all_but_one);
}

#endif  // !__wasi__

}  // namespace

#if defined(__wasi__)
LeaveOneCore::LeaveOneCore() = default;
LeaveOneCore::~LeaveOneCore() = default;
#else
LeaveOneCore::LeaveOneCore() { ++leaving_one_core; }
LeaveOneCore::~LeaveOneCore() { --leaving_one_core; }
#endif

size_t ThreadCount() { return thread_count.load(std::memory_order_relaxed); }

void SetThreadCount(size_t count) { thread_count.store(count, std::memory_order_relaxed); }

void RunPieces(size_t count, Piece piece, void* context) {
#if !defined(__wasi__)
  const size_t threads = ThreadsOfThisCall();
  if (threads > 1 && count > 1) {
    SharedPool().Run(threads, count, piece, context);
    return;
  }
#endif
  RunHere(count, piece, context);
}

#if defined(__wasi__)
bool StartThread(void (*)(void*), void*) { return false; }
#else
bool StartThread(void (*body)(void*), void* argument) {
  struct Start {
    void (*body)(void*);
    void* argument;
  };
  auto start = std::make_unique<Start>(Start{body, argument});
#if defined(_WIN32)
  const auto run = [](void* given) -> DWORD {
    const Start own = *std::unique_ptr<Start>(static_cast<Start*>(given));
    own.body(own.argument);
    return 0;
  };
  // The code must stay while a thread runs it.
  HMODULE self;
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                     reinterpret_cast<LPCWSTR>(&thread_count), &self);
  const HANDLE thread = CreateThread(nullptr, 0, +run, start.get(), 0, nullptr);
  const bool started = thread != nullptr;
  if (started) CloseHandle(thread);
#else
  // Not std::thread: that one throws where the system has no more.
  const auto run = [](void* given) -> void* {
    const Start own = *std::unique_ptr<Start>(static_cast<Start*>(given));
    own.body(own.argument);
    return nullptr;
  };
  pthread_t thread;
  const bool started = pthread_create(&thread, nullptr, run, start.get()) == 0;
  if (started) pthread_detach(thread);
#endif
  if (started) start.release();
  return started;
}
#endif

size_t PhysicalCores() {
#if defined(__linux__)
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return 1;
  // A core is counted at the first of its threads that we may run on.
  size_t cores = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    char path[96];
    std::snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
    bool first = true;
    if (std::FILE* file = std::fopen(path, "r")) {
      // "0,64" or "0-1"
      int from, to;
      char separator = ',';
      while (separator == ',' && std::fscanf(file, "%d", &from) == 1) {
        to = from;
        separator = static_cast<char>(std::fgetc(file));
        if (separator == '-') {
          if (std::fscanf(file, "%d", &to) != 1) to = from;
          separator = static_cast<char>(std::fgetc(file));
        }
        for (int sibling = std::max(from, 0); sibling <= to && sibling < cpu; ++sibling) {
          if (CPU_ISSET(sibling, &allowed)) first = false;
        }
      }
      std::fclose(file);
    }
    if (first) ++cores;
  }
  return std::max<size_t>(cores, 1);
#elif defined(__APPLE__)
  int cores = 0;
  size_t size = sizeof(cores);
  // The fast ones, where there are two kinds.
  if (sysctlbyname("hw.perflevel0.physicalcpu", &cores, &size, nullptr, 0) != 0) {
    size = sizeof(cores);
    if (sysctlbyname("hw.physicalcpu", &cores, &size, nullptr, 0) != 0) cores = 1;
  }
  return std::max<size_t>(static_cast<size_t>(std::max(cores, 1)), 1);
#elif defined(_WIN32)
  SYSTEM_LOGICAL_PROCESSOR_INFORMATION info[256];
  DWORD size = sizeof(info);
  if (!GetLogicalProcessorInformation(info, &size)) return 1;
  size_t cores = 0;
  for (size_t i = 0; i < size / sizeof(info[0]); ++i) cores += info[i].Relationship == RelationProcessorCore;
  return std::max<size_t>(cores, 1);
#else
  return 1;
#endif
}

}  // namespace simdloss
