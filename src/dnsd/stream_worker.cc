#include "dnsd/stream_worker.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "sys/clock.h"
#include "sys/udp_socket.h"

namespace timepool::dnsd {
namespace {

using TlsState = net::TlsSession::State;

// RFC 1035 4.2.2: two bytes of length before each message.
constexpr std::size_t kLength = 2;
constexpr int kMaxEvents = 256;
constexpr int kLongestWait = 1000;  // ms

bool is_passing(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

bool is_want_of_resources(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

std::size_t length_at(Bytes in, std::size_t at) {
  return std::to_integer<std::size_t>(in[at]) << 8 | std::to_integer<std::size_t>(in[at + 1]);
}

// RFC 7828 3.1: tenths of a second, 0: the connection ends at once.
std::uint16_t tenths_of(Duration time) {
  return static_cast<std::uint16_t>(std::min<std::int64_t>(time.ns() / 100'000'000, 0xffff));
}

}  // namespace

struct StreamWorker::Connection : Watched {
  sys::Fd socket;
  IpAddress client;
  MonoTime moved;
  Connections::iterator at;
  std::vector<std::byte> in;             // read, not yet answered
  std::vector<std::byte> out;            // not yet with the system; with TLS that is in the session
  std::size_t sent = 0;                  // of out
  std::unique_ptr<net::TlsSession> tls;  // from the first octet on
  std::unique_ptr<AnswerStream> stream;  // the rest of the answer that is being written
  std::uint32_t events = 0;              // that are waited for
  bool secured = false;                  // the handshake is done
  bool blocked = false;                  // the system takes no more of the answers for now
  bool ended = false;                    // the client sends no more
  bool broken = false;                   // to be closed once what was answered is sent
  bool lost = false;
  bool over = false;  // in ended_
};

StreamWorker::StreamWorker(StreamGate& gate, const TlsSource* tls,
                           std::unique_ptr<QueryHandler> handler)
    : gate_(gate),
      tls_(tls),
      handler_(std::move(handler)),
      room_(kReadChunk),
      plain_(tls == nullptr ? 0 : kReadChunk),
      out_(kWriteChunk) {}

StreamWorker::~StreamWorker() {
  while (!connections_.empty()) end(connections_.front(), StreamEnd::kStopped);
}

Result<std::unique_ptr<StreamWorker>> StreamWorker::create(StreamGate& gate, const TlsSource* tls,
                                                           std::unique_ptr<QueryHandler> handler) {
  std::unique_ptr<StreamWorker> out(new StreamWorker(gate, tls, std::move(handler)));
  TRY(out->open());
  return out;
}

Result<void> StreamWorker::open() {
  epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  wake_.reset(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!epoll_ || !wake_) return fail(system_error(errno, "epoll and eventfd"));
  wake_watched_ = {Kind::kWake, wake_.number()};
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &wake_watched_;
  if (::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, wake_.number(), &event) < 0) {
    return fail(system_error(errno, "epoll_ctl"));
  }
  return {};
}

void StreamWorker::set_listeners(const std::vector<int>& listeners) {
  for (const int fd : listeners) listeners_.push_back({Kind::kListener, fd});
}

void StreamWorker::set_mode(Mode mode) {
  wanted_.store(mode);
  const std::uint64_t one = 1;
  CHECK(::write(wake_.number(), &one, sizeof one) == sizeof one);
  for (Mode seen = taken_.load(); seen != mode; seen = taken_.load()) taken_.wait(seen);
}

void StreamWorker::take_mode() {
  std::uint64_t count = 0;
  if (::read(wake_.number(), &count, sizeof count) < 0) errno = 0;
  mode_ = wanted_.load();
  watch_listeners(mode_ == Mode::kAccept && !paused_);
  taken_.store(mode_);
  taken_.notify_all();
}

void StreamWorker::watch_listeners(bool on) {
  if (on == accepting_) return;
  accepting_ = on;
  for (Watched& listener : listeners_) {
    epoll_event event{};
    // One worker is woken for a connection, not all.
    event.events = EPOLLIN | EPOLLEXCLUSIVE;
    event.data.ptr = &listener;
    const int what = on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL;
    CHECK(::epoll_ctl(epoll_.number(), what, listener.fd, &event) == 0);
  }
}

void StreamWorker::run() {
  std::array<epoll_event, kMaxEvents> events;
  while (mode_ != Mode::kQuit) {
    const int count = ::epoll_wait(epoll_.number(), events.data(), kMaxEvents, timeout_ms());
    now_ = sys::mono_now();
    unix_now_ = static_cast<std::uint32_t>(sys::unix_now().seconds());
    if (count > 0) {
      handler_->begin_batch();
      keepalive_ = tenths_of(mode_ == Mode::kDrain ? Duration() : gate_.idle_limit());
    }
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      Watched& what = *static_cast<Watched*>(event.data.ptr);
      if (what.kind == Kind::kWake) {
        take_mode();
      } else if (what.kind == Kind::kListener) {
        accept_some(what.fd);
      } else {
        auto& connection = static_cast<Connection&>(what);
        if (!connection.over) handle_ready(connection, event.events);
      }
    }
    close_idle();
    ended_.clear();
    if (paused_ && now_ >= paused_until_) {
      paused_ = false;
      watch_listeners(mode_ == Mode::kAccept);
    }
  }
}

int StreamWorker::timeout_ms() const {
  if (connections_.empty() && !paused_) return -1;
  if (paused_) return static_cast<int>(kPause.ns() / 1'000'000);
  const Duration left = connections_.front().moved + idle_limit() - now_;
  const std::int64_t ms = left.ns() / 1'000'000 + 1;
  // Others may fill the server meanwhile, and shorten the time.
  return static_cast<int>(std::clamp<std::int64_t>(ms, 1, kLongestWait));
}

void StreamWorker::accept_some(int listener) {
  const int batch = tls_ == nullptr ? kAcceptBatch : kTlsAcceptBatch;
  for (int i = 0; i < batch && accepting_; ++i) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    sys::Fd socket(::accept4(listener, reinterpret_cast<sockaddr*>(&address), &length,
                             SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) {
      // One that was reset while it waited is no reason to stop.
      if (errno == ECONNABORTED) continue;
      return handle_accept_error(listener, errno);
    }
    if (const auto from = sys::from_sockaddr(address)) {
      admit(std::move(socket), from->address.unmapped());
    }
  }
}

// Without descriptors the listener would be ready again at once, and the loop would spin.
void StreamWorker::handle_accept_error(int listener, int error) {
  if (!is_want_of_resources(error)) return;
  // The system looks for a descriptor first: it also says so when nobody waits.
  pollfd waiting{listener, POLLIN, 0};
  if (::poll(&waiting, 1, 0) <= 0) return;
  counters_.count_accept_error();
  if (make_room()) return;
  paused_ = true;
  paused_until_ = now_ + kPause;
  watch_listeners(false);
}

void StreamWorker::admit(sys::Fd socket, const IpAddress& from) {
  Admitted admitted = gate_.admit(from);
  if (admitted == Admitted::kFull && make_room()) admitted = gate_.admit(from);
  switch (admitted) {
    case Admitted::kYes:
      return begin(std::move(socket), from);
    case Admitted::kFull:
      return counters_.count(StreamEnd::kFull);
    case Admitted::kTooManyClient:
      return counters_.count(StreamEnd::kTooManyClient);
    case Admitted::kTooManyNetwork:
      return counters_.count(StreamEnd::kTooManyNetwork);
  }
}

// RFC 7766 6.2.3: the one that was idle longest goes.
bool StreamWorker::make_room() {
  if (connections_.empty()) return false;
  end(connections_.front(), StreamEnd::kCrowdedOut);
  return true;
}

void StreamWorker::begin(sys::Fd socket, const IpAddress& from) {
  counters_.count_accepted();
  connections_.emplace_back();
  const auto at = std::prev(connections_.end());
  at->kind = Kind::kConnection;
  at->fd = socket.number();
  at->socket = std::move(socket);
  at->client = from;
  at->moved = now_;
  at->at = at;
  // As a rule its query is there already.
  handle_ready(*at, EPOLLIN);
}

void StreamWorker::handle_ready(Connection& it, std::uint32_t) {
  if (it.blocked && flush(it) && (!it.in.empty() || it.stream != nullptr)) {
    const std::vector<std::byte> waiting = std::exchange(it.in, {});
    take_plain(it, waiting);
  }
  if (!it.blocked && !it.ended && !it.broken && !it.lost) receive(it);
  settle(it);
}

void StreamWorker::receive(Connection& it) {
  const ssize_t count = ::recv(it.fd, room_.data(), room_.size(), 0);
  if (count < 0) {
    it.lost = !is_passing(errno);
    return;
  }
  if (count == 0) {
    it.ended = true;
    // Without TLS's own farewell; a handshake that is not done never will be.
    if (it.tls != nullptr && !it.secured) note_handshake(it);
    return;
  }
  const Bytes octets = Bytes(room_).first(static_cast<std::size_t>(count));
  if (tls_ == nullptr) {
    take_plain(it, octets);
  } else {
    take_tls(it, octets);
  }
}

void StreamWorker::take_tls(Connection& it, Bytes octets) {
  if (it.tls == nullptr) it.tls = net::TlsSession::server(tls_->get());
  it.tls->feed(octets);
  if (!it.secured && it.tls->state() != TlsState::kHandshake) note_handshake(it);
  while (const std::size_t count = it.tls->read(plain_)) take_plain(it, Bytes(plain_).first(count));
  const TlsState state = it.tls->state();
  // RFC 8446 6.1: what was asked before the client's farewell is answered.
  if (state == TlsState::kClosed) it.ended = true;
  if (state == TlsState::kFailed) it.broken = true;
  flush(it);
}

// It is done, or it failed.
void StreamWorker::note_handshake(Connection& it) {
  if (it.tls->state() == TlsState::kHandshake) {
    counters_.count_handshake(static_cast<std::size_t>(net::TlsFault::kTruncated));
    return;
  }
  if (it.tls->state() == TlsState::kFailed) {
    counters_.count_handshake(static_cast<std::size_t>(it.tls->fault()));
    return;
  }
  it.secured = true;
  counters_.count_handshake(it.tls->resumed() ? kHandshakeResumed : 0);
  moved(it);
}

void StreamWorker::take_plain(Connection& it, Bytes octets) {
  if (it.in.empty()) {
    const std::size_t used = it.blocked ? 0 : answer(it, octets);
    it.in.assign(octets.begin() + static_cast<std::ptrdiff_t>(used), octets.end());
    return;
  }
  it.in.insert(it.in.end(), octets.begin(), octets.end());
  const std::size_t used = it.blocked ? 0 : answer(it, it.in);
  if (used == it.in.size()) {
    it.in = {};  // idle connections hold no memory
  } else {
    it.in.erase(it.in.begin(), it.in.begin() + static_cast<std::ptrdiff_t>(used));
  }
}

// Every whole message, as long as the client takes the answers; how many bytes they had.
std::size_t StreamWorker::answer(Connection& it, Bytes queries) {
  std::size_t at = 0;
  const auto left = [&] { return queries.size() - at; };
  const auto whole = [&] {
    return left() >= kLength && left() - kLength >= length_at(queries, at);
  };
  int burst = 0;
  while (!it.broken && !it.lost && (it.stream != nullptr || whole())) {
    if (kWriteChunk - out_size_ < kLength + kMaxMessage && !push(it)) break;
    if (it.stream != nullptr) {
      if (burst++ == kStreamBurst) break;
      put_next(it);
      continue;
    }
    const Bytes query = queries.subspan(at + kLength, length_at(queries, at));
    at += kLength + query.size();
    counters_.count_query();
    const auto room = MutableBytes(out_).subspan(out_size_ + kLength, kMaxMessage);
    const std::size_t size = handler_->answer_stream(rx_of(it), query, room);
    // What gets no answer would leave the client waiting for one in its place.
    it.broken = size == 0;
    if (it.broken) break;
    gather(size);
    it.stream = handler_->take_stream();
  }
  push(it);
  if (at > 0 || burst > 0) moved(it);
  // The rest when the others had their turn: as soon as the socket is looked at again.
  if (burst > kStreamBurst) it.blocked = true;
  return at;
}

dns::Rx StreamWorker::rx_of(const Connection& it) const {
  dns::Rx out;
  out.source = it.client;
  out.tcp = true;
  out.now = unix_now_;
  out.encrypted = it.tls != nullptr;
  out.keepalive = keepalive_;
  return out;
}

// The next message of an answer of several.
void StreamWorker::put_next(Connection& it) {
  const auto room = MutableBytes(out_).subspan(out_size_ + kLength, kMaxMessage);
  const std::size_t size = it.stream->next(room);
  if (size == 0) {
    it.stream.reset();
  } else {
    gather(size);
  }
}

// The message of `size` octets that was written behind room for its length.
void StreamWorker::gather(std::size_t size) {
  out_[out_size_] = static_cast<std::byte>(size >> 8);
  out_[out_size_ + 1] = static_cast<std::byte>(size & 0xff);
  out_size_ += kLength + size;
}

// Sends what is gathered in out_. False when not all of it went.
bool StreamWorker::push(Connection& it) {
  const Bytes gathered = Bytes(out_).first(std::exchange(out_size_, 0));
  if (gathered.empty()) return !it.blocked;
  if (it.tls != nullptr) {
    it.tls->write(gathered);
    return flush(it);
  }
  const ssize_t count = ::send(it.fd, gathered.data(), gathered.size(), MSG_NOSIGNAL);
  if (count < 0 && !is_passing(errno)) {
    it.lost = true;
    return false;
  }
  const auto sent = static_cast<std::size_t>(std::max<ssize_t>(count, 0));
  if (sent == gathered.size()) return true;
  it.out.assign(gathered.begin() + static_cast<std::ptrdiff_t>(sent), gathered.end());
  it.sent = 0;
  it.blocked = true;
  return false;
}

// Sends what the system did not take before, or what TLS has to say. True when all of it went.
bool StreamWorker::flush(Connection& it) {
  for (;;) {
    const Bytes rest = it.tls != nullptr ? it.tls->outgoing() : Bytes(it.out).subspan(it.sent);
    if (rest.empty()) break;
    const ssize_t count = ::send(it.fd, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      it.lost |= !is_passing(errno);
      it.blocked = true;
      return false;
    }
    if (it.blocked) moved(it);
    if (it.tls != nullptr) {
      it.tls->sent(static_cast<std::size_t>(count));
    } else {
      it.sent += static_cast<std::size_t>(count);
    }
  }
  it.out = {};
  it.sent = 0;
  it.blocked = false;
  return true;
}

// After something was done with it: closes it, or waits for what it needs next.
void StreamWorker::settle(Connection& it) {
  if (it.lost) return end(it, StreamEnd::kLost);
  if (!it.blocked && (it.ended || it.broken)) {
    const bool failed = it.tls != nullptr && (!it.secured || it.tls->state() == TlsState::kFailed);
    if (failed) return end(it, StreamEnd::kTls);
    return end(it, it.broken || !it.in.empty() ? StreamEnd::kBroken : StreamEnd::kClient);
  }
  const std::uint32_t wanted = it.blocked ? EPOLLOUT : EPOLLIN;
  if (wanted == it.events) return;
  epoll_event event{};
  event.events = wanted;
  event.data.ptr = static_cast<Watched*>(&it);
  const int what = it.events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  if (::epoll_ctl(epoll_.number(), what, it.fd, &event) < 0) return end(it, StreamEnd::kLost);
  it.events = wanted;
}

void StreamWorker::moved(Connection& it) {
  it.moved = now_;
  connections_.splice(connections_.end(), connections_, it.at);
}

void StreamWorker::end(Connection& it, StreamEnd why) {
  if (it.tls != nullptr && it.secured && !it.blocked && !it.lost) {
    it.tls->close();
    flush(it);
  }
  if (why == StreamEnd::kIdle && tls_ != nullptr && !it.secured) {
    counters_.count_handshake(kHandshakeLate);
  }
  counters_.count(why);
  gate_.leave(it.client);
  it.socket.reset();
  it.tls.reset();
  it.over = true;
  ended_.splice(ended_.end(), connections_, it.at);
}

Duration StreamWorker::idle_limit() const {
  const Duration limit = gate_.idle_limit();
  return mode_ == Mode::kDrain ? std::min(limit, kDrainIdle) : limit;
}

void StreamWorker::close_idle() {
  // Each one that goes leaves more time to the others.
  while (!connections_.empty() && now_ - connections_.front().moved >= idle_limit()) {
    end(connections_.front(), StreamEnd::kIdle);
  }
}

}  // namespace timepool::dnsd
