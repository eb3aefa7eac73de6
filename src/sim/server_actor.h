// ServerActor: a server made of ntp/responder, a clock of its own, and the ways in which a server
// can be bad.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ntp/leap_smear.h"
#include "ntp/nts_source.h"
#include "ntp/server/responder.h"
#include "nts/testing_server.h"
#include "sim/clock.h"
#include "sim/hostility.h"
#include "sim/network.h"

namespace timepool::sim {

// What a server makes of the world's leap second.
struct ServerLeap {
  // Seconds that it announces on the last day, or always; what is true without.
  std::optional<int> announces;
  bool announces_always = false;
  // Seconds that it applies; what is true without.
  std::optional<int> applies;
  Duration lag;    // after the leap; negative: before it
  Duration smear;  // spread evenly over this time, the leap in its middle
  // Spread as timepool-ntpd does it, and said so: without, nothing else tells of the smear.
  std::optional<ntp::SmearShape> smear_shape;
  bool operator==(const ServerLeap&) const = default;
};

// Network Time Security.
struct ServerNts {
  bool on = false;          // it establishes keys, and answers requests under them
  std::string certificate;  // the one name that it has; empty: any
  // The address of the server that the cookies are for; 0.0.0.0: itself.
  IpAddress names;
  Duration loses_keys_at;  // none of the cookies before opens any more; zero: never
  // Its certificate's beginning and end, since the start of the world.
  std::optional<Duration> holds_from;
  std::optional<Duration> holds_until;
  bool generous = true;  // it gives new cookies with answers
  // NTSN to each request, before the true answer: by somebody on the path who copies its unique
  // identifier, or by one who only knows its timestamp.
  bool naks_on_path = false;
  bool naks_off_path = false;
  bool operator==(const ServerNts&) const = default;
};

struct ServerConfig {
  std::string name;
  IpAddress address;
  ClockConfig clock;
  LinkConfig link;
  std::uint8_t stratum = 2;
  IpAddress upstream;  // whom it says that it follows; 0.0.0.0: one that no other follows
  // Added to every time served, from `lie_from` on, growing or shrinking by `lie_drift_ppm` then.
  Duration lie;
  Duration lie_from;
  double lie_drift_ppm = 0;
  Duration root_delay = Duration::milliseconds(2);
  // Honest about its own clock: the scenario's author keeps it above the clock's error.
  Duration root_dispersion = Duration::milliseconds(1);
  bool synchronised = true;
  std::vector<Window> down;  // the host does not answer
  // Mean time from writing the transmit timestamp until the reply leaves: the error of basic mode.
  Duration send_latency;
  bool interleaved = false;  // RFC 9769
  // A kiss of this code for requests that come sooner after the last than `kiss_interval`; for all
  // when that is zero.
  std::string kiss;
  Duration kiss_interval;
  // Somebody off the path who knows every port, but not the request, forges replies to each.
  bool forged = false;
  // What it plays on those who ask; empty: nothing.
  std::vector<Trick> tricks;
  ServerLeap leap;
  ServerNts nts;

  // Whether what it says is true, its clock apart.
  bool honest() const {
    return lie == Duration() && lie_drift_ppm == 0 && tricks.empty() && leap == ServerLeap();
  }
};

class ServerActor final : public Node {
 public:
  ServerActor(World& world, Network& network, const ServerConfig& config);

  void handle_datagram(const Datagram& datagram) override;
  const ServerConfig& config() const { return config_; }
  std::uint64_t requests() const { return requests_; }
  bool is_down() const;
  // What its key establishment gives to who asks for this name.
  ntp::EstablishmentResult establish(const std::string& name, const nts::DateRule& dates);
  // Key establishments that it was asked for, and cookies that came a second time.
  std::uint64_t establishments() const { return establishments_; }
  std::uint64_t cookies_reused() const { return nts_.reused(); }
  void share_keys(ServerActor& other) { other.keys_ = &nts_; }
  // Broken invariants of the responder.
  const std::vector<std::string>& violations() const { return violations_; }

 private:
  void prove(const Datagram& request, std::vector<std::byte>& reply);
  void spoof_naks(const Datagram& request, const std::vector<std::byte>& reply);
  bool wants_kiss(UnixTime now);
  wire::ntp::ReferenceId reference_id() const;
  // The system clock keeps UTC only where a leap second is smeared by ntp/leap_smear.h; else UTC is
  // a part of what it lies by.
  ntp::ClockReading read();
  ntp::ServerState state();
  void smear(ntp::ServerState& state);
  Duration deceit() const;
  // UTC as it takes it to be less the world's time.
  Duration utc_shift() const;
  wire::ntp::Leap announcement() const;
  void forge(const Datagram& request);
  // A reply on its way out.
  struct Outgoing {
    Datagram request;
    ntp::Response response;
    std::vector<std::byte> bytes;
  };
  void reply(Outgoing out);
  void leave(Outgoing out);
  void play_tricks(const Datagram& request, const std::vector<std::byte>& honest);

  World& world_;
  Network& network_;
  ServerConfig config_;
  Clock clock_;
  Prng prng_;
  Hostility hostility_;
  ntp::Responder responder_;
  std::optional<ntp::LeapSmear> smear_;
  std::uint64_t requests_ = 0;
  nts::fake::TestServer nts_;
  nts::fake::TestServer* keys_ = &nts_;  // its own, or those of whoever names it
  std::uint64_t establishments_ = 0;
  std::optional<UnixTime> last_request_;
  std::vector<std::string> violations_;
};

}  // namespace timepool::sim
