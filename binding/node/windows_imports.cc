// SPDX-License-Identifier: Apache-2.0
// Windows binds what is imported to the name of a file, node.exe, and Electron, Bun and Deno have others. So what
// <node_api.h> declares as imported is looked up in the program that runs.
#if defined(SIMDLOSS_NODE_API_SYMBOLS)
#include <windows.h>

// What a call of an imported function goes through.
extern "C" {
#define SIMDLOSS_X(name) void* __imp_##name;
#include SIMDLOSS_NODE_API_SYMBOLS
#undef SIMDLOSS_X
}

namespace {

// In place of what the program lacks: napi_generic_failure.
int Missing() { return 9; }

void* Find(const char* name) {
  const char* const modules[] = {"libnode.dll", nullptr};  // null: the program
  for (const char* const module : modules) {
    const HMODULE handle = GetModuleHandleA(module);
    const FARPROC found = handle == nullptr ? nullptr : GetProcAddress(handle, name);
    if (found != nullptr) return reinterpret_cast<void*>(found);
  }
  return reinterpret_cast<void*>(&Missing);
}

// Before Node calls anything of the addon.
const bool found = [] {
#define SIMDLOSS_X(name) __imp_##name = Find(#name);
#include SIMDLOSS_NODE_API_SYMBOLS
#undef SIMDLOSS_X
  return true;
}();

}  // namespace
#endif  // SIMDLOSS_NODE_API_SYMBOLS
