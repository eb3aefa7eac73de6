// NtsProber: checks servers' NTS as a client would use it, several at once on one reactor: whether
// the name leads to the server, key establishment (RFC 8915 4) with it, and an authenticated
// exchange with what it names for the time. The first step that fails is the outcome.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/aead.h"
#include "monitord/messages.h"
#include "monitord/name_lookups.h"
#include "monitord/trust_store.h"
#include "monitord/turns.h"
#include "ntp/random_stream.h"
#include "nts_client/key_client.h"
#include "sys/log.h"

namespace timepool::monitord {

class NtsProber {
 public:
  struct Options {
    int max_parallel = 64;
    Duration key_timeout = Duration::seconds(5);
    Duration spacing = Duration::seconds(2);         // of NTP requests
    Duration answer_timeout = Duration::seconds(3);  // of each
    bool look_up = true;
    std::vector<Endpoint> resolvers = {};  // empty: the system's
    std::map<std::string, std::string> trust = {};
  };
  // A request that is lost is nobody's fault, three are.
  static constexpr int kTries = 3;
  // Nothing when the fault was ours: then there is nothing to say about the server.
  using Done = std::function<void(std::optional<NtsResult>)>;

  // The references must outlive it. Errors: those of setting up a resolver
  // and of reading the files of roots.
  static Result<std::unique_ptr<NtsProber>> create(net::Reactor& reactor, Options options,
                                                   const AeadMaker& aeads,
                                                   const SiphashKey& random_key, sys::Logger& log);
  ~NtsProber();

  // Starts now or when one of the others is over; the first NTP request goes out `spacing` after
  // that at the earliest. `done` is called once, from the reactor.
  void check(const IpAddress& server, const NtsWork& work, Done done);
  std::size_t outstanding() const { return turns_.outstanding(); }

 private:
  class Check;
  struct Waiting {
    IpAddress server;
    NtsWork work;
    Done done;
  };

  NtsProber(net::Reactor& reactor, Options options, std::unique_ptr<NameLookups> lookups,
            const AeadMaker& aeads, const SiphashKey& random_key, sys::Logger& log);
  void finish(std::uint64_t id, Done done, std::optional<NtsResult> result);
  // So often at the most.
  static constexpr Duration kWarnings = Duration::seconds(60);
  void note_own_fault(const std::string& text);

  net::Reactor& reactor_;
  Options options_;
  std::unique_ptr<NameLookups> lookups_;
  const AeadMaker& aeads_;
  TrustStore trust_;
  nts_client::KeyClient keys_;
  ntp::RandomStream random_;
  std::int8_t precision_;
  sys::Logger& log_;
  MonoTime next_warning_;
  // No more wait than one answer of the manager brings (kMaxWork): while there are max_parallel,
  // the monitor asks for no other.
  Turns<Waiting, Check> turns_;
};

}  // namespace timepool::monitord
