// SPDX-License-Identifier: Apache-2.0
#ifndef SIMDLOSS_NATIVE_LANE_SUMS_H_
#define SIMDLOSS_NATIVE_LANE_SUMS_H_

#include <cmath>
#include <cstddef>

#include "native/double_double.h"

namespace simdloss {

// A sum on its way: one a lane of the widest vector of doubles, and what rounding has left out of it.
struct LaneSums {
  static constexpr size_t kLanes = 8;
  alignas(64) double total[kLanes] = {}, error[kLanes] = {};

  double Total() const {
    CarriedSum sum;
    double rest = 0;
    for (size_t i = 0; i < kLanes; ++i) {
      sum.Add(total[i]);
      rest += error[i];
    }
    const double whole = sum.Total();
    return std::isfinite(whole) ? whole + rest : whole;
  }
};

}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_LANE_SUMS_H_
