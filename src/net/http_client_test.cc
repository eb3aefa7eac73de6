#include "net/http_client.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

#include "net/http_server.h"
#include "sys/stream_socket.h"
#include "sys/temporary_directory.h"

namespace timepool::net {
namespace {

using Clock = std::chrono::steady_clock;

class HttpClientTest : public ::testing::Test {
 protected:
  void SetUp() override {
    HttpRouter router;
    router.on("GET", "/hello", [](const HttpRequest& request) {
      HttpResponse response = http_text(200, "text/plain", "hello");
      response.headers.add("X-Seen", request.headers.value("X-Sent"));
      response.headers.add("ETag", "\"5\"");
      return response;
    });
    router.on("GET", "/large", [](const HttpRequest&) {
      return http_text(200, "text/plain", std::string(5000, 'x'));
    });
    router.on("GET", "/headers", [](const HttpRequest&) {
      HttpResponse response;
      for (int i = 0; i < 200; ++i) response.headers.add("X-Many", std::string(50, 'y'));
      return response;
    });
    for (const char* method : {"POST", "PATCH", "DELETE", "PUT"}) {
      router.on(method, "/echo", [](const HttpRequest& request) {
        return http_json(201, request.method + " " + request.body);
      });
    }
    router.on("GET", "/redirect", [](const HttpRequest&) {
      HttpResponse response;
      response.status = 302;
      response.headers.add("Location", "/hello");
      return response;
    });
    router.on_poll("GET", "/poll", [this](const HttpRequest&, bool last) -> HttpOutcome {
      if (last) return http_text(200, "text/plain", "end");
      return HttpWait{signal_, signal_->version(), Duration::seconds(60)};
    });
    HttpServerOptions options;
    options.listen.push_back({"tcp", {IpAddress::v4(0x7f000001), 0}, ""});
    options.listen.push_back({"unix", {}, socket_});
    auto started = HttpServer::start(std::move(router), options);
    ASSERT_TRUE(started.ok()) << started.error().text();
    server_ = std::move(started).value();
    base_ = "http://" + format(server_->endpoints().at(0));
  }
  HttpFetch to(const std::string& path) {
    HttpFetch fetch;
    fetch.url = base_ + path;
    return fetch;
  }

  std::shared_ptr<ChangeSignal> signal_ = std::make_shared<ChangeSignal>();
  sys::TemporaryDirectory temporary_;
  std::string socket_ = temporary_.path() + "/client.sock";
  std::string base_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpClientTest, fetches_status_fields_and_body_over_one_connection) {
  HttpClient client;
  for (int i = 0; i < 3; ++i) {
    HttpFetch request = to("/hello");
    request.headers.add("X-Sent", "abc");
    const auto response = client.fetch(request);
    ASSERT_TRUE(response.ok()) << response.error().text();
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->body, "hello");
    EXPECT_EQ(response->content_type, "text/plain");
    EXPECT_EQ(response->headers.value("etag"), "\"5\"");
    EXPECT_EQ(response->headers.value("X-Seen"), "abc");
  }
  EXPECT_EQ(server_->counters().connections, 1u);
}

TEST_F(HttpClientTest, sends_methods_with_bodies) {
  HttpClient client;
  for (const std::string method : {"POST", "PATCH", "DELETE", "PUT"}) {
    HttpFetch request = to("/echo");
    request.method = method;
    request.body = "{\"a\":1}";
    const auto response = client.fetch(request);
    ASSERT_TRUE(response.ok()) << response.error().text();
    EXPECT_EQ(response->status, 201);
    EXPECT_EQ(response->body, method + " {\"a\":1}");
  }
  HttpFetch head = to("/hello");
  head.method = "HEAD";
  const auto response = client.fetch(head);
  ASSERT_TRUE(response.ok()) << response.error().text();
  EXPECT_EQ(response->body, "");
  HttpFetch empty = to("/echo");
  empty.method = "POST";
  EXPECT_EQ(client.fetch(empty)->body, "POST ");
  empty.method = "DELETE";
  EXPECT_EQ(client.fetch(empty)->body, "DELETE ");
  EXPECT_EQ(client.fetch(to("/hello"))->body, "hello");
}

TEST_F(HttpClientTest, goes_over_a_unix_socket) {
  HttpFetch request;
  request.url = "http://pool/hello";
  request.unix_socket = socket_;
  const auto response = fetch(request);
  ASSERT_TRUE(response.ok()) << response.error().text();
  EXPECT_EQ(response->body, "hello");
}

TEST_F(HttpClientTest, limits_body_and_header) {
  HttpClient client;
  HttpFetch request = to("/large");
  request.max_body = 4999;
  const auto body = client.fetch(request);
  ASSERT_FALSE(body.ok());
  EXPECT_EQ(body.error().code, ErrorCode::kExhausted);
  request.max_body = 5000;
  EXPECT_TRUE(client.fetch(request).ok());
  request = to("/headers");
  request.max_headers = 5000;
  const auto header = client.fetch(request);
  ASSERT_FALSE(header.ok());
  EXPECT_EQ(header.error().code, ErrorCode::kExhausted);
}

TEST_F(HttpClientTest, follows_redirects_only_when_asked) {
  HttpFetch request = to("/redirect");
  EXPECT_EQ(fetch(request)->status, 302);
  request.follow_redirects = true;
  EXPECT_EQ(fetch(request)->body, "hello");
}

TEST_F(HttpClientTest, ignores_the_proxy_of_the_environment_unless_asked) {
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  HttpFetch request = to("/hello");
  EXPECT_TRUE(fetch(request).ok());
  request.proxy_from_environment = true;
  EXPECT_FALSE(fetch(request).ok());
  ::unsetenv("http_proxy");
}

TEST_F(HttpClientTest, a_long_poll_ends_when_cancelled_from_another_thread) {
  HttpClient client;
  HttpFetch request = to("/poll");
  request.total_timeout = Duration::seconds(90);
  std::thread canceller([&] {
    while (server_->counters().waiting == 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    client.cancel();
  });
  const auto begin = Clock::now();
  const auto response = client.fetch(request);
  canceller.join();
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().detail, "cancelled");
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(3));
  EXPECT_FALSE(client.fetch(to("/hello")).ok());
}

TEST_F(HttpClientTest, times_out) {
  HttpFetch request = to("/poll");
  request.total_timeout = Duration::milliseconds(200);
  const auto response = fetch(request);
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().code, ErrorCode::kUnavailable);
}

TEST_F(HttpClientTest, names_what_failed) {
  server_->stop(Duration::seconds(1));
  const auto refused = fetch(to("/hello"));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(refused.error().text().find("GET " + base_ + "/hello: "), std::string::npos);
  HttpFetch file;
  file.url = "file:///etc/passwd";
  EXPECT_EQ(fetch(file).error().code, ErrorCode::kInvalid);
  file.url = "http://127.0.0.1/\r\nX: y";
  EXPECT_EQ(fetch(file).error().code, ErrorCode::kInvalid);
}

// A server that promises more than it sends.
TEST(HttpClient, an_answer_that_is_cut_off_is_an_error) {
  const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
  const sys::TemporaryDirectory temporary;
  const std::string path = temporary.path() + "/cut.sock";
  sockaddr_storage storage{};
  storage.ss_family = AF_UNIX;
  path.copy(reinterpret_cast<char*>(&storage) + sizeof(sa_family_t), path.size());
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&storage),
                   static_cast<socklen_t>(sizeof(sa_family_t) + path.size() + 1)),
            0);
  ASSERT_EQ(::listen(listener, 1), 0);
  std::thread server([&] {
    const int peer = ::accept(listener, nullptr, nullptr);
    char buffer[2048];
    static_cast<void>(::recv(peer, buffer, sizeof buffer, 0));
    constexpr std::string_view kText = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
    static_cast<void>(::send(peer, kText.data(), kText.size(), MSG_NOSIGNAL));
    ::close(peer);
  });
  HttpFetch request;
  request.url = "http://pool/";
  request.unix_socket = path;
  const auto response = fetch(request);
  server.join();
  ::close(listener);
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().code, ErrorCode::kUnavailable);
}

// Answers one request on each of two connections. From its answer on nothing reaches the first one,
// as when the client's address was taken away: no acknowledgement, no reset.
class DeafAfterOne {
 public:
  DeafAfterOne() : thread_([this] { serve(); }) {}
  ~DeafAfterOne() { thread_.join(); }
  std::string url() const {
    return "http://" + format(sys::local_endpoint(listener_.number()).value()) + "/";
  }

 private:
  sys::Fd answer_one() const {
    sys::Fd peer(::accept(listener_.number(), nullptr, nullptr));
    char buffer[2048];
    static_cast<void>(::recv(peer.number(), buffer, sizeof buffer, 0));
    constexpr std::string_view kText = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell";
    static_cast<void>(::send(peer.number(), kText.data(), kText.size(), MSG_NOSIGNAL));
    return peer;
  }
  void serve() const {
    const sys::Fd first = answer_one();
    sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    const sock_fprog program{1, &nothing};
    EXPECT_EQ(::setsockopt(first.number(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program),
              0);
    const sys::Fd second = answer_one();
  }

  sys::Fd listener_ =
      sys::listen_stream({IpAddress::v4(0x7f000001), 0}, "listen", {.blocking = true}).value();
  std::thread thread_;
};

TEST(HttpClient, a_kept_connection_that_died_is_replaced_after_a_short_while) {
  const DeafAfterOne server;
  HttpClient client;
  HttpFetch request;
  request.url = server.url();
  request.method = "POST";
  request.body = "{}";
  request.unacknowledged = Duration::milliseconds(600);
  ASSERT_TRUE(client.fetch(request).ok());
  const auto begin = Clock::now();
  const auto response = client.fetch(request);
  ASSERT_TRUE(response.ok()) << response.error().text();
  EXPECT_EQ(response->body, "well");
  EXPECT_GT(Clock::now() - begin, std::chrono::milliseconds(500));
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(5));
}

TEST(HttpClient, a_connection_that_was_idle_for_long_is_not_used_again) {
  const DeafAfterOne server;
  HttpClient client;
  HttpFetch request;
  request.url = server.url();
  request.keep = Duration::seconds(1);
  ASSERT_TRUE(client.fetch(request).ok());
  std::this_thread::sleep_for(std::chrono::milliseconds(2100));
  const auto begin = Clock::now();
  ASSERT_TRUE(client.fetch(request).ok());
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(5));
}

}  // namespace
}  // namespace timepool::net
