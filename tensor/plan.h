#pragma once

#include <tinyllm/tensor/graph.h>

namespace tinyllm {

/// A block of memory that is needed while nodes `first` to `last` of a schedule run.
struct Block {
  size_t bytes = 0;
  int first = 0;
  int last = 0;
  size_t offset = 0;  ///< Set by `place`.
};

/// Gives every block an offset so that blocks needed at the same time do not overlap, and returns the size of the arena
/// in bytes. Largest first, each at the lowest offset that is free during its life. Throws Error when size_t cannot
/// hold an offset.
/// Source: Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020 (greedy by size).
size_t place(std::vector<Block>& blocks);

/// Which nodes run, and which memory every value has.
struct Plan {
  std::vector<int> schedule;  ///< Node ids, in order.
  std::vector<int> block;     ///< For each value, an index into `blocks`; -1 if it is not computed or is a view.
  std::vector<int> root;      ///< For each value: the value whose memory it is a view of, or itself.
  std::vector<int> last;  ///< For each root: the last step that needs its memory; for an output, the number of steps.
  std::vector<Block> blocks;   ///< Results first, then scratch memory. Results of ops in place may share one.
  std::vector<int> workspace;  ///< For each scheduled node, an index into `blocks`, or -1.
  size_t arena = 0;            ///< Bytes of the arena that holds all blocks.
  size_t unplanned = 0;        ///< The same if every result and all scratch memory had a place of its own.
};

/// Plans the nodes that `outputs` depend on. `workers` is the number of threads that they will run on, each of which
/// may need scratch memory. Throws Error when an output is empty or belongs to another graph.
Plan plan(const Graph& graph, const std::vector<Tensor>& outputs, int workers);

}  // namespace tinyllm
