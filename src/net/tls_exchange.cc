#include "net/tls_exchange.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "net/socket_end.h"
#include "sys/clock.h"
#include "sys/udp_socket.h"

namespace timepool::net {
namespace {

// One datagram of a simulator holds less than 4,000 octets.
constexpr std::size_t kMaxPiece = 3000;
// A record of TLS has 16 KiB at the most (RFC 8446 5.2).
constexpr std::size_t kBufferSize = 16 << 10;

}  // namespace

std::string_view name_of(TlsExchangeEnd end) {
  constexpr std::array<std::string_view, kTlsExchangeEndCount> kNames{
      "answered", "refused", "unreachable", "timeout", "tls", "ended", "system"};
  return kNames.at(static_cast<std::size_t>(end));
}

std::string_view name_of(TlsStep step) {
  constexpr std::array<std::string_view, 3> kNames{"connect", "handshake", "answer"};
  return kNames.at(static_cast<std::size_t>(step));
}

TlsExchange::TlsExchange(Reactor& reactor, TlsExchangeRequest request, TlsDialogue& dialogue,
                         Done done)
    : reactor_(reactor),
      request_(std::move(request)),
      dialogue_(dialogue),
      done_(std::move(done)),
      started_(sys::mono_now()) {
  begin();
}

void TlsExchange::begin() {
  const auto later = [this](TlsExchangeEnd end, std::string text) {
    soon_ = reactor_.at(started_, [this, end, text = std::move(text)] { finish(end, text); });
  };
  auto session = TlsSession::client(request_.context, request_.peer);
  if (!session.ok()) return later(TlsExchangeEnd::kSystem, session.error().text());
  session_ = std::move(*session);
  sockaddr_storage address{};
  const socklen_t length = sys::to_sockaddr(request_.server, address);
  auto fd = sys::make_socket(address.ss_family, SOCK_STREAM);
  if (!fd.ok()) return later(TlsExchangeEnd::kSystem, fd.error().text());
  fd_ = std::move(*fd);
  const int on = 1;
  // Without it the end of the handshake waits for an acknowledgement; where the system has no such
  // option, it does.
  static_cast<void>(::setsockopt(fd_.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
  if (::connect(fd_.number(), reinterpret_cast<sockaddr*>(&address), length) != 0 &&
      errno != EINPROGRESS && errno != EINTR) {
    const int value = errno;
    return later(end_of_errno<TlsExchangeEnd>(value),
                 std::string("connect: ") + std::strerror(value));
  }
  watch_ = reactor_.watch(fd_.number(), POLLOUT, [this](short ready) { handle_ready(ready); });
  deadline_ = reactor_.at(started_ + request_.timeout, [this] { handle_timeout(); });
}

void TlsExchange::handle_ready(short ready) {
  if (result_.step == TlsStep::kConnect) return handle_connected();
  if ((ready & POLLOUT) != 0) flush();
  if ((ready & (POLLIN | POLLERR | POLLHUP)) != 0) receive();
}

void TlsExchange::handle_connected() {
  int value = 0;
  socklen_t length = sizeof value;
  if (::getsockopt(fd_.number(), SOL_SOCKET, SO_ERROR, &value, &length) == 0 && value != 0) {
    return fail_by_errno(value, "connect: ");
  }
  result_.connected = sys::mono_now() - started_;
  result_.step = TlsStep::kHandshake;
  flush();
}

void TlsExchange::receive() {
  std::array<std::byte, kBufferSize> buffer;
  const ssize_t count = ::recv(fd_.number(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (answered_) {
    // Whatever else comes is nothing to us; its end is what is waited for.
    if (count <= 0) finish(TlsExchangeEnd::kAnswered, "");
    return;
  }
  if (count < 0) {
    return fail_by_errno(errno, "receive: ");
  }
  if (count == 0) {
    session_->end();
  } else {
    session_->feed(Bytes(buffer).first(static_cast<std::size_t>(count)));
  }
  if (!advance()) return;
  flush();
  if (count == 0) finish(TlsExchangeEnd::kEnded, "the server ended the connection");
}

// What the session makes of the octets that came.
bool TlsExchange::advance() {
  using State = TlsSession::State;
  if (!asked_ && session_->state() == State::kOpen) {
    asked_ = true;
    result_.opened = sys::mono_now() - started_;
    result_.step = TlsStep::kAnswer;
    result_.version = session_->version();
    result_.cipher = session_->cipher();
    session_->write(dialogue_.question(*session_));
  }
  if (asked_ && !read_plain()) return false;
  if (session_->state() == State::kFailed) {
    fail_by_tls();
    return false;
  }
  if (session_->state() == State::kClosed) {
    finish(TlsExchangeEnd::kEnded, "the server ended the connection before its answer was whole");
    return false;
  }
  return true;
}

bool TlsExchange::read_plain() {
  std::array<std::byte, kBufferSize> buffer;
  while (const std::size_t count = session_->read(buffer)) {
    if (!dialogue_.handle_answer(Bytes(buffer).first(count), *session_)) continue;
    begin_farewell();
    return false;
  }
  return true;
}

void TlsExchange::begin_farewell() {
  answered_ = true;
  const MonoTime now = sys::mono_now();
  result_.total = now - started_;
  session_->close();
  flush();
  deadline_ = reactor_.at(std::min(started_ + request_.timeout, now + kFarewell),
                          [this] { finish(TlsExchangeEnd::kAnswered, ""); });
}

// Sends what the socket takes. When it takes no more for good, the reason may be there to read.
void TlsExchange::flush() {
  while (true) {
    const Bytes out = session_->outgoing();
    if (out.empty()) break;
    const std::size_t size = std::min(out.size(), kMaxPiece);
    const ssize_t count = ::send(fd_.number(), out.data(), size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return watch_.set_events(POLLIN | POLLOUT);
    session_->sent(count < 0 ? out.size() : static_cast<std::size_t>(count));
  }
  watch_.set_events(POLLIN);
}

void TlsExchange::fail_by_errno(int value, const char* what) {
  finish(end_of_errno<TlsExchangeEnd>(value), what + std::string(std::strerror(value)));
}

void TlsExchange::fail_by_tls() {
  flush();
  result_.fault = session_->fault();
  finish(TlsExchangeEnd::kTls, session_->fault_text());
}

void TlsExchange::handle_timeout() {
  constexpr std::array<std::string_view, 3> kWaited{"TCP connection", "TLS handshake", "answer"};
  finish(TlsExchangeEnd::kTimeout,
         "no " + std::string(kWaited.at(static_cast<std::size_t>(result_.step))) + " within " +
             format(request_.timeout));
}

void TlsExchange::finish(TlsExchangeEnd end, std::string text) {
  result_.end = end;
  result_.text = std::move(text);
  if (!answered_) result_.total = sys::mono_now() - started_;
  if (session_) {
    if (session_->certificate() != nullptr) result_.certificate = *session_->certificate();
    result_.certificate_fault = session_->certificate_fault();
    result_.certificate_fault_text = session_->certificate_fault_detail();
  }
  watch_.stop();
  deadline_.cancel();
  fd_.reset();
  // The callback may destroy this object.
  const Done done = std::move(done_);
  const TlsExchangeResult result = std::move(result_);
  done(result);
}

}  // namespace timepool::net
