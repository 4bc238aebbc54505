// SPDX-License-Identifier: Apache-2.0
#ifndef SIMDLOSS_BINDING_NODE_STAY_LOADED_H_
#define SIMDLOSS_BINDING_NODE_STAY_LOADED_H_

namespace simdloss {

// Keeps the addon in the process: its last environment may end before the threads of the pool do.
void StayLoaded();

}  // namespace simdloss

#endif  // SIMDLOSS_BINDING_NODE_STAY_LOADED_H_
