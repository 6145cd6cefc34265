#include <tinyllm/model/generation_config.h>

#include <tinyllm/tensor/base/json.h>
#include <tinyllm/tensor/base/range.h>

namespace tinyllm {

SamplingDefaults sampling_defaults(const ModelFiles& files) {
  constexpr const char* kFile = "generation_config.json";
  constexpr uint64_t kMostBytes = uint64_t{1} << 20;
  SamplingDefaults defaults;
  if (!files.has(kFile)) return defaults;
  const Json json = parse_json_object(files.read(kFile, kMostBytes), files.path(kFile));
  try {
    const auto read = [&]<class T>(const char* field, Range range, std::optional<T>& into) {
      const Json* value = find_field(json, field);
      if (value == nullptr) return;
      read_value(*value, field, into.emplace());
      if (!range.contains(static_cast<double>(*into))) {
        throw Error("field {}: is {}, expected {}", field, *into, description_of(range, std::is_integral_v<T>));
      }
    };
    read("repetition_penalty", above(0), defaults.repetition_penalty);
    bool is_sampled = false;
    if (const Json* value = find_field(json, "do_sample")) read_value(*value, "do_sample", is_sampled);
    if (!is_sampled) return defaults;
    defaults.temperature = 1.0f;
    read("temperature", at_least(0), defaults.temperature);
    read("top_k", at_least(0), defaults.top_k);
    read("top_p", {.low = 0, .high = 1, .excludes_low = true}, defaults.top_p);
    read("min_p", fraction(), defaults.min_p);
  } catch (const Error& error) {
    throw Error("{}: {}", files.path(kFile), error.what());
  }
  return defaults;
}

}  // namespace tinyllm
