#include "nts/cookie_jar.h"

#include <algorithm>
#include <utility>

#include "base/siphash.h"
#include "wire/ntp/extension_field.h"

namespace timepool::nts {
namespace {

// Who could make two that are equal by it is the server, which gains nothing.
std::uint64_t hash_of(Bytes cookie) {
  return siphash24({0x6e74732d636f6f6bULL, 0x69652d6a61722d31ULL}, cookie);
}

}  // namespace

CookieJar::CookieJar(const Establishment& establishment) : keys_(establishment.keys) {
  for (const Cookie& cookie : establishment.cookies) static_cast<void>(put(cookie));
}

std::optional<Cookie> CookieJar::take() {
  if (cookies_.empty()) return std::nullopt;
  Cookie out = std::move(cookies_.front());
  cookies_.pop_front();
  handed_out_.push_back(hash_of(out));
  return out;
}

void CookieJar::give_back(Cookie cookie) {
  if (cookies_.size() < kMaxCookies) cookies_.push_front(std::move(cookie));
}

bool CookieJar::put(Bytes cookie) {
  if (cookies_.size() >= kMaxCookies || cookie.empty() || cookie.size() > kMaxCookieSize) {
    return false;
  }
  const auto same = [&](const Cookie& it) { return std::ranges::equal(it, cookie); };
  if (std::any_of(cookies_.begin(), cookies_.end(), same)) return false;
  if (handed_out(hash_of(cookie))) return false;
  cookies_.emplace_back(cookie.begin(), cookie.end());
  return true;
}

bool CookieJar::handed_out(std::uint64_t hash) const {
  for (std::size_t i = 0; i < handed_out_.size(); ++i) {
    if (handed_out_[i] == hash) return true;
  }
  return false;
}

std::size_t placeholders_wanted(std::size_t left, std::size_t cookie_size, std::size_t room) {
  // The cookie itself is answered by one.
  const std::size_t missing = left + 1 >= kMaxCookies ? 0 : kMaxCookies - left - 1;
  const std::size_t padded = (cookie_size + 3) / 4 * 4 + wire::ntp::kFieldHeaderSize;
  return std::min(missing, room / std::max(padded, wire::ntp::kMinFieldSize));
}

}  // namespace timepool::nts
