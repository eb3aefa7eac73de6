#include "load/stream_load.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

#include "load/generator.h"
#include "load/load_socket.h"
#include "net/tls_session.h"
#include "sys/clock.h"

namespace timepool::load {
namespace {

using State = net::TlsSession::State;
constexpr std::size_t kLength = 2;
constexpr std::size_t kChunk = 65'536;

Result<void> check_options(const StreamLoadOptions& options) {
  const bool good = options.count >= 1 && options.count <= StreamLoadOptions::kMaxCount &&
                    options.inflight >= 1 && options.inflight <= StreamLoadOptions::kMaxInflight &&
                    options.queries >= (options.tls ? 0 : 1) &&
                    options.queries <= StreamLoadOptions::kMaxQueries && options.pipeline >= 1 &&
                    options.pipeline <= StreamLoadOptions::kMaxPipeline &&
                    options.duration > Duration() && options.duration <= Duration::seconds(3600) &&
                    options.timeout > Duration() && options.timeout <= Duration::seconds(60);
  if (!good) return fail(Error{ErrorCode::kInvalid, "bench", "an option is out of bounds"});
  return check_target(options.target.address, options.allow_private);
}

struct Place : LoadConnection {
  std::uint64_t serial = 0;
  int asked = 0;
  int answered = 0;
  std::vector<std::byte> in;
  std::vector<std::byte> out;
  bool leaving = false;  // its farewell is said
};

class Run : ConnectionLoad<Place> {
 public:
  Run(const StreamLoadOptions& options, const DnsTraffic& traffic,
      std::shared_ptr<const net::TlsClientContext> context)
      : ConnectionLoad({options.target, options.count, options.duration, options.inflight,
                        options.timeout + options.duration},
                       report_),
        options_(options),
        traffic_(traffic),
        context_(std::move(context)),
        room_(kChunk) {}

  StreamLoadReport report() {
    run(*this);
    return std::move(report_);
  }

 private:
  friend ConnectionLoad<Place>;

  Result<void> begin(Place& place) {
    place.serial = report_.begun - 1;
    place.asked = place.answered = 0;
    place.leaving = false;
    place.in.clear();
    place.out.clear();
    if (options_.tls) {
      place.tls = TRY(net::TlsSession::client(context_, {options_.name, {}, false}));
    }
    return {};
  }

  void handle_ready(Place& place) {
    const ssize_t count = ::recv(place.socket.number(), room_.data(), room_.size(), MSG_DONTWAIT);
    if (count < 0 && errno != EAGAIN && errno != EINTR) {
      return finish(place, system_error(errno, "receive").text());
    }
    if (count == 0) return handle_end(place);
    if (count > 0) take(place, Bytes(room_).first(static_cast<std::size_t>(count)));
    if (!place.open) return;
    if (place.tls && place.tls->state() == State::kFailed) {
      return finish(place, place.tls->fault_text());
    }
    if (is_done(place) && !place.leaving) return leave(place);
    ask(place);
    flush(place);
  }

  bool is_done(const Place& place) const {
    return place.answered == options_.queries && (!place.tls || place.tls->state() == State::kOpen);
  }

  // All answers are there. Without TLS that is the end; with TLS the server is to see the farewell,
  // and its end of the connection tells that it did its part of the handshake.
  void leave(Place& place) {
    place.leaving = true;
    if (!place.tls) return succeed(place);
    place.tls->close();
    flush(place);
    if (place.open) ::shutdown(place.socket.number(), SHUT_WR);
  }

  void handle_end(Place& place) {
    if (place.leaving) return succeed(place);
    finish(place, "the server ended the connection");
  }

  void succeed(Place& place) {
    ++report_.done;
    report_.latency.record(sys::mono_now() - place.began);
    next(place);
  }

  void take(Place& place, Bytes octets) {
    if (!place.tls) {
      place.in.insert(place.in.end(), octets.begin(), octets.end());
    } else {
      place.tls->feed(octets);
      std::array<std::byte, 16'384> plain;
      while (const std::size_t count = place.tls->read(plain)) {
        place.in.insert(place.in.end(), plain.begin(),
                        plain.begin() + static_cast<std::ptrdiff_t>(count));
      }
    }
    std::size_t at = 0;
    while (place.in.size() - at >= kLength) {
      const std::size_t length = std::to_integer<std::size_t>(place.in[at]) << 8 |
                                 std::to_integer<std::size_t>(place.in[at + 1]);
      if (place.in.size() - at - kLength < length) break;
      judge(place, Bytes(place.in).subspan(at + kLength, length));
      at += kLength + length;
    }
    place.in.erase(place.in.begin(), place.in.begin() + static_cast<std::ptrdiff_t>(at));
  }

  // The query's number on its connection is its identifier, and chooses its question with the
  // connection's.
  std::uint64_t token_of(const Place& place, int number) const {
    const auto question = place.serial + static_cast<std::uint64_t>(number);
    return question << 16 | (static_cast<std::uint64_t>(number) & 0xffff);
  }

  void judge(Place& place, Bytes reply) {
    const auto id = traffic_.read_token(reply);
    const std::uint64_t token = token_of(place, place.answered);
    ++place.answered;
    if (!id || !traffic_.same_token(*id, token)) {
      ++report_.invalid;
      return;
    }
    switch (traffic_.judge(token, reply)) {
      case Judgement::kRefused:
        ++report_.refused;
        break;
      case Judgement::kInvalid:
        ++report_.invalid;
        break;
      default:
        ++report_.answered;
    }
  }

  void ask(Place& place) {
    if (place.leaving || (place.tls && place.tls->state() != State::kOpen)) return;
    std::array<std::byte, kMaxRequest> query;
    std::vector<std::byte> gathered;
    while (place.asked < options_.queries && place.asked - place.answered < options_.pipeline) {
      const std::size_t size = traffic_.write(token_of(place, place.asked), query);
      ++place.asked;
      gathered.push_back(static_cast<std::byte>(size >> 8));
      gathered.push_back(static_cast<std::byte>(size & 0xff));
      gathered.insert(gathered.end(), query.begin(),
                      query.begin() + static_cast<std::ptrdiff_t>(size));
    }
    if (gathered.empty()) return;
    if (place.tls) return place.tls->write(gathered);
    place.out.insert(place.out.end(), gathered.begin(), gathered.end());
  }

  void flush(Place& place) {
    bool blocked = false;
    for (;;) {
      const Bytes out = place.tls ? place.tls->outgoing() : Bytes(place.out);
      if (out.empty()) break;
      const ssize_t count =
          ::send(place.socket.number(), out.data(), out.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count < 0) {
        blocked = errno == EAGAIN || errno == EINTR || errno == ENOTCONN;
        if (!blocked) return finish(place, system_error(errno, "send").text());
        break;
      }
      if (place.tls) {
        place.tls->sent(static_cast<std::size_t>(count));
      } else {
        place.out.erase(place.out.begin(), place.out.begin() + count);
      }
    }
    place.watch.set_events(blocked ? POLLIN | POLLOUT : POLLIN);
  }

  const StreamLoadOptions& options_;
  const DnsTraffic& traffic_;
  std::shared_ptr<const net::TlsClientContext> context_;
  std::vector<std::byte> room_;
  StreamLoadReport report_;
};

double per_second(std::uint64_t count, Duration elapsed) {
  return elapsed > Duration() ? static_cast<double>(count) / elapsed.to_seconds() : 0;
}

}  // namespace

double StreamLoadReport::rate() const {
  return per_second(done, elapsed);
}

double StreamLoadReport::answer_rate() const {
  return per_second(answered, elapsed);
}

Result<StreamLoadReport> run(const StreamLoadOptions& options, const DnsTraffic& traffic) {
  TRY(check_options(options));
  std::shared_ptr<const net::TlsClientContext> context;
  if (options.tls) {
    net::TlsClientOptions tls;
    tls.protocol = std::string(net::kDnsOverTlsProtocol);
    // Nobody's key, which is not enforced: it is the load that is measured.
    tls.pins = {net::KeyHash{}};
    tls.pins_suffice = true;
    context = TRY(net::TlsClientContext::create(std::move(tls)));
  }
  TRY(pin_to_cpu(options.cpu));
  return Run(options, traffic, std::move(context)).report();
}

}  // namespace timepool::load
