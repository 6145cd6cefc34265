// Fine-tunes a model folder on samples of chats or of reasoning.
#include <tinyllm/model/config_fields.h>
#include <tinyllm/model/config_json.h>
#include <tinyllm/model/lora.h>
#include <tinyllm/model/text/prompt.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/train/data/mixed_rows.h>
#include <tinyllm/train/data/packed_dataset.h>
#include <tinyllm/train/data/samples.h>

#include "common/model_options.h"
#include "common/training_options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace tl = tinyllm;

namespace {

struct Options {
  std::string model;
  std::vector<std::string> data;
  std::string system = "你是乐于助人的中文助手";
  int64_t validation_every = 50;
  bool skips_bad = false;
  tl::Learn learn = tl::Learn::answers;
  float dropout = -1;
  std::optional<tl::Type> type;
  tl::Lora lora;
  bool keep_adapters = false;
  std::optional<int32_t> answer_end;  // Where the chat template writes none.
  tl::cli::TrainingOptions training;
};

// FILE or FILE:WEIGHT.
struct Source {
  std::string path;
  double weight = 1;

  explicit Source(const std::string& text) : path(text) {
    const size_t colon = text.rfind(':');
    if (colon == std::string::npos) return;
    const char* end = text.data() + text.size();
    double number = 0;
    const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, number);
    if (error != std::errc() || rest != end) return;  // The path contains a colon.
    path.resize(colon);
    weight = number;
  }
};

// The samples of a file as rows to learn from and rows for validation.
struct Rows {
  std::shared_ptr<const tl::Dataset> train, validation;
};

// Ends the last part that is learned with a token, and the sample with it.
void end_answer(tl::Sample& sample, int32_t end) {
  const auto learned = std::find(sample.learned.rbegin(), sample.learned.rend(), true);
  const auto size = static_cast<size_t>(sample.learned.rend() - learned);
  if (size == 0 || sample.tokens[size - 1] == end) return;
  sample.tokens.resize(size);
  sample.learned.resize(size);
  sample.tokens.push_back(end);
  sample.learned.push_back(true);
}

// Where the chat template ends answers with text alone, no generation would end: an end token of the tokenizer follows.
std::optional<int32_t> missing_end(const tl::Model& model) {
  try {
    if (tl::answer_end(*model.tokenizer, *model.chat_template)) return {};
  } catch (const tl::Error&) {  // The template has no form for the shortest chat, or there is none.
    return {};
  }
  return model.tokenizer->end_of_document();
}

// The tokens of a sample. With --skip-bad nullopt, after a message, if the chat template cannot express it.
std::optional<tl::Sample> sample_of(const tl::Messages& chat, int64_t number, const Source& source, const Options& o,
                                    const tl::Model& model) {
  try {
    tl::Sample sample = tl::tokenize(*model.tokenizer, model.chat_template->render(chat, {.learn = o.learn}));
    if (o.answer_end) end_answer(sample, *o.answer_end);
    return sample;
  } catch (const tl::Error& error) {
    const std::string problem = fmt::format("{}: sample {}: {}", source.path, number, error.what());
    if (!o.skips_bad) throw tl::Error("{}", problem);
    fmt::print(stderr, "{}\n", problem);
    return std::nullopt;
  }
}

Rows read_rows(const Source& source, Options& o, const tl::Model& model) {
  tl::SampleOptions reading;
  int64_t bad = 0;
  if (o.skips_bad) {
    reading.on_bad = [&](int64_t line, const std::string& problem) {
      ++bad;
      fmt::print(stderr, "{}:{}: {}\n", source.path, line, problem);
    };
  }
  std::vector<tl::Sample> train, validation;
  tl::SampleCounts counts;
  int64_t read = 0, number = 0;
  for (const tl::Messages& chat : tl::read_samples<tl::Messages>(source.path, reading, &counts)) {
    std::optional<tl::Sample> sample = sample_of(chat, ++read, source, o, model);
    if (!sample) continue;
    for (const tl::Message& message : chat) {
      if (message.role == tl::Role::user) o.training.seen.add(message.content);
    }
    const bool is_validation = ++number % o.validation_every == 0;
    (is_validation ? validation : train).push_back(*std::move(sample));
  }
  std::string skipped = bad > 0 ? fmt::format("; {} skipped", tl::counted(bad, "bad line")) : "";
  if (read > number) {
    skipped += fmt::format("; {} skipped that the chat template cannot express", tl::counted(read - number, "sample"));
  }
  if (validation.empty()) {
    throw tl::Error("{}: {}, too few to keep one of {} for validation; see --validation-every", source.path,
                    tl::counted(number, "sample"), o.validation_every);
  }
  const int64_t length = o.training.recipe.seq_len;
  const int32_t pad = model.tokenizer->pad();
  const Rows rows = {std::make_shared<tl::Dataset>(tl::Dataset::of_samples(train, length, pad)),
                     std::make_shared<tl::Dataset>(tl::Dataset::of_samples(validation, length, pad))};
  const tl::PackReport& r = rows.train->report();
  fmt::print("{}: {}, {} for validation; {} cut at {} tokens, {} left out with nothing to learn; ", source.path,
             tl::counted(number, "sample"), validation.size(), r.truncated, length, r.dropped);
  fmt::print("{}, {} tokens, {} of them learned{}\n", tl::counted(r.rows, "row"), r.tokens, r.learned_tokens, skipped);
  if (!counts.ignored.empty()) fmt::print("{}: ignored fields: {}\n", source.path, tl::ignored_fields(counts));
  return rows;
}

std::string lora_option(const char* field) { return fmt::format("--lora-{}", field); }

void add_lora_options(CLI::App& app, Options& o) {
  tl::for_each_field(tl::kLoraFields, [&]<class T>(const tl::Field<tl::Lora, T>& field) {
    T& value = o.lora.*field.member;
    const std::string name = lora_option(field.name);
    if constexpr (tl::is_number<T>) {
      tl::cli::add_number(app, name, value, field.range, field.meaning)->group("LoRA");
    } else if constexpr (std::is_same_v<T, bool>) {
      app.add_flag(name, value, field.meaning)->group("LoRA");
    } else {
      app.add_option(name, value, fmt::format("{} Known are {}.", field.meaning, fmt::join(tl::lora_targets(), ", ")))
          ->default_str(fmt::format("{}", fmt::join(value, " ")))
          ->group("LoRA");
    }
  });
  app.add_flag("--keep-adapters", o.keep_adapters,
               "Save adapters beside the model's weights instead of merging them. Beside weights that are not f32, or "
               "that another program has made, adapters are always kept: the output holds them alone, in the files of "
               "PEFT, and names the model.")
      ->group("LoRA");
}

void add_options(CLI::App& app, Options& o) {
  app.add_option("-m,--model", o.model, "Begin with this model: a folder or a GGUF file.")
      ->type_name("MODEL")
      ->required();
  tl::cli::add_weight_type(app, o.type);
  app.add_option("--data", o.data,
                 "Learn from these samples, JSON lines (see show_samples); FILE:WEIGHT weights its share of the rows "
                 "against the other files.")
      ->type_name("FILE[:WEIGHT]")
      ->required();
  app.add_option("--system", o.system, "Use this system prompt with --prompt.")->capture_default_str();
  tl::cli::add_number(app, "--validation-every", o.validation_every, tl::between(2, 1e12),
                      "Keep one of N samples for validation.");
  app.add_flag(
      "--skip-bad", o.skips_bad,
      "Skip lines that are not samples, and samples that the chat template of the model cannot express, naming them, "
      "instead of stopping.");
  tl::cli::add_choice(app, "--learn", o.learn,
                      {{"answers", tl::Learn::answers}, {"last", tl::Learn::last_answer}, {"all", tl::Learn::all}},
                      "Learn the answers, the last answer of each sample, or all of it, prompts too.");
  tl::cli::add_number(app, "--dropout", o.dropout, tl::between(0, 0.99),
                      "Use this dropout while training; by default that of the model.")
      ->default_str("");
  add_lora_options(app, o);
  tl::cli::add_training_options(app, o.training);
  app.get_option("--seq-len")
      ->description("Put this many tokens in a row; by default as many as the model can see.")
      ->default_str("");
  tl::cli::add_examples(
      app,
      {"finetune --model base --data chats.jsonl -o my-model --dashboard 8080",
       "finetune --model base --data chats.jsonl:1 --data reasoning.jsonl:3 -o my-model --lora-rank 8"},
      "chat my-model");
}

// The files of --data, with their weights checked.
std::vector<Source> sources(const Options& o) {
  std::vector<Source> all;
  for (const std::string& text : o.data) {
    const Source& source = all.emplace_back(text);
    if (!(source.weight > 0) || !std::isfinite(source.weight)) {
      throw tl::cli::UsageError("--data: {} has weight {}, expected a number above 0", source.path, source.weight);
    }
  }
  return all;
}

// Whether the weights stay where they are, and adapters alone are saved.
bool keeps_base(const tl::Model& model, const Options& o) {
  const std::filesystem::path config = std::filesystem::path(o.model) / tl::kConfigFile;
  return model.config.types.quantized() || !tl::is_there(config) || !tl::is_own_config(config);
}

tl::Model load(Options& o) {
  if (!o.type && o.lora.rank == 0) o.type = tl::f32;  // Only float weights are trained.
  tl::Model model = tl::cli::load(o.model, {.type = o.type}, tl::ThreadPool(o.training.threads));
  if (const auto end = tl::take_answer_end(model)) {
    tl::cli::note(fmt::format("answers end with {}, which becomes an end token of the model\n", *end));
  }
  if (o.answer_end = missing_end(model); o.answer_end) {
    tl::cli::note(
        fmt::format("the chat template ends answers with text alone; {} follows the last answer of a sample\n",
                    model.tokenizer->piece(*o.answer_end)));
  }
  tl::Recipe& recipe = o.training.recipe;
  const bool is_merged = model.config.lora.rank > 0;
  if (is_merged) {
    tl::merge_lora(model);
    model.base.clear();  // These weights are in no file yet.
  }
  if (recipe.seq_len == 0) recipe.seq_len = model.config.context;
  if (o.dropout >= 0) model.config.dropout = o.dropout;
  if (o.lora.rank > 0) {
    tl::add_lora(model, o.lora, recipe.seed);
    if (!is_merged && keeps_base(model, o)) model.base = tl::absolute_path(o.model);
  }
  if (model.config.types.quantized()) tl::check(recipe, model.config);
  return model;
}

int run(int argc, char** argv) {
  Options o;
  o.training.epochs = 2;
  o.training.recipe = {.seq_len = 0,
                       .steps = 0,
                       .learning_rate = 3e-4f,
                       .schedule = tl::Schedule::linear,
                       .final_lr_fraction = 0,
                       .warmup = 20};
  CLI::App app(
      "Fine-tunes a model folder on chats and reasoning samples, mixed by weight, and saves it as another folder.\n"
      "Started again with the same options, it resumes where it was stopped.");
  add_options(app, o);
  tl::cli::parse(app, argc, argv);
  o.training.dependents = {{"--keep-adapters", o.lora.rank > 0, "without --lora-rank"},
                           {"--system", !o.training.prompts.empty(), "without --prompt"}};
  tl::for_each_field(tl::kLoraFields, [&](const auto& field) {
    if (lora_option(field.name) == "--lora-rank") return;
    o.training.dependents.push_back({lora_option(field.name), o.lora.rank > 0, "without --lora-rank"});
  });
  tl::cli::refuse_same(o.model, o.training.output);
  const std::vector<Source> given = sources(o);
  tl::Model model = load(o);
  tl::cli::check_options(app, o.training, model.config.context);
  const auto lock = tl::cli::lock_output(o.training);

  o.training.seen = tl::SeenQuestions::of_model(o.model);
  std::vector<tl::MixedRows::Part> train, validation;
  tl::RunOptions options;
  options.lock = lock.get();
  for (const Source& source : given) {
    const Rows rows = read_rows(source, o, model);
    train.push_back({source.path, rows.train, source.weight});
    validation.push_back({source.path, rows.validation, source.weight});
    const tl::PackReport& report = rows.train->report();
    options.mix.push_back({source.path, source.weight, 0, report.samples, report.tokens});
  }
  const auto mix = std::make_shared<const tl::MixedRows>(train);
  tl::cli::settle_precision(o.training);
  tl::cli::settle_steps(o.training, *mix);
  for (size_t i = 0; i < options.mix.size(); ++i) options.mix[i].share = mix->share(i);
  for (const std::string& prompt : o.training.prompts) {
    const tl::Messages messages = {{tl::Role::system, o.system}, {tl::Role::user, prompt}};
    options.prompts.push_back(
        {prompt, tl::chat_prompt(*model.tokenizer, *model.chat_template, messages, model.config.context / 2)});
  }
  if (!o.keep_adapters && o.lora.rank > 0 && model.base.empty()) options.finish = tl::merge_lora;
  const tl::Stage stage = {"fine-tune", mix, std::make_shared<const tl::MixedRows>(validation), o.training.recipe};
  return tl::cli::train(model, {stage}, app, o.training, std::move(options));
}

}  // namespace

int main(int argc, char** argv) {
  return tl::cli::run_main(argv, [&] { return run(argc, argv); });
}
