// SigningKeeper: the thread that signs. It takes the newest zones and keys, gives them back with
// their signatures, and goes on making anew what ages and what is drawn by weight, at the lowest
// priority. Methods may be called from any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "config/dnsd_dnssec.h"
#include "dns/signed/signed_zones.h"
#include "dnsd/signing_round.h"
#include "dnssec/zone_keys.h"
#include "sys/log.h"

namespace timepool::dnsd {

// What [dnssec] says of signatures.
dns::SigningOptions signing_options(const config::DnsdDnssecConfig& config);

struct SigningReport {
  std::size_t sets = 0;   // record sets with an owner, NSEC and keys among them
  std::size_t drawn = 0;  // those whose answers are drawn ahead
  std::size_t missing = 0;
  std::uint64_t signatures = 0;  // ever made
  std::uint64_t failures = 0;
  std::uint64_t published = 0;   // versions that were handed on
  std::size_t memory = 0;        // bytes of what is handed on
  double behind_s = 0;           // how long a draw is over its time, at worst
  double last_first_pass_s = 0;  // from new zones or keys to their first signed version
  std::uint32_t oldest = 0;      // Unix time of the oldest signature
  std::vector<std::string> problems;
};

class SigningKeeper {
 public:
  // Gets zones with their signatures; null: nothing of them is to be signed. Called from one thread
  // at a time, and never while a method of this object runs in its caller.
  using Publish = std::function<void(std::shared_ptr<const dns::CompiledZones>,
                                     std::shared_ptr<const dns::SignedZones>)>;

  SigningKeeper(dns::SigningOptions options, sys::Logger& logger, Publish publish);
  ~SigningKeeper();
  SigningKeeper(const SigningKeeper&) = delete;
  SigningKeeper& operator=(const SigningKeeper&) = delete;

  // False: none of these zones is to be signed, and the caller publishes them itself, without
  // delay. True: they are published when they are signed.
  bool take_zones(std::shared_ptr<const dns::CompiledZones> zones);
  // Of every zone that is to be signed; null where it has none yet.
  void take_keys(std::shared_ptr<const dnssec::KeysByZone> keys);
  void take_options(const dns::SigningOptions& options);

  // Signs in the calling thread until there is a first version, so that a server's first answers
  // are signed, but not much longer than `at_most`. Only before start().
  void settle(Duration at_most = Duration::max());
  // Nothing when it has started already.
  void start();

  SigningReport report() const;

 private:
  void run();
  // One turn of the loop; when to come back.
  MonoTime turn();
  void publish(const SigningRound::Clocks& now);
  void put_totals(const SigningRound::Totals& totals);  // under mutex_
  bool has_keys_for(const dns::CompiledZones& zones) const;

  sys::Logger& logger_;
  const Publish publish_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Under mutex_.
  std::shared_ptr<const dns::CompiledZones> zones_;
  std::shared_ptr<const dnssec::KeysByZone> keys_;
  dns::SigningOptions options_;
  std::uint64_t generation_ = 0;  // of the inputs
  bool stop_ = false;
  SigningReport report_;
  // Of the signing thread alone.
  SigningRound round_;
  std::uint64_t turned_to_ = 0;  // generation
  MonoTime turned_at_;
  MonoTime published_at_;
  MonoTime reported_at_;
  bool unpublished_ = false;
  bool first_pass_ = false;
  bool ever_signed_ = false;
  std::vector<std::string> told_;

  std::thread thread_;
};

}  // namespace timepool::dnsd
