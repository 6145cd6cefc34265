// From a corpus to the vocabulary of a model, with what it is worth on text that it was not learnt from.
#include <tinyllm/model/text/tokenizer.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/utf8.h>
#include <tinyllm/train/data/text_sample.h>
#include "common/progress_bar.h"

#include "common/parse.h"

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>

namespace tl = tinyllm;

namespace {

struct Options {
  std::vector<std::string> inputs;
  std::string output;
  int64_t vocab = 16000;
  int64_t sample_mb = 8;
  uint64_t seed = 1;
  bool compare = false;
};

Options parse(int argc, char** argv) {
  Options o;
  CLI::App app(
      "Learns the vocabulary of a model from a sample of UTF-8 texts, and says how many characters a token holds on "
      "text that was held out.");
  app.add_option("--input", o.inputs, "Texts; lines with a form feed stand between documents")->required();
  app.add_option("--output", o.output, "A folder to put tokenizer.model in, or a file that ends in .model")->required();
  app.add_option("--vocab", o.vocab, "Tokens of the vocabulary")
      ->check(CLI::Range(300, 1'000'000))
      ->capture_default_str();
  app.add_option("--sample-mb", o.sample_mb, "How much is drawn from all over the texts, in MB")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--seed", o.seed, "Of the sample: same seed, same file")->capture_default_str();
  app.add_flag("--compare", o.compare,
               "Learn with the usual settings of SentencePiece too; takes several times as long");
  tl::cli::parse(app, argc, argv);
  return o;
}

// Shows for how long something has been going on, while it lives.
class Stopwatch {
 public:
  explicit Stopwatch(std::string what) : what_(std::move(what)), thread_([this] { show(); }) {}
  ~Stopwatch() {
    {
      const std::lock_guard lock(mutex_);
      is_done_ = true;
    }
    done_.notify_one();
    thread_.join();
    fmt::print(stderr, "{}{}: {}\n", start_of_line(), what_, elapsed());
  }

 private:
  static const char* start_of_line() { return isatty(STDERR_FILENO) != 0 ? "\r\x1b[K" : ""; }
  std::string elapsed() const {
    return tl::cli::clock_time(std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count());
  }
  void show() {
    const bool is_terminal = isatty(STDERR_FILENO) != 0;
    std::unique_lock lock(mutex_);
    do {
      fmt::print(stderr, "{}{} ... {}{}", start_of_line(), what_, elapsed(), is_terminal ? "" : "\n");
      std::fflush(stderr);
    } while (!done_.wait_for(lock, std::chrono::seconds(is_terminal ? 1 : 15), [this] { return is_done_; }));
  }

  std::string what_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::mutex mutex_;
  std::condition_variable done_;
  bool is_done_ = false;
  std::thread thread_;
};

class Lines : public sentencepiece::SentenceIterator {
 public:
  explicit Lines(const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      for (size_t at = 0; at < text.size();) {
        const size_t end = std::min(text.find('\n', at), text.size());
        lines_.push_back(text.substr(at, end - at));
        at = end + 1;
      }
    }
  }
  bool done() const override { return at_ == lines_.size(); }
  void Next() override { ++at_; }
  const std::string& value() const override { return lines_[at_]; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  std::vector<std::string> lines_;
  size_t at_ = 0;
};

// What the settings give that most people begin with: rare characters unknown, blanks and line feeds normalised.
void learn_usual(const std::vector<std::string>& texts, const Options& o,
                 sentencepiece::SentencePieceProcessor& usual) {
  Lines lines(texts);
  std::string model;
  const auto status =
      sentencepiece::SentencePieceTrainer::Train({{"model_type", "bpe"},
                                                  {"vocab_size", std::to_string(o.vocab)},
                                                  {"hard_vocab_limit", "false"},
                                                  {"num_threads", "1"},
                                                  {"character_coverage", "0.9995"},
                                                  {"pad_id", "0"},
                                                  {"bos_id", "1"},
                                                  {"eos_id", "2"},
                                                  {"unk_id", "3"},
                                                  {"user_defined_symbols", "<|system|>,<|user|>,<|assistant|>,<|sep|>"},
                                                  {"minloglevel", "2"}},
                                                 &lines, &model);
  if (!status.ok() || !usual.LoadFromSerializedProto(model).ok()) throw tl::Error("usual: {}", status.ToString());
}

// Characters a token on the held-out stretches of one text, and how many of them come back byte for byte.
template <typename Encode, typename Decode>
void report(std::string_view name, const std::vector<std::string>& held_out, Encode encode, Decode decode) {
  if (held_out.empty()) {
    fmt::print("  {:<8}too few lines to hold any out\n", name);
    return;
  }
  int64_t characters = 0;
  int64_t tokens = 0;
  size_t same = 0;
  for (const std::string& text : held_out) {
    const auto ids = encode(text);
    characters += tl::count_of_characters(text);
    tokens += static_cast<int64_t>(ids.size());
    same += decode(ids) == text ? 1 : 0;
  }
  fmt::print("  {:<8}{:.3f} characters a token, {} of {} stretches come back byte for byte\n", name,
             static_cast<double>(characters) / static_cast<double>(std::max<int64_t>(tokens, 1)), same,
             held_out.size());
}

std::filesystem::path output_file(const std::string& output) {
  std::filesystem::path path = output;
  if (path.extension() != ".model") {
    tl::make_folder(path);
    return path / tl::kTokenizerFile;
  }
  if (path.has_parent_path()) tl::make_folder(path.parent_path());
  return path;
}

void run(const Options& o) {
  const std::filesystem::path output = output_file(o.output);
  uintmax_t total = 0;
  for (const std::string& input : o.inputs) total += tl::MappedFile(input).bytes().size();
  std::vector<tl::TextSample> samples;
  std::vector<std::string> learn;
  for (const std::string& input : o.inputs) {
    const double share =
        static_cast<double>(tl::MappedFile(input).bytes().size()) / static_cast<double>(std::max<uintmax_t>(total, 1));
    samples.push_back(
        tl::sample_text(input, static_cast<int64_t>(share * 1e6 * static_cast<double>(o.sample_mb)), o.seed));
    learn.insert(learn.end(), samples.back().learn.begin(), samples.back().learn.end());
  }
  size_t bytes = 0;
  for (const std::string& text : learn) bytes += text.size();
  const std::string from = fmt::format("{} tokens from {:.1f} MB", o.vocab, static_cast<double>(bytes) / 1e6);
  const tl::Tokenizer ours = [&] {
    const Stopwatch watch("learning " + from);
    return tl::Tokenizer::train(learn, {o.vocab});
  }();
  sentencepiece::SentencePieceProcessor usual;
  if (o.compare) {
    const Stopwatch watch("with the usual settings, " + from);
    learn_usual(learn, o, usual);
  }
  ours.save(output);
  for (size_t i = 0; i < samples.size(); ++i) {
    fmt::print("{}: held out\n", o.inputs[i]);
    report(
        "ours", samples[i].held_out, [&](const std::string& text) { return ours.encode(text); },
        [&](const std::vector<int32_t>& ids) { return ours.decode(ids); });
    if (!o.compare) continue;
    report(
        "usual", samples[i].held_out, [&](const std::string& text) { return usual.EncodeAsIds(text); },
        [&](const std::vector<int>& ids) { return usual.DecodeIds(ids); });
  }
  fmt::print("saved {}: {} tokens\n", output.string(), ours.size());
}

}  // namespace

int main(int argc, char** argv) {
  return tl::cli::run_main(argv, [&] {
    run(parse(argc, argv));
    return 0;
  });
}
