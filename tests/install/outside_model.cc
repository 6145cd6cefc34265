// Links all of the library from outside; what it prints is the error of a folder that is not there.
#include <tinyllm/runtime/chat.h>

int main() {
  try {
    const tinyllm::Model model = tinyllm::load_model("no-such-folder");
    tinyllm::Session session(model);
    tinyllm::Chat(session, {}).say("1");
  } catch (const tinyllm::Error& error) {
    fmt::print("{}\n", error.what());
    return 0;
  }
  return 1;
}
