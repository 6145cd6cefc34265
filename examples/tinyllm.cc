// The main command: `tinyllm chat my-model` starts the program chat, which is installed in a folder of its own.
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/file.h>

#include "common/options.h"
#include "common/program.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tl = tinyllm;

namespace {

struct Program {
  const char* name;
  const char* purpose;
};

struct Group {
  const char* title;
  std::vector<Program> programs;
};

const std::vector<Group>& groups() {
  static const std::vector<Group> all = {
      {"Make a model",
       {{"train_tiny", "train a small model from nothing, to try everything out"},
        {"pretrain", "train a model of any size on a file of tokens"},
        {"finetune", "teach a model from chats and reasoning samples"},
        {"quantize", "write a smaller model that answers faster"},
        {"convert", "write a model for other programs, or read theirs"}}},
      {"Use a model",
       {{"chat", "talk to a model"},
        {"generate", "answer one prompt, as text or JSON"},
        {"reason", "answer one question by the vote of several chains of thought"},
        {"rag", "answer from your documents, by quoting them"},
        {"serve", "answer over HTTP, in the forms of OpenAI's API"}}},
      {"Prepare data",
       {{"prepare_data", "make one clean corpus from folders of raw text"},
        {"train_tokenizer", "learn a vocabulary from a corpus"},
        {"tokenize", "encode a corpus as a file of tokens"},
        {"make_dataset", "make questions about your documents to learn from"},
        {"make_problems", "write problems with checked reasoning to learn from"},
        {"show_samples", "check a file of samples before fine-tuning"}}},
      {"Act", {{"agent", "carry out a plan on files, and undo it"}}},
      {"Measure", {{"evaluate", "score models on texts, problems and multiple choice"}}}};
  return all;
}

std::string help() {
  std::string text = "Makes, tunes and runs small language models on one CPU.\n\nUsage: tinyllm PROGRAM [OPTIONS]\n";
  for (const Group& group : groups()) {
    text += fmt::format("\n{}:\n", group.title);
    for (const Program& program : group.programs) text += fmt::format("  {:<16}{}\n", program.name, program.purpose);
  }
  return text +
         "\ntinyllm PROGRAM --help explains a program.\n\nExamples:\n  tinyllm train_tiny\n  tinyllm chat "
         "tinyllm-model\n";
}

// Where the program is: in the build tree, or where `cmake --install` puts it.
std::filesystem::path path_of(const std::string& program) {
  const std::filesystem::path here = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  const std::filesystem::path built = here / "examples" / program;
  return tinyllm::is_there(built) ? built : here / TINYLLM_PROGRAMS_FOLDER / program;
}

int start(char** argv) {
  if (argv[0] == nullptr || argv[1] == nullptr) {
    fmt::print(stderr, "{}", help());
    return 2;
  }
  const std::string given = argv[1];
  if (given == "--help" || given == "-h" || given == "help") {
    fmt::print("{}", help());
    return 0;
  }
  if (given == "--version") {
    fmt::print("tinyllm {}\n", TINYLLM_VERSION);
    return 0;
  }
  std::vector<std::string> known;
  for (const Group& group : groups()) {
    for (const Program& program : group.programs) known.emplace_back(program.name);
  }
  if (std::find(known.begin(), known.end(), given) == known.end()) {
    throw tl::cli::UsageError("{}: unknown program{}", given, tl::cli::suggestion(given, known));
  }
  std::string path = path_of(given).string();
  argv[1] = path.data();
  execv(path.c_str(), argv + 1);
  throw tl::Error("{}: cannot be started: {}", path, std::strerror(errno));
}

}  // namespace

int main(int, char** argv) {
  return tl::cli::run_main(argv, [&] { return start(argv); });
}
