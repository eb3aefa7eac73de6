// Accounting: how often each server of each zone was handed out and how each zone's queries ended,
// over all snapshots since the start. Each snapshot that is served has a Tally; when another takes
// its place nothing is lost: the old one is read until no worker has it any more. Any thread.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/ip.h"
#include "dnsd/tally.h"

namespace timepool::dnsd {

struct ServerCount {
  std::string zone;
  IpAddress address;
  std::uint64_t handed = 0;
};

struct ZoneCount {
  std::string zone;
  std::array<std::uint64_t, kZoneEnds> queries{};
  std::uint64_t handed = 0;  // records of its pools
};

class Accounting {
 public:
  // Servers of zones that are counted apart, about 100 bytes each; what comes beyond is counted for
  // its zone alone.
  static constexpr std::size_t kMaxServers = 1'000'000;

  // `lanes` threads count. The counters of 32 bits wrap: collect() at least every four minutes, at
  // ten million a second.
  explicit Accounting(std::size_t lanes) : lanes_(lanes) {}

  // The tally of a snapshot that is going to be served.
  std::shared_ptr<Tally> begin(std::shared_ptr<const dns::CompiledZones> zones);
  // Takes in what was counted since the last time.
  void collect();

  // As of the last collect(), all that ever were, by zone and address.
  std::vector<ZoneCount> zones() const;
  std::vector<ServerCount> servers() const;
  // The `most` that were handed out most, over all zones, and how many records were handed out.
  struct Top {
    std::uint64_t all = 0;
    std::vector<ServerCount> servers;  // zone is empty
  };
  Top top(std::size_t most) const;

  // What was handed out and not yet taken, of `most` servers of zones; each count is given once.
  std::vector<ServerCount> take(std::size_t most);

 private:
  static constexpr std::uint32_t kNone = 0xffff'ffff;
  struct Key {
    std::uint32_t zone = 0;
    IpAddress address;
    auto operator<=>(const Key&) const = default;
  };
  struct Server {
    std::uint64_t handed = 0;
    std::uint64_t taken = 0;  // of it
  };
  struct Live {
    std::shared_ptr<Tally> tally;
    std::vector<std::uint32_t> zones;        // its zone's index in zones_
    std::vector<std::uint32_t> record_zone;  // of each record, that index
    std::vector<Server*> servers;            // of each record; null beyond kMaxServers
    std::vector<std::uint32_t> last_records;
    std::vector<std::uint32_t> last_queries;
  };
  std::uint32_t zone_index(const std::string& name);
  Server* server(std::uint32_t zone, const IpAddress& address);
  void collect(Live& live);

  mutable std::mutex mutex_;
  std::size_t lanes_;
  std::vector<ZoneCount> zones_;
  std::unordered_map<std::string, std::uint32_t> zone_indexes_;
  std::map<Key, Server> servers_;  // nodes stay where they are
  std::vector<Live> live_;
};

}  // namespace timepool::dnsd
