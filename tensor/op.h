#pragma once

#include <tinyllm/tensor/base/thread_pool.h>
#include <tinyllm/tensor/graph.h>

namespace tinyllm {

/// The bytes of one tensor while a program runs.
struct View {
  void* data = nullptr;
  Shape shape;
  Type type = DType::f32;

  int64_t size() const { return shape.size(); }
  float* f32() const { return static_cast<float*>(data); }
  int32_t* i32() const { return static_cast<int32_t*>(data); }
  Half* f16() const { return static_cast<Half*>(data); }
};

/// The arguments of an op's `run`: inputs and outputs, parameters, scratch memory, threads and precision.
struct Launch {
  std::span<const View> inputs;
  std::span<const View> outputs;
  const std::any* params = nullptr;
  void* workspace = nullptr;
  ThreadPool* pool = nullptr;
  Precision precision = Precision::fp32;  ///< Of matrix products.

  template <class Params>
  const Params& get() const {
    return std::any_cast<const Params&>(*params);
  }
};

/// The arguments of an op's `gradient`: the tensors of its node and the gradients of its outputs.
struct Backward {
  std::span<const Tensor> inputs;
  std::span<const Tensor> outputs;
  std::span<const Tensor> output_grads;  ///< An empty Tensor if no gradient flows into that output.
  const std::any* params = nullptr;

  template <class Params>
  const Params& get() const {
    return std::any_cast<const Params&>(*params);
  }
};

/// One row of the op table: everything that the tensor layer knows about an operation. The shape rule is in the free
/// function that appends the node, which is also the function that a user calls.
struct Op {
  const char* name;

  /// Computes the outputs. Must not allocate, and must give the same bits for any number of threads.
  void (*run)(const Launch&);

  /// Appends the gradient and returns one tensor for each input; an empty one if no gradient flows into it.
  /// Null: the op has no gradient.
  std::vector<Tensor> (*gradient)(const Backward&) = nullptr;

  /// Bytes of scratch memory that `run` needs on a pool of that many workers. Null: none.
  size_t (*workspace)(const Node&, const Graph&, int workers) = nullptr;

  /// Floating point operations of a node, for profiles. Null: none are counted, as for ops that are limited by memory.
  double (*flops)(const Node&, const Graph&) = nullptr;

  /// Output 0 may reuse the memory of one of the first `in_place` inputs, if that input has the same size and is not
  /// needed afterwards.
  int in_place = 0;

  /// Output 0 is the memory of input 0. An op with one input is a view of it, and `run` must not change it (reshape).
  /// An op with more inputs changes it (adamw).
  bool alias = false;

  /// An unused output has no memory (the data of its view is null), and `run` does not compute it.
  bool skips_unused = false;
};

/// Whether a node changes its input 0.
inline bool is_update(const Node& node) { return node.op->alias && node.inputs.size() > 1; }

}  // namespace tinyllm
