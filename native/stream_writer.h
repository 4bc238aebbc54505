// SPDX-License-Identifier: Apache-2.0
// Writes an array from its beginning on past the caches, in whole lines only: a line of which a part comes from the
// caches would hold up the stores behind it until it has been read. MSE of 8192 x 1000 whose gradient began within a
// line took twice as long while tiles ended within lines.
#ifndef SIMDLOSS_NATIVE_STREAM_WRITER_H_
#define SIMDLOSS_NATIVE_STREAM_WRITER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "native/stages.h"

namespace simdloss {

template <class T>
class StreamWriter {
  static constexpr size_t kLineBytes = 64, kLine = kLineBytes / sizeof(T);

 public:
  // More elements than are written at a time, in the buffer.
  static constexpr size_t kRoom = kLine;

  StreamWriter() = default;
  // `buffer` is aligned to a line.
  StreamWriter(const LossStages<T>& stages, T* to, T* buffer)
      : stages_(&stages), buffer_(buffer), begin_(reinterpret_cast<uintptr_t>(to) % kLineBytes / sizeof(T)) {
    end_ = begin_;
    line_ = to - begin_;
  }

  // Where the next elements go.
  T* next() const { return buffer_ + end_; }

  // So many are there.
  void Write(size_t count) {
    end_ += count;
    const size_t whole = end_ / kLine * kLine;
    if (whole == 0) return;
    stages_->stream(buffer_ + begin_, line_ + begin_, whole - begin_);
    std::copy(buffer_ + whole, buffer_ + end_, buffer_);
    line_ += whole;
    end_ -= whole;
    begin_ = 0;
  }

  // All are.
  void Finish() {
    std::copy(buffer_ + begin_, buffer_ + end_, line_ + begin_);
    begin_ = end_;
    stages_->fence();
  }

 private:
  const LossStages<T>* stages_ = nullptr;
  T* buffer_ = nullptr;
  T* line_ = nullptr;           // the place of the buffer's first element
  size_t begin_ = 0, end_ = 0;  // what of the buffer is to be written
};

}  // namespace simdloss

#endif  // SIMDLOSS_NATIVE_STREAM_WRITER_H_
