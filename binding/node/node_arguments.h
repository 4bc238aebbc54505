// SPDX-License-Identifier: Apache-2.0
// What a call of the addon got from JavaScript.
#ifndef SIMDLOSS_BINDING_NODE_NODE_ARGUMENTS_H_
#define SIMDLOSS_BINDING_NODE_NODE_ARGUMENTS_H_

#include <napi.h>

#include <cstddef>

#include "binding/arguments.h"

namespace simdloss {

class NodeArguments : public Arguments {
 public:
  // `values` holds kMost of them, or as many as the callee reads, undefined where fewer were passed.
  NodeArguments(napi_env env, const napi_value* values, double* block)
      : Arguments(block, spans_), env_(env), values_(values) {}

  napi_env env() const { return env_; }

  napi_value operator[](size_t i) const { return values_[i]; }

  // Fills the spans: false where something is no array. An array keeps its type for life, so lib/'s word for it holds,
  // which saves 28 of 46 ns; its length and memory can change, and are asked here.
  bool ReadArrays() {
    size_t dtypes = Size(kSlot_dtypes);
    for (Span& span : spans_) {
      // A hexadecimal digit an argument, the first one lowest.
      span.dtype = dtypes & 15;
      dtypes >>= 4;
      if (span.dtype != 0 && napi_get_typedarray_info(env_, values_[&span - spans_], nullptr, &span.length, &span.data,
                                                      nullptr, nullptr) != napi_ok) {
        return false;
      }
    }
    return true;
  }

 private:
  napi_env env_;
  const napi_value* values_;
  Span spans_[kMost];  // not before ReadArrays
};

// Undefined for kOk: 9 ns a crossing, where returning any number takes 15.
inline napi_value ToStatus(const NodeArguments& args, Status status) {
  if (status == Status::kOk) return nullptr;
  return Napi::Number::New(args.env(), static_cast<int>(status));
}

}  // namespace simdloss

#endif  // SIMDLOSS_BINDING_NODE_NODE_ARGUMENTS_H_
