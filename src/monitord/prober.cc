#include "monitord/prober.h"

#include <poll.h>

#include <array>
#include <optional>

#include "monitord/sample_of.h"
#include "ntp/query.h"
#include "sys/clock.h"
#include "sys/udp_socket.h"

namespace timepool::monitord {
namespace {

ntp::LocalTime local_now() {
  const sys::ClockSample sample = sys::sample_clocks();
  return {sample.mono, sample.unix_time};
}

ntp::ExchangeConfig exchange_config(std::int8_t precision, Duration timeout) {
  ntp::ExchangeConfig config;
  config.precision = precision;
  config.max_delay = timeout;
  return config;
}

}  // namespace

// One server's samples, one after the other.
class Prober::Probe {
 public:
  Probe(Prober& prober, std::uint64_t id, Waiting what)
      : prober_(prober),
        id_(id),
        what_(std::move(what)),
        query_(exchange_config(prober.precision_, prober.options_.timeout)) {}

  void ask() {
    ++asked_;
    asked_at_ = sys::mono_now();
    sys::UdpOptions options;
    options.rx_timestamps = true;
    options.tx_timestamps = true;
    auto socket = sys::UdpSocket::connect(what_.server, options);
    if (!socket.ok()) return sample_over(sample_of(socket.error()));
    socket_.emplace(std::move(socket).value());
    watch_ = prober_.reactor_.watch(socket_->fd(), POLLIN | POLLPRI, [this](short) { on_ready(); });
    timer_ = prober_.reactor_.at(asked_at_ + prober_.options_.timeout,
                                 [this] { sample_over(timed_out()); });
    const auto sent = socket_->send(query_.start(local_now(), prober_.random_));
    if (!sent.ok()) sample_over(sample_of(sent.error()));
  }

 private:
  void on_ready() {
    if (const auto sent = socket_->transmit_timestamp()) query_.handle_transmit_timestamp({*sent});
    // More than the longest request that is answered; what is longer is judged by its beginning.
    std::array<std::byte, 2048> buffer;
    while (socket_) {
      const auto got = socket_->receive(buffer);
      if (!got.ok()) return sample_over(sample_of(got.error()));
      if (!*got) return;
      const sys::Datagram& datagram = **got;
      if (datagram.truncated) continue;
      const ntp::Reply reply = query_.handle_datagram({local_now(), datagram.received},
                                                      Bytes(buffer).first(datagram.length));
      if (ntp::is_answer(reply.reason)) return sample_over(sample_of(reply));
    }
  }

  // `sample` is absent when the fault was ours.
  void sample_over(std::optional<Sample> sample) {
    watch_.stop();
    timer_.cancel();
    socket_.reset();
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
  int asked_ = 0;
  MonoTime asked_at_;
  std::optional<sys::UdpSocket> socket_;
  net::Watch watch_;
  net::Timer timer_;
  std::vector<Sample> samples_;
};

Prober::Prober(net::Reactor& reactor, const Options& options, const SiphashKey& random_key,
               sys::Logger& log)
    : reactor_(reactor),
      options_(options),
      random_(random_key),
      precision_(static_cast<std::int8_t>(sys::measure_precision())),
      log_(log) {}

Prober::~Prober() = default;

void Prober::probe(const Endpoint& server, int samples, Done done) {
  Waiting next{server, samples, std::move(done)};
  if (active_.size() < static_cast<std::size_t>(options_.max_parallel)) {
    start(std::move(next));
  } else {
    waiting_.push_back(std::move(next));
  }
}

void Prober::start(Waiting next) {
  const std::uint64_t id = next_id_++;
  log_.debug("probing {}", format(next.server));
  auto& probe = active_[id];
  probe = std::make_unique<Probe>(*this, id, std::move(next));
  probe->ask();
}

void Prober::finish(std::uint64_t id, Done done, std::vector<Sample> samples) {
  active_.erase(id);
  if (!waiting_.empty()) {
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    start(std::move(next));
  }
  done(std::move(samples));
}

}  // namespace timepool::monitord
