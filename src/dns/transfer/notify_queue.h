// NotifyQueue: who is to be told of which zone's change (RFC 1996), when to tell it again, and when
// to give up. Sends nothing itself. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/time.h"
#include "dns/transfer/transfer.h"

namespace timepool::dns {

class NotifyQueue {
 public:
  // RFC 1996 3.6 proposes five more tries a minute apart; here they come sooner and ever later:
  // after 2, 4, 8, 16 and 32 seconds, and the last one is waited for as long.
  static constexpr int kTries = 6;
  static constexpr Duration kFirstWait = Duration::seconds(2);
  static constexpr std::size_t kMaxPending = 65'536;

  struct Notice {
    std::size_t target = 0;
    std::shared_ptr<const ZoneVersion> zone;
    std::uint16_t id = 0;
    int tries = 0;  // sent so far
  };

  // A newer change of the same zone takes the place of one that is still being told. False when
  // there is no room.
  bool add(std::size_t target, std::shared_ptr<const ZoneVersion> zone, std::uint16_t id,
           MonoTime now);
  // At most `most` notices to send now, each counted as sent; those that no try is left for are in
  // `given_up`.
  std::vector<Notice> due(MonoTime now, std::size_t most, std::vector<Notice>& given_up);
  // When the next one is due; nullopt: nothing is to be told.
  std::optional<MonoTime> next() const;
  // The notice that an answer with this id from `target` is to, with the zone's name.
  const Notice* find(std::size_t target, const wire::dns::DnsName& zone, std::uint16_t id) const;
  void done(std::size_t target, const wire::dns::DnsName& zone);
  // Forgets everything: the targets are others now.
  void clear() { pending_.clear(); }
  std::size_t size() const { return pending_.size(); }

 private:
  struct Pending {
    Notice notice;
    MonoTime at;
    Duration wait = kFirstWait;
  };
  // By target and the zone's name in wire form.
  using Key = std::pair<std::size_t, std::vector<std::byte>>;
  static Key key_of(std::size_t target, const wire::dns::DnsName& zone);

  std::map<Key, Pending> pending_;
};

}  // namespace timepool::dns
