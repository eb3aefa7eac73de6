#include "dnsd/tap_stream.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include "dnsd/frame_stream.h"
#include "net/unix_socket.h"
#include "sys/clock.h"

namespace timepool::dnsd {
namespace {

// A chunk takes no more queries once it has so many octets.
constexpr std::size_t kChunk = 64 * 1024;
constexpr std::chrono::milliseconds kRest{5};

// Octets that the system took, 0: none now, nothing: the connection is gone.
std::optional<std::size_t> send_some(int fd, std::string_view bytes) {
  for (;;) {
    const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return 0;
    return std::nullopt;
  }
}

}  // namespace

bool TapStream::put(std::string_view frames) {
  if (queued_ + frames.size() > kMaxQueue) return false;
  const bool begun = queue_.size() == 1 && front_sent_ > 0;
  if (queue_.empty() || begun || queue_.back().frames.size() >= kChunk) queue_.emplace_back();
  queue_.back().frames += frames;
  ++queue_.back().queries;
  queued_ += frames.size();
  return true;
}

void TapStream::turn(MonoTime now) {
  if (state_ == State::kClosed && until_ <= now) connect(now);
  if (state_ == State::kClosed) return;
  if (!receive(now) || !send_control(now)) return;
  if (state_ == State::kAsked && until_ <= now) {
    drop(now, "it does not answer");
    return;
  }
  if (state_ == State::kOpen && control_.empty()) send_chunks(now);
}

void TapStream::connect(MonoTime now) {
  auto socket = net::connect_unix(path_);
  if (!socket.ok()) {
    drop(now, socket.error().text());
    return;
  }
  socket_ = std::move(socket).value();
  state_ = State::kAsked;
  until_ = now + kPatience;
  control_ = control_frame(StreamControl::kReady);
  received_.clear();
}

// The chunk that was being sent is lost: nobody knows how much of it arrived.
void TapStream::drop(MonoTime now, std::string problem) {
  problem_ = std::move(problem);
  socket_.reset();
  state_ = State::kClosed;
  until_ = now + kRetry;
  control_.clear();
  if (front_sent_ == 0) return;
  lost_ += queue_.front().queries;
  queued_ -= queue_.front().frames.size();
  queue_.pop_front();
  front_sent_ = 0;
}

bool TapStream::send_control(MonoTime now) {
  if (control_.empty()) return true;
  const auto count = send_some(socket_.number(), control_);
  if (!count) {
    drop(now, "it closed the connection");
    return false;
  }
  control_.erase(0, *count);
  return true;
}

bool TapStream::receive(MonoTime now) {
  std::array<char, kMaxControlFrame> buffer;
  const ssize_t count = ::recv(socket_.number(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (count <= 0) {
    drop(now, "it closed the connection");
    return false;
  }
  received_.append(buffer.data(), static_cast<std::size_t>(count));
  return take_control(now);
}

bool TapStream::take_control(MonoTime now) {
  while (!received_.empty()) {
    const auto frame = parse_control_frame(received_);
    if (!frame.ok()) {
      drop(now, std::string(describe(frame.error())));
      return false;
    }
    if (!*frame) return true;
    received_.erase(0, (*frame)->size);
    if ((*frame)->kind == StreamControl::kAccept && state_ == State::kAsked) {
      state_ = State::kOpen;
      control_ += control_frame(StreamControl::kStart);
      problem_.clear();
    } else if ((*frame)->kind == StreamControl::kFinish && state_ == State::kEnding) {
      finished_ = true;
    } else {
      drop(now, "a control frame that was not due");
      return false;
    }
  }
  return true;
}

void TapStream::send_chunks(MonoTime now) {
  while (!queue_.empty()) {
    const std::string_view frames = queue_.front().frames;
    const auto count = send_some(socket_.number(), frames.substr(front_sent_));
    if (!count) {
      drop(now, "it closed the connection");
      return;
    }
    front_sent_ += *count;
    if (front_sent_ < frames.size()) return;
    sent_ += queue_.front().queries;
    queued_ -= frames.size();
    queue_.pop_front();
    front_sent_ = 0;
  }
}

void TapStream::close(Duration patience) {
  const MonoTime end = sys::mono_now() + patience;
  const auto waits = [&end] {
    std::this_thread::sleep_for(kRest);
    return sys::mono_now() < end;
  };
  // A program that is not there is not waited for.
  do {
    turn(sys::mono_now());
  } while (state_ != State::kClosed && !(state_ == State::kOpen && queue_.empty()) && waits());
  if (state_ == State::kOpen && queue_.empty() && control_.empty()) {
    state_ = State::kEnding;
    control_ = control_frame(StreamControl::kStop);
    do {
      turn(sys::mono_now());
    } while (state_ == State::kEnding && !finished_ && waits());
  }
  for (const Chunk& chunk : queue_) lost_ += chunk.queries;
  queue_.clear();
  queued_ = front_sent_ = 0;
  socket_.reset();
  state_ = State::kClosed;
  finished_ = false;
}

}  // namespace timepool::dnsd
