#include "sim/server_actor.h"

#include <algorithm>
#include <utility>

#include "base/byte_writer.h"
#include "sim/distribution.h"

namespace timepool::sim {
namespace {

// Between taking a request and sending the reply.
constexpr Duration kWork = Duration::microseconds(30);

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
      prng_(world.random("server " + config.name)) {
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

ntp::ServerState ServerActor::state() const {
  ntp::ServerState out;
  out.leap = config_.synchronised ? wire::ntp::Leap::kNone : wire::ntp::Leap::kUnsynchronised;
  out.stratum = config_.stratum;
  out.precision = -23;
  out.reference_id = wire::ntp::ReferenceId::from_text("SIM");
  out.root_delay = config_.root_delay;
  out.root_dispersion = config_.root_dispersion;
  out.reference_time = world_.now() - Duration::seconds(10);
  out.test_offset = config_.lie;
  return out;
}

void ServerActor::handle_datagram(const Datagram& datagram) {
  if (is_down()) {
    world_.trace().add(world_.now(), "down", datagram.id);
    return;
  }
  ++requests_;
  if (config_.forged) forge(datagram);
  const ntp::LocalTime now = clock_.read(world_.now());
  std::vector<std::byte> out(wire::ntp::kHeaderSize);
  const ntp::RxInfo rx{now.unix, datagram.from, datagram.to};
  const ntp::Response response = ntp::respond(rx, datagram.bytes, state(), out);
  if (response.length > datagram.bytes.size()) {
    violations_.push_back(config_.name + ": reply longer than its request");
  }
  if (response.verdict == ntp::Verdict::kDrop) {
    world_.trace().add(world_.now(), ntp::name_of(response.reason), datagram.id);
    return;
  }
  out.resize(response.length);
  if (wants_kiss(now.unix)) make_kiss(out, config_.kiss);
  world_.after(kWork + exponential(prng_, kWork), [this, datagram, out] { reply(datagram, out); });
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

void ServerActor::reply(const Datagram& request, std::vector<std::byte> bytes) {
  ntp::set_transmit(bytes, state(), clock_.read(world_.now()).unix);
  network_.send({0, request.id, request.to, request.from, std::move(bytes)});
}

}  // namespace timepool::sim
