#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <cstdio>
#include <deque>
#include <map>
#include <utility>

#include "client/json_fields.h"
#include "up/display.h"

namespace timepool::up {
namespace {

namespace json = boost::json;

std::string text_of(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr) return {};
  return value->is_string() ? std::string(value->get_string()) : json::serialize(*value);
}

std::string offset_text(const std::optional<double>& offset) {
  if (!offset) return "-";
  return std::fabs(*offset) < 0.001 ? fmt::format("{:+.0f}us", *offset * 1e6)
                                    : fmt::format("{:+.1f}ms", *offset * 1e3);
}

std::string score_text(const std::optional<double>& score) {
  return score ? fmt::format("{:.1f}", *score) : "-";
}

std::string joined(const std::vector<std::string>& list) {
  std::string out;
  for (const std::string& item : list) out += (out.empty() ? "" : " ") + item;
  return out.empty() ? "nothing" : out;
}

// "confirmed, in SRV"
std::string nts_text(const ServerState& server) {
  if (server.nts_name.empty()) return "";
  return server.nts_state + (server.nts_reason.empty() ? "" : ": " + server.nts_reason) +
         (server.in_srv ? ", in SRV" : "");
}

// "ntpd-3 started, pid 123"
std::string line_of(std::string_view kind, const json::object& details) {
  const std::string name = text_of(details, "name");
  if (kind == "started") return fmt::format("{} runs, pid {}", name, text_of(details, "pid"));
  if (kind == "note") return text_of(details, "text");
  if (kind == "exited") {
    std::string out = fmt::format("{} ended: {}", name, text_of(details, "how"));
    const json::value* lines = details.if_contains("last_lines");
    if (lines != nullptr && lines->is_array()) {
      for (const json::value& line : lines->get_array()) {
        if (line.is_string()) out += "\n    " + std::string(line.get_string());
      }
    }
    return out;
  }
  return std::string(kind) + " " + json::serialize(details);
}

class TextDisplay : public Display {
 public:
  TextDisplay(const Plan& plan, bool terminal) : plan_(plan), terminal_(terminal) {}
  ~TextDisplay() override { erase(); }

  void event(std::string_view kind, const json::object& details) override {
    if (kind == "ready") {
      erase();
      std::puts(heading().c_str());
      std::fflush(stdout);
      return;
    }
    // Thirty lines of programs that started well say less than the table does.
    if (terminal_ && kind == "started") return;
    say(line_of(kind, details));
  }

  void state(const PoolState& state, Duration since_start) override {
    if (terminal_) {
      draw(state, since_start);
    } else {
      tell_changes(state, since_start);
    }
  }

  void summary(const json::object& summary) override {
    erase();
    std::puts("\nSummary");
    for (const json::value& server : client::list_of(summary, "servers")) {
      if (server.is_object()) print_server(server.get_object());
    }
    const json::object& dns = client::object_of(summary, "dns");
    std::string answers;
    for (const auto& [address, count] : client::object_of(dns, "answers")) {
      answers += fmt::format(" {}x{}", std::string(address), json::serialize(count));
    }
    std::puts(fmt::format("  {} queries were answered by{}", text_of(dns, "queries"),
                          answers.empty() ? " nothing" : answers)
                  .c_str());
    std::string selected;
    const json::object& client = client::object_of(summary, "client");
    for (const json::value& address : client::list_of(client, "selected")) {
      selected += " " + std::string(address.get_string());
    }
    std::puts(
        fmt::format("  the client selects{}", selected.empty() ? " nothing" : selected).c_str());
    if (plan_.nts) {
      std::string names;
      const json::object& nts_client = client::object_of(summary, "nts_client");
      for (const json::value& name : client::list_of(nts_client, "selected")) {
        names += " " + std::string(name.get_string());
      }
      std::puts(
          fmt::format("  the NTS client selects{}", names.empty() ? " nothing" : names).c_str());
    }
    std::fflush(stdout);
  }

 private:
  void print_server(const json::object& server) const {
    std::puts(fmt::format("  {:<6} {:<13} score {:>7}  {}", text_of(server, "role"),
                          text_of(server, "address"),
                          score_text(client::number_of(server, "score")),
                          text_of(server, "in_dns") == "true" ? "in DNS" : "not in DNS")
                  .c_str());
    if (text_of(server, "nts_name").empty()) return;
    std::puts(fmt::format("         {} {}", text_of(server, "nts_name"),
                          text_of(server, "in_srv") == "true" ? "in SRV" : "not in SRV")
                  .c_str());
  }

  // What to type to see NTS; empty without it.
  std::string nts_heading(const std::string& where) const {
    if (!plan_.nts) return "";
    return fmt::format(
        "  NTS      dig {} _ntske._tcp.{} SRV +dnssec\n"
        "           timepool query --nts-pool {} --dns-server {} --ca {} --trust-anchor {}\n"
        "           timepool ntp sources --socket {}\n",
        where, plan_.zone, plan_.zone, format(plan_.dns), plan_.roots_file(), plan_.anchor_file(),
        plan_.socket_of("ntpd-nts-client"));
  }

  std::string heading() const {
    const std::string where = fmt::format("@{} -p {}", format(plan_.dns.address), plan_.dns.port);
    const std::string elsewhere =
        plan_.geoip
            ? fmt::format("           dig {} {} +subnet=193.99.144.0/24     as from Germany\n",
                          where, plan_.zone)
            : "";
    return fmt::format(
        "\nA whole pool runs on this machine, in {}\n"
        "  pages    {}/\n"
        "  DNS      dig {} {}\n{}"
        "  time     timepool query {}:{}\n"
        "  client   timepool ntp sources --socket {}\n"
        "  servers  timepool pool server list --url {}\n{}"
        "Ctrl-C ends it.\n",
        plan_.directory, plan_.http_url(), where, plan_.zone, elsewhere,
        format(plan_.servers.front().address), plan_.ntp_port, plan_.socket_of("ntpd-client"),
        plan_.http_url(), nts_heading(where));
  }

  void say(const std::string& text) {
    erase();
    std::puts(text.c_str());
    std::fflush(stdout);
  }

  void tell_changes(const PoolState& state, Duration since_start) {
    for (const ServerState& server : state.servers) {
      const auto known = in_dns_.find(server.address);
      if (known != in_dns_.end() && known->second == server.in_dns) continue;
      const bool first = known == in_dns_.end();
      in_dns_[server.address] = server.in_dns;
      if (first && !server.in_dns) continue;
      say(fmt::format("{:5.1f} s  {} ({}) is {} DNS, score {}{}", since_start.to_seconds(),
                      server.address, name_of(server.role), server.in_dns ? "in" : "out of",
                      score_text(server.score), server.reason.empty() ? "" : ": " + server.reason));
    }
    for (const ServerState& server : state.servers) {
      const std::string now = nts_text(server);
      if (now.empty() || std::exchange(nts_[server.nts_name], now) == now) continue;
      say(fmt::format("{:5.1f} s  {} is {}", since_start.to_seconds(), server.nts_name, now));
    }
    const std::string names = joined(state.nts_client_selected);
    if (state.nts_client_runs && std::exchange(nts_selected_, names) != names) {
      say(fmt::format("{:5.1f} s  the NTS client selects {}", since_start.to_seconds(), names));
    }
    const std::string selected = joined(state.client_selected);
    if (!state.client_runs || selected == selected_) return;
    selected_ = selected;
    say(fmt::format("{:5.1f} s  the client selects {}", since_start.to_seconds(), selected));
  }

  void draw(const PoolState& state, Duration since_start) {
    std::vector<std::string> lines;
    lines.push_back(fmt::format("{:<6} {:<13} {:<7} {:>8} {:>8} {:>9}  {}", "role", "address",
                                "country", "netspeed", "score", "offset", "DNS"));
    for (const ServerState& server : state.servers) {
      lines.push_back(fmt::format("{:<6} {:<13} {:<7} {:>8} {:>8} {:>9}  {}", name_of(server.role),
                                  server.address, server.country, server.netspeed,
                                  score_text(server.score), offset_text(server.offset),
                                  server.in_dns ? "in DNS" : server.reason));
    }
    lines.push_back(fmt::format("client {} sources, selects {}", state.client_sources,
                                state.client_runs ? joined(state.client_selected)
                                                  : "nothing yet: it starts once DNS has servers"));
    for (const ServerState& server : state.servers) {
      if (server.nts_name.empty()) continue;
      lines.push_back(
          fmt::format("NTS    {:<13} {} is {}", server.address, server.nts_name, nts_text(server)));
    }
    if (plan_.nts) {
      lines.push_back(fmt::format("NTS client selects {}",
                                  state.nts_client_runs
                                      ? joined(state.nts_client_selected)
                                      : "nothing yet: it starts once SRV has all of them"));
    }
    lines.push_back(fmt::format("{:.0f} s{}", since_start.to_seconds(),
                                state.manager_answers ? "" : "   the manager does not answer"));
    erase();
    winsize window{};
    const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0;
    const std::size_t width = known ? window.ws_col - 1U : 79;
    // More lines than the window has could not be erased again.
    const std::size_t height = known && window.ws_row > 1 ? window.ws_row - 1U : 200;
    std::string out;
    for (std::size_t i = 0; i < lines.size() && i < height; ++i) {
      out += lines[i].substr(0, width) + "\n";
      ++drawn_;
    }
    std::fwrite(out.data(), 1, out.size(), stdout);
    std::fflush(stdout);
  }

  // Takes the table off the terminal, so that what comes next stands above it.
  void erase() {
    if (drawn_ == 0) return;
    std::fputs(fmt::format("\x1b[{}A\x1b[J", drawn_).c_str(), stdout);
    drawn_ = 0;
  }

  const Plan& plan_;
  bool terminal_;
  std::size_t drawn_ = 0;
  std::map<std::string, bool> in_dns_;
  std::map<std::string, std::string> nts_;  // what was told of each name
  std::string selected_ = "nothing";
  std::string nts_selected_ = "nothing";
};

}  // namespace

std::unique_ptr<Display> make_text_display(const Plan& plan, bool terminal) {
  return std::make_unique<TextDisplay>(plan, terminal);
}

}  // namespace timepool::up
