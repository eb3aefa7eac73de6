// Source: one configured server or pool: its settings, the addresses of its name
// (ntp/address_book.h), and when the name is looked up again (F3, F12). A literal has no look-ups
// and no failover (F9). The associations are the Population's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/ip.h"
#include "base/ring_buffer.h"
#include "ntp/address_book.h"
#include "ntp/candidate.h"
#include "ntp/estimator.h"
#include "ntp/local_time.h"
#include "ntp/nts_source.h"
#include "ntp/outbox.h"
#include "ntp/poll_schedule.h"
#include "ntp/sample_filter.h"

namespace timepool::ntp {

inline constexpr std::size_t kDefaultPoolAddresses = 4;  // F4
inline constexpr std::size_t kMaxPoolAddresses = 16;

enum class SourceKind : std::uint8_t { kServer, kPool, kPeer, kRefclock, kBroadcast };

// "server", "pool", "peer", "refclock", "broadcast".
std::string_view name_of(SourceKind kind);

// Whose broadcasts count (RFC 8633 5.5), and how far they are.
struct BroadcastConfig {
  std::vector<Prefix> from;
  Duration way;  // of one, from the server to here; zero: it is measured

  bool operator==(const BroadcastConfig&) const = default;
};

struct SourceConfig {
  SourceKind kind = SourceKind::kServer;
  std::string name;  // a DNS name or an address literal; of broadcasts, where they are listened for
  std::uint16_t port = wire::ntp::kNtpPort;
  FamilyChoice family = FamilyChoice::kBoth;
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
  SelectOptions select;
  // What of its samples is kept.
  Duration max_delay = Duration::seconds(3);
  SampleFilterConfig filter;
  std::size_t min_samples = 1;
  std::size_t max_samples = kMaxSamples;
  // Its replies are to be proved: the authenticator that the SourceSet is given makes it true.
  bool authenticated = false;
  // The symmetric key that proves them, if one does (0: none), and which key of that number:
  // another key is another source, since what it measured was proved by the one that is gone.
  std::uint32_t key = 0;
  std::uint64_t key_generation = 0;
  BroadcastConfig broadcast;  // of that kind
  // Its servers prove themselves by NTS: then `authenticated` is true as well.
  NtsSettings nts;
  // Of a server that a pool's SRV record named, or of such a pool's own name: the pool. The
  // SourceSet makes these by itself (ntp/service_pools.h).
  SourceId pool = kNoSource;

  bool operator==(const SourceConfig&) const = default;
};

// Whether these are two settings of the same source: who is asked and by what protocol, not how
// often or what for.
bool same_source(const SourceConfig& a, const SourceConfig& b);
// The first limit that the settings break, as a text; empty when there is none.
std::string broken_limit(const SourceConfig& config);

class Source {
 public:
  Source(SourceId id, const SourceConfig& config, MonoTime now);

  SourceId id() const { return id_; }
  const SourceConfig& config() const { return config_; }
  // Other settings of the same source. What is known of its addresses stays.
  void change(const SourceConfig& config, MonoTime now);
  // Whether its servers are asked from the start of each on.
  void set_online(bool online) { config_.poll.online = online; }
  // No look-ups and no failover: an address, or whoever broadcasts.
  bool is_literal() const { return literal_; }
  // Its name has SRV records, whose targets are sources of their own: it has no associations.
  bool finds_services() const { return config_.nts.lookup != ServerLookup::kAddresses; }
  bool listens() const { return config_.kind == SourceKind::kBroadcast; }
  // How many associations it wants.
  std::size_t wanted() const;
  const AddressBook& addresses() const { return addresses_; }
  // Addresses of the latest answer that are no server's (AddressFault).
  std::size_t ignored() const { return ignored_; }

  // When the name is to be looked up; MonoTime::max() for a literal.
  MonoTime next_resolve() const { return literal_ ? MonoTime::max() : next_resolve_; }
  // A look-up begins. When no answer comes, the next one is due after the back-off.
  void resolving(MonoTime now);
  // The answer; `addresses` may be empty (a failure).
  void handle_addresses(MonoTime now, std::span<const IpAddress> addresses,
                        std::span<const Endpoint> ours = {});
  // The name is no more: DNS says that it has no address. How often it said so in a row.
  void handle_gone(MonoTime now);
  unsigned gone() const { return gone_; }
  // finds_services(): the answer, and whether it was of use; and that enough servers are in use.
  void handle_services(MonoTime now, bool found);
  void have_enough();
  // Look up as soon as the back-off allows: an address failed and there is no other, or there are
  // too few.
  void want_resolve(MonoTime now);
  // The network is back: what was tried before says nothing.
  void forget_back_off(MonoTime now);
  // No look-up has succeeded yet, and it has not failed so often that it need not be waited for.
  // With NTS: nor has any key establishment ended.
  bool undecided() const {
    if (attempts_ >= kUndecidedAttempts) return false;
    return config_.nts.required ? awaits_keys_ : !literal_ && !resolved_;
  }
  // A key establishment with one of its servers ended, well or not, or is not needed.
  void handle_keys() { awaits_keys_ = false; }
  // Others of its pool give time already: nobody waits for it.
  void come_late() {
    late_ = true;
    awaits_keys_ = false;
  }
  bool late() const { return late_; }
  // Whether it gave keys; in a row, since the last that did, how many gave none.
  void count_keys(bool established) { keyless_ = established ? 0 : keyless_ + 1; }
  unsigned keyless() const { return keyless_; }
  // Look-ups since the last that found something.
  unsigned lookups_in_vain() const { return in_vain_; }
  // When the last look-up began, and when the last that found something ended; the latter is empty
  // before there is one.
  MonoTime last_resolve() const { return last_resolve_; }
  std::optional<MonoTime> resolved_at() const { return resolved_at_; }
  // When the last that found nothing ended.
  std::optional<MonoTime> unresolved_at() const { return unresolved_at_; }
  // An address that an earlier run used: as if a look-up had once had it.
  void remember(const IpAddress& address) { addresses_.remember(address); }
  // Address of its book that is to be used.
  bool uses(const IpAddress& address) const { return addresses_.in_use(address); }

  // As those of the AddressBook, for the port and besides for the timing of look-ups.
  std::optional<IpAddress> next_address(AddressWish wish) const;
  void use(const IpAddress& address, MonoTime now);
  void drop(const IpAddress& address, MonoTime now, DropCause cause);
  void answered(const ServerIdentity& server, MonoTime now);

  // Broadcasts: an address that wants to be used.
  void hear(const IpAddress& address, MonoTime now);
  // Of a broadcast that is proved. False when one with this time of sending was there lately: the
  // proof says nothing of the address that it comes from.
  bool is_new_broadcast(NtpTimestamp transmit) const;
  void note_broadcast(NtpTimestamp transmit) { broadcasts_.push_back(transmit); }

  // Whether an address may be left though nobody can tell that it is dead: the first few times at
  // once, then at longer and longer intervals until something answers.
  bool may_leave_unproven(MonoTime now) const { return now >= next_unproven_; }

 private:
  static constexpr unsigned kUndecidedAttempts = 4;
  static constexpr std::size_t kRememberedBroadcasts = 64;

  SourceId id_;
  SourceConfig config_;
  bool literal_ = false;
  AddressBook addresses_;
  std::size_t ignored_ = 0;
  RingBuffer<NtpTimestamp, kRememberedBroadcasts> broadcasts_;
  MonoTime next_resolve_;
  MonoTime last_resolve_;
  MonoTime last_reset_;  // of the back-off
  bool resolved_ = false;
  std::optional<MonoTime> resolved_at_;
  std::optional<MonoTime> unresolved_at_;
  bool awaits_keys_ = true;
  bool wanting_ = true;  // the next look-up is more than the regular one
  unsigned attempts_ = 0;
  unsigned gone_ = 0;
  unsigned in_vain_ = 0;
  unsigned keyless_ = 0;
  bool late_ = false;
  Duration backoff_;
  unsigned left_unproven_ = 0;
  MonoTime next_unproven_;
};

}  // namespace timepool::ntp
