// SPDX-License-Identifier: Apache-2.0
// The interpreter of programs. All that an instruction touches is found in one table of pointers, of which only those
// into inputs, columns, blocks and outputs move from tile to tile.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <new>
#include <type_traits>

#include "native/chunks.h"
#include "native/double_double.h"
#include "native/program.h"
#include "native/program_chains.h"
#include "native/program_stages.h"
#include "native/reader.h"
#include "native/scratch.h"
#include "native/stages.h"
#include "native/stream_writer.h"
#include "native/thread_pool.h"
#include "native/tile.h"

namespace simdloss {
namespace {

// 2 KiB a buffer. Measured for Huber, score and gradient, and for a program of 40 values at a time, float32, ns an
// element: 1 KiB .55 / 1.51, 2 KiB .55 / 1.65, 4 KiB .62 / 1.98.
template <class T>
constexpr size_t kProgramTile = 2048 / sizeof(T);
// Scalars are so long: a vector over and over, as many as a chain holds.
template <class T>
constexpr size_t kScalarLength = kChainVectors * kPadding<T>;
// Blocks of rows that go through several passes are about so many elements.
constexpr size_t kBlockElements = 2048;
// At most so many columns and elements: no size here overflows.
constexpr bool k64Bits = sizeof(size_t) == 8;
constexpr size_t kMostColumns = size_t{1} << (k64Bits ? 40 : 24), kMostElements = size_t{1} << (k64Bits ? 53 : 29);
// Column sums are kept a chunk: no more than threads need.
constexpr size_t kColumnSumChunks = 64;

// Apart from ThreadScratch(), in which chunks run meanwhile.
Scratch& CallScratch() {
  static SIMDLOSS_THREAD_LOCAL Scratch scratch;
  return scratch;
}

// Cuts memory into arrays of whole lines; without memory it only counts.
class Arena {
 public:
  explicit Arena(std::byte* memory = nullptr) : memory_(memory) {}

  // `count` arrays; those of numbers are ArrayStride(length) elements apart.
  template <class U>
  U* Take(size_t count, size_t length) {
    const uint64_t at = used_;
    used_ += uint64_t{count} * Scratch::ArrayStride<std::byte>(length * sizeof(U));
    return memory_ == nullptr ? nullptr : reinterpret_cast<U*>(memory_ + at);
  }
  uint64_t used() const { return used_; }

 private:
  std::byte* memory_;
  uint64_t used_ = 0;
};

// How the rows of a call are cut: by the program and the sizes alone.
struct Cut {
  size_t chunk_rows, chunks, block_rows;
};

// Does a single pass over the elements sum them? Its tiles are then those of a program without reductions, and so are
// the bits of the sum.
bool SumsInOnePass(const Program& program) {
  size_t tiled = 0;
  bool sums = false;
  for (const ProgramPass& pass : program.passes) {
    tiled += pass.tiles.empty() ? 0 : 1;
    for (const ProgramStage& stage : pass.tiles) {
      for (const ChainStep& step : stage.chain) sums = sums || (step.does & ChainStep::kAdd) != 0;
    }
  }
  return tiled == 1 && sums;
}

template <class T>
Cut CutRows(const ProgramCall& call) {
  const Program& program = *call.program;
  Cut cut;
  cut.chunk_rows = RowsPerChunk(call.cols);
  if (program.Count(Space::kColumnSum) != 0) {
    cut.chunk_rows = std::max({cut.chunk_rows, kChunkRows, (call.rows + kColumnSumChunks - 1) / kColumnSumChunks});
  }
  cut.chunks = (call.rows + cut.chunk_rows - 1) / cut.chunk_rows;
  cut.block_rows = cut.chunk_rows;
  // A tile holds the values of a block's rows.
  if (program.Count(Space::kRow) != 0) cut.block_rows = std::min(cut.block_rows, kProgramTile<T>);
  if (program.passes.size() > 1 && !SumsInOnePass(program)) {
    const size_t rows = std::max<size_t>(kBlockElements / call.cols, 1);
    // Whole vectors of elements, whatever the columns.
    cut.block_rows = std::min(cut.block_rows, rows < kPadding<T> ? rows : rows / kPadding<T> * kPadding<T>);
  }
  return cut;
}

// Runs steps over the table of pointers.
template <class T>
class Machine {
 public:
  // A tile, and room for the vector that Expand or a reduction may write too many.
  static constexpr size_t kTile = kProgramTile<T>, kRegister = kTile + kPadding<T>;

  explicit Machine(const ProgramCall& call)
      : call_(call),
        program_(*call.program),
        stages_(ChosenProgramStages<T>()),
        losses_(ChosenLossStages<T>()),
        activations_(ChosenActivationStages<T>()),
        lanes_(ChosenRowStages<T>().lanes),
        uses_code_(UsesChainCode()) {}

 protected:
  void PlaceTable(Arena* arena) {
    at_ = arena->Take<T*>(1, program_.slots);
    for (T*& spare : spare_) spare = arena->Take<T>(1, kRegister);
    unused_ = arena->Take<T>(1, kRegister);
  }

  size_t Padded(size_t count) const { return (count + lanes_ - 1) / lanes_ * lanes_; }

  // The slots of a space.
  T** Slots(Space space) const { return at_ + program_.Slot(space, 0); }

  void PointSpare() { std::copy_n(spare_, kSpares, at_); }

  // Points the slots of a space to `first` and what lies `stride` apart after it.
  void Point(Space space, T* first, size_t stride) {
    for (size_t i = 0; i < program_.Count(space); ++i) Slots(space)[i] = first + i * stride;
  }

  void Run(const std::vector<ProgramStage>& stages, size_t count) {
    for (const ProgramStage& stage : stages) {
      if (stage.chain.empty()) {
        Execute(stage.step, count);
      } else {
        RunChain(stage, count);
      }
    }
  }

  // What its code leaves is left to the interpreter.
  void RunChain(const ProgramStage& stage, size_t count) {
    size_t done = 0;
    if (ChainFunction* const code = uses_code_ ? stage.code<T>() : nullptr) {
      done = count / kCodeElements<T> * kCodeElements<T>;
      if (done != 0) code(at_, done * sizeof(T), sums_);
    }
    if (done < count) stages_.chain(stage.chain.data(), at_, done, count, sums_);
  }

  void Execute(const ProgramStep& step, size_t count) {
    const T* const a = at_[step.a];
    const T* const b = at_[step.b];
    T* const to = at_[step.to];
    const size_t padded = Padded(count);
    if (step.op >= kFirstActivation) {
      const bool slope = step.op >= kFirstSlope;
      const auto kind = step.op - (slope ? kFirstSlope : kFirstActivation);
      const ActivationParams& params = program_.params[step.params];
      if (slope) {
        activations_.value_and_slope[kind](params, a, b, unused_, to, padded);
      } else if (step.with_slope) {
        activations_.value_and_slope[kind](params, a, b, to, at_[step.c], padded);
      } else {
        activations_.value[kind](params, a, b, to, nullptr, padded);
      }
    } else if (step.op == kOpExpand) {
      losses_.expand(a, call_.cols, begin_, padded, to);
    } else if (step.op == kOpConstant) {
      *to = static_cast<T>(program_.constants[step.params]);
      Repeat(1, padded, to);
    } else if (step.op == kOpSum) {
      AddToColumns(a, count, column_sums_ + step.sum * column_sum_length_);
    } else {
      stages_.compute[step.op](a, b, to, padded);
    }
  }

  // A row of sums, repeated for long stretches of narrow rows.
  void AddToColumns(const T* x, size_t count, double* sums) {
    const size_t length = column_sum_length_;
    for (size_t at = begin_ % length; count != 0; at = 0) {
      const size_t piece = std::min(count, length - at);
      stages_.add_to_sums(x, piece, sums + at);
      x += piece;
      count -= piece;
    }
  }

  const ProgramCall& call_;
  const Program& program_;
  const ProgramStages<T>& stages_;
  const LossStages<T>& losses_;
  const ActivationStages<T>& activations_;
  const size_t lanes_;
  const bool uses_code_;
  T** at_ = nullptr;
  T* spare_[kSpares] = {};
  T* unused_ = nullptr;  // what a stage gives besides
  size_t begin_ = 0;     // of the tile, in its block
  LaneSums* sums_ = nullptr;
  double* column_sums_ = nullptr;
  size_t column_sum_length_ = 0;
};

// What the chunks share: scalars and columns.
template <class T>
class CallMachine : Machine<T> {
  using Base = Machine<T>;

 public:
  explicit CallMachine(const ProgramCall& call) : Base(call) {}

  void Place(Arena* arena) {
    this->PlaceTable(arena);
    scalars = arena->Take<T>(this->program_.Count(Space::kScalar), kScalarLength<T>);
    columns = arena->Take<T>(this->program_.Count(Space::kColumn), ColumnLength());
  }

  void Compute() {
    const Program& program = this->program_;
    const size_t cols = this->call_.cols;
    this->PointSpare();
    this->Point(Space::kScalar, scalars, ScalarStride());
    this->Point(Space::kColumn, columns, ColumnStride());
    for (size_t i = 0; i < program.inputs.size(); ++i) {
      const auto [extent, index] = program.inputs[i];
      const Matrix& input = this->call_.inputs[i];
      if (extent == Extent::kSingle) {
        T* const scalar = this->Slots(Space::kScalar)[index];
        Reader<T>(input, 1).CopyTo(0, 1, scalar);
        Repeat(1, kScalarLength<T>, scalar);
      } else if (extent == Extent::kColumn) {
        Reader<T>(input, cols).CopyTo(0, cols, this->Slots(Space::kColumn)[index]);
      }
    }
    this->Run(program.scalars, kScalarLength<T>);
    if (program.Count(Space::kColumn) == 0) return;
    for (size_t begin = 0; begin < cols; begin += Base::kTile) {
      this->Point(Space::kColumn, columns + begin, ColumnStride());
      this->Run(program.columns, std::min(Base::kTile, cols - begin));
    }
    for (size_t i = 0; i < program.Count(Space::kColumn); ++i) {
      Repeat(cols, ColumnLength(), columns + i * ColumnStride());
    }
  }

  static size_t ScalarStride() { return Scratch::ArrayStride<T>(kScalarLength<T>); }
  // Whatever column a tile begins in, its values lie side by side.
  size_t ColumnLength() const { return this->call_.cols + Base::kRegister; }
  size_t ColumnStride() const { return Scratch::ArrayStride<T>(ColumnLength()); }

  T* scalars = nullptr;
  T* columns = nullptr;
};

// Runs a chunk of rows.
template <class T>
class ChunkMachine : Machine<T> {
  using Base = Machine<T>;
  static constexpr size_t kRegisterStride = Base::kRegister, kOutputStride = kRegisterStride + StreamWriter<T>::kRoom;

 public:
  ChunkMachine(const ProgramCall& call, const Cut& cut, const CallMachine<T>& shared)
      : Base(call), cut_(cut), shared_(shared) {
    this->column_sum_length_ = std::max<size_t>(Base::kTile / call.cols, 1) * call.cols;
  }

  void Place(Arena* arena) {
    const Program& program = this->program_;
    this->PlaceTable(arena);
    sources_ = arena->Take<Source>(1, program.inputs.size());
    targets_ = arena->Take<Target>(1, program.outputs.size());
    this->sums_ = arena->Take<LaneSums>(1, program.sums());
    tiles_ = arena->Take<T>(program.Count(Space::kTile), Base::kRegister);
    rows_ = arena->Take<T>(program.Count(Space::kRow), Base::kRegister);
    inputs_ = arena->Take<T>(program.inputs.size(), Base::kRegister);
    outputs_ = arena->Take<T>(program.outputs.size(), kOutputStride);
    blocks_ = arena->Take<T>(program.Count(Space::kBlock), BlockLength());
    input_rows_ = arena->Take<T>(1, program.Count(Space::kRow) == 0 ? 0 : BlockLength());
    this->column_sums_ = arena->Take<double>(1, program.Count(Space::kColumnSum) * this->column_sum_length_);
  }

  // Rows first .. last; their sums, and a row of each column sum.
  void RunRows(size_t first, size_t last, double* sums, double* column_sums) {
    const Program& program = this->program_;
    Prepare(first);
    this->PointSpare();
    this->Point(Space::kScalar, shared_.scalars, shared_.ScalarStride());
    this->Point(Space::kTile, tiles_, kRegisterStride);
    this->Point(Space::kRow, rows_, kRegisterStride);
    this->Point(Space::kOutput, outputs_, kOutputStride);
    const size_t all_column_sums = program.Count(Space::kColumnSum) * this->column_sum_length_;
    std::fill_n(this->column_sums_, all_column_sums, 0.0);
    for (size_t row = first; row < last; row += cut_.block_rows) {
      RunBlock(row, std::min(cut_.block_rows, last - row));
    }
    for (size_t k = 0; k < program.sums(); ++k) sums[k] = this->sums_[k].Total();
    for (size_t i = 0; i < all_column_sums; i += this->call_.cols) {
      double* const of_sum = column_sums + i / this->column_sum_length_ * this->call_.cols;
      for (size_t j = 0; j < this->call_.cols; ++j) of_sum[j] += this->column_sums_[i + j];
    }
    for (size_t i = 0; i < program.outputs.size(); ++i) {
      if (targets_[i].streams) targets_[i].writer.Finish();
    }
  }

 private:
  struct Source {
    Reader<T> reader;
    const T* in_place;  // null: not all of it lies side by side
  };
  struct Target {
    StreamWriter<T> writer;
    bool streams;  // by the writer
    T* direct;     // where whole vectors are written at once; null: by way of a buffer
  };
  static_assert(std::is_trivially_destructible_v<Source> && std::is_trivially_destructible_v<Target>);

  void Prepare(size_t first) {
    const ProgramCall& call = this->call_;
    const Program& program = this->program_;
    for (size_t i = 0; i < program.inputs.size(); ++i) {
      const Reader<T> reader(call.inputs[i], program.inputs[i].extent == Extent::kRow ? 1 : call.cols);
      new (&sources_[i]) Source{reader, reader.InPlace()};
    }
    for (size_t i = 0; i < program.outputs.size(); ++i) {
      const auto& output = call.outputs[i];
      T* const data = static_cast<T*>(output.data);
      const auto* const inputs = call.inputs.data();
      const bool in_place =
          std::any_of(inputs, inputs + program.inputs.size(), [&](const Matrix& input) { return input.data == data; });
      const bool side_by_side = output.stride == call.cols;
      const bool streams = side_by_side && call.rows * call.cols * sizeof(T) > kStreamBytes;
      new (&targets_[i]) Target{{}, streams, side_by_side && !streams && !in_place ? data : nullptr};
      if (streams) targets_[i].writer = StreamWriter<T>(this->losses_, data + first * call.cols, Buffer(i));
    }
    for (size_t i = 0; i < program.sums(); ++i) new (&this->sums_[i]) LaneSums();
  }

  size_t BlockLength() const { return cut_.block_rows * this->call_.cols + kPadding<T>; }
  size_t BlockStride() const { return Scratch::ArrayStride<T>(BlockLength()); }

  void RunBlock(size_t row, size_t rows) {
    const Program& program = this->program_;
    for (size_t i = 0; i < program.inputs.size(); ++i) {
      const auto [extent, index] = program.inputs[i];
      if (extent == Extent::kRow) sources_[i].reader.CopyTo(row, rows, this->at_[program.Slot(Space::kRow, index)]);
    }
    for (const ProgramPass& pass : program.passes) {
      this->Run(pass.rows, rows);
      if (!pass.tiles.empty()) RunOnTiles(pass, row, rows * this->call_.cols);
      for (const ProgramReduction& reduction : pass.reductions) Reduce(reduction, row, rows);
    }
    // Last: they may lie in the memory of an input.
    for (size_t i = 0; i < program.outputs.size(); ++i) {
      if (program.outputs[i].extent != Extent::kRow) continue;
      const auto& output = this->call_.outputs[i];
      StoreRows(Buffer(i), row, rows, 1, static_cast<T*>(output.data), output.stride);
    }
  }

  // The elements of a block, tile by tile.
  void RunOnTiles(const ProgramPass& pass, size_t row, size_t elements) {
    constexpr size_t kTile = Base::kTile;
    const size_t cols = this->call_.cols, first = row * cols;
    T** const inputs = this->Slots(Space::kInput);
    T** const outputs = this->Slots(Space::kOutput);
    T** const blocks = this->Slots(Space::kBlock);
    T** const columns = this->Slots(Space::kColumn);
    for (const size_t i : pass.blocks) blocks[i] = blocks_ + i * BlockStride();
    size_t col = 0;
    const size_t stretch = StretchOf(pass, elements);
    for (size_t begin = 0, count = 0; begin < elements; begin += count) {
      count = std::min(stretch > begin ? stretch : kTile, elements - begin);
      const size_t flat = first + begin, padded = this->Padded(count);
      // Whole vectors are read and written where they lie if they can be: no step writes to an input.
      const bool whole = count == padded;
      for (const size_t i : pass.inputs) {
        if (whole && sources_[i].in_place != nullptr) {
          inputs[i] = const_cast<T*>(sources_[i].in_place) + flat;
        } else {
          inputs[i] = inputs_ + i * kRegisterStride;
          sources_[i].reader.ReadPadded(flat, count, padded, inputs[i]);
        }
      }
      for (const size_t i : pass.outputs) {
        const Target& target = targets_[i];
        outputs[i] = whole && target.direct != nullptr ? target.direct + flat
                     : target.streams                  ? target.writer.next()
                                                       : Buffer(i);
      }
      if (!pass.columns.empty()) {
        for (const size_t i : pass.columns) columns[i] = shared_.columns + i * shared_.ColumnStride() + col;
        col = (col + kTile) % cols;
      }
      this->begin_ = begin;
      this->Run(pass.tiles, count);
      for (const size_t i : pass.outputs) {
        if (!whole || targets_[i].direct == nullptr) Store(i, flat, count);
      }
      for (const size_t i : pass.blocks) blocks[i] += count;
    }
  }

  // How many elements from the first on go through at once: whole vectors, all read and written where they lie.
  size_t StretchOf(const ProgramPass& pass, size_t elements) const {
    const auto is_input = [&](size_t i) { return sources_[i].in_place != nullptr; };
    const auto is_output = [&](size_t i) { return targets_[i].direct != nullptr; };
    const bool all = IsOneChain(pass.tiles) && pass.columns.empty() &&
                     std::all_of(pass.inputs.begin(), pass.inputs.end(), is_input) &&
                     std::all_of(pass.outputs.begin(), pass.outputs.end(), is_output);
    return all ? elements & ~(this->lanes_ - 1) : 0;
  }

  T* Buffer(size_t output) const { return outputs_ + output * kOutputStride; }

  // From an output's buffer to its place.
  void Store(size_t i, size_t flat, size_t count) {
    if (targets_[i].streams) return targets_[i].writer.Write(count);
    const auto& output = this->call_.outputs[i];
    StoreRows(Buffer(i), flat, count, this->call_.cols, static_cast<T*>(output.data), output.stride);
  }

  void Reduce(const ProgramReduction& reduction, size_t row, size_t rows) {
    const Program& program = this->program_;
    const size_t cols = this->call_.cols;
    const size_t block = program.Slot(Space::kBlock, 0);
    typename Reader<T>::Rows from{blocks_ + (reduction.from - block) * BlockStride(), cols};
    if (reduction.from < block) {
      from = sources_[reduction.from - program.Slot(Space::kInput, 0)].reader.ReadRows(row, rows, input_rows_);
    }
    const auto reduce = reduction.kind == ProgramReduction::kMax ? this->stages_.row_maxima : this->stages_.row_sums;
    reduce(from.data, from.stride, rows, cols, this->at_[reduction.to]);
  }

  const Cut& cut_;
  const CallMachine<T>& shared_;
  Source* sources_ = nullptr;
  Target* targets_ = nullptr;
  T* tiles_ = nullptr;
  T* rows_ = nullptr;
  T* inputs_ = nullptr;
  T* outputs_ = nullptr;
  T* blocks_ = nullptr;
  T* input_rows_ = nullptr;
};

// Memory for a machine; false where there is none.
template <class M>
bool Place(Scratch* scratch, M&& place) {
  Arena counted;
  place(&counted);
  if (counted.used() > std::numeric_limits<size_t>::max() / 2) return false;
  std::byte* const memory = scratch->Arrays<std::byte>(1, static_cast<size_t>(counted.used()));
  if (memory == nullptr) return false;
  Arena arena(memory);
  place(&arena);
  return true;
}

template <class T>
Status Run(const ProgramCall& call) {
  const Program& program = *call.program;
  const size_t cols = call.cols, sums = program.sums(), column_sums = program.Count(Space::kColumnSum);
  const Cut cut = CutRows<T>(call);
  CallMachine<T> shared(call);
  double *of_chunks = nullptr, *of_columns = nullptr;
  const bool placed = Place(&CallScratch(), [&](Arena* arena) {
    shared.Place(arena);
    of_chunks = arena->Take<double>(1, cut.chunks * sums);
    of_columns = arena->Take<double>(1, cut.chunks * column_sums * cols);
  });
  if (!placed) return Status::kOutOfMemory;
  if (call.rows != 0) shared.Compute();
  std::fill_n(of_columns, cut.chunks * column_sums * cols, 0.0);
  std::atomic<Status> status{Status::kOk};
  ForEachPiece(cut.chunks, [&](size_t i) {
    ChunkMachine<T> machine(call, cut, shared);
    if (!Place(&ThreadScratch(), [&](Arena* arena) { machine.Place(arena); })) {
      status = Status::kOutOfMemory;
      return;
    }
    const size_t first = i * cut.chunk_rows;
    machine.RunRows(first, std::min(call.rows, first + cut.chunk_rows), of_chunks + i * sums,
                    of_columns + i * column_sums * cols);
  });
  for (size_t k = 0; k < sums; ++k) {
    CarriedSum sum;
    for (size_t i = 0; i < cut.chunks; ++i) sum.Add(of_chunks[i * sums + k]);
    call.sums[k] = sum.Total();
  }
  for (size_t i = 0; i < program.outputs.size(); ++i) {
    if (program.outputs[i].extent != Extent::kColumn) continue;
    for (size_t j = 0; j < cols; ++j) {
      CarriedSum sum;
      for (size_t k = 0; k < cut.chunks; ++k)
        sum.Add(of_columns[(k * column_sums + program.outputs[i].index) * cols + j]);
      static_cast<T*>(call.outputs[i].data)[j] = static_cast<T>(sum.Total());
    }
  }
  return status;
}

bool IsValid(const ProgramCall& call) {
  if (call.program == nullptr || (call.dtype != Dtype::kFloat32 && call.dtype != Dtype::kFloat64)) return false;
  if (call.cols == 0 || call.cols > kMostColumns || call.rows > kMostElements / call.cols) return false;
  const Program& program = *call.program;
  for (size_t i = 0; i < program.inputs.size(); ++i) {
    if ((call.rows != 0 && !call.inputs[i]) || call.inputs[i].col_stride > 1) return false;
  }
  for (size_t i = 0; i < program.outputs.size(); ++i) {
    const auto& output = call.outputs[i];
    const Extent extent = program.outputs[i].extent;
    if (output.data == nullptr && (call.rows != 0 || extent == Extent::kColumn)) return false;
    if (extent == Extent::kElements && call.rows > 1 && output.stride < call.cols) return false;
    if (extent == Extent::kRow && call.rows > 1 && output.stride == 0) return false;
  }
  return program.sums() == 0 || call.sums != nullptr;
}

}  // namespace

Status RunProgram(const ProgramCall& call) {
  if (!IsValid(call)) return Status::kBadArgument;
  return call.dtype == Dtype::kFloat32 ? Run<float>(call) : Run<double>(call);
}

}  // namespace simdloss
