// SPDX-License-Identifier: Apache-2.0
// The fuzzer's entry: whatever the bytes are, nothing is touched that is not the call's (AddressSanitizer), and nothing
// is undefined (UndefinedBehaviorSanitizer). `npm run fuzz:native` builds and runs it.
#include <cstddef>
#include <cstdint>

#include "binding/fuzz/input.h"
#include "native/dispatch.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace simdloss;
  fuzz::Input input(data, size);
  const uint8_t first = input.Byte();
  ForceTarget(first / 2 % kTargets);
  first % 2 == 0 ? fuzz::FuzzCall(&input) : fuzz::FuzzProgram(&input);
  return 0;
}
