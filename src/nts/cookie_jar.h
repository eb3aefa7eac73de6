// CookieJar: the cookies of one session, each of which is handed out at most once (RFC 8915 5.7,
// 9.1: a cookie that is seen twice links what a client did), and the keys that they stand for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "base/ring_buffer.h"
#include "nts/establishment.h"

namespace timepool::nts {

class CookieJar {
 public:
  // Cookies that are no use (see put()) are left out.
  explicit CookieJar(const Establishment& establishment);

  const SessionKeys& keys() const { return keys_; }
  // The same cookies stand for these keys after all (Establishment::other_keys).
  void set_keys(const SessionKeys& keys) { keys_ = keys; }
  std::size_t size() const { return cookies_.size(); }
  bool empty() const { return cookies_.empty(); }
  // The oldest; nothing when there is none. It is gone from the jar.
  std::optional<Cookie> take();
  // One that take() gave, and that was not sent after all.
  void give_back(Cookie cookie);
  // A new one. False when the jar is full, the cookie is empty or longer than kMaxCookieSize, or it
  // is one of those here, or one of the last that were handed out.
  bool put(Bytes cookie);
  // The oldest first; for saving. They are still here, so the caller must not go on with this jar.
  const std::deque<Cookie>& cookies() const { return cookies_; }

 private:
  static constexpr std::size_t kRemembered = 32;
  bool handed_out(std::uint64_t hash) const;

  SessionKeys keys_;
  std::deque<Cookie> cookies_;  // at most kMaxCookies
  RingBuffer<std::uint64_t, kRemembered> handed_out_;
};

// How many placeholders the request with a cookie of this size needs so that kMaxCookies are there
// after its answer, when `left` stay in the jar, and how many of them fit `room` octets beside it
// (RFC 8915 5.5, 5.7).
std::size_t placeholders_wanted(std::size_t left, std::size_t cookie_size, std::size_t room);

}  // namespace timepool::nts
