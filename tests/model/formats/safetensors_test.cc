#include <doctest/doctest.h>

#include <tinyllm/model/formats/safetensors.h>

#include "temp_folder.h"

#include <atomic>
#include <fstream>
#include <thread>

namespace tinyllm::test {
namespace {

std::string header_file(const std::string& header, size_t data_bytes) {
  const uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + header + std::string(data_bytes, '\0');
}

std::string error_of(const std::filesystem::path& path) {
  try {
    const Safetensors file(path);
  } catch (const Error& error) {
    const std::string message = error.what();
    return message.starts_with(path.string() + ": ") ? message.substr(path.string().size() + 2) : message;
  }
  return "no error";
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
  for (const char* none : {"note", "less", "missing"}) CHECK_THROWS_AS(file.number(none), Error);
  CHECK(file.entries().size() == 3);
  CHECK_THROWS_AS(file.values<float>("b"), Error);
  CHECK_THROWS_AS(file.values<float>("c"), Error);
  std::vector<float> target(6);
  CHECK_THROWS_AS(file.read("a", {3, 2}, target), Error);
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
      CHECK(error_of(folder / "flipped.safetensors").find("damaged") != std::string::npos);
    } else {
      error_of(folder / "flipped.safetensors");  // An error or not, but an answer: the sanitizers watch.
    }
  }
}

TEST_CASE("headers that lie are told apart") {
  const TempFolder folder;
  const std::pair<std::string, const char*> cases[] = {
      {"", "0 bytes, too few for a safetensors file: it is cut short"},
      {std::string(8, '\xff'), "a header of 18446744073709551615 bytes in a file of 8"},
      {header_file("{", 0), "the header is not JSON"},
      {header_file("[]", 0), "the header is not JSON"},
      {header_file(R"({"a":{"dtype":"F32","shape":[2]}})", 8), "a: expected dtype, shape and two data_offsets"},
      {header_file(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,16]}})", 8), "a: its data is at [0, 16)"},
      {header_file(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8), "a: its data is at [8, 0)"},
      {header_file(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8),
       "a: F32 [3] does not fit its 8 bytes"},
      {header_file(R"({"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}})", 8), "a: its type F33 is unknown"},
      {header_file(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8), "a: its shape [-2] has an extent"},
      {header_file(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}})", 8), "a: its shape"},
      {header_file(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 12), "12 bytes of data, expected 8"},
      {header_file(
           R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
           8),
       "b: its data leaves a gap or overlaps another's"},
      {header_file(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8), "a: its data leaves a gap"},
      {header_file(R"({"__metadata__":{"a":1}})", 0), "__metadata__: a is not text"},
  };
  for (const auto& [bytes, message] : cases) {
    write_file(folder / "x", bytes);
    const std::string found = error_of(folder / "x");
    CHECK_MESSAGE(found.find(message) != std::string::npos, found);
  }
  CHECK(error_of(folder / "missing").find("cannot be opened: No such file") != std::string::npos);
  CHECK(error_of(folder.path()).find("is not a regular file") != std::string::npos);
}

TEST_CASE("a file that cannot be written is named, and what was there stays") {
  const TempFolder folder;
  CHECK_THROWS_AS(save_two("/dev/full/x"), Error);
  CHECK_THROWS_AS(save_two(folder / "no/such/folder/x"), Error);
  save_two(folder / "x");
  const std::string before = read_file(folder / "x");
  CHECK_THROWS_AS(write_file(folder / "x", [](const Append&) { throw Error("in the middle"); }), Error);
  CHECK(read_file(folder / "x") == before);
  CHECK_FALSE(std::filesystem::exists(folder / "x.part"));
}

TEST_CASE("of many who write a file at once, each writes a whole one") {
  constexpr int kWriters = 4, kTimes = 10, kPieces = 50;
  const TempFolder folder;
  const auto text = [](int writer) { return std::string(100, static_cast<char>('a' + writer)); };
  std::atomic<int> failed = 0;
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      const std::string piece = text(writer);
      for (int i = 0; i < kTimes; ++i) {
        try {
          write_file(folder / "x", [&](const Append& append) {
            for (int j = 0; j < kPieces; ++j) append(std::as_bytes(std::span(piece)));
          });
        } catch (const Error&) {
          ++failed;
        }
        const std::string found = read_file(folder / "x");
        if (found.size() != kPieces * piece.size() || found.find_first_not_of(found[0]) != std::string::npos) ++failed;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  CHECK(failed == 0);
  CHECK_FALSE(std::filesystem::exists(folder / "x.part"));
}

TEST_CASE("text that is not UTF-8 is named by line and byte") {
  CHECK_NOTHROW(check_utf8("plain, 中文, \xF0\x9F\x98\x80, \n", "text"));
  CHECK_NOTHROW(check_utf8("", "text"));
  CHECK_THROWS_WITH_AS(check_utf8("a\nb\xFFz", "file.txt"), "file.txt: line 2, byte 2: 0xFF is not UTF-8", Error);
  for (const char* bad : {"\x80", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE4\xB8", "\xC3"}) {
    CHECK_THROWS_AS(check_utf8(bad, "text"), Error);
  }
}

}  // namespace tinyllm::test
