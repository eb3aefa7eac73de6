#include "monitord/time_request.h"

#include <poll.h>

#include <array>
#include <utility>

#include "sys/clock.h"

namespace timepool::monitord {
namespace {

// Datagrams that are taken before others have their turn: a server that floods us keeps nobody from
// being checked, nor its own time from being over.
constexpr int kMaxAtOnce = 64;

ntp::LocalTime local_now() {
  const sys::ClockSample sample = sys::sample_clocks();
  return {sample.mono, sample.unix_time};
}

}  // namespace

ntp::ExchangeConfig exchange_config(std::int8_t precision, Duration timeout) {
  ntp::ExchangeConfig out;
  out.precision = precision;
  out.max_delay = timeout;
  return out;
}

void TimeRequest::start(const Endpoint& server, Duration timeout, ntp::Query& query,
                        ntp::RandomStream& random, Done done) {
  query_ = &query;
  done_ = std::move(done);
  sys::UdpOptions options;
  options.rx_timestamps = true;
  options.tx_timestamps = true;
  auto socket = sys::UdpSocket::connect(server, options);
  if (!socket.ok()) return finish({{}, socket.error()});
  socket_.emplace(std::move(socket).value());
  watch_ = reactor_.watch(socket_->fd(), POLLIN | POLLPRI, [this](short) { on_ready(); });
  timer_ = reactor_.at(sys::mono_now() + timeout, [this] { finish({}); });
  const Bytes request = query.start(local_now(), random);
  if (request.empty()) {
    return finish({{}, Error{ErrorCode::kExhausted, "ask " + format(server), "no cookie is left"}});
  }
  if (const auto sent = socket_->send(request); !sent.ok()) finish({{}, sent.error()});
}

void TimeRequest::on_ready() {
  if (const auto sent = socket_->transmit_timestamp()) query_->handle_transmit_timestamp({*sent});
  // More than the longest request that is answered; what is longer is judged by its beginning.
  std::array<std::byte, 2048> buffer;
  for (int i = 0; i < kMaxAtOnce && socket_; ++i) {
    const auto got = socket_->receive(buffer);
    if (!got.ok()) return finish({{}, got.error()});
    if (!*got) return;
    const sys::Datagram& datagram = **got;
    if (datagram.truncated) continue;
    const ntp::Reply reply = query_->handle_datagram({local_now(), datagram.received},
                                                     Bytes(buffer).first(datagram.length));
    if (ntp::is_answer(reply.reason)) return finish({reply, {}});
  }
}

void TimeRequest::finish(const End& end) {
  watch_.stop();
  timer_.cancel();
  socket_.reset();
  // It may start the next.
  const Done done = std::move(done_);
  done(end);
}

}  // namespace timepool::monitord
