#pragma once

#include <tinyllm/model/text/chat_template.h>

#include <span>
#include <string>
#include <string_view>

namespace tinyllm {

/// An answer in the reasoning style: 【推理过程】\n{cot}\n【最终答案】\n{final}\n
std::string reasoning(std::string_view cot, std::string_view final);

/// The two parts of such an answer. If it does not keep the style, all of it is `final`.
struct ParsedAnswer {
  std::string cot;
  std::string final;
};
ParsedAnswer parse_reasoning(std::string_view answer);

/// What a prompt that ends with these pieces has of a chain of thought: "<think>\n", or nothing.
std::string begun_thinking(std::span<const Piece> prompt);

}  // namespace tinyllm
