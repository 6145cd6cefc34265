#pragma once

#include <tinyllm/tensor/base/thread_pool.h>
#include <tinyllm/tensor/graph.h>
#include <tinyllm/tensor/op.h>
#include <tinyllm/tensor/store.h>

namespace tinyllm {

/// What a program holds, in bytes, known before it runs.
struct Memory {
  size_t parameters = 0;   ///< In the store; shared with other programs over it.
  size_t states = 0;       ///< In the store.
  size_t inputs = 0;       ///< Inputs and constants.
  size_t activations = 0;  ///< The arena of results and scratch memory, as planned.
  size_t unplanned = 0;    ///< What the arena would be if no memory were used twice.

  size_t total() const { return parameters + states + inputs + activations; }
  std::string str() const;
};

/// What one op did in a run, summed over its nodes.
struct OpTime {
  std::string op;
  int nodes = 0;
  double seconds = 0;
  double flops = 0;  ///< Floating point operations; 0 for an op that counts none.
  /// Of inputs and outputs, whole and once each, but of states twice: read and written. 0 for a view, and none for an
  /// output that nothing uses and the op leaves out.
  double bytes = 0;
};

struct CompileOptions {
  int threads = hardware_threads();       ///< Of the program's own pool.
  ThreadPool* pool = nullptr;             ///< A pool to share between programs, in place of an own one.
  Store* store = nullptr;                 ///< Where parameters live. Null: in a store of the program's own.
  Store* states = nullptr;                ///< Where states live. Null: with the parameters.
  Precision precision = Precision::fp32;  ///< Of matrix products. `run` throws Error where the CPU lacks it.
};

/// A graph ready to run: which nodes, in which order, every byte placed. Made by `compile`.
class Program {
 public:
  ~Program();
  Program(Program&&) noexcept;
  Program& operator=(Program&&) noexcept;

  /// Copies into an input, parameter or state. Throws Error when there is none of that name, or the type or the
  /// number of elements differs.
  template <class T>
  void write(std::string_view name, const T& values) {
    const std::span source(values);
    using Element = std::remove_const_t<typename decltype(source)::element_type>;
    const std::span<Element> target = as<Element>(name);
    if (source.size() != target.size()) {
      throw Error("write: {} has {} elements, got {}", name, target.size(), source.size());
    }
    std::copy(source.begin(), source.end(), target.begin());
  }

  /// The bytes of a parameter, state or input, to read or to fill in place. Throws Error as `write` does.
  template <class T>
  std::span<T> as(std::string_view name) {
    return typed<T>(view(name), name);
  }
  /// The elements of one of the outputs that were asked of `compile`; valid until the next run. The tensor's graph may
  /// be gone. Throws Error when it is none of the outputs, or of another type.
  template <class T>
  std::span<const T> read(const Tensor& output) const {
    const auto& [view, name] = output_view(output.id());
    return typed<T>(view, name);
  }

  /// Runs all nodes. Allocates nothing. Throws what an op throws (a token outside the vocabulary).
  void run();
  /// Runs all nodes and says where the time went, slowest op first. `run` knows nothing of it and costs the same.
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

/// Plans the nodes that `outputs` depend on, in the order in which they were built, and places every result in one
/// arena so that no two that are needed at the same time overlap. Updates in place (adamw) happen when their result is
/// among the outputs. The program keeps what it needs: the graph may be destroyed afterwards.
/// Throws Error when an output is empty or of another graph, or the store holds a tensor of another shape.
Program compile(const Graph& graph, const std::vector<Tensor>& outputs, CompileOptions options = {});

}  // namespace tinyllm

template <>
struct fmt::formatter<tinyllm::Memory> : fmt::formatter<std::string> {
  auto format(const tinyllm::Memory& memory, fmt::format_context& context) const {
    return fmt::formatter<std::string>::format(memory.str(), context);
  }
};
