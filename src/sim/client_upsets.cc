// What befalls the ClientActor.
#include <algorithm>

#include "sim/client_actor.h"
#include "sim/distribution.h"

namespace timepool::sim {
namespace {

// Uniform, either way.
Duration up_to(Duration most, Prng& prng) {
  return Duration::from_seconds(most.to_seconds() * (2 * prng.unit() - 1));
}

bool within(const std::vector<Window>& windows, Duration elapsed) {
  return std::any_of(windows.begin(), windows.end(),
                     [&](const Window& window) { return window.contains(elapsed); });
}

}  // namespace

bool ClientActor::offline() const {
  return within(config_.upsets.offline, world_.elapsed());
}

bool ClientActor::has_route(const IpAddress& to) const {
  return !offline() && (to.is_v4() || !within(config_.upsets.offline_v6, world_.elapsed()));
}

void ClientActor::tell_of_routes() {
  for (const auto* windows : {&config_.upsets.offline, &config_.upsets.offline_v6}) {
    for (const Window& window : *windows) {
      for (const Duration at : {window.from, window.until}) {
        world_.after(at, [this] {
          keeper_->sources().handle_network_change(local_now().mono);
          settle();
        });
      }
    }
  }
}

void ClientActor::plan_upsets() {
  for (const Window& window : config_.upsets.asleep) {
    world_.after(window.from, [this, window] { sleep(window); });
  }
  plan_step();
  plan_frequency_jump();
}

void ClientActor::step_clock(Duration by) {
  clock_.step(by);
  last_upset_ = world_.elapsed();
}

void ClientActor::plan_step() {
  if (config_.upsets.step_every == Duration()) return;
  world_.after(exponential(upset_prng_, config_.upsets.step_every), [this] {
    step_clock(up_to(config_.upsets.step, upset_prng_));
    plan_step();
  });
}

void ClientActor::plan_frequency_jump() {
  if (config_.upsets.frequency_jump_every == Duration()) return;
  world_.after(exponential(upset_prng_, config_.upsets.frequency_jump_every), [this] {
    const double by = config_.upsets.frequency_jump_ppm * (2 * upset_prng_.unit() - 1);
    clock_.set_frequency(config_.clock.frequency_ppm + by);
    plan_frequency_jump();
  });
}

// Nothing runs until it wakes up; what it wanted to do meanwhile is due then.
void ClientActor::sleep(const Window& window) {
  asleep_ = true;
  world_.after(window.until - window.from, [this, window] {
    asleep_ = false;
    if (config_.upsets.mono_sleeps) clock_.suspend(window.until - window.from);
    step_clock(up_to(config_.upsets.wake_error, upset_prng_));
    settle();
  });
}

}  // namespace timepool::sim
