// RefclockActor: a reference clock of the simulated world with its driver: at each of its seconds
// (or parts of one) it gives the client a reading.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/prng.h"
#include "config/schema.h"
#include "ntp/refclock.h"
#include "sim/network.h"
#include "sim/world.h"

namespace timepool::sim {

struct RefclockActorConfig {
  // The client's settings.
  std::string name;
  std::int8_t poll = 4;
  std::size_t filter = ntp::kDefaultRefclockFilter;
  Duration delay = Duration::nanoseconds(1);
  Duration precision = Duration::microseconds(1);
  int rate = 1;
  std::string lock;
  ntp::SelectOptions select;
  // What it is.
  bool pps = false;  // it gives pulses and nothing else
  Duration jitter;   // deviation of a reading, normally distributed
  Duration lie;      // its time less the true time
  Duration jump_by;  // added to that from jump_at to jump_until
  Duration jump_at;
  Duration jump_until;
  std::vector<Window> down;  // it gives nothing

  // Whether its time is not the true time. Pulses tell no second: a whole one is no lie of theirs.
  bool lies() const { return lie != Duration() || jump_by != Duration(); }
  ntp::RefclockConfig settings() const;
};

// Of [[refclock]] in a scenario.
config::Schema<RefclockActorConfig> refclock_actor_schema();

class RefclockActor {
 public:
  // What the client's system clock reads now.
  using Read = std::function<UnixTime()>;
  using Give = std::function<void(const ntp::RefclockReading&)>;

  RefclockActor(World& world, const RefclockActorConfig& config, Read read, Give give);
  RefclockActor(const RefclockActor&) = delete;
  RefclockActor& operator=(const RefclockActor&) = delete;

  const RefclockActorConfig& config() const { return config_; }
  void start();

 private:
  void plan(UnixTime second, int part);
  void tick();
  Duration error();

  World& world_;
  RefclockActorConfig config_;
  Read read_;
  Give give_;
  Prng prng_;
};

}  // namespace timepool::sim
