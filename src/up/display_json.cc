#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <map>
#include <utility>

#include "up/display.h"

namespace timepool::up {
namespace {

namespace json = boost::json;

class JsonDisplay : public Display {
 public:
  void event(std::string_view kind, const json::object& details) override {
    json::object out{{"event", std::string(kind)}};
    for (const auto& [key, value] : details) out[key] = value;
    line(out);
  }

  void state(const PoolState& state, Duration since_start) override {
    for (const ServerState& server : state.servers) {
      const auto known = in_dns_.find(server.address);
      if (known != in_dns_.end() && known->second == server.in_dns) continue;
      in_dns_[server.address] = server.in_dns;
      json::object out{{"address", server.address},
                       {"role", name_of(server.role)},
                       {"in_dns", server.in_dns},
                       {"reason", server.reason},
                       {"after_s", since_start.to_seconds()}};
      out["score"] = server.score ? json::value(*server.score) : json::value(nullptr);
      event("server", out);
    }
    for (const ServerState& server : state.servers) tell_nts(server, since_start);
    tell_nts_client(state, since_start);
    if (state.client_selected == selected_ && state.client_sources == sources_) return;
    selected_ = state.client_selected;
    sources_ = state.client_sources;
    event("client", {{"selected", array_of(selected_)},
                     {"sources", sources_},
                     {"after_s", since_start.to_seconds()}});
  }

  void summary(const json::object& summary) override { event("summary", summary); }

 private:
  static json::array array_of(const std::vector<std::string>& list) {
    json::array out;
    for (const std::string& item : list) out.push_back(json::value(item));
    return out;
  }

  void tell_nts(const ServerState& server, Duration since_start) {
    if (server.nts_name.empty()) return;
    const std::string now = server.nts_state + server.nts_reason + (server.in_srv ? "+" : "-");
    if (std::exchange(nts_[server.nts_name], now) == now) return;
    event("nts", {{"name", server.nts_name},
                  {"address", server.address},
                  {"state", server.nts_state},
                  {"reason", server.nts_reason},
                  {"in_srv", server.in_srv},
                  {"after_s", since_start.to_seconds()}});
  }

  void tell_nts_client(const PoolState& state, Duration since_start) {
    if (state.nts_client_selected == nts_selected_) return;
    nts_selected_ = state.nts_client_selected;
    event("nts_client",
          {{"selected", array_of(nts_selected_)}, {"after_s", since_start.to_seconds()}});
  }

  static void line(const json::object& object) {
    const std::string text = json::serialize(object) + "\n";
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }

  std::map<std::string, bool> in_dns_;
  std::map<std::string, std::string> nts_;  // what was told of each name
  std::vector<std::string> selected_;
  std::vector<std::string> nts_selected_;
  std::size_t sources_ = 0;
};

}  // namespace

std::unique_ptr<Display> make_json_display() {
  return std::make_unique<JsonDisplay>();
}

}  // namespace timepool::up
