#include <tinyllm/train/eval/results.h>

#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/json.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

namespace tinyllm::eval {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr int64_t kVersion = 1;
constexpr size_t kLongestLine = size_t{8} << 20;
constexpr int64_t kMostQuestions = 10'000'000;
constexpr size_t kMostSets = 1000, kMostScores = 1000;  // The scores of a run, by name.
constexpr double kLargestScore = 1e9;                   // Sums of them are exact enough, and finite.

std::string header_of(const RunInfo& info) {
  OrderedJson settings = OrderedJson::object(), sets = OrderedJson::array();
  for (const auto& [name, value] : info.settings) settings[name] = value;
  for (const SetInfo& set : info.sets) {
    sets.push_back({{"name", set.name},
                    {"task", set.task},
                    {"questions", set.questions},
                    {"hash", fmt::format("{:016x}", set.hash)},
                    {"seen", set.seen}});
  }
  return OrderedJson{{"evaluation", kVersion}, {"model", info.model}, {"settings", settings}, {"sets", sets}}.dump();
}

std::string line_of(const Result& result) {
  OrderedJson scores = OrderedJson::object();
  for (const auto& [name, score] : result.scores) scores[name] = score;
  OrderedJson line = {{"set", result.set}, {"question", result.question}};
  if (!result.kind.empty()) line["kind"] = result.kind;
  if (result.chance > 0) line["chance"] = result.chance;
  line["scores"] = scores;
  line["detail"] = OrderedJson::parse(result.detail);
  return line.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

RunInfo read_header(std::string_view text, std::string_view where) {
  const OrderedJson ordered = [&] {
    parse_json_object(text, where);  // Checks depth and form.
    return OrderedJson::parse(text);
  }();
  const Json line = parse_json_object(text, where);
  int64_t version = 0;
  RunInfo info;
  read_field(line, "evaluation", version);
  if (version != kVersion) throw Error("field evaluation: is {}, expected {}", version, kVersion);
  read_field(line, "model", info.model);
  if (!need_field(line, "settings").is_object()) throw Error("field settings: expected an object");
  for (const auto& [name, value] : ordered.at("settings").items()) {
    if (!value.is_string()) throw Error("field settings: {} is not a string", short_name(name));
    info.settings.emplace_back(name, value.get<std::string>());
  }
  const Json& sets = need_field(line, "sets");
  if (!sets.is_array()) throw Error("field sets: is {}, expected a list", type_of(sets));
  int64_t all = 0;
  for (const Json& set : sets) {
    if (info.sets.size() == kMostSets) throw Error("field sets: has more than {}", kMostSets);
    if (!set.is_object()) throw Error("field sets: has {}, expected objects", type_of(set));
    SetInfo& one = info.sets.emplace_back();
    std::string hash;
    read_field(set, "name", one.name);
    read_field(set, "task", one.task);
    read_field(set, "questions", one.questions);
    read_field(set, "seen", one.seen);
    read_field(set, "hash", hash);
    const auto [end, error] = std::from_chars(hash.data(), hash.data() + hash.size(), one.hash, 16);
    if (error != std::errc() || end != hash.data() + hash.size()) throw Error("field hash: is {}", shortened(hash));
    if (one.questions < 0 || (all += one.questions) > kMostQuestions) {
      throw Error("field questions: {}, expected 0 to {} in all", one.questions, kMostQuestions);
    }
  }
  return info;
}

Result read_result(std::string_view text, const RunInfo& info, std::string_view where) {
  const Json line = parse_json_object(text, where);
  Result result;
  int64_t set = 0, question = 0;
  read_field(line, "set", set);
  read_field(line, "question", question);
  if (set < 0 || set >= std::ssize(info.sets)) throw Error("field set: {}, of {}", set, info.sets.size());
  result.set = static_cast<size_t>(set);
  if (question < 0 || question >= info.sets[result.set].questions) {
    throw Error("field question: {}, of {}", question, info.sets[result.set].questions);
  }
  result.question = static_cast<size_t>(question);
  result.kind = text_or_none(line, "kind");
  const auto number = [](const Json& value, std::string_view name) {
    if (!value.is_number() || !(std::abs(value.get<double>()) <= kLargestScore)) {
      throw Error("field {}: is {}, expected a number of at most {}", short_name(name), shown(value), kLargestScore);
    }
    return value.get<double>();
  };
  if (const Json* chance = find_field(line, "chance")) result.chance = number(*chance, "chance");
  const Json& scores = need_field(line, "scores");
  if (!scores.is_object()) throw Error("field scores: is {}, expected an object", type_of(scores));
  for (const auto& [name, score] : scores.items()) result.scores[name] = number(score, name);
  result.detail = need_field(line, "detail").dump(-1, ' ', false, Json::error_handler_t::replace);
  return result;
}

// "shots is 5, was 0; ...": why results of one run are not those of another. Empty if they are.
std::string differences(const RunInfo& now, const RunInfo& before) {
  std::vector<std::string> found;
  const auto value_in = [](const RunInfo& info, const std::string& name) {
    const auto at = std::ranges::find(info.settings, name, &std::pair<std::string, std::string>::first);
    return at == info.settings.end() ? std::string("not set") : short_name(at->second);
  };
  const auto compare = [&](const std::string& name) {
    const std::string is = value_in(now, name), was = value_in(before, name);
    if (is != was) found.push_back(fmt::format("{} is {}, was {}", short_name(name), is, was));
  };
  for (const auto& [name, value] : now.settings) compare(name);
  for (const auto& [name, value] : before.settings) {
    if (value_in(now, name) == "not set") compare(name);
  }
  const auto shown_sets = [](const RunInfo& info) {
    std::vector<std::string> sets;
    for (const SetInfo& set : info.sets) {
      sets.push_back(fmt::format("{} ({} questions, {:016x})", short_name(set.name), set.questions, set.hash));
    }
    return fmt::format("{}", fmt::join(sets, ", "));
  };
  const std::string is = shown_sets(now), was = shown_sets(before);
  if (is != was) found.push_back(fmt::format("the sets are {}, were {}", is, was));
  return fmt::format("{}", fmt::join(found, "; "));
}

}  // namespace

Run parse_run(std::string_view text, std::string_view what, size_t* whole) {
  const size_t last = text.rfind('\n');
  text = text.substr(0, last == text.npos ? 0 : last + 1);
  if (whole != nullptr) *whole = text.size();
  Run run;
  std::vector<std::vector<bool>> done;
  std::set<std::string> names;
  int64_t number = 0;
  while (!text.empty()) {
    ++number;
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    try {
      if (line.size() > kLongestLine) throw Error("has {} bytes, expected at most {}", line.size(), kLongestLine);
      if (number == 1) {
        run.info = read_header(line, "JSON");
        for (const SetInfo& set : run.info.sets) done.emplace_back(static_cast<size_t>(set.questions), false);
        continue;
      }
      Result result = read_result(line, run.info, "JSON");
      if (done[result.set][result.question]) throw Error("question {} is there twice", result.question);
      done[result.set][result.question] = true;
      for (const auto& [name, score] : result.scores) names.insert(name);
      if (names.size() > kMostScores) throw Error("there are more than {} scores", kMostScores);
      run.results.push_back(std::move(result));
    } catch (const Error& error) {
      throw Error("{}: line {}: {}", what, number, error.what());
    }
  }
  if (number == 0) throw Error("{}: holds no results", what);
  return run;
}

Run read_run(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / kResultsFile;
  Run run = parse_run(read_file(path), path.string());
  std::ranges::sort(run.results, {}, [](const Result& one) { return std::pair(one.set, one.question); });
  return run;
}

ResultsLog::ResultsLog(const std::filesystem::path& folder, RunInfo info) {
  run_.info = std::move(info);
  for (const SetInfo& set : run_.info.sets) done_.emplace_back(static_cast<size_t>(set.questions), false);
  if (folder.empty()) return;
  path_ = folder / kResultsFile;
  const std::string text = is_there(path_) ? read_file(path_) : "";
  if (text.find('\n') == text.npos) {  // Nothing was written, or not even the first line as a whole.
    write_file(path_, header_of(run_.info) + "\n");
    return;
  }
  size_t whole = 0;
  Run before = parse_run(text, path_.string(), &whole);
  if (const std::string found = differences(run_.info, before.info); !found.empty()) {
    throw Error("{}: holds the results of another evaluation: {}; remove it, or give another folder", path_.string(),
                found);
  }
  if (whole < text.size()) write_file(path_, std::string_view(text).substr(0, whole));
  run_.results = std::move(before.results);
  for (const Result& result : run_.results) done_[result.set][result.question] = true;
}

bool ResultsLog::has(size_t set, size_t question) const { return done_.at(set).at(question); }

void ResultsLog::add(Result result) {
  if (!path_.empty()) append_line(path_, line_of(result));
  done_.at(result.set).at(result.question) = true;
  run_.results.push_back(std::move(result));
}

Run ResultsLog::finished() const {
  Run run = run_;
  std::ranges::sort(run.results, {}, [](const Result& one) { return std::pair(one.set, one.question); });
  return run;
}

}  // namespace tinyllm::eval
