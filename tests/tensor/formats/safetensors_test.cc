#include <doctest/doctest.h>

#include <tinyllm/tensor/formats/safetensors.h>
#include <tinyllm/tensor/store.h>

#include "error_of.h"
#include "temp_folder.h"

namespace tinyllm::test {
namespace {

std::string header_file(const std::string& header, size_t data_bytes) {
  const uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + header + std::string(data_bytes, '\0');
}

std::string open_error(const std::filesystem::path& path) {
  const std::string message = error_of([&] { Safetensors{path}; });
  return message.starts_with(path.string() + ": ") ? message.substr(path.string().size() + 2) : message;
}

void save_two(const std::filesystem::path& path) {
  const std::vector<float> a = {1, -2.5f, 3, 4, 5, 6};
  const std::vector<int32_t> b = {7, -8};
  save_safetensors(path, {{"a", f32, {2, 3}, a.data()}, {"b", i32, {2}, b.data()}, {"none", f32, {0, 4}, nullptr}},
                   {{"note", "text"}, {"count", "12"}, {"less", "-1"}});
}

}  // namespace

TEST_CASE("what was saved is read back, with its metadata") {
  const TempFolder folder;
  save_two(folder / "x.safetensors");
  const Safetensors file(folder / "x.safetensors");
  CHECK(file.values<float>("a") == std::vector<float>{1, -2.5f, 3, 4, 5, 6});
  CHECK(file.values<int32_t>("b") == std::vector<int32_t>{7, -8});
  CHECK(file.at("none").shape == Shape{0, 4});
  CHECK(file.metadata().at("note") == "text");
  CHECK(file.number("count") == 12);
  CHECK_THROWS_AS(file.number("count", 11), Error);
  for (const char* none : {"note", "less", "missing"}) CHECK_THROWS_AS(file.number(none), Error);
  CHECK(file.entries().size() == 3);
  CHECK_THROWS_AS(file.values<float>("b"), Error);
  CHECK_THROWS_AS(file.values<float>("c"), Error);
  std::vector<float> target(6);
  CHECK_THROWS_AS(file.read("a", {3, 2}, target), Error);
  target.resize(5);
  CHECK_THROWS_AS(file.read("a", {2, 3}, target), Error);
}

TEST_CASE("tensors of 16 bits are stored as they are, in a store too, and read back") {
  const TempFolder folder;
  Store store;
  store.add(std::vector<Store::Wanted>{{"half", f16, {2, 2}}, {"brain", bf16, {3}}});
  std::ranges::copy(std::vector<Half>{{0x3C00}, {0xC000}, {0x0001}, {0x7BFF}}, store.at("half").as<Half>().begin());
  std::ranges::copy(std::vector<BFloat16>{{0x3F80}, {0x0001}, {0xFF80}}, store.at("brain").as<BFloat16>().begin());
  std::vector<NamedTensor> tensors;
  for (const Store::Entry& entry : store.entries()) {
    tensors.push_back({entry.name, entry.type.dtype(), entry.shape, entry.data});
  }
  save_safetensors(folder / "x.safetensors", tensors);

  const Safetensors file(folder / "x.safetensors");
  CHECK(file.at("half", "F16", {2, 2}).element_type() == f16);
  CHECK(file.at("brain", "BF16", {3}).size == 6);
  CHECK(file.values<Half>("half") == std::vector<Half>{{0x3C00}, {0xC000}, {0x0001}, {0x7BFF}});
  CHECK(file.values<BFloat16>("brain") == std::vector<BFloat16>{{0x3F80}, {0x0001}, {0xFF80}});
  CHECK_THROWS_AS(file.values<Half>("brain"), Error);
  Store again;
  again.add(std::vector<Store::Wanted>{{"brain", bf16, {3}}});
  file.read(file.at("brain"), {again.at("brain").data, again.at("brain").bytes()});
  CHECK(again.at("brain").as<BFloat16>()[2] == BFloat16{0xFF80});
  CHECK_THROWS_WITH_AS(again.at("brain").as<float>(), "brain: is bf16, not f32", Error);
}

TEST_CASE("a file cut short at any length is refused") {
  const TempFolder folder;
  save_two(folder / "x.safetensors");
  const std::string whole = read_file(folder / "x.safetensors");
  for (size_t length = 0; length < whole.size(); ++length) {
    write_file(folder / "cut.safetensors", whole.substr(0, length));
    CHECK_THROWS_AS(Safetensors(folder / "cut.safetensors"), Error);
  }
}

TEST_CASE("a file with any bit of its data flipped is refused, and one with a bit of its header flipped does no harm") {
  const TempFolder folder;
  save_two(folder / "x.safetensors");
  const std::string whole = read_file(folder / "x.safetensors");
  const size_t data = whole.size() - 32;
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    write_file(folder / "flipped.safetensors", flipped);
    if (bit / 8 >= data) {
      CHECK(open_error(folder / "flipped.safetensors").find("damaged") != std::string::npos);
    } else {
      open_error(folder / "flipped.safetensors");  // An error or not, but an answer: the sanitizers watch.
    }
  }
}

TEST_CASE("headers that lie are told apart") {
  const TempFolder folder;
  const std::pair<std::string, const char*> cases[] = {
      {"", "0 bytes, too few for a safetensors file: it is cut short"},
      {std::string(8, '\xff'), "a header of 18446744073709551615 bytes in a file of 8"},
      {header_file("{", 0), "header: line 1, byte 2: ends too early for JSON"},
      {header_file("[]", 0), "header: is a list, expected an object"},
      {header_file(R"({"a":{"dtype":"F32","shape":[2]}})", 8), "a: field data_offsets: missing"},
      {header_file(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,16]}})", 8), "a: its data is at [0, 16)"},
      {header_file(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8), "a: its data is at [8, 0)"},
      {header_file(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8),
       "a: F32 [3] does not fit its 8 bytes"},
      {header_file(R"({"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}})", 8), "a: its type F33 is unknown"},
      {header_file(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8),
       "a: shape [-2]: extent -2, expected 0 or more"},
      {header_file(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}})", 8),
       "a: shape [4611686018427387904,4]: too many"},
      {header_file(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 12), "12 bytes of data, expected 8"},
      {header_file(
           R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
           8),
       "b: its data leaves a gap or overlaps another's"},
      {header_file(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8), "a: its data leaves a gap"},
      {header_file(R"({"__metadata__":{"a":1}})", 0), "__metadata__: field a: is 1, expected a string"},
  };
  for (const auto& [bytes, message] : cases) {
    write_file(folder / "x", bytes);
    const std::string found = open_error(folder / "x");
    CHECK_MESSAGE(found.find(message) != std::string::npos, found);
  }
  CHECK(open_error(folder / "missing").find("cannot be opened: No such file") != std::string::npos);
  CHECK(open_error(folder.path()).find("is not a regular file") != std::string::npos);
}

TEST_CASE("a header that is deep, long or large gives a short error") {
  const TempFolder folder;
  const std::string deep(80000, '[');
  const std::string long_name(50000, 'n');
  const auto entry = [](const std::string& fields) { return "{\"a\":{\"data_offsets\":[0,8]," + fields + "}}"; };
  const std::pair<std::string, const char*> cases[] = {
      {"{\"a\":" + deep, "nested deeper than 64 levels"},
      {"{\"" + long_name + "\":1}", "nnn...: is a number, expected an object"},
      {entry("\"dtype\":\"" + long_name + "\",\"shape\":[2]"), "nnn... is unknown"},
      {entry("\"dtype\":\"F32\",\"shape\":\"" + long_name + "\""), "field shape: is a string, expected a list"},
      {entry("\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1]"), "its shape has 7 axes, expected at most 6"},
      {entry("\"dtype\":\"F32\",\"shape\":[4294967296,4294967296]"), "too many elements, expected at most 2^56"},
      {entry("\"dtype\":\"F32\",\"shape\":[18446744073709551615]"), "expected a whole number"},
      {entry("\"dtype\":\"F32\",\"shape\":[0,4294967296,4294967296]"), "too many elements"},
      {"{\"__metadata__\":{\"" + long_name + "\":[]}}", "nnn...: is [], expected a string"},
      {"{\"a\":\"\xff\"}", "header: line 1, byte 7: is not JSON"},
      {"{\"a\":1e999}", "has a number that is too large"},
  };
  for (const auto& [header, message] : cases) {
    write_file(folder / "x", header_file(header, 8));
    const std::string found = open_error(folder / "x");
    CHECK_MESSAGE(found.find(message) != std::string::npos, found);
    CHECK(found.size() < 250);
  }
}

TEST_CASE("a file that is cut while it is open is an error when a tensor is read") {
  const TempFolder folder;
  save_two(folder / "x.safetensors");
  const Safetensors file(folder / "x.safetensors");
  std::filesystem::resize_file(folder / "x.safetensors", std::filesystem::file_size(folder / "x.safetensors") - 4);
  CHECK(file.values<float>("a").size() == 6);
  CHECK_THROWS_AS(file.values<int32_t>("b"), Error);
}

TEST_CASE("a name or metadata that is not UTF-8 is an error, and so are two tensors of one name") {
  const TempFolder folder;
  const float one = 1;
  const NamedTensor a{"a", f32, {1}, &one};
  const auto save = [&](const std::vector<NamedTensor>& tensors, const std::string& note) {
    save_safetensors(folder / "x", tensors, {{"note", note}});
  };
  CHECK_THROWS_AS(save({a}, "\xff"), Error);
  CHECK_THROWS_AS(save({{"\xff", f32, {1}, &one}}, "text"), Error);
  CHECK_THROWS_AS(save({a, a}, "text"), Error);
  CHECK_FALSE(std::filesystem::exists(folder / "x"));
  CHECK_NOTHROW(save({a}, "text"));
}

}  // namespace tinyllm::test
