// SPDX-License-Identifier: Apache-2.0
#ifndef SIMDLOSS_NATIVE_STATUS_H_
#define SIMDLOSS_NATIVE_STATUS_H_

#include <cstdint>

namespace simdloss {

// What a call came to. Native code never throws: lib/ makes the errors.
enum class Status : int32_t {
  kOk,
  kBadLabel,        // a sparse label is no class index; LossResult or CtcFault says where
  kOutOfMemory,     // no scratch memory
  kBadArgument,     // sizes or ids that do not fit together: a bug in lib/, or a buffer that changed
  kBadLabelLength,  // CtcFault says of which example
  kBadLogitLength,
};

}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_STATUS_H_
