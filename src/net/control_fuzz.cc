// Any octets to a control socket, in one connection: each line is answered by one line, a JSON
// object that says whether it went well, and the connection ends when the client's side does. The
// first octet is the size of the pieces that they come in.
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/check.h"
#include "net/control.h"
#include "net/unix_socket.h"
#include "sys/temporary_directory.h"

namespace {

using namespace timepool;  // NOLINT: a test program of one file
namespace json = boost::json;

constexpr std::size_t kMaxInput = 4096;
constexpr std::size_t kMaxLine = 512;
constexpr int kMaxRounds = 10'000;

struct Daemon {
  Daemon() {
    net::ControlOptions options;
    options.path = path;
    options.max_line = kMaxLine;
    auto made = net::ControlServer::create(reactor, options);
    CHECK(made.ok());
    server = std::move(made).value();
    server->add("echo", "Answers with what it was given.",
                [](const json::object& request) -> Result<json::object> { return request; });
    server->add("fail", "Fails.", [](const json::object&) -> Result<json::object> {
      return fail(Error{ErrorCode::kDenied, "fail", "as asked"});
    });
  }

  sys::TemporaryDirectory directory;
  const std::string path = directory.path() + "/socket";
  net::Reactor reactor;
  std::unique_ptr<net::ControlServer> server;
};

// All that comes back until the connection ends.
std::string talk(Daemon& daemon, std::string_view bytes, std::size_t piece) {
  const auto fd = net::connect_unix(daemon.path);
  CHECK(fd.ok());
  std::string out;
  bool told = false;
  for (int i = 0; i < kMaxRounds; ++i) {
    if (!bytes.empty()) {
      const ssize_t sent =
          ::send(fd->number(), bytes.data(), std::min(piece, bytes.size()), MSG_NOSIGNAL);
      // The server hangs up on a line that is too long.
      bytes.remove_prefix(sent > 0 ? static_cast<std::size_t>(sent) : bytes.size());
    } else if (!told) {
      told = true;
      ::shutdown(fd->number(), SHUT_WR);
    }
    daemon.reactor.run_once(Duration());
    std::array<char, 65536> buffer;
    const ssize_t got = ::recv(fd->number(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got == 0) return out;
    if (got > 0) out.append(buffer.data(), static_cast<std::size_t>(got));
  }
  CHECK(false && "the connection did not end");
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Daemon daemon;
  if (size == 0 || size > kMaxInput) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string answers = talk(daemon, input, std::size_t{data[0]} + 1);
  CHECK(daemon.server->connections() == 0);
  const auto lines = std::count(answers.begin(), answers.end(), '\n');
  CHECK(lines <= std::count(input.begin(), input.end(), '\n') + 1);
  for (std::string_view rest = answers; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    CHECK(end != std::string_view::npos);
    json::error_code error;
    const json::value answer = json::parse(rest.substr(0, end), error);
    CHECK(!error && answer.is_object() && answer.get_object().contains("ok"));
    rest.remove_prefix(end + 1);
  }
  return 0;
}
