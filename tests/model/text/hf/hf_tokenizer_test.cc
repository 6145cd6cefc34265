#include <doctest/doctest.h>

#include <tinyllm/model/text/hf_tokenizer.h>
#include <tinyllm/model/text/jinja_chat_template.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/utf8.h>

#include "model/text/cases.h"
#include "temp_folder.h"
#include "test_data.h"

#include <pthread.h>

#include <cstdlib>
#include <fstream>
#include <functional>

namespace tinyllm::test {
namespace {

using Tokens = std::vector<int32_t>;

const std::vector<std::string> kKinds = {"gpt2_like",  "smollm2_like", "llama3_like",      "qwen_like",
                                         "gpt4o_like", "llama2_like",  "metaspace_always", "metaspace_never"};

HfTokenizer load_kind(const std::string& kind) { return HfTokenizer::load(tokenizer_data(kind)); }

Tokens copy(std::span<const int32_t> tokens) { return {tokens.begin(), tokens.end()}; }

void check_case(const HfTokenizer& tokenizer, const Json& json) {
  INFO(json.dump());
  const std::string text = json["text"];
  const auto ids = json["ids"].get<Tokens>();
  CHECK(tokenizer.encode_with_added(text) == ids);
  if (json.value("kind", "") != "added") CHECK(tokenizer.encode(text) == json.value("plain", ids));
  CHECK(replace_invalid_utf8(tokenizer.decode_text(ids, true)) == json.value("decoded", text));
  if (json.contains("decoded_skip")) {
    CHECK(replace_invalid_utf8(tokenizer.decode_text(ids, false)) == json["decoded_skip"]);
  }
  CHECK(copy(tokenizer.before_text()) == json.value("bos", Tokens{}));
}

// A tokenizer.json over single letters, for what files may say besides.
Json letters() {
  Json json = Json::parse(R"({"added_tokens": [], "normalizer": null, "pre_tokenizer": null, "post_processor": null,
                              "decoder": {"type": "Fuse"}, "model": {"type": "BPE", "vocab": {}, "merges": []}})");
  for (const char letter : std::string("abcdest/<> ")) {
    Json& vocab = json["model"]["vocab"];
    vocab[std::string(1, letter)] = vocab.size();
  }
  return json;
}

HfTokenizer parse(const Json& json) { return HfTokenizer::parse(json.dump(), "file"); }

}  // namespace

TEST_CASE("tokens and texts of every kind of tokenizer.json are those of the Rust library") {
  for (const std::string& kind : kKinds) {
    const HfTokenizer tokenizer = load_kind(kind);
    for (const Json& json : json_lines(tokenizer_data(kind + "/cases.jsonl"))) check_case(tokenizer, json);
  }
  const HfTokenizer tokenizer = load_kind("gpt4o_like");
  for (const Json& json : json_lines(tokenizer_data("gpt4o_like/added.jsonl"))) check_case(tokenizer, json);
}

TEST_CASE("tokens of real vocabularies are those of the Rust library") {
  // Their licences differ, so that none is here: $TINYLLM_TOKENIZERS is a folder of <name>.json.
  const char* folder = std::getenv("TINYLLM_TOKENIZERS");
  if (folder == nullptr) {
    MESSAGE("skipped: TINYLLM_TOKENIZERS names no folder with vocabularies");
    return;
  }
  for (const std::string name : {"qwen3", "qwen2_5", "llama3", "llama2", "mistral_v01", "gpt2", "gpt2_digits"}) {
    const std::filesystem::path file = std::filesystem::path(folder) / (name + ".json");
    const auto cases = shared_data("../interchange/tokenizers/" + name + ".dev.jsonl");
    if (!cases || !std::filesystem::exists(file)) continue;
    const HfTokenizer tokenizer = HfTokenizer::load(std::filesystem::path(folder), name + ".json");
    const std::vector<Json> texts = json_lines(*cases);
    MESSAGE(name << ": " << texts.size() << " texts");
    for (const Json& json : texts) {
      INFO(name, " ", json.dump());
      const auto ids = json["ids"].get<Tokens>();
      CHECK(tokenizer.encode_with_added(json["text"].get<std::string>()) == ids);
      CHECK(tokenizer.encode(json["text"].get<std::string>()) == json.value("plain", ids));
    }
  }
}

TEST_CASE("a marker that a user types stays text, also within a rendered template") {
  const HfTokenizer tokenizer = load_kind("qwen_like");
  const std::string marker = "<|im_end|>";
  const int32_t id = tokenizer.special(marker).value();
  CHECK(tokenizer.encode_with_added(marker) == Tokens{id});
  const Tokens plain = tokenizer.encode(marker);
  CHECK(std::find(plain.begin(), plain.end(), id) == plain.end());
  CHECK(tokenizer.decode(plain) == marker);

  const std::string before = "<|im_start|>user\n";
  const std::string text = before + "say " + marker + " now" + marker;
  const std::vector<TextRange> typed = {{before.size(), text.size() - marker.size()}};
  const Tokens tokens = tokenizer.encode_with_added(text, typed);
  CHECK(std::count(tokens.begin(), tokens.end(), id) == 1);
  CHECK(tokens.back() == id);
  CHECK(tokens.front() == tokenizer.special("<|im_start|>"));
  CHECK(tokenizer.decode_text(tokens, true) == text);
  // A marker of which a part was typed is none.
  const std::vector<TextRange> half = {{text.size() - 3, text.size()}};
  CHECK(tokenizer.encode_with_added(text, half).back() != id);
}

TEST_CASE("added tokens of normalised text are found outside what was typed") {
  const HfTokenizer tokenizer = load_kind("gpt4o_like");
  const std::string word = "na\u00EFve";
  const int32_t id = tokenizer.special(word).value();
  const std::string text = word + " " + word;
  const std::vector<TextRange> typed = {{0, word.size()}};
  const Tokens tokens = tokenizer.encode_with_added(text, typed);
  CHECK(std::count(tokens.begin(), tokens.end(), id) == 1);
  CHECK(tokens.back() == id);
}

TEST_CASE(
    "added tokens that a chat template writes have their flags: blanks beside them, whole words, normalised text") {
  const TempFolder folder;
  std::filesystem::copy_file(tokenizer_data("gpt4o_like/tokenizer.json"), folder / "tokenizer.json");
  const HfTokenizer tokenizer = HfTokenizer::load(folder.path());
  const auto tokens_of = [&](const std::string& source, const Messages& messages) {
    std::ofstream(folder / "chat_template.jinja") << source;
    return tokenize(tokenizer, load_jinja_chat_template(folder.path())->render(messages, {})).tokens;
  };
  for (const Json& json : json_lines(tokenizer_data("gpt4o_like/added.jsonl"))) {
    INFO(json.dump());
    const std::string text = json["text"];
    CHECK(tokens_of(text, {{Role::user, "x"}}) == json["ids"].get<Tokens>());
    CHECK(tokens_of("{{ messages[0].content }}", {{Role::user, text}}) == tokenizer.encode(text));
  }
  // A token of the template takes the blanks beside it from what a user typed.
  CHECK(tokens_of("{{ messages[0].content }}<|strip|>{{ messages[1].content }}",
                  {{Role::user, "a\t\n "}, {Role::assistant, "\n\n b"}}) == Tokens{97, 607, 98});
}

TEST_CASE("text becomes no special token, even if merges or the vocabulary say so") {
  Json json = letters();
  Json& model = json["model"];
  for (const char* piece : {"</", "</s", "</s>"}) model["vocab"][piece] = model["vocab"].size();
  model["merges"] = Json::parse(R"([["<", "/"], ["</", "s"], ["</s", ">"]])");
  const int32_t id = model["vocab"]["</s>"];
  CHECK(parse(json).encode("</s>") == Tokens{id});
  json["added_tokens"] = Json::array({{{"id", id}, {"content", "</s>"}, {"special", true}}});
  for (const bool ignores : {false, true}) {
    model["ignore_merges"] = ignores;
    const HfTokenizer tokenizer = parse(json);
    CHECK(tokenizer.encode("</s>") == Tokens{model["vocab"]["</s"], model["vocab"][">"]});
    CHECK(tokenizer.encode_with_added("</s>") == Tokens{id});
    CHECK(copy(tokenizer.end_tokens()) == Tokens{id});
    CHECK(tokenizer.decode(Tokens{id}).empty());
    CHECK(tokenizer.piece(id) == "</s>");
  }
}

TEST_CASE("characters are composed as Unicode 9 does it, as in the Rust library") {
  const HfTokenizer tokenizer = load_kind("qwen_like");
  const auto normal = [&](const std::string& text) { return tokenizer.decode(tokenizer.encode(text)); };
  CHECK(normal("e\u0301 \u212B \u1100\u1161") == "\u00E9 \u00C5 \uAC00");
  CHECK(normal("a\u0301\u0316") == "\u00E1\u0316");
  CHECK(normal("\U00011935\U00011930") == "\U00011935\U00011930");  // One character since Unicode 13.
}

TEST_CASE("merges may be strings or pairs, with blanks in pairs") {
  Json json = letters();
  Json& model = json["model"];
  model["vocab"]["a "] = 50;
  model["vocab"]["ab"] = 51;
  model["merges"] = Json::parse(R"([["a", " "], "a b"])");
  CHECK(parse(json).encode("a ab") == Tokens{50, 51});
}

// Expected: the pieces that `tokenizers` 0.22.2 makes.
TEST_CASE("pre-tokenizers treat matches as they say") {
  using Pieces = std::vector<std::string>;
  const struct {
    std::string pre_tokenizer;
    Pieces expected;
  } cases[] = {
      {R"({"type": "Split", "pattern": {"Regex": "[abc]+"}, "behavior": "MergedWithPrevious", "invert": false})",
       {"/ab", "/cab", "//"}},
      {R"({"type": "Split", "pattern": {"Regex": "[abc]"}, "behavior": "MergedWithNext", "invert": false})",
       {"/", "a", "b/", "c", "a", "b//"}},
      {R"({"type": "Split", "pattern": {"Regex": "[abc]"}, "behavior": "Contiguous", "invert": false})",
       {"/", "ab", "/", "cab", "//"}},
      {R"({"type": "Split", "pattern": {"Regex": "[abc]+"}, "behavior": "Removed", "invert": false})",
       {"/", "/", "//"}},
      {R"({"type": "Split", "pattern": {"Regex": "[abc]+"}, "behavior": "Removed", "invert": true})", {"ab", "cab"}},
      {R"({"type": "Split", "pattern": {"String": "/"}, "behavior": "Isolated", "invert": false})",
       {"/", "ab", "/", "cab", "/", "/"}},
      {R"({"type": "Punctuation", "behavior": "Isolated"})", {"/", "ab", "/", "cab", "/", "/"}},
      {R"({"type": "Whitespace"})", {"/", "ab", "/", "cab", "//"}},
  };
  for (const auto& [pre_tokenizer, expected] : cases) {
    // The vocabulary has every part of the text, so that each word is one token.
    const std::string text = "/ab/cab//";
    Json json = letters();
    json["pre_tokenizer"] = Json::parse(pre_tokenizer);
    Json& model = json["model"];
    model["ignore_merges"] = true;
    for (size_t begin = 0; begin < text.size(); ++begin) {
      for (size_t size = 1; size <= text.size() - begin; ++size) {
        model["vocab"].emplace(text.substr(begin, size), model["vocab"].size());
      }
    }
    const HfTokenizer tokenizer = parse(json);
    Pieces pieces;
    for (const int32_t token : tokenizer.encode(text)) pieces.emplace_back(tokenizer.piece(token));
    INFO(pre_tokenizer);
    CHECK(pieces == expected);
  }
}

TEST_CASE("parts that are not implemented are refused by name") {
  const struct {
    const char* pointer;
    Json value;
    std::string error;
  } cases[] = {
      {"/model/type", "WordPiece", R"(field model: type "WordPiece", expected BPE)"},
      {"/model/dropout", 0.1, "field dropout: is 0.1, expected none: tokens would depend on chance"},
      {"/model/continuing_subword_prefix", "##", "field continuing_subword_prefix: is set, expected none"},
      {"/model/vocab/b", 0, "vocab: token 0 is there twice"},
      {"/model/vocab/b", -1, "vocab: token -1, expected 0 to 1048575"},
      {"/model/vocab/b", 1 << 20, "vocab: token 1048576, expected 0 to 1048575"},
      {"/model/merges", Json::parse(R"(["ab"])"), "merge 0: has no blank"},
      {"/model/merges", Json::parse(R"(["a x"])"), R"(token "x" is not in the vocabulary)"},
      {"/model/merges", Json::parse(R"([["a", "b"]])"), R"(token "ab" is not in the vocabulary)"},
      {"/model/merges", Json::parse(R"([["a"]])"), "merge 0: is a list, expected two tokens"},
      {"/model/unk_token", "<unk>", R"(token "<unk>" is not in the vocabulary)"},
      {"/normalizer", Json::parse(R"({"type": "BertNormalizer"})"),
       R"(field normalizer: type "BertNormalizer", expected NFC, NFD, NFKC, NFKD, Prepend, Replace or Sequence)"},
      {"/pre_tokenizer", Json::parse(R"({"type": "Split", "pattern": {"Regex": "("}})"),
       R"(pattern "(": byte 1: a group is not closed)"},
      {"/post_processor", Json::parse(R"({"type": "X"})"),
       R"(field post_processor: type "X", expected ByteLevel, TemplateProcessing, BertProcessing, )"
       "RobertaProcessing or Sequence"},
      {"/added_tokens", Json::parse(R"([{"id": 1048576, "content": "x"}])"),
       "field id: is 1048576, expected 0 to 1048575"},
  };
  for (const auto& [pointer, value, error] : cases) {
    Json json = letters();
    json[Json::json_pointer(pointer)] = value;
    INFO(pointer);
    CHECK_THROWS_WITH_AS(parse(json), ("file: " + error).c_str(), Error);
  }
  CHECK_THROWS_AS(HfTokenizer::parse("[", "file"), Error);
}

TEST_CASE("end tokens are all that the files of a folder name, and a saved folder loads the same") {
  const TempFolder folder;
  const HfTokenizer alone = load_kind("qwen_like");
  const int32_t im_end = alone.special("<|im_end|>").value();
  const int32_t end_of_text = alone.special("<|endoftext|>").value();
  write_file(folder / "tokenizer.json", read_file(tokenizer_data("qwen_like/tokenizer.json")));
  write_file(folder / "tokenizer_config.json", R"({"eos_token": "<|im_end|>", "pad_token": {"content": "<think>"}})");
  write_file(folder / "generation_config.json", fmt::format(R"({{"eos_token_id": [{}, {}]}})", im_end, end_of_text));
  write_file(folder / "config.json", R"({"eos_token_id": 5})");
  const auto loaded = load_tokenizer(folder.path());
  CHECK(copy(loaded->end_tokens()) == Tokens{im_end, end_of_text});
  CHECK(loaded->pad() == alone.special("<think>"));

  const TempFolder copied;
  loaded->save(copied.path());
  const auto again = load_tokenizer(copied.path());
  CHECK(again->hash() == loaded->hash());
  CHECK(copy(again->end_tokens()) == copy(loaded->end_tokens()));
  CHECK(read_file(copied / "tokenizer.json") == read_file(folder / "tokenizer.json"));
}

TEST_CASE("a million equal characters need no deep stack") {
  struct Task {
    std::function<void()> run;
  };
  Task task;
  std::vector<std::string> failed;
  task.run = [&] {
    for (const std::string& kind : kKinds) {
      const HfTokenizer tokenizer = load_kind(kind);
      for (const std::string unit : {"a", " ", "\n", "1", "中", "!"}) {
        std::string text;
        for (int i = 0; i < 1000000; ++i) text += unit;
        const std::string decoded = tokenizer.decode(tokenizer.encode(text));
        // Some kinds put a blank before a text.
        if (decoded != text && decoded != " " + text) failed.push_back(kind + " " + unit);
      }
    }
  };
  constexpr size_t kStack = 256 * 1024;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStack);
  pthread_t thread{};
  const auto start = [](void* argument) -> void* {
    static_cast<Task*>(argument)->run();
    return nullptr;
  };
  REQUIRE(pthread_create(&thread, &attributes, start, &task) == 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  CHECK(failed == std::vector<std::string>{});
}

}  // namespace tinyllm::test
