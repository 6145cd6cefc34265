#pragma once

#include <tinyllm/tensor/base/file.h>
#include <tinyllm/train/corpus/prepare.h>
#include <tinyllm/train/corpus/rules.h>

#include "temp_folder.h"

#include <string>

// Text files and what prepare_corpus makes of them, for its tests.
namespace tinyllm::test {

using namespace corpus;

/// A folder to prepare, and the result.
class Preparation {
 public:
  Preparation() {
    std::filesystem::create_directory(in());
    options.inputs = {in()};
    options.output = folder_ / "corpus.txt";
    options.report = folder_ / "report.json";
    options.rejects = folder_ / "rejects.jsonl";
  }

  std::filesystem::path in() const { return folder_ / "in"; }
  void write(const std::string& name, std::string_view text) const {
    std::filesystem::create_directories((in() / name).parent_path());
    write_file(in() / name, text);
  }
  std::string corpus() {
    report = prepare_corpus(options, {});
    return read_file(options.output);
  }
  std::string rejects() const { return read_file(options.rejects); }
  int64_t dropped(std::string_view rule) const {
    const auto found = report.rules.find(std::string(rule));
    return found == report.rules.end() ? 0 : found->second.pieces;
  }

  PrepareOptions options;
  Report report;

 private:
  TempFolder folder_;
};

/// Sentences that differ from each other.
inline std::string sentence(int i) {
  const char* who[] = {"老人", "孩子", "渔夫", "木匠", "医生", "船长", "老师"};
  const char* what[] = {"看着窗外的雨", "修好了那扇旧门", "读完了一封长信", "在集市上买了两条鱼", "把灯放在桌上"};
  const char* when[] = {"清晨",         "黄昏",     "午后",           "半夜",     "立春那天", "下雪的时候",
                        "集市散了以后", "船靠岸时", "第一声鸡叫之前", "客人走后", "放学路上"};
  return std::string(when[i % 11]) + "，" + who[i % 7] + what[i % 5] + "，后来坐下来慢慢地算，一共数到了" +
         std::to_string(i) + "。";
}

/// Sentences first to first + count, one per line.
inline std::string text(int first, int count) {
  std::string all;
  for (int i = first; i < first + count; ++i) all += sentence(i) + '\n';
  return all;
}

}  // namespace tinyllm::test
