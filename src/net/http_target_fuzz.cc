// The path of a request from its target to its route: any bytes in, and what decodes is encoded
// and decoded again to the same.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "net/http_router.h"
#include "net/http_target.h"

namespace {

using namespace timepool::net;

const HttpRouter& router() {
  static const HttpRouter kRouter = [] {
    HttpRouter out;
    const auto handler = [](const HttpRequest&) { return HttpResponse(); };
    for (const char* pattern : {"/", "/v1/servers", "/v1/servers/{address}", "/v1/servers/new",
                                "/scores/{ip}/{kind}", "/{a}/json"}) {
      out.on("GET", pattern, handler);
    }
    return out;
  }();
  return kRouter;
}

std::string encoded(const HttpTarget& target) {
  std::string out;
  for (const std::string& segment : target.segments) out += "/" + percent_encode(segment);
  for (const auto& [name, value] : target.query) {
    out += (out.find('?') == std::string::npos ? "?" : "&") + percent_encode(name) + "=" +
           percent_encode(value);
  }
  return out;
}

void check_fields(std::string_view text) {
  HttpRequest request;
  request.headers.add("Prefer", text);
  request.headers.add("Authorization", text);
  static_cast<void>(request.prefer_wait());
  CHECK(request.bearer_token().size() <= text.size());
  static_cast<void>(etag_matches(text, "\"1\""));
  CHECK(http_error(400, "invalid", text).body.ends_with("}}\n"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_fields(text);
  const auto form = parse_pairs(text);
  if (form.ok()) CHECK(form->size() <= kMaxQueryPairs);
  const auto target = parse_target(text);
  if (!target.ok()) {
    CHECK(!explain(target.error()).empty());
    return 0;
  }
  CHECK(target->segments.size() <= kMaxPathSegments);
  CHECK(target->query.size() <= kMaxQueryPairs);
  const HttpRouter::Match match = router().match("GET", *target);
  CHECK((match.route != nullptr) == !match.allow.empty());
  if (target->path == "*") return 0;
  const auto again = parse_target(encoded(*target));
  CHECK(again.ok());
  CHECK(again->segments == target->segments);
  CHECK(again->query == target->query);
  return 0;
}
