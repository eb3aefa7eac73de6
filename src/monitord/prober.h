// Prober: asks servers for the time, several at once on one reactor, every sample of each from a
// fresh socket with a random port and kernel timestamps where there are some. What each sample
// brought is reported, not only the best.
#pragma once

#include <cstdint>
#include <functional>

#include "monitord/messages.h"
#include "monitord/turns.h"
#include "net/reactor.h"
#include "ntp/random_stream.h"
#include "sys/log.h"

namespace timepool::monitord {

class Prober {
 public:
  struct Options {
    int max_parallel = 64;
    Duration spacing = Duration::seconds(2);
    Duration timeout = Duration::seconds(3);
  };
  // Gets the samples in their order. Empty when the fault was ours (no socket to be had, our clock
  // stepped in between): then there is nothing to say about the server.
  using Done = std::function<void(std::vector<Sample>)>;

  Prober(net::Reactor& reactor, const Options& options, const SiphashKey& random_key,
         sys::Logger& log);
  ~Prober();

  // Starts now or when one of the others is over. `done` is called once, from the reactor.
  void probe(const Endpoint& server, int samples, Done done);
  std::size_t outstanding() const { return turns_.outstanding(); }

 private:
  class Probe;
  struct Waiting {
    Endpoint server;
    int samples;
    Done done;
  };

  void finish(std::uint64_t id, Done done, std::vector<Sample> samples);

  net::Reactor& reactor_;
  Options options_;
  ntp::RandomStream random_;
  std::int8_t precision_;
  sys::Logger& log_;
  // No more wait than one answer of the manager brings (kMaxWork): while there are max_parallel,
  // the monitor asks for no other.
  Turns<Waiting, Probe> turns_;
};

}  // namespace timepool::monitord
