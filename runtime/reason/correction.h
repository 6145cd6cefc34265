#pragma once

#include <tinyllm/tensor/base/names.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// A number in a chain of thought that was replaced, at bytes [begin, end) of the original.
struct Correction {
  enum class Why : uint8_t {
    slip,     ///< The result of a false equation.
    operand,  ///< It was taken from a result that was corrected.
    result,   ///< The result of an equation whose operands were corrected.
    answer,   ///< In the final answer.
  };
  Why why = Why::slip;
  size_t begin = 0;
  size_t end = 0;
  std::string before = {};
  std::string after = {};
};

constexpr auto names(Correction::Why) { return std::array{"slip", "operand", "result", "answer"}; }

struct CorrectedChain {
  std::string text;
  std::vector<Correction> corrections;  ///< In the order of the text.
  /// Where something may be wrong that was left as it is: a false link between two expressions, of which either may be
  /// meant, and a number equal to a false result that may also come from the question or from another equation.
  std::vector<size_t> doubtful;
};

/// Corrects what follows from false equations (see `equations_in`). A false result becomes the right one. From there
/// on, an operand equal to the false result is taken to be that result, unless the question or a true equation has the
/// number too; equations with corrected operands get new results, and the final answer (see `extract_answer`) changes
/// if it was one of the false results. Numbers are written as the old ones were: whole, in decimals of at most 6
/// places, in percent, or as a fraction; after ≈ with as many decimals. Other text stays, byte for byte.
CorrectedChain corrected_chain(std::string_view question, std::string_view chain);

}  // namespace tinyllm
