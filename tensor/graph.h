#pragma once

#include <tinyllm/tensor/types.h>

#include <any>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tinyllm {

class Graph;
struct Op;

/// A handle to one value of a graph: cheap to copy, valid as long as its graph. A default-constructed one is empty.
class Tensor {
 public:
  Tensor() = default;
  explicit operator bool() const { return graph_ != nullptr; }

  Graph& graph() const { return *graph_; }
  int id() const { return id_; }
  const Shape& shape() const;
  /// How it is stored.
  Type type() const;
  /// Its element type. Throws Error when it is a packed matrix.
  DType dtype() const { return type().dtype(); }
  /// The name given by the user; `op#node` for the first result of a node, `op#node.1` for the second.
  const std::string& name() const;
  /// `name [8,256,512]`, for messages.
  std::string str() const;

 private:
  friend class Graph;
  Tensor(Graph* graph, int id) : graph_(graph), id_(id) {}
  Graph* graph_ = nullptr;
  int id_ = -1;
};

/// Where the bytes of a value come from.
enum class Kind : uint8_t {
  parameter,   ///< Learned; lives in the Store, shared by name between programs.
  state,       ///< Kept between runs (optimizer moments, KV cache); lives in the Store, starts as zeros.
  input,       ///< Written by the user before a run.
  constant,    ///< One number, repeated.
  activation,  ///< Computed by a node.
};

struct Value {
  Kind kind;
  Type type;
  Shape shape;
  std::string name;
  float fill = 0;  ///< Of a constant.
  int node = -1;   ///< The node that computes an activation.
};

inline size_t bytes_of(const Value& value) { return bytes_of(value.type, value.shape); }
/// The id of a value or a node, as an index.
constexpr size_t index(int id) { return static_cast<size_t>(id); }

/// One application of an op.
struct Node {
  const Op* op;
  std::vector<int> inputs;   ///< Value ids.
  std::vector<int> outputs;  ///< Value ids, consecutive.
  std::any params;           ///< The op's own parameter struct.
};

/// A computation as a value: an append-only list of nodes over named tensors. Building is cheap, single-threaded, and
/// where every error about shapes and types is thrown. `compile` turns it into a Program.
class Graph {
 public:
  Graph() = default;
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  /// A learned tensor. Names of parameters, states and inputs are unique within a graph; throws Error otherwise, and if
  /// the shape does not fit a packed format.
  Tensor parameter(std::string name, Type type, Shape shape);
  /// A tensor that keeps its values between runs.
  Tensor state(std::string name, Type type, Shape shape);
  /// A tensor that the user writes before a run.
  Tensor input(std::string name, Type type, Shape shape);
  /// An f32 tensor filled with one number.
  Tensor constant(float fill, Shape shape);

  struct Output {
    Type type;
    Shape shape;
  };
  /// Appends a node. For the functions in ops/, which check shapes and types first.
  /// Throws Error when an input is empty or belongs to another graph, and when the row of the op cannot be right.
  std::vector<Tensor> append(const Op& op, const std::vector<Tensor>& inputs, const std::vector<Output>& outputs,
                             std::any params = {});

  /// Whether a parameter, state or input has this name.
  bool has(std::string_view name) const { return names_.contains(std::string(name)); }
  /// The parameter, state or input of this name. Throws Error when there is none.
  Tensor find(std::string_view name) const;
  Tensor tensor(int id) const { return {const_cast<Graph*>(this), id}; }
  const Value& value(int id) const { return values_[index(id)]; }
  const std::deque<Value>& values() const { return values_; }
  const std::deque<Node>& nodes() const { return nodes_; }

 private:
  Tensor add_named(Kind kind, std::string name, Type type, Shape shape);

  std::deque<Value> values_;  // Deques, so that shapes and names do not move while the graph grows.
  std::deque<Node> nodes_;
  std::unordered_map<std::string, int> names_;
};

}  // namespace tinyllm
