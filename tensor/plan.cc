#include <tinyllm/tensor/plan.h>

#include <tinyllm/tensor/arena.h>
#include <tinyllm/tensor/op.h>

#include <numeric>

namespace tinyllm {
namespace {

std::vector<int> ancestors(const Graph& graph, const std::vector<Tensor>& outputs) {
  std::vector<bool> needed(graph.nodes().size(), false);
  const auto need = [&](int id) {
    const int node = graph.value(id).node;
    if (node >= 0) needed[index(node)] = true;
  };
  for (const Tensor& output : outputs) {
    if (!output) throw Error("compile: an output is empty");
    if (&output.graph() != &graph) throw Error("compile: {} belongs to another graph", output.str());
    need(output.id());
  }
  std::vector<int> schedule;
  for (int node = static_cast<int>(needed.size()) - 1; node >= 0; --node) {
    if (!needed[index(node)]) continue;
    schedule.push_back(node);
    for (const int input : graph.nodes()[index(node)].inputs) need(input);
  }
  std::reverse(schedule.begin(), schedule.end());
  return schedule;
}

// The last scheduled step that touches the memory of each root value.
std::vector<int> last_uses(const Graph& graph, const Plan& plan, const std::vector<Tensor>& outputs) {
  std::vector<int> last(graph.values().size(), -1);
  const int end = static_cast<int>(plan.schedule.size());
  for (int step = 0; step < end; ++step) {
    const Node& node = graph.nodes()[index(plan.schedule[index(step)])];
    for (const int id : node.inputs) last[index(plan.root[index(id)])] = step;
    for (const int id : node.outputs) last[index(plan.root[index(id)])] = step;
  }
  for (const Tensor& output : outputs) last[index(plan.root[index(output.id())])] = end;
  return last;
}

// The block of an input that is not needed afterwards, whose memory the node's first output can reuse; -1 if none.
int reusable(const Graph& graph, const Plan& plan, const Node& node, int step) {
  for (int i = 0; i < node.op->in_place; ++i) {
    if (index(i) >= node.inputs.size()) break;
    const int root = plan.root[index(node.inputs[index(i)])];
    const int block = plan.block[index(root)];
    if (block >= 0 && plan.last[index(root)] == step &&
        bytes_of(graph.value(root)) == bytes_of(graph.value(node.outputs[0]))) {
      return block;
    }
  }
  return -1;
}

}  // namespace

size_t place(std::vector<Block>& blocks) {
  std::vector<size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return blocks[a].bytes > blocks[b].bytes; });
  std::vector<const Block*> placed;  // By offset.
  size_t arena = 0;
  for (const size_t i : order) {
    Block& block = blocks[i];
    block.offset = 0;
    for (const Block* other : placed) {
      if (other->last < block.first || block.last < other->first) continue;
      if (checked_add(block.offset, block.bytes) <= other->offset) break;
      block.offset = std::max(block.offset, other->offset + other->bytes);
    }
    placed.insert(std::upper_bound(placed.begin(), placed.end(), &block,
                                   [](const Block* a, const Block* b) { return a->offset < b->offset; }),
                  &block);
    arena = std::max(arena, checked_add(block.offset, block.bytes));
  }
  return arena;
}

Plan plan(const Graph& graph, const std::vector<Tensor>& outputs, int workers) {
  Plan plan;
  plan.schedule = ancestors(graph, outputs);
  plan.block.assign(graph.values().size(), -1);
  plan.root.resize(graph.values().size());
  std::iota(plan.root.begin(), plan.root.end(), 0);
  for (const int id : plan.schedule) {
    const Node& node = graph.nodes()[index(id)];
    if (node.op->alias) plan.root[index(node.outputs[0])] = plan.root[index(node.inputs[0])];
  }
  plan.last = last_uses(graph, plan, outputs);

  for (int step = 0; step < static_cast<int>(plan.schedule.size()); ++step) {
    const Node& node = graph.nodes()[index(plan.schedule[index(step)])];
    for (const int id : node.outputs) {
      if (plan.root[index(id)] != id) continue;
      if (node.op->skips_unused && plan.last[index(id)] == step) continue;
      const size_t bytes = aligned(bytes_of(graph.value(id)));
      plan.unplanned = checked_add(plan.unplanned, bytes);
      int block = id == node.outputs[0] ? reusable(graph, plan, node, step) : -1;
      if (block < 0) {
        block = static_cast<int>(plan.blocks.size());
        plan.blocks.push_back({bytes, step, step});
      }
      plan.blocks[index(block)].last = plan.last[index(id)];
      plan.block[index(id)] = block;
    }
  }
  for (int step = 0; step < static_cast<int>(plan.schedule.size()); ++step) {
    const Node& node = graph.nodes()[index(plan.schedule[index(step)])];
    const size_t bytes = node.op->workspace == nullptr ? 0 : node.op->workspace(node, graph, workers);
    plan.workspace.push_back(bytes == 0 ? -1 : static_cast<int>(plan.blocks.size()));
    if (bytes == 0) continue;
    plan.blocks.push_back({aligned(bytes), step, step});
    plan.unplanned = checked_add(plan.unplanned, aligned(bytes));
  }
  plan.arena = place(plan.blocks);
  return plan;
}

}  // namespace tinyllm
