#include "net/control.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <boost/json.hpp>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "net/unix_socket.h"
#include "sys/clock.h"
#include "sys/temporary_directory.h"

namespace timepool::net {
namespace {
namespace json = boost::json;

class Control : public ::testing::Test {
 protected:
  void serve(ControlOptions options = {}) {
    options.path = path_;
    auto made = ControlServer::create(reactor_, options);
    ASSERT_TRUE(made.ok()) << made.error().text();
    server_ = std::move(made).value();
    server_->add("echo", "Answers with what it was given.",
                 [](const json::object& request) -> Result<json::object> {
                   json::object out;
                   out["request"] = request;
                   return out;
                 });
    server_->add("fail", "Fails.", [](const json::object&) -> Result<json::object> {
      return fail(Error{ErrorCode::kDenied, "fail", "as asked"});
    });
  }
  // Sends bytes on a fresh connection and collects what comes until `lines` line feeds or the end.
  std::string talk(std::string_view bytes, int lines = 1) {
    Result<sys::Fd> fd = connect_unix(path_);
    EXPECT_TRUE(fd.ok());
    return talk_on(*fd, bytes, lines);
  }
  std::string talk_on(const sys::Fd& fd, std::string_view bytes, int lines) {
    std::string out;
    const MonoTime end = sys::mono_now() + Duration::seconds(10);
    while (sys::mono_now() < end && std::count(out.begin(), out.end(), '\n') < lines) {
      if (!bytes.empty()) {
        const ssize_t sent = ::send(fd.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
      }
      reactor_.run_once(Duration::milliseconds(1));
      std::array<char, 65536> buffer;
      const ssize_t got = ::recv(fd.number(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got == 0) break;
      if (got > 0) out.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return out;
  }

  Reactor reactor_;
  sys::TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/socket";
  std::unique_ptr<ControlServer> server_;
};

TEST_F(Control, answers_one_line_for_one_line) {
  serve();
  EXPECT_EQ(talk("{\"command\":\"echo\",\"x\":1}\n"),
            "{\"ok\":true,\"request\":{\"command\":\"echo\",\"x\":1}}\n");
  EXPECT_EQ(talk("{\"command\":\"fail\"}\n{\"command\":\"fail\"}\r\n", 2),
            "{\"ok\":false,\"error\":\"fail: as asked\"}\n"
            "{\"ok\":false,\"error\":\"fail: as asked\"}\n");
}

TEST_F(Control, an_error_that_repeats_a_part_of_a_request_is_json) {
  serve();
  // The 64th byte is the first half of an "a" with two dots.
  const std::string word = std::string(63, 'a') + "\xc3\xa4";
  const std::string answer = talk("{\"command\":\"" + word + "\"}\n");
  json::error_code error;
  const json::value read = json::parse(answer, error);
  ASSERT_FALSE(error) << answer;
  EXPECT_NE(read.at("error").as_string().find(std::string(63, 'a') + "?\""), std::string::npos);
}

TEST_F(Control, a_malformed_request_gets_a_precise_error) {
  serve();
  EXPECT_EQ(talk("{\"command\":\"echo\",}\n"),
            "{\"ok\":false,\"error\":\"request: not JSON at byte 19: syntax error\"}\n");
  EXPECT_EQ(talk("[1]\n"), "{\"ok\":false,\"error\":\"request: not a JSON object\"}\n");
  EXPECT_EQ(talk("{} {}\n"),
            "{\"ok\":false,\"error\":\"request: more than one JSON value in a line, from byte "
            "4\"}\n");
  EXPECT_EQ(talk("{\"command\":1}\n"),
            "{\"ok\":false,\"error\":\"request: no \\\"command\\\" string\"}\n");
  EXPECT_EQ(
      talk("{\"command\":\"eco\"}\n"),
      "{\"ok\":false,\"error\":\"unknown command \\\"eco\\\": known are help, echo, fail\"}\n");
  EXPECT_NE(talk(std::string(40, '[') + "\n").find("not JSON at byte"), std::string::npos);
  EXPECT_NE(talk("\n").find("not JSON at byte"), std::string::npos);
  EXPECT_NE(talk("\"\xff\"\n").find("not JSON at byte"), std::string::npos);
}

TEST_F(Control, a_line_too_long_ends_the_connection_with_a_reason) {
  ControlOptions options;
  options.max_line = 100;
  serve(options);
  EXPECT_EQ(talk(std::string(5000, 'x'), 2),
            "{\"ok\":false,\"error\":\"request longer than 100 bytes\"}\n");
  EXPECT_NE(talk("{\"command\":\"echo\"}\n").find("\"ok\":true"), std::string::npos);
}

TEST_F(Control, one_connection_too_many_is_refused) {
  ControlOptions options;
  options.max_connections = 2;
  serve(options);
  const sys::Fd one = std::move(connect_unix(path_)).value();
  const sys::Fd two = std::move(connect_unix(path_)).value();
  EXPECT_NE(talk_on(one, "{\"command\":\"echo\"}\n", 1), "");
  EXPECT_NE(talk_on(two, "{\"command\":\"echo\"}\n", 1), "");
  EXPECT_EQ(talk("", 1), "{\"ok\":false,\"error\":\"too many control connections\"}\n");
  EXPECT_EQ(server_->connections(), 2u);
}

TEST_F(Control, an_idle_connection_is_closed) {
  ControlOptions options;
  options.idle_timeout = Duration::milliseconds(30);
  serve(options);
  const sys::Fd idle = std::move(connect_unix(path_)).value();
  EXPECT_NE(talk_on(idle, "{\"command\":\"echo\"}\n", 1), "");
  const MonoTime start = sys::mono_now();
  EXPECT_EQ(talk_on(idle, "", 1), "");
  EXPECT_GE(sys::mono_now() - start, Duration::milliseconds(20));
  EXPECT_EQ(server_->connections(), 0u);
}

TEST_F(Control, the_file_has_its_mode_and_a_stale_one_is_replaced) {
  serve();
  struct stat info{};
  ASSERT_EQ(::lstat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0660u);
  ControlOptions options;
  options.path = path_;
  const auto second = ControlServer::create(reactor_, options);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().text(),
            "[control] socket: listen at " + path_ + ": another program listens there");
  server_.reset();
  EXPECT_NE(::lstat(path_.c_str(), &info), 0) << "the file was left";
  // A crash leaves the file without a listener.
  {
    const sys::Fd crashed = std::move(listen_unix(path_, 0600)).value();
  }
  ASSERT_EQ(::lstat(path_.c_str(), &info), 0);
  serve();
  EXPECT_NE(talk("{\"command\":\"echo\"}\n"), "");
}

TEST_F(Control, another_file_in_its_place_is_never_removed) {
  std::ofstream(path_) << "precious";
  ControlOptions options;
  options.path = path_;
  const auto made = ControlServer::create(reactor_, options);
  ASSERT_FALSE(made.ok());
  EXPECT_NE(made.error().text().find("not a socket"), std::string::npos);
  EXPECT_EQ(::access(path_.c_str(), F_OK), 0);
  options.path = std::string(200, 'x');
  EXPECT_NE(ControlServer::create(reactor_, options).error().text().find("1 to 107 bytes"),
            std::string::npos);
}

TEST_F(Control, descriptors_come_with_the_answer_to_whoever_the_kernel_says_asks) {
  serve();
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  sys::Fd reader(pipe[0]);
  sys::Fd writer(pipe[1]);
  ControlPeer peer;
  server_->add_for_peer("give", "Gives the end of a pipe.",
                        [&](const json::object&, const ControlPeer& who) -> Result<ControlAnswer> {
                          peer = who;
                          return ControlAnswer{{}, {writer.number()}};
                        });
  std::uint64_t closed = 0;
  server_->on_closed([&](std::uint64_t connection) { closed = connection; });
  std::atomic<bool> done{false};
  std::vector<sys::Fd> got;
  std::thread asking([&] {
    ControlClient client = std::move(ControlClient::open(path_)).value();
    json::object request;
    request["command"] = "give";
    for (int i = 0; i < 2; ++i) {
      auto answer = client.request(request);
      if (!answer.ok()) break;
      for (sys::Fd& fd : answer->descriptors) got.push_back(std::move(fd));
    }
    done = true;
  });
  while (!done) reactor_.run_once(Duration::milliseconds(5));
  asking.join();
  EXPECT_EQ(peer.user, ::geteuid());
  EXPECT_EQ(peer.process, ::getpid());
  ASSERT_EQ(got.size(), 2u);
  writer.reset();
  ASSERT_EQ(::write(got[1].number(), "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(::read(reader.number(), &byte, 1), 1);
  for (int i = 0; i < 100 && closed == 0; ++i) reactor_.run_once(Duration::milliseconds(5));
  EXPECT_EQ(closed, peer.connection);
}

TEST_F(Control, while_it_pauses_others_wait_and_another_process_may_answer_them) {
  serve();
  server_->pause();
  const sys::Fd waiting = std::move(connect_unix(path_)).value();
  const std::string_view text = "{\"command\":\"help\"}\n";
  ASSERT_GT(::send(waiting.number(), text.data(), text.size(), MSG_NOSIGNAL), 0);
  for (int i = 0; i < 5; ++i) reactor_.run_once(Duration::milliseconds(2));
  EXPECT_EQ(server_->connections(), 0u);
  ControlOptions options;
  options.path = path_;
  auto heir = ControlServer::create(reactor_, options, sys::Fd(::dup(server_->listener())));
  ASSERT_TRUE(heir.ok());
  server_->own_file(false);
  server_.reset();
  EXPECT_NE(talk_on(waiting, "", 1), "") << "who waited is answered";
  EXPECT_EQ(::access(path_.c_str(), F_OK), 0);
  EXPECT_NE(talk(text), "");
  heir->reset();
  EXPECT_EQ(::access(path_.c_str(), F_OK), 0) << "not its own yet";
}

TEST_F(Control, the_client_gets_answers_and_errors) {
  EXPECT_NE(control_request(path_, {}).error().text().find("is the daemon running?"),
            std::string::npos);
  serve();
  std::atomic<bool> done{false};
  std::string good;
  std::string bad;
  std::thread client([&] {
    json::object request;
    request["command"] = "echo";
    auto answer = control_request(path_, request);
    good = answer.ok() ? json::serialize(*answer) : answer.error().text();
    request["command"] = "fail";
    bad = control_request(path_, request).error().text();
    done = true;
  });
  while (!done) reactor_.run_once(Duration::milliseconds(5));
  client.join();
  EXPECT_EQ(good, "{\"ok\":true,\"request\":{\"command\":\"echo\"}}");
  EXPECT_NE(bad.find("fail: as asked"), std::string::npos) << bad;
}

}  // namespace
}  // namespace timepool::net
