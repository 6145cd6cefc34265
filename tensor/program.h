#pragma once

#include <tinyllm/tensor/base/thread_pool.h>
#include <tinyllm/tensor/graph.h>
#include <tinyllm/tensor/op.h>
#include <tinyllm/tensor/store.h>

namespace tinyllm {

/// The memory of a program, in bytes. It is known before the program runs.
struct Memory {
  size_t parameters = 0;   ///< In the store; shared with other programs over it.
  size_t states = 0;       ///< In the store.
  size_t inputs = 0;       ///< Inputs and constants.
  size_t activations = 0;  ///< The arena of results and scratch memory, as planned.
  size_t unplanned = 0;    ///< What the arena would be if no memory were used twice.

  size_t total() const { return parameters + states + inputs + activations; }
  std::string str() const;
};

/// The cost of one node in a run.
struct NodeTime {
  std::string name;  ///< Of its first output, `linear#3`.
  std::string op;
  Shape shape;       ///< Of its first output.
  double start = 0;  ///< Seconds from the beginning of the run.
  double seconds = 0;
  double flops = 0;  ///< Floating point operations; 0 for an op that counts none.
  /// Sum over inputs and outputs. A state counts twice (read and written), a view and an unused output that is not
  /// computed count 0.
  double bytes = 0;
};

/// The cost of one op in a run, summed over its nodes.
struct OpTime {
  std::string op;
  int nodes = 0;
  double seconds = 0;
  double flops = 0;
  double bytes = 0;
};

struct CompileOptions {
  std::optional<ThreadPool> pool = {};  ///< The program keeps a copy. None: it makes one with hardware_threads().
  Store* store = nullptr;               ///< Where parameters live; missing ones are added. Null: in its own store.
  /// Instead of `store`: holds every parameter, and is only read. Then no op may change a parameter in place (adamw),
  /// and `write` and `data` refuse parameters.
  const Store* weights = nullptr;
  Store* states = nullptr;                ///< Where states live. Null: in `store` or the program's own store.
  Precision precision = Precision::fp32;  ///< Of matrix products. `run` throws Error if the CPU does not support it.
  /// After each node, a run looks at its results, and throws Error that names the first number that is infinite or a
  /// NaN. This is for finding a fault, and takes the time to read every result once more.
  bool check_finite = false;
};

/// A graph that is ready to run, made by `compile`: the nodes are scheduled, and every tensor has its memory.
/// For one thread at a time. Programs over the same `weights` may be compiled and run in several threads at once, each
/// with its own states.
class Program {
 public:
  ~Program();
  Program(Program&&) noexcept;
  Program& operator=(Program&&) noexcept;

  /// Copies into an input, parameter or state. Throws Error when none has that name, when the type or the number of
  /// elements differs, and when it is a parameter of `CompileOptions::weights`.
  template <class T>
  void write(std::string_view name, const T& values) {
    const std::span source(values);
    using Element = std::remove_const_t<typename decltype(source)::element_type>;
    const std::span<Element> target = data<Element>(name);
    if (source.size() != target.size()) {
      throw Error("write: {} has {} elements, got {}", name, target.size(), source.size());
    }
    std::copy(source.begin(), source.end(), target.begin());
  }

  /// The elements of a parameter, state or input, to read or to fill in place. Throws Error as `write` does.
  template <class T>
  std::span<T> data(std::string_view name) {
    return typed<T>(view(name), name);
  }
  /// The elements of an output passed to `compile`; valid until the next run. The tensor's graph may be gone. Throws
  /// Error when the tensor is not one of the outputs, or T is not its type.
  template <class T>
  std::span<const T> read(const Tensor& output) const {
    const auto& [view, name] = output_view(output.id());
    return typed<T>(view, name);
  }

  /// Runs all nodes. Allocates nothing. Throws what an op throws (a token outside the vocabulary), and Error by
  /// `CompileOptions::check_finite`; so do `trace` and `profile`.
  void run();
  /// Runs all nodes and returns the time of each, in order. `run` has no overhead from this. inspect.h prints it.
  std::vector<NodeTime> trace();
  /// The same by op, slowest first.
  std::vector<OpTime> profile();

  const Memory& memory() const;

 private:
  friend Program compile(const Graph& graph, const std::vector<Tensor>& outputs, CompileOptions options);
  struct State;
  explicit Program(std::unique_ptr<State> state);
  const View& view(std::string_view name) const;
  const std::pair<View, std::string>& output_view(int id) const;
  static std::span<std::byte> bytes(const View& view, DType expected, std::string_view name);

  template <class T>
  static std::span<T> typed(const View& view, std::string_view name) {
    const std::span<std::byte> raw = bytes(view, dtype_of<T>(), name);
    return {reinterpret_cast<T*>(raw.data()), raw.size() / sizeof(T)};
  }

  std::unique_ptr<State> state_;
};

/// Plans the nodes that `outputs` depend on, in the order in which they were built. All results are placed in one
/// arena, so that results needed at the same time do not overlap. Updates in place (adamw) happen only if their result
/// is among the outputs. The graph may be destroyed afterwards. Throws Error when an output is empty or of another
/// graph, when the store holds a tensor of another type or shape, when `weights` lacks a parameter or an op changes one
/// of them, or when there is not enough memory.
Program compile(const Graph& graph, const std::vector<Tensor>& outputs, CompileOptions options = {});

/// The memory that a program with these outputs would need on this number of threads. Nothing is allocated. Throws
/// Error as `compile` does for its outputs.
Memory planned_memory(const Graph& graph, const std::vector<Tensor>& outputs, int threads);

}  // namespace tinyllm

template <>
struct fmt::formatter<tinyllm::Memory> : fmt::formatter<std::string> {
  auto format(const tinyllm::Memory& memory, fmt::format_context& context) const {
    return fmt::formatter<std::string>::format(memory.str(), context);
  }
};
