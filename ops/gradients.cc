#include <tinyllm/ops/gradients.h>

#include <tinyllm/ops/ops.h>
#include <tinyllm/tensor/op.h>

#include <algorithm>

namespace tinyllm {
namespace {

std::string named(const Tensor& tensor) { return tensor ? tensor.str() : "(empty)"; }

// Whether a value depends on `wrt` and the loss depends on it. Only such values need a gradient.
std::vector<bool> depends_on(const Graph& graph, const std::vector<Tensor>& wrt) {
  std::vector<bool> depends(graph.values().size(), false);
  for (const Tensor& tensor : wrt) depends[index(tensor.id())] = true;
  for (const Node& node : graph.nodes()) {
    bool any = false;
    for (const int input : node.inputs) any = any || depends[index(input)];
    for (const int output : node.outputs) depends[index(output)] = depends[index(output)] || any;
  }
  return depends;
}

// An op from outside may return anything.
void check_found(const Op& op, std::span<const Tensor> inputs, std::span<const Tensor> found) {
  if (found.size() != inputs.size()) {
    throw Error("gradients: the gradient of {} has {} tensors, expected one for each of {} inputs", op.name,
                found.size(), inputs.size());
  }
  for (size_t i = 0; i < found.size(); ++i) {
    if (!found[i]) continue;
    if (&found[i].graph() != &inputs[i].graph() || found[i].type() != f32 || found[i].shape() != inputs[i].shape()) {
      throw Error("gradients: the gradient of {} for {} is {} {}, expected f32 of its shape", op.name, inputs[i].str(),
                  found[i].type().str(), found[i].str());
    }
  }
}

// Recomputes forward nodes for the backward pass by appending copies. A segment is the nodes from one checkpoint to the
// next. The segment after the last checkpoint is not copied, because its results are still in memory. All nodes of a
// segment are copied; `compile` leaves out the unused ones. A copy gives bit-identical results: the mask of a dropout
// depends on its parameters, not on the position of its node.
class Recomputation {
 public:
  Recomputation(Graph& graph, const std::vector<Tensor>& checkpoints)
      : graph_(graph), kept_(graph.values().size(), false), copies_(graph.values().size()) {
    for (const Tensor& tensor : checkpoints) {
      if (!tensor || &tensor.graph() != &graph || graph.value(tensor.id()).node < 0) {
        throw Error("gradients: checkpoint {}: expected a result of the graph", named(tensor));
      }
      kept_[index(tensor.id())] = true;
      ends_.push_back(graph.value(tensor.id()).node);
    }
    std::sort(ends_.begin(), ends_.end());
  }

  // Must be called for every node, from the last to the first.
  void reach(int node) {
    while (!ends_.empty() && node <= ends_.back()) {
      const int end = ends_.back();
      ends_.pop_back();
      for (int id = ends_.empty() ? 0 : ends_.back() + 1; id <= end; ++id) copy(graph_.nodes()[index(id)]);
    }
  }

  // The copy of a forward value that the backward pass uses.
  Tensor of(int id) const { return copies_[index(id)] ? copies_[index(id)] : graph_.tensor(id); }

 private:
  void copy(const Node& node) {
    std::vector<Tensor> inputs;
    std::vector<Graph::Output> outputs;
    for (const int id : node.inputs) inputs.push_back(of(id));
    for (const int id : node.outputs) outputs.push_back({graph_.value(id).type, graph_.value(id).shape});
    const std::vector<Tensor> results = graph_.append(*node.op, inputs, outputs, node.params);
    for (size_t i = 0; i < results.size(); ++i) {
      if (!kept_[index(node.outputs[i])]) copies_[index(node.outputs[i])] = results[i];
    }
  }

  Graph& graph_;
  std::vector<bool> kept_;
  std::vector<Tensor> copies_;  // The copy of each value; empty if it has none.
  std::vector<int> ends_;       // The nodes of checkpoints not yet reached.
};

}  // namespace

std::vector<Tensor> gradients(Tensor loss, const std::vector<Tensor>& wrt, const GradientOptions& options) {
  if (!loss || loss.shape().size() != 1 || loss.type() != f32) {
    throw Error("gradients: loss {}: expected one f32 element", named(loss));
  }
  Graph& graph = loss.graph();
  for (const Tensor& tensor : wrt) {
    if (!tensor || &tensor.graph() != &graph) {
      throw Error("gradients: with respect to {}: expected a tensor of the graph of {}", named(tensor), loss.str());
    }
    if (tensor.type() != f32) {
      throw Error("gradients: with respect to {}: is {}, expected f32", tensor.str(), tensor.type().str());
    }
  }
  const std::vector<bool> depends = depends_on(graph, wrt);
  Recomputation forward(graph, options.checkpoints);
  std::vector<Tensor> grads(graph.values().size());
  grads[index(loss.id())] = graph.constant(1.0f, loss.shape());

  for (int id = graph.value(loss.id()).node; id >= 0; --id) {
    forward.reach(id);
    const Node& node = graph.nodes()[index(id)];
    std::vector<Tensor> inputs, outputs, output_grads;
    bool reached = false;
    for (const int output : node.outputs) {
      outputs.push_back(forward.of(output));
      output_grads.push_back(grads[index(output)]);
      reached = reached || (grads[index(output)] && depends[index(output)]);
    }
    if (!reached) continue;
    if (node.op->gradient == nullptr) throw Error("gradients: {} has no gradient", outputs[0].str());
    for (const int input : node.inputs) inputs.push_back(forward.of(input));
    const std::vector<Tensor> found = node.op->gradient({inputs, outputs, output_grads, &node.params});
    check_found(*node.op, inputs, found);
    for (size_t i = 0; i < inputs.size(); ++i) {
      const size_t input = index(node.inputs[i]);
      if (!found[i] || !depends[input]) continue;
      grads[input] = grads[input] ? add(grads[input], found[i]) : found[i];
    }
  }

  std::vector<Tensor> result;
  for (const Tensor& tensor : wrt) {
    const Tensor grad = grads[index(tensor.id())];
    result.push_back(grad ? grad : graph.constant(0.0f, tensor.shape()));
  }
  return result;
}

}  // namespace tinyllm
