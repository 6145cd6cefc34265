#include <tinyllm/ops/gradients.h>

#include <tinyllm/ops/ops.h>
#include <tinyllm/tensor/op.h>

namespace tinyllm {
namespace {

size_t index(int id) { return static_cast<size_t>(id); }

// Which values lie between `wrt` and the loss: only they need a gradient.
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

}  // namespace

std::vector<Tensor> gradients(Tensor loss, const std::vector<Tensor>& wrt) {
  if (!loss || loss.shape().size() != 1 || loss.dtype() != f32) {
    throw Error("gradients: loss {}: expected one f32 element", loss ? loss.str() : "is empty and");
  }
  Graph& graph = loss.graph();
  for (const Tensor& tensor : wrt) {
    if (!tensor || &tensor.graph() != &graph) throw Error("gradients: a tensor is empty or of another graph");
  }
  const std::vector<bool> depends = depends_on(graph, wrt);
  std::vector<Tensor> grads(graph.values().size());
  grads[index(loss.id())] = graph.constant(1.0f, loss.shape());

  for (int id = graph.value(loss.id()).node; id >= 0; --id) {
    const Node& node = graph.nodes()[index(id)];
    std::vector<Tensor> inputs, outputs, output_grads;
    bool reached = false;
    for (const int output : node.outputs) {
      outputs.push_back(graph.tensor(output));
      output_grads.push_back(grads[index(output)]);
      reached = reached || (grads[index(output)] && depends[index(output)]);
    }
    if (!reached) continue;
    if (node.op->gradient == nullptr) throw Error("gradients: {} has no gradient", outputs[0].str());
    for (const int input : node.inputs) inputs.push_back(graph.tensor(input));
    const std::vector<Tensor> found = node.op->gradient({inputs, outputs, output_grads, &node.params});
    for (size_t i = 0; i < inputs.size(); ++i) {
      const size_t input = index(inputs[i].id());
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
