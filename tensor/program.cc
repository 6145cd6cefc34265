#include <tinyllm/tensor/program.h>

#include <tinyllm/tensor/base/clock.h>
#include <tinyllm/tensor/op.h>
#include <tinyllm/tensor/plan.h>

#include <cstring>
#include <map>

namespace tinyllm {
namespace {

bool is_persistent(const Value& value) { return value.kind == Kind::parameter || value.kind == Kind::state; }

// In IEEE 754 an infinite number has all bits of the exponent, and no other bit but the sign. A NaN has others too.
template <class Bits>
void require_finite(const std::string& name, const View& view, Bits exponent) {
  const Bits sign = Bits{1} << (8 * sizeof(Bits) - 1);
  const auto* elements = static_cast<const std::byte*>(view.data);
  for (int64_t i = 0; i < view.size(); ++i) {
    Bits bits;
    std::memcpy(&bits, elements + static_cast<size_t>(i) * sizeof(Bits), sizeof(Bits));
    if ((bits & exponent) != exponent) continue;
    const char* found = (bits & ~sign) != exponent ? "nan" : (bits & sign) != 0 ? "-inf" : "inf";
    throw Error("run: element {} of {} {} is {}, expected finite numbers", i, name, view.shape, found);
  }
}

void require_finite(const std::string& name, const View& view) {
  if (view.data == nullptr || view.type.is_packed()) return;
  switch (view.type.dtype()) {
    case f32:
      return require_finite<uint32_t>(name, view, 0x7f800000);
    case f16:
      return require_finite<uint16_t>(name, view, 0x7c00);
    case bf16:
      return require_finite<uint16_t>(name, view, 0x7f80);
    case i32:
      return;
  }
}

}  // namespace

struct Program::State {
  struct Step {
    std::vector<std::string> names;  // Of the outputs.
    const Op* op;
    std::any params;
    std::vector<View> inputs;
    std::vector<View> outputs;
    void* workspace;
    double flops, bytes;  // For profiles.

    void run(State& state) const { op->run({inputs, outputs, &params, workspace, &state.pool, state.precision}); }
    void check(const State& state) const {
      if (!state.check_finite) return;
      for (size_t i = 0; i < outputs.size(); ++i) require_finite(names[i], outputs[i]);
    }
  };

  explicit State(ThreadPool p) : pool(std::move(p)) {}

  ThreadPool pool;
  std::unique_ptr<Store> own_store;
  Arena inputs;
  Arena activations;
  std::vector<Step> steps;
  struct Named {
    View view;
    Kind kind;
  };
  std::unordered_map<std::string, Named> named;
  bool has_weights = false;  // The parameters are those of CompileOptions::weights.
  std::unordered_map<int, std::pair<View, std::string>> outputs;  // The outputs by value id, with their names.
  Memory memory;
  Precision precision = Precision::fp32;
  bool check_finite = false;
};

Program::Program(std::unique_ptr<State> state) : state_(std::move(state)) {}
Program::~Program() = default;
Program::Program(Program&&) noexcept = default;
Program& Program::operator=(Program&&) noexcept = default;

namespace {

Memory memory_of(const Graph& graph, const Plan& plan) {
  Memory memory;
  for (const Value& value : graph.values()) {
    if (value.kind == Kind::activation) continue;
    size_t& sum = value.kind == Kind::parameter ? memory.parameters
                  : value.kind == Kind::state   ? memory.states
                                                : memory.inputs;
    sum = checked_add(sum, aligned(bytes_of(value)));
  }
  memory.activations = plan.arena;
  memory.unplanned = plan.unplanned;
  return memory;
}

// Adds the parameters or the states of a graph to a store.
void add_values(const Graph& graph, Kind kind, Store& store) {
  std::vector<Store::Wanted> wanted;
  for (const Value& value : graph.values()) {
    if (value.kind == kind) wanted.push_back({value.name, value.type, value.shape});
  }
  store.add(wanted);
}

// The bytes of every value that no node computes: from the store, or from the arena of inputs and constants.
std::vector<void*> bind_leaves(const Graph& graph, const Store& parameters, const Store& states, Arena& inputs) {
  std::vector<void*> data;
  std::byte* next = inputs.data();
  for (const Value& value : graph.values()) {
    if (is_persistent(value)) {
      const Store& store = value.kind == Kind::parameter ? parameters : states;
      data.push_back(store.at(value.name, value.type, value.shape).data);
    } else if (value.kind == Kind::activation) {
      data.push_back(nullptr);
    } else {
      data.push_back(next);
      if (value.kind == Kind::constant) {
        std::fill_n(reinterpret_cast<float*>(next), value.shape.size(), value.fill);
      }
      next += aligned(bytes_of(value));
    }
  }
  return data;
}

double flops_of(const Node& node, const Graph& graph) {
  return node.op->flops == nullptr ? 0 : node.op->flops(node, graph);
}

double moved_bytes(const Node& node, const Graph& graph) {
  if (node.op->alias && !is_update(node)) return 0;  // A view.
  double bytes = 0;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const Value& value = graph.value(node.inputs[i]);
    const bool is_output = is_update(node) && i == 0;  // Writing it is counted below.
    bytes += static_cast<double>(bytes_of(value)) * (value.kind == Kind::state && !is_output ? 2 : 1);
  }
  for (const int id : node.outputs) bytes += static_cast<double>(bytes_of(graph.value(id)));
  return bytes;
}

// `weights` are only read.
void check_unchanged(const Graph& graph, const Plan& plan) {
  for (const int id : plan.schedule) {
    const Node& node = graph.nodes()[index(id)];
    if (!is_update(node)) continue;
    const Value& root = graph.value(plan.root[index(node.inputs[0])]);
    if (root.kind != Kind::parameter) continue;
    throw Error("compile: {} changes the parameter {}, but `weights` are only read; pass them as `store`",
                graph.value(node.outputs[0]).name, root.name);
  }
}

}  // namespace

Memory planned_memory(const Graph& graph, const std::vector<Tensor>& outputs, int threads) {
  return memory_of(graph, plan(graph, outputs, threads));
}

Program compile(const Graph& graph, const std::vector<Tensor>& outputs, CompileOptions options) {
  auto state = std::make_unique<Program::State>(given_or_new(options.pool));
  if (options.store == nullptr) state->own_store = std::make_unique<Store>();
  Store& store = options.store != nullptr ? *options.store : *state->own_store;
  Store& states = options.states != nullptr ? *options.states : store;
  state->precision = options.precision;
  state->check_finite = options.check_finite;

  const Plan plan = tinyllm::plan(graph, outputs, state->pool.threads());
  state->memory = memory_of(graph, plan);
  state->has_weights = options.weights != nullptr;
  if (state->has_weights) {
    check_unchanged(graph, plan);
  } else {
    add_values(graph, Kind::parameter, store);
  }
  add_values(graph, Kind::state, states);
  state->inputs = Arena(state->memory.inputs);
  state->activations = Arena(plan.arena);
  const Store& parameters = options.weights != nullptr ? *options.weights : store;
  const std::vector<void*> data = bind_leaves(graph, parameters, states, state->inputs);

  const auto view = [&](int id) {
    const int root = plan.root[index(id)];
    const int block = plan.block[index(root)];
    void* bytes = block < 0 ? data[index(root)] : state->activations.data() + plan.blocks[index(block)].offset;
    return View{bytes, graph.value(id).shape, graph.value(id).type};
  };
  for (size_t step = 0; step < plan.schedule.size(); ++step) {
    const Node& node = graph.nodes()[index(plan.schedule[step])];
    const int block = plan.workspace[step];
    void* workspace = block < 0 ? nullptr : state->activations.data() + plan.blocks[index(block)].offset;
    Program::State::Step& out = state->steps.emplace_back(Program::State::Step{
        {}, node.op, node.params, {}, {}, workspace, flops_of(node, graph), moved_bytes(node, graph)});
    for (const int id : node.inputs) out.inputs.push_back(view(id));
    for (const int id : node.outputs) {
      out.names.push_back(graph.value(id).name);
      out.outputs.push_back(view(id));
      if (out.outputs.back().data == nullptr) out.bytes -= static_cast<double>(bytes_of(graph.value(id)));
    }
  }
  for (size_t id = 0; id < graph.values().size(); ++id) {
    const Value& value = graph.value(static_cast<int>(id));
    if (is_persistent(value) || value.kind == Kind::input) {
      state->named.emplace(value.name, Program::State::Named{view(static_cast<int>(id)), value.kind});
    }
  }
  for (const Tensor& output : outputs) state->outputs.try_emplace(output.id(), view(output.id()), output.name());
  return Program(std::move(state));
}

void Program::run() {
  for (const State::Step& step : state_->steps) {
    step.run(*state_);
    step.check(*state_);
  }
}

std::vector<NodeTime> Program::trace() {
  std::vector<NodeTime> times;
  const Clock::time_point begin = Clock::now();
  for (const State::Step& step : state_->steps) {
    const double start = seconds_since(begin);
    step.run(*state_);
    times.push_back({step.names[0], step.op->name, step.outputs[0].shape, start, seconds_since(begin) - start,
                     step.flops, step.bytes});
    step.check(*state_);
  }
  return times;
}

std::vector<OpTime> Program::profile() {
  std::map<std::string, OpTime> sums;
  for (const NodeTime& node : trace()) {
    OpTime& sum = sums[node.op];
    sum.op = node.op;
    sum.nodes += 1;
    sum.seconds += node.seconds;
    sum.flops += node.flops;
    sum.bytes += node.bytes;
  }
  std::vector<OpTime> sorted;
  for (auto& [name, sum] : sums) sorted.push_back(std::move(sum));
  std::sort(sorted.begin(), sorted.end(), [](const OpTime& a, const OpTime& b) { return a.seconds > b.seconds; });
  return sorted;
}

const Memory& Program::memory() const { return state_->memory; }

const View& Program::view(std::string_view name) const {
  const auto found = state_->named.find(std::string(name));
  if (found == state_->named.end()) throw Error("program: no input, parameter or state is named {}", name);
  if (state_->has_weights && found->second.kind == Kind::parameter) {
    throw Error("program: {} is one of the `weights`, which are only read; read it in their store", name);
  }
  return found->second.view;
}

const std::pair<View, std::string>& Program::output_view(int id) const {
  const auto found = state_->outputs.find(id);
  if (found == state_->outputs.end()) throw Error("program: value {} of the graph is not among its outputs", id);
  return found->second;
}

std::span<std::byte> Program::bytes(const View& view, DType expected, std::string_view name) {
  if (view.type != expected) {
    throw Error("program: {} is {}, not {}", name, view.type.str(), name_of(expected));
  }
  return {static_cast<std::byte*>(view.data), bytes_of(view.type, view.shape)};
}

std::string Memory::str() const {
  const auto mb = [](size_t bytes) { return static_cast<double>(bytes) / 1e6; };
  return fmt::format(
      "{:.1f} MB: parameters {:.1f}, states {:.1f}, inputs {:.1f}, activations {:.1f} (unplanned {:.1f})", mb(total()),
      mb(parameters), mb(states), mb(inputs), mb(activations), mb(unplanned));
}

}  // namespace tinyllm
