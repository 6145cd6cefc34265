// embed <model folder> <message>: a model in your own program.
#include <tinyllm/runtime/chat.h>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    const tinyllm::Model model = tinyllm::load_model(argv[1]);
    tinyllm::Session session(model);
    tinyllm::Chat chat(session, {{tinyllm::Role::system, "你是严谨的中文推理助手"}});
    fmt::print("{}\n", chat.say(argv[2]).text);
  } catch (const tinyllm::Error& error) {
    fmt::print(stderr, "embed: {}\n", error.what());
    return 1;
  }
}
