// SPDX-License-Identifier: Apache-2.0
#include "native/code_memory.h"

#include <cstring>

#if defined(_WIN32)
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>
#elif !defined(__wasm__)
#include <sys/mman.h>
#endif

namespace simdloss {
namespace {

#if defined(_WIN32)

void* Take(size_t bytes) { return VirtualAlloc(nullptr, bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE); }

bool MakeExecutable(void* pages, size_t bytes) {
  DWORD before;
  return VirtualProtect(pages, bytes, PAGE_EXECUTE_READ, &before) != 0 &&
         FlushInstructionCache(GetCurrentProcess(), pages, bytes) != 0;
}

void GiveBack(void* pages, size_t) { VirtualFree(pages, 0, MEM_RELEASE); }

#elif defined(__wasm__)

void* Take(size_t) { return nullptr; }
bool MakeExecutable(void*, size_t) { return false; }
void GiveBack(void*, size_t) {}

#else

void* Take(size_t bytes) {
  void* const pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return pages == MAP_FAILED ? nullptr : pages;
}

bool MakeExecutable(void* pages, size_t bytes) { return mprotect(pages, bytes, PROT_READ | PROT_EXEC) == 0; }

void GiveBack(void* pages, size_t bytes) { munmap(pages, bytes); }

#endif

}  // namespace

CodeMemory::CodeMemory(const std::vector<uint8_t>& code) : bytes_(code.size()) {
  void* const pages = code.empty() ? nullptr : Take(bytes_);
  if (pages == nullptr) return;
  std::memcpy(pages, code.data(), bytes_);
  if (MakeExecutable(pages, bytes_)) {
    pages_ = pages;
  } else {
    GiveBack(pages, bytes_);
  }
}

CodeMemory::~CodeMemory() {
  if (pages_ != nullptr) GiveBack(pages_, bytes_);
}

}  // namespace simdloss
