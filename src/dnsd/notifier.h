// Notifier: tells other name servers that a zone changed (RFC 1996), again until they answer, with
// a thread of its own. Its methods are for any thread.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "dns/transfer/notify_queue.h"
#include "dnsd/transfers.h"
#include "sys/fd.h"
#include "sys/log.h"

namespace timepool::dnsd {

struct NotifierCounts {
  std::uint64_t sent = 0;      // each try
  std::uint64_t answered = 0;  // notices taken note of
  std::uint64_t refused = 0;   // answered with an error
  std::uint64_t given_up = 0;
};

class Notifier {
 public:
  // Errors: the system has no more descriptors.
  static Result<std::unique_ptr<Notifier>> create(const config::DnsdTransferConfig& config,
                                                  sys::Logger& logger);
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  // Begins to tell. What was added before waits until then.
  void start();
  void add(const std::vector<std::shared_ptr<const dns::ZoneVersion>>& zones);
  // What is being told to targets of before is forgotten.
  void reconfigure(const config::DnsdTransferConfig& config);
  NotifierCounts counts() const;

 private:
  struct Target {
    Endpoint address;
    const dns::TsigKey* key = nullptr;
    std::set<std::string> zones;  // zone_key(); empty: all
  };
  // What the last notice of a zone to a target was proved with.
  using ProofKey = std::pair<std::size_t, std::string>;

  explicit Notifier(sys::Logger& logger) : logger_(logger) {}
  void configure(const config::DnsdTransferConfig& config);
  void wake();
  void run();
  void send_due();
  void send(const dns::NotifyQueue::Notice& notice);
  void receive(int socket);
  void take(const Endpoint& from, Bytes message);
  void finish(std::size_t target, const dns::NotifyQueue::Notice& notice, unsigned rcode);

  sys::Logger& logger_;
  sys::Fd wake_;
  sys::Fd v4_;
  sys::Fd v6_;  // none where the system has no IPv6
  std::mutex mutex_;
  std::shared_ptr<const TransferRules> rules_;  // the keys are in it
  std::vector<Target> targets_;
  dns::NotifyQueue queue_;
  std::map<ProofKey, dns::TsigMac> proofs_;
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> sent_{0};
  std::atomic<std::uint64_t> answered_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> given_up_{0};
  std::thread thread_;
};

}  // namespace timepool::dnsd
