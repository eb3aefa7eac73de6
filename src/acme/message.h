// What the machines of ACME (RFC 8555) ask an authority's HTTPS server and get from it, as values:
// who calls carries them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/duration.h"

namespace timepool::acme {

struct Request {
  enum class Method : std::uint8_t { kGet, kHead, kPost };
  Method method = Method::kGet;
  std::string url;     // "https://..." (RFC 8555 6.1)
  std::string body;    // of a POST, to be sent as kJoseType
  std::string accept;  // "": anything
};
std::string_view name_of(Request::Method method);

// RFC 8555 6.2.
inline constexpr std::string_view kJoseType = "application/jose+json";
// RFC 8555 7.4.2.
inline constexpr std::string_view kChainType = "application/pem-certificate-chain";

// What the caller's client must bound: a directory or order is 1 kB, a chain of ten certificates
// 20 kB.
inline constexpr std::size_t kMaxReplyBody = 256 << 10;
inline constexpr std::size_t kMaxUrl = 2048;
// Fields `Link` of one reply that are looked at.
inline constexpr std::size_t kMaxLinks = 16;

struct Reply {
  int status = 0;
  std::string body;
  // Header fields, "" when there is none.
  std::string nonce;        // Replay-Nonce
  std::string location;     // Location
  std::string retry_after;  // Retry-After
  std::string date;         // Date
  std::vector<std::string> links;
};
inline bool is_success(const Reply& reply) {
  return reply.status >= 200 && reply.status < 300;
}

// Retry-After (RFC 9110 10.2.3): seconds, or a date, which is compared with the reply's own Date:
// our clock may be wrong. Nothing for rubbish; what is past is zero.
std::optional<Duration> retry_after_of(const Reply& reply);
// "Sun, 06 Nov 1994 08:49:37 GMT" (IMF-fixdate, RFC 9110 5.6.7) as seconds since 1970.
std::optional<std::int64_t> parse_http_date(std::string_view text);
// The targets of `Link: <URL>;rel="KIND"` fields (RFC 8288), in their order.
std::vector<std::string> links_of(const Reply& reply, std::string_view kind);
// Whether it is https, has a host, is not longer than kMaxUrl and holds nothing but what a URL may.
bool is_https_url(std::string_view text);

}  // namespace timepool::acme
