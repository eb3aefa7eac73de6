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

// 0 also when there is none.
std::size_t CookieJar::next() const {
  const auto free =
      std::find_if(cookies_.begin(), cookies_.end(), [](const Place& it) { return !it.written; });
  return free == cookies_.end() ? 0 : static_cast<std::size_t>(free - cookies_.begin());
}

std::size_t CookieJar::next_size() const {
  return cookies_.empty() ? 0 : cookies_[next()].cookie.size();
}

std::optional<Cookie> CookieJar::take() {
  if (cookies_.empty()) return std::nullopt;
  const auto found = cookies_.begin() + static_cast<std::ptrdiff_t>(next());
  owes_write_ = owes_write_ || found->written;
  Cookie out = std::move(found->cookie);
  cookies_.erase(found);
  handed_out_.push_back(hash_of(out));
  return out;
}

void CookieJar::give_back(Cookie cookie) {
  if (cookies_.size() < kMaxCookies) cookies_.push_front({std::move(cookie), false});
}

std::vector<Cookie> CookieJar::newest(std::size_t count) const {
  std::vector<Cookie> out;
  for (std::size_t i = cookies_.size() - std::min(count, cookies_.size()); i < cookies_.size();
       ++i) {
    out.push_back(cookies_[i].cookie);
  }
  return out;
}

void CookieJar::set_written(std::size_t count) {
  owes_write_ = false;
  for (std::size_t i = 0; i < cookies_.size(); ++i) {
    cookies_[i].written = i + count >= cookies_.size();
  }
}

void CookieJar::lose_written() {
  owes_write_ = false;
  std::erase_if(cookies_, [](const Place& it) { return it.written; });
}

bool CookieJar::put(Bytes cookie) {
  if (cookies_.size() >= kMaxCookies || cookie.empty() || cookie.size() > kMaxCookieSize) {
    return false;
  }
  const auto same = [&](const Place& it) { return std::ranges::equal(it.cookie, cookie); };
  if (std::any_of(cookies_.begin(), cookies_.end(), same)) return false;
  if (handed_out(hash_of(cookie))) return false;
  cookies_.push_back({Cookie(cookie.begin(), cookie.end()), false});
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
