// Source: one configured server or pool and the addresses of its name. It decides which address is
// used next; the associations themselves are the SourceSet's.
//
// The rules of failover (the note "Failing-over DNS Server Addresses"): F1 all addresses are kept
// with the name, F2 the next unused one is taken on failure, F3 a new query is made when all were
// used, F8 no TTL is looked at, F9 a literal has no failover, F11 an address that was dropped comes
// last.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/ip.h"
#include "ntp/local_time.h"
#include "ntp/outbox.h"
#include "ntp/poll_schedule.h"

namespace timepool::ntp {

// More addresses of one name are not kept.
inline constexpr std::size_t kMaxAddresses = 64;
inline constexpr std::size_t kDefaultPoolAddresses = 4;  // F4
inline constexpr std::size_t kMaxPoolAddresses = 16;

enum class SourceKind : std::uint8_t { kServer, kPool };

struct SourceConfig {
  SourceKind kind = SourceKind::kServer;
  std::string name;  // a DNS name or an address literal
  std::uint16_t port = wire::ntp::kNtpPort;
  PollConfig poll;
  std::uint8_t version = 4;
  bool interleaved = false;  // RFC 9769
  // F4: how many addresses are used at once; 0 is 4 for a pool and 1 for a server.
  std::size_t max_addresses = 0;
  // F5, F6: unanswered requests in a row before the next address is taken, for an address that
  // never answered and for one that did; 0 is never.
  std::uint32_t initial_failover_retry_limit = 8;
  std::uint32_t server_failure_retry_limit = 8;
  // Between two look-ups of a name that has too few working addresses, doubling; and F12 between
  // two of one that has enough.
  Duration resolve_min = Duration::seconds(4);
  Duration resolve_max = Duration::seconds(1024);
  Duration resolve_refresh = Duration::seconds(3600);
};

class Source {
 public:
  Source(SourceId id, const SourceConfig& config, MonoTime now);

  SourceId id() const { return id_; }
  const SourceConfig& config() const { return config_; }
  bool is_literal() const { return literal_; }
  // How many associations it wants.
  std::size_t wanted() const;

  // When the name is to be looked up; MonoTime::max() for a literal.
  MonoTime next_resolve() const { return literal_ ? MonoTime::max() : next_resolve_; }
  // A look-up begins. When no answer comes, the next one is due after the back-off.
  void resolving(MonoTime now);
  // The answer; `addresses` may be empty (a failure). Those in use stay whether listed or not (F8).
  void handle_addresses(MonoTime now, std::span<const IpAddress> addresses);
  // Look up as soon as the back-off allows: an address failed and there is no other, or there are
  // too few.
  void want_resolve(MonoTime now);
  // No look-up has succeeded yet, and it has not failed so often that it need not be waited for.
  bool undecided() const { return !literal_ && !resolved_ && attempts_ < kUndecidedAttempts; }

  // The next address to use, or nullptr: never used ones in the order of the answer, then the one
  // that failed longest ago, if it was listed again since.
  const IpAddress* next_address() const;
  // The same without those that failed: for an exchange that is no emergency (F11).
  const IpAddress* next_unused_address() const;
  void use(const IpAddress& address);
  void drop(const IpAddress& address, MonoTime now);

 private:
  enum class State : std::uint8_t { kUnused, kInUse, kFailed };
  struct Entry {
    IpAddress address;
    State state = State::kUnused;
    bool listed = true;  // in the latest answer
    MonoTime failed;
  };
  static constexpr unsigned kUndecidedAttempts = 4;
  Entry* find(const IpAddress& address);
  bool enough_in_use() const;

  SourceId id_;
  SourceConfig config_;
  bool literal_ = false;
  std::vector<Entry> entries_;
  MonoTime next_resolve_;
  MonoTime last_resolve_;
  MonoTime last_answer_;
  bool resolved_ = false;
  bool wanting_ = true;  // the next look-up is more than the regular one
  unsigned attempts_ = 0;
  Duration backoff_;
};

}  // namespace timepool::ntp
