#include <tinyllm/runtime/agent/planner.h>

#include <tinyllm/runtime/agent/clauses.h>
#include <tinyllm/runtime/agent/error.h>
#include <tinyllm/runtime/agent/names.h>
#include <tinyllm/tensor/base/names.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>

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
  return {.kind = Proposal::Kind::ask, .text = is_chinese(request) ? chinese : english};
}

// A count in digits or as a word; 0 for none.
int64_t count_of(const std::string& text) {
  static const std::vector<std::pair<std::regex, int64_t>> numbers = {
      {words("一|one"), 1},  {words("二|两|two"), 2}, {words("三|three"), 3}, {words("四|four"), 4},
      {words("五|five"), 5}, {words("六|six"), 6},    {words("七|seven"), 7}, {words("八|eight"), 8},
      {words("九|nine"), 9}, {words("十|ten"), 10}};
  for (const auto& [regex, number] : numbers) {
    if (std::regex_match(text, regex)) return number;
  }
  return text.empty() || text[0] < '0' || text[0] > '9' ? 0 : std::stoll(text);
}

// A request that is nothing but an undo.
std::optional<Proposal> undo_of(const std::string& text) {
  static const std::regex run = words(
      "^undo run (?:number |#)?([0-9]{1,18})$|^(?:撤销|撤回) ?第 ?([0-9]{1,9}) ?(?:次|号)的?(?:运行|操作)?$|"
      "^(?:撤销|撤回)运行 ?([0-9]{1,9})$");
  static const std::string what = "(?:操作|运行|修改|更改|改动)?";
  static const std::regex last = words(
      "^undo(?: (?:it|that|this|(?:the )?(?:last|latest|previous)(?: "
      "([0-9]{1,3}|one|two|three|four|five|six|seven|eight|"
      "nine|ten))?(?: (?:runs?|changes?|operations?|steps?|actions?))?))?$|"
      "^(?:撤销|撤回)(?:掉|了)?(?:上|最近的?|前|最后的?|刚才的?)? ?(?:([0-9]{1,3}|一|二|两|三|四|五|六|七|八|九|十) "
      "?(?:次|步|个)|次|步)?的?" +
      what + "$|^(?:把|将)? ?(?:刚才|刚刚|上一?次|上一?步|最近一次)的?" + what +
      " ?(?:撤销|撤回)(?:掉|了)?$|^恢复上一?(?:次|步)的?" + what + "$");
  std::smatch match;
  Proposal undo{.kind = Proposal::Kind::undo};
  if (std::regex_match(text, match, run)) {
    undo.run = count_of(match[1].str() + match[2].str() + match[3].str());
    if (undo.run > 0) return undo;
  } else if (std::regex_match(text, match, last)) {
    const std::string count = match[1].str() + match[2].str();
    if (!count.empty()) undo.runs = count_of(count);
    if (undo.runs > 0) return undo;
  }
  return std::nullopt;
}

// What is refused although a plan could say it.
std::optional<Proposal> refusal(Code code, const std::string& text, const std::regex& regex) {
  std::smatch match;
  if (!std::regex_search(text, match, regex)) return std::nullopt;
  const char* why = code == Code::outside_root     ? "outside of the folder that the agent works in"
                    : code == Code::protected_path ? "the log and what the agent keeps are not changed"
                                                   : "programs are not run, and permissions are not changed";
  const char* chinese = code == Code::outside_root     ? "在代理的文件夹之外"
                        : code == Code::protected_path ? "日志和代理自己的文件不能改"
                                                       : "不运行程序，也不改权限";
  const std::string word = escaped(trimmed(match[1].str()));
  return Proposal{
      .kind = Proposal::Kind::refuse,
      .text = is_chinese(text) ? fmt::format("“{}”：{}。", word, chinese) : fmt::format("\"{}\": {}.", word, why),
      .code = name_of(code)};
}

std::optional<Proposal> foreign(const std::string& text) {
  static const std::regex path = words(
      "(?:^|[^a-z0-9_./~-])((?:/(?:etc|usr|bin|boot|dev|home|lib|opt|proc|root|sbin|srv|sys|tmp|var)(?:/|\\b)|~/|"
      "[a-z]:[\\\\/])[^ ,;]*)");
  static const std::regex above = words("([^ ,;]*\\.\\./[^ ,;]*)");
  auto found = refusal(Code::outside_root, text, path);
  return found ? found : refusal(Code::outside_root, text, above);
}

// What is refused if it is not a name: asked for once no plan was found.
std::optional<Proposal> never_done(const std::string& text) {
  static const std::regex runs = words(
      "(运行|执行|启动|权限|提权|管理员|联网|下载一|\\b(?:run|execute|launch|chmod|chown|sudo|bash|curl|wget)\\b(?!\\.)"
      "|"
      "\\brm -[^ ,;]*)");
  static const std::regex log = words("((?:audit|审计|操作) ?(?:log|日志|记录)|\\.agent\\b)");
  static const std::regex undone = words("删|关|停|改|清|delete|remove|turn|stop|disable|edit|clear");
  if (auto refused = refusal(Code::op_not_allowed, text, runs)) return refused;
  return std::regex_search(text, undone) ? refusal(Code::protected_path, text, log) : std::nullopt;
}

bool only_looks_at(const Json& steps) {
  return std::all_of(steps.begin(), steps.end(),
                     [](const Json& step) { return step["operation"] == "list" || step["operation"] == "read"; });
}

// The request without what is only polite. Each ending is named: what follows one could be an exception.
std::string without_courtesies(const std::string& text) {
  static const std::regex polite = words(
      "^(?:请|麻烦你?|帮我|帮忙|给我|请你|please |could you |can you )+|(?:一下|吧|呗|好吗|谢谢|please|thanks|right "
      "now|,? ?(?:and )?(?:don't|do not) ask(?: me)?(?: again| anymore| first| for confirmation| to confirm)?|"
      ",? ?(?:不用|不要|别|无需)再?(?:问我|问|确认)了?)+[!.。 ]*$");
  std::string left = trimmed(text);
  for (std::string before; before != left;) {
    before = left;
    left = trimmed(std::regex_replace(left, polite, ""));
  }
  return left;
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

// The steps of a request; none unless every word was understood.
std::optional<Json> steps_of(Clauses& reader, const std::string& text) {
  if (auto steps = reader.preview_of(text)) return steps;
  // A comma may stand between steps, or inside of what one step says.
  const std::vector<std::string> clauses = clauses_of(text);
  Json steps = Json::array();
  bool is_clear = clauses.size() > 1;
  for (size_t i = 0; is_clear && i < clauses.size(); ++i) {
    const auto found = reader.steps(clauses[i]);
    is_clear = found.has_value();
    if (found) steps.insert(steps.end(), found->begin(), found->end());
  }
  return is_clear ? std::optional(steps) : reader.steps(text);
}

}  // namespace

Proposal propose(std::string_view given, const std::vector<std::string>& listing, std::string_view root, int64_t now) {
  static const std::regex meta = words("能做什么|会做什么|有什么功能|怎么用|what can you do|^help$|^帮助$");
  static const std::regex asks = words("\\?[ !.。?]*$");
  if (valid_utf8(given) != given.size()) return {.text = "The request is not UTF-8. What is meant?"};
  if (given.size() > kMaxRequest)
    return question(given, "请求太长，请分成几步说。", "That is too long; please say it in smaller steps.");
  // Paths below the root may be given in full.
  std::string text(given);
  const std::string prefix = std::string(root) + "/";
  for (size_t at = 0; root.size() > 1 && (at = text.find(prefix, at)) != text.npos;) text.erase(at, prefix.size());
  const Request request(text);
  if (std::regex_search(request.words, meta)) return {.kind = Proposal::Kind::answer, .text = kAbilities};
  const Files files(listing, now);
  Clauses reader(request, files);
  if (auto step = reader.with_content(text)) return {.kind = Proposal::Kind::plan, .text = Json::array({*step}).dump()};
  if (auto refused = foreign(request.words)) return *refused;
  const std::string left = without_courtesies(request.words);
  const bool is_question = std::regex_search(request.words, asks);
  if (auto undo = undo_of(left); undo && !is_question) return *undo;
  const auto steps = steps_of(reader, left);
  if (steps && is_question && !only_looks_at(*steps)) {
    return question(given, "问句不会改动文件。要这样做，请去掉问号再说一次。",
                    "A question changes nothing. To have it done, say it without the question mark.");
  }
  if (steps) return {.kind = Proposal::Kind::plan, .text = steps->dump()};
  if (auto refused = never_done(request.words)) return *refused;
  return question(
      given,
      "没有听懂，或者不确定是哪些文件。请写出文件名、文件夹和要做的事，例如：把 downloads 里的 pdf 移到 reports。",
      "I am not sure what is meant, or which files. Name the files, the folder and what to do, for "
      "example: move all pdf from downloads to reports.");
}

}  // namespace tinyllm::agent
