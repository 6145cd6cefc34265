#pragma once

#include <tinyllm/tensor/program.h>

#include <string>
#include <vector>

/// Graphs, plans and profiles as text: to read, to draw, or to load into a viewer. Each function of a graph takes the
/// outputs that `compile` would be given, and throws Error as `compile` does for its outputs.
namespace tinyllm {

/// The inputs, parameters, states and constants that the outputs depend on, then the nodes in the order in which they
/// run:
///   input x f32 [8,1]
///   parameter w f32 [1,1]
///   linear#0 f32 [8,1] = linear(x, w)
std::string graph_text(const std::vector<Tensor>& outputs);

/// The same graph in the language of Graphviz: `dot -Tsvg` draws it.
std::string graph_dot(const std::vector<Tensor>& outputs);

/// Where a program on this number of threads places results and scratch memory. Each has a row: its bytes, its offset
/// in the arena, the first and the last step that need it, and its name. Steps are the nodes in the order in which they
/// run, from 0; an output is needed until after the last one. The last line has the size of the arena, and what it
/// would be if no memory were used twice.
std::string memory_plan_text(const std::vector<Tensor>& outputs, int threads);

/// A table of the ops of a run: time, share of the run, GFLOP/s and GB/s.
std::string profile_text(const std::vector<OpTime>& ops);

/// The nodes of a run in the trace event format, which chrome://tracing and Perfetto open.
/// Source: Google, "Trace Event Format", complete events.
std::string chrome_trace(const std::vector<NodeTime>& nodes);

}  // namespace tinyllm
