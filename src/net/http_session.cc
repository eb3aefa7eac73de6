#include "net/http_session.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <exception>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/beast/http/error.hpp>

namespace timepool::net {
namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace {

constexpr std::size_t kReadChunk = 8 * 1024;
// What is read and thrown away after an early error answer, so that the client can read it before
// it sees a reset (RFC 9112 9.6).
constexpr std::size_t kMaxLinger = 256 * 1024;
constexpr Duration kLingerTime = Duration::seconds(2);

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

std::chrono::nanoseconds chrono_of(Duration duration) {
  return std::chrono::nanoseconds(duration.ns());
}

// RFC 9110 5.6.2: the characters of a field name.
bool is_token(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

// A field whose name is no token is left out; control characters in the value become spaces, so
// that no handler can be made to split a response.
void append_field(std::string& out, std::string_view name, std::string_view value) {
  if (!is_token(name)) return;
  out.append(name).append(": ");
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    out.push_back((byte < 0x20 && c != '\t') || byte == 0x7f ? ' ' : c);
  }
  out.append("\r\n");
}

const std::string& date_of_now(HttpShared& shared) {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  if (shared.date_second != now) {
    shared.date_second = now;
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    std::array<char, 64> text{};
    const std::size_t size =
        std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    shared.date.assign(text.data(), size);
  }
  return shared.date;
}

// Counts up while it lives.
class Counted {
 public:
  explicit Counted(std::size_t& count) : count_(count) { ++count_; }
  ~Counted() { --count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::size_t& count_;
};

}  // namespace

void HttpGate::post(std::function<void()> work) {
  const std::lock_guard lock(mutex);
  if (io != nullptr) asio::post(*io, std::move(work));
}

HttpSession::HttpSession(HttpShared& shared, asio::io_context& io, HttpWorkers& workers,
                         std::unique_ptr<HttpStream> stream, const Endpoint& peer)
    : shared_(shared),
      io_(io),
      workers_(workers),
      stream_(std::move(stream)),
      peer_(peer),
      event_(io) {}

void HttpSession::enter(Phase phase, Duration limit) {
  phase_ = phase;
  timed_out_ = false;
  deadline_ = limit == Duration::max() ? Clock::time_point::max() : Clock::now() + chrono_of(limit);
}

void HttpSession::enforce_deadline(Clock::time_point now) {
  if (now < deadline_) return;
  timed_out_ = true;
  stream_->cancel();
}

void HttpSession::stop() {
  if (phase_ == Phase::kIdle) stream_->cancel();
  if (phase_ == Phase::kWaiting) event_.cancel();
}

void HttpSession::close() {
  stream_->close();
}

asio::awaitable<void> HttpSession::run() {
  bool more = true;
  while (more) more = co_await serve_one();
  stream_->close();
}

asio::awaitable<bool> HttpSession::serve_one() {
  parser_.emplace();
  parser_->eager(true);
  parser_->header_limit(static_cast<std::uint32_t>(shared_.options.limits.header_bytes));
  parser_->body_limit(shared_.options.limits.body_bytes);
  head_accepted_ = false;
  response_ = HttpResponse();
  version_1_0_ = false;
  head_only_ = false;
  const ReadResult read = co_await read_request();
  if (read == ReadResult::kClosed) co_return false;
  if (read == ReadResult::kRequest) {
    take_request();
    co_await handle();
    if (gone_) co_return false;
  }
  co_return co_await respond();
}

asio::awaitable<bool> HttpSession::fill() {
  in_.erase(0, consumed_);
  consumed_ = 0;
  const std::size_t kept = in_.size();
  in_.resize(kept + kReadChunk);
  const std::size_t count = co_await stream_->read_some(in_.data() + kept, kReadChunk);
  in_.resize(kept + count);
  co_return count != 0 && !timed_out_;
}

asio::awaitable<HttpSession::ReadResult> HttpSession::read_request() {
  bool need_more = consumed_ == in_.size();
  bool begun = !need_more;
  const HttpServerLimits& limits = shared_.options.limits;
  enter(begun ? Phase::kReading : Phase::kIdle, begun ? limits.request : limits.idle);
  if (!begun && shared_.stopping) co_return ReadResult::kClosed;
  for (;;) {
    if (need_more) {
      const bool filled = co_await fill();
      if (!filled) {
        if (!timed_out_ || !begun) co_return ReadResult::kClosed;
        shared_.timeouts.fetch_add(1, std::memory_order_relaxed);
        answer_error(408, "timeout", "the request did not arrive in time");
        co_return ReadResult::kAnswer;
      }
      if (!begun) enter(Phase::kReading, limits.request);
      begun = true;
    }
    boost::system::error_code error;
    const std::size_t count =
        parser_->put(asio::const_buffer(in_.data() + consumed_, in_.size() - consumed_), error);
    consumed_ += count;
    need_more = error == http::error::need_more || consumed_ == in_.size() || count == 0;
    if (error && error != http::error::need_more) {
      answer_parse_error(error);
      co_return ReadResult::kAnswer;
    }
    if (parser_->is_header_done() && !head_accepted_) {
      head_accepted_ = true;
      if (!accept_head()) co_return ReadResult::kAnswer;
      if (!parser_->is_done() && expects_continue()) {
        const bool sent = co_await stream_->write("HTTP/1.1 100 Continue\r\n\r\n", "");
        if (!sent) co_return ReadResult::kClosed;
      }
    }
    if (parser_->is_done()) co_return ReadResult::kRequest;
  }
}

bool HttpSession::expects_continue() const {
  return !version_1_0_ && parser_->get().count(http::field::expect) != 0;
}

// Everything that can be refused before the body is read. False when response_ is the refusal.
bool HttpSession::accept_head() {
  const auto& message = parser_->get();
  ++served_;
  version_1_0_ = message.version() < 11;
  keep_alive_ = parser_->keep_alive() && served_ < shared_.options.limits.requests;
  head_only_ = message.method() == http::verb::head;
  const auto refuse = [this](int status, std::string_view code, std::string_view text) {
    const bool keep = keep_alive_ && parser_->is_done();
    answer_error(status, code, text);
    keep_alive_ = keep;
    return false;
  };
  // RFC 9112 3.2: exactly one Host field.
  if (message.count(http::field::host) > 1 ||
      (!version_1_0_ && message.count(http::field::host) == 0)) {
    return refuse(400, "invalid", "the request needs exactly one Host field");
  }
  if (!version_1_0_ && message.count(http::field::expect) != 0 &&
      !equal_ignoring_case(view(message[http::field::expect]), "100-continue")) {
    return refuse(417, "invalid", "only Expect: 100-continue is known");
  }
  auto target = parse_target(view(message.target()));
  if (!target) return refuse(400, "invalid", explain(target.error()));
  target_ = std::move(target).value();
  const std::string_view method = view(message.method_string());
  match_ = shared_.router.match(method, target_);
  if (match_.route != nullptr) return true;
  if (method == "OPTIONS" && (target_.path == "*" || !match_.allow.empty())) {
    refuse(204, "", "");
    response_ = HttpResponse();
    response_.status = 204;
  } else if (match_.allow.empty()) {
    return refuse(404, "not_found", "there is nothing at this path");
  } else {
    refuse(405, "method_not_allowed", "this path does not answer that method");
  }
  if (!match_.allow.empty()) response_.headers.set("Allow", match_.allow);
  return false;
}

void HttpSession::take_request() {
  auto& message = parser_->get();
  request_ = HttpRequest();
  request_.method = view(message.method_string());
  request_.target = view(message.target());
  request_.path = std::move(target_.path);
  request_.query = std::move(target_.query);
  request_.params = std::move(match_.params);
  for (const auto& field : message) {
    request_.headers.add(view(field.name_string()), view(field.value()));
  }
  request_.body = std::move(message.body());
  request_.peer = peer_;
}

asio::awaitable<void> HttpSession::handle() {
  const HttpServerLimits& limits = shared_.options.limits;
  if (shared_.in_flight >= limits.in_flight) {
    response_ = http_error(503, "unavailable", "too many requests in flight; try again");
    response_.headers.set("Retry-After", "1");
    co_return;
  }
  bool last = false;
  co_await call_handler(last);
  Clock::time_point until = Clock::time_point::max();
  while (const auto* wait = std::get_if<HttpWait>(&outcome_)) {
    if (last) {
      shared_.log("http: " + match_.route->pattern + " still waits when it must answer");
      outcome_ = http_error(500, "system", "internal error; see the log");
      break;
    }
    if (shared_.waiting >= limits.waiting) {
      HttpResponse busy = http_error(503, "unavailable", "too many requests wait; try again");
      busy.headers.set("Retry-After", "5");
      outcome_ = std::move(busy);
      break;
    }
    until = std::min(until, Clock::now() + chrono_of(std::min(wait->at_most, limits.wait)));
    const bool in_time = co_await wait_for_change(until);
    if (gone_) co_return;
    last = !in_time;
    co_await call_handler(last);
  }
  response_ = std::get<HttpResponse>(std::move(outcome_));
}

asio::awaitable<void> HttpSession::call_handler(bool last) {
  const Counted in_flight(shared_.in_flight);
  enter(Phase::kHandling, Duration::max());
  if (match_.route->thread == HttpThread::kLoop) {
    outcome_ = invoke(last);
    co_return;
  }
  run_handler(last);
  event_.expires_at(Clock::time_point::max());
  while (!done_) {
    boost::system::error_code ignored;
    co_await event_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

// Hands the request to a worker; the I/O thread sets done_ when the answer is back.
void HttpSession::run_handler(bool last) {
  done_ = false;
  workers_.post([self = shared_from_this(), last] {
    auto outcome = std::make_shared<HttpOutcome>(self->invoke(last));
    asio::post(self->io_, [self, outcome] {
      self->outcome_ = std::move(*outcome);
      self->done_ = true;
      self->event_.cancel();
    });
  });
}

HttpOutcome HttpSession::invoke(bool last) const {
  std::string what;
  try {
    return match_.route->handler(request_, last);
  } catch (const std::exception& exception) {
    what = exception.what();
  } catch (...) {
    what = "unknown exception";
  }
  shared_.log("http: " + request_.method + " " + match_.route->pattern + " failed: " + what);
  return http_error(500, "system", "internal error; see the log");
}

// True when there may be something to say; false when the time is up, the server stops, or the
// client is gone (gone_).
asio::awaitable<bool> HttpSession::wait_for_change(Clock::time_point until) {
  const Counted waiting(shared_.waiting);
  enter(Phase::kWaiting, Duration::max());
  shared_.waiting_now.store(shared_.waiting, std::memory_order_relaxed);
  const std::shared_ptr<ChangeSignal> signal = std::get<HttpWait>(outcome_).signal;
  const std::uint64_t id = start_wait(std::get<HttpWait>(outcome_));
  event_.expires_at(until);
  while (!woken_ && !gone_ && !shared_.stopping && Clock::now() < until) {
    boost::system::error_code ignored;
    co_await event_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  signal->forget(id);
  stream_->cancel();
  shared_.waiting_now.store(shared_.waiting - 1, std::memory_order_relaxed);
  co_return woken_;
}

std::uint64_t HttpSession::start_wait(const HttpWait& wait) {
  woken_ = false;
  const std::weak_ptr<HttpSession> weak = weak_from_this();
  stream_->watch_close([weak] {
    const std::shared_ptr<HttpSession> self = weak.lock();
    if (!self || self->phase_ != Phase::kWaiting) return;
    self->gone_ = true;
    self->event_.cancel();
  });
  return wait.signal->wake_when_changed(wait.seen, [weak, gate = shared_.gate] {
    gate->post([weak] {
      const std::shared_ptr<HttpSession> self = weak.lock();
      if (!self || self->phase_ != Phase::kWaiting) return;
      self->woken_ = true;
      self->event_.cancel();
    });
  });
}

void HttpSession::answer_error(int status, std::string_view code, std::string_view message) {
  response_ = http_error(status, code, message);
  keep_alive_ = false;
}

void HttpSession::answer_parse_error(const boost::system::error_code& error) {
  const HttpServerLimits& limits = shared_.options.limits;
  if (error == http::error::header_limit) {
    answer_error(431, "too_large",
                 "the header is longer than " + std::to_string(limits.header_bytes) + " bytes");
  } else if (error == http::error::body_limit) {
    answer_error(413, "too_large",
                 "the body is longer than " + std::to_string(limits.body_bytes) + " bytes");
  } else if (error == http::error::bad_version) {
    answer_error(505, "invalid", "only HTTP/1.0 and HTTP/1.1 are spoken here");
  } else {
    answer_error(400, "invalid", "malformed HTTP request: " + error.message());
  }
}

// What the client is told of our faults (a full disk) is for the operator too; the same once in a
// while, however many clients meet it.
void HttpSession::log_fault() {
  constexpr std::chrono::seconds kRepeat{60};
  constexpr std::size_t kMaxText = 400;
  std::string text =
      std::to_string(response_.status) + " " + std::string(response_.content().substr(0, kMaxText));
  while (text.ends_with('\n')) text.pop_back();
  if (text.find("see the log") != std::string::npos) return;  // its cause is there already
  const Clock::time_point now = Clock::now();
  if (text == shared_.fault && now < shared_.fault_time + kRepeat) return;
  shared_.fault_time = now;
  shared_.log("a request was answered with " + text);
  shared_.fault = std::move(text);
}

asio::awaitable<bool> HttpSession::respond() {
  if (shared_.stopping) keep_alive_ = false;
  if (response_.status < 200 || response_.status > 599) {
    shared_.log("http: a handler answered with status " + std::to_string(response_.status));
    response_ = http_error(500, "system", "internal error; see the log");
  }
  write_head();
  const bool bare = head_only_ || response_.status == 204 || response_.status == 304;
  enter(Phase::kWriting, shared_.options.limits.response);
  shared_.requests.fetch_add(1, std::memory_order_relaxed);
  if (response_.status >= 500) {
    shared_.server_errors.fetch_add(1, std::memory_order_relaxed);
    log_fault();
  }
  if (response_.status >= 400 && response_.status < 500) {
    shared_.client_errors.fetch_add(1, std::memory_order_relaxed);
  }
  const bool written =
      co_await stream_->write(head_, bare ? std::string_view() : response_.content());
  if (!written) co_return false;
  if (keep_alive_) co_return true;
  if (!parser_->is_done() || consumed_ < in_.size()) co_await linger();
  co_return false;
}

asio::awaitable<void> HttpSession::linger() {
  stream_->shut_down_write();
  enter(Phase::kClosing, kLingerTime);
  in_.resize(kReadChunk);
  std::size_t total = 0;
  while (total < kMaxLinger && !timed_out_) {
    const std::size_t count = co_await stream_->read_some(in_.data(), in_.size());
    if (count == 0) co_return;
    total += count;
  }
}

void HttpSession::write_head() {
  head_.clear();
  head_.append("HTTP/1.1 ").append(std::to_string(response_.status)).append(" ");
  head_.append(http_reason(response_.status)).append("\r\n");
  append_field(head_, "Date", date_of_now(shared_));
  if (!response_.content_type.empty()) {
    append_field(head_, "Content-Type", response_.content_type);
  }
  for (const HttpFields::Field& field : response_.headers.all()) {
    append_field(head_, field.name, field.value);
  }
  if (shared_.options.security_headers) {
    for (const HttpFields::Field& field : http_security_headers().all()) {
      if (response_.headers.find(field.name) == nullptr) {
        append_field(head_, field.name, field.value);
      }
    }
  }
  // RFC 9110 8.6: no Content-Length in a 204.
  if (response_.status != 204 && response_.status != 304) {
    append_field(head_, "Content-Length", std::to_string(response_.content().size()));
  }
  if (!keep_alive_) append_field(head_, "Connection", "close");
  if (keep_alive_ && version_1_0_) append_field(head_, "Connection", "keep-alive");
  head_.append("\r\n");
}

}  // namespace timepool::net
