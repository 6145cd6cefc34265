#include <tinyllm/model/text/reasoning.h>

#include <fmt/format.h>

namespace tinyllm {
namespace {

constexpr std::string_view kCotTitle = "【推理过程】\n";
constexpr std::string_view kFinalTitle = "【最终答案】\n";

std::string without_line_ends(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  return std::string(text);
}

}  // namespace

std::string reasoning(std::string_view cot, std::string_view final) {
  return fmt::format("{}{}\n{}{}\n", kCotTitle, cot, kFinalTitle, final);
}

ParsedAnswer parse_reasoning(std::string_view answer) {
  const size_t cot = answer.find(kCotTitle);
  const size_t final = answer.find(kFinalTitle, cot == std::string_view::npos ? 0 : cot);
  if (cot == std::string_view::npos || final == std::string_view::npos) return {"", without_line_ends(answer)};
  const size_t begin = cot + kCotTitle.size();
  return {without_line_ends(answer.substr(begin, final - begin)),
          without_line_ends(answer.substr(final + kFinalTitle.size()))};
}

std::string begun_thinking(std::span<const Piece> prompt) {
  const std::string end = prompt.empty() ? "" : without_line_ends(prompt.back().text);
  return end.ends_with("<think>") ? "<think>\n" : "";
}

}  // namespace tinyllm
