#include <tinyllm/runtime/documents/encoding.h>
#include <tinyllm/train/corpus/report.h>

#include <nlohmann/json.hpp>

#include <utility>

namespace tinyllm::corpus {

using namespace documents;
namespace {

constexpr size_t kSamples = 3;

// The beginning of a text as UTF-8, with dots if it was shortened.
std::string shortened(std::string_view text) {
  constexpr size_t kLongest = 400;  // Bytes.
  std::string beginning;
  Decoder decoder(Encoding::utf8);
  decoder.decode(text.substr(0, kLongest), beginning);
  if (text.size() > kLongest) return beginning + "…";
  decoder.finish(beginning);
  return beginning;
}

nlohmann::ordered_json json(const Report::Amount& amount) {
  return {{"files", amount.files},
          {"documents", amount.documents},
          {"paragraphs", amount.paragraphs},
          {"bytes", amount.bytes}};
}

nlohmann::ordered_json json(const std::map<std::string, Report::Amount>& amounts) {
  auto object = nlohmann::ordered_json::object();
  for (const auto& [name, amount] : amounts) object[name] = json(amount);
  return object;
}

nlohmann::ordered_json json(const Report::Rule& rule) {
  auto samples = nlohmann::ordered_json::array();
  for (const Report::Sample& sample : rule.samples) {
    samples.push_back({{"source", sample.source}, {"text", sample.text}});
  }
  return {{"pieces", rule.pieces}, {"bytes", rule.bytes}, {"samples", samples}};
}

}  // namespace

Report::Amount& Report::Amount::operator+=(const Amount& other) {
  files += other.files;
  documents += other.documents;
  paragraphs += other.paragraphs;
  bytes += other.bytes;
  return *this;
}

void Report::add(File file) {
  file.read.files = 1;
  file.kept.files = file.kept.bytes > 0 ? 1 : 0;
  read += file.read;
  kept += file.kept;
  encodings[file.encoding] += file.read;
  formats[file.format] += file.read;
  files.push_back(std::move(file));
}

void Report::drop(std::string_view rule, std::string_view text, std::string_view source) {
  drop(rule, text, source, static_cast<int64_t>(text.size()));
}

void Report::drop(std::string_view rule, std::string_view text, std::string_view source, int64_t bytes) {
  Rule& counts = rules[std::string(rule)];
  ++counts.pieces;
  counts.bytes += bytes;
  if (counts.samples.size() < kSamples) counts.samples.push_back({shortened(source), shortened(text)});
}

std::string Report::to_json() const {
  auto dropped = nlohmann::ordered_json::object();
  for (const auto& [name, rule] : rules) dropped[name] = json(rule);
  auto rows = nlohmann::ordered_json::array();
  for (const File& file : files) {
    rows.push_back({{"name", file.name},
                    {"format", file.format},
                    {"encoding", file.encoding},
                    {"read", json(file.read)},
                    {"kept", json(file.kept)}});
  }
  auto missing = nlohmann::ordered_json::array();
  for (const Unread& file : unread) missing.push_back({{"name", file.name}, {"why", file.why}});
  const nlohmann::ordered_json all = {{"read", json(read)},       {"kept", json(kept)}, {"encodings", json(encodings)},
                                      {"formats", json(formats)}, {"rules", dropped},   {"changed", changed},
                                      {"unread", missing},        {"files", rows}};
  return all.dump(2) + '\n';
}

}  // namespace tinyllm::corpus
