#include <doctest/doctest.h>

#include <tinyllm/tensor/inspect.h>
#include <tinyllm/tinyllm.h>

#include <nlohmann/json.hpp>

#include <cmath>
#include <limits>
#include <sstream>

#include "error_of.h"

namespace tinyllm::test {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  std::istringstream stream(line);
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

// y = (a part of x) w, with a node that y does not depend on.
struct Example {
  Graph graph;
  Tensor x = graph.input("x", f32, {8, 4});
  Tensor w = graph.parameter("w", f32, {3, 2});
  std::vector<Tensor> parts = split(x, -1, {2, 2});
  Tensor unused = scale(x, 2);
  Tensor y = mul(linear(parts[1], w), graph.constant(0.5f, {1}));
};

}  // namespace

TEST_CASE("a graph as text has what the outputs depend on, and tells the outputs of a node apart") {
  const Example example;
  CHECK(lines_of(graph_text({example.y})) == std::vector<std::string>{
                                                 "input x f32 [8,4]",
                                                 "parameter w f32 [3,2]",
                                                 "constant 0.5 f32 [1]",
                                                 "split#0 f32 [8,2], split#0.1 f32 [8,2] = split(x)",
                                                 "linear#2 f32 [8,3] = linear(split#0.1, w)",
                                                 "mul#3 f32 [8,3] = mul(linear#2, 0.5)",
                                             });
  CHECK(error_of([] { graph_text({}); }) == "compile: an output is empty");
  CHECK(graph_text({example.x}) == "input x f32 [8,4]\n");
}

TEST_CASE("a graph for Graphviz has a line for each leaf, node and edge, with quotes escaped") {
  Graph graph;
  const Tensor x = graph.input("the \"x\"\\", f32, {2, 3});
  const std::string dot = graph_dot({add(x, silu(x))});
  CHECK(lines_of(dot) == std::vector<std::string>{
                             "digraph {",
                             "  node [fontname=\"sans-serif\"];",
                             R"(  v0 [label="the \"x\"\\", shape=box];)",
                             "  n0 [label=\"silu\", shape=ellipse];",
                             "  n1 [label=\"add\", shape=ellipse];",
                             "  v0 -> n0 [label=\"[2,3]\"];",
                             "  v0 -> n1 [label=\"[2,3]\"];",
                             "  n0 -> n1 [label=\"[2,3]\"];",
                             "}",
                         });
}

TEST_CASE("the memory plan as text has every block, and the size that a program has") {
  const Example example;
  const std::vector<std::string> lines = lines_of(memory_plan_text({example.y}, 1));
  const Memory memory = planned_memory(example.graph, {example.y}, 1);
  CHECK(lines.back() == fmt::format("arena: {} bytes; {} without reuse", memory.activations, memory.unplanned));
  const auto names = [&](const char* name) {
    return std::count_if(lines.begin(), lines.end(),
                         [&](const std::string& line) { return line.find(name) != std::string::npos; });
  };
  CHECK(names("  split#0 f32 [8,2]") == 1);
  CHECK(names("  split#0.1 f32 [8,2]") == 1);
  CHECK(names("  mul#3 f32 [8,3]") == 1);
  CHECK(names("scale") == 0);
}

TEST_CASE("the memory plan has a row for each result, also where it takes the place of another one") {
  Graph graph;
  const Tensor x = graph.input("x", f32, {256});
  const Tensor y = scale(silu(scale(x, 2)), 3);  // All three in one place of 1024 bytes.
  CHECK(lines_of(memory_plan_text({y}, 1)) == std::vector<std::string>{
                                                  "         bytes         offset  first   last  result",
                                                  "          1024              0      0      1  scale#0 f32 [256]",
                                                  "          1024              0      1      2  silu#1 f32 [256]",
                                                  "          1024              0      2      3  scale#2 f32 [256]",
                                                  "arena: 1024 bytes; 3072 without reuse",
                                              });
  const Memory memory = planned_memory(graph, {y}, 1);
  CHECK(memory.activations == 1024);
  CHECK(memory.unplanned == 3072);
}

TEST_CASE("a trace has the nodes in order, and its JSON is what viewers of traces read") {
  Example example;
  Program program = compile(example.graph, {example.y}, {.pool = ThreadPool(1)});
  const std::vector<NodeTime> nodes = program.trace();
  REQUIRE(nodes.size() == 3);
  CHECK(nodes[0].name == "split#0");
  CHECK(nodes[1].op == "linear");
  CHECK(nodes[1].shape == Shape{8, 3});
  CHECK(nodes[1].flops == 2.0 * 8 * 2 * 3);
  CHECK(nodes[2].start >= nodes[1].start + nodes[1].seconds);

  const auto trace = nlohmann::json::parse(chrome_trace(nodes));
  REQUIRE(trace["traceEvents"].size() == 3);
  const auto& event = trace["traceEvents"][1];
  CHECK(event["ph"] == "X");
  CHECK(event["name"] == nodes[1].name);
  CHECK(event["ts"].get<double>() == doctest::Approx(1e6 * nodes[1].start));
  CHECK(event["dur"].get<double>() == doctest::Approx(1e6 * nodes[1].seconds));
  CHECK(event["args"]["shape"] == "[8,3]");
}

TEST_CASE("a profile as text has a row for each op, and the arithmetic of products") {
  const std::string text = profile_text({{"linear", 2, 0.003, 6e9, 3e8}, {"add", 1, 0.001, 0, 1e9}});
  const std::vector<std::string> lines = lines_of(text);
  REQUIRE(lines.size() == 3);
  CHECK(words_of(lines[1]) == std::vector<std::string>{"linear", "2", "3.000", "75.0%", "2000.0", "100.0"});
  CHECK(words_of(lines[2]) == std::vector<std::string>{"add", "1", "1.000", "25.0%", "-", "1000.0"});
}

TEST_CASE("a profile tells no rate where the clock has not moved, and long names keep the columns") {
  const std::vector<std::string> lines =
      lines_of(profile_text({{"an_op_whose_name_is_longer_than_usual", 1, 0.001, 0, 1e6}, {"add", 1, 0, 5, 1e9}}));
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].size() == lines[1].size());
  CHECK(lines[1].size() == lines[2].size());
  CHECK(words_of(lines[2]) == std::vector<std::string>{"add", "1", "0.000", "0.0%", "-", "-"});
  CHECK(words_of(lines_of(profile_text({{"add", 1, 0, 0, 0}}))[1]) ==
        std::vector<std::string>{"add", "1", "0.000", "0.0%", "-", "-"});
}

TEST_CASE("check_finite names the first node with a number that is not finite") {
  Graph graph;
  const Tensor x = graph.input("x", f32, {4});
  const Tensor product = mul(x, x);
  const Tensor later = scale(product, 0);  // Infinity times zero.
  Program checked = compile(graph, {later}, {.pool = ThreadPool(1), .check_finite = true});
  Program plain = compile(graph, {later}, {.pool = ThreadPool(1)});
  checked.write("x", std::vector<float>{1, 2, 3, 4});
  checked.run();
  CHECK(checked.read<float>(later)[3] == 0);
  for (Program* program : {&checked, &plain}) program->write("x", std::vector<float>{1, 2, 1e30f, 1e30f});
  CHECK(error_of([&] { checked.run(); }) == "run: element 2 of mul#0 [4] is inf, expected finite numbers");
  plain.run();
  CHECK(std::isnan(plain.read<float>(later)[2]));
  CHECK_THROWS_AS(checked.trace(), Error);
  CHECK_THROWS_AS(checked.profile(), Error);
}

TEST_CASE("check_finite looks at all types of floats, and at every result of a node") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const DType type : {f16, bf16}) {
    Graph graph;
    const Tensor y = cast(graph.input("x", f32, {3}), type);
    Program program = compile(graph, {y}, {.pool = ThreadPool(1), .check_finite = true});
    program.write("x", std::vector<float>{-1, 0, 6e4f});
    program.run();
    program.write("x", std::vector<float>{1, -kInfinity, 3});
    CHECK(error_of([&] { program.run(); }) == "run: element 1 of cast#0 [3] is -inf, expected finite numbers");
    program.write("x", std::vector<float>{1, 2, std::nanf("")});
    CHECK(error_of([&] { program.run(); }) == "run: element 2 of cast#0 [3] is nan, expected finite numbers");
  }
  Graph graph;
  const std::vector<Tensor> parts = split(graph.input("x", f32, {2, 4}), -1, {2, 2});
  Program program = compile(graph, parts, {.pool = ThreadPool(1), .check_finite = true});
  program.write("x", std::vector<float>{0, 1, 2, 3, 4, 5, 6, kInfinity});
  CHECK(error_of([&] { program.run(); }) == "run: element 3 of split#0.1 [2,2] is inf, expected finite numbers");
}

}  // namespace tinyllm::test
