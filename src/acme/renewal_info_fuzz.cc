// Any text as what an authority says of times and places besides its objects: renewal information,
// Retry-After, Date and links. What is taken of it is within its bounds.
#include <cstdint>
#include <string_view>

#include "acme/message.h"
#include "acme/renewal_info.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool;  // NOLINT: a test program of one file
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto window = acme::parse_renewal_window(text); window.ok()) {
    CHECK(window->start < window->end && window->explanation.size() <= acme::kMaxUrl);
    for (const double unit : {0.0, 0.5, 0.999999}) {
      const UnixTime chosen = acme::chosen_time(*window, unit);
      CHECK(window->start <= chosen && chosen <= window->end);
    }
  }
  if (const auto time = acme::parse_rfc3339(text)) {
    CHECK(acme::parse_rfc3339(format_utc(*time, 0)) == time);
  }
  acme::Reply reply;
  reply.retry_after = text.substr(0, text.find('\n'));
  reply.date = text.substr(std::min(reply.retry_after.size() + 1, size));
  reply.links.assign(acme::kMaxLinks + 1, std::string(text));
  const Duration again = acme::ask_again_after(acme::retry_after_of(reply));
  CHECK(again >= acme::kShortestAsk && again <= acme::kLongestAsk);
  for (const std::string& link : acme::links_of(reply, "alternate")) {
    CHECK(text.find(link) != std::string_view::npos);
    if (!acme::is_https_url(link)) continue;
    CHECK(link.size() <= acme::kMaxUrl && link.find('\n') == std::string::npos);
  }
  return 0;
}
