#include <tinyllm/tensor/graph.h>

#include <tinyllm/tensor/op.h>

namespace tinyllm {

namespace {

// The row of an op from outside may be wrong.
void check_op(const Op& op, const std::vector<Graph::Output>& outputs) {
  if (op.name == nullptr) throw Error("graph: an op has no name");
  if (op.run == nullptr) throw Error("{}: the op has no run", op.name);
  if (outputs.empty()) throw Error("{}: the op has no output", op.name);
}

// Output 0 of an alias has the memory of input 0.
void check_alias(const Op& op, const std::vector<Tensor>& inputs, const std::vector<Graph::Output>& outputs) {
  if (!op.alias) return;
  if (inputs.empty()) throw Error("{}: an alias has no input", op.name);
  const size_t bytes = bytes_of(outputs[0].type, outputs[0].shape);
  if (bytes != bytes_of(inputs[0].type(), inputs[0].shape())) {
    throw Error("{}: an alias of {} has {} bytes, expected the same number", op.name, inputs[0].str(), bytes);
  }
}

}  // namespace

const Shape& Tensor::shape() const { return graph_->value(id_).shape; }
Type Tensor::type() const { return graph_->value(id_).type; }
const std::string& Tensor::name() const { return graph_->value(id_).name; }
std::string Tensor::str() const { return fmt::format("{} {}", name(), shape()); }

Tensor Graph::parameter(std::string name, Type type, Shape shape) {
  return add_named(Kind::parameter, std::move(name), type, shape);
}

Tensor Graph::state(std::string name, Type type, Shape shape) {
  return add_named(Kind::state, std::move(name), type, shape);
}

Tensor Graph::input(std::string name, Type type, Shape shape) {
  return add_named(Kind::input, std::move(name), type, shape);
}

Tensor Graph::constant(float fill, Shape shape) {
  const int id = static_cast<int>(values_.size());
  values_.push_back({Kind::constant, DType::f32, shape, fmt::format("{}", fill), fill, -1});
  return {this, id};
}

Tensor Graph::add_named(Kind kind, std::string name, Type type, Shape shape) {
  static_cast<void>(bytes_of(type, shape));  // Throws Error if the shape does not fit a packed format.
  const int id = static_cast<int>(values_.size());
  if (!names_.emplace(name, id).second) throw Error("graph: the name {} is taken", name);
  values_.push_back({kind, type, shape, std::move(name), 0, -1});
  return {this, id};
}

std::vector<Tensor> Graph::append(const Op& op, const std::vector<Tensor>& inputs, const std::vector<Output>& outputs,
                                  std::any params) {
  check_op(op, outputs);
  const int node_id = static_cast<int>(nodes_.size());
  Node node{&op, {}, {}, std::move(params)};
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i]) throw Error("{}: input {} is empty", op.name, i);
    if (&inputs[i].graph() != this) throw Error("{}: {} belongs to another graph", op.name, inputs[i].str());
    node.inputs.push_back(inputs[i].id());
  }
  check_alias(op, inputs, outputs);
  std::vector<Tensor> results;
  for (const Output& output : outputs) {
    const int id = static_cast<int>(values_.size());
    std::string name = fmt::format("{}#{}", op.name, node_id);
    if (!results.empty()) name += fmt::format(".{}", results.size());
    values_.push_back({Kind::activation, output.type, output.shape, std::move(name), 0, node_id});
    node.outputs.push_back(id);
    results.push_back({this, id});
  }
  nodes_.push_back(std::move(node));
  return results;
}

Tensor Graph::find(std::string_view name) const {
  const auto found = names_.find(std::string(name));
  if (found == names_.end()) throw Error("graph: no parameter, state or input is named {}", name);
  return tensor(found->second);
}

}  // namespace tinyllm
