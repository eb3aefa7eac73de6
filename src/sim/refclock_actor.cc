#include "sim/refclock_actor.h"

#include <algorithm>
#include <utility>

#include "config/codec.h"
#include "sim/distribution.h"
#include "sim/scenario_codec.h"

namespace timepool::sim {
namespace {

// From the event until the client has the reading.
constexpr Duration kLatency = Duration::milliseconds(5);

config::Schema<ntp::SelectOptions> select_schema() {
  using It = ntp::SelectOptions;
  config::Schema<It> out;
  out.field("prefer", &It::prefer, config::boolean(), "As the daemon's setting.")
      .field("trust", &It::trust, config::boolean(), "As the daemon's setting.")
      .field("require", &It::require, config::boolean(), "As the daemon's setting.")
      .field("noselect", &It::noselect, config::boolean(), "As the daemon's setting.");
  return out;
}

}  // namespace

ntp::RefclockConfig RefclockActorConfig::settings() const {
  ntp::RefclockConfig out;
  out.name = name;
  out.reference_id = wire::ntp::ReferenceId::from_text(name);
  out.poll = poll;
  out.filter_length = filter;
  out.delay = delay;
  out.precision = precision;
  out.rate = rate;
  out.lock = lock;
  out.select = select;
  return out;
}

config::Schema<RefclockActorConfig> refclock_actor_schema() {
  using It = RefclockActorConfig;
  config::Schema<It> out;
  const auto poll =
      config::integer<std::int8_t>(ntp::kLowestRefclockPoll, ntp::kHighestRefclockPoll);
  out.required("name", &It::name, config::text(63), "For the other tables.")
      .field("poll", &It::poll, poll, "As the daemon's setting.")
      .field("filter", &It::filter, config::integer<std::size_t>(1, ntp::kMaxRefclockFilter),
             "As the daemon's setting.")
      .field("delay", &It::delay, span(), "As the daemon's setting.")
      .field("precision", &It::precision, span(), "As the daemon's setting.")
      .field("rate", &It::rate, config::integer(1, ntp::kMaxPulseRate), "Readings in a second.")
      .field("lock", &It::lock, config::text(255), "As the daemon's setting.")
      .table("select", &It::select, select_schema(), "Options of the selection.")
      .field("pps", &It::pps, config::boolean(), "It gives pulses.")
      .field("jitter", &It::jitter, span(), "Deviation of a reading.")
      .field("lie", &It::lie, signed_span(), "Its time less the true time.")
      .field("jump_by", &It::jump_by, signed_span(), "Added to that for a while.")
      .field("jump_at", &It::jump_at, span(), "From when.")
      .field("jump_until", &It::jump_until, span(), "Until when.")
      .field("down", &It::down, config::list_of(window()), "It gives nothing.");
  return out;
}

RefclockActor::RefclockActor(World& world, const RefclockActorConfig& config, Read read, Give give)
    : world_(world),
      config_(config),
      read_(std::move(read)),
      give_(std::move(give)),
      prng_(world.random("refclock " + config.name)) {}

void RefclockActor::start() {
  plan(UnixTime::from_seconds(world_.now().seconds() + 1), 0);
}

void RefclockActor::plan(UnixTime second, int part) {
  const int rate = config_.rate;
  world_.at(second + Duration::seconds(1) * part / rate, [this, second, part, rate] {
    tick();
    plan(part + 1 < rate ? second : second + Duration::seconds(1), (part + 1) % rate);
  });
}

Duration RefclockActor::error() {
  const Duration elapsed = world_.elapsed();
  const bool jumped = elapsed >= config_.jump_at && elapsed < config_.jump_until;
  return config_.lie + (jumped ? config_.jump_by : Duration()) +
         Duration::from_seconds(config_.jitter.to_seconds() * normal(prng_));
}

void RefclockActor::tick() {
  const Duration elapsed = world_.elapsed();
  const bool down = std::any_of(config_.down.begin(), config_.down.end(),
                                [elapsed](const Window& it) { return it.contains(elapsed); });
  if (down) return;
  const Duration wrong = error();
  ntp::RefclockReading reading;
  reading.local = read_();
  if (config_.pps) {
    // It begins its second early when its time is ahead.
    reading.local = reading.local - wrong;
    reading.pulse = true;
  } else {
    reading.offset = world_.now() + wrong - reading.local;
  }
  world_.trace().add(world_.now(), "refclock", static_cast<std::uint64_t>(reading.offset.ns()));
  world_.after(kLatency, [this, reading] { give_(reading); });
}

}  // namespace timepool::sim
