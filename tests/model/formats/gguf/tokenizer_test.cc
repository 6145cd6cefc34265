#include <tinyllm/model/formats/gguf/tokenizer_json.h>

#include <doctest/doctest.h>

#include <limits>

#include "error_of.h"
#include "temp_folder.h"
#include "test_data.h"

namespace tinyllm::test {
namespace {

using TokenType = GgufTokenizer::TokenType;

GgufTokenizer through_file(const GgufTokenizer& tokenizer) {
  const TempFolder folder;
  GgufWriter writer;
  add_gguf_tokenizer(tokenizer, writer);
  ThreadPool pool(1);
  writer.save(folder / "x.gguf", pool);
  return read_gguf_tokenizer(Gguf(folder / "x.gguf"));
}

std::string fault_of(const GgufTokenizer& tokenizer) {
  const std::string message = error_of([&] { through_file(tokenizer); });
  const size_t end = message.find("x.gguf: ");
  return end == std::string::npos ? message : message.substr(end + 8);
}

GgufTokenizer byte_pairs() {
  GgufTokenizer t;
  t.model = "gpt2";
  t.pre = "qwen2";
  t.tokens = {"a", "b", "ab", "<|end|>", "<think>", "[PAD5]"};
  t.types = {TokenType::normal,  TokenType::normal,       TokenType::normal,
             TokenType::control, TokenType::user_defined, TokenType::unused};
  t.merges = {"a b"};
  t.eos = 3;
  t.add_bos = false;
  t.chat_template = "{{ messages }}";
  return t;
}

GgufTokenizer sentencepieces() {
  GgufTokenizer t;
  t.model = "llama";
  t.pre = "default";
  t.tokens = {"<unk>", "<s>", "</s>", "<0x41>", "\u2581", "a", "\u2581a", "aa", "\u2581aa", "é", "aé"};
  t.types = std::vector<TokenType>(t.tokens.size(), TokenType::normal);
  t.types[0] = TokenType::unknown;
  t.types[1] = t.types[2] = TokenType::control;
  t.types[3] = TokenType::byte;
  t.scores = {0, 0, 0, 0, -9, -9, -1, -2, -3, -9, -4};
  t.bos = 1;
  t.eos = 2;
  t.unknown = 0;
  return t;
}

Json minimal_json() {
  return {{"model", {{"type", "BPE"}, {"vocab", {{"a", 0}, {"b", 1}, {"ab", 2}}}, {"merges", {"a b"}}}},
          {"added_tokens", {{{"id", 3}, {"content", "<|end|>"}, {"special", true}}}},
          {"normalizer", nullptr},
          {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}}}};
}

std::string refusal(const Json& tokenizer, const Json& config = {{"vocab_size", 6}}) {
  return error_of([&] { gguf_tokenizer(tokenizer, Json::object(), config); });
}

// What decides how a text is encoded, whichever of its forms a file has.
Json meaning(const Json& json) {
  Json ordered = Json::array();
  for (const Json& merge : json["model"]["merges"]) {
    ordered.push_back(merge.is_string() ? merge
                                        : Json(merge[0].get<std::string>() + " " + merge[1].get<std::string>()));
  }
  Json tokens = json["model"]["vocab"], special = Json::array();
  for (const Json& token : json["added_tokens"]) {
    tokens[token["content"].get<std::string>()] = token["id"];
    special.push_back({token["id"], token["special"]});
  }
  return {{"tokens", tokens},
          {"special", special},
          {"merges", ordered},
          {"ignore_merges", json["model"].value("ignore_merges", false)},
          {"byte_fallback", json["model"].value("byte_fallback", false)}};
}

}  // namespace

TEST_CASE("a tokenizer is read back from a file") {
  for (GgufTokenizer tokenizer : {byte_pairs(), sentencepieces()}) {
    tokenizer.eot = 1;
    tokenizer.padding = 2;
    tokenizer.other_templates = {{"tools", "with tools"}};
    const GgufTokenizer found = through_file(tokenizer);
    CHECK(found.model == tokenizer.model);
    CHECK(found.pre == tokenizer.pre);
    CHECK(found.tokens == tokenizer.tokens);
    CHECK(found.types == tokenizer.types);
    CHECK(found.scores == tokenizer.scores);
    CHECK(found.merges == tokenizer.merges);
    CHECK(found.bos == tokenizer.bos);
    CHECK(found.eos == tokenizer.eos);
    CHECK(found.eot == 1);
    CHECK(!found.eom);
    CHECK(found.padding == 2);
    CHECK(found.add_bos == tokenizer.add_bos);
    CHECK(!found.add_space_prefix);
    CHECK(found.chat_template == tokenizer.chat_template);
    CHECK(found.other_templates == tokenizer.other_templates);
  }
}

TEST_CASE("a tokenizer whose tokens are all bytes has no merges") {
  GgufTokenizer tokenizer = byte_pairs();
  tokenizer.merges.clear();
  CHECK(through_file(tokenizer).merges.empty());
}

TEST_CASE("a tokenizer that contradicts itself is refused with the key") {
  const auto with = [](GgufTokenizer tokenizer, auto change) {
    change(tokenizer);
    return fault_of(tokenizer);
  };
  CHECK(with(byte_pairs(), [](auto& t) { t.model = "bert"; }) ==
        "tokenizer.ggml.model is \"bert\", expected gpt2 or llama");
  CHECK(with(byte_pairs(), [](auto& t) { t.tokens[1] = "a"; }) == "tokenizer.ggml.tokens: token \"a\" is there twice");
  CHECK(with(byte_pairs(), [](auto& t) { t.types.pop_back(); }) ==
        "tokenizer.ggml.token_type: has 5 values, expected 6, one for each token");
  CHECK(with(byte_pairs(), [](auto& t) { t.types[0] = static_cast<TokenType>(9); }) ==
        "tokenizer.ggml.token_type: number 0 is 9, expected 0 to 6");
  CHECK(with(byte_pairs(), [](auto& t) { t.eos = 6; }) == "tokenizer.ggml.eos_token_id is 6, expected a token below 6");
  CHECK(with(byte_pairs(), [](auto& t) { t.tokens[0] = "\xFF"; }).starts_with("tokenizer.ggml.tokens: number 0"));
  CHECK(with(sentencepieces(), [](auto& t) { t.scores.clear(); }) == "tokenizer.ggml.scores is missing");
  CHECK(with(sentencepieces(), [](auto& t) {
          t.scores[0] = std::numeric_limits<float>::infinity();
        }).starts_with("tokenizer.ggml.scores"));
}

TEST_CASE("byte pairs become a tokenizer.json: vocabulary, added tokens, pre-tokenizer") {
  const Json json = tokenizer_json(byte_pairs(), "qwen2");
  CHECK(json["model"]["vocab"] == Json{{"a", 0}, {"b", 1}, {"ab", 2}});  // Neither added at the end nor unused ones.
  CHECK(json["model"]["merges"] == Json::array({"a b"}));
  CHECK(json["normalizer"]["type"] == "NFC");
  CHECK(
      json["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] ==
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)");
  REQUIRE(json["added_tokens"].size() == 2);
  CHECK(json["added_tokens"][0]["special"] == true);
  CHECK(json["added_tokens"][1]["content"] == "<think>");
  CHECK(json["added_tokens"][1]["special"] == false);
  CHECK(json["post_processor"]["type"] == "ByteLevel");
  const Json config = tokenizer_config_json(byte_pairs());
  CHECK(config["eos_token"] == "<|end|>");
  CHECK(config["bos_token"].is_null());
  CHECK(config["chat_template"] == "{{ messages }}");
}

TEST_CASE("pieces with scores become merges: every split, by falling score, then by falling length") {
  const Json json = tokenizer_json(sentencepieces(), "llama");
  CHECK(json["model"]["merges"] == Json::array({"\u2581 a", "a a", "\u2581a a", "\u2581 aa", "a é"}));
  CHECK(json["model"]["byte_fallback"] == true);
  CHECK(json["model"]["unk_token"] == "<unk>");
  CHECK(json["normalizer"]["normalizers"][0]["type"] == "Prepend");
  CHECK(json["decoder"]["decoders"].size() == 4);
  CHECK(json["post_processor"]["single"][0]["SpecialToken"]["id"] == "<s>");  // What readers do by default.
  CHECK(json["post_processor"]["special_tokens"]["<s>"]["ids"] == Json::array({1}));
  GgufTokenizer without = sentencepieces();
  without.add_bos = false;
  without.add_space_prefix = false;
  const Json bare = tokenizer_json(without, "llama");
  CHECK(bare["post_processor"].is_null());
  CHECK(bare["normalizer"]["normalizers"].size() == 1);
  CHECK(bare["decoder"]["decoders"].size() == 3);
}

TEST_CASE("a file that does not name its pre-tokenizer has its family's, and that is said") {
  GgufTokenizer tokenizer = byte_pairs();
  CHECK(gguf_tokenizer_doubt(tokenizer).empty());
  tokenizer.pre.clear();
  CHECK(!gguf_tokenizer_doubt(tokenizer).empty());
  CHECK(tokenizer_json(tokenizer, "qwen2")["normalizer"]["type"] == "NFC");
  tokenizer.add_bos = false;
  CHECK(tokenizer_json(tokenizer, "llama")["model"]["ignore_merges"] == true);
  tokenizer.pre = "falcon";
  CHECK_THROWS_AS(tokenizer_json(tokenizer, "llama"), Error);
  tokenizer = byte_pairs();
  tokenizer.add_bos = true;
  CHECK_THROWS_WITH_AS(tokenizer_json(tokenizer, "llama"),
                       "tokenizer.ggml.add_bos_token is set, but bos_token_id is missing", Error);
  tokenizer = byte_pairs();
  tokenizer.merges = {"ab"};
  CHECK_THROWS_AS(tokenizer_json(tokenizer, "llama"), Error);
}

TEST_CASE("the vocabulary of a tokenizer.json is filled up to the model's, special tokens come from the configs") {
  const Json config = {{"vocab_size", 6}, {"bos_token_id", 0}, {"eos_token_id", {3, 2, 1}}};
  const Json tokenizer_config = {
      {"eos_token", {{"content", "ab"}}},
      {"pad_token", "b"},
      {"chat_template", {{{"name", "default"}, {"template", "x"}}, {{"name", "rag"}, {"template", "y"}}}}};
  const GgufTokenizer found = gguf_tokenizer(minimal_json(), tokenizer_config, config);
  CHECK(found.model == "gpt2");
  CHECK(found.pre == "gpt-2");
  CHECK(found.tokens == std::vector<std::string>{"a", "b", "ab", "<|end|>", "[PAD4]", "[PAD5]"});
  CHECK(found.types[3] == TokenType::control);
  CHECK(found.types[4] == TokenType::unused);
  CHECK(found.bos == 0);
  CHECK(found.eos == 2);
  CHECK(found.eot == 3);
  CHECK(found.eom == 1);
  CHECK(found.padding == 1);
  CHECK(found.add_bos == false);
  CHECK(found.chat_template == "x");
  CHECK(found.other_templates.size() == 1);
  CHECK(found.hugging_face.empty());
  CHECK(tokenizer_config_json(found)["chat_template"] == tokenizer_config["chat_template"]);
}

TEST_CASE("what GGUF cannot express is kept in a copy of the tokenizer.json") {
  for (const char* option : {"lstrip", "rstrip", "single_word", "normalized"}) {
    Json json = minimal_json();
    json["added_tokens"][0][option] = true;
    const GgufTokenizer found = through_file(gguf_tokenizer(json, Json::object(), {{"vocab_size", 6}}));
    CHECK(tokenizer_json(found, "llama") == json);
  }
}

TEST_CASE("the token that a tokenizer.json puts before a text stays, whatever another file calls so") {
  Json json = minimal_json();
  json["post_processor"] = {{"type", "TemplateProcessing"},
                            {"single", {{{"SpecialToken", {{"id", "<|end|>"}}}}, {{"Sequence", {{"id", "A"}}}}}}};
  const GgufTokenizer found = gguf_tokenizer(json, {{"bos_token", "a"}}, {{"vocab_size", 6}});
  CHECK(found.add_bos == true);
  CHECK(found.add_eos == false);
  CHECK(found.bos == 3);
}

TEST_CASE("a blank that is removed but not put, or put but not removed, is kept in a copy") {
  Json json = tokenizer_json(sentencepieces(), "llama");
  const auto has_copy = [&] {
    return !gguf_tokenizer(json, Json::object(), {{"vocab_size", 11}}).hugging_face.empty();
  };
  CHECK(!has_copy());
  json["decoder"]["decoders"].erase(3);
  CHECK(has_copy());
  json["normalizer"]["normalizers"].erase(0);
  CHECK(!has_copy());
  json["model"]["merges"].erase(4);
  CHECK(has_copy());
}

TEST_CASE("a tokenizer that GGUF cannot hold is refused") {
  CHECK(refusal(minimal_json()) == "no error");
  CHECK(refusal(minimal_json(), {{"vocab_size", 3}}) == "a token has id 3, expected one below vocab_size 3");
  CHECK(refusal(minimal_json(), {{"vocab_size", int64_t{1} << 40}}).starts_with("field vocab_size"));
  const auto with = [](const char* path, const Json& value) {
    Json json = minimal_json();
    json[Json::json_pointer(path)] = value;
    return refusal(json);
  };
  CHECK(with("/model/type", "Unigram") == "tokenizer.json: is of type Unigram, expected BPE");
  CHECK(with("/model/vocab/c", 1) == "tokens \"b\" and \"c\" have id 1");
  CHECK(with("/model/vocab/c", -1).starts_with("a token has id -1"));
  CHECK(with("/model/merges/0", "a b c").starts_with("merge \"a b c\""));
  CHECK(with("/model/merges/0", 7).starts_with("field merges"));
  CHECK(with("/normalizer", {{"type", "NFKC"}}).starts_with("normalizer: GGUF has no name"));
  CHECK(with("/pre_tokenizer", {{"type", "Whitespace"}}).starts_with("pre_tokenizer: GGUF has no name"));
  CHECK(with("/pre_tokenizer/add_prefix_space", true).starts_with("pre_tokenizer: GGUF has no name"));
  CHECK(with("/pre_tokenizer", nullptr) == "field pre_tokenizer: missing");
  CHECK(with("/model/byte_fallback", true).starts_with("normalizer and pre_tokenizer: GGUF has no name"));
  CHECK(with("/model", 7) == "field vocab: missing");
}

TEST_CASE("a SentencePiece model is written with its scores") {
  const std::vector<SentencePiece> pieces = {
      {"<unk>", 0, TokenType::unknown}, {"<s>", 0, TokenType::control}, {"a", -2.5f}};
  GgufTokenizer found = gguf_tokenizer(pieces, 4);
  CHECK(found.model == "llama");
  CHECK(found.tokens == std::vector<std::string>{"<unk>", "<s>", "a", "[PAD3]"});
  CHECK(found.scores == std::vector<float>{0, 0, -2.5f, 0});
  CHECK(found.unknown == 0);
  add_tokenizer_config({{"bos_token", "<s>"}}, {{"eos_token_id", 1}}, found);
  CHECK(found.bos == 1);
  CHECK(found.eos == 1);
  CHECK(!found.add_bos);
  add_tokenizer_config({{"add_bos_token", false}}, Json::object(), found);
  CHECK(found.add_bos == false);
  CHECK_THROWS_AS(add_tokenizer_config(Json::object(), {{"eos_token_id", 4}}, found), Error);
  CHECK_THROWS_AS(gguf_tokenizer(pieces, 2), Error);
}

TEST_CASE("every kind of tokenizer.json is the same after a way through GGUF") {
  const std::pair<const char*, const char*> kinds[] = {{"gpt2_like", "gpt-2"},          {"smollm2_like", "smollm"},
                                                       {"llama3_like", "llama-bpe"},    {"qwen_like", "qwen2"},
                                                       {"gpt4o_like", "gpt-4o"},        {"llama2_like", "default"},
                                                       {"metaspace_always", "default"}, {"metaspace_never", "default"}};
  for (const auto& [kind, pre] : kinds) {
    const auto path = shared(std::string("interchange/mini/") + kind + "/tokenizer.json");
    if (!path) return;
    CAPTURE(std::string(kind));
    const Json json = load_json_object(*path);
    const GgufTokenizer tokenizer = through_file(gguf_tokenizer(json, Json::object(), {{"vocab_size", 640}}));
    CHECK(tokenizer.pre == pre);
    CHECK(tokenizer.tokens.size() == 640);
    const Json found = tokenizer_json(tokenizer, "llama");
    CHECK(meaning(found) == meaning(json));
    CHECK(tokenizer.add_bos.value_or(false) ==
          (json["post_processor"].dump().find("TemplateProcessing") != std::string::npos));
    // Once more from what was made: nothing is added or lost.
    const GgufTokenizer again = gguf_tokenizer(found, tokenizer_config_json(tokenizer), {{"vocab_size", 640}});
    CHECK(again.pre == tokenizer.pre);
    CHECK(again.tokens == tokenizer.tokens);
    CHECK(again.types == tokenizer.types);
    CHECK(again.merges == tokenizer.merges);
    CHECK(again.scores == tokenizer.scores);
    CHECK(again.add_bos == tokenizer.add_bos);
    CHECK(again.add_space_prefix == tokenizer.add_space_prefix);
  }
}

}  // namespace tinyllm::test
