// A request as a client sends it.
#include <tinyllm/runtime/http/http_request.h>
#include <tinyllm/tensor/base/utf8.h>

#include "fuzz/fuzz.h"

void tinyllm::test::fuzz(std::string_view bytes) {
  may_refuse([&] {
    const HttpRequest request = parse_http(bytes, {}, true);
    require(valid_utf8(request.path) == request.path.size());
    require(request.body.size() <= bytes.size());
  });
}
