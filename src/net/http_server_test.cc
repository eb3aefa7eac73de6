#include "net/http_server.h"
#include "sys/temporary_directory.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

namespace timepool::net {
namespace {

using Clock = std::chrono::steady_clock;

// A TCP client that sends bytes as given and reads what comes.
class RawClient {
 public:
  explicit RawClient(const Endpoint& to) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(to.port);
    address.sin_addr.s_addr = htonl(to.address.v4_bits());
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~RawClient() { close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool connected() const { return connected_; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  // Reads until the text holds `what` `times` times, the peer closes or the time is up.
  std::string read_until(std::string_view what, int times = 1, int timeout_ms = 5000) {
    const auto end = Clock::now() + std::chrono::milliseconds(timeout_ms);
    while (count(what) < times && read_more(end)) {
    }
    return in_;
  }
  std::string read_all(int timeout_ms = 5000) {
    const auto end = Clock::now() + std::chrono::milliseconds(timeout_ms);
    while (read_more(end)) {
    }
    return in_;
  }
  bool closed() const { return closed_; }
  int count(std::string_view what) const {
    int out = 0;
    for (std::size_t at = in_.find(what); at != std::string::npos; at = in_.find(what, at + 1)) {
      ++out;
    }
    return out;
  }

 private:
  bool read_more(Clock::time_point end) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    pollfd waiting{fd_, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) return false;
    char buffer[4096];
    const ssize_t size = ::recv(fd_, buffer, sizeof buffer, 0);
    if (size <= 0) {
      closed_ = true;
      return false;
    }
    in_.append(buffer, static_cast<std::size_t>(size));
    return true;
  }
  int fd_;
  bool connected_ = false;
  bool closed_ = false;
  std::string in_;
};

// A door that handlers wait at until the test opens it.
class Door {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void await_waiting(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(5), [&] { return waiting_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int waiting_ = 0;
};

class HttpServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.listen.push_back({"[http] listen", {IpAddress::v4(0x7f000001), 0}, ""});
    options_.log = [this](std::string_view line) {
      const std::lock_guard lock(mutex_);
      log_.append(line).append("\n");
    };
    router_.on("GET", "/hello",
               [](const HttpRequest&) { return http_text(200, "text/plain", "hello"); });
    router_.on(
        "GET", "/fast", [](const HttpRequest&) { return http_text(200, "text/plain", "f"); },
        HttpThread::kLoop);
    router_.on("POST", "/echo", [](const HttpRequest& request) {
      return http_text(200, "application/octet-stream", request.body);
    });
    router_.on("GET", "/v1/servers/{address}", [](const HttpRequest& request) {
      return http_text(200, "text/plain",
                       std::string(request.param("address")) + "|" +
                           std::string(request.query_value("full").value_or("none")) + "|" +
                           format(request.peer.address));
    });
    router_.on("GET", "/throws", [](const HttpRequest&) -> HttpResponse {
      throw std::runtime_error("the disk is on fire");
    });
    router_.on("GET", "/door", [this](const HttpRequest&) {
      door_.pass();
      return http_text(200, "text/plain", "through");
    });
    router_.on("GET", "/split", [](const HttpRequest&) {
      HttpResponse response = http_text(200, "text/plain", "x");
      response.headers.add("X-Name", "a\r\nSet-Cookie: b");
      response.headers.add("Bad\r\nName", "c");
      return response;
    });
    router_.on_poll("GET", "/poll", [this](const HttpRequest&, bool last) -> HttpOutcome {
      const std::uint64_t seen = signal_->version();
      const int value = value_.load();
      if (value == 0 && !last) return HttpWait{signal_, seen, poll_time_};
      return http_text(200, "text/plain", "value " + std::to_string(value));
    });
  }

  void start() {
    auto started = HttpServer::start(std::move(router_), options_);
    ASSERT_TRUE(started.ok()) << started.error().text();
    server_ = std::move(started).value();
  }
  Endpoint at() const { return server_->endpoints().at(0); }
  // The whole answer to one request after which the connection is closed.
  std::string exchange(std::string_view request) {
    RawClient client(at());
    client.send(request);
    return client.read_all();
  }
  std::string get(std::string_view path) {
    return exchange("GET " + std::string(path) +
                    " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  }
  bool eventually(const std::function<bool()>& condition) {
    for (int i = 0; i < 500; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  std::string log() {
    const std::lock_guard lock(mutex_);
    return log_;
  }

  HttpRouter router_;
  HttpServerOptions options_;
  Door door_;
  std::shared_ptr<ChangeSignal> signal_ = std::make_shared<ChangeSignal>();
  std::atomic<int> value_{0};
  Duration poll_time_ = Duration::seconds(30);
  std::mutex mutex_;
  std::string log_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, answers_with_length_date_and_security_headers) {
  start();
  const std::string answer = get("/hello");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  for (const char* part : {"\r\nContent-Length: 5\r\n", "\r\nContent-Type: text/plain\r\n",
                           "\r\nX-Content-Type-Options: nosniff\r\n", "default-src 'none'",
                           "\r\nReferrer-Policy: no-referrer\r\n", " GMT\r\n", "\r\n\r\nhello"}) {
    EXPECT_NE(answer.find(part), std::string::npos) << part << "\n" << answer;
  }
}

TEST_F(HttpServerTest, keeps_the_connection_and_answers_pipelined_requests_in_order) {
  start();
  RawClient client(at());
  const std::string one = "GET /v1/servers/";
  const std::string rest = " HTTP/1.1\r\nHost: a\r\n\r\n";
  client.send(one + "10" + rest + one + "20" + rest + "GET /fast" + rest + one + "30" + rest);
  const std::string answer = client.read_until("|127.0.0.1", 3);
  const auto first = answer.find("10|none"), second = answer.find("20|none"),
             fast = answer.find("\r\n\r\nf"), third = answer.find("30|none");
  ASSERT_NE(third, std::string::npos) << answer;
  EXPECT_TRUE(first < second && second < fast && fast < third);
  client.send(one + "40?full=a%20b" + rest);
  EXPECT_NE(client.read_until("40|").find("40|a b|"), std::string::npos);
}

TEST_F(HttpServerTest, reads_a_request_that_comes_byte_by_byte) {
  start();
  RawClient client(at());
  for (const char c :
       std::string("POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")) {
    client.send(std::string_view(&c, 1));
  }
  const std::string answer = client.read_all();
  EXPECT_NE(answer.find("\r\n\r\nabcde"), std::string::npos) << answer;
}

TEST_F(HttpServerTest, head_has_the_fields_of_get_and_no_body) {
  start();
  const std::string answer =
      exchange("HEAD /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_NE(answer.find("\r\nContent-Length: 5\r\n"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
}

TEST_F(HttpServerTest, http_1_0_is_closed_unless_it_asks_to_be_kept) {
  start();
  EXPECT_NE(exchange("GET /hello HTTP/1.0\r\n\r\n").find("Connection: close"), std::string::npos);
  RawClient kept(at());
  kept.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_NE(kept.read_until("hello").find("Connection: keep-alive"), std::string::npos);
  kept.send("GET /hello HTTP/1.0\r\n\r\n");
  kept.read_all();
  EXPECT_EQ(kept.count("200 OK"), 2);
}

TEST_F(HttpServerTest, unknown_paths_and_methods_get_precise_errors) {
  start();
  EXPECT_NE(get("/nothing").find(R"({"error":{"code":"not_found",)"), std::string::npos);
  const std::string wrong =
      exchange("DELETE /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(wrong.starts_with("HTTP/1.1 405 Method Not Allowed\r\n")) << wrong;
  EXPECT_NE(wrong.find("\r\nAllow: GET, HEAD, OPTIONS\r\n"), std::string::npos) << wrong;
  const std::string options =
      exchange("OPTIONS /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(options.starts_with("HTTP/1.1 204 ")) << options;
  EXPECT_NE(options.find("\r\nAllow: POST, OPTIONS\r\n"), std::string::npos) << options;
  // A refusal without a body unread does not cost the connection.
  RawClient client(at());
  client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_NE(client.read_until("hello").find("404"), std::string::npos);
}

TEST_F(HttpServerTest, malformed_requests_get_400_and_are_closed) {
  start();
  for (const std::string request : {
           "nonsense\r\n\r\n",
           "GET /hello HTTP/1.1\r\n\r\n",                        // no Host
           "GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",  // two
           "GET hello HTTP/1.1\r\nHost: a\r\n\r\n",
           "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
           "GET /a%00 HTTP/1.1\r\nHost: a\r\n\r\n",
           "GET /hello HTTP/1.1\r\nHost: a\r\nbad name: b\r\n\r\n",
           "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
           "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
           // Request smuggling: two ways to say how long the body is.
           "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: "
           "chunked\r\n\r\n"
           "0\r\n\r\n",
           "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: "
           "3\r\n\r\n"
           "0\r\n\r\n",
           "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
       }) {
    RawClient client(at());
    client.send(request);
    const std::string answer = client.read_until("\r\n\r\n{", 1);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 Bad Request\r\n")) << request << "\n" << answer;
    EXPECT_NE(answer.find(R"({"error":{"code":"invalid")"), std::string::npos) << answer;
  }
  EXPECT_TRUE(exchange("GET /hello HTTP/3.0\r\nHost: a\r\n\r\n").starts_with("HTTP/1.1 505 "));
  EXPECT_TRUE(
      exchange("GET /hello HTTP/1.1\r\nHost: a\r\nExpect: magic\r\nConnection: close\r\n\r\n")
          .starts_with("HTTP/1.1 417 "));
}

TEST_F(HttpServerTest, limits_header_and_body) {
  options_.limits.header_bytes = 1000;
  options_.limits.body_bytes = 100;
  start();
  EXPECT_TRUE(
      exchange("GET /hello HTTP/1.1\r\nHost: a\r\nX: " + std::string(2000, 'x') + "\r\n\r\n")
          .starts_with("HTTP/1.1 431 "));
  EXPECT_TRUE(exchange("GET /" + std::string(5000, 'x')).starts_with("HTTP/1.1 431 "));
  const std::string post = "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
  EXPECT_TRUE(exchange(post + "Content-Length: 100\r\n\r\n" + std::string(100, 'b'))
                  .starts_with("HTTP/1.1 200 "));
  const std::string large = exchange(post + "Content-Length: 101\r\n\r\n" + std::string(101, 'b'));
  EXPECT_TRUE(large.starts_with("HTTP/1.1 413 ")) << large;
  EXPECT_NE(large.find("longer than 100 bytes"), std::string::npos);
  EXPECT_TRUE(exchange(post + "Transfer-Encoding: chunked\r\n\r\n65\r\n" + std::string(101, 'b') +
                       "\r\n0\r\n\r\n")
                  .starts_with("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, an_early_refusal_reaches_a_client_that_still_sends) {
  options_.limits.body_bytes = 1000;
  start();
  RawClient client(at());
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 150000\r\n\r\n");
  for (int i = 0; i < 15; ++i) {
    client.send(std::string(10'000, 'b'));
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_TRUE(client.read_all().starts_with("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, expect_100_continue_is_answered_before_the_body_or_refused) {
  start();
  RawClient client(at());
  client.send(
      "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("body");
  EXPECT_NE(client.read_until("\r\n\r\nbody").find("\r\n\r\nbody"), std::string::npos);
  const std::string refused = exchange(
      "POST /nowhere HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 404 ")) << refused;
}

TEST_F(HttpServerTest, a_handler_that_throws_is_a_500_and_a_line_in_the_log) {
  start();
  const std::string answer = get("/throws");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 500 ")) << answer;
  EXPECT_EQ(answer.find("on fire"), std::string::npos);
  EXPECT_EQ(log(), "http: GET /throws failed: the disk is on fire\n");
  EXPECT_TRUE(get("/hello").starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(server_->counters().server_errors, 1u);
}

TEST_F(HttpServerTest, a_handler_cannot_split_the_response) {
  start();
  const std::string answer = get("/split");
  EXPECT_EQ(answer.find("\nSet-Cookie"), std::string::npos) << answer;
  EXPECT_NE(answer.find("X-Name: a  Set-Cookie: b\r\n"), std::string::npos) << answer;
  EXPECT_EQ(answer.find("Bad"), std::string::npos) << answer;
}

TEST_F(HttpServerTest, slow_requests_time_out_and_idle_connections_are_closed) {
  options_.limits.request = Duration::milliseconds(300);
  options_.limits.idle = Duration::milliseconds(600);
  start();
  RawClient slow(at());
  const auto begin = Clock::now();
  // Ever another byte does not help: the whole request has one limit.
  for (int i = 0; i < 100 && Clock::now() - begin < std::chrono::milliseconds(550); ++i) {
    slow.send("G");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_TRUE(slow.read_all().starts_with("HTTP/1.1 408 "));
  RawClient idle(at());
  EXPECT_EQ(idle.read_all(3000), "");
  EXPECT_TRUE(idle.closed());
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(4));
  EXPECT_EQ(server_->counters().timeouts, 1u);
}

TEST_F(HttpServerTest, more_connections_than_allowed_are_told_so) {
  options_.limits.connections = 2;
  start();
  RawClient a(at()), b(at());
  a.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  b.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  a.read_until("hello");
  b.read_until("hello");
  RawClient c(at());
  EXPECT_TRUE(c.read_all().starts_with("HTTP/1.1 503 "));
  EXPECT_EQ(server_->counters().connections_refused, 1u);
  a.close();
  EXPECT_TRUE(eventually([&] { return server_->counters().connections_open == 1; }));
  EXPECT_TRUE(get("/hello").starts_with("HTTP/1.1 200 "));
}

TEST_F(HttpServerTest, more_requests_in_flight_than_allowed_are_told_so) {
  options_.limits.in_flight = 2;
  options_.workers = 1;
  start();
  RawClient a(at()), b(at());
  a.send("GET /door HTTP/1.1\r\nHost: a\r\n\r\n");
  door_.await_waiting(1);
  b.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");  // queued behind the only worker
  std::string answer;
  EXPECT_TRUE(eventually([&] {
    answer = get("/fast");
    return answer.starts_with("HTTP/1.1 503 ");
  }));
  EXPECT_NE(answer.find("\r\nRetry-After: 1\r\n"), std::string::npos);
  door_.open();
  EXPECT_NE(a.read_until("through").find("through"), std::string::npos);
  EXPECT_NE(b.read_until("hello").find("hello"), std::string::npos);
}

TEST_F(HttpServerTest, a_long_poll_ends_at_the_change_and_holds_no_worker) {
  options_.workers = 1;
  start();
  constexpr int kClients = 50;
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.push_back(std::make_unique<RawClient>(at()));
    clients.back()->send("GET /poll HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  ASSERT_TRUE(eventually([&] { return server_->counters().waiting == kClients; }));
  EXPECT_TRUE(get("/hello").starts_with("HTTP/1.1 200 "));
  signal_->notify();  // nothing to say yet: all wait again
  ASSERT_TRUE(eventually([&] { return server_->counters().waiting == kClients; }));
  value_ = 7;
  signal_->notify();
  for (auto& client : clients) {
    EXPECT_NE(client->read_until("value").find("value 7"), std::string::npos);
  }
  EXPECT_TRUE(eventually([&] { return server_->counters().waiting == 0; }));
}

TEST_F(HttpServerTest, a_long_poll_ends_at_its_time) {
  poll_time_ = Duration::milliseconds(200);
  start();
  const auto begin = Clock::now();
  EXPECT_NE(get("/poll").find("value 0"), std::string::npos);
  const auto took = Clock::now() - begin;
  EXPECT_GE(took, std::chrono::milliseconds(195));
  EXPECT_LT(took, std::chrono::seconds(3));
}

TEST_F(HttpServerTest, a_long_poll_is_forgotten_when_the_client_goes) {
  start();
  RawClient client(at());
  client.send("GET /poll HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return server_->counters().waiting == 1; }));
  client.close();
  EXPECT_TRUE(eventually([&] {
    return server_->counters().waiting == 0 && server_->counters().connections_open == 0;
  }));
  signal_->notify();
}

TEST_F(HttpServerTest, more_long_polls_than_allowed_are_told_so) {
  options_.limits.waiting = 1;
  start();
  RawClient client(at());
  client.send("GET /poll HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return server_->counters().waiting == 1; }));
  EXPECT_TRUE(get("/poll").starts_with("HTTP/1.1 503 "));
}

TEST_F(HttpServerTest, stop_ends_waits_at_once_and_lets_handlers_finish) {
  start();
  RawClient waiting(at()), working(at()), idle(at());
  waiting.send("GET /poll HTTP/1.1\r\nHost: a\r\n\r\n");
  working.send("GET /door HTTP/1.1\r\nHost: a\r\n\r\n");
  door_.await_waiting(1);
  ASSERT_TRUE(eventually([&] { return server_->counters().waiting == 1; }));
  const Endpoint endpoint = at();
  const auto begin = Clock::now();
  std::thread stopper([&] { server_->stop(Duration::seconds(10)); });
  EXPECT_NE(waiting.read_all().find("value 0"), std::string::npos);
  EXPECT_EQ(idle.read_all(), "");
  EXPECT_TRUE(idle.closed());
  EXPECT_FALSE(RawClient(endpoint).connected());
  door_.open();
  const std::string answer = working.read_all();
  EXPECT_NE(answer.find("through"), std::string::npos);
  EXPECT_NE(answer.find("Connection: close"), std::string::npos);
  stopper.join();
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(5));
  signal_->notify();
}

TEST_F(HttpServerTest, stop_does_not_wait_longer_than_its_grace_for_a_slow_client) {
  start();
  RawClient client(at());
  client.send("GET /hello HTTP/1.1\r\nHos");
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const auto begin = Clock::now();
  server_->stop(Duration::milliseconds(200));
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(2));
  EXPECT_EQ(client.read_all(), "");
  EXPECT_TRUE(client.closed());
}

TEST_F(HttpServerTest, a_port_in_use_names_the_setting_and_the_address) {
  start();
  HttpServerOptions second;
  second.listen.push_back({"[http] listen", at(), ""});
  const auto failed = HttpServer::start(HttpRouter(), second);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().text(),
            "cannot listen: [http] listen = " + format(at()) + ": Address already in use");
}

TEST_F(HttpServerTest, a_unix_socket_is_replaced_when_stale_and_kept_when_in_use) {
  const sys::TemporaryDirectory temporary;
  const std::string path = temporary.path() + "/http.sock";
  options_.listen = {{"[http] socket", {}, path}};
  {
    // What a killed program leaves behind: a bound socket without a listener.
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_storage storage{};
    storage.ss_family = AF_UNIX;
    path.copy(reinterpret_cast<char*>(&storage) + sizeof(sa_family_t), path.size());
    ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&storage),
                     static_cast<socklen_t>(sizeof(sa_family_t) + path.size() + 1)),
              0);
    ::close(fd);
  }
  start();
  struct stat info{};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0660u);
  const auto second = HttpServer::start(HttpRouter(), options_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().text(),
            "cannot listen: [http] socket = " + path + ": Address already in use");
  server_->stop(Duration::seconds(1));
  EXPECT_NE(::stat(path.c_str(), &info), 0);
}

}  // namespace
}  // namespace timepool::net
