#include <tinyllm/runtime/serve/fields.h>

#include <tinyllm/runtime/reason/vote.h>
#include <tinyllm/runtime/serve/api_error.h>

#include <algorithm>
#include <cmath>
#include <string_view>

namespace tinyllm {
namespace {

using Type = Field::Type;

constexpr unsigned kAnswering = kChat | kCompletions;
constexpr unsigned kEvery = kAnswering | kResponses | kMessages;
constexpr const char* kRequired = nullptr;
// The largest double below 2^63. A number of tokens that is larger means "as many as fit", as this one does.
constexpr double kLargest = 0x1.fffffffffffffp62;

const Field kFields[] = {
    {"model", Type::text, kSelfConsistency - 1, {}, "\"\"", "Which model answers; missing: the first one."},
    {"messages", Type::list, kChat | kMessages, {}, kRequired, "The conversation: objects with role and content."},
    {"continue_final_message",
     Type::flag,
     kChat,
     {},
     "false",
     "Go on with the last message, which is the assistant's."},
    {"prompt", Type::any, kCompletions, {}, kRequired, "A text, a list of tokens, or a list of either."},
    {"input", Type::any, kEmbeddings | kResponses, {}, kRequired, "A text, or a list."},
    {"instructions", Type::text, kResponses, {}, "\"\"", "The system's message."},
    {"system", Type::any, kMessages, {}, "\"\"", "The system's message: a text, or a list of parts."},
    {"max_tokens", Type::whole, kAnswering, at_least(-1), "-1",
     "The most tokens of an answer; -1: as many as fit into the context."},
    {"max_tokens", Type::whole, kMessages, at_least(1), kRequired, "The most tokens of an answer."},
    {"max_completion_tokens", Type::whole, kChat, at_least(-1), "-1", "The same; it comes before the other."},
    {"max_output_tokens", Type::whole, kResponses, at_least(-1), "-1", "The most tokens of an answer."},
    {"temperature", Type::number, kEvery, between(0, 2), "1", "0 always takes the likeliest token."},
    {"top_p", Type::number, kEvery, fraction_above_zero(), "1",
     "Only the smallest set of tokens whose probabilities reach this sum is drawn from."},
    {"top_k", Type::whole, kEvery, at_least(0), "0", "Only so many tokens are drawn from; 0: all."},
    {"min_p", Type::number, kEvery, fraction(), "0",
     "Only tokens with at least this fraction of the likeliest one's probability are drawn."},
    {"repetition_penalty", Type::number, kAnswering, between(0.01, 10), "1",
     "Above 1, tokens of the text so far become less likely."},
    {"presence_penalty", Type::number, kAnswering, between(-2, 2), "0",
     "Subtracted from the logit of tokens that the answer has."},
    {"frequency_penalty", Type::number, kAnswering, between(-2, 2), "0",
     "Subtracted from the logit of a token for each time that the answer has it."},
    {"logit_bias", Type::object, kAnswering, between(-100, 100), "", "Tokens, and what is added to their logits."},
    {"seed",
     Type::whole,
     kEvery,
     {.low = -0x1p63, .high = 0x1p63, .excludes_high = true},
     "",
     "The same seed and request give the same answer."},
    {"n", Type::whole, kAnswering, between(1, 128), "1", "How many answers."},
    {"stop", Type::texts, kAnswering, between(0, 16), "[]", "An answer ends before any of these texts."},
    {"stop_sequences", Type::texts, kMessages, between(0, 16), "[]", "An answer ends before any of these texts."},
    {"stream", Type::flag, kEvery, {}, "false", "Send the answer piece by piece, as server-sent events."},
    {"stream_options", Type::object, kAnswering, {}, "", "With include_usage: a last event with the counts of tokens."},
    {"logprobs", Type::flag, kChat, {}, "false", "Return the log-probability of each token of the answer."},
    {"logprobs", Type::whole, kCompletions, between(0, 20), "",
     "Return the log-probability of each token, and the likeliest ones."},
    {"top_logprobs", Type::whole, kChat, between(0, 20), "0", "How many of the likeliest tokens are returned too."},
    {"echo", Type::flag, kCompletions, {}, "false", "Return the prompt before the answer."},
    {"response_format",
     Type::object,
     kChat,
     {},
     "",
     "The form of the answer: of type text, json_object, or json_schema."},
    {"tools", Type::list, kChat | kResponses | kMessages, {}, "", "Functions that the answer may call."},
    {"tool_choice",
     Type::any,
     kChat | kResponses | kMessages,
     {},
     "",
     "none, auto, required, or the function that the answer calls."},
    {"parallel_tool_calls", Type::flag, kChat | kResponses, {}, "true", "An answer may call several functions."},
    {"text",
     Type::object,
     kResponses,
     {},
     "",
     "With format: the form of the answer: text, json_object or json_schema."},
    {"output_config", Type::object, kMessages, {}, "", "With format: the form of the answer: json_schema."},
    {"tools", Type::unserved, kCompletions, {}, "[]", "Only a chat calls functions."},
    {"response_format", Type::unserved, kCompletions, {}, "null", "Only the answer of a chat has a form."},
    {"functions", Type::unserved, kChat, {}, "[]", "Replaced by tools."},
    {"self_consistency",
     Type::object,
     kChat,
     {},
     "",
     "Several chains of thought vote on the answer.",
     kSelfConsistency},
    {"self_consistency", Type::unserved, kEvery & ~kChat, {}, "false", "Only the chains of a chat vote."},
    {"samples", Type::whole, kSelfConsistency, between(1, kMaxChains), "5", "The most chains that are sampled."},
    {"confidence",
     Type::number,
     kSelfConsistency,
     {.low = 0.5, .high = 1, .excludes_low = true},
     "1",
     "No more chains are sampled once the answer is decided with this probability; 1: all are."},
    {"return_chains", Type::flag, kSelfConsistency, {}, "false", "Return what each chain said."},
    {"calculator", Type::flag, kChat, {}, "false", "Only the right result can follow the = of an equation."},
    {"calculator", Type::unserved, kEvery & ~kChat, {}, "false", "Only the answers of a chat are computed."},
    {"close_json",
     Type::flag,
     kChat | kResponses | kMessages,
     {},
     "false",
     "End an answer in JSON as a whole value at the token limit."},
    {"suffix", Type::unserved, kCompletions, {}, "\"\"", "Text after the answer."},
    {"best_of", Type::whole, kCompletions, between(1, 128), "", "Must be n: the answers are not ranked."},
    {"previous_response_id", Type::unserved, kResponses, {}, "\"\"", "Nothing is stored: send the conversation."},
    {"conversation", Type::unserved, kResponses, {}, "\"\"", "Nothing is stored: send the conversation."},
    {"encoding_format", Type::text, kEmbeddings, {}, "\"float\"", "float, or base64 of little-endian float32."},
    {"dimensions", Type::unserved, kEmbeddings, {}, "0", "Vectors have the size of the model."},
    {"content", Type::text, kTokenize, {}, kRequired, "The text."},
    {"add_special", Type::flag, kTokenize, {}, "false", "Begin with the token that begins a document."},
    {"special", Type::flag, kTokenize, {}, "false", "Take the names of special tokens for these tokens."},
    {"with_pieces", Type::flag, kTokenize, {}, "false", "Return the text of each token too."},
    {"tokens", Type::list, kDetokenize, {}, kRequired, "The numbers of the tokens."},
};

const Field* row_of(Endpoint endpoint, const char* name) {
  for (const Field& field : kFields) {
    if ((field.endpoints & endpoint) != 0 && std::string_view(field.name) == name) return &field;
  }
  return nullptr;
}

[[noreturn]] void wrong_type(const Field& field, const Json& value) {
  throw ApiError(400, "invalid_type", field.name, "{}: is {}, expected {}", field.name, type_of(value),
                 name_of(field.type));
}

bool is_whole(const Json& value) {
  if (value.is_number_integer()) return true;
  if (!value.is_number_float()) return false;
  const double number = value.get<double>();
  return number == std::trunc(number);
}

bool is_int64(const Json& value) {
  return value.is_number_integer() && !(value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX);
}

void check_number(const Field& field, const Json& value) {
  const bool whole = field.type == Type::whole;
  if (!value.is_number()) wrong_type(field, value);
  if (whole && !is_whole(value)) wrong_type(field, value);
  double number = value.get<double>();
  // It is used as a float, which may be 0 where a double is not.
  if (!whole && field.range.excludes_low) number = static_cast<double>(static_cast<float>(number));
  // A double would round the largest numbers of 64 bits up to one that is none: every seed is one.
  if (is_int64(value)) number = std::min(number, kLargest);
  if (!field.range.contains(number)) {
    throw ApiError(400, "invalid_value", field.name, "{}: {}, expected {}", field.name, shown(value),
                   description_of(field.range, whole));
  }
}

void check_texts(const Field& field, const Json& value) {
  if (value.is_string()) return;
  if (!value.is_array()) wrong_type(field, value);
  if (!field.range.contains(static_cast<double>(value.size()))) {
    throw ApiError(400, "invalid_value", field.name, "{}: {} texts, expected at most {}", field.name, value.size(),
                   field.range.high);
  }
  for (const Json& text : value) {
    if (!text.is_string()) {
      throw ApiError(400, "invalid_type", field.name, "{}: holds {}, expected strings", field.name, type_of(text));
    }
  }
}

void check_unserved(const Field& field, const Json& value) {
  const bool means_nothing = value == Json::parse(field.fallback) || (value.is_structured() && value.empty());
  if (means_nothing) return;
  throw ApiError(400, "unsupported_parameter", field.name, "{}: this server does not support it. {}", field.name,
                 field.meaning);
}

void check(const Field& field, const Json& value) {
  switch (field.type) {
    case Type::flag:
      if (!value.is_boolean()) wrong_type(field, value);
      return;
    case Type::whole:
    case Type::number:
      return check_number(field, value);
    case Type::text:
      if (!value.is_string()) wrong_type(field, value);
      return;
    case Type::texts:
      return check_texts(field, value);
    case Type::list:
      if (!value.is_array()) wrong_type(field, value);
      return;
    case Type::object:
      if (!value.is_object()) wrong_type(field, value);
      return;
    case Type::any:
      return;
    case Type::unserved:
      return check_unserved(field, value);
  }
}

}  // namespace

std::span<const Field> all_fields() { return kFields; }

std::string_view name_of(Field::Type type) {
  switch (type) {
    case Type::flag:
      return "true or false";
    case Type::whole:
      return "an integer";
    case Type::number:
      return "a number";
    case Type::text:
      return "a string";
    case Type::texts:
      return "a string or a list of strings";
    case Type::list:
      return "a list";
    case Type::object:
      return "an object";
    default:
      return "a value";
  }
}

Fields::Fields(Endpoint endpoint, std::string_view body) : endpoint_(endpoint) {
  try {
    body_ = parse_json(body, "request body");
  } catch (const Error& error) {
    throw ApiError(400, "invalid_json", "", "{}", error.what());
  }
  if (!body_.is_object()) {
    throw ApiError(400, "invalid_type", "", "request body: is {}, expected an object", type_of(body_));
  }
  check_all();
}

Fields::Fields(Endpoint object, const Json& value, std::string_view name) : endpoint_(object), body_(value) {
  try {
    check_all();
  } catch (const ApiError& error) {
    throw ApiError(error.status(), error.code(), fmt::format("{}.{}", name, error.param()), "{}.{}", name,
                   error.what());
  }
}

void Fields::check_all() const {
  for (const Field& field : kFields) {
    if ((field.endpoints & endpoint_) == 0) continue;
    if (const Json* value = find(field.name)) {
      check(field, *value);
    } else if (field.fallback == kRequired) {
      throw ApiError(400, "missing_required_parameter", field.name, "{}: missing", field.name);
    }
  }
}

const Json* Fields::find(const char* name) const { return find_field(body_, name); }

namespace {

// The value of a field, or its fallback.
Json value_of(const Fields& fields, Endpoint endpoint, const char* name) {
  const Json* value = fields.find(name);
  return value != nullptr ? *value : Json::parse(row_of(endpoint, name)->fallback);
}

}  // namespace

bool Fields::flag(const char* name) const { return value_of(*this, endpoint_, name).get<bool>(); }
double Fields::number(const char* name) const { return value_of(*this, endpoint_, name).get<double>(); }
std::string Fields::text(const char* name) const { return value_of(*this, endpoint_, name).get<std::string>(); }

int64_t Fields::whole(const char* name) const {
  const Json value = value_of(*this, endpoint_, name);
  if (is_int64(value)) return value.get<int64_t>();
  return static_cast<int64_t>(std::min(value.get<double>(), kLargest));
}

std::vector<std::string> Fields::texts(const char* name) const {
  const Json value = value_of(*this, endpoint_, name);
  if (value.is_string()) return {value.get<std::string>()};
  return value.get<std::vector<std::string>>();
}

}  // namespace tinyllm
