#include <tinyllm/runtime/agent/planner.h>

#include <tinyllm/runtime/agent/clauses.h>
#include <tinyllm/runtime/agent/names.h>
#include <tinyllm/tensor/base/utf8.h>

namespace tinyllm::agent {
namespace {

constexpr size_t kMaxRequest = 1000;  // Bytes: the patterns take time and stack that grow with the text.
constexpr const char* kAbilities =
    "列出、读取、创建、修改、移动、复制、重命名、删除、归类、打标签、压缩、解压；先给出计划，确认后执行，可撤销。\n"
    "I list, read, create, change, move, copy, rename, delete, sort, tag, pack and unpack files: a plan first, done "
    "once you confirm it, and it can be undone.";

bool is_chinese(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_character(text, at);
    if (c >= 0x4E00 && c < 0xA000) return true;
  }
  return false;
}

Proposal question(std::string_view request, const char* chinese, const char* english) {
  return {Proposal::Kind::ask, is_chinese(request) ? chinese : english, 1};
}

int64_t count_of(const std::string& text) {
  static const std::vector<std::pair<std::regex, int64_t>> numbers = {
      {words("两|two|2"), 2}, {words("三|three|3"), 3}, {words("四|four|4"), 4}, {words("五|five|5"), 5}};
  for (const auto& [regex, number] : numbers) {
    if (std::regex_search(text, regex)) return number;
  }
  return 1;
}

// What is refused whatever else a request says; empty if nothing is.
std::string refusal(const std::string& text) {
  static const std::regex foreign = words(
      "(?:^|[^a-z0-9_./~-])(?:/(?:etc|usr|bin|boot|dev|home|lib|opt|proc|root|sbin|srv|sys|tmp|var)(?:/|\\b)|~/"
      "|[a-z]:[\\\\/])|\\.\\./");
  static const std::regex runs = words(
      "运行|执行|启动|权限|提权|管理员|联网|下载一|\\b(?:run|execute|launch|chmod|chown|sudo|bash|curl|wget)\\b(?!\\.)|"
      "\\brm "
      "-");
  static const std::regex log = words("(?:audit|审计|操作) ?(?:log|日志|记录)|\\.agent\\b");
  static const std::regex undone = words("删|关|停|改|清|delete|remove|turn|stop|disable|edit|clear");
  if (std::regex_search(text, runs)) return "op_not_allowed";
  if (std::regex_search(text, log) && std::regex_search(text, undone)) return "protected";
  if (std::regex_search(text, foreign)) return "outside_root";
  return "";
}

// The pieces of "先…，再…，然后…".
std::vector<std::string> clauses_of(const std::string& text) {
  static const std::regex first = words("^先(?!别|不)");
  static const std::regex between = words(
      "[,;。.]? ?(?:然后再|然后|接着|最后)|[,;。] ?(?:再|并且|并|同时)|[,;。] ?(?=把)|并(?=打|给|移|删|压)|,? (?:and "
      ")?then |; ");
  std::string rest = std::regex_replace(text, first, "");
  std::vector<std::string> clauses;
  std::smatch match;
  while (std::regex_search(rest, match, between)) {
    if (!trimmed(match.prefix().str()).empty()) clauses.push_back(trimmed(match.prefix().str()));
    rest = match.suffix().str();
  }
  clauses.push_back(trimmed(rest));
  return clauses;
}

}  // namespace

Proposal propose(std::string_view given, const std::vector<std::string>& listing, std::string_view root, int64_t now) {
  static const std::regex undo = words("撤销|撤回|恢复上|\\bundo\\b");
  static const std::regex meta = words("能做什么|会做什么|有什么功能|怎么用|what can you do|^help$|^帮助$");
  static const std::regex polite = words(
      "^(?:请|麻烦你?|帮我|帮忙|给我|请你|please |could you |can you )+|(?:一下|吧|呗|好吗|谢谢|please|thanks|right "
      "now|, ?don't ask me.*|不用问我.*|别问我.*)+[!.。 ]*$");
  if (valid_utf8(given) != given.size()) return {Proposal::Kind::ask, "The request is not UTF-8. What is meant?", 1};
  if (given.size() > kMaxRequest)
    return question(given, "请求太长，请分成几步说。", "That is too long; please say it in smaller steps.");
  // Paths below the root may be given in full.
  std::string text(given);
  const std::string prefix = std::string(root) + "/";
  for (size_t at = 0; root.size() > 1 && (at = text.find(prefix, at)) != text.npos;) text.erase(at, prefix.size());
  const Request request(text);
  if (std::regex_search(request.words, meta)) return {Proposal::Kind::answer, kAbilities, 1};
  if (std::regex_search(request.words, undo)) return {Proposal::Kind::undo, "", count_of(request.words)};
  const Files files(listing, now);
  Clauses reader(request, files);
  if (auto step = reader.with_content(text)) return {Proposal::Kind::plan, Json::array({*step}).dump(), 1};
  if (const std::string code = refusal(request.words); !code.empty()) return {Proposal::Kind::refuse, code, 1};
  std::string words_left = trimmed(request.words);
  for (std::string before; before != words_left;) {
    before = words_left;
    words_left = trimmed(std::regex_replace(words_left, polite, ""));
  }
  if (auto steps = reader.preview_of(words_left)) return {Proposal::Kind::plan, steps->dump(), 1};
  // A comma may stand between steps, or inside of what one step says.
  const std::vector<std::string> clauses = clauses_of(words_left);
  Json steps = Json::array();
  bool is_clear = clauses.size() > 1;
  for (size_t i = 0; is_clear && i < clauses.size(); ++i) {
    const auto found = reader.steps(clauses[i]);
    is_clear = found.has_value();
    if (found) steps.insert(steps.end(), found->begin(), found->end());
  }
  if (!is_clear) {
    const auto whole = reader.steps(words_left);
    if (!whole) {
      return question(
          given,
          "没有听懂，或者不确定是哪些文件。请写出文件名、文件夹和要做的事，例如：把 downloads 里的 pdf 移到 reports。",
          "I am not sure what is meant, or which files. Name the files, the folder and what to do, for "
          "example: move all pdf from downloads to reports.");
    }
    steps = *whole;
  }
  return {Proposal::Kind::plan, steps.dump(), 1};
}

}  // namespace tinyllm::agent
