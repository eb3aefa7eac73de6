#include "monitord/prober.h"

#include <optional>

#include "monitord/sample_of.h"
#include "monitord/time_request.h"
#include "sys/clock.h"

namespace timepool::monitord {

// One server's samples, one after the other.
class Prober::Probe {
 public:
  Probe(Prober& prober, std::uint64_t id, Waiting what)
      : prober_(prober),
        id_(id),
        what_(std::move(what)),
        query_(exchange_config(prober.precision_, prober.options_.timeout)),
        request_(prober.reactor_) {}

  void begin() {
    prober_.log_.debug("probing {}", format(what_.server));
    ask();
  }

 private:
  void ask() {
    ++asked_;
    asked_at_ = sys::mono_now();
    request_.start(what_.server, prober_.options_.timeout, query_, prober_.random_,
                   [this](const TimeRequest::End& end) { request_over(end); });
  }
  void request_over(const TimeRequest::End& end) {
    // Nothing when the fault was ours.
    std::optional<Sample> sample = timed_out();
    if (end.answer) sample = sample_of(*end.answer);
    if (end.error) sample = sample_of(*end.error);
    const bool kiss = sample && sample->error == kErrorKiss;
    if (sample) samples_.push_back(std::move(*sample));
    if (asked_ < what_.samples && !kiss) {
      timer_ = prober_.reactor_.at(asked_at_ + prober_.options_.spacing, [this] { ask(); });
      return;
    }
    // Not from within: this object ends with it.
    timer_ = prober_.reactor_.at(sys::mono_now(), [this] {
      prober_.finish(id_, std::move(what_.done), std::move(samples_));
    });
  }

  Prober& prober_;
  std::uint64_t id_;
  Waiting what_;
  ntp::Query query_;
  TimeRequest request_;
  int asked_ = 0;
  MonoTime asked_at_;
  net::Timer timer_;
  std::vector<Sample> samples_;
};

Prober::Prober(net::Reactor& reactor, const Options& options, const SiphashKey& random_key,
               sys::Logger& log)
    : reactor_(reactor),
      options_(options),
      random_(random_key),
      precision_(static_cast<std::int8_t>(sys::measure_precision())),
      log_(log),
      turns_(options.max_parallel, [this](std::uint64_t id, Waiting what) {
        return std::make_unique<Probe>(*this, id, std::move(what));
      }) {}

Prober::~Prober() = default;

void Prober::probe(const Endpoint& server, int samples, Done done) {
  turns_.add({server, samples, std::move(done)});
}

void Prober::finish(std::uint64_t id, Done done, std::vector<Sample> samples) {
  turns_.over(id);
  done(std::move(samples));
}

}  // namespace timepool::monitord
