#include <tinyllm/train/objectives/distillation.h>

#include <tinyllm/ops/ops.h>
#include <tinyllm/train/objectives/next_token.h>

#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace tinyllm {
namespace {

constexpr const char* kPrefix = "teacher.";

std::vector<WeightSpec> all_specs(const ModelConfig& config) {
  std::vector<WeightSpec> specs = weight_specs(config);
  const std::vector<WeightSpec> adapters = adapter_specs(config);
  specs.insert(specs.end(), adapters.begin(), adapters.end());
  return specs;
}

// Copies the weights of a teacher into a store. Returns their hash.
uint64_t copy_weights(const Model& teacher, Store& store) {
  std::vector<Store::Wanted> wanted;
  for (const WeightSpec& spec : all_specs(teacher.config))
    wanted.push_back({kPrefix + spec.name, spec.type, spec.shape});
  if (store.find(wanted.front().name) != nullptr) throw Error("distillation: the student has a teacher already");
  store.add(wanted);
  uint64_t hash = 0;
  for (const WeightSpec& spec : all_specs(teacher.config)) {
    const Store::Entry& entry = teacher.weights->at(spec.name, spec.type, spec.shape);
    std::memcpy(store.at(kPrefix + spec.name).data, entry.data, entry.bytes());
    hash = XXH3_64bits_withSeed(entry.data, entry.bytes(), hash);
  }
  return hash;
}

// Appends a copy of a graph to another one, which has its inputs by the same names. Returns the copy of `result`.
Tensor copied(const Tensor& result, Graph& to) {
  const Graph& from = result.graph();
  std::vector<Tensor> copies(from.values().size());
  for (size_t id = 0; id < copies.size(); ++id) {
    const Value& value = from.values()[id];
    if (value.kind == Kind::parameter) copies[id] = to.parameter(kPrefix + value.name, value.type, value.shape);
    if (value.kind == Kind::input) copies[id] = to.find(value.name);
    if (value.kind == Kind::constant) copies[id] = to.constant(value.fill, value.shape);
  }
  for (const Node& node : from.nodes()) {
    std::vector<Tensor> inputs;
    std::vector<Graph::Output> outputs;
    for (const int id : node.inputs) inputs.push_back(copies[index(id)]);
    for (const int id : node.outputs) outputs.push_back({from.value(id).type, from.value(id).shape});
    const std::vector<Tensor> results = to.append(*node.op, inputs, outputs, node.params);
    for (size_t i = 0; i < results.size(); ++i) copies[index(node.outputs[i])] = results[i];
  }
  return copies[index(result.id())];
}

// The logits of the teacher [rows, length, V]. A graph of its own keeps the names of its weights apart.
Tensor teacher_logits(const LossInputs& in, const ModelConfig& teacher) {
  const int64_t length = in.targets.shape()[1];
  if (length > teacher.context) {
    throw Error("distillation: rows of {} tokens, expected at most {}, the teacher's context", length, teacher.context);
  }
  Graph graph;
  const auto same = [&](const Tensor& input) { return graph.input(input.name(), i32, input.shape()); };
  const TransformerInputs inputs{
      .tokens = same(in.inputs.tokens), .positions = same(in.inputs.positions), .starts = same(in.inputs.starts)};
  return copied(lm_head(teacher, transformer(graph, teacher, inputs)), in.graph);
}

// The logits of the student, with packed weights as the inputs want them; lm_head has them as in answers.
Tensor student_logits(const LossInputs& in) {
  const Tensor hidden = transformer(in.graph, in.config, in.inputs);
  const std::string head = in.config.tied_head ? "tok_emb.weight" : "lm_head.weight";
  const std::vector<WeightSpec> specs = weight_specs(in.config);
  const auto spec = std::ranges::find(specs, head, &WeightSpec::name);
  const Tensor w = in.graph.has(head) ? in.graph.find(head) : in.graph.parameter(head, spec->type, spec->shape);
  return linear(hidden, w, {}, Activation::none, in.inputs.packed_input);
}

Tensor mean_over_targets(Tensor x, Tensor targets) {
  Graph& graph = x.graph();
  const Tensor counts = cast(not_equal(cast(targets, f32), graph.constant(kIgnore, {1})), f32);
  return div(sum(mul(x, counts)), maximum(sum(counts), graph.constant(1, {1})));
}

Tensor loss_of(const LossInputs& in, const ModelConfig& teacher, const DistillationOptions& o) {
  const Tensor logits = student_logits(in);
  Tensor hard = cross_entropy(logits, in.targets);
  if (in.recipe.z_loss > 0) {
    const Tensor squares = square(logsumexp(logits, {-1}));
    hard = add(hard, scale(mean_over_targets(squares, in.targets), in.recipe.z_loss));
  }
  const Tensor soft = soft_target_loss(logits, teacher_logits(in, teacher), in.targets, o.temperature);
  return add(scale(hard, 1 - o.weight), scale(soft, o.weight * o.temperature * o.temperature));
}

}  // namespace

void check(const DistillationOptions& o) {
  if (!(o.weight > 0 && o.weight <= 1)) {
    throw Error("distillation: weight {}, expected a number above 0 and at most 1", o.weight);
  }
  if (!(o.temperature > 0) || !std::isfinite(o.temperature)) {
    throw Error("distillation: temperature {}, expected a finite number above 0", o.temperature);
  }
}

void check_teacher(const Model& student, const Model& teacher) {
  if (teacher.tokenizer->hash() != student.tokenizer->hash()) {
    throw Error("distillation: the teacher has another tokenizer than the student, of {} tokens; the student has {}",
                teacher.tokenizer->size(), student.tokenizer->size());
  }
  if (teacher.config.vocab_size != student.config.vocab_size) {
    throw Error("distillation: the teacher has rows for {} tokens, expected {} as in the student",
                teacher.config.vocab_size, student.config.vocab_size);
  }
}

Tensor soft_target_loss(Tensor student, Tensor teacher, Tensor targets, float temperature) {
  const Tensor log_s = log_softmax(scale(student, 1 / temperature));
  const Tensor log_t = log_softmax(scale(teacher, 1 / temperature));
  return mean_over_targets(sum(mul(exp(log_t), sub(log_t, log_s)), -1), targets);
}

Objective distillation(Model& student, const Model& teacher, const DistillationOptions& options) {
  check(options);
  check_teacher(student, teacher);
  const uint64_t hash = copy_weights(teacher, *student.weights);
  const auto loss = [config = teacher.config, options](const LossInputs& in) { return loss_of(in, config, options); };
  return {loss, next_token().weight,
          fmt::format("distillation, weight {}, temperature {}, teacher {:016x}", options.weight, options.temperature,
                      hash)};
}

}  // namespace tinyllm
