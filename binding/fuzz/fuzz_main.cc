// SPDX-License-Identifier: Apache-2.0
// The fuzzer's entry: whatever the bytes are, nothing is touched that is not the call's (AddressSanitizer), and nothing
// is undefined (UndefinedBehaviorSanitizer). `npm run fuzz:native` builds and runs it.
#include <cstddef>
#include <cstdint>

#include "binding/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  simdloss::fuzz::FuzzOne(data, size);
  return 0;
}
