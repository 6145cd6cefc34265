#include <tinyllm/train/corpus/json_lines.h>

#include <tinyllm/tensor/base/json_repair.h>
#include <tinyllm/train/corpus/rules.h>

#include <simdjson.h>

#include <algorithm>

namespace tinyllm::corpus {
namespace {

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t") == std::string_view::npos; }

// Parses lines, and those again, repaired, that the parser refuses.
class Parser {
 public:
  // `line` must have room for the parser after its end. The result is valid until the next call.
  bool parse(std::string_view line, simdjson::dom::element& document) {
    if (parser_.parse(line.data(), line.size(), false).get(document) == simdjson::SUCCESS) return true;
    return parser_.parse(repair_json(line)).get(document) == simdjson::SUCCESS;
  }

 private:
  simdjson::dom::parser parser_;
};

}  // namespace

void read_json_lines(std::string& text, int64_t line, const std::vector<std::string>& fields,
                     const std::function<void(std::string_view rule, int64_t number, std::string_view line)>& bad,
                     const std::function<void(std::string_view text, int64_t number)>& take) {
  text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  Parser parser;
  std::string joined;
  size_t begin = 0;
  for (int64_t number = line; begin < text.size(); ++number) {
    const size_t end = std::min(text.find_first_of("\r\n", begin), text.size());
    const std::string_view row = std::string_view(text).substr(begin, end - begin);
    begin = end + (std::string_view(text).substr(end).starts_with("\r\n") ? 2 : 1);
    if (is_blank(row)) continue;
    simdjson::dom::element document;
    if (!parser.parse(row, document)) {
      bad(kRuleBadJson, number, row);
      continue;
    }
    joined.clear();
    bool found = false;
    for (const std::string& field : fields) {
      std::string_view value;
      if (document[field].get(value) != simdjson::SUCCESS) continue;
      if (found) joined += '\n';
      joined += value;
      found = true;
    }
    found ? take(joined, number) : bad(kRuleNoText, number, row);
  }
}

}  // namespace tinyllm::corpus
