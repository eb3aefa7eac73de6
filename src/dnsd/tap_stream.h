// TapStream: dnstap's frames to a program that listens at a Unix socket (fstrm_capture,
// dnstap-receiver and their like). Never waits: what the program does not take in time stands in a
// queue of kMaxQueue octets, what finds no place there is left out and counted by who puts. When it
// goes, or is not there, it is looked for again each kRetry. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "base/time.h"
#include "sys/fd.h"

namespace timepool::dnsd {

class TapStream {
 public:
  // Half a second of 5,000 queries a second with answers of 200 octets, or more.
  static constexpr std::size_t kMaxQueue = std::size_t{1} << 20;
  static constexpr Duration kRetry = Duration::seconds(1);
  // How long the other end may take to say that it takes dnstap.
  static constexpr Duration kPatience = Duration::seconds(5);

  explicit TapStream(std::string path) : path_(std::move(path)) {}

  // The data frames of one query, to be sent by turn(). False: no place.
  bool put(std::string_view frames);
  // Connects, shakes hands, sends: whatever can be done at once.
  void turn(MonoTime now);
  // Sends what waits, says so, and closes; waits `patience` for the other end at the most.
  void close(Duration patience);

  // Of queries that were put: taken by the system, or lost with a connection. Never both.
  std::uint64_t sent() const { return sent_; }
  std::uint64_t lost() const { return lost_; }
  // Of octets that wait.
  std::size_t queued() const { return queued_; }
  // What is wrong now; empty: nothing, or nothing was tried yet.
  const std::string& problem() const { return problem_; }
  const std::string& path() const { return path_; }

 private:
  enum class State : std::uint8_t { kClosed, kAsked, kOpen, kEnding };
  // Sent by one call, as long as it is short.
  struct Chunk {
    std::string frames;
    std::uint64_t queries = 0;
  };

  void connect(MonoTime now);
  void drop(MonoTime now, std::string problem);
  // Whether the connection still stands.
  bool send_control(MonoTime now);
  bool receive(MonoTime now);
  bool take_control(MonoTime now);
  void send_chunks(MonoTime now);

  std::string path_;
  sys::Fd socket_;
  State state_ = State::kClosed;
  MonoTime until_;       // kClosed: when to try again; kAsked: when patience ends
  std::string control_;  // to be sent before anything else
  std::string received_;
  std::deque<Chunk> queue_;
  std::size_t front_sent_ = 0;  // octets of the first chunk
  std::size_t queued_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t lost_ = 0;
  bool finished_ = false;
  std::string problem_;
};

}  // namespace timepool::dnsd
