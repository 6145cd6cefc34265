#include <doctest/doctest.h>

#include <tinyllm/ops/quantized.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/formats/safetensors.h>
#include <tinyllm/tensor/formats/tensor_files.h>
#include <tinyllm/tinyllm.h>

#include "error_of.h"
#include "temp_folder.h"

namespace tinyllm::test {
namespace {

// The bytes before the elements, as NumPy's documentation of the format describes them.
std::string npy_header(const std::string& dictionary) {
  const size_t total = (10 + dictionary.size() + 1 + 63) / 64 * 64, length = total - 10;
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(length % 256) + static_cast<char>(length / 256) +
         dictionary + std::string(length - dictionary.size() - 1, ' ') + '\n';
}

template <class T>
std::string bytes_of_all(const std::vector<T>& elements) {
  return {reinterpret_cast<const char*>(elements.data()), elements.size() * sizeof(T)};
}

template <class T>
std::vector<T> copy(std::span<const T> elements) {
  return {elements.begin(), elements.end()};
}

const std::vector<float> kFloats = {1, -2.5f, 3, 4, 5, 6};

}  // namespace

TEST_CASE("tensors are written to a file and read back in one call each") {
  const TempFolder folder;
  const auto path = folder / "x.safetensors";
  const std::vector<int32_t> ids = {7, -8};
  const std::vector<Half> halves = {{0x3c00}};
  const std::vector<BFloat16> narrow = {{0x3f80}, {0xbf80}};
  save_tensors(path, {{"a", view_of(std::span(kFloats), {2, 3})},
                      {"ids", view_of(std::span(ids), {2})},
                      {"h", view_of(std::span(halves), {})},
                      {"n", view_of(std::span(narrow), {1, 2})},
                      {"none", {nullptr, {0, 4}, f32}}});
  const std::map<std::string, Array> read = load_tensors(path);
  CHECK(read.size() == 5);
  CHECK(read.at("a").shape == Shape{2, 3});
  CHECK(copy(read.at("a").as<float>()) == kFloats);
  CHECK(copy(read.at("ids").as<int32_t>()) == ids);
  CHECK(copy(read.at("h").as<Half>()) == halves);
  CHECK(read.at("h").shape == Shape{});
  CHECK(copy(read.at("n").as<BFloat16>()) == narrow);
  CHECK(read.at("none").shape == Shape{0, 4});
  CHECK_THROWS_WITH_AS(read.at("a").as<int32_t>(), "array: is f32, not i32", Error);
  CHECK_THROWS_WITH_AS(view_of(std::span(ids), {3}), "view: 2 elements, expected 3 for [3]", Error);
}

TEST_CASE("a store is written to a file, and another store is filled from it") {
  const TempFolder folder;
  const auto path = folder / "x.safetensors";
  Store store;
  store.add(std::vector<Store::Wanted>{{"w", f32, {2, 3}}, {"step", i32, {1}}});
  std::ranges::copy(kFloats, store.at("w").as<float>().begin());
  store.at("step").as<int32_t>()[0] = 5;
  save_tensors(path, store);

  Store filled;
  filled.add(std::vector<Store::Wanted>{{"w", f32, {2, 3}}});
  const std::byte* place = filled.at("w").data;
  load_tensors(path, filled);
  CHECK(filled.at("w").data == place);
  CHECK(std::ranges::equal(filled.at("w").as<float>(), kFloats));
  CHECK(filled.at("step").as<int32_t>()[0] == 5);

  Store other;
  other.add(std::vector<Store::Wanted>{{"w", f32, {3, 2}}});
  CHECK(error_of([&] { load_tensors(path, other); }) == "store: w is f32 [3,2], expected f32 [2,3]");
  CHECK(other.find("step") == nullptr);
}

TEST_CASE("tensors that the files cannot hold, and files with other types, are refused") {
  const TempFolder folder;
  const auto path = folder / "x.safetensors";
  Store store;
  store.add(std::vector<Store::Wanted>{{"q", q8_0, {2, 32}}});
  CHECK(error_of([&] { save_tensors(path, store); }).find("q is packed q8_0, expected elements") != std::string::npos);
  CHECK_THROWS_AS(save_tensors(path, {{"a", {nullptr, {1}, f32}}}), Error);
  CHECK_FALSE(is_there(path));
  const std::vector<double> wide = {1};
  save_safetensors(path, std::vector<RawTensor>{{"d", "F64", {1}, std::as_bytes(std::span(wide))}});
  CHECK(error_of([&] { load_tensors(path); }).ends_with("d is F64, expected F32, I32, F16 or BF16"));
  CHECK_THROWS_AS(load_tensors(path, store), Error);
}

TEST_CASE("files of NumPy are read") {
  const TempFolder folder;
  const auto path = folder / "x.npy";
  // numpy.save of numpy.array([[1, -2.5, 3], [4, 5, 6]], dtype='<f4').
  write_file(path, npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }") + bytes_of_all(kFloats));
  CHECK(read_file(path).size() == 128 + 24);
  const Array read = load_npy(path);
  CHECK(read.shape == Shape{2, 3});
  CHECK(copy(read.as<float>()) == kFloats);
  write_file(path, npy_header("{'descr': '<i4', 'fortran_order': False, 'shape': (), }") +
                       bytes_of_all(std::vector<int32_t>{-3}));
  CHECK(load_npy(path).shape == Shape{});
  CHECK(copy(load_npy(path).as<int32_t>()) == std::vector<int32_t>{-3});
  write_file(path,
             npy_header("{'descr': '<f2', 'fortran_order': False, 'shape': (1,), }") + std::string("\x00\x3c", 2));
  CHECK(copy(load_npy(path).as<Half>()) == std::vector<Half>{{0x3c00}});
  write_file(path, npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3), }"));
  CHECK(load_npy(path).shape == Shape{0, 3});
  // Keys in another order and other blanks and quotes mean the same.
  write_file(path, npy_header("{\"shape\":(2,3),\t'fortran_order':False,'descr':'<f4'}") + bytes_of_all(kFloats));
  CHECK(copy(load_npy(path).as<float>()) == kFloats);
}

TEST_CASE("what is written is what NumPy writes") {
  const TempFolder folder;
  const auto path = folder / "x.npy";
  save_npy(path, view_of(std::span(kFloats), {2, 3}));
  CHECK(read_file(path) ==
        npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }") + bytes_of_all(kFloats));
  save_npy(path, view_of(std::span(kFloats), {6}));
  CHECK(read_file(path) ==
        npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }") + bytes_of_all(kFloats));
  const std::vector<int32_t> one = {9};
  save_npy(path, view_of(std::span(one), {}));
  CHECK(read_file(path) == npy_header("{'descr': '<i4', 'fortran_order': False, 'shape': (), }") + bytes_of_all(one));
  // A header that ends at a multiple of 64 gets no blank, and one that is longer by a digit gets 63.
  for (int64_t extent = 1; extent <= 100'000'000; extent *= 10) {
    save_npy(path, {nullptr, {0, extent, extent, 1, 1}, f32});
    CHECK(read_file(path).size() % 64 == 0);
    CHECK(load_npy(path).shape == Shape{0, extent, extent, 1, 1});
  }
}

TEST_CASE("files of NumPy that are damaged, hostile or of another kind are refused with the reason") {
  const TempFolder folder;
  const auto path = folder / "x.npy";
  const auto refused = [&](const std::string& bytes) {
    write_file(path, bytes);
    const std::string message = error_of([&] { load_npy(path); });
    return message.starts_with(path.string() + ": ") ? message.substr(path.string().size() + 2) : message;
  };
  const auto header = [&](const std::string& dictionary) { return refused(npy_header(dictionary) + "1234"); };
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }";
  CHECK(header(good) == "no error");
  CHECK(refused("") == "is not a .npy file");
  CHECK(refused("\x93NUMPY") == "is not a .npy file");
  CHECK(refused(std::string("\x93NUMPY\x02\x00\x76\x00", 10)) == "version 2.0 of the format, expected 1.0");
  CHECK(refused(std::string("\x93NUMPY\x01\x00\xff\xff", 10)) ==
        "a header of 65535 bytes in a file of 10: it is cut short");
  CHECK(header("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }") ==
        "header: descr is <f8, expected <f4, <i4 or <f2");
  CHECK(header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }") ==
        "header: descr is a structure, expected <f4, <i4 or <f2");
  CHECK(header("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }") ==
        "header: fortran_order is True, expected C order (numpy.ascontiguousarray)");
  CHECK(header("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }") ==
        "4 bytes of elements, expected 8 for f32 [2]");
  CHECK(header("{'descr': '<f4', 'fortran_order': False, 'shape': (), }") == "no error");
  CHECK(header("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }") ==
        "header: shape [4294967296,4294967296]: too many elements, expected at most 2^56");
  CHECK(header("{'descr': '<f4', 'fortran_order': False, 'shape': (72057594037927936,), }") ==
        "4 bytes of elements, expected 288230376151711744 for f32 [72057594037927936]");
  for (const char* wrong :
       {"", "{", "{}", "{'descr'", "{'descr': }", "{'descr': '<f4'", "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1}",
        "{'descr': '<f4', 'fortran_order': Fals, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 1}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (x,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} {}", "{'descr': '<f4\\x', 'fortran_order': False}"}) {
    CAPTURE(wrong);
    CHECK(header(wrong).starts_with("header: "));
  }
  const std::vector<BFloat16> narrow = {{0x3f80}};
  CHECK(error_of([&] {
          save_npy(folder / "y.npy", view_of(std::span(narrow), {1}));
        }).ends_with("the tensor is bf16, expected f32, i32 or f16, which NumPy has"));
  CHECK_FALSE(is_there(folder / "y.npy"));
}

}  // namespace tinyllm::test
