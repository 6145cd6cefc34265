#include <tinyllm/train/questions/questions.h>

#include <tinyllm/tensor/base/json.h>

namespace tinyllm::questions {
namespace {

using OrderedJson = nlohmann::ordered_json;

std::string dump(const OrderedJson& line, int indent = -1) {
  return line.dump(indent, ' ', false, OrderedJson::error_handler_t::replace);
}

OrderedJson json_of(const SourceSpan& source) {
  return {{"document", source.path},    {"name", source.name},   {"title", source.title}, {"page", source.page},
          {"section", source.headings}, {"start", source.start}, {"end", source.end},     {"hash", source.hash}};
}

template <class Name, size_t kCount>
OrderedJson json_of(const std::array<int64_t, kCount>& counts) {
  OrderedJson object = OrderedJson::object();
  for (size_t i = 0; i < kCount; ++i) object[names(Name())[i]] = counts[i];
  return object;
}

}  // namespace

std::string to_line(const Row& row, RowForm form, bool closed_book) {
  if (!row.is_answered && (closed_book || form == RowForm::questions)) return {};
  OrderedJson line = OrderedJson::object();
  const std::string asked = closed_book ? row.question : row.passage + "\n\n" + row.question;
  switch (form) {
    case RowForm::alpaca:
      line = {{"instruction", row.question}, {"input", closed_book ? "" : row.passage}, {"output", row.answer}};
      break;
    case RowForm::sharegpt:
      line["conversations"] = {{{"from", "human"}, {"value", asked}}, {{"from", "gpt"}, {"value", row.answer}}};
      break;
    case RowForm::messages:
      line["messages"] = {{{"role", "user"}, {"content", asked}}, {{"role", "assistant"}, {"content", row.answer}}};
      break;
    case RowForm::questions: {
      const std::string& document = row.source.name.empty() ? row.source.path : row.source.name;
      line = {{"id", fmt::format("{}#{}-{}", document, row.source.start, name_of(row.rule))},
              {"question", row.question},
              {"answers", {row.answer}},
              {"doc_id", document}};
      break;
    }
  }
  line["rule"] = name_of(row.rule);
  line["answerable"] = row.is_answered;
  line["source"] = json_of(row.source);
  return dump(line);
}

std::string to_json(const QuestionReport& report) {
  return dump(OrderedJson{{"documents", report.documents},
                          {"chunks", report.chunks},
                          {"sentences", report.sentences},
                          {"made", json_of<Rule>(report.made)},
                          {"dropped", json_of<Dropped>(report.dropped)},
                          {"kept", json_of<Rule>(report.kept)},
                          {"rows", json_of<Split>(report.rows)},
                          {"unanswerable", json_of<Split>(report.unanswerable)}},
              2) +
         "\n";
}

}  // namespace tinyllm::questions
