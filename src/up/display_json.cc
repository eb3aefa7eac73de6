#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <map>

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
    if (state.client_selected == selected_ && state.client_sources == sources_) return;
    selected_ = state.client_selected;
    sources_ = state.client_sources;
    json::array list;
    for (const std::string& address : selected_) list.push_back(json::value(address));
    event("client", {{"selected", std::move(list)},
                     {"sources", sources_},
                     {"after_s", since_start.to_seconds()}});
  }

  void summary(const json::object& summary) override { event("summary", summary); }

 private:
  static void line(const json::object& object) {
    const std::string text = json::serialize(object) + "\n";
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }

  std::map<std::string, bool> in_dns_;
  std::vector<std::string> selected_;
  std::size_t sources_ = 0;
};

}  // namespace

std::unique_ptr<Display> make_json_display() {
  return std::make_unique<JsonDisplay>();
}

}  // namespace timepool::up
