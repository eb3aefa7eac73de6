// TransferSigner: the thread that signs zones for other servers (dns/transfer/signed_version.h), at
// the lowest priority. Of a zone that changes again before it was signed the newest is signed.
// Methods are for any thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/time.h"
#include "dns/transfer/signed_version.h"
#include "sys/log.h"

namespace timepool::dnsd {

struct TransferSignerCounts {
  std::uint64_t versions = 0;
  std::uint64_t made = 0;  // signatures
  std::uint64_t kept = 0;  // of the versions before
  std::uint64_t failures = 0;
  std::size_t waiting = 0;  // zones
};

class TransferSigner {
 public:
  // After a zone could not be signed.
  static constexpr Duration kRetry = Duration::seconds(10);

  struct Job {
    std::shared_ptr<const dns::ZoneVersion> data;
    std::shared_ptr<const dnssec::ZoneKeys> keys;
    dnssec::SignatureTimes times;
    std::shared_ptr<const dns::ZoneVersion> before;  // whose signatures may be kept; may be null
  };
  // Gets each signed version, from this object's thread, which holds no lock then.
  using Deliver =
      std::function<void(const std::string& zone, std::shared_ptr<const dns::ZoneVersion>)>;

  TransferSigner(sys::Logger& logger, Deliver deliver);
  ~TransferSigner();
  TransferSigner(const TransferSigner&) = delete;
  TransferSigner& operator=(const TransferSigner&) = delete;

  // What was taken before start() waits until then. As many wait as there are zones at the most.
  void take(const std::string& zone, Job job);
  // The zone is not to be signed any more.
  void drop(const std::string& zone);
  // Nothing when it has started already: a take-over that was given up starts all again.
  void start();
  TransferSignerCounts counts() const;

 private:
  struct Waiting {
    Job job;
    MonoTime at;
  };
  void run();
  // Signs one zone; when the next one is due. `lock` is held before and after, not while it signs.
  MonoTime turn(std::unique_lock<std::mutex>& lock);

  sys::Logger& logger_;
  const Deliver deliver_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Waiting> waiting_;
  bool stop_ = false;
  TransferSignerCounts counts_;
  std::thread thread_;
};

}  // namespace timepool::dnsd
