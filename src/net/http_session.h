// HttpSession: one connection of the HTTP server, from accept to close, as one coroutine on the I/O
// thread. Requests on it are answered in order; the next is read when the last is answered.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "net/http_server.h"
#include "net/http_stream.h"
#include "net/http_workers.h"

namespace timepool::net {

// Lets other threads post to the I/O thread as long as the server lives; a wake-up that comes later
// is dropped.
struct HttpGate {
  std::mutex mutex;
  boost::asio::io_context* io = nullptr;

  void post(std::function<void()> work);
};

// What all connections of one server share. Fields that are not atomic belong to the I/O thread.
struct HttpShared {
  HttpRouter router;
  HttpServerOptions options;
  std::shared_ptr<HttpGate> gate = std::make_shared<HttpGate>();
  bool stopping = false;
  std::size_t in_flight = 0;
  std::size_t waiting = 0;
  std::atomic<std::uint64_t> connections{0};
  std::atomic<std::uint64_t> connections_refused{0};
  std::atomic<std::uint64_t> connections_open{0};
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> client_errors{0};
  std::atomic<std::uint64_t> server_errors{0};
  std::atomic<std::uint64_t> timeouts{0};
  std::atomic<std::uint64_t> waiting_now{0};
  // The Date field of this second (RFC 9110 6.6.1).
  std::int64_t date_second = 0;
  std::string date;

  // Of the I/O thread: the last 5xx that was logged, and when.
  std::string fault;
  std::chrono::steady_clock::time_point fault_time;

  void log(std::string_view line) const {
    if (options.log) options.log(line);
  }
};

class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  using Clock = std::chrono::steady_clock;

  HttpSession(HttpShared& shared, boost::asio::io_context& io, HttpWorkers& workers,
              std::unique_ptr<HttpStream> stream, const Endpoint& peer);

  // Serves until the connection ends. The caller keeps the session alive meanwhile.
  boost::asio::awaitable<void> run();
  // Called by the server's sweep: ends an operation that took longer than its limit.
  void enforce_deadline(Clock::time_point now);
  // The server stops: an idle connection ends, a wait ends, a request under way is answered.
  void stop();
  void close();

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
  // What the session waits for, which decides what a deadline or a stop does.
  enum class Phase : unsigned char { kIdle, kReading, kHandling, kWaiting, kWriting, kClosing };
  enum class ReadResult : unsigned char { kRequest, kClosed, kAnswer };

  boost::asio::awaitable<bool> serve_one();
  boost::asio::awaitable<ReadResult> read_request();
  boost::asio::awaitable<bool> fill();
  boost::asio::awaitable<void> handle();
  boost::asio::awaitable<void> call_handler(bool last);
  boost::asio::awaitable<bool> wait_for_change(Clock::time_point until);
  boost::asio::awaitable<bool> respond();
  void log_fault();
  boost::asio::awaitable<void> linger();

  bool accept_head();
  void take_request();
  bool expects_continue() const;
  void answer_error(int status, std::string_view code, std::string_view message);
  void answer_parse_error(const boost::system::error_code& error);
  void run_handler(bool last);
  HttpOutcome invoke(bool last) const;
  std::uint64_t start_wait(const HttpWait& wait);
  void write_head();
  void enter(Phase phase, Duration limit);

  HttpShared& shared_;
  boost::asio::io_context& io_;
  HttpWorkers& workers_;
  std::unique_ptr<HttpStream> stream_;
  const Endpoint peer_;

  Phase phase_ = Phase::kIdle;
  Clock::time_point deadline_ = Clock::time_point::max();
  bool timed_out_ = false;
  bool keep_alive_ = true;
  std::size_t served_ = 0;

  std::string in_;  // received and not yet parsed is in_[consumed_, in_.size())
  std::size_t consumed_ = 0;
  std::optional<Parser> parser_;
  bool head_accepted_ = false;

  HttpTarget target_;
  HttpRouter::Match match_;
  HttpRequest request_;
  bool version_1_0_ = false;
  bool head_only_ = false;

  // The handler's answer; `event_` wakes the coroutine when done_, woken_ or gone_ is set.
  boost::asio::steady_timer event_;
  HttpOutcome outcome_;
  bool done_ = false;
  bool woken_ = false;
  bool gone_ = false;
  HttpResponse response_;
  std::string head_;
};

}  // namespace timepool::net
