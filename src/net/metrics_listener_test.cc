#include "net/metrics_listener.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>

#include <chrono>
#include <future>
#include <thread>

#include "net/http_client.h"
#include "sys/clock.h"
#include "sys/udp_socket.h"

namespace timepool::net {
namespace {

class MetricsListenerTest : public ::testing::Test {
 protected:
  void SetUp() override { listener_ = start({}); }

  std::unique_ptr<MetricsListener> start(MetricsListenerOptions options) {
    if (options.listen.port == 0) options.listen = {IpAddress::v4(0x7f000001), 0};
    auto made = MetricsListener::start(reactor_, options, [this](MetricSink& sink) {
      sink.counter("timepool_scrapes_total", "Scrapes.", ++scrapes_);
    });
    EXPECT_TRUE(made.ok()) << made.error().text();
    return std::move(made).value();
  }

  // What comes back to these bytes until the other side closes; the reactor runs meanwhile.
  std::string exchange(std::string_view bytes) {
    const sys::Fd fd = connect();
    EXPECT_EQ(::send(fd.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
    std::string out;
    for (const MonoTime end = sys::mono_now() + Duration::seconds(10); sys::mono_now() < end;) {
      reactor_.run_once(Duration::milliseconds(10));
      std::array<char, 4096> buffer;
      const ssize_t count = ::recv(fd.number(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (count == 0) return out;
      if (count > 0) out.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return out + "(not closed)";
  }

  sys::Fd connect() {
    sockaddr_storage address{};
    const socklen_t length = sys::to_sockaddr(listener_->endpoint(), address);
    sys::Fd fd(::socket(address.ss_family, SOCK_STREAM, 0));
    EXPECT_EQ(::connect(fd.number(), reinterpret_cast<sockaddr*>(&address), length), 0);
    return fd;
  }

  Reactor reactor_;
  std::uint64_t scrapes_ = 0;
  std::unique_ptr<MetricsListener> listener_;
};

TEST_F(MetricsListenerTest, answers_a_scrape_with_metrics_read_anew) {
  const std::string url = "http://" + format(listener_->endpoint()) + "/metrics";
  for (const char* value : {"1", "2"}) {
    auto answer = std::async(std::launch::async, [&] {
      HttpFetch request;
      request.url = url;
      return fetch(request);
    });
    while (answer.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
      reactor_.run_once(Duration::milliseconds(10));
    }
    const Result<HttpResponse> response = answer.get();
    ASSERT_TRUE(response.ok()) << response.error().text();
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->content_type, "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_NE(response->body.find(std::string("\ntimepool_scrapes_total ") + value + "\n"),
              std::string::npos);
  }
  EXPECT_EQ(listener_->requests(), 2u);
}

TEST_F(MetricsListenerTest, refuses_what_is_no_request_for_metrics) {
  EXPECT_TRUE(exchange("GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
  EXPECT_TRUE(exchange("GET /metricsx HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
  const std::string post = exchange("POST /metrics HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(post.starts_with("HTTP/1.1 405 "));
  EXPECT_NE(post.find("\r\nAllow: GET, HEAD\r\n"), std::string::npos);
  for (const char* junk :
       {"\r\n\r\n", "GET\r\n\r\n", "GET /metrics\r\n\r\n", "GET /metrics HTTP/3\r\n\r\n",
        " /metrics HTTP/1.1\r\n\r\n", "GET  /metrics HTTP/1.1\r\n\r\n"}) {
    EXPECT_TRUE(exchange(junk).starts_with("HTTP/1.1 400 ")) << junk;
  }
  EXPECT_TRUE(exchange(std::string(9000, 'a')).starts_with("HTTP/1.1 431 "));
  EXPECT_EQ(scrapes_, 0u);
}

TEST_F(MetricsListenerTest, sends_no_body_to_head) {
  const std::string answer = exchange("HEAD /metrics HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(MetricsListenerTest, the_oldest_of_too_many_connections_gives_way) {
  std::vector<sys::Fd> silent;
  for (std::size_t i = 0; i < MetricsListenerOptions().max_connections; ++i) {
    silent.push_back(connect());
    reactor_.run_once(Duration::milliseconds(10));
  }
  EXPECT_TRUE(exchange("GET /metrics HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 200 "));
  char byte = 0;
  EXPECT_EQ(::recv(silent.front().number(), &byte, 1, MSG_DONTWAIT), 0);
  EXPECT_EQ(::recv(silent.back().number(), &byte, 1, MSG_DONTWAIT), -1);
}

TEST_F(MetricsListenerTest, who_asks_nothing_is_closed_after_a_while) {
  MetricsListenerOptions options;
  options.idle_timeout = Duration::milliseconds(50);
  listener_ = start(options);
  EXPECT_EQ(exchange("GET /metr"), "");
}

TEST_F(MetricsListenerTest, an_address_in_use_is_named_with_its_setting) {
  MetricsListenerOptions options;
  options.listen = listener_->endpoint();
  const auto second = MetricsListener::start(reactor_, options, [](MetricSink&) {});
  ASSERT_FALSE(second.ok());
  EXPECT_TRUE(second.error().text().starts_with("[metrics] listen: listen on 127.0.0.1:"))
      << second.error().text();
}

}  // namespace
}  // namespace timepool::net
