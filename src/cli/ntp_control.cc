// timepool ntp online, offline, burst: what is done with sources.
#include <fmt/core.h>

#include <boost/json/object.hpp>
#include <memory>

#include "cli/commands.h"
#include "cli/print.h"
#include "client/json_fields.h"
#include "net/control.h"

namespace timepool::cli {
namespace {

namespace json = boost::json;

struct ControlArguments {
  std::string socket = "/run/timepool/ntpd.sock";
  std::optional<std::string> source;
  std::optional<int> good;
  std::optional<int> most;
};

int run(const ControlArguments& arguments, const char* command, const char* done) {
  json::object request{{"command", command}};
  if (arguments.source) request["source"] = *arguments.source;
  if (arguments.good) request["good"] = *arguments.good;
  if (arguments.most) request["max"] = *arguments.most;
  const auto answer = net::control_request(arguments.socket, request);
  if (!answer.ok()) return failed(answer.error());
  const double count = client::number_of(*answer, "sources").value_or(0);
  print(fmt::format("{:.0f} {} {}", count, count == 1 ? "source" : "sources", done));
  return kOk;
}

std::shared_ptr<ControlArguments> add(Command& command) {
  const auto arguments = std::make_shared<ControlArguments>();
  command
      .positional("SOURCE", arguments->source,
                  "Its name as configured, its address, or a prefix; without: all")
      .option("--socket", arguments->socket, "The daemon's control socket");
  return arguments;
}

}  // namespace

void add_ntp_control(Command& ntp) {
  Command online = ntp.command("online", "Ask sources again that were offline");
  const auto for_online = add(online);
  online.action([for_online] { return run(*for_online, "online", "online"); });

  Command offline = ntp.command("offline", "Ask sources no more until they are online again");
  const auto for_offline = add(offline);
  offline.action([for_offline] { return run(*for_offline, "offline", "offline"); });

  Command burst = ntp.command("burst", "Ask sources several times in a row");
  const auto for_burst = add(burst);
  burst.option("--good", for_burst->good, 1, 64, "Enough after this many answers (4)")
      .option("--max", for_burst->most, 1, 64, "At most this many requests (8)");
  burst.action([for_burst] { return run(*for_burst, "burst", "in a burst"); });
}

}  // namespace timepool::cli
