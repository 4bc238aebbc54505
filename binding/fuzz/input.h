// SPDX-License-Identifier: Apache-2.0
// What a fuzzer made up, read as sizes, strides, dtypes and arrays. Beyond its end all is 0.
#ifndef SIMDLOSS_BINDING_FUZZ_INPUT_H_
#define SIMDLOSS_BINDING_FUZZ_INPUT_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>

#include "binding/arguments.h"
#include "native/dispatch.h"

namespace simdloss {
namespace fuzz {

// Elements of an array, and steps of a loop, beyond which a call is left out: it would be slow, not different.
constexpr size_t kMostElements = size_t{1} << 16;

class Input {
 public:
  Input(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  uint8_t Byte() { return at_ < size_ ? data_[at_++] : 0; }
  bool done() const { return at_ >= size_; }

  template <class T>
  T Raw() {
    T value{};
    for (size_t i = 0; i < sizeof(T); ++i) reinterpret_cast<uint8_t*>(&value)[i] = Byte();
    return value;
  }

  // Around the widths of vectors mostly, past a tile seldom; now and then what is no size at all.
  double Size() {
    const uint8_t byte = Byte();
    if (byte < 80) return byte;
    if (byte < 250) return static_cast<double>(byte % 20);
    if (byte < 254) return 100.0 * (1 + Byte());
    return Raw<double>();
  }

  Dtype FloatDtype() { return Byte() % 2 == 0 ? Dtype::kFloat32 : Dtype::kFloat64; }

 private:
  const uint8_t* data_;
  size_t size_, at_ = 0;
};

// An array as long as it says, to the byte: a sanitizer sees what lies beyond. Of numbers hashed from a seed, some of
// them of no normal size.
class Array {
 public:
  Array(Dtype dtype, size_t length, uint32_t seed)
      : memory_(std::make_unique<unsigned char[]>(length * SizeOf(dtype))) {
    for (size_t i = 0; i < length; ++i) Set(dtype, i, seed = seed * 1664525u + 1013904223u);
  }
  void* data() const { return memory_.get(); }

 private:
  template <class T>
  void Put(size_t i, T value) {
    std::memcpy(memory_.get() + i * sizeof(T), &value, sizeof(T));
  }

  void Set(Dtype dtype, size_t i, uint32_t hash) {
    const uint32_t kind = hash >> 28, bits = hash & 0xffffff;
    const double extremes[] = {std::numeric_limits<double>::infinity(),
                               -std::numeric_limits<double>::infinity(),
                               std::numeric_limits<double>::quiet_NaN(),
                               std::numeric_limits<float>::denorm_min(),
                               std::numeric_limits<double>::denorm_min(),
                               std::numeric_limits<float>::max(),
                               -1e30,
                               -0.0};
    const double number = kind < 8    ? static_cast<double>(bits % 7)  // a class, a mask, a label
                          : kind < 15 ? static_cast<double>(bits) / (1 << 22) - 2
                                      : extremes[bits % 8];
    if (dtype == Dtype::kFloat32) return Put(i, static_cast<float>(number));
    if (dtype == Dtype::kFloat64) return Put(i, number);
    const uint64_t whole = kind < 15 ? bits % 7 : ~uint64_t{bits};
    std::memcpy(memory_.get() + i * SizeOf(dtype), &whole, SizeOf(dtype));
  }

  std::unique_ptr<unsigned char[]> memory_;
};

// What each input's first byte chooses from.
void FuzzCall(Input* input);
void FuzzProgram(Input* input);

inline void FuzzOne(const uint8_t* data, size_t size) {
  Input input(data, size);
  const uint8_t first = input.Byte();
  ForceTarget(first / 2 % kTargets);
  first % 2 == 0 ? FuzzCall(&input) : FuzzProgram(&input);
}

}  // namespace fuzz
}  // namespace simdloss

#endif  // SIMDLOSS_BINDING_FUZZ_INPUT_H_
