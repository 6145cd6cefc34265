#include <tinyllm/tensor/inspect.h>

#include <tinyllm/tensor/plan.h>

#include <nlohmann/json.hpp>

#include <algorithm>

namespace tinyllm {
namespace {

const Graph& graph_of(const std::vector<Tensor>& outputs) {
  if (outputs.empty() || !outputs[0]) throw Error("compile: an output is empty");
  return outputs[0].graph();
}

constexpr const char* name_of_kind(Kind kind) {
  switch (kind) {
    case Kind::parameter:
      return "parameter";
    case Kind::state:
      return "state";
    case Kind::input:
      return "input";
    case Kind::constant:
      return "constant";
    case Kind::activation:
      return "activation";
  }
  return "";
}

// `linear#0 f32 [8,1]`.
std::string described(const Graph& graph, int id) {
  const Value& value = graph.value(id);
  return fmt::format("{} {} {}", value.name, value.type.str(), value.shape);
}

std::string name_of_value(const Graph& graph, int id) { return graph.value(id).name; }

// What the scheduled nodes and the outputs read and no node computes, in the order in which it was built.
std::vector<int> leaves_of(const Graph& graph, const Plan& plan, const std::vector<Tensor>& outputs) {
  std::vector<int> leaves;
  const auto add = [&](int id) {
    if (graph.value(id).kind != Kind::activation) leaves.push_back(id);
  };
  for (const int node : plan.schedule) {
    for (const int id : graph.nodes()[index(node)].inputs) add(id);
  }
  for (const Tensor& output : outputs) add(output.id());
  std::sort(leaves.begin(), leaves.end());
  leaves.erase(std::unique(leaves.begin(), leaves.end()), leaves.end());
  return leaves;
}

std::string joined(const Graph& graph, const std::vector<int>& ids, std::string (*text)(const Graph&, int)) {
  std::vector<std::string> parts;
  for (const int id : ids) parts.push_back(text(graph, id));
  return fmt::format("{}", fmt::join(parts, ", "));
}

// A text between the quotes of Graphviz.
std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

}  // namespace

std::string graph_text(const std::vector<Tensor>& outputs) {
  const Graph& graph = graph_of(outputs);
  const Plan plan = tinyllm::plan(graph, outputs, 1);
  std::string text;
  for (const int id : leaves_of(graph, plan, outputs)) {
    text += fmt::format("{} {}\n", name_of_kind(graph.value(id).kind), described(graph, id));
  }
  for (const int id : plan.schedule) {
    const Node& node = graph.nodes()[index(id)];
    text += fmt::format("{} = {}({})\n", joined(graph, node.outputs, described), node.op->name,
                        joined(graph, node.inputs, name_of_value));
  }
  return text;
}

std::string graph_dot(const std::vector<Tensor>& outputs) {
  const Graph& graph = graph_of(outputs);
  const Plan plan = tinyllm::plan(graph, outputs, 1);
  std::string dot = "digraph {\n  node [fontname=\"sans-serif\"];\n";
  for (const int id : leaves_of(graph, plan, outputs)) {
    const char* shape = graph.value(id).kind == Kind::constant ? "plaintext" : "box";
    dot += fmt::format("  v{} [label={}, shape={}];\n", id, quoted(graph.value(id).name), shape);
  }
  for (const int id : plan.schedule) {
    dot += fmt::format("  n{} [label={}, shape=ellipse];\n", id, quoted(graph.nodes()[index(id)].op->name));
  }
  for (const int id : plan.schedule) {
    for (const int input : graph.nodes()[index(id)].inputs) {
      const Value& value = graph.value(input);
      const std::string from =
          value.kind == Kind::activation ? fmt::format("n{}", value.node) : fmt::format("v{}", input);
      dot += fmt::format("  {} -> n{} [label={}];\n", from, id, quoted(value.shape.str()));
    }
  }
  return dot + "}\n";
}

std::string memory_plan_text(const std::vector<Tensor>& outputs, int threads) {
  const Graph& graph = graph_of(outputs);
  const Plan plan = tinyllm::plan(graph, outputs, threads);
  std::string text = fmt::format("{:>14} {:>14} {:>6} {:>6}  result\n", "bytes", "offset", "first", "last");
  const auto add = [&](int block, size_t first, int last, const std::string& name) {
    if (block < 0) return;
    const Block& b = plan.blocks[index(block)];
    text += fmt::format("{:>14} {:>14} {:>6} {:>6}  {}\n", b.bytes, b.offset, first, last, name);
  };
  for (size_t step = 0; step < plan.schedule.size(); ++step) {
    const Node& node = graph.nodes()[index(plan.schedule[step])];
    for (const int id : node.outputs) add(plan.block[index(id)], step, plan.last[index(id)], described(graph, id));
    add(plan.workspace[step], step, static_cast<int>(step),
        fmt::format("scratch memory of {}", graph.value(node.outputs[0]).name));
  }
  return text + fmt::format("arena: {} bytes; {} without reuse\n", plan.arena, plan.unplanned);
}

std::string profile_text(const std::vector<OpTime>& ops) {
  double total = 0;
  size_t width = 24;
  for (const OpTime& op : ops) {
    total += op.seconds;
    width = std::max(width, op.op.size());
  }
  std::string text =
      fmt::format("{:<{}} {:>6} {:>10} {:>8} {:>9} {:>8}\n", "op", width, "nodes", "ms", "share", "GFLOP/s", "GB/s");
  for (const OpTime& op : ops) {
    // No amount, or a clock that has not moved, makes no rate.
    const auto rate = [&](double amount) {
      return amount > 0 && op.seconds > 0 ? fmt::format("{:.1f}", amount / op.seconds / 1e9) : "-";
    };
    const double share = total > 0 ? op.seconds / total : 0;
    text += fmt::format("{:<{}} {:>6} {:>10.3f} {:>7.1f}% {:>9} {:>8}\n", op.op, width, op.nodes, 1e3 * op.seconds,
                        100 * share, rate(op.flops), rate(op.bytes));
  }
  return text;
}

std::string chrome_trace(const std::vector<NodeTime>& nodes) {
  auto events = nlohmann::ordered_json::array();
  for (const NodeTime& node : nodes) {
    events.push_back({{"name", node.name},
                      {"cat", node.op},
                      {"ph", "X"},
                      {"ts", 1e6 * node.start},
                      {"dur", 1e6 * node.seconds},
                      {"pid", 1},
                      {"tid", 1},
                      {"args", {{"shape", node.shape.str()}, {"flops", node.flops}, {"bytes", node.bytes}}}});
  }
  return nlohmann::ordered_json{{"traceEvents", std::move(events)}, {"displayTimeUnit", "ms"}}.dump(
      -1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace tinyllm
