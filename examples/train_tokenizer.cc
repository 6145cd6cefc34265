// Learns the vocabulary of a model from a corpus, and measures it on other text.
#include <tinyllm/model/model.h>
#include <tinyllm/model/text/sentencepiece_tokenizer.h>
#include <tinyllm/tensor/base/clock.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/utf8.h>
#include <tinyllm/train/data/text_sample.h>

#include "common/parse.h"
#include "common/progress_bar.h"

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <thread>

namespace tl = tinyllm;

namespace {

struct Options {
  std::vector<std::filesystem::path> inputs;
  std::string output;
  int64_t vocab_size = 16000;
  int64_t sample_mb = 8;
  uint64_t seed = 1;
  bool compare = false;
};

Options parse(int argc, char** argv) {
  Options o;
  CLI::App app(
      "Learns the vocabulary of a model from a sample of UTF-8 texts, and measures how many characters a token holds "
      "on text that it was not learned from.");
  app.add_option("-i,--input", o.inputs, "Learn from these texts; a line with only a form feed separates documents.")
      ->type_name("FILE")
      ->required();
  app.add_option("-o,--output", o.output,
                 "Write tokenizer.model into this folder, or the tokenizer to this file if the name ends in .model.")
      ->type_name("FOLDER")
      ->required();
  tl::cli::add_number(app, "--vocab-size", o.vocab_size, tl::between(300, 1e6), "Learn at most N tokens.");
  tl::cli::add_number(app, "--sample-mb", o.sample_mb, tl::between(1, 1000),
                      "Draw a sample of N MB from all over the texts.");
  tl::cli::add_number(app, "--seed", o.seed, tl::at_least(0),
                      "Draw the sample with this seed; the same seed gives the same tokenizer.");
  app.add_flag("--compare", o.compare,
               "Also learn and measure a tokenizer with the default settings of SentencePiece, which takes several "
               "times as long.");
  tl::cli::add_examples(app,
                        {"train_tokenizer -i corpus.txt -o tokenizer",
                         "train_tokenizer -i zh.txt en.txt -o tokenizer --vocab-size 32000 --sample-mb 20 --compare"},
                        "tokenize --tokenizer tokenizer --input corpus.txt --output corpus.tokens");
  tl::cli::parse(app, argc, argv);
  return o;
}

// Shows the elapsed time on stderr, from construction to destruction.
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
    tl::cli::note(fmt::format("{}{}: {}\n", start_of_line(), what_, elapsed()));
  }

 private:
  static const char* start_of_line() { return isatty(STDERR_FILENO) != 0 ? "\r\x1b[K" : ""; }
  std::string elapsed() const { return tl::cli::clock_time(tl::seconds_since(start_)); }
  void show() {
    const bool is_terminal = isatty(STDERR_FILENO) != 0;
    std::unique_lock lock(mutex_);
    do {
      tl::cli::note(fmt::format("{}{} ... {}{}", start_of_line(), what_, elapsed(), is_terminal ? "" : "\n"));
    } while (!done_.wait_for(lock, std::chrono::seconds(is_terminal ? 1 : 15), [this] { return is_done_; }));
  }

  std::string what_;
  tl::Clock::time_point start_ = tl::Clock::now();
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

// SentencePiece's default settings: rare characters are unknown, blanks and line feeds are normalised.
void learn_usual(const std::vector<std::string>& texts, const Options& o,
                 sentencepiece::SentencePieceProcessor& usual) {
  Lines lines(texts);
  std::string model;
  const auto status =
      sentencepiece::SentencePieceTrainer::Train({{"model_type", "bpe"},
                                                  {"vocab_size", std::to_string(o.vocab_size)},
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
  if (!status.ok() || !usual.LoadFromSerializedProto(model).ok()) {
    throw tl::Error("--compare: SentencePiece with its default settings: {}", status.ToString());
  }
}

// Prints the number of characters per token, and how many texts survive encoding and decoding byte for byte.
template <typename Encode, typename Decode>
void report(std::string_view name, const std::vector<std::string>& validation, Encode encode, Decode decode) {
  int64_t characters = 0;
  int64_t tokens = 0;
  size_t same = 0;
  for (const std::string& text : validation) {
    const auto ids = encode(text);
    characters += tl::count_of_characters(text);
    tokens += static_cast<int64_t>(ids.size());
    same += decode(ids) == text ? 1 : 0;
  }
  fmt::print("{}: {:.3f} characters per token, {} of {} validation texts given back byte for byte\n", name,
             static_cast<double>(characters) / static_cast<double>(std::max<int64_t>(tokens, 1)), same,
             validation.size());
}

// The file to write.
std::filesystem::path output_file(const std::string& output) {
  const std::filesystem::path path = output;
  return path.extension() == ".model" ? path : path / tl::kTokenizerFile;
}

// The tokenizer of an existing model is not replaced, because its weights depend on its tokens.
void refuse_model(const std::string& output, const std::filesystem::path& folder) {
  for (const char* file : {tl::kWeightsFile, tl::kConfigFile}) {
    if (tl::is_there(folder / file)) {
      throw tl::Error(
          "--output {}: {} holds a model ({}), which another tokenizer would make useless; choose another "
          "folder",
          output, folder.string(), file);
    }
  }
}

void run(const Options& o) {
  const std::filesystem::path output = output_file(o.output);
  const std::filesystem::path folder = output.has_parent_path() ? output.parent_path() : ".";
  // A running training may save its model here. Files with other names do no harm.
  const auto lock = output.filename() == tl::kTokenizerFile ? tl::cli::lock_folder(folder) : nullptr;
  tl::make_folder(folder);
  refuse_model(o.output, folder);
  const tl::TextSample sample = tl::sample_texts(o.inputs, o.sample_mb * 1'000'000, o.seed);
  size_t bytes = 0;
  for (const std::string& text : sample.learn) bytes += text.size();
  const std::string from = fmt::format("{} tokens from {:.1f} MB", o.vocab_size, static_cast<double>(bytes) / 1e6);
  const tl::SentencePieceTokenizer tokenizer = [&] {
    const Stopwatch watch("learning " + from);
    return tl::SentencePieceTokenizer::train(sample.learn, {o.vocab_size});
  }();
  tokenizer.save_file(output);
  fmt::print("saved {}: {} tokens\n", output.string(), tokenizer.size());
  if (sample.validation.empty()) throw tl::Error("the text is too short to validate the tokenizer on a part of it");
  report(
      "tinyllm", sample.validation, [&](const std::string& text) { return tokenizer.encode(text); },
      [&](const std::vector<int32_t>& ids) { return tokenizer.decode(ids); });
  if (!o.compare) return;
  sentencepiece::SentencePieceProcessor usual;
  {
    const Stopwatch watch("with the default settings of SentencePiece, " + from);
    learn_usual(sample.learn, o, usual);
  }
  report(
      "SentencePiece", sample.validation, [&](const std::string& text) { return usual.EncodeAsIds(text); },
      [&](const std::vector<int>& ids) { return usual.DecodeIds(ids); });
}

}  // namespace

int main(int argc, char** argv) {
  return tl::cli::run_main(argv, [&] {
    run(parse(argc, argv));
    return 0;
  });
}
