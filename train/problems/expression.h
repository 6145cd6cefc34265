// The equations of real questions, with their numbers apart. For the files of this folder alone.
#pragma once

#include <tinyllm/runtime/reason/rational.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::problems {

/// A number in an expression, or an operation on two others, which come before it.
struct Node {
  char sign = 0;  ///< + - * /; 0: a number.
  size_t left = 0;
  size_t right = 0;
  std::string text = {};  ///< Of a number, as it is written.
  Rational value = {};
};

/// The nodes of an expression, the whole one last. × and ÷ are * and /; brackets are ( and [; 3/4 in brackets of its
/// own is one number if `is_number` says so of its value. Nothing for what is read otherwise: powers, signs, mixed
/// numbers, values that are not above 0, more than 512 bytes.
std::optional<std::vector<Node>> parse_expression(std::string_view text,
                                                  const std::function<bool(const Rational&)>& is_number = {});

/// Computes the operations again, from numbers that were changed. False if one is not above 0.
bool compute(std::vector<Node>& nodes);

/// A number as an operand: 3/4 in brackets, decimals where they end within 4 places.
std::string operand(const Rational& value);

/// The expression that ends with a node, with no more brackets than it needs.
std::string written(const std::vector<Node>& nodes, size_t node);

}  // namespace tinyllm::problems
