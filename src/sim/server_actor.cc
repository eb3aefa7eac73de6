#include "sim/server_actor.h"

#include <algorithm>
#include <utility>

#include "base/byte_writer.h"
#include "sim/client_leap.h"
#include "sim/distribution.h"

namespace timepool::sim {
namespace {

// Between taking a request and sending the reply.
constexpr Duration kWork = Duration::microseconds(30);

constexpr std::size_t kRepliesRemembered = 1024;

// A kiss in answer to a request: the responder itself has no rate limit.
void make_kiss(std::vector<std::byte>& reply, std::string_view code) {
  ByteReader reader(reply);
  wire::ntp::Header header = wire::ntp::read_header(reader);
  header.leap = wire::ntp::Leap::kUnsynchronised;
  header.stratum = 0;
  header.reference_id = wire::ntp::ReferenceId::from_text(code);
  ByteWriter writer(reply);
  wire::ntp::write_header(header, writer);
}

}  // namespace

ServerActor::ServerActor(World& world, Network& network, const ServerConfig& config)
    : world_(world),
      network_(network),
      config_(config),
      clock_(config.clock, world.start(), MonoTime::from_ns(1 + world.start().ns() / 1000),
             world.random("clock of " + config.name)),
      prng_(world.random("server " + config.name)),
      hostility_(config.tricks, world.random("hostility " + config.name)),
      responder_({config.interleaved ? kRepliesRemembered : 0}),
      nts_(world.random("nts " + config.name).next()) {
  nts_.set_generous(config.nts.generous);
  if (config.nts.loses_keys_at > Duration()) {
    world.after(config.nts.loses_keys_at, [this] { nts_.lose_keys(); });
  }
  if (const auto shape = config.leap.smear_shape)
    smear_.emplace(ntp::LeapSmearConfig{*shape, config.leap.smear});
  network.attach(config.address, *this);
  network.link(config.address, config.link);
}

bool ServerActor::is_down() const {
  const Duration elapsed = world_.elapsed();
  return std::any_of(config_.down.begin(), config_.down.end(),
                     [&](const Window& window) { return window.contains(elapsed); });
}

bool ServerActor::wants_kiss(UnixTime now) {
  const bool soon = last_request_ && now - *last_request_ < config_.kiss_interval;
  last_request_ = now;
  return !config_.kiss.empty() && (soon || config_.kiss_interval == Duration());
}

wire::ntp::ReferenceId ServerActor::reference_id() const {
  if (config_.stratum == 1) return wire::ntp::ReferenceId::from_text("SIM");
  if (!config_.upstream.is_unspecified()) {
    return wire::ntp::ReferenceId::of_address(config_.upstream);
  }
  // 100.64.0.0/10, by the address: nobody's, and different ones for different servers.
  const std::uint64_t hash = std::hash<IpAddress>()(config_.address);
  return wire::ntp::ReferenceId::from_bits(0x64400000 |
                                           static_cast<std::uint32_t>(hash & 0x3fffff));
}

ntp::ClockReading ServerActor::read() {
  ntp::ClockReading out = clock_.read(world_.now());
  const std::optional<ntp::LeapSecond>& leap = world_.leap();
  if (smear_ && leap && out.system >= ntp::moment_of(*leap)) {
    out.system = out.system + ntp::step_of(*leap);
  }
  return out;
}

// As ntpd/served_state.h.
void ServerActor::smear(ntp::ServerState& state) {
  const std::optional<ntp::LeapTable> table = leap_table({.file = world_.leap()->seconds}, world_);
  state.shift = smear_->shift(read(), {&*table, {}, {}});
  const std::optional<Duration> departure = smear_->departure();
  if (!departure) return;
  state.reference_id = ntp::smear_reference_id(*departure);
  state.root_dispersion += departure->abs();
}

ntp::ServerState ServerActor::state() {
  ntp::ServerState out;
  out.leap = config_.synchronised ? announcement() : wire::ntp::Leap::kUnsynchronised;
  out.stratum = config_.stratum;
  out.precision = -23;
  out.reference_id = reference_id();
  out.root_delay = config_.root_delay;
  out.root_dispersion = config_.root_dispersion;
  out.reference_time = (smear_ ? read().system : world_.now()) - Duration::seconds(10);
  out.test_offset = deceit() + (smear_ ? Duration() : utc_shift());
  if (smear_ && world_.leap()) smear(out);
  return out;
}

Duration ServerActor::deceit() const {
  const Duration since = world_.elapsed() - config_.lie_from;
  if (since < Duration()) return {};
  return config_.lie + Duration::from_seconds(since.to_seconds() * config_.lie_drift_ppm * 1e-6);
}

Duration ServerActor::utc_shift() const {
  const std::optional<ntp::LeapSecond>& leap = world_.leap();
  if (!leap) return {};
  const ServerLeap& own = config_.leap;
  const ntp::LeapSecond applied{leap->at, own.applies.value_or(leap->seconds)};
  if (own.smear == Duration()) {
    return world_.now() < ntp::moment_of(applied) + own.lag ? Duration() : ntp::step_of(applied);
  }
  const Duration since = world_.now() - (applied.at - own.smear / 2);
  const double share = std::clamp(since.to_seconds() / own.smear.to_seconds(), 0.0, 1.0);
  return Duration::from_seconds(share * ntp::step_of(applied).to_seconds());
}

wire::ntp::Leap ServerActor::announcement() const {
  const std::optional<ntp::LeapSecond>& leap = world_.leap();
  if (!leap) return wire::ntp::Leap::kNone;
  const UnixTime now = world_.now();
  // RFC 8633 3.7: on the last day only.
  const bool today = now < leap->at && ntp::next_midnight(now) == leap->at;
  const int seconds = config_.leap.announces.value_or(leap->seconds);
  if (seconds == 0 || !(today || config_.leap.announces_always)) return wire::ntp::Leap::kNone;
  return seconds > 0 ? wire::ntp::Leap::kInsert : wire::ntp::Leap::kDelete;
}

void ServerActor::handle_datagram(const Datagram& datagram) {
  if (is_down()) {
    world_.trace().add(world_.now(), "down", datagram.id);
    return;
  }
  ++requests_;
  if (config_.forged) forge(datagram);
  const ntp::ClockReading now = read();
  std::vector<std::byte> out(wire::ntp::kHeaderSize);
  const ntp::RxInfo rx{now.system, datagram.from, datagram.to};
  const ntp::Service service{state()};
  responder_.begin_batch(service, now.system, now.mono);
  const ntp::Response response = responder_.respond(rx, datagram.bytes, service, out);
  if (response.length > datagram.bytes.size()) {
    violations_.push_back(config_.name + ": reply longer than its request");
  }
  if (response.verdict == ntp::Verdict::kDrop) {
    world_.trace().add(world_.now(), ntp::name_of(response.reason), datagram.id);
    return;
  }
  out.resize(response.length);
  if (wants_kiss(now.system)) make_kiss(out, config_.kiss);
  world_.after(
      kWork + exponential(prng_, kWork),
      [this, outgoing = Outgoing{datagram, response, std::move(out)}] { reply(outgoing); });
}

// One forgery of each kind, sent before the true reply: a guessed origin, none, a kiss.
void ServerActor::forge(const Datagram& request) {
  ntp::ServerState false_time = state();
  false_time.test_offset = Duration::seconds(100);
  std::vector<std::byte> reply(wire::ntp::kHeaderSize);
  const ntp::RxInfo rx{world_.now(), request.from, request.to};
  for (int kind = 0; kind < 3; ++kind) {
    std::vector<std::byte> guess = request.bytes;
    guess.resize(wire::ntp::kHeaderSize);
    const std::uint64_t bits = kind == 1 ? 0 : prng_.next();
    wire::ntp::set_transmit(guess, NtpTimestamp::from_bits(bits));
    ntp::respond(rx, guess, false_time, reply);
    ntp::set_transmit(reply, false_time, world_.now());
    if (kind == 2) make_kiss(reply, "DENY");
    network_.send({0, 0, request.to, request.from, reply});
  }
}

void ServerActor::reply(Outgoing out) {
  const ntp::Service service{state()};
  const ntp::ClockReading now = read();
  responder_.begin_batch(service, now.system, now.mono);
  responder_.finish(out.response, service, now.system, out.bytes);
  if (config_.nts.on) prove(out.request, out.bytes);
  if (out.bytes.empty()) return;
  if (hostility_.any()) {
    play_tricks(out.request, out.bytes);
    return;
  }
  if (config_.send_latency == Duration()) return leave(std::move(out));
  world_.after(exponential(prng_, config_.send_latency),
               [this, outgoing = std::move(out)] { leave(outgoing); });
}

ntp::EstablishmentResult ServerActor::establish(const std::string& name,
                                                const nts::DateRule& dates) {
  ++establishments_;
  ntp::EstablishmentResult out;
  const std::string& own = config_.nts.certificate;
  if (!config_.nts.on || (!own.empty() && own != name)) return out;
  nts::CertificateDates certificate;
  certificate.judged = dates.judged;
  if (config_.nts.holds_from) certificate.not_before = world_.start() + *config_.nts.holds_from;
  if (config_.nts.holds_until) certificate.not_after = world_.start() + *config_.nts.holds_until;
  if (!certificate.satisfy(dates)) return out;
  out.certificate = certificate;
  out.established = true;
  out.keys = nts_.establish();
  const bool itself = config_.nts.names.is_unspecified();
  out.server = {itself ? config_.address : config_.nts.names, wire::ntp::kNtpPort, 0};
  return out;
}

// What has no NTS is answered as it is.
void ServerActor::prove(const Datagram& request, std::vector<std::byte>& reply) {
  if (request.bytes.size() <= wire::ntp::kHeaderSize) return;
  const std::vector<std::byte> plain = reply;
  reply = keys_->answer(request.bytes, plain);
  if (!reply.empty()) spoof_naks(request, plain);
}

void ServerActor::spoof_naks(const Datagram& request, const std::vector<std::byte>& reply) {
  const auto packet = wire::ntp::parse_packet(request.bytes);
  const auto* id = packet->field(wire::ntp::field_type::kUniqueIdentifier);
  std::vector<std::byte> copied(id->body.begin(), id->body.end());
  if (!config_.nts.naks_on_path && !config_.nts.naks_off_path) return;
  if (!config_.nts.naks_on_path) copied[0] ^= std::byte{1};
  const auto nak = nts::fake::TestServer::nak(reply, copied);
  for (int i = 0; i < 5; ++i) network_.send({0, 0, request.to, request.from, nak});
}

void ServerActor::leave(Outgoing out) {
  responder_.sent(out.response, {state()}, read().system);
  network_.send({0, out.request.id, out.request.to, out.request.from, std::move(out.bytes)});
}

void ServerActor::play_tricks(const Datagram& request, const std::vector<std::byte>& honest) {
  for (HostileSending& sending : hostility_.play(honest, world_.now())) {
    const std::uint64_t cause = sending.answers ? request.id : 0;
    world_.after(sending.delay, [this, cause, from = request.to, to = request.from,
                                 bytes = std::move(sending.bytes)] {
      network_.send({0, cause, from, to, bytes});
    });
  }
}

}  // namespace timepool::sim
