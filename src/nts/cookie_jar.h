// CookieJar: the cookies of one session, each of which is handed out at most once (RFC 8915 5.7,
// 9.1: a cookie that is seen twice links what a client did), and the keys that they stand for.
//
// Some of them may be written down for a later run, and such a run may follow on a crash at any
// moment: so one that is written down may not be sent before the disk was written again without it.
// The jar hands out others as long as it has some, and says when it has not (docs/adr/0038).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

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
  // The oldest of those that are not written down, else the oldest of all; nothing when there is
  // none. It is gone from the jar.
  std::optional<Cookie> take();
  // One that take() gave, and that was not sent after all.
  void give_back(Cookie cookie);
  // A new one. False when the jar is full, the cookie is empty or longer than kMaxCookieSize, or it
  // is one of those here, or one of the last that were handed out.
  bool put(Bytes cookie);
  // The newest `count`, or all: to be written down. The oldest of them first.
  std::vector<Cookie> newest(std::size_t count) const;
  // The newest `count` and no others are written down from now on.
  void set_written(std::size_t count);
  // take() gave one that is written down, as far as is known.
  bool owes_write() const { return owes_write_; }
  // Those that are written down are lost, since the disk can't be written any more.
  void lose_written();
  // Octets of the one that take() would give; 0 when there is none.
  std::size_t next_size() const;

 private:
  struct Place {
    Cookie cookie;
    bool written = false;
  };
  static constexpr std::size_t kRemembered = 32;
  bool handed_out(std::uint64_t hash) const;
  std::size_t next() const;

  SessionKeys keys_;
  std::deque<Place> cookies_;  // at most kMaxCookies, the oldest first
  bool owes_write_ = false;
  RingBuffer<std::uint64_t, kRemembered> handed_out_;
};

// How many placeholders the request with a cookie of this size needs so that kMaxCookies are there
// after its answer, when `left` stay in the jar, and how many of them fit `room` octets beside it
// (RFC 8915 5.5, 5.7).
std::size_t placeholders_wanted(std::size_t left, std::size_t cookie_size, std::size_t room);

}  // namespace timepool::nts
