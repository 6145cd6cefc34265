#include <doctest/doctest.h>

#include <tinyllm/runtime/chat.h>

#include "model/text/sample_chat.h"
#include "runtime/model_to_ask.h"

namespace tinyllm::test {
namespace {

constexpr int64_t kContext = 160;
const GenerateOptions kShort{.max_tokens = 12, .sampling = {.temperature = 1, .seed = 4}};

std::vector<int32_t> prompt_of(const Model& model, const Messages& messages) {
  return chat_prompt(*model.tokenizer, *model.chat_template, messages, 1 << 20);
}

size_t turns(const Chat& chat) { return count_of_turns(chat.conversation()); }

}  // namespace

TEST_CASE("a chat answers as if each conversation were read anew, and reads only what is new of it") {
  const Model model = model_to_ask(400);
  Session session(model, {.sequences = 2});
  Chat chat(session, chat_of("先算加法", {}));
  const std::vector<std::string> messages = {"计算 12 + 35", "what is 12 * 3?", "再写答案。"};
  for (const std::string& message : messages) {
    const Completion answer = chat.say(message, kShort);
    Messages asked = chat.conversation();
    CHECK(asked.back().content == answer.text);
    asked.pop_back();
    const Request request{.prompt = prompt_of(model, asked), .options = kShort};
    CHECK(answer.text == generate(session, {&request, 1})[0].text);
  }
  CHECK(turns(chat) == 3);
  const Completion before = chat.say("1", kShort);
  const Completion again = chat.retry(kShort);
  CHECK(again.text == before.text);
  CHECK(again.prompt_tokens - again.cached_tokens == 1);
  GenerateOptions other = kShort;
  other.sampling.seed = 5;
  CHECK(chat.retry(other).text != before.text);
  CHECK(turns(chat) == 4);
}

TEST_CASE("a conversation that outgrows the context loses its oldest turns, or ends, as was chosen") {
  const Model model = model_to_ask(kContext);
  Session session(model, {.sequences = 2});
  GenerateOptions options = kShort;
  options.sampling.logit_bias = {{kEosId, -1000}};
  Chat forgetful(session, chat_of("s", {}));
  for (int i = 0; i < 12; ++i)
    CHECK(forgetful.say("计算 12 + 35 等于多少？", options).finish_reason == FinishReason::max_tokens);
  CHECK(turns(forgetful) == 12);
  CHECK(forgetful.dropped_turns() > 0);
  CHECK(forgetful.dropped_turns() < 12);

  Chat strict(session, chat_of("s", {}), Overflow::stop);
  size_t answered = 0;
  try {
    while (answered < 12) {
      if (strict.say("计算 12 + 35 等于多少？", options).finish_reason == FinishReason::context_full) break;
      ++answered;
    }
  } catch (const Error&) {
    CHECK(turns(strict) == answered);
  }
  CHECK(answered < 12);
  CHECK(answered > 0);
}

TEST_CASE("an answer longer than the context goes on while older turns can be forgotten") {
  const Model model = model_to_ask(kContext);
  Session session(model);
  GenerateOptions options = kShort;
  options.sampling.logit_bias = {{kEosId, -1000}};
  Chat chat(session, chat_of("s", {}));
  chat.say("计算 12 + 35 等于多少？", options);
  chat.say("what is 12 * 3?", options);
  options.max_tokens = 1000;
  const Completion answer = chat.say("1", options);
  CHECK(answer.finish_reason == FinishReason::context_full);
  // More than there was room for after everything that was said before.
  CHECK(answer.tokens.size() + static_cast<size_t>(answer.prompt_tokens) > static_cast<size_t>(kContext) + 1);
}

TEST_CASE("a message that leaves little room is answered all the same, and its older turns go") {
  const Model model = model_to_ask(kContext);
  Session session(model);
  Chat chat(session, chat_of("s", {}));
  chat.say("1", kShort);
  std::string longer;
  const auto tokens = [&] { return prompt_of(model, chat_of("s", {longer + "题"})).size(); };
  while (static_cast<int64_t>(tokens()) < kContext - 4) longer += "题";
  GenerateOptions options = kShort;
  options.sampling.logit_bias = {{kEosId, -1000}};
  const Completion answer = chat.say(longer, options);
  CHECK(answer.finish_reason == FinishReason::context_full);
  CHECK(answer.prompt_tokens > kContext * 3 / 4);
}

TEST_CASE("a message that cannot be answered leaves the conversation as it was") {
  const Model model = model_to_ask(kContext);
  Session session(model);
  Chat chat(session, chat_of("s", {}));
  chat.say("1", kShort);
  CHECK_THROWS_AS(chat.say("\xFF", kShort), Error);
  std::string longer;
  for (int i = 0; i < 200; ++i) longer += "题";
  CHECK_THROWS_AS(chat.say(longer, kShort), Error);
  GenerateOptions bad = kShort;
  bad.max_tokens = -1;
  CHECK_THROWS_AS(chat.say("2", bad), Error);
  CHECK(turns(chat) == 1);
  CHECK_THROWS_AS(Chat(session, chat_of("s", {})).retry(), Error);
  CHECK_THROWS_AS(Chat(session, chat_of("\xFF", {})), Error);
  chat.say("2", kShort);
  CHECK(turns(chat) == 2);
}

TEST_CASE("the last turn can be removed, and the conversation goes on as if it had not been") {
  const Model model = model_to_ask(400);
  Session session(model, {.sequences = 2});
  Chat chat(session, chat_of("s", {})), other(session, chat_of("s", {}));
  const Completion first = chat.say("1", kShort);
  chat.say("what is 12 * 3?", kShort);
  chat.undo();
  CHECK(turns(chat) == 1);
  other.say("1", kShort);
  CHECK(chat.say("2", kShort).text == other.say("2", kShort).text);
  chat.undo();
  chat.undo();
  CHECK_THROWS_WITH_AS(chat.undo(), "there is no message to remove", Error);
  CHECK(chat.say("1", kShort).text == first.text);
}

TEST_CASE("a session with a shorter context answers the same until it is full, and not beyond") {
  const Model model = model_to_ask(400);
  Session whole(model), shorter(model, {.context = 100});
  CHECK(shorter.context() == 100);
  CHECK(whole.context() == 400);
  GenerateOptions options = kShort;
  options.sampling.logit_bias = {{kEosId, -1000}};
  Chat of_whole(whole, chat_of("s", {})), of_shorter(shorter, chat_of("s", {}), Overflow::stop);
  CHECK(of_shorter.say("1", options).text == of_whole.say("1", options).text);
  options.max_tokens = 1000;
  const Completion answer = of_shorter.say("2", options);
  CHECK(answer.finish_reason == FinishReason::context_full);
  // The last token is sampled, but no longer read.
  CHECK(answer.prompt_tokens + static_cast<int64_t>(answer.tokens.size()) == 101);
}

}  // namespace tinyllm::test
