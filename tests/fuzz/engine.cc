// The entry that libFuzzer calls.
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tinyllm::test::fuzz({reinterpret_cast<const char*>(data), size});
  return 0;
}
